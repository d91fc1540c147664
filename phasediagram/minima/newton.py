"""Newton's method from many starts, compiled (internal).

Trust-region steps on the exact Hessian with its eigenvalues made positive, so that every
accepted step descends and saddles repel; near a minimum they become plain Newton steps.  The
loss is once, not twice, continuously differentiable, so the radius shrinks where the quadratic
model fails.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled, inlined
from phasediagram.kernel.packing import ROWS, evaluate, work_size
from phasediagram.kernel.pointers import rows_at
from phasediagram.kernel.signatures import Boolean, Integer, Matrix, Nothing, Real, Vector
from phasediagram.minima.linear import eigen, solve_positive

Array = NDArray[np.float64]

_ROUNDING = 64 * 2.0**-52
_FIRST_RADIUS = 0.25
_SMALLEST_RADIUS = 1e-15
_SINGULAR = 1e-9  # curvature relative to the largest
_FAR = 20.0  # weights beyond it cost far more than ignoring every feature


@compiled(Nothing(Integer, Integer, Vector, Matrix, Real))
def stiffen_rotations(m: int, n: int, x: Array, hessian: Array, stiffness: float) -> None:
    """Add `stiffness` to the curvature along rotations of the hidden space, which is 0."""
    for i in range(m):
        for j in range(i):
            square = 0.0
            for k in range(n):
                square += x[i * n + k] ** 2 + x[j * n + k] ** 2
            if square == 0.0:
                continue
            scale = stiffness / square
            for k in range(n):
                for q in range(n):
                    ik, iq, jk, jq = x[i * n + k], x[i * n + q], x[j * n + k], x[j * n + q]
                    hessian[i * n + k, i * n + q] += scale * jk * jq
                    hessian[j * n + k, j * n + q] += scale * ik * iq
                    hessian[i * n + k, j * n + q] -= scale * jk * iq
                    hessian[j * n + k, i * n + q] -= scale * ik * jq


@compiled(Real(Vector))
def norm(values: Array) -> float:
    """Return the Euclidean norm."""
    total = 0.0
    for i in range(values.size):
        total += values[i] * values[i]
    return float(np.sqrt(total))


@inlined
def trusted_step(
    m: int,
    n: int,
    x: Array,
    gradient: Array,
    hessian: Array,
    radius: float,
    step: Array,
    stiff: Array,
    factor: Array,
    values: Array,
    vectors: Array,
) -> None:
    """Write the modified Newton step, cut to the trust radius, into `step`."""
    size = x.size
    for i in range(size):
        for j in range(size):
            stiff[i, j] = hessian[i, j]
        step[i] = 0.0
    stiffen_rotations(m, n, x, stiff, 1.0)
    if solve_positive(stiff, gradient, factor, step):
        for i in range(size):
            step[i] = -step[i]
    else:
        eigen(stiff, values, vectors)
        scale = max(abs(values[0]), abs(values[size - 1]))
        for i in range(size):
            step[i] = 0.0
        for k in range(size):
            along = 0.0
            for i in range(size):
                along += vectors[k, i] * gradient[i]
            along /= max(abs(values[k]), 1e-12 * scale + 1e-300)
            for i in range(size):
                step[i] -= along * vectors[k, i]
    length = norm(step)
    if length > radius:
        for i in range(size):
            step[i] *= radius / length


@compiled(Real(ROWS, Integer, Integer, Vector, Vector, Vector, Real, Integer, Real, Vector, Vector))
def minimize(
    rows: Any,
    m: int,
    n: int,
    x: Array,
    table: Array,
    importance: Array,
    tolerance: float,
    iterations: int,
    radius: float,
    info: Array,
    work: Array,
) -> float:
    """Descend from x, in place, until the gradient's norm is below a tolerance.

    Parameters
    ----------
    radius : float
        The first trust radius.
    info : ndarray, shape (2,)
        Receives the gradient's norm and the number of iterations.

    Returns
    -------
    float
        The loss.
    """
    size = x.size
    gradient, trial_gradient = np.empty(size), np.empty(size)
    hessian, trial_hessian = np.empty((size, size)), np.empty((size, size))
    step, trial = np.empty(size), np.empty(size)
    stiff, factor = np.empty((size, size)), np.empty((size, size))
    values, vectors = np.empty(size), np.empty((size, size))
    value = evaluate(rows, m, n, x, table, importance, gradient, hessian, work, 2)
    slope = norm(gradient)
    count = 0
    while slope > tolerance and count < iterations and radius > _SMALLEST_RADIUS:
        count += 1
        trusted_step(m, n, x, gradient, hessian, radius, step, stiff, factor, values, vectors)
        predicted, far = 0.0, 0.0
        for i in range(size):
            predicted -= gradient[i] * step[i]
            for j in range(size):
                predicted -= 0.5 * step[i] * hessian[i, j] * step[j]
            trial[i] = x[i] + step[i]
            far = max(far, abs(trial[i]))
        length = norm(step)
        if far > _FAR:
            radius = 0.25 * length
            continue
        trial_value = evaluate(
            rows, m, n, trial, table, importance, trial_gradient, trial_hessian, work, 2
        )
        trial_slope = norm(trial_gradient)
        gain, noise = value - trial_value, _ROUNDING * abs(value)
        # where the loss has no digits left to compare, the gradient decides
        accept = gain > noise or (gain >= -noise and trial_slope < slope)
        poor = (not accept) or (gain < 0.25 * predicted and gain > noise)
        radius = 0.25 * length if poor else max(radius, 2.0 * length)
        if accept:
            value, slope = trial_value, trial_slope
            for i in range(size):
                x[i], gradient[i] = trial[i], trial_gradient[i]
                for j in range(size):
                    hessian[i, j] = trial_hessian[i, j]
    info[0], info[1] = slope, count
    return float(value)


@compiled(
    Nothing(
        Integer, Integer, Integer, Matrix, Matrix, Matrix, Vector, Integer, Real, Vector, Vector
    )
)
def minimize_rows(
    address: int,
    m: int,
    n: int,
    x: Array,
    tables: Array,
    importances: Array,
    tolerances: Array,
    iterations: int,
    radius: float,
    losses: Array,
    slopes: Array,
) -> None:
    """Descend from each row of x in place; tables, ... of one row hold for all."""
    rows = rows_at(address)
    work = np.empty(work_size(n, m))
    info = np.empty(2)
    for k in range(x.shape[0]):
        losses[k] = minimize(
            rows,
            m,
            n,
            x[k],
            tables[min(k, tables.shape[0] - 1)],
            importances[min(k, importances.shape[0] - 1)],
            tolerances[min(k, tolerances.size - 1)],
            iterations,
            radius,
            info,
            work,
        )
        slopes[k] = info[0]


@compiled(Boolean(Integer, Integer, Integer, Vector, Vector, Vector, Real, Integer, Vector))
def settle(
    address: int,
    m: int,
    n: int,
    x: Array,
    table: Array,
    importance: Array,
    tolerance: float,
    iterations: int,
    work: Array,
) -> bool:
    """Move x in place to the stationary state nearest by plain Newton steps, minimum or not.

    Directions in which the Hessian vanishes stay as they are.  False if x is not stationary then.
    """
    rows = rows_at(address)
    size = x.size
    gradient, hessian = np.empty(size), np.empty((size, size))
    values, vectors = np.empty(size), np.empty((size, size))
    factor, step = np.empty((size, size)), np.empty(size)
    for _ in range(iterations):
        evaluate(rows, m, n, x, table, importance, gradient, hessian, work, 2)
        if norm(gradient) < tolerance:
            return True
        stiffen_rotations(m, n, x, hessian, 1.0)
        if not solve_positive(hessian, gradient, factor, step):
            eigen(hessian, values, vectors)
            scale = max(abs(values[0]), abs(values[size - 1]))
            step[:] = 0.0
            for k in range(size):
                if abs(values[k]) > _SINGULAR * scale:
                    along = 0.0
                    for i in range(size):
                        along += vectors[k, i] * gradient[i]
                    for i in range(size):
                        step[i] += along / values[k] * vectors[k, i]
        for i in range(size):
            x[i] -= step[i]
        far = 0.0
        for i in range(size):
            far = max(far, abs(x[i]))
        if not far < _FAR:
            return False
    evaluate(rows, m, n, x, table, importance, gradient, hessian, work, 1)
    return bool(norm(gradient) < tolerance)
