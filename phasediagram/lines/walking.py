"""Walks along the edge of the region in which a minimum exists.

The edge is followed as one follows a wall: from a position inside, straight on; a feeler is put
out across the edge, and where it finds the edge elsewhere than expected, steps get shorter.  At
corners (where what ends the minimum changes) and tips (where two edges meet) small triangles roll
along the edge, whatever its shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.following import End, Walk, reach
from phasediagram.lines.tracer import Domain
from phasediagram.minima.search import State
from phasediagram.minima.state import Space

Array = NDArray[np.float64]

_LARGEST_STEP = 0.06
_SMALLEST_STEP = 2e-4
_FIRST_SIDE = 5e-3  # of the triangles with which a walk sets out
_GROWTH = 1.6
_LEAN = 0.25  # of a step: how far inside the edge walks go
_STRAIGHT = np.cos(np.radians(20.0))
_ROLLS = 200  # of triangles in a row
_AROUND = 7  # triangles about one corner: more than a full turn
_MOST_FEET = 3000
_SAME_SHEET = 0.1  # distance of states of one minimum, a step apart
_FINEST = 2**-6  # share of a feeler


@dataclass(frozen=True)
class Foot:
    """A point of the edge, bracketed.

    Attributes
    ----------
    end : End
    anchor : State
        The minimum somewhat farther inside.
    rolled : bool
        Whether it was found at a corner.
    """

    end: End
    anchor: State
    rolled: bool

    @property
    def position(self) -> Array:
        """The middle of the bracket."""
        return np.asarray((self.end.position + self.end.beyond) / 2)


def _left(direction: Array, sense: int) -> Array:
    return sense * np.array([-direction[1], direction[0]])


def walk(first: End, sense: int, domain: Domain, space: Space) -> Walk[tuple[list[Foot], str]]:
    """Walk along the edge from where a minimum ends, with the inside on the left (sense 1).

    Returns
    -------
    feet : list of Foot
    end : str
        ``"edge"`` of the domain, ``"closed"``, or why the walk was given up.
    """
    feet = [Foot(first, first.state, True)]
    inside, at, outside = first.state, first.position, first.beyond
    inside, at = yield from _back_off(inside, at, outside, _FIRST_SIDE, domain)
    step = 0.0
    while len(feet) < _MOST_FEET:
        rolled: list[Foot] = []
        about_inside = about_outside = 0
        for _ in range(_ROLLS):
            if about_inside >= _AROUND:
                return feet, "tip"
            if about_outside >= _AROUND:
                return feet, "nothing"
            side = np.linalg.norm(outside - at)
            outward = (outside - at) / side
            apex = (at + outside) / 2 + np.sqrt(0.75) * side * _left(outward, sense)
            if domain.margin(apex) < 0:
                return feet, "edge"
            found = yield from reach(inside, at, apex, _FINEST)
            if isinstance(found, End):
                outside = apex
                about_inside, about_outside = about_inside + 1, 0
                rolled.append(Foot(found, inside, True))
            else:
                before = at
                inside, at = found, apex
                about_inside, about_outside = 0, about_outside + 1
                tip = yield from reach(inside, at, outside, _FINEST)
                if isinstance(tip, End):
                    rolled.append(Foot(tip, inside, True))
                else:
                    inside, at, outside = tip, outside, before
                    about_outside = 0
            feet += rolled[-1:]
            if _closes(feet, sense, space):
                return feet, "closed"
            if len(rolled) > 1 and np.linalg.norm(rolled[-1].position - rolled[0].position) > side:
                break
        else:
            return feet, "lost: turns in a circle"
        along = rolled[-1].position - rolled[0].position
        along /= np.linalg.norm(along)
        step = max(step, _SMALLEST_STEP)
        while step >= _SMALLEST_STEP:
            last = feet[-1].position
            inwards = _left(along, sense)
            goal = last + step * along + _LEAN * step * inwards
            beyond = goal - 2 * _LEAN * step * inwards
            if min(domain.margin(goal), domain.margin(beyond)) < 0:
                if step < 2 * _SMALLEST_STEP:
                    return feet, "edge"
                step /= 2
                continue
            arrived = yield from reach(inside, at, goal, 0.2)
            end = None
            if isinstance(arrived, State):
                end = yield from reach(arrived, goal, beyond, _FINEST, 0.5)
            if not isinstance(end, End) or not isinstance(arrived, State):
                step /= 2
                continue
            foot = Foot(end, arrived, False)
            chord = foot.position - last
            length = np.linalg.norm(chord)
            if chord @ along < _STRAIGHT * length:
                step /= 2
                continue
            feet.append(foot)
            inside, at, outside = arrived, goal, end.beyond
            along = chord / length
            if _closes(feet, sense, space):
                return feet, "closed"
            if len(feet) > _MOST_FEET:
                break
            step = min(_LARGEST_STEP, _GROWTH * step)
        # a small triangle across the edge, from which the next rolls on
        end = feet[-1].end
        outside = end.beyond
        inside, at = yield from _back_off(
            end.state, end.position, outside, _SMALLEST_STEP / 2, domain
        )
        step = _SMALLEST_STEP
    return feet, "lost: too many points"


def _back_off(
    inside: State, at: Array, outside: Array, side: float, domain: Domain
) -> Walk[tuple[State, Array]]:
    """Move inwards, away from a position outside, so far that the distance is `side`."""
    outward = (outside - at) / np.linalg.norm(outside - at)
    while side > np.linalg.norm(outside - at):
        back = outside - side * outward
        if domain.margin(back) >= 0:
            backed = yield from reach(inside, at, back, 0.2)
            if isinstance(backed, State):
                return backed, back
        side /= 2
    return inside, at


def _closes(feet: list[Foot], sense: int, space: Space) -> bool:
    if len(feet) < 10:
        return False
    start, second, last, before = (feet[k].position for k in (0, 1, -1, -2))
    if np.linalg.norm(last - start) > 0.7 * max(np.linalg.norm(last - before), _SMALLEST_STEP):
        return False
    near = space.distance(feet[0].end.state.x, feet[-1].end.state.x) < _SAME_SHEET
    return bool(near and (last - before) @ (second - start) > 0)
