"""Where a minimum meets a saddle (a fold), and critical points.

On a smooth fold the smallest eigenvalue of the Hessian, of eigenvector phi, vanishes; at a critical
point the third derivative along phi vanishes too, and two minima become one.

The Hessian jumps where a corner's pre-activation changes sign: by +2 (1-p)^n in b_i where b_i,
the one of no active feature, becomes positive, and downwards where b_i + |W_i|^2, the one of
feature i alone at 1, does.  A fold can have its minimum on one side of such a *kink* and its saddle
on the other.
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
_STEP = 2e-5  # of central differences of the exact Hessian
_TOLERANCE = 1e-12
_LARGEST_CHANGE = 0.3
_SIDE = 1e-7  # from a kink
_NEAR = 0.02  # of a minimum that is about to end, in position
_NEAR_KINK = 0.02
_MOST_POINTS = 1000
_FIRST_LENGTH, _SMALLEST_LENGTH, _LARGEST_LENGTH = 0.01, 1e-5, 0.05


@dataclass(frozen=True)
class Kink:
    """Where the pre-activation of output `feature` is 0 with that feature alone at 1, or none."""

    feature: int
    own_active: bool

    def value(self, model: Model, x: Array) -> float:
        """Return the pre-activation."""
        own = model.weights(x)[:, self.feature]
        return float(x[self.feature - model.n] + self.own_active * own @ own)

    def slope(self, model: Model, x: Array) -> Array:
        """Return its gradient by x."""
        slope = np.zeros(len(x))
        slope[self.feature - model.n] = 1.0
        if self.own_active:
            model.weights(slope)[:, self.feature] = 2 * model.weights(x)[:, self.feature]
        return slope

    def sides(self, model: Model, x: Array) -> Array:
        """Return states close by on the side of the larger Hessian and on the other, (2, d)."""
        shift = np.zeros(len(x))
        shift[self.feature - model.n] = -_SIDE if self.own_active else _SIDE
        return np.stack([x + shift, x - shift])


@dataclass(frozen=True)
class Fold:
    """A state x (d,) at (u, v) in which a minimum and a saddle meet.

    Attributes
    ----------
    u, v : float
    x : ndarray, shape (d,)
    null_vector : ndarray, shape (d,)
        Of the Hessian; at a kink the gradient of its pre-activation, normalised.
    other_eigenvalue : float
        The lowest of the others, positive for a minimum.  At a kink: the lowest on the
        minimum's side, or minus the lowest on the saddle's if that is less.
    kink : Kink or None
    """

    u: float
    v: float
    x: Array
    null_vector: Array
    other_eigenvalue: float
    kink: Kink | None = None

    def minimum(self, model: Model) -> Array:
        """Return a state (d,) where the Hessian is that of the minimum."""
        return self.x if self.kink is None else self.kink.sides(model, self.x)[0]

    @property
    def point(self) -> Array:
        """(x, u, v) in one vector."""
        return np.concatenate([self.x, [self.u, self.v]])


def _completed(model: Model, y: Array, kink: Kink | None) -> Fold:
    """Return the fold at y = (x, u, v)."""
    x, u, v = y[:-2], float(y[-2]), float(y[-1])
    if kink is None:
        _, phi, other = null_direction(model, x, u, v)
        return Fold(u, v, x, phi, other)
    hessians = model.derivatives(kink.sides(model, x), u, v).hessian
    stable, unstable = np.linalg.eigvalsh(hessians)[:, 0]
    slope = kink.slope(model, x)
    other = float(min(stable, -unstable))
    return Fold(u, v, x, slope / np.linalg.norm(slope), other, kink)


def null_direction(model: Model, x: Array, u: float, v: float) -> tuple[float, Array, float]:
    """Return the eigenvalue of least magnitude, its eigenvector and the lowest of the others."""
    hessian = model.derivatives(x[None], u, v).hessian[0]
    values, vectors = np.linalg.eigh(hessian)
    k = int(np.abs(values).argmin())
    return float(values[k]), vectors[:, k], float(np.delete(values, k).min())


def _equations(model: Model, y: Array, phi: Array, kink: Kink | None) -> tuple[Array, Array, Array]:
    """Return what vanishes on a fold (d + 1,), its Jacobian (d + 1, d + 2) and phi."""
    if kink is not None:
        return _kink_equations(model, y, kink)
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


def _kink_equations(model: Model, y: Array, kink: Kink) -> tuple[Array, Array, Array]:
    """Return gradient and pre-activation; along the kink no derivative of the gradient jumps."""
    x = y[:-2]
    here = model.derivatives(x[None], y[-2], y[-1])
    slope = kink.slope(model, x)
    jacobian = np.zeros((len(x) + 1, len(y)))
    jacobian[:-1, :-2] = here.hessian[0]
    jacobian[:-1, -2], jacobian[:-1, -1] = here.gradient_by_u[0], here.gradient_by_v[0]
    jacobian[-1, :-2] = slope
    value = np.append(here.gradient[0], kink.value(model, x))
    return value, jacobian, slope / np.linalg.norm(slope)


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
        value, jacobian, phi = _equations(model, y, phi, guess.kink)
        system = np.vstack([jacobian, tangent])
        right = -np.append(value, tangent @ (y - guess.point))
        step = np.linalg.lstsq(system, right, rcond=1e-12)[0]
        if not np.abs(step).max() < _LARGEST_CHANGE:
            return None
        y = y + step
        if np.abs(step[-2:]).max() < _TOLERANCE and np.abs(value).max() < _TOLERANCE:
            return _completed(model, y, guess.kink), tangent_of(jacobian), iteration + 1
    return None


def fold_near(model: Model, x: Array, position: Array, tangent: Array) -> Fold | None:
    """Solve for the fold near a minimum that is about to end.

    The position may move along `tangent` (2,) only.
    """
    u, v = float(position[0]), float(position[1])
    across = np.zeros(len(x) + 2)
    across[-2:] = -tangent[1], tangent[0]
    for kink in (None, *kinks_near(model, x)):
        guess = Fold(u, v, x, null_direction(model, x, u, v)[1], 0.0, kink)
        solved = correct_fold(model, guess, across)
        if solved is not None:
            fold = solved[0]
            away = np.abs(fold.point[-2:] - position).max()
            if away < _NEAR and (kink is None or fold.other_eigenvalue > 0):
                return fold
    return None


def kinks_near(model: Model, x: Array) -> list[Kink]:
    """Return the kinks that a state is close to, the closest first."""
    kinks = [Kink(i, active) for i in range(model.n) for active in (False, True)]
    values = {kink: abs(kink.value(model, x)) for kink in kinks}
    return sorted((kink for kink in kinks if values[kink] < _NEAR_KINK), key=values.__getitem__)


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
        value, _, phi = _equations(model, y, phi, None)
        cubic = third_derivative(model, y[:-2], y[-2], y[-1], phi)
        return np.append(value, cubic)

    y, phi = guess.point, guess.null_vector
    for _ in range(_ITERATIONS):
        value, jacobian, phi = _equations(model, y, phi, None)
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
            return _completed(model, y, None)
    return None


def trace_fold(model: Model, start: Fold, sign: int, domain: Domain) -> list[Fold]:
    """Follow a fold in one direction while the state stays a minimum in all other directions."""
    _, jacobian, _ = _equations(model, start.point, start.null_vector, start.kink)
    tangent = sign * tangent_of(jacobian)
    folds = [start]
    length = _FIRST_LENGTH
    while length > _SMALLEST_LENGTH and len(folds) < _MOST_POINTS:
        last = folds[-1]
        guess = last.point + length * tangent
        solved = correct_fold(model, moved(last, guess), tangent)
        if solved is None or not _continues(last, solved[0], tangent, solved[1]):
            length /= 2
            continue
        fold, along, iterations = solved
        if fold.other_eigenvalue < 0:
            length /= 2
            continue
        if not domain.contains(np.array([fold.u, fold.v])):
            landed = _land(model, last, fold, domain)
            return folds if landed is None else [*folds, landed]
        folds.append(fold)
        tangent = along if along @ tangent > 0 else -along
        length = min(_LARGEST_LENGTH, length * (1.5 if iterations <= 5 else 1.0))
    return folds


def moved(fold: Fold, y: Array) -> Fold:
    """Return a guess of the fold at y = (x, u, v)."""
    return Fold(y[-2], y[-1], y[:-2], fold.null_vector, 0.0, fold.kink)


def _land(model: Model, last: Fold, beyond: Fold, domain: Domain) -> Fold | None:
    """Return where a fold leaves the domain."""
    axis, value = domain.crossed(np.array([beyond.u, beyond.v]))
    start, end = last.point, beyond.point
    index = len(start) - 2 + axis
    guess = start + (value - start[index]) / (end[index] - start[index]) * (end - start)
    guess[index] = value
    solved = correct_fold(
        model,
        moved(last, guess),
        np.eye(len(start))[index],
    )
    return solved[0] if solved else None


def _continues(last: Fold, fold: Fold, tangent: Array, along: Array) -> bool:
    straight = abs(along @ tangent) > 0.9
    return bool(straight and abs(fold.null_vector @ last.null_vector) > 0.8)
