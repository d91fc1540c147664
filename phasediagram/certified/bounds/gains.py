"""Gains, biases and what outputs share, for a box of weights; compiled (internal)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from phasediagram.certified.bounds.outputs import GRID, ROUNDING, own_first, snapped
from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.signatures import Integer, Matrix, Nothing, Real, Vector

Array = NDArray[np.float64]


@compiled(Nothing(Integer, Integer, Vector, Vector, Matrix, Matrix))
def gain_box(m: int, n: int, low: Array, high: Array, gain_low: Array, gain_high: Array) -> None:
    """Write intervals of all gains, on the grid, the output's own feature first."""
    for i in range(n):
        for j in range(n):
            f = own_first(i, j)
            least, most = 0.0, 0.0
            for k in range(m):
                a, b, c, d = low[k * n + i], high[k * n + i], low[k * n + f], high[k * n + f]
                one, two, three, four = a * c, a * d, b * c, b * d
                if f == i:
                    two = three = 0.0 if a < 0.0 < b else one
                least += min(min(one, two), min(three, four))
                most += max(max(one, two), max(three, four))
            # one unit more than rounded, which covers the error of the sums of products
            gain_low[i, j] = (math.floor(least * GRID) - 1.0) / GRID if least != 0.0 else 0.0
            gain_high[i, j] = (math.ceil(most * GRID) + 1.0) / GRID if most != 0.0 else 0.0


@compiled(Nothing(Integer, Integer, Vector, Matrix, Matrix, Matrix))
def gains_at(m: int, n: int, weights: Array, gain_low: Array, gain_high: Array, at: Array) -> None:
    """Write the gains of these weights on the grid, within their intervals."""
    for i in range(n):
        for j in range(n):
            f = own_first(i, j)
            gain = 0.0
            for k in range(m):
                gain += weights[k * n + i] * weights[k * n + f]
            at[i, j] = min(max(snapped(gain), gain_low[i, j]), gain_high[i, j])


@compiled(Nothing(Integer, Matrix, Matrix, Vector, Vector, Vector))
def bias_ranges(
    n: int, gain_low: Array, gain_high: Array, active: Array, bias_low: Array, bias_high: Array
) -> None:
    """Write the interval, on the grid, that holds the best bias of each output.

    Below it the output is silent for all gains of the box, above it the loss rises.
    """
    for i in range(n):
        silent, upper = 0.0, 0.5 * active[i]
        for j in range(n):
            silent -= max(gain_high[i, j], 0.0)
            upper -= 0.5 * active[own_first(i, j)] * gain_low[i, j]
        bias_low[i] = silent
        bias_high[i] = (math.ceil(upper * GRID) + 1.0) / GRID


@compiled(Real(Integer, Integer, Vector, Vector, Vector, Matrix, Vector, Matrix, Matrix))
def shared_part(
    m: int,
    n: int,
    low: Array,
    high: Array,
    weights: Array,
    tilt: Array,
    importance: Array,
    pivot: Array,
    form: Array,
) -> float:
    """Return a lower bound, over the box, of sum_i I_i tilt_i.(row_i(W^T W) - pivot_i).

    `form` is filled with the symmetric matrix N of that quadratic form, tr(W N W^T).
    """
    size, total = 0.0, 0.0
    for i in range(n):
        for f in range(n):
            form[i, f] = 0.0
    for i in range(n):
        for j in range(n):
            f = own_first(i, j)
            share = importance[i] * tilt[i, j]
            form[i, f] += 0.5 * share
            form[f, i] += 0.5 * share
            gain, most = 0.0, 0.0
            for k in range(m):
                gain += weights[k * n + i] * weights[k * n + f]
                most += max(abs(low[k * n + i]), abs(high[k * n + i])) * max(
                    abs(low[k * n + f]), abs(high[k * n + f])
                )
            total += share * (gain - pivot[i, j])
            size += abs(share) * (most + abs(pivot[i, j]))
    for k in range(m):
        for i in range(n):
            at = weights[k * n + i]
            a, b = low[k * n + i] - at, high[k * n + i] - at
            if b <= a:
                continue
            linear = 0.0
            for f in range(n):
                linear += 2.0 * form[i, f] * weights[k * n + f]
            square = form[i, i]
            least = min(a * (linear + square * a), b * (linear + square * b))
            if square > 0.0 and a < -0.5 * linear / square < b:
                least = -0.25 * linear * linear / square
            total += least
            for f in range(i):
                c, d = low[k * n + f] - weights[k * n + f], high[k * n + f] - weights[k * n + f]
                cross = 2.0 * form[i, f]
                total += min(min(cross * a * c, cross * a * d), min(cross * b * c, cross * b * d))
    return total - 4.0 * ROUNDING * size


@compiled(Nothing(Integer, Integer, Vector, Vector, Vector, Vector, Vector, Vector, Vector))
def rounded(
    m: int,
    n: int,
    low: Array,
    high: Array,
    half: Array,
    bias_low: Array,
    bias_high: Array,
    weights: Array,
    biases: Array,
) -> None:
    """Round weights to 64ths of the box, biases to about a 16th of the first interval.

    So a certificate can say in few digits where the tangent planes touch.
    """
    for c in range(m * n):
        width = high[c] - low[c]
        if width > 0.0:
            part = math.floor(64.0 * (weights[c] - low[c]) / width + 0.5)
            weights[c] = low[c] + width * (min(max(part, 0.0), 64.0) / 64.0)
    for i in range(n):
        if half[i] > 0.0:
            unit = 2.0 ** math.floor(math.log2(half[i]) - 3.0)
            biases[i] = math.floor(biases[i] / unit + 0.5) * unit
            biases[i] = min(max(biases[i], bias_low[i]), bias_high[i])
