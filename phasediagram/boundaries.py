"""Phase boundaries as curves: first order, continuous, spinodal; and their special points.

Curves of equal loss are traced by continuation (`phasediagram.mapping`), spinodals likewise
(`phasediagram.spinodals`); continuous transitions follow from the loss of stability
(`phasediagram.continuous`, `derivations.stability`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.branches import Model
from phasediagram.continuous import (
    ContinuousLine,
    critical_end_point,
    ignored_lines,
    tilt_line,
    tilt_tricritical,
)
from phasediagram.equilibrium import Coexistence, Domain, correct
from phasediagram.folds import Fold, critical_point
from phasediagram.free_minimization import Progress
from phasediagram.mapping import Line, Mapper, TriplePoint
from phasediagram.model import DENSITY_RANGE, RELATIVE_IMPORTANCE_RANGE, FreeSize
from phasediagram.results import Boundary, PhaseBoundaries, SpecialPoint
from phasediagram.spinodals import Spinodal, find_spinodals

Array = NDArray[np.float64]

TRACED_SIZES = ((2, 1), (3, 2))
_SNAP = 0.04  # a line that stops this close to a node of its phases ends there
_AT_NODE = 1e-9
_RESOLVED = 2e-7  # jump of slopes below which rounding of the losses moves a line by over 1e-10
_LINK = 0.02
_LINK_POINTS = 6
_GAP = 0.01


def phase_boundaries(
    n_features: int = 2,
    n_hidden: int = 1,
    weights: str = "free",
    spinodals: bool = True,
    progress: Progress | None = None,
) -> PhaseBoundaries:
    """Return every phase boundary of the paper's diagram as a curve, and the special points.

    Parameters
    ----------
    n_features, n_hidden : int
        (2, 1) or (3, 2).
    weights : {"free"}
        W and b unrestricted.
    spinodals : bool
        Whether to trace the limits of metastability too, which takes most of the time.
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.

    Returns
    -------
    PhaseBoundaries
        Densities 0.01 to 1 and relative importances 0.1 to 10.

    Raises
    ------
    ValueError
        If the boundaries of this size, or with these weights, are not traced.

    Examples
    --------
    >>> import phasediagram as phd
    >>> boundaries = phd.phase_boundaries(2, 1, spinodals=False)
    >>> point = boundaries.special_points[0]
    >>> point.kind, point.phases
    ('triple point', ('ignored', 'partial', 'antipodal'))
    >>> print(f"p = {point.density:.8f}, r = {point.relative_importance:.8f}")
    p = 0.51173803, r = 0.56413137
    >>> sorted({boundary.order for boundary in boundaries.boundaries})  # first order, continuous
    [1, 2]
    """
    if weights != "free":
        raise ValueError(f"weights must be 'free' to trace boundaries, got {weights!r}")
    FreeSize(n_features, n_hidden)
    if (n_features, n_hidden) not in TRACED_SIZES:
        raise ValueError(
            "n_features and n_hidden must be 2 and 1, or 3 and 2, to trace boundaries, "
            f"got {n_features} and {n_hidden}"
        )
    return _Assembly(n_features, n_hidden).run(spinodals, progress)


@dataclass(frozen=True)
class _Node:
    """A special point, and the states that meet there, by phase."""

    kind: str
    position: Array
    states: dict[str, Array]


class _Assembly:
    """Closes the lines between their nodes and translates them into results."""

    def __init__(self, n: int, m: int) -> None:
        self.model = Model(n, m)
        lower, upper = zip(DENSITY_RANGE, RELATIVE_IMPORTANCE_RANGE, strict=True)
        self.domain = Domain(tuple(np.log(lower)), tuple(np.log(upper)))
        self.continuous = ignored_lines(n)
        self.mapper = Mapper(
            self.model,
            self.domain,
            [(line.positions, _names_on_both_sides(line)) for line in self.continuous],
        )
        self.name = self.mapper.name

    def run(self, with_spinodals: bool, progress: Progress | None) -> PhaseBoundaries:
        n = self.model.n
        tracing = 0.35 if with_spinodals else 1.0
        lines, triples = self.mapper.run(progress and (lambda share: progress(tracing * share)))
        nodes = [self._triple(triple) for triple in triples]
        nodes += [self._tricritical(line, i) for line in self.continuous for i in (0, -1)]
        if n == 3:
            nodes += self._tilt_nodes(lines)
        lines = [self._close(line, nodes) for line in lines]
        lines += self._links(lines, nodes)
        spinodals: list[Spinodal] = []
        if with_spinodals:
            spinodals = find_spinodals(
                self.model,
                self.domain,
                self.name,
                progress and (lambda share: progress(tracing + (1 - tracing) * share)),
            )
        boundaries = (
            *(self._first_order(line) for line in lines),
            *(self._continuous(line) for line in self.continuous),
            *(self._spinodal(spinodal) for spinodal in spinodals),
        )
        points = tuple(
            SpecialPoint(
                min(float(np.exp(node.position[0])), 1.0),
                float(np.exp(node.position[1])),
                node.kind,
                tuple(node.states),
            )
            for node in sorted(
                nodes, key=lambda node: (round(node.position[0], 9), node.position[1])
            )
        )
        return PhaseBoundaries(boundaries, points, n, self.model.m, "free")

    def _triple(self, triple: TriplePoint) -> _Node:
        names = [self.name(state, triple.position[0]) for state in triple.states]
        return _Node("triple point", triple.position, dict(zip(names, triple.states, strict=True)))

    def _tricritical(self, line: ContinuousLine, index: int) -> _Node:
        phases = _names_on_both_sides(line) if self.model.n == 3 else frozenset(line.phases)
        states = dict.fromkeys(sorted(phases), line.states[index])
        return _Node("tricritical point", line.positions[index], states)

    def _tilt_nodes(self, lines: Sequence[Line]) -> list[_Node]:
        """Return both ends of the line of tilts, and add that line."""
        crossing = next(line for line in lines if self._phases(line) == {"triangle", "scalene"})
        guess = (
            crossing.points[0]
            if crossing.points[0].u < crossing.points[-1].u
            else (crossing.points[-1])
        )
        first = self.name(guess.first, guess.u) == "triangle"
        triangle = guess.first if first else guess.second

        def competitor(u: float, v: float) -> float:
            _, loss = self.model.minimize(triangle[None], np.array([u]), np.array([v]))
            return float(loss[0])

        end = np.array(critical_end_point(competitor))
        line = tilt_line(float(end[0]))
        self.continuous.append(line)
        last = np.array(tilt_tricritical())
        x, _ = self.model.minimize(triangle[None], end[:1], end[1:])
        pair = dict.fromkeys(line.phases, line.states[0])
        return [
            _Node("critical end point", end, {"triangle": x[0], **pair}),
            _Node("tricritical point", last, dict.fromkeys(line.phases, line.states[-1])),
        ]

    def _phases(self, line: Line) -> set[str]:
        """Return the phases on both sides, at the middle of a line."""
        return set(line.names[len(line.points) // 2])

    def _close(self, line: Line, nodes: list[_Node]) -> Line:
        """Let both ends of a line end in a node or on the domain's edge."""
        resolved = np.flatnonzero(np.linalg.norm(line.slopes, axis=1) > _RESOLVED)
        kept = slice(resolved[0], resolved[-1] + 1)
        points, slopes = list(line.points[kept]), list(line.slopes[kept])
        for index in (0, -1):
            end = points[index]
            if self._is_on_edge(end.position) or _node_at(nodes, end.position) is not None:
                continue
            far = points[-1 if index == 0 else 0].position
            node = self._nearest(
                line, end, [n for n in nodes if np.abs(n.position - far).max() > _AT_NODE]
            )
            if node is None:
                node = self._critical(end, self._phases(line))
                if node is None:
                    continue
                nodes.append(node)
            first, second = (self._at_node(node, state, end.u) for state in (end.first, end.second))
            last = Coexistence(node.position, first, second)
            between = self._between(end, last) if node.kind == "triple point" else []
            added = [*between, (last, slopes[index])]
            if index == 0:
                points = [point for point, _ in reversed(added)] + points
                slopes = [slope for _, slope in reversed(added)] + slopes
            else:
                points += [point for point, _ in added]
                slopes += [slope for _, slope in added]
        return self.mapper.line(points, np.array(slopes))

    def _is_on_edge(self, position: Array) -> bool:
        sides = np.concatenate(
            [position - self.domain.lower, np.asarray(self.domain.upper) - position]
        )
        return bool((np.abs(sides) < _AT_NODE).any())

    def _nearest(self, line: Line, end: Coexistence, nodes: list[_Node]) -> _Node | None:
        phases = self._phases(line)
        fitting = [node for node in nodes if phases <= set(node.states)]
        distances = [np.abs(node.position - end.position).max() for node in fitting]
        if not distances or min(distances) > _SNAP:
            return None
        return fitting[int(np.argmin(distances))]

    def _at_node(self, node: _Node, state: Array, u: float) -> Array:
        """Return a state of a line where the line meets a node."""
        return node.states[self.name(state, u)]

    def _critical(self, end: Coexistence, phases: set[str]) -> _Node | None:
        """Return the point near an end at which the two minima become one."""
        second = _aligned(self.model, end.second, end.first)
        apart = second - end.first
        guess = Fold(end.u, end.v, (end.first + second) / 2, apart / np.linalg.norm(apart), 0.0)
        fold = critical_point(self.model, guess)
        if fold is None:
            return None
        return _Node(
            "critical point", np.array([fold.u, fold.v]), dict.fromkeys(sorted(phases), fold.x)
        )

    def _links(self, lines: Sequence[Line], nodes: Sequence[_Node]) -> list[Line]:
        """Return the lines too short to be seen that connect two triple points."""
        links = []
        triples = [node for node in nodes if node.kind == "triple point"]
        for i, node in enumerate(triples):
            for other in triples[i + 1 :]:
                if np.abs(node.position - other.position).max() > _LINK:
                    continue
                common = sorted(set(node.states) & set(other.states))
                if len(common) == 2 and not any(
                    self._phases(line) == set(common) and self._ends_at(line, node)
                    for line in lines
                ):
                    links.append(self._link(node, other, common))
        return links

    def _ends_at(self, line: Line, node: _Node) -> bool:
        ends = line.positions[[0, -1]]
        return bool((np.abs(ends - node.position).max(axis=1) < _AT_NODE).any())

    def _link(self, node: _Node, other: _Node, phases: list[str]) -> Line:
        start, end = (
            Coexistence(
                n.position, *(_aligned(self.model, n.states[p], node.states[p]) for p in phases)
            )
            for n in (node, other)
        )
        between = self._between(start, end, _LINK_POINTS)
        slope = between[0][1]
        points = (start, *(point for point, _ in between), end)
        return self.mapper.line(points, np.array([slope, *(slope for _, slope in between), slope]))

    def _between(
        self, start: Coexistence, end: Coexistence, count: int | None = None
    ) -> list[tuple[Coexistence, Array]]:
        """Return points of a line between two of its points, and the slopes there."""
        step = end.position - start.position
        count = int(np.linalg.norm(step) / _GAP) if count is None else count
        first, second = (
            _aligned(self.model, b, a)
            for a, b in ((start.first, end.first), (start.second, end.second))
        )
        found = []
        for share in np.arange(1, count + 1) / (count + 1):
            guess = Coexistence(
                start.position + share * step,
                start.first + share * (first - start.first),
                start.second + share * (second - start.second),
            )
            solved = correct(self.model, guess, step / np.linalg.norm(step))
            if solved is not None:
                found.append(solved[:2])
        return found

    def _first_order(self, line: Line) -> Boundary:
        positions = line.positions
        density, importance = _from_logarithms(positions)
        middle = line.points[len(line.points) // 2]
        names = (self.name(middle.first, middle.u), self.name(middle.second, middle.u))
        states = np.array([[point.first, point.second] for point in line.points])
        loss = self.model.loss(states[:, 0], *positions.T)
        jump = line.slopes / np.stack([density, importance], axis=1)
        return Boundary(density, importance, names, 1, "equilibrium", loss, jump)

    def _continuous(self, line: ContinuousLine) -> Boundary:
        density, importance = _from_logarithms(line.positions)
        loss = self.model.loss(line.states, *line.positions.T)
        jump = np.zeros((len(density), 2))
        return Boundary(density, importance, line.phases, 2, "equilibrium", loss, jump)

    def _spinodal(self, spinodal: Spinodal) -> Boundary:
        density, importance = _from_logarithms(spinodal.positions)
        return Boundary(density, importance, (spinodal.phase,), None, "spinodal")


def _names_on_both_sides(line: ContinuousLine) -> frozenset[str]:
    """Return the phases that an edge across a continuous line may show."""
    if "partial-triangle" in line.phases:
        return frozenset((*line.phases, "partial"))
    return frozenset(line.phases)


def _node_at(nodes: Sequence[_Node], position: Array) -> _Node | None:
    return next((n for n in nodes if np.abs(n.position - position).max() < _AT_NODE), None)


def _from_logarithms(positions: Array) -> tuple[Array, Array]:
    return np.minimum(np.exp(positions[:, 0]), 1.0), np.exp(positions[:, 1])


def _aligned(model: Model, x: Array, to: Array) -> Array:
    """Return the copy of a state, by rotation and order of equal features, nearest another."""
    W, target = model.weights(x), model.weights(to)
    copies = []
    for order in model.orders():
        left, _, right = np.linalg.svd(target @ W[:, order].T)
        b = x[-model.n :][order]
        copies.append(np.concatenate([(left @ right @ W[:, order]).ravel(), b]))
    return min(copies, key=lambda copy: float(np.abs(copy - to).max()))
