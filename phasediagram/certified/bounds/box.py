"""A lower bound of the loss over a box of weights, all biases being free; compiled (internal).

Outputs share gains, so their lower bounds must not simply be added.  Each output i gets a
tilt t_i: its error exceeds ``kappa_i + t_i.(g_i - pivot_i)`` for all gains g_i of the box and
all biases, and the sum of what is linear in the gains is a quadratic form in the weights,
which is bounded over the box directly.  The best tilts are those of the point of the box
where the sum of the outputs' convex bounds is lowest; any are valid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.certified.bounds.gains import (
    bias_ranges,
    gain_box,
    gains_at,
    rounded,
    shared_part,
)
from phasediagram.certified.bounds.outputs import (
    majorant,
    moments,
    snapped,
    tilted_bound,
)
from phasediagram.certified.bounds.tangents import best_bias, descend, move, secant_hessian
from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.signatures import Boolean, Integer, Matrix, Real, Vector

Array = NDArray[np.float64]

_PIECES = 100  # of the range of a bias, before a box is given up
WIDE = 0.125  # half width of the first interval of biases, in sums of half widths of the gains
NARROWEST = 2.0**-34  # of those half widths
_NEAR = 10.0  # gaps above the least known loss, where a box may be kept as a candidate
_STEPS = 3  # at most, of Newton's method for where the tangent planes touch


@compiled(
    Real(
        Integer, Vector, Vector, Real, Real, Vector, Vector, Matrix, Vector, Vector, Real, Real,
        Real, Matrix, Matrix,
    )
)  # fmt: skip
def other_biases(
    n: int,
    box_low: Array,
    box_high: Array,
    bias_low: float,
    bias_high: float,
    table: Array,
    at: Array,
    hessian: Array,
    first_slope: Array,
    tilt: Array,
    third: float,
    penalty: float,
    wanted: float,
    points: Array,
    out: Array,
) -> float:
    """Return a lower bound of the tilted error for biases outside the first interval.

    Intervals are taken from the first one outwards, longer ones as they succeed.  Ends with
    -inf where a short one does not reach `wanted`.
    """
    low, high = box_low.copy(), box_high.copy()
    slope, touch, pull = np.empty(n + 1), np.empty(n + 1), np.empty(n)
    step, step_low, step_high = np.empty(n), np.empty(n), np.empty(n)
    first = box_high[n] - box_low[n]
    lowest = np.inf
    pieces = 0
    for side in range(2):
        length = first
        position, end = (box_high[n], bias_high) if side else (box_low[n], bias_low)
        while position != end:
            pieces += 1
            if pieces > _PIECES or length < 0.25 * first:
                return -np.inf
            if side:
                low[n], high[n] = position, min(snapped(position + length), end)
            else:
                low[n], high[n] = max(snapped(position - length), end), position
            alpha = majorant(n, low, high, table, slope, points, out)
            for k in range(n):
                pull[k] = hessian[k, n] * (position - at[n]) + 2.0 * (first_slope[k] - slope[k])
                step[k], step_low[k], step_high[k] = 0.0, low[k] - at[k], high[k] - at[k]
            descend(n, hessian, pull, step_low, step_high, step)
            for k in range(n):
                touch[k] = min(max(snapped(at[k] + step[k]), low[k]), high[k])
            touch[n] = position
            reached = tilted_bound(
                n, low, high, table, slope, alpha, touch, tilt, at, third, penalty, points, out
            )
            if reached >= wanted:
                lowest = min(lowest, reached)
                position = high[n] if side else low[n]
                length *= 3.0
            else:
                length *= 0.4
    return lowest


@compiled(Boolean(Integer, Matrix, Matrix, Vector, Vector, Real, Real, Real, Matrix, Matrix))
def near_least(
    n: int,
    at: Array,
    tables: Array,
    importance: Array,
    active: Array,
    penalty: float,
    target: float,
    above: float,
    points: Array,
    out: Array,
) -> bool:
    """Return whether the loss where the planes touch is about the least known.

    If not, the box had better be halved than be kept as one that may hold a minimiser.
    """
    loss = 0.0
    for i in range(n):
        for k in range(n + 1):
            points[k, 0] = at[i, k]
        moments(n, points, 1, tables[i], out)
        loss += importance[i] * (active[i] / 3.0 + out[n + 1, 0] - 2.0 * out[0, 0])
        for k in range(1, n):
            loss += penalty * at[i, k] * at[i, k]
    return loss - above <= _NEAR * (above - target)


@compiled(
    Real(
        Integer, Integer, Vector, Vector, Matrix, Vector, Vector, Real, Boolean, Real, Real,
        Vector, Vector,
    )
)  # fmt: skip
def box_bound(
    m: int,
    n: int,
    low: Array,
    high: Array,
    tables: Array,
    importance: Array,
    active: Array,
    penalty: float,
    free_bias: bool,
    target: float,
    above: float,
    weights: Array,
    biases: Array,
) -> float:
    """Return a lower bound of the loss for weights in a box, any biases, if it reaches `target`.

    Else what the first intervals of biases promise, below `target`, or -inf.

    Parameters
    ----------
    low, high : ndarray, shape (m n,)
        The box; entries with low = high are fixed.
    tables : ndarray, shape (n, 2^n)
        Probabilities of the sets of active features, for each output its own feature first.
    importance : ndarray, shape (n,)
    active : ndarray, shape (n,)
        Probability that each feature is active.
    penalty : float
        Factor of sum_{i != j} G_ij^2.
    free_bias : bool
        Else all biases are 0.
    target, above : float
        What is to be proved; `above`, at least `target`, if the first intervals promise it.
    weights, biases : ndarray, shapes (m n,) and (n,)
        Filled with the point of the box at which the tangent planes touch.
    """
    points, out = np.zeros((n + 1, 32)), np.empty((n + 2, 32))
    box_low, box_high = np.empty((n, n + 1)), np.empty((n, n + 1))
    gain_low, gain_high = np.empty((n, n)), np.empty((n, n))
    bias_low, bias_high, half = np.zeros(n), np.zeros(n), np.zeros(n)
    at, slopes, alphas = np.empty((n, n + 1)), np.empty((n, n + 1)), np.empty(n)
    gradients, hessians = np.empty((n, n + 1)), np.empty((n, n + 1, n + 1))
    tilt, kappa, form = np.empty((n, n)), np.empty(n), np.empty((n, n))

    gain_box(m, n, low, high, gain_low, gain_high)
    for c in range(m * n):
        weights[c] = 0.5 * (low[c] + high[c])
    gains_at(m, n, weights, gain_low, gain_high, at)
    biases[:] = 0.0
    for i in range(n):
        box_low[i, :n], box_high[i, :n] = gain_low[i], gain_high[i]
    if free_bias:
        bias_ranges(n, gain_low, gain_high, active, bias_low, bias_high)
        for i in range(n):
            half[i] = WIDE * 0.5 * (gain_high[i] - gain_low[i]).sum()
            biases[i] = best_bias(
                n, at[i], bias_low[i], bias_high[i], half[i], tables[i], points, out
            )
            half[i] = snapped(max(half[i], NARROWEST))

    central = -np.inf
    for step in range(_STEPS):
        if step > 0:
            move(
                m, n, low, high, gradients, hessians, form, importance, half, bias_low, bias_high,
                weights, biases,
            )  # fmt: skip
        rounded(m, n, low, high, half, bias_low, bias_high, weights, biases)
        gains_at(m, n, weights, gain_low, gain_high, at)
        central = 0.0
        for i in range(n):
            at[i, n] = biases[i]
            box_low[i, n] = max(biases[i] - half[i], bias_low[i])
            box_high[i, n] = min(biases[i] + half[i], bias_high[i])
            alphas[i] = majorant(n, box_low[i], box_high[i], tables[i], slopes[i], points, out)
            secant_hessian(
                n, box_low[i], box_high[i], at[i], tables[i], slopes[i], penalty / importance[i],
                gradients[i], hessians[i], points, out,
            )  # fmt: skip
            tilt[i] = gradients[i, :n]
            kappa[i] = tilted_bound(
                n, box_low[i], box_high[i], tables[i], slopes[i], alphas[i], at[i], tilt[i],
                at[i], active[i] / 3.0, penalty / importance[i], points, out,
            )  # fmt: skip
            central += importance[i] * kappa[i]
        central += shared_part(m, n, low, high, weights, tilt, importance, at, form)
        if central >= target:
            break
    if not central >= target:
        return central
    if central < above and not near_least(
        n, at, tables, importance, active, penalty, target, above, points, out
    ):
        return -np.inf
    # The other biases must not do better than the first intervals, less what is to spare.
    spare = (central - (above if central >= above else target)) / n
    lowest = central
    if free_bias:
        for i in range(n):
            wanted = kappa[i] - spare / importance[i]
            reached = other_biases(
                n, box_low[i], box_high[i], bias_low[i], bias_high[i], tables[i], at[i],
                hessians[i], slopes[i], tilt[i], active[i] / 3.0, penalty / importance[i], wanted,
                points, out,
            )  # fmt: skip
            if reached < wanted:
                return -np.inf
            lowest += importance[i] * (min(reached, kappa[i]) - kappa[i])
    return lowest if lowest >= target else -np.inf
