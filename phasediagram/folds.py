"""Where a minimum meets a saddle (a fold, the smooth kind of spinodal), and critical points.

On a fold the smallest eigenvalue of the Hessian, of eigenvector phi, vanishes; at a critical
point the third derivative along phi vanishes too, and two minima become one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.branches import Model
from phasediagram.equilibrium import Domain
from phasediagram.free_minimization import FreeLoss

Array = NDArray[np.float64]

_ITERATIONS = 40
_STEP = 2e-4  # of central differences of the exact Hessian
_TOLERANCE = 1e-12
_LARGEST_CHANGE = 0.3
_MOST_POINTS = 1000
_FIRST_LENGTH, _SMALLEST_LENGTH, _LARGEST_LENGTH = 0.01, 1e-4, 0.05


@dataclass(frozen=True)
class Fold:
    """A state x (d,) at (u, v) whose Hessian has a null vector phi (d,)."""

    u: float
    v: float
    x: Array
    null_vector: Array
    other_eigenvalue: float

    @property
    def point(self) -> Array:
        """(x, u, v) in one vector."""
        return np.concatenate([self.x, [self.u, self.v]])


def null_direction(model: Model, x: Array, u: float, v: float) -> tuple[float, Array, float]:
    """Return the eigenvalue of least magnitude, its eigenvector and the lowest of the others."""
    hessian = model.derivatives(x[None], u, v).hessian[0]
    values, vectors = np.linalg.eigh(hessian)
    k = int(np.abs(values).argmin())
    return float(values[k]), vectors[:, k], float(np.delete(values, k).min())


def _equations(model: Model, y: Array, phi: Array) -> tuple[Array, Array, Array]:
    """Return gradient and eigenvalue (d + 1,), their Jacobian (d + 1, d + 2) and phi."""
    x, u, v = y[:-2], y[-2], y[-1]
    here = model.derivatives(x[None], u, v)
    values, vectors = np.linalg.eigh(here.hessian[0])
    k = int(np.abs(vectors.T @ phi).argmax())
    phi = vectors[:, k] * np.sign(vectors[:, k] @ phi)
    moved = np.stack([x + _STEP * phi, x - _STEP * phi, x, x, x, x])
    h = _STEP
    us = np.array([u, u, u - h, u - 2 * h, u, u])
    vs = np.array([v, v, v, v, v + h, v - h])
    objective = FreeLoss(model.n, model.m, np.minimum(np.exp(us), 1.0), np.exp(vs))
    _, _, hessians = objective(moved, np.arange(6))
    third = (hessians[0] - hessians[1]) @ phi / (2 * h)
    turned = model.rotations(x[None])[0]
    base = here.hessian[0] - turned.T @ turned
    by_u = phi @ (3 * base - 4 * hessians[2] + hessians[3]) @ phi / (2 * h)
    by_v = phi @ (hessians[4] - hessians[5]) @ phi / (2 * h)
    jacobian = np.zeros((len(x) + 1, len(y)))
    jacobian[:-1, :-2] = here.hessian[0]
    jacobian[:-1, -2], jacobian[:-1, -1] = here.gradient_by_u[0], here.gradient_by_v[0]
    jacobian[-1, :-2], jacobian[-1, -2], jacobian[-1, -1] = third, by_u, by_v
    return np.append(here.gradient[0], values[k]), jacobian, phi


def third_derivative(model: Model, x: Array, u: float, v: float, phi: Array) -> float:
    """Return the third derivative of the loss along phi, by two steps extrapolated."""
    steps = np.array([2.0, -2.0, 1.0, -1.0]) * 10 * _STEP
    objective = FreeLoss(model.n, model.m, np.full(4, min(np.exp(u), 1.0)), np.full(4, np.exp(v)))
    _, _, hessians = objective(x + steps[:, None] * phi, np.arange(4))
    second = np.einsum("kij,i,j->k", hessians, phi, phi)
    wide, narrow = (
        (second[0] - second[1]) / (2 * steps[0]),
        (second[2] - second[3]) / (2 * steps[2]),
    )
    return float((4 * narrow - wide) / 3)


def correct_fold(model: Model, guess: Fold, tangent: Array) -> tuple[Fold, Array, int] | None:
    """Solve for a fold in the plane through the guess perpendicular to `tangent` (d + 2,)."""
    y, phi = guess.point, guess.null_vector
    for iteration in range(_ITERATIONS):
        value, jacobian, phi = _equations(model, y, phi)
        system = np.vstack([jacobian, tangent])
        right = -np.append(value, tangent @ (y - guess.point))
        step = np.linalg.lstsq(system, right, rcond=1e-12)[0]
        if not np.abs(step).max() < _LARGEST_CHANGE:
            return None
        y = y + step
        if np.abs(step[-2:]).max() < _TOLERANCE and np.abs(value).max() < _TOLERANCE:
            _, phi, other = null_direction(model, y[:-2], y[-2], y[-1])
            return Fold(y[-2], y[-1], y[:-2], phi, other), tangent_of(jacobian), iteration + 1
    return None


def fold_near(model: Model, x: Array, position: Array, tangent: Array) -> Fold | None:
    """Solve for the fold near a state that is about to end.

    The position may move along `tangent` (2,) only.
    """
    u, v = float(position[0]), float(position[1])
    across = np.zeros(len(x) + 2)
    across[-2:] = -tangent[1], tangent[0]
    solved = correct_fold(model, Fold(u, v, x, null_direction(model, x, u, v)[1], 0.0), across)
    return solved[0] if solved else None


def tangent_of(jacobian: Array) -> Array:
    """Return the unit direction (d + 2,) along which the equations stay solved.

    On a line of broken symmetry the null vector phi solves them too, to first order; the
    direction that moves the position most is then the line's.
    """
    _, singular, rows = np.linalg.svd(jacobian)
    null = rows[(np.append(singular, 0.0) < 1e-7 * singular[0])]
    along = np.linalg.svd(null[:, -2:])[0][:, 0] @ null
    return np.asarray(along / np.linalg.norm(along))


def critical_point(model: Model, guess: Fold) -> Fold | None:
    """Solve for the point near a fold at which two minima become one."""

    def residual(y: Array, phi: Array) -> Array:
        value, _, phi = _equations(model, y, phi)
        cubic = third_derivative(model, y[:-2], y[-2], y[-1], phi)
        return np.append(value, cubic)

    y, phi = guess.point, guess.null_vector
    for _ in range(_ITERATIONS):
        value, jacobian, phi = _equations(model, y, phi)
        cubic = third_derivative(model, y[:-2], y[-2], y[-1], phi)
        h = 1e-5
        row = np.array(
            [
                (residual(y + h * e, phi)[-1] - residual(y - h * e, phi)[-1]) / (2 * h)
                for e in np.eye(len(y))
            ]
        )
        system = np.vstack([jacobian, row])
        step = np.linalg.lstsq(system, -np.append(value, cubic), rcond=None)[0]
        if not np.abs(step).max() < _LARGEST_CHANGE:
            return None
        y = y + step
        if np.abs(step[-2:]).max() < _TOLERANCE:
            _, phi, other = null_direction(model, y[:-2], y[-2], y[-1])
            return Fold(y[-2], y[-1], y[:-2], phi, other)
    return None


def trace_fold(model: Model, start: Fold, sign: int, domain: Domain) -> list[Fold]:
    """Follow a fold in one direction while the state stays a minimum in all other directions."""
    _, jacobian, _ = _equations(model, start.point, start.null_vector)
    tangent = sign * tangent_of(jacobian)
    folds = [start]
    length = _FIRST_LENGTH
    while length > _SMALLEST_LENGTH and len(folds) < _MOST_POINTS:
        last = folds[-1]
        guess = last.point + length * tangent
        solved = correct_fold(
            model, Fold(guess[-2], guess[-1], guess[:-2], last.null_vector, 0.0), tangent
        )
        if solved is None or not _continues(last, solved[0], tangent, solved[1]):
            length /= 2
            continue
        fold, along, iterations = solved
        if fold.other_eigenvalue < 0:
            break
        if not domain.contains(np.array([fold.u, fold.v])):
            landed = _land(model, last, fold, domain)
            return folds if landed is None else [*folds, landed]
        folds.append(fold)
        tangent = along if along @ tangent > 0 else -along
        length = min(_LARGEST_LENGTH, length * (1.5 if iterations <= 5 else 1.0))
    return folds


def _land(model: Model, last: Fold, beyond: Fold, domain: Domain) -> Fold | None:
    """Return where a fold leaves the domain."""
    axis, value = domain.crossed(np.array([beyond.u, beyond.v]))
    start, end = last.point, beyond.point
    index = len(start) - 2 + axis
    guess = start + (value - start[index]) / (end[index] - start[index]) * (end - start)
    guess[index] = value
    solved = correct_fold(
        model,
        Fold(guess[-2], guess[-1], guess[:-2], last.null_vector, 0.0),
        np.eye(len(start))[index],
    )
    return solved[0] if solved else None


def _continues(last: Fold, fold: Fold, tangent: Array, along: Array) -> bool:
    straight = abs(along @ tangent) > 0.9
    return bool(straight and abs(fold.null_vector @ last.null_vector) > 0.8)
