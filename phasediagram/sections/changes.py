"""Where along a line the lowest minimum changes, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from phasediagram.atlas.following import End, trace_end
from phasediagram.minima.curvature import KINK
from phasediagram.minima.engine import Engine
from phasediagram.minima.search import State, are_silent
from phasediagram.minima.state import SAME_STATE
from phasediagram.parameters import Plane

Array = NDArray[np.float64]

_RADIUS = 0.05  # the first trust radius of a descent from a state near by
_CONVERGED = 1e3  # times the tolerance: where rounding stops a descent
_LOWER = 1e-10  # relative: a third minimum that is lower by less is none
_DEEPEST = 20  # how often a segment is cut
_NEARLY_ONE = 1e-2  # distance of minima, and of places in a segment, that may be one
_VANISHING = 1e-4  # share of the curvature at the ends of a segment that is none
_ROUNDING = 1e-14  # relative, of losses
_PRECISION = 1e-13  # of a share of a segment


@dataclass(frozen=True)
class Change:
    """A change of the lowest minimum.

    Attributes
    ----------
    position : ndarray, shape (axes,)
    before, after : ndarray, shape (d,)
        The minima next to it; the same at a continuous change.
    order : {1, 2}
    """

    position: Array
    before: Array
    after: Array
    order: int


@dataclass(frozen=True)
class Segment:
    """A piece of the line, from one position to another, and states to descend from in it."""

    engine: Engine
    plane: Plane
    start: Array
    stop: Array
    candidates: Array  # (k, d)

    def at(self, share: float) -> Array:
        """Return a position."""
        return np.asarray(self.start + share * (self.stop - self.start))

    def descend(self, x: Array, share: float) -> tuple[Array, float]:
        """Return the minimum next to a state at a position, and its loss."""
        ends = self.engine.minimize_at(x[None], self.plane.at(self.at(share)), _RADIUS)
        return ends.x[0], float(ends.loss[0])

    def lowest(self, share: float) -> tuple[Array, float]:
        """Return the lowest minimum that the candidates lead to, and its loss."""
        at = self.plane.at(self.at(share))
        ends = self.engine.minimize_at(self.candidates, at, _RADIUS)
        good = (ends.slope < _CONVERGED * at.tolerance) & ~are_silent(self.engine, ends.x)
        best = int(np.where(good, ends.loss, np.inf).argmin())
        return ends.x[best], float(ends.loss[best])


def first_order_changes(
    segment: Segment, before: Array, after: Array, depth: int = 0
) -> list[Change] | None:
    """Return where the lowest minimum turns from one into another, maybe by way of others.

    None if their losses do not cross.
    """

    def gap(share: float) -> float:
        return segment.descend(before, share)[1] - segment.descend(after, share)[1]

    share = _root(gap)
    if share is not None:
        first, loss = segment.descend(before, share)
        second, _ = segment.descend(after, share)
        if is_continued(segment, before, first, (0.0, share)) and is_continued(
            segment, after, second, (1.0, share)
        ):
            third, lowest = segment.lowest(share)
            if lowest < loss * (1 - _LOWER):
                return _by_way_of(segment, before, third, after, share, depth)
            return [_refined(segment, Change(segment.at(share), first, second, 1), share)]
    # one of them ends before: halve the segment
    return _by_way_of(segment, before, segment.lowest(0.5)[0], after, 0.5, depth)


def _refined(segment: Segment, change: Change, share: float) -> Change:
    """Return a change as the continuous one that it is, if one of its minima softens there.

    Next to a continuous change the losses of both minima agree to more digits than they have.
    """
    if segment.engine.space.distance(change.before, change.after) > _NEARLY_ONE:
        return change
    towards = change.after - change.before
    found = continuous_change(segment, change.before, change.after, towards)
    if found is None:
        return change
    along = segment.stop - segment.start
    where = float((found.position - segment.start) @ along / (along @ along))
    if abs(where - share) > _NEARLY_ONE:
        return change
    return replace(found, before=change.before, after=change.after)


def _by_way_of(
    segment: Segment, before: Array, third: Array, after: Array, share: float, depth: int
) -> list[Change] | None:
    """Return the changes on both sides of a position at which a third minimum is lowest."""
    if depth == _DEEPEST:
        change = continuous_change(segment, before, after, after - before)
        if change is None:
            return None
        is_far = segment.engine.space.distance(before, after) > _NEARLY_ONE
        return [replace(change, before=before, after=after, order=1 if is_far else 2)]
    found: list[Change] = []
    for start, stop, one, other, ends in (
        (0.0, share, before, third, (0.0, share)),
        (share, 1.0, third, after, (share, 1.0)),
    ):
        if is_continued(segment, one, other, ends):
            continue
        part = Segment(
            segment.engine,
            segment.plane,
            segment.at(start),
            segment.at(stop),
            segment.candidates,
        )
        changes = first_order_changes(part, one, other, depth + 1)
        if changes is None:
            return None
        found += changes
    return found


def is_continued(segment: Segment, one: Array, other: Array, ends: tuple[float, float]) -> bool:
    """Whether one minimum at one end of a piece goes on as the other at its other end."""
    arrived = continued(segment, one, ends)
    if arrived is None:
        return False
    return bool(segment.engine.space.distance(arrived.x, other) < SAME_STATE)


def continued(segment: Segment, x: Array, ends: tuple[float, float]) -> State | None:
    """Return as what a minimum at one end of a piece arrives at the other, None if it ends."""
    engine = segment.engine
    start, stop = (segment.at(share) for share in ends)
    at = segment.plane.at(start)
    loss, gradient = engine.slope(x, at)
    curvature, direction = engine.softest(x, at)
    state = State(x, loss, float(np.linalg.norm(gradient)), curvature, direction)
    arrived = trace_end(engine, segment.plane, state, start, stop)
    return None if isinstance(arrived, End) else arrived


def continuous_change(
    segment: Segment, before: Array, after: Array, direction: Array
) -> Change | None:
    """Return where one of two minima becomes the other: where the simpler one is softest.

    None if neither loses its stability along the segment.
    """
    space = segment.engine.space
    to_before = space.nearest_copy(before, after) - after
    to_after = space.nearest_copy(after, before) - before
    pairs = [(before, to_after), (before, direction), (after, to_before), (after, direction)]
    candidates = []
    for state, towards in pairs:
        for end in (0.0, 1.0):  # away from the transition, where Newton's method is exact
            settled, is_stationary = segment.engine.settle(state, segment.plane.at(segment.at(end)))
            if is_stationary and np.linalg.norm(towards) > 0:
                candidates.append((settled, towards))
    # what is stationary on both sides lies on more kinks than what it turns into
    candidates.sort(key=lambda pair: segment.engine.nearest_kink(pair[0])[0] > KINK)
    for x, towards in candidates:

        def curvature(share: float, x: Array = x, towards: Array = towards) -> float:
            at = segment.plane.at(segment.at(share))
            settled, _ = segment.engine.settle(x, at)
            return segment.engine.expansion(settled, at, towards)[1]

        share = _root(curvature)
        if share is None:
            continue
        largest = max(abs(curvature(0.0)), abs(curvature(1.0)))
        if abs(curvature(share)) > _VANISHING * largest:  # a jump: it is not stationary throughout
            continue
        settled, _ = segment.engine.settle(x, segment.plane.at(segment.at(share)))
        return Change(segment.at(share), settled, settled, 2)
    return None


def small_jump(segment: Segment, soft: Change, other: Array) -> Change | None:
    """Return the jump that comes before a minimum softens, if what it turns into is there already.

    None at a continuous change.  Near a tricritical point both minima exist together only on a
    tiny piece of the segment, on the side of the softening where the simpler one is stable.
    """
    simple, space = soft.before, segment.engine.space
    along = segment.stop - segment.start
    where = float((soft.position - segment.start) @ along / (along @ along))
    beside, lower = segment.descend(other, where)
    towards = space.nearest_copy(beside, simple) - simple
    if segment.descend(simple, where)[1] - lower <= _ROUNDING * lower:
        return None

    def curvature(share: float) -> float:
        at = segment.plane.at(segment.at(share))
        return segment.engine.expansion(segment.engine.settle(simple, at)[0], at, towards)[1]

    first, last = 0.0, (-where if curvature(0.0) > curvature(1.0) else 1.0 - where)
    while abs(last - first) > _PRECISION:  # where the other is higher, or is no more
        middle = (first + last) / 2
        x, loss = segment.descend(beside, where + middle)
        stable, least = segment.descend(simple, where + middle)
        is_lower = space.distance(x, stable) > SAME_STATE and loss < least
        first, last = (middle, last) if is_lower else (first, middle)
    position = segment.at(where + first)
    stable, x = (segment.descend(state, where + first)[0] for state in (simple, beside))
    before, after = (stable, x) if last < 0 else (x, stable)
    change = Change(position, before, after, 1)
    apart = space.distance(stable, x) > SAME_STATE
    return change if apart else None


def _root(function: Callable[[float], float]) -> float | None:
    """Return where a function of a share changes sign, None if it does not."""
    ends = function(0.0), function(1.0)
    if not np.isfinite(ends).all() or ends[0] * ends[1] > 0:
        return None
    return float(brentq(function, 0.0, 1.0, xtol=_PRECISION, rtol=4 * _PRECISION))
