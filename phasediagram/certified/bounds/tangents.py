"""Where tangent planes had best touch, compiled: nothing here has to be right, only good.

Every bound of `phasediagram.certified.bounds.outputs` and `.box` holds wherever its tangent planes
touch and whatever its tilts are; what is found here makes it sharp.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.certified.bounds.outputs import moments, own_first
from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.signatures import Cube, Integer, Matrix, Nothing, Real, Vector

Array = NDArray[np.float64]

_SCANNED = 15  # intervals between the biases at which the search for the best one starts
_ZOOMED = 7  # and those of each closer look: with both ends they fill whole vectors


@compiled(Real(Integer, Vector, Real, Real, Real, Vector, Matrix, Matrix))
def best_bias(
    n: int,
    gains: Array,
    low: float,
    high: float,
    scale: float,
    table: Array,
    points: Array,
    out: Array,
) -> float:
    """Return about the best bias for these gains in an interval, to a fraction of `scale`."""
    for k in range(n):
        for v in range(_SCANNED + 1):
            points[k, v] = gains[k]
    count, start, spacing = _SCANNED, low, (high - low) / _SCANNED
    while True:
        for v in range(count + 1):
            points[n, v] = start + spacing * v
        moments(n, points, count + 1, table, out)
        best = 0
        for v in range(1, count + 1):
            if out[n + 1, v] - 2.0 * out[0, v] < out[n + 1, best] - 2.0 * out[0, best]:
                best = v
        bias = start + spacing * best
        if spacing <= scale:
            break
        begin, end = max(bias - spacing, low), min(bias + spacing, high)
        count = _ZOOMED
        start, spacing = begin, (end - begin) / count
    return bias


@compiled(Nothing(Integer, Matrix, Vector, Vector, Vector, Vector))
def descend(
    size: int, hessian: Array, gradient: Array, low: Array, high: Array, step: Array
) -> None:
    """Lower gradient.x + x.hessian.x/2 over a box by moving one coordinate at a time.

    `step` holds where to begin and where it ended; `gradient` is that at 0.
    """
    for _ in range(12):
        moved = 0.0
        for k in range(size):
            if high[k] <= low[k]:
                step[k] = low[k]
                continue
            slope = gradient[k]
            for j in range(size):
                slope += hessian[k, j] * step[j]
            slope -= hessian[k, k] * step[k]  # at step[k] = 0
            curvature = hessian[k, k]
            if curvature > 0.0:
                best = min(max(-slope / curvature, low[k]), high[k])
            else:
                at_low = low[k] * (slope + 0.5 * curvature * low[k])
                at_high = high[k] * (slope + 0.5 * curvature * high[k])
                best = low[k] if at_low < at_high else high[k]
            moved = max(moved, abs(best - step[k]) / (high[k] - low[k]))
            step[k] = best
        if moved < 0.02:
            break


@compiled(
    Nothing(
        Integer, Vector, Vector, Vector, Vector, Vector, Real, Vector, Matrix, Matrix, Matrix
    )
)  # fmt: skip
def secant_hessian(
    n: int,
    low: Array,
    high: Array,
    at: Array,
    table: Array,
    slope: Array,
    penalty: float,
    gradient: Array,
    hessian: Array,
    points: Array,
    out: Array,
) -> None:
    """Write the gradient of ``H - 2 slope.y`` plus penalty at a point, and how it changes.

    Its derivatives are differences over half a width of the box.
    """
    reach = np.empty(n + 1)
    for k in range(n + 1):
        reach[k] = 0.5 * (high[k] - low[k])
        if at[k] > 0.5 * (low[k] + high[k]):
            reach[k] = -reach[k]
        for v in range(n + 2):
            points[k, v] = at[k] + (reach[k] if v == k + 1 else 0.0)
    moments(n, points, n + 2, table, out)
    for k in range(n + 1):
        gradient[k] = 2.0 * out[k, 0] - 2.0 * slope[k]
        for j in range(n + 1):
            change = 2.0 * (out[k, j + 1] - out[k, 0])
            hessian[k, j] = change / reach[j] if reach[j] != 0.0 else 0.0
        if 0 < k < n:
            gradient[k] += 2.0 * penalty * at[k]
            hessian[k, k] += 2.0 * penalty
    for k in range(n + 1):
        for j in range(k):
            mean = 0.5 * (hessian[k, j] + hessian[j, k])
            hessian[k, j] = hessian[j, k] = mean


@compiled(
    Nothing(
        Integer, Integer, Vector, Vector, Matrix, Cube, Matrix, Vector, Vector, Vector, Vector,
        Vector, Vector,
    )
)  # fmt: skip
def move(
    m: int,
    n: int,
    low: Array,
    high: Array,
    gradients: Array,
    hessians: Array,
    form: Array,
    importance: Array,
    half: Array,
    bias_low: Array,
    bias_high: Array,
    weights: Array,
    biases: Array,
) -> None:
    """Move weights and biases by a step of Newton's method towards lower convex bounds.

    Parameters
    ----------
    gradients, hessians : ndarray, shapes (n, n + 1) and (n, n + 1, n + 1)
        Of each output's bound, by its gains and bias.
    form : ndarray, shape (n, n)
        N of `phasediagram.certified.bounds.box.shared_part`.
    half : ndarray, shape (n,)
        A bias moves by no more than eight times this.
    weights, biases : ndarray
        Where it starts; changed.
    """
    size = m * n + n
    jacobian = np.empty((n + 1, size))
    hessian, push = np.zeros((size, size)), np.zeros(size)
    step, step_low, step_high = np.zeros(size), np.zeros(size), np.zeros(size)
    for i in range(n):
        jacobian[:] = 0.0
        for j in range(n):
            f = own_first(i, j)
            for k in range(m):
                jacobian[j, k * n + i] += weights[k * n + f]
                jacobian[j, k * n + f] += weights[k * n + i]
        jacobian[n, m * n + i] = 1.0
        for a in range(size):
            for k in range(n + 1):
                if jacobian[k, a] == 0.0:
                    continue
                push[a] += importance[i] * jacobian[k, a] * gradients[i, k]
                for j in range(n + 1):
                    factor = importance[i] * jacobian[k, a] * hessians[i, k, j]
                    for b in range(size):
                        hessian[a, b] += factor * jacobian[j, b]
    for k in range(m):
        for i in range(n):
            c = k * n + i
            step_low[c], step_high[c] = low[c] - weights[c], high[c] - weights[c]
            for f in range(n):
                hessian[c, k * n + f] += 2.0 * form[i, f]
    for i in range(n):
        c = m * n + i
        step_low[c] = max(bias_low[i] - biases[i], -8.0 * half[i])
        step_high[c] = min(bias_high[i] - biases[i], 8.0 * half[i])
    descend(size, hessian, push, step_low, step_high, step)
    for c in range(m * n):
        weights[c] += step[c]
    for i in range(n):
        biases[i] += step[m * n + i]
