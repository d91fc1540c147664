"""Where a minimum meets a saddle (a fold), and critical points.

On a smooth fold the smallest eigenvalue of the Hessian, of eigenvector phi, vanishes; at a critical
point the third derivative along phi vanishes too, and two minima become one.

The Hessian jumps where a corner's pre-activation changes sign: by +2 (1-p)^n in b_i where b_i,
the one of no active feature, becomes positive, and downwards where b_i + |W_i|^2, the one of
feature i alone at 1, does.  A fold can have its minimum on one side of such a *kink* and its saddle
on the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.branches import Model
from phasediagram.equilibrium import Domain
from phasediagram.free_minimization import FreeLoss

Array = NDArray[np.float64]

_ITERATIONS = 20
_FEW_ITERATIONS = 5
_SINGULAR = 1e-12
_CUBIC_STEP = 2e-3  # of differences of second derivatives
_CRITICAL_STEP = 1e-5
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


@dataclass(frozen=True)
class Solved:
    """A fold, the unit direction (d + 2,) along its curve, and the iterations it took."""

    fold: Fold
    along: Array
    iterations: int


def _softest(hessians: Array) -> tuple[Array, Array]:
    """Return eigenvectors (k, d) of the eigenvalues of least magnitude, the lowest others (k,)."""
    values, vectors = np.linalg.eigh(hessians)
    rows = np.arange(len(values))
    soft = np.abs(values).argmin(axis=1)
    return vectors[rows, :, soft], np.where(soft == 0, values[:, 1], values[:, 0])


def _completed(model: Model, y: Array, kinks: Sequence[Kink | None]) -> list[Fold]:
    """Return the folds at y = (x, u, v), shape (k, d + 2)."""
    if not len(y):
        return []
    both = np.stack(
        [
            np.stack([x, x]) if kink is None else kink.sides(model, x)
            for x, kink in zip(y[:, :-2], kinks, strict=True)
        ]
    )
    u, v = y[:, -2].repeat(2), y[:, -1].repeat(2)
    hessians = model.derivatives(both.reshape(2 * len(y), -1), u, v).hessian
    phi, other = _softest(hessians[::2])
    lowest = np.linalg.eigvalsh(hessians)[:, 0].reshape(-1, 2)
    folds = []
    for k, kink in enumerate(kinks):
        x = y[k, :-2]
        if kink is None:
            null, rest = phi[k], float(other[k])
        else:
            slope = kink.slope(model, x)
            null, rest = slope / np.linalg.norm(slope), float(min(lowest[k, 0], -lowest[k, 1]))
        folds.append(Fold(float(y[k, -2]), float(y[k, -1]), x, null, rest, kink))
    return folds


def _equations(
    model: Model, y: Array, phi: Array, kinks: Sequence[Kink | None]
) -> tuple[Array, Array, Array]:
    """Return what vanishes on folds (k, d + 1), the Jacobians (k, d + 1, d + 2) and phi (k, d).

    The gradient, and the eigenvalue of phi or at a kink its pre-activation: along the kink no
    derivative of the gradient jumps.
    """
    k, d = phi.shape
    x, u, v = y[:, :-2], y[:, -2], y[:, -1]
    here = model.derivatives(x, u, v)
    jacobian = np.zeros((k, d + 1, d + 2))
    jacobian[:, :-1, :-2] = here.hessian
    jacobian[:, :-1, -2], jacobian[:, :-1, -1] = here.gradient_by_u, here.gradient_by_v
    last = np.zeros(k)
    phi = phi.copy()
    smooth = np.array([kink is None for kink in kinks])
    if smooth.any():
        values, vectors = np.linalg.eigh(here.hessian[smooth])
        overlap = np.einsum("kij,ki->kj", vectors, phi[smooth])
        rows, closest = np.arange(smooth.sum()), np.abs(overlap).argmax(axis=1)
        phi[smooth] = vectors[rows, :, closest] * np.sign(overlap[rows, closest])[:, None]
        last[smooth] = values[rows, closest]
        jacobian[smooth, -1] = _slope_of_eigenvalue(
            model, y[smooth], phi[smooth], here.hessian[smooth]
        )
    for i, kink in enumerate(kinks):
        if kink is not None:
            slope = kink.slope(model, x[i])
            last[i], jacobian[i, -1, :-2] = kink.value(model, x[i]), slope
            phi[i] = slope / np.linalg.norm(slope)
    return np.concatenate([here.gradient, last[:, None]], axis=1), jacobian, phi


def _slope_of_eigenvalue(model: Model, y: Array, phi: Array, hessian: Array) -> Array:
    """Return the derivatives (k, d + 2) of phi H phi by the state and the position."""
    h = _STEP
    x, u, v = y[:, :-2], y[:, -2], y[:, -1]
    moved = np.stack([x + h * phi, x - h * phi, x, x, x, x])
    us = np.stack([u, u, u - h, u - 2 * h, u, u])
    vs = np.stack([v, v, v, v, v + h, v - h])
    objective = FreeLoss(model.n, model.m, np.minimum(np.exp(us.ravel()), 1.0), np.exp(vs.ravel()))
    _, _, found = objective(moved.reshape(us.size, -1), np.arange(us.size))
    forward, backward, before, far_before, above, below = found.reshape(*moved.shape, -1)
    turned = model.rotations(x)
    base = hessian - np.einsum("kri,krj->kij", turned, turned)
    by_state = np.einsum("kij,kj->ki", forward - backward, phi)
    by_u = np.einsum("kij,ki,kj->k", 3 * base - 4 * before + far_before, phi, phi)
    by_v = np.einsum("kij,ki,kj->k", above - below, phi, phi)
    return np.concatenate([by_state, by_u[:, None], by_v[:, None]], axis=1) / (2 * h)


def third_derivative(model: Model, x: Array, u: float, v: float, phi: Array) -> float:
    """Return the third derivative of the loss along phi, by two steps extrapolated."""
    steps = np.array([2.0, -2.0, 1.0, -1.0]) * _CUBIC_STEP
    objective = FreeLoss(model.n, model.m, np.full(4, min(np.exp(u), 1.0)), np.full(4, np.exp(v)))
    _, _, hessians = objective(x + steps[:, None] * phi, np.arange(4))
    second = np.einsum("kij,i,j->k", hessians, phi, phi)
    wide, narrow = (
        (second[0] - second[1]) / (2 * steps[0]),
        (second[2] - second[3]) / (2 * steps[2]),
    )
    return float((4 * narrow - wide) / 3)


def correct_folds(model: Model, guesses: Sequence[Fold], tangents: Array) -> list[Solved | None]:
    """Solve for folds in the planes through the guesses perpendicular to `tangents` (k, d + 2)."""
    solved: list[Solved | None] = [None] * len(guesses)
    start = np.array([guess.point for guess in guesses])
    y, phi = start.copy(), np.array([guess.null_vector for guess in guesses])
    kinks = [guess.kink for guess in guesses]
    going = np.arange(len(guesses))
    for iteration in range(1, _ITERATIONS + 1):
        if not going.size:
            break
        value, jacobian, phi[going] = _equations(
            model, y[going], phi[going], [kinks[k] for k in going]
        )
        system = np.concatenate([jacobian, tangents[going, None]], axis=1)
        offset = np.einsum("ki,ki->k", tangents[going], y[going] - start[going])
        right = np.concatenate([value, offset[:, None]], axis=1)
        step = -np.einsum("kij,kj->ki", np.linalg.pinv(system, rcond=_SINGULAR), right)
        sane = np.abs(step).max(axis=1) < _LARGEST_CHANGE
        y[going[sane]] += step[sane]
        done = sane & (np.abs(step[:, -2:]).max(axis=1) < _TOLERANCE)
        done &= np.abs(value).max(axis=1) < _TOLERANCE
        folds = _completed(model, y[going[done]], [kinks[k] for k in going[done]])
        for k, fold, matrix in zip(going[done], folds, jacobian[done], strict=True):
            solved[k] = Solved(fold, tangent_of(matrix), iteration)
        going = going[sane & ~done]
    return solved


def folds_near(model: Model, x: Array, positions: Array, tangents: Array) -> list[Fold | None]:
    """Solve for the folds near minima (k, d) that are about to end.

    The positions (k, 2) may move along `tangents` (k, 2) only.
    """
    across = np.zeros((len(x), x.shape[1] + 2))
    across[:, -2:] = np.stack([-tangents[:, 1], tangents[:, 0]], axis=1)
    phi, _ = _softest(model.derivatives(x, *positions.T).hessian)
    found: list[Fold | None] = [None] * len(x)
    candidates = [[None, *_kinks_near(model, state)] for state in x]
    for attempt in range(max(map(len, candidates), default=0)):
        left = [
            k for k, kinks in enumerate(candidates) if found[k] is None and attempt < len(kinks)
        ]
        guesses = [
            Fold(positions[k, 0], positions[k, 1], x[k], phi[k], 0.0, candidates[k][attempt])
            for k in left
        ]
        for k, solved in zip(left, correct_folds(model, guesses, across[left]), strict=True):
            if solved is not None and _is_end(solved.fold, positions[k]):
                found[k] = solved.fold
    return found


def _is_end(fold: Fold, position: Array) -> bool:
    """Whether a minimum close by at a position ends there."""
    close = np.abs(fold.point[-2:] - position).max() < _NEAR
    return bool(close and (fold.kink is None or fold.other_eigenvalue > 0))


def _kinks_near(model: Model, x: Array) -> list[Kink]:
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

    def equations(y: Array, phi: Array) -> tuple[Array, Array, Array]:
        value, jacobian, phi = (part[0] for part in _equations(model, y[None], phi[None], [None]))
        cubic = third_derivative(model, y[:-2], y[-2], y[-1], phi)
        return np.append(value, cubic), jacobian, phi

    y, phi = guess.point, guess.null_vector
    h = _CRITICAL_STEP
    for _ in range(_ITERATIONS):
        value, jacobian, phi = equations(y, phi)
        row = np.array(
            [
                (equations(y + h * e, phi)[0][-1] - equations(y - h * e, phi)[0][-1]) / (2 * h)
                for e in np.eye(len(y))
            ]
        )
        step = np.linalg.lstsq(np.vstack([jacobian, row]), -value, rcond=None)[0]
        if not np.abs(step).max() < _LARGEST_CHANGE:
            return None
        y = y + step
        if np.abs(step[-2:]).max() < _TOLERANCE:
            return _completed(model, y[None], [None])[0]
    return None


class _Front:
    """One end of a fold that is being traced."""

    def __init__(self, start: Fold, tangent: Array, domain: Domain) -> None:
        self.folds = [start]
        self.tangent, self.length, self.domain = tangent, _FIRST_LENGTH, domain
        self.landing: Fold | None = None  # the fold beyond the domain's edge

    @property
    def is_going(self) -> bool:
        return self.length > _SMALLEST_LENGTH and len(self.folds) < _MOST_POINTS

    def propose(self) -> tuple[Fold, Array]:
        """Return a guess of the next fold and the normal of the plane to solve in."""
        last = self.folds[-1]
        if self.landing is None:
            return moved(last, last.point + self.length * self.tangent), self.tangent
        axis, value = self.domain.crossed(self.landing.point[-2:])
        start, end = last.point, self.landing.point
        index = len(start) - 2 + axis
        guess = start + (value - start[index]) / (end[index] - start[index]) * (end - start)
        guess[index] = value
        return moved(last, guess), np.eye(len(start))[index]

    def take(self, solved: Solved | None) -> None:
        """Go on from a solution, or try a shorter step where it is none."""
        if self.landing is not None:
            self.length = 0.0
            if solved is not None:
                self.folds.append(solved.fold)
        elif solved is None or not self._continues(solved):
            self.length /= 2
        elif not self.domain.contains(solved.fold.point[-2:]):
            self.landing = solved.fold
        else:
            self.folds.append(solved.fold)
            along = solved.along
            self.tangent = along if along @ self.tangent > 0 else -along
            growth = 1.5 if solved.iterations <= _FEW_ITERATIONS else 1.0
            self.length = min(_LARGEST_LENGTH, growth * self.length)

    def _continues(self, solved: Solved) -> bool:
        straight = abs(solved.along @ self.tangent) > 0.9
        turned = abs(solved.fold.null_vector @ self.folds[-1].null_vector)
        return bool(straight and turned > 0.8 and solved.fold.other_eigenvalue > 0)


def trace_folds(model: Model, starts: Sequence[Fold], domain: Domain) -> list[list[Fold]]:
    """Follow folds both ways while their states stay minima in all other directions.

    All of them at once, step by step.
    """
    points = np.array([start.point for start in starts])
    phi = np.array([start.null_vector for start in starts])
    _, jacobians, _ = _equations(model, points, phi, [start.kink for start in starts])
    fronts = [
        _Front(start, sign * tangent_of(jacobian), domain)
        for start, jacobian in zip(starts, jacobians, strict=True)
        for sign in (-1, 1)
    ]
    while going := [front for front in fronts if front.is_going]:
        guesses, tangents = zip(*(front.propose() for front in going), strict=True)
        solutions = correct_folds(model, guesses, np.array(tangents))
        for front, solved in zip(going, solutions, strict=True):
            front.take(solved)
    return [
        [*backward.folds[::-1], *forward.folds[1:]]
        for backward, forward in zip(fronts[::2], fronts[1::2], strict=True)
    ]


def moved(fold: Fold, y: Array) -> Fold:
    """Return a guess of the fold at y = (x, u, v)."""
    return Fold(y[-2], y[-1], y[:-2], fold.null_vector, 0.0, fold.kink)
