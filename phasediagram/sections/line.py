"""Every minimum, followed along a line from where it is found."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.following import End, trace_end
from phasediagram.catalogue.components import components_of
from phasediagram.minima.engine import Engine
from phasediagram.minima.following import LARGEST_MOVE
from phasediagram.minima.search import State, find_minima, search
from phasediagram.minima.state import SAME_STATE
from phasediagram.parameters import Plane
from phasediagram.sections.changes import Change, Segment, continuous_change, small_jump

Array = NDArray[np.float64]

_SEEDS = 9  # points of the line at which all minima are searched
_STARTS = 200  # of each search
_WIDENED = 16.0  # times the bracket of an end, on both sides, in which a transition is looked for
_PUSH = 1e-3  # off a state that is no minimum any more
_MERGING = 1e-3  # distance at which, curvatures vanishing, rounding hides which one a minimum is
_SAME_PLACE = 1e-7  # of coordinates: one continuous transition, met twice
_ENDINGS = 4  # continuous transitions between neighbouring points


@dataclass(frozen=True)
class _Place:
    """A minimum at one point of the line."""

    index: int
    state: State


Path = dict[int, State]  # a minimum at each point at which it exists


class Line:
    """Points at which minima are searched and between which they are followed."""

    def __init__(self, engine: Engine, plane: Plane, positions: Array) -> None:
        self.engine, self.plane, self.positions = engine, plane, positions
        self.met: list[Change] = []
        self.components = components_of(plane)

    def paths(self, rng: np.random.Generator) -> list[Array]:
        """Return the states of every minimum, (points, d), NaN where it does not exist."""
        count = len(self.positions)
        paths: list[Path] = []
        for index in np.unique(np.linspace(0, count - 1, _SEEDS).round().astype(int)).tolist():
            at = self.plane.at(self.positions[index])
            places = [_Place(index, s) for s in search(self.engine, at, _STARTS, rng)]
            while places:
                place = places.pop(0)
                if not self._known(paths, place):
                    path, met = self._follow(place, paths)
                    paths.append(path)
                    places += met
        return [self._table(path, count) for path in paths]

    def _known(self, paths: list[Path], place: _Place) -> bool:
        there = [path[place.index].x for path in paths if place.index in path]
        return any(self._distance(place.state.x, x) < SAME_STATE for x in there)

    def _follow(self, place: _Place, others: list[Path]) -> tuple[Path, list[_Place]]:
        """Follow a minimum both ways; return its path, and minima met where it ends."""
        path, met = {place.index: place.state}, []
        for step in (1, -1):
            here = place
            while 0 <= here.index + step < len(self.positions):
                index = here.index + step
                end = self._go_on(here.state, self.positions[here.index], self.positions[index])
                if isinstance(end, End):
                    met += [_Place(index, state) for state in self._fallen(end, index)]
                    break
                here = _Place(index, end)
                if self._known(others, here):
                    break
                path[index] = end
        return path, met

    def _go_on(self, state: State, start: Array, stop: Array) -> State | End:
        """Follow a minimum from point to point, through continuous transitions."""
        end = trace_end(self.engine, self.plane, state, start, stop)
        for _ in range(_ENDINGS):
            if not isinstance(end, End):
                break
            following = self._turned_into(end)
            if following is None:
                break
            self._note(end, following)
            end = trace_end(self.engine, self.plane, following, end.beyond, stop)
        return end

    def _note(self, end: End, following: State) -> None:
        """Remember where a minimum becomes another."""
        bracket = end.beyond - end.position  # next to a transition minima are lost a little early
        reach = end.position - _WIDENED * bracket, end.beyond + _WIDENED * bracket
        segment = Segment(self.engine, self.plane, *reach, end.state.x[None])
        soft = continuous_change(segment, end.state.x, following.x, end.state.direction)
        if soft is None:
            return
        states = end.state.x, following.x
        apart = max(states, key=lambda x: self._distance(x, soft.before))
        change = small_jump(segment, soft, apart) or replace(
            soft, before=states[0], after=states[1]
        )
        if end.position.sum() > end.beyond.sum():
            change = replace(change, before=change.after, after=change.before)
        if not any(
            np.abs(change.position - other.position).max() < _SAME_PLACE for other in self.met
        ):
            self.met.append(change)

    def _turned_into(self, end: End) -> State | None:
        """Return as what a minimum goes on beyond a continuous transition, the lowest if several.

        What it goes on as is near by, and before the transition the same or no minimum.
        """
        for state in self._around(end, end.beyond):
            if self._distance(state.x, end.state.x) < LARGEST_MOVE:
                back = trace_end(self.engine, self.plane, state, end.beyond, end.position)
                if isinstance(back, End) or self._distance(back.x, end.state.x) < _MERGING:
                    return state
        return None

    def _fallen(self, end: End, index: int) -> list[State]:
        """Return minima at a point into which one falls that has ended before it."""
        return self._around(end, self.positions[index])

    def _distance(self, x: Array, other: Array) -> float:
        return self.engine.space.distance(x, other)

    def _around(self, end: End, position: Array) -> list[State]:
        x, push = end.state.x, _PUSH * end.state.direction
        starts = np.array([x, x + push, x - push])
        return find_minima(self.engine, self.plane.at(position), starts)

    def _table(self, path: Path, count: int) -> Array:
        table = np.full((count, self.engine.space.size), np.nan)
        for index, state in path.items():
            table[index] = state.x
        return table
