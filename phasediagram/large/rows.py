"""The expected squared error of one output, its derivatives, and bounds of their errors; compiled.

An output that is never or always on has a closed form.  Else sets of at most two other active
features are integrated exactly, the rest by a sum of as many terms as the tolerance needs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.signatures import Integer, Matrix, Nothing, Real, Vector
from phasediagram.large.bounds import (
    DECAY,
    copies,
    log_moment,
    moment_of_three,
    period,
    rounding,
    terms_needed,
)
from phasediagram.large.contour import contour_sum
from phasediagram.large.few import few_active

Array = NDArray[np.float64]

_NEGLIGIBLE = 1e-12  # of the largest gain of a row: of such features only the mean counts
_UNIT = 2.0**-53
_PRECISE = 64.0 * _UNIT  # for each feature: of what the exact recursion gives, and of its sums


@compiled(Nothing(Integer, Vector, Real, Vector, Vector))
def _linear(own: int, gains: Array, bias: float, density: Array, out: Array) -> None:
    """Write the error and derivatives of an output that is always on."""
    mean = 0.5 * density[own] - bias
    for j in range(gains.size):
        mean -= 0.5 * gains[j] * density[j]
    total = mean * mean
    for j in range(gains.size):
        variance = density[j] * (1.0 / 3.0 - 0.25 * density[j])
        rest = gains[j] - (1.0 if j == own else 0.0)
        total += rest * rest * variance
        out[1 + j] = 2.0 * rest * variance - mean * density[j]
    out[0], out[1 + gains.size] = total, -2.0 * mean


@compiled(Nothing(Integer, Vector, Vector, Real, Vector, Real, Integer, Vector, Vector))
def _mixed(
    own: int,
    gains: Array,
    tails: Array,
    bias: float,
    density: Array,
    tolerance: float,
    most: int,
    out: Array,
    errors: Array,
) -> None:
    """Write the error and derivatives of an output that is on and off, all gains not 0."""
    n = gains.size
    few_active(own, gains, tails, bias, density, out)
    others, densities = np.empty(n - 1), np.empty(n - 1)
    highest = bias
    for j in range(n):
        highest += max(gains[j], 0.0)
        if j != own:
            others[j - int(j > own)], densities[j - int(j > own)] = gains[j], density[j]
    errors[0] = _PRECISE * n * out[0]
    errors[1] = _PRECISE * n * (1.0 + highest)
    if n < 4:
        return
    decay, added, cut, rounded = np.empty(1), np.empty(3), np.empty(2), np.empty(2)
    length = period(gains, density, bias, highest, decay)
    h, c = 2.0 * math.pi / length, DECAY / length
    scale = tolerance * density[own] / 3.0
    a, p = gains[own], density[own]
    count = terms_needed(others, densities, a, p, bias, c, h, scale, 10.0 * scale, most, cut)
    sums = np.zeros(n + 2)
    three = contour_sum(others, densities, a, p, bias, c, h, count, sums)
    largest = 0.0
    for j in range(n):
        largest = max(largest, abs(gains[j]))
    log_below = log_moment(decay[0], gains, density, bias)
    below = moment_of_three(decay[0], gains, density, own, bias)
    if 0.0 < below < math.inf:
        log_below = min(log_below, math.log(below))
    copies(length, highest, three, decay[0], log_below, added)
    moment = moment_of_three(c, gains, density, own, bias)
    rounding(n, largest, moment, c, h, rounded)
    out[0] += sums[0]
    for j in range(n - 1):
        out[1 + j + int(j >= own)] += sums[1 + j]
    out[1 + own] += sums[n]
    out[1 + n] += sums[n + 1]
    errors[0] += added[0] + 2.0 * added[1] + cut[0] + rounded[0]
    errors[1] += 2.0 * added[1] + 2.0 * added[2] + cut[1] + rounded[1]


@compiled(Nothing(Integer, Vector, Vector, Real, Vector, Real, Integer, Vector, Vector))
def output_error(
    own: int,
    gains: Array,
    tails: Array,
    bias: float,
    density: Array,
    tolerance: float,
    most: int,
    out: Array,
    errors: Array,
) -> None:
    """Write an output's expected squared error and its derivatives by its row and its bias.

    Parameters
    ----------
    own : int
        The output's feature.
    gains, tails : ndarray, shape (n,)
        Its row of the Gram matrix in doubled precision; ``gains[own]`` is positive unless all
        gains are 0.
    bias : float
    density : ndarray, shape (n,)
    tolerance : float
        What truncation may add, relative to E[x_i^2].
    most : int
        The largest number of terms.
    out : ndarray, shape (n + 2,)
        The value, the derivatives by the gains and the bias.
    errors : ndarray, shape (2,)
        Bounds of the error of the value, and of each derivative.
    """
    n = gains.size
    largest, low, high = 0.0, bias, bias
    for j in range(n):
        largest = max(largest, abs(gains[j]))
        low += min(gains[j], 0.0)
        high += max(gains[j], 0.0)
    out[:] = 0.0
    errors[:] = 0.0
    if high <= 0.0:
        out[0] = density[own] / 3.0
        errors[0] = _PRECISE * out[0]
        return
    if low >= 0.0:
        _linear(own, gains, bias, density, out)
        errors[0], errors[1] = _PRECISE * n * out[0], _PRECISE * n * (1.0 + high)
        return
    place, count, at = np.empty(n, dtype=np.int64), 0, 0
    spread, variance = 0.0, 0.0  # of what features without a gain to speak of add to Z
    for j in range(n):
        place[j] = -1
        if abs(gains[j]) > _NEGLIGIBLE * largest or j == own:
            place[j] = count
            at = count if j == own else at
            count += 1
        else:
            bias += 0.5 * gains[j] * density[j]
            spread += abs(gains[j])
            variance += gains[j] * gains[j] * density[j]
    kept, kept_tails, active = np.empty(count), np.empty(count), np.empty(count)
    for j in range(n):
        if place[j] >= 0:
            kept[place[j]], kept_tails[place[j]] = gains[j], tails[j]
            active[place[j]] = density[j]
    row = np.zeros(count + 2)
    _mixed(at, kept, kept_tails, bias, active, tolerance, most, row, errors)
    out[0], out[1 + n] = row[0], row[1 + count]
    for j in range(n):
        # a feature without a gain is independent of the output
        out[1 + j] = row[1 + place[j]] if place[j] >= 0 else 0.5 * density[j] * row[1 + count]
    if spread > 0.0:
        steep = min(1.0, 2.0 * spread / gains[own])
        errors[0] += variance * max(1.0, density[own] / gains[own])
        errors[1] += 2.0 * spread + 2.0 * density[own] * steep


@compiled(Nothing(Integer, Integer, Matrix, Matrix, Vector, Vector, Real, Integer, Matrix, Matrix))
def output_errors(
    start: int,
    stop: int,
    gram: Array,
    gram_tail: Array,
    bias: Array,
    density: Array,
    tolerance: float,
    most: int,
    out: Array,
    errors: Array,
) -> None:
    """Write the rows of `out` and of `errors` from one output to another; see `output_error`."""
    for i in range(start, stop):
        output_error(i, gram[i], gram_tail[i], bias[i], density, tolerance, most, out[i], errors[i])
