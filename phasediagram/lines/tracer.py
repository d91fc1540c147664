"""One predictor-corrector for every system, with events that are located and not snapped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from phasediagram.lines.systems import System

Array = NDArray[np.float64]

_ITERATIONS = 16  # of Newton's method
_MOVED = 1e-12  # Newton's last step of the position
_STALLED = 1e-10  # the same, where rounding keeps it from getting smaller
_FAR = 0.3  # of a corrector from its predictor
_RETURNED = 1e-4  # how near a step back comes to its start
_SLIP = 0.3  # the same in steps: more may be another curve
_SMALLEST_STEP = 2e-6  # of states and position together
_CORNER_STEP = 2e-4  # a curve may turn sharply within this
_LARGEST_TURN = np.cos(np.radians(25.0))
_EVENT_TOLERANCE = 1e-12  # in the length of a step
_JUMP = 0.1  # share of an event's value beside a root, that is none
_CIRCLE = 1e-3  # radius around a corner at which the curve is looked for
_ANGLES = 24  # on the circle from which Newton's method starts
_BACKWARDS = 0.8  # cosine with where the curve came from
_MOST_CORNERS = 12  # of one curve
_SAME_BRANCH = 0.05  # how far states may move on the circle
_STUCK = 30  # points that get no further than _STUCK_MOVED
_STUCK_MOVED = 4e-4


@dataclass(frozen=True)
class Domain:
    """The rectangle of positions in which curves are traced."""

    lower: Array
    upper: Array

    def margin(self, position: Array) -> float:
        """Return the distance to the nearest side, negative outside."""
        return float(min((position - self.lower).min(), (self.upper - position).min()))


class Function(Protocol):
    """A function along a curve."""

    def __call__(self, system: System, y: Array) -> float:
        """Return the value at a point of the curve."""


class Event(Function, Protocol):
    """A function along a curve whose change of sign ends it."""

    kind: str


def correct(
    system: System, guess: Array, constraint: Array, through: Array | None = None
) -> Array | None:
    """Solve the system from a guess, on the hyperplane across `constraint` through a point.

    That point is the guess itself by default.
    """
    through = guess if through is None else through
    y = guess.copy()
    before = np.inf
    for _ in range(_ITERATIONS):
        step = system.step(y, constraint, float(constraint @ (y - through)))
        y = y + step
        moved = float(np.abs(step[-2:]).max())
        if not np.abs(y - guess).max() < _FAR:
            return None
        if moved < _MOVED or (before < _STALLED and moved < _STALLED):
            return y
        before = moved
    return None


def follow(
    system: System,
    start: Array,
    tangent: Array,
    domain: Domain,
    events: Sequence[Event],
    first_step: float = 0.01,
    largest_step: float = 0.08,
    most_points: int = 2000,
    most_corners: int = _MOST_CORNERS,
    watch: Callable[[Array], bool] | None = None,
    accept: Callable[[Array], bool] | None = None,
) -> tuple[list[Array], str]:
    """Follow a curve from one of its points in the sense of a tangent.

    Returns
    -------
    points : list of ndarray
        From the start on.
    end : str
        The kind of an event, ``"edge"``, ``"closed"``, ``"stopped"`` by `watch`, or ``"lost"`` or
        ``"unstable"`` where no next point was found or accepted.
    """
    system.commit(start)
    points = [start]
    values = [event(system, start) for event in events]
    length = first_step
    corners = 0
    while len(points) < most_points:
        y, turned = _advance(system, points[-1], tangent, length)
        if y is None or turned is None or (accept is not None and not accept(y)):
            length /= 2
            if length > _SMALLEST_STEP:
                continue
            why = "lost" if y is None else "unstable"
            corners += 1
            y = None if corners > most_corners else _beyond_corner(system, points, accept)
            if y is None:
                return points, why
            if any(old * event(system, y) < 0 for event, old in zip(events, values, strict=True)):
                return points, "kink"
            turned = (y - points[-1]) / np.linalg.norm(y - points[-1])
            length = float(np.linalg.norm(y - points[-1]))
        if domain.margin(y[-2:]) < 0:
            landed = _locate(
                system, points[-1], tangent, length, lambda s, q: domain.margin(q[-2:])
            )
            if landed is not None:
                points.append(landed)
                system.commit(landed)
            return points, "edge"
        following = [event(system, y) for event in events]
        crossed = [
            (event, min(abs(old), abs(new)))
            for event, old, new in zip(events, values, following, strict=True)
            if old * new < 0
        ]
        hit = _first(system, points[-1], tangent, length, crossed)
        if hit is not None:
            points.append(hit[1])
            system.commit(hit[1])
            return points, hit[0].kind
        if len(points) > 8 and _closes(points, y, length):
            points.append(points[0])
            return points, "closed"
        system.commit(y)
        points.append(y)
        if watch is not None and watch(y):
            return points, "stopped"
        if len(points) > _STUCK and np.linalg.norm(y - points[-_STUCK]) < _STUCK_MOVED:
            return points, "lost: no progress"
        values, tangent = following, turned
        length = min(largest_step, 1.4 * length)
    return points, "lost: too many points"


def _advance(
    system: System, y: Array, tangent: Array, length: float
) -> tuple[Array | None, Array | None]:
    """Return the next point and its tangent, or None where the step is too long."""
    guess = y + length * tangent
    solved = correct(system, guess, tangent)
    if solved is None or np.linalg.norm(solved - guess) > _SLIP * length + 1e-9:
        return None, None
    back = solved.copy()
    back[-2:] = y[-2:]
    returned = correct(system, back, tangent, through=y)
    if returned is None or np.linalg.norm(returned - y) > _RETURNED:
        return None, None  # the way does not lead back: another curve
    secant = (solved - y) / np.linalg.norm(solved - y)
    turned = 1.5 * secant - 0.5 * tangent  # towards the tangent at the end of the chord
    turned /= np.linalg.norm(turned)
    if turned @ tangent < _LARGEST_TURN and length > _CORNER_STEP:
        return None, None
    return solved, turned


def _beyond_corner(
    system: System, points: list[Array], accept: Callable[[Array], bool] | None
) -> Array | None:
    """Return where a curve leaves a small circle around a point at which it turns sharply.

    Third derivatives of the loss jump where pre-activations change sign; curves that depend on
    them have corners there.
    """
    last = points[-1]
    before = next(
        (y for y in reversed(points) if np.abs(y[-2:] - last[-2:]).max() > _CIRCLE / 2), None
    )
    if before is None:
        return None
    came = (before[-2:] - last[-2:]) / np.linalg.norm(before[-2:] - last[-2:])
    found = []
    for angle in 2 * np.pi * np.arange(_ANGLES) / _ANGLES:
        radial = np.array([np.cos(angle), np.sin(angle)])
        if radial @ came > _BACKWARDS:
            continue
        guess, constraint = last.copy(), np.zeros(len(last))
        guess[-2:] += _CIRCLE * radial
        constraint[-2:] = radial
        y = correct(system, guess, constraint)
        if y is None or (accept is not None and not accept(y)):
            continue
        step = y[-2:] - last[-2:]
        length = np.linalg.norm(step)
        if np.abs(y[:-2] - last[:-2]).max(initial=0.0) > _SAME_BRANCH:
            continue
        if 0.5 * _CIRCLE < length < 2 * _CIRCLE and step @ came < _BACKWARDS * length:
            found.append(y)
    if not found:
        return None
    return min(found, key=lambda y: float(np.linalg.norm(y - last)))


def _first(
    system: System,
    y: Array,
    tangent: Array,
    length: float,
    crossed: list[tuple[Event, float]],
) -> tuple[Event, Array] | None:
    """Return the first of the events whose values change sign in a step, and where.

    Those with a root come before those whose values jump over 0, as they may at a kink.
    """
    found = []
    for k, (event, size) in enumerate(crossed):
        located = _locate(system, y, tangent, length, event)
        if located is not None:
            jumps = abs(event(system, located)) > _JUMP * size
            found.append((jumps, float(np.linalg.norm(located - y)), k, located))
    if not found:
        return None
    _, _, k, located = min(found, key=lambda hit: hit[:3])
    return crossed[k][0], located


def _locate(
    system: System, y: Array, tangent: Array, length: float, event: Function
) -> Array | None:
    """Return the point within a step at which an event's value is 0 (Brent's method)."""

    @cache  # systems follow their state, and may answer otherwise by rounding the next time
    def along(share: float) -> float:
        if share == 0.0:
            return event(system, y)
        solved = correct(system, y + share * tangent, tangent)
        if solved is None:
            raise _Lost
        return event(system, solved)

    try:
        start = along(0.0)
        if abs(start) < _EVENT_TOLERANCE:
            return y  # it is there already
        if start * along(length) > 0:
            return None
        share = brentq(along, 0.0, length, xtol=_EVENT_TOLERANCE, rtol=1e-14)
    except _Lost:
        return None
    return correct(system, y + share * tangent, tangent)


class _Lost(Exception):
    """The corrector found no point."""


def _closes(points: list[Array], y: Array, length: float) -> bool:
    """Whether the curve has come back to its start."""
    start, second = points[0], points[1]
    return bool(
        np.linalg.norm(y - start) < 0.7 * length
        and (y - points[-1]) @ (second - start) > 0
        and np.linalg.norm(y - start) < np.linalg.norm(points[-1] - start)
    )
