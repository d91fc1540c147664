"""Curves on which two minima have equal losses, by continuation.

Newton's method solves for both states and the position at once,

    grad L(x_A) = 0,  grad L(x_B) = 0,  L(x_A) = L(x_B),

with one condition more: a step of given length along the curve, or a given density.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.branches import Derivatives, Model, gradient_tolerance

Array = NDArray[np.float64]

_ITERATIONS = 25
_POSITION_TOLERANCE = 1e-12
_LARGEST_CHANGE = 0.3  # of a state in one correction: more means another branch
_FIRST_STEP, _SMALLEST_STEP, _LARGEST_STEP = 0.004, 1e-5, 0.04
_LARGEST_TURN = 0.15
_SINGULAR = 1e-6
_MERGED = 2e-3  # states closer than this are about to become one


@dataclass(frozen=True)
class Coexistence:
    """Two states of equal loss at one position (u, v)."""

    position: Array
    first: Array
    second: Array

    @property
    def u(self) -> float:
        """Log density."""
        return float(self.position[0])

    @property
    def v(self) -> float:
        """Log relative importance."""
        return float(self.position[1])


def correct(
    model: Model, guess: Coexistence, tangent: Array
) -> tuple[Coexistence, Array, int] | None:
    """Solve for equal losses on the line through the guess perpendicular to `tangent`.

    Returns the solution, the gradient of the difference of losses there and the number of
    iterations, or None where Newton's method finds none close by.
    """
    states = np.stack([guess.first, guess.second])
    position = guess.position
    for iteration in range(_ITERATIONS):
        here = model.derivatives(states, position[0], position[1])
        fixed, by_position = responses(here)
        slope = np.array([here.by_u[0] - here.by_u[1], here.by_v[0] - here.by_v[1]])
        change = (here.gradient * fixed).sum(axis=1)
        difference = here.loss[0] - here.loss[1] + change[0] - change[1]
        offset = tangent @ (position - guess.position)
        system = np.stack([slope, tangent])
        if not abs(np.linalg.det(system)) > _SINGULAR * np.linalg.norm(slope):
            return None
        move = np.linalg.solve(system, -np.array([difference, offset]))
        step = fixed + by_position @ move
        if np.abs(step).max() > _LARGEST_CHANGE or np.abs(move).max() > _LARGEST_CHANGE:
            return None
        states, position = states + step, position + move
        small = np.linalg.norm(here.gradient, axis=1) <= 10 * gradient_tolerance(position[0])
        if small.all() and np.abs(move).max() < _POSITION_TOLERANCE:
            return Coexistence(position, states[0], states[1]), slope, iteration + 1
    return None


def triple_point(model: Model, states: Array, position: Array) -> tuple[Array, Array] | None:
    """Return the states (3, d) of equal losses, and where they are, near a guess."""
    for _ in range(_ITERATIONS):
        here = model.derivatives(states, position[0], position[1])
        fixed, by_position = responses(here)
        loss = here.loss + (here.gradient * fixed).sum(axis=1)
        slope = np.stack([here.by_u, here.by_v], axis=1)
        try:
            move = np.linalg.solve(slope[1:] - slope[:1], loss[0] - loss[1:])
        except np.linalg.LinAlgError:
            return None
        step = fixed + by_position @ move
        if not max(np.abs(step).max(), np.abs(move).max()) < _LARGEST_CHANGE:
            return None
        states, position = states + step, position + move
        if np.abs(move).max() < _POSITION_TOLERANCE:
            return states, position
    return None


def responses(here: Derivatives) -> tuple[Array, Array]:
    """Return Newton's steps of states at fixed position, (k, d), and per position, (k, d, 2)."""
    right = np.stack([here.gradient, here.gradient_by_u, here.gradient_by_v], axis=2)
    solved = np.asarray(-np.linalg.solve(here.hessian, right), dtype=np.float64)
    return solved[:, :, 0], solved[:, :, 1:]


