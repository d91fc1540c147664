"""The map of first-order lines: where the lowest minimum jumps, traced between their nodes.

A grid of lowest minima seeds the search.  Where neighbours differ and no known line passes
between them, bisection finds two minima of equal loss, and `phasediagram.equilibrium` follows
the line through that point both ways, beyond where the two are lowest.  Each line is then cut
where a third minimum becomes lower: in triple points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasediagram.branches import Model
from phasediagram.closed_forms import ignored_stability_limit
from phasediagram.equilibrium import Coexistence, Domain, trace, triple_point
from phasediagram.free_grid import minimize_over_grid
from phasediagram.free_minimization import Progress
from phasediagram.grid_store import in_memory
from phasediagram.grid_tiles import cut_into_tiles
from phasediagram.naming.phases import phase_of

Array = NDArray[np.float64]

_DENSITIES = np.concatenate([np.geomspace(0.01, 0.45, 14), np.linspace(0.46, 1.0, 55)])
_IMPORTANCE_LINES = 60  # even: no line lies on r = 1, where two minima tie
_JUMP = 0.15
_BISECTIONS = 11
_PUSHES = np.array([0.003, 0.01, 0.03])
_CONTINUOUS = 2.5e-3  # bisection leaves less than this of a jump where there is none
_SUBSTEPS = 8
_DEPTH = 3  # one edge may cross several lines
_WEAK_NORMS = (0.003, 0.01, 0.03, 0.1, 0.2)
# lines of constant density near which the extra feature enters by a small jump
_SCANNED = (0.5135, 0.516, 0.87, 0.95)
_SCAN_WIDTHS = np.array([-1.0, -0.3, -0.1, -0.03, -0.01, 0.0, 0.01, 0.03, 0.1, 0.3, 1.0])
_NEAR = 0.12
_LOWER = 2e-15  # relatively lower than this is a third phase, not rounding
_DIFFERENT = 5e-4


@dataclass(frozen=True)
class Line:
    """Part of a first-order line on which its two minima are lowest.

    Attributes
    ----------
    points : tuple of Coexistence
    slopes : ndarray, shape (len(points), 2)
        Derivative of L(first) - L(second) by (u, v).
    names : tuple of frozenset of str
        The two phases at each point.
    """

    points: tuple[Coexistence, ...]
    slopes: Array
    names: tuple[frozenset[str], ...]

    @cached_property
    def positions(self) -> Array:
        """Positions (u, v), shape (len(points), 2)."""
        return np.array([point.position for point in self.points])

    def part(self, begin: int, end: int) -> Line:
        """Return the line from point `begin` to before point `end`."""
        return Line(self.points[begin:end], self.slopes[begin:end], self.names[begin:end])


@dataclass(frozen=True)
class Edge:
    """Two positions and the lowest minimum at each."""

    start: Array
    first: Array
    end: Array
    second: Array


@dataclass(frozen=True)
class TriplePoint:
    """Where three minima (3, d) are lowest together."""

    position: Array
    states: Array


@dataclass(frozen=True)
class Sample:
    """The lowest minima over a grid: positions (D,), (R,), states (D, R, d)."""

    u: Array
    v: Array
    states: Array


class Mapper:
    """Finds and traces the first-order lines of one model.

    Parameters
    ----------
    model : Model
    domain : Domain
    continuous : sequence of (positions (k, 2), names)
        Lines on which the lowest minimum changes continuously.
    """

    def __init__(
        self,
        model: Model,
        domain: Domain,
        continuous: Sequence[tuple[Array, frozenset[str]]],
    ) -> None:
        self.model, self.domain = model, domain
        self.rng = np.random.default_rng(0)
        self.continuous = continuous
        self.lines: list[Line] = []

    def run(self, progress: Progress | None = None) -> tuple[list[Line], list[TriplePoint]]:
        """Return the first-order lines, cut to where they are lowest, and their nodes."""
        sample = self._sample(_stage(progress, 0.0, 0.35))
        edges = [*self._scans(sample), *self._edges(sample)]
        for done, edge in enumerate(edges):
            self._explain(edge)
            if progress is not None:
                progress(0.35 + 0.4 * (done + 1) / len(edges))
        return self._cut(sample, _stage(progress, 0.75, 1.0))

    def _sample(self, progress: Progress | None) -> Sample:
        s = np.linspace(-1, 1, _IMPORTANCE_LINES)
        importance = np.exp(self.domain.upper[1] * (0.2 * s + 0.8 * s**3))
        n, m = self.model.n, self.model.m
        tiles = len(cut_into_tiles(n, len(_DENSITIES), len(importance)))
        store = in_memory(n, m, _DENSITIES, importance, tiles)
        minimize_over_grid(store, progress)
        return Sample(np.log(_DENSITIES), np.log(importance), store.x)

    def _edges(self, sample: Sample) -> list[Edge]:
        """Return the pairs of neighbouring points whose lowest minima differ."""
        edges = []
        names = np.array(
            [
                [self.name(x, float(u)) for x in row]
                for u, row in zip(sample.u, sample.states, strict=True)
            ]
        )
        rows, columns = names.shape
        for i, j in np.ndindex(rows, columns):
            for k, h in ((i, j + 1), (i + 1, j)):
                if k == rows or h == columns:
                    continue
                first, second = sample.states[i, j], sample.states[k, h]
                if names[i, j] != names[k, h] or self.model.distance(first, second) > _JUMP:
                    start = np.array([sample.u[i], sample.v[j]])
                    end = np.array([sample.u[k], sample.v[h]])
                    edges.append(Edge(start, first, end, second))
        return edges

    def name(self, x: Array, u: float) -> str:
        """Return the phase of a state at log density u."""
        return phase_of(self.model.weights(x), min(float(np.exp(u)), 1.0))

    def _names(self, edge: Edge) -> frozenset[str]:
        return frozenset(
            (self.name(edge.first, edge.start[0]), self.name(edge.second, edge.end[0]))
        )

    def _drifts(self, edge: Edge) -> bool:
        """Whether one minimum leads to the other without a jump."""
        x = edge.first
        for share in np.arange(1, _SUBSTEPS + 1) / _SUBSTEPS:
            position = edge.start + share * (edge.end - edge.start)
            moved = self.model.minimize(x[None], position[:1], position[1:])[0][0]
            if self.model.distance(x, moved) > _JUMP / 2:
                return False
            x = moved
        return self.model.same(x, edge.second)

    def _scans(self, sample: Sample) -> list[Edge]:
        """Return pairs along lines of constant density that cross where ignoring ends."""
        edges = []
        sides = (1.0, -1.0) if self.model.n == 2 else (1.0,)
        for density in _SCANNED:
            centre = float(np.log(ignored_stability_limit(density)))
            for side in sides:
                v = side * (centre + 0.05 * _SCAN_WIDTHS)
                u = np.full(len(v), np.log(density))
                starts = [self._around(sample, u[0], value) for value in v]
                weak = [self._weak(density, side) for _ in v]
                x, _ = self.model.lowest(np.concatenate([starts, weak], axis=1), u, v)
                positions = np.stack([u, v], axis=1)
                edges += [
                    Edge(positions[i], x[i], positions[i + 1], x[i + 1])
                    for i in range(len(v) - 1)
                    if self.model.distance(x[i], x[i + 1]) > _DIFFERENT
                ]
        return edges

    def _around(self, sample: Sample, u: float, v: float) -> Array:
        """Return the states at the four grid points around a position, (4, d)."""
        i = np.clip(np.searchsorted(sample.u, u), 1, len(sample.u) - 1)
        j = np.clip(np.searchsorted(sample.v, v), 1, len(sample.v) - 1)
        return sample.states[i - 1 : i + 1, j - 1 : j + 1].reshape(4, -1)

    def _weak(self, density: float, side: float) -> Array:
        """Return states in which one feature is weakly represented."""
        n, m = self.model.n, self.model.m
        weak = n - 1 if side > 0 else 0
        others = [i for i in range(n) if i != weak]
        starts = []
        for norm in (0.0, *_WEAK_NORMS):
            for count in (1, m):
                W = np.zeros((m, n))
                W[range(m), others] = 1.0
                W[:count, weak] = -norm / np.sqrt(count)
                b = np.zeros(n)
                b[weak] = density / 2
                starts.append(np.concatenate([W.ravel(), b]))
        return np.array(starts)

    def _explain(self, edge: Edge, depth: int = 0) -> None:
        """Trace the lines that an edge crosses, unless they are known."""
        names = self._names(edge)
        if self._is_known(edge, names) or (len(names) == 1 and self._drifts(edge)):
            return
        position, first, second = self._bisect(edge)
        if self.model.distance(first, second) > _CONTINUOUS:
            self._trace(Coexistence(position, first, second))
        if depth < _DEPTH:
            for part in (
                Edge(edge.start, edge.first, position, first),
                Edge(position, second, edge.end, edge.second),
            ):
                if len(self._names(part)) == 2:
                    self._explain(part, depth + 1)

    def _is_known(self, edge: Edge, names: frozenset[str]) -> bool:
        for positions, known in self.continuous:
            if names <= known and _crosses(positions, edge.start, edge.end):
                return True
        return any(
            names <= set().union(*line.names) and _crosses(line.positions, edge.start, edge.end)
            for line in self.lines
        )

    def line(self, points: Sequence[Coexistence], slopes: Array) -> Line:
        """Return a line with the names of its phases."""
        names = (
            frozenset((self.name(point.first, point.u), self.name(point.second, point.u)))
            for point in points
        )
        return Line(tuple(points), slopes, tuple(names))

    def _trace(self, seed: Coexistence) -> None:
        names = {frozenset((self.name(seed.first, seed.u), self.name(seed.second, seed.u)))}
        if any(
            names & set(line.names) and touches(line.positions, seed.position)
            for line in self.lines
        ):
            return
        ahead, behind = (trace(self.model, seed, sign, self.domain) for sign in (1, -1))
        if len(ahead.points) + len(behind.points) < 3:
            return
        points = (*behind.points[::-1], *ahead.points[1:])
        slopes = np.concatenate([behind.slopes[::-1], ahead.slopes[1:]])
        self.lines.append(self.line(points, slopes))

    def _bisect(self, edge: Edge) -> tuple[Array, Array, Array]:
        """Narrow down where the lowest minimum jumps between two positions."""
        start, first, end, second = edge.start, edge.first, edge.end, edge.second
        for _ in range(_BISECTIONS):
            middle = (start + end) / 2
            push = _PUSHES[:, None] * self.rng.normal(size=(len(_PUSHES), len(first)))
            starts = np.concatenate([[first, second], first + push, second + push])
            x = self.model.lowest(starts[None], middle[:1], middle[1:])[0][0]
            if self.model.distance(x, first) <= self.model.distance(x, second):
                start, first = middle, x
            else:
                end, second = middle, x
        return (start + end) / 2, first, second

    def _cut(
        self, sample: Sample, progress: Progress | None
    ) -> tuple[list[Line], list[TriplePoint]]:
        """Keep the parts where no third minimum is lower, ending in triple points."""
        kept: list[Line] = []
        nodes: list[TriplePoint] = []
        parts = [part for line in self.lines for part in self._split(line)]
        for done, line in enumerate(parts):
            third, lower = self._thirds(line, sample)
            for begin, end in _runs(~lower):
                points, slopes = list(line.points[begin:end]), list(line.slopes[begin:end])
                for outside, at in ((begin - 1, 0), (end, len(points))):
                    if 0 <= outside < len(line.points):
                        node = self._node(line.points[outside], third[outside], nodes)
                        if node is not None:
                            points.insert(at, node)
                            slopes.insert(at, line.slopes[outside])
                part = self.line(points, np.array(slopes))
                if len(points) > 1 and not self._is_kept(part, kept):
                    kept.append(part)
            if progress is not None:
                progress((done + 1) / len(parts))
        return kept, nodes

    def _split(self, line: Line) -> list[Line]:
        """Split a line where one of its states turns into another phase."""
        names = line.names
        breaks = [
            i
            for i in range(1, len(names))
            if names[i] != names[i - 1] and len(names[i]) == len(names[i - 1]) == 2
        ]
        return [line.part(i, j) for i, j in pairwise([0, *breaks, len(names)])]

    def _thirds(self, line: Line, sample: Sample) -> tuple[Array, NDArray[np.bool_]]:
        """Return the lowest minimum at each point and whether it is a third, lower one."""
        starts: list[Array] = []
        for point in line.points:
            near: list[Any] = [self._around(sample, point.u, point.v), [point.first, point.second]]
            for other in self.lines:
                distance = np.abs(other.positions - point.position).max(axis=1)
                closest = int(distance.argmin())
                if other is not line and distance[closest] < _NEAR:
                    near.append([other.points[closest].first, other.points[closest].second])
            starts.append(np.concatenate(near))
        width = max(map(len, starts))
        padded = np.array(
            [np.concatenate([s, np.tile(s[-1:], (width - len(s), 1))]) for s in starts]
        )
        u, v = line.positions.T
        x, loss = self.model.lowest(padded, u, v)
        own = self.model.loss(np.array([point.first for point in line.points]), u, v)
        differs = [
            min(self.model.distance(a, point.first), self.model.distance(a, point.second))
            > _DIFFERENT
            for a, point in zip(x, line.points, strict=True)
        ]
        return x, np.array(differs) & (loss < own * (1 - _LOWER))

    def _node(
        self, beyond: Coexistence, third: Array, nodes: list[TriplePoint]
    ) -> Coexistence | None:
        """Return the triple point near a point where a third minimum is lower."""
        states = np.stack([beyond.first, beyond.second, third])
        solved = triple_point(self.model, states, beyond.position)
        if solved is None:
            return None
        states, position = solved
        if not any(np.abs(node.position - position).max() < 1e-9 for node in nodes):
            nodes.append(TriplePoint(position, states))
        return Coexistence(position, states[0], states[1])

    def _is_kept(self, part: Line, kept: list[Line]) -> bool:
        middle = len(part.points) // 2
        return any(
            line.names[len(line.points) // 2] == part.names[middle]
            and touches(line.positions, part.positions[middle])
            for line in kept
        )


def _stage(progress: Progress | None, start: float, stop: float) -> Callable[[float], None] | None:
    if progress is None:
        return None
    return lambda share: progress(start + (stop - start) * share)


def _crosses(positions: Array, start: Array, end: Array) -> bool:
    """Whether a polyline crosses the segment from start to end, or very nearly."""
    along, segment = np.diff(positions, axis=0), end - start
    offset = start - positions[:-1]
    determinant = along[:, 0] * segment[1] - along[:, 1] * segment[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        on_line = (offset[:, 0] * segment[1] - offset[:, 1] * segment[0]) / determinant
        on_segment = (offset[:, 0] * along[:, 1] - offset[:, 1] * along[:, 0]) / determinant
    slack = 0.02
    inside = (np.abs(on_line - 0.5) <= 0.5 + slack) & (np.abs(on_segment - 0.5) <= 0.5 + slack)
    return bool(inside.any())


def touches(positions: Array, point: Array) -> bool:
    """Whether a point lies on a polyline, to the accuracy of its chords."""
    along = np.diff(positions, axis=0)
    offset = point - positions[:-1]
    share = np.clip((offset * along).sum(axis=1) / (along**2).sum(axis=1), 0, 1)
    return bool(np.abs(offset - share[:, None] * along).max(axis=1).min() < 2e-3)


def _runs(kept: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return begin and end of each run of True."""
    changes = np.flatnonzero(np.diff(np.concatenate([[0], kept.astype(int), [0]])))
    return list(zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True))
