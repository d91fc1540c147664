"""A lower bound of one output's error over a box of its gains, all biases being free; compiled."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from phasediagram.certified.bounds.box import NARROWEST, WIDE, other_biases
from phasediagram.certified.bounds.outputs import GRID, majorant, snapped, tilted_bound
from phasediagram.certified.bounds.tangents import best_bias, descend, secant_hessian
from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.signatures import Boolean, Integer, Real, Vector

Array = NDArray[np.float64]

_STEPS = 3


@compiled(Boolean(Integer, Vector, Vector, Vector, Vector, Real, Real))
def output_exceeds(
    n: int,
    gain_low: Array,
    gain_high: Array,
    table: Array,
    active: Array,
    penalty: float,
    target: float,
) -> bool:
    """Return whether the error plus penalty times squared gains is proved to exceed `target`.

    Parameters
    ----------
    gain_low, gain_high : ndarray, shape (n,)
        Box of gains on the grid, the output's own feature first.
    table : ndarray, shape (2^n,)
        Probabilities of the sets of active features, in the same order.
    active : ndarray, shape (n,)
        Probability that each feature is active, in the same order.
    penalty : float
        Factor of the squares of the other features' gains.
    target : float
    """
    points, out = np.zeros((n + 1, 32)), np.empty((n + 2, 32))
    low, high, at = np.empty(n + 1), np.empty(n + 1), np.empty(n + 1)
    slope, gradient, hessian = np.empty(n + 1), np.empty(n + 1), np.empty((n + 1, n + 1))
    step, step_low, step_high = np.zeros(n + 1), np.empty(n + 1), np.empty(n + 1)
    tilt = np.zeros(n)
    silent, upper, widths = 0.0, 0.5 * active[0], 0.0
    for k in range(n):
        silent -= max(gain_high[k], 0.0)
        upper -= 0.5 * active[k] * gain_low[k]
        widths += gain_high[k] - gain_low[k]
        low[k], high[k] = gain_low[k], gain_high[k]
        at[k] = snapped(0.5 * (gain_low[k] + gain_high[k]))
    bias_low, bias_high = silent, (math.ceil(upper * GRID) + 1.0) / GRID
    half = snapped(max(0.5 * WIDE * widths, NARROWEST))
    at[n] = snapped(best_bias(n, at, bias_low, bias_high, half, table, points, out))
    bound = -np.inf
    for attempt in range(_STEPS):
        if attempt > 0:
            for k in range(n + 1):
                step[k], step_low[k], step_high[k] = 0.0, low[k] - at[k], high[k] - at[k]
            step_low[n] = max(bias_low - at[n], -8.0 * half)
            step_high[n] = min(bias_high - at[n], 8.0 * half)
            descend(n + 1, hessian, gradient, step_low, step_high, step)
            for k in range(n):
                at[k] = min(max(snapped(at[k] + step[k]), low[k]), high[k])
            at[n] = min(max(snapped(at[n] + step[n]), bias_low), bias_high)
        at[n] = min(max(at[n], bias_low), bias_high)
        low[n], high[n] = max(at[n] - half, bias_low), min(at[n] + half, bias_high)
        alpha = majorant(n, low, high, table, slope, points, out)
        secant_hessian(n, low, high, at, table, slope, penalty, gradient, hessian, points, out)
        bound = tilted_bound(
            n, low, high, table, slope, alpha, at, tilt, at, active[0] / 3.0, penalty, points, out
        )
        if bound >= target:
            break
    if not bound >= target:
        return False
    reached = other_biases(
        n, low, high, bias_low, bias_high, table, at, hessian, slope, tilt, active[0] / 3.0,
        penalty, target, points, out,
    )  # fmt: skip
    return bool(reached >= target)