@dataclass(frozen=True)
class Domain:
    """The rectangle of positions in which curves are traced."""

    lower: tuple[float, float]
    upper: tuple[float, float]

    def contains(self, position: Array) -> bool:
        return bool((position >= self.lower).all() and (position <= self.upper).all())

    def crossed(self, position: Array) -> tuple[int, float]:
        """Return the axis and the value of the side that a position outside lies beyond."""
        below, above = np.asarray(self.lower) - position, position - np.asarray(self.upper)
        beyond = np.maximum(below, above)
        axis = int(beyond.argmax())
        return axis, (self.lower if below[axis] > above[axis] else self.upper)[axis]


@dataclass(frozen=True)
class Trace:
    """One direction of a curve: its points and why it ends.

    Attributes
    ----------
    points : tuple of Coexistence
    slopes : ndarray, shape (len(points), 2)
        Derivative of L(first) - L(second) by (u, v).
    end : str
        ``"domain"``, ``"merged"`` (the two states become one) or ``"lost"``.
    """

    points: tuple[Coexistence, ...]
    slopes: Array
    end: str


def trace(model: Model, start: Coexistence, sign: int, domain: Domain) -> Trace:
    """Follow a curve of equal losses in one direction until it ends."""
    solved = correct(model, start, np.array([1.0, 0.0])) or correct(
        model, start, np.array([0.0, 1.0])
    )
    if solved is None:
        return Trace((), np.zeros((0, 2)), "lost")
    point, slope, _ = solved
    points, slopes = [point], [slope]
    tangent = sign * _along(slope)
    length = _FIRST_STEP
    while True:
        guess = _predict(points, tangent, length)
        solved = correct(model, guess, tangent)
        if solved is not None:
            following, slope, iterations = solved
            turned = _along(slope)
            turned = turned if turned @ tangent > 0 else -turned
            if _follows(model, points[-1], following) and turned @ tangent > np.cos(_LARGEST_TURN):
                if not domain.contains(following.position):
                    last = _land(model, points[-1], following, domain)
                    if last is not None:
                        points.append(last[0])
                        slopes.append(last[1])
                    return Trace(tuple(points), np.array(slopes), "domain")
                points.append(following)
                slopes.append(slope)
                tangent = turned
                if model.distance(following.first, following.second) < _MERGED:
                    return Trace(tuple(points), np.array(slopes), "merged")
                length = min(_LARGEST_STEP, length * (1.5 if iterations <= 4 else 1.0))
                continue
        length /= 2
        if length < _SMALLEST_STEP:
            return Trace(tuple(points), np.array(slopes), "lost")


def _along(slope: Array) -> Array:
    """Return the unit vector along which a difference with this gradient stays zero."""
    return np.asarray(np.array([slope[1], -slope[0]]) / np.linalg.norm(slope))


def _predict(points: list[Coexistence], tangent: Array, length: float) -> Coexistence:
    last = points[-1]
    position = last.position + length * tangent
    if len(points) < 2:
        return Coexistence(position, last.first, last.second)
    before = points[-2]
    ratio = length / np.linalg.norm(last.position - before.position)
    return Coexistence(
        position,
        last.first + ratio * (last.first - before.first),
        last.second + ratio * (last.second - before.second),
    )


def _follows(model: Model, last: Coexistence, following: Coexistence) -> bool:
    """Whether a step stayed on its two branches, which are still two."""
    moved = max(
        np.abs(model.gram(following.first) - model.gram(last.first)).max(),
        np.abs(model.gram(following.second) - model.gram(last.second)).max(),
    )
    apart = model.distance(following.first, following.second)
    return moved < 0.1 and moved < apart and apart > _MERGED / 4


def _land(
    model: Model, last: Coexistence, beyond: Coexistence, domain: Domain
) -> tuple[Coexistence, Array, int] | None:
    """Return the point where the curve leaves the domain."""
    axis, value = domain.crossed(beyond.position)
    step = beyond.position - last.position
    share = (value - last.position[axis]) / step[axis]
    position = last.position + share * step
    position[axis] = value
    guess = Coexistence(
        position,
        last.first + share * (beyond.first - last.first),
        last.second + share * (beyond.second - last.second),
    )
    return correct(model, guess, np.eye(2)[axis])
