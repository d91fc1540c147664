"""Walks along the edge of the region in which a minimum exists.

The edge is followed as one follows a wall: from a position inside, straight on; a feeler is put
out across the edge, and where it finds the edge elsewhere than expected, steps get shorter.  At
corners (where what ends the minimum changes) and tips (where two edges meet) small triangles roll
along the edge, whatever its shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.following import End, Walk, reach
from phasediagram.lines.tracer import Domain
from phasediagram.minima.search import State
from phasediagram.minima.state import Space

Array = NDArray[np.float64]

_LARGEST_STEP = 0.04
_SMALLEST_STEP = 2e-4
_FIRST_SIDE = 5e-3  # of the triangles with which a walk sets out
_ANGLES = (0.0, 1.0, -1.0)  # at which a narrow region is looked for, before setting out
_GROWTH = 1.6
_BULGE = 1e-4  # how far the edge may be from a chord
_LEAN = 0.25  # of a step: how far inside the edge walks go
_LEAST_LEAN = 1e-5  # the same, where a region is narrow
_STRAIGHT = np.cos(np.radians(20.0))
_ROLLS = 200  # of triangles in a row
_AROUND = 7  # triangles about one corner: more than a full turn
_EPISODES = 4  # of rolling without a straight step, from which a tip is looked for
_MOST_EPISODES = 60
_NARROW = 5e-5  # width of a region that is no more walked in
_APART = 1e-4  # distance of two edges that are far enough from a tip
_TIP = 0.1  # how far from a tip the other edge is looked for
_MOST_TURNS = 12
_MOST_FEET = 3000
_SAME_SHEET = 0.1  # distance of states of one minimum, a step apart
_FINEST = 2**-6  # share of a feeler
_MOVING = 0.2  # smallest step to a position inside, as a share of the way


@dataclass(frozen=True)
class Foot:
    """A point of the edge, bracketed.

    Attributes
    ----------
    end : End
    anchor : State
    at : ndarray, shape (2,)
        The minimum at a position somewhat farther inside.
    rolled : bool
        Whether it was found at a corner.
    """

    end: End
    anchor: State
    at: Array
    rolled: bool

    @property
    def position(self) -> Array:
        """The middle of the bracket."""
        return np.asarray((self.end.position + self.end.beyond) / 2)


class _Ended(Exception):
    """The walk is over."""


@dataclass
class Walker:
    """Walks along the edge from where a minimum ends, with the inside on the left (sense 1)."""

    first: End
    sense: int
    domain: Domain
    space: Space
    feet: list[Foot] = field(default_factory=list)
    turns: list[tuple[int, str]] = field(default_factory=list)

    def walk(self) -> Walk[tuple[list[Foot], str]]:
        """Return the feet, and ``"edge"`` of the domain, ``"closed"`` or why it was given up."""
        self.feet = [Foot(self.first, self.first.state, self.first.position, True)]
        side, episodes = _FIRST_SIDE, 0
        try:
            while side > _SMALLEST_STEP and (yield from self._is_narrow(2 * side, _ANGLES)):
                side /= 4
            while True:
                yield from self._back_off(side)
                turn = yield from self._roll()
                if not isinstance(turn, str) and episodes >= _EPISODES:
                    if episodes == _MOST_EPISODES:
                        raise _Ended("lost: no progress")
                    if (yield from self._is_narrow(_NARROW)):
                        turn = "tip"
                if isinstance(turn, str):
                    turn = yield from self._turn_around(turn)
                before = len(self.feet)
                yield from self._straight_on(turn)
                episodes = 0 if len(self.feet) > before else episodes + 1
                side = _SMALLEST_STEP / 2
        except _Ended as ended:
            return self.feet, str(ended)

    def _turn_around(self, kind: str) -> Walk[Array]:
        """Find the other edge, where this one ends in a tip; return its direction.

        Parameters
        ----------
        kind : {"tip", "cusp"}
            Whether the region has become too narrow for triangles, or what is outside of it.
        """
        last = self.feet[-1].position
        length = _SMALLEST_STEP
        for foot in reversed(self.feet):
            back = foot.position - last
            far = float(np.linalg.norm(back))
            if far < length:
                continue
            if far > _TIP:
                break
            length = 2 * far
            outward = foot.end.beyond - foot.end.position
            outward /= np.linalg.norm(outward)
            if kind == "tip":  # through the region, to what is opposite
                way = [foot.at, foot.at - far / 2 * outward]
                state: State | End = foot.anchor
            else:  # around the end of what is outside
                ahead = last - back / 2
                beside, across = (foot.position + side * outward for side in (far / 4, -far / 4))
                way = [self.feet[-1].at, ahead, beside, across]
                state = self.feet[-1].anchor
            if min(self.domain.margin(place) for place in way) < 0:
                continue
            for start, stop in pairwise(way[:-1]):
                if isinstance(state, State):
                    state = yield from reach(state, start, stop, _MOVING)
            if isinstance(state, End):
                continue
            end = yield from reach(state, way[-2], way[-1], _FINEST / 4, _FINEST)
            if not isinstance(end, End):
                continue
            if np.linalg.norm(end.position - foot.position) < _APART:
                continue
            self.turns.append((len(self.feet), kind))
            if len(self.turns) > _MOST_TURNS:
                raise _Ended("lost: too many turns")
            self.inside, self.at, self.outside = state, way[-2], end.beyond
            self._add(Foot(end, state, way[-2], True))
            return np.asarray(back / far)
        raise _Ended("nothing" if len(self.feet) < 12 else f"lost: no way round a {kind}")

    def _left(self, direction: Array) -> Array:
        return self.sense * np.array([-direction[1], direction[0]])

    def _add(self, foot: Foot) -> None:
        self.feet.append(foot)
        if _closes(self.feet, self.space):
            raise _Ended("closed")
        if len(self.feet) > _MOST_FEET:
            raise _Ended("lost: too many points")

    def _back_off(self, side: float) -> Walk[None]:
        """Stand inside of the last foot, so far from a position outside."""
        end = self.feet[-1].end
        self.inside, self.at, self.outside = end.state, end.position, end.beyond
        length = np.linalg.norm(self.outside - self.at)
        outward = (self.outside - self.at) / length
        while side > length:
            back = self.outside - side * outward
            if self.domain.margin(back) >= 0:
                backed = yield from reach(self.inside, self.at, back, _MOVING)
                if isinstance(backed, State):
                    self.inside, self.at = backed, back
                    return
            side /= 2

    def _roll(self) -> Walk[Array | str]:
        """Roll a triangle along the edge; return its direction, or what it turns around."""
        side = float(np.linalg.norm(self.outside - self.at))
        rolled = [self.feet[-1].position]
        about_inside = about_outside = 0
        for _ in range(_ROLLS):
            outward = (self.outside - self.at) / np.linalg.norm(self.outside - self.at)
            middle = (self.at + self.outside) / 2
            apex = middle + np.sqrt(0.75) * side * self._left(outward)
            if self.domain.margin(apex) < 0:
                raise _Ended("edge")
            found = yield from reach(self.inside, self.at, apex, _FINEST)
            if isinstance(found, End):
                self.outside = apex
                about_inside, about_outside = about_inside + 1, 0
                foot = Foot(found, self.inside, self.at, True)
            else:
                before, self.inside, self.at = self.at, found, apex
                about_inside, about_outside = 0, about_outside + 1
                across = yield from reach(self.inside, self.at, self.outside, _FINEST)
                if not isinstance(across, End):  # around the tip of the edge
                    self.inside, self.at, self.outside = across, self.outside, before
                    across = yield from reach(self.inside, self.at, self.outside, _FINEST)
                    if not isinstance(across, End):
                        return "cusp"
                    rolled = []
                foot = Foot(across, self.inside, self.at, True)
            self._add(foot)
            rolled.append(foot.position)
            if about_inside >= _AROUND:
                return "tip"
            if about_outside >= _AROUND:
                return "cusp"
            along = rolled[-1] - rolled[0]
            if np.linalg.norm(along) > side:
                return np.asarray(along / np.linalg.norm(along))
        raise _Ended("lost: turns in a circle")

    def _is_narrow(self, width: float, angles: Sequence[float] = (0.0,)) -> Walk[bool]:
        """Whether another edge is within a distance of the last foot, at angles to straight in."""
        foot = self.feet[-1]
        inward = foot.end.position - foot.end.beyond
        inward *= width / np.linalg.norm(inward)
        if np.linalg.norm(foot.at - foot.position) > width:
            return False
        for angle in angles:
            turned = np.cos(angle) * inward + np.sin(angle) * self._left(inward)
            if self.domain.margin(foot.position + turned) < 0:
                continue
            found = yield from reach(foot.anchor, foot.at, foot.position + turned, _FINEST)
            if isinstance(found, End):
                return True
        return False

    def _straight_on(self, along: Array) -> Walk[None]:
        """Walk on as long as the edge is straight enough for steps that are not tiny."""
        step, lean = _SMALLEST_STEP, _LEAN
        smooth = 0  # feet behind, of which the edge is a smooth continuation
        while step >= _SMALLEST_STEP and step * lean >= _LEAST_LEAN:
            last = self.feet[-1].position
            ahead = self._ahead(along, step, smooth)
            inwards = self._left(along)
            goal = ahead + lean * step * inwards
            beyond = ahead - lean * step * inwards
            if min(self.domain.margin(goal), self.domain.margin(beyond)) < 0:
                if step < 2 * _SMALLEST_STEP:
                    raise _Ended("edge")
                step /= 2
                continue
            arrived = yield from reach(self.inside, self.at, goal, _MOVING)
            if isinstance(arrived, End):
                step, lean = 0.7 * step, 0.6 * lean
                continue
            end = yield from reach(arrived, goal, beyond, _FINEST, 0.5)
            if not isinstance(end, End):
                step, lean = 0.5 * step, min(_LEAN, 1.5 * lean)
                continue
            foot = Foot(end, arrived, goal, False)
            chord = foot.position - last
            length = float(np.linalg.norm(chord))
            if chord @ along < _STRAIGHT * length:
                step /= 2
                continue
            self._add(foot)
            smooth += 1
            self.inside, self.at, self.outside = arrived, goal, end.beyond
            bulge = length * float(np.linalg.norm(chord / length - along)) / 8
            along = chord / length
            growth = min(_GROWTH, np.sqrt(_BULGE / max(bulge, 1e-12)))
            step, lean = min(_LARGEST_STEP, growth * step), min(_LEAN, _GROWTH * lean)

    def _ahead(self, along: Array, step: float, smooth: int) -> Array:
        """Return where the edge is expected: on the parabola through the last feet."""
        last = self.feet[-1].position
        if smooth < 3:
            return np.asarray(last + step * along)
        before, earlier = self.feet[-2].position, self.feet[-3].position
        one = float(np.linalg.norm(last - before))
        two = float(np.linalg.norm(before - earlier))
        first = (last - before) / one
        second = (first - (before - earlier) / two) / (one + two)
        return np.asarray(last + step * (first + (step + one) * second))


def _closes(feet: list[Foot], space: Space) -> bool:
    if len(feet) < 10:
        return False
    start, second, last, before = (feet[k].position for k in (0, 1, -1, -2))
    step = max(float(np.linalg.norm(last - before)), _SMALLEST_STEP)
    if np.linalg.norm(last - start) > 0.7 * step:
        return False
    near = space.distance(feet[0].end.state.x, feet[-1].end.state.x) < _SAME_SHEET
    return bool(near and (last - before) @ (second - start) > 0)
