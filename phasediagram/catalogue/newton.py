"""Newton's method on many small minimisation problems at once (internal).

Trust-region steps on the exact Hessian with its eigenvalues made positive, so that
every accepted step descends and saddles repel; near a minimum they become plain
Newton steps.  The loss is once, not twice, continuously differentiable, so the
radius shrinks where the quadratic model fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Objective = Callable[[Array, NDArray[np.intp]], tuple[Array, Array, Array]]

GRADIENT_TOLERANCE = 1e-13  # norm of the gradient at which a minimum is reached

_ROUNDING = 64 * np.finfo(np.float64).eps
_FEW_VARIABLES = 6  # elimination is faster than eigenvalues up to here
_SMALLEST_PIVOT = 1e-9  # relative; below it eigenvalues decide


@dataclass(frozen=True)
class NewtonResult:
    """Where each problem ended.

    Attributes
    ----------
    x : ndarray, shape (problems, variables)
    value : ndarray, shape (problems,)
    gradient_norm : ndarray, shape (problems,)
        Euclidean norm of the gradient, without the components that a bound holds back.
    converged : ndarray of bool, shape (problems,)
    """

    x: Array
    value: Array
    gradient_norm: Array
    converged: NDArray[np.bool_]


def minimize_batch(
    objective: Objective,
    start: Array,
    lower: Array,
    upper: Array,
    *,
    gradient_tolerance: Array | float = GRADIENT_TOLERANCE,
    max_iterations: int = 200,
) -> NewtonResult:
    """Minimise each problem from its own start, within bounds.

    Parameters
    ----------
    objective : callable
        ``objective(x, index)`` returns value (k,), gradient (k, d) and Hessian (k, d, d)
        of the problems listed in `index` (k,) at `x` (k, d).
    start : ndarray, shape (problems, d)
    lower, upper : ndarray, shape (d,)
    gradient_tolerance : float or ndarray, shape (problems,)
        A problem has converged when its gradient norm is below this.
    max_iterations : int

    Returns
    -------
    NewtonResult
    """
    x = np.clip(start, lower, upper)
    everything = np.arange(len(x))
    value, gradient, hessian = objective(x, everything)
    radius = np.full(len(x), 0.25)
    norm = _free_gradient_norm(x, gradient, lower, upper)
    tolerance = np.broadcast_to(gradient_tolerance, norm.shape)
    running = norm > tolerance
    for _ in range(max_iterations):
        index = np.flatnonzero(running)
        if not index.size:
            break
        step = _step(x[index], gradient[index], hessian[index], radius[index], lower, upper)
        proposal = np.clip(x[index] + step, lower, upper)
        step = proposal - x[index]
        new_value, new_gradient, new_hessian = objective(proposal, index)
        new_norm = _free_gradient_norm(proposal, new_gradient, lower, upper)
        predicted = -np.einsum("ki,ki->k", gradient[index], step) - 0.5 * np.einsum(
            "ki,kij,kj->k", step, hessian[index], step
        )
        gain = value[index] - new_value
        level = gain >= -_ROUNDING * np.abs(value[index])
        # where the loss has no digits left to compare, the gradient decides
        accept = level & ((gain > _ROUNDING * np.abs(value[index])) | (new_norm < norm[index]))
        length = np.linalg.norm(step, axis=1)
        poor = ~accept | (gain < 0.25 * predicted) & (gain > _ROUNDING * np.abs(value[index]))
        radius[index] = np.where(poor, 0.25 * length, np.maximum(radius[index], 2 * length))
        taken = index[accept]
        x[taken], value[taken] = proposal[accept], new_value[accept]
        gradient[taken], hessian[taken] = new_gradient[accept], new_hessian[accept]
        norm[taken] = new_norm[accept]
        stuck = radius[index] < 1e-15
        running[index] = (norm[index] > tolerance[index]) & ~stuck
    return NewtonResult(x, value, norm, norm <= tolerance)


def density_tolerance(density: Array) -> Array:
    """Return the gradient norm to converge to: smaller below the paper's densities.

    Gradients are proportional to the density, and so is their rounding.
    """
    return np.asarray(GRADIENT_TOLERANCE * np.minimum(1.0, density / 0.01))


def _free_gradient_norm(x: Array, gradient: Array, lower: Array, upper: Array) -> Array:
    held = ((x <= lower) & (gradient > 0)) | ((x >= upper) & (gradient < 0))
    return np.asarray(np.linalg.norm(np.where(held, 0.0, gradient), axis=1))


def _step(
    x: Array, gradient: Array, hessian: Array, radius: Array, lower: Array, upper: Array
) -> Array:
    """Return the modified Newton step, cut to the trust radius."""
    held = ((x <= lower) & (gradient > 0)) | ((x >= upper) & (gradient < 0))
    gradient = np.where(held, 0.0, gradient)
    both = held[:, :, None] | held[:, None, :]
    hessian = np.where(both, np.eye(x.shape[1]), hessian)
    if x.shape[1] > _FEW_VARIABLES:
        step = _repelled_step(hessian, gradient)
    else:
        step, convex = _solve_convex(hessian, gradient)
        bent = np.flatnonzero(~convex)
        step[bent] = _repelled_step(hessian[bent], gradient[bent])
    length = np.linalg.norm(step, axis=1)
    return np.asarray(step * np.minimum(1.0, radius / np.maximum(length, 1e-300))[:, None])


def _solve_convex(hessian: Array, gradient: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return Newton's steps, and which Hessians are positive definite so that they hold.

    Elimination on all problems at once; its pivots are positive for those Hessians only.
    """
    # a copy even of a single problem's Hessian, whose transpose is contiguous as it is
    a, y = hessian.transpose(1, 2, 0).copy(), -gradient.T
    size = len(a)
    floor = _SMALLEST_PIVOT * np.abs(np.einsum("iik->ik", a)).max(axis=0)
    convex = np.ones(len(gradient), dtype=bool)
    with np.errstate(all="ignore"):
        for j in range(size):
            convex &= a[j, j] > floor
            for i in range(j + 1, size):
                factor = a[i, j] / a[j, j]
                a[i, j + 1 :] -= factor * a[j, j + 1 :]
                y[i] -= factor * y[j]
        for j in reversed(range(size)):
            for i in range(j + 1, size):
                y[j] -= a[j, i] * y[i]
            y[j] /= a[j, j]
    return np.ascontiguousarray(y.T), convex


def _repelled_step(hessian: Array, gradient: Array) -> Array:
    """Return steps with negative curvatures made positive."""
    eigenvalues, vectors = np.linalg.eigh(hessian)
    scale = np.abs(eigenvalues).max(axis=1, keepdims=True)
    curvature = np.maximum(np.abs(eigenvalues), 1e-12 * scale + 1e-300)
    along = np.einsum("kij,ki->kj", vectors, gradient)
    return np.asarray(-np.einsum("kij,kj->ki", vectors, along / curvature))
