"""The atlas: all minima at the nodes of a grid, each linked to its neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.following import End, reach, together
from phasediagram.minima.engine import Ends, Engine
from phasediagram.minima.following import LARGEST_MOVE
from phasediagram.minima.search import (
    State,
    are_silent,
    distinct,
    find_minima,
    minima_between,
    search,
)
from phasediagram.minima.starts import random_starts
from phasediagram.minima.state import SAME_STATE, Space
from phasediagram.parameters import Parameters, Plane

Array = NDArray[np.float64]
Node = tuple[int, int]

_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1))
_PUSH = 1e-3  # off a state that is no minimum
_TRIED = 6  # random starts where a minimum ends
_SIMILAR = 0.02  # distance of states in a cell of which one is enough
_MORE = 20  # random starts beside curves
_RADIUS = 0.1  # the first trust radius from states known near by
_CONVERGED = 1e3  # times the tolerance: where rounding stops a descent
_ALIKE = 1e-3  # distance of starts of which one is enough
_RATE = 0.5  # change of a minimum's state from place to place, over that of the coordinates


@dataclass(frozen=True)
class Atlas:
    """All minima over a grid.

    Attributes
    ----------
    axes : tuple of ndarray
        Coordinates of the nodes.
    states : dict
        Node (i, j) to its minima.
    links : dict
        (node, index of a minimum, neighbouring node) to the index of the minimum as which it goes
        on there, or to where it ends.
    between : dict
        Cell (i, j), named after its lower corner, to minima that were met inside it and end on
        the way to a corner: where, and their states.
    met : list of End
        Where those end on the way to the corners of their cells.
    """

    axes: tuple[Array, Array]
    states: dict[Node, list[State]] = field(default_factory=dict)
    links: dict[tuple[Node, int, Node], int | End] = field(default_factory=dict)
    between: dict[Node, list[tuple[Array, Array]]] = field(default_factory=dict)
    met: list[End] = field(default_factory=list)
    examined: set[End] = field(default_factory=set)
    ended: dict[Node, list[Array]] = field(default_factory=dict)
    followed: dict[Node, list[Array]] = field(default_factory=dict)
    known: dict[Node, _Known] = field(default_factory=dict)

    def position(self, node: Node) -> Array:
        """Return the coordinates of a node."""
        return np.array([self.axes[0][node[0]], self.axes[1][node[1]]])

    def neighbours(self, node: Node) -> Iterator[Node]:
        """Yield the up to four neighbours of a node."""
        for di, dj in _DIRECTIONS:
            i, j = node[0] + di, node[1] + dj
            if 0 <= i < len(self.axes[0]) and 0 <= j < len(self.axes[1]):
                yield i, j

    def lowest(self, node: Node) -> int:
        """Return the index of the lowest minimum at a node."""
        return int(np.argmin([state.loss for state in self.states[node]]))

    def cell(self, position: Array) -> Node:
        """Return the lower corner of the cell that holds a position."""
        i, j = (
            int(np.clip(np.searchsorted(axis, value) - 1, 0, len(axis) - 2))
            for axis, value in zip(self.axes, position, strict=True)
        )
        return i, j

    def nearest(self, position: Array) -> Array:
        """Return the position of the node nearest to another."""
        return np.array(
            [a[np.abs(a - q).argmin()] for a, q in zip(self.axes, position, strict=True)]
        )

    def add(self, position: Array, x: Array) -> None:
        """Keep the state of a minimum that exists at a position."""
        cell = self.cell(position)
        self.between.setdefault(cell, []).append((position, x))
        for di in (-1, 0, 1):
            for dj in (-1, 0, 1):
                self.known.pop((cell[0] + di, cell[1] + dj), None)

    def ends(self) -> list[End]:
        """Return every place where a minimum that was followed ends."""
        return [link for link in self.links.values() if isinstance(link, End)] + self.met

    def near(self, position: Array, space: Space) -> Array:
        """Return states (k, d) from which all minima known around a position can be reached.

        Those at the corners of its cell; and of those met in and around it the nearest ones,
        without others that differ from them no more than minima do from place to place.
        """
        known = self._around(self.cell(position), space)
        order = np.argsort(np.abs(known.positions - position).max(axis=1, initial=0.0))
        kept: list[int] = []
        told = np.zeros(len(order), dtype=bool)
        for k in order.tolist():
            if not told[k]:
                kept.append(k)
                told |= known.are_alike[:, k]
        return np.concatenate([known.corners, known.met[kept]])

    def all_near(self, position: Array, space: Space) -> Array:
        """Return the states (k, d) of all minima known in and around the cell of a position."""
        known = self._around(self.cell(position), space)
        return np.concatenate([known.corners, known.met])

    def _around(self, cell: Node, space: Space) -> _Known:
        if cell not in self.known:
            i, j = cell
            corners: list[Array] = []
            for state in (s for di in (0, 1) for dj in (0, 1) for s in self.states[i + di, j + dj]):
                known = np.array(corners)
                if not corners or space.distances(state.x[None], known).min() > _ALIKE:
                    corners.append(state.x)
            met = [
                place
                for di in (-1, 0, 1)
                for dj in (-1, 0, 1)
                for place in self.between.get((i + di, j + dj), [])
            ]
            positions = np.array([position for position, _ in met]).reshape(-1, 2)
            states = np.array([x for _, x in met]).reshape(-1, space.size)
            moved = np.abs(positions[:, None] - positions).max(axis=2)
            are_alike = space.distances(states, states) < np.maximum(_ALIKE, _RATE * moved)
            self.known[cell] = _Known(
                np.array(corners).reshape(-1, space.size), positions, states, are_alike
            )
        return self.known[cell]


@dataclass(frozen=True)
class _Known:
    """What is known in and around a cell.

    Attributes
    ----------
    corners : ndarray, shape (c, d)
        The different states of minima at its corners.
    positions, met : ndarray, shape (k, 2) and (k, d)
        Where minima were met in and around it, and their states.
    are_alike : ndarray, shape (k, k)
        Which of these may be the same minimum.
    """

    corners: Array
    positions: Array
    met: Array
    are_alike: NDArray[np.bool_]


def build_atlas(
    engine: Engine,
    plane: Plane,
    axes: tuple[Array, Array],
    stride: int,
    starts: int,
    rng: np.random.Generator,
) -> Atlas:
    """Search all minima at every `stride`-th node, and follow each from node to node.

    Every minimum found at a node is followed to its neighbours until nothing is new.
    """
    atlas = Atlas(axes)
    nodes = [(i, j) for i in range(len(axes[0])) for j in range(len(axes[1]))]
    for node in nodes:
        atlas.states[node] = []
    for node in nodes:
        if node[0] % stride == stride // 2 and node[1] % stride == stride // 2:
            atlas.states[node] = search(engine, plane.at(atlas.position(node)), starts, rng)
    wave = [(node, k) for node in nodes for k in range(len(atlas.states[node]))]
    while wave:
        wave = _spread(engine, plane, atlas, wave)
        if not wave:
            wave = _beyond_ends(engine, plane, atlas, rng)
    return atlas


def _beyond_ends(
    engine: Engine, plane: Plane, atlas: Atlas, rng: np.random.Generator
) -> list[tuple[Node, int]]:
    """Look for minima where others end, that no node may have; return those new to a node."""
    jobs = []
    for end in [*atlas.links.values(), *atlas.met]:
        if not isinstance(end, End) or end in atlas.examined:
            continue
        atlas.examined.add(end)
        cell = atlas.cell(end.beyond)
        seen = atlas.ended.setdefault(cell, [])
        if seen and engine.space.distances(end.state.x[None], np.array(seen)).min() < _SIMILAR:
            continue
        seen.append(end.state.x)
        push = _PUSH * end.state.direction
        starts = np.array([end.state.x + push, end.state.x - push])
        starts = np.concatenate([starts, random_starts(engine.space, _TRIED, rng)])
        followed = atlas.followed.setdefault(cell, [])
        for state in find_minima(engine, plane.at(end.beyond), starts):
            far = engine.space.distances(
                state.x[None], np.array(followed).reshape(-1, state.x.size)
            )
            if far.min(initial=np.inf) < _SIMILAR:
                continue
            followed.append(state.x)
            jobs.append((state, end.beyond, cell))
    return _follow_to_corners(engine, plane, atlas, jobs)


def _follow_to_corners(
    engine: Engine, plane: Plane, atlas: Atlas, jobs: list[tuple[State, Array, Node]]
) -> list[tuple[Node, int]]:
    """Follow minima to the corners of their cells; return those new there.

    The atlas keeps those that end on the way to one, for there may be none nearer.
    """
    corners = [[(i + di, j + dj) for di in (0, 1) for dj in (0, 1)] for _, _, (i, j) in jobs]
    walks = [
        reach(state, start, atlas.position(node))
        for (state, start, _), nodes in zip(jobs, corners, strict=True)
        for node in nodes
    ]
    arrivals = iter(together(engine, plane, walks))
    new = []
    for (state, start, _), nodes in zip(jobs, corners, strict=True):
        arrived = [(node, next(arrivals)) for node in nodes]
        if any(isinstance(there, End) for _, there in arrived):
            atlas.add(start, state.x)
        for node, there in arrived:
            if isinstance(there, End):
                atlas.met.append(there)
            elif _match(engine, atlas.states[node], there.x) is None:
                atlas.states[node].append(there)
                new.append((node, len(atlas.states[node]) - 1))
    return new


def search_more(
    engine: Engine,
    plane: Plane,
    atlas: Atlas,
    positions: Iterable[Array],
    rng: np.random.Generator,
) -> list[End]:
    """Search minima at positions that are not known near by; follow each to the nearest node.

    A minimum that exists in a small region may be at no node.  The atlas gets those that end on
    the way, and where they end is returned.
    """
    places = list(positions)
    known = [atlas.near(q, engine.space) for q in places]
    near = _descents(engine, plane, places, known, _RADIUS)
    random = _descents(
        engine, plane, places, [random_starts(engine.space, _MORE, rng) for _ in places]
    )
    found = []
    for position, starts, *both in zip(places, known, near, random, strict=True):
        at = plane.at(position)
        old, more = _continued(engine, at, starts, both[0])
        reached = np.concatenate([more, _reached(engine, at, both[1])])
        far = engine.space.distances(reached, old).min(axis=1, initial=np.inf)
        states = find_minima(engine, at, reached[far > SAME_STATE])
        every = np.concatenate([old, np.array([s.x for s in states]).reshape(-1, old.shape[1])])
        states += minima_between(engine, at, every, rng)
        found += [(state, position) for state in states]
    walks = [reach(state, start, atlas.nearest(start)) for state, start in found]
    ends = []
    for (state, start), end in zip(found, together(engine, plane, walks), strict=True):
        if isinstance(end, End):
            ends.append(end)
            close = atlas.all_near(start, engine.space)
            if engine.space.distances(state.x[None], close).min(initial=np.inf) > _SIMILAR:
                atlas.add(start, state.x)
    atlas.met.extend(ends)
    return ends


def _descents(
    engine: Engine,
    plane: Plane,
    places: list[Array],
    starts: list[Array],
    radius: float | None = None,
) -> list[Ends]:
    """Descend from the starts (k, d) of each place; return where those of each ended."""
    if not places:
        return []
    counts = [len(part) for part in starts]
    tables, importances, tolerances = plane.many(np.repeat(places, counts, axis=0))
    every = np.concatenate(starts)
    widths = () if radius is None else (radius,)
    ends = engine.minimize(every, tables, importances, tolerances, *widths)
    cuts = np.cumsum(counts)[:-1]
    parts = (np.split(values, cuts) for values in (ends.x, ends.loss, ends.slope))
    return [Ends(*part) for part in zip(*parts, strict=True)]


def _continued(engine: Engine, at: Parameters, starts: Array, ends: Ends) -> tuple[Array, Array]:
    """Return the different ends of descents from known minima that are these, and those others."""
    size = engine.space.size
    far = [float(engine.space.distance(x, y)) for x, y in zip(starts, ends.x, strict=True)]
    good = (ends.slope < _CONVERGED * at.tolerance) & ~are_silent(engine, ends.x)
    stayed = good & (np.array(far) < LARGEST_MOVE)
    old, more = (
        np.array(distinct(engine, ends.x, ends.loss, which)).reshape(-1, size)
        for which in (stayed, good & ~stayed)
    )
    return old, more


def _reached(engine: Engine, at: Parameters, ends: Ends) -> Array:
    """Return the different states (k, d) at which descents ended."""
    good = (ends.slope < _CONVERGED * at.tolerance) & ~are_silent(engine, ends.x)
    states = distinct(engine, ends.x, ends.loss, good)
    return np.array(states).reshape(-1, engine.space.size)


def _spread(
    engine: Engine, plane: Plane, atlas: Atlas, wave: list[tuple[Node, int]]
) -> list[tuple[Node, int]]:
    """Follow minima to the neighbours of their nodes; return those that are new there."""
    jobs = [(node, k, other) for node, k in wave for other in atlas.neighbours(node)]
    walks = [
        reach(atlas.states[node][k], atlas.position(node), atlas.position(other))
        for node, k, other in jobs
    ]
    new = []
    for job, arrived in zip(jobs, together(engine, plane, walks), strict=True):
        if isinstance(arrived, End):
            atlas.links[job] = arrived
            continue
        other = job[2]
        known = _match(engine, atlas.states[other], arrived.x)
        if known is None:
            known = len(atlas.states[other])
            atlas.states[other].append(arrived)
            new.append((other, known))
        atlas.links[job] = known
    return new


def _match(engine: Engine, states: list[State], x: Array) -> int | None:
    if not states:
        return None
    distances = engine.space.distances(x[None], np.array([s.x for s in states]))[0]
    nearest = int(distances.argmin())
    return nearest if distances[nearest] < SAME_STATE else None
