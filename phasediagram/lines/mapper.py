"""Every curve of a plane: a queue of seeds and exits, walked until it is empty."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.building import Atlas
from phasediagram.lines.curves import Curve, Seed, is_same_pair, node_state, passes, refined
from phasediagram.lines.nodes import Node, critical_point, tricritical_point, triple_point
from phasediagram.lines.rivals import Rivals
from phasediagram.lines.systems import EqualLoss
from phasediagram.lines.tracer import Domain, correct, follow
from phasediagram.minima.engine import Engine
from phasediagram.minima.state import SAME_STATE
from phasediagram.parameters import Plane

Array = NDArray[np.float64]

LOST = "a curve of equal loss was lost"  # how reasons of ends of curves begin

_MERGED = 3e-4  # distance at which two states of equal loss are about to become one
_MERGING = 0.1  # distance from which it is worth looking for where they do
_AT_NODE = 1e-8  # distance of two computations of one node
_EDGE = 1e-6  # distance to the edge of the domain that counts as none
_NEAR_NODE = 0.01  # from the last point of a curve, where its states are those of the node
_NEAR_STATES = 0.03  # distance of states from those of a node in its neighbourhood
_LARGEST_STEP = 0.04  # of states and position together
_CLOSER = 0.4  # share of their distance to which two states may come in a step
_BACK = 0.1  # the first trust radius of the way back
_RETURNED = 0.5  # share of a step that may be left of it then
_PASSING = 0.2  # distance of states between a point of a curve and a node on it
_ALONG = 1e-3  # step along a tangent, to see whether it follows the edge


@dataclass
class Mapper:
    """Traces the curves on which the lowest minimum changes by a jump.

    Attributes
    ----------
    curves, nodes : list
        What has been traced, and the nodes that were met.
    unresolved : list of (position, reason)
        What could not be closed.
    continuous : list of position
        Where the lowest minimum seems to change continuously.
    """

    engine: Engine
    plane: Plane
    atlas: Atlas
    domain: Domain
    curves: list[Curve] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    unresolved: list[tuple[Array, str]] = field(default_factory=list)
    continuous: list[Array] = field(default_factory=list)
    rivals: Rivals = field(init=False)

    def __post_init__(self) -> None:
        self.rivals = Rivals(self.engine, self.plane, self.atlas, self.domain)

    def run(self, seeds: list[Seed]) -> None:
        queue = deque(seeds)
        while queue:
            seed = queue.popleft()
            queue.extend(self._trace(seed))

    def _trace(self, seed: Seed) -> list[Seed]:
        system = EqualLoss(self.engine, self.plane)
        guess = np.concatenate([seed.first, seed.second, seed.position])
        if seed.node is None:
            start = None
            for axis in (-1, -2):
                constraint = np.zeros(len(guess))
                constraint[axis] = 1.0
                start = correct(system, guess, constraint)
                if start is not None:
                    break
            if start is None and seed.optional:
                return []
            if start is None:
                self.unresolved.append((seed.position, "no curve of equal loss at a seed"))
                return []
            if self.is_known(start) or self.engine.space.distance(*system.states(start)) < _MERGED:
                return []
            if self._runs_along_edge(system, start):
                return []
            if not self.is_stable(start):
                self.unresolved.append((seed.position, "a state of a seed is no minimum"))
                return []
            third = self.rivals.third(start)
            if third is not None:
                if seed.attempts == 0:
                    return []
                left = seed.attempts - 1
                return [
                    Seed(start[-2:], x, third, attempts=left, optional=seed.optional)
                    for x in system.states(start)
                ]
        else:
            start = guess
            if any(self._ends_at(c, seed.node, seed) for c in self.curves):
                return []
        exits: list[Seed] = []
        parts = []
        senses = (seed.sense,) if seed.sense is not None else (None, None)
        for k, sense in enumerate(senses):
            tangent = system.tangent(start) if sense is None else sense
            tangent = -tangent if k == 1 else tangent
            points, end, node, new = self._follow(system, start, tangent)
            parts.append((points, (end, node)))
            exits += new
        if seed.node is not None:
            curve = Curve(parts[0][0], [(seed.node.kind, seed.node), parts[0][1]])
        elif parts[0][1][0] == "closed":
            curve = Curve(parts[0][0], [parts[0][1], parts[0][1]])
        else:
            joined = parts[1][0][::-1] + parts[0][0][1:]
            curve = Curve(joined, [parts[1][1], parts[0][1]])
        curve.points = refined(system, curve.points)
        if curve.is_short_cut():
            return []  # losses tie on the edge by symmetry, and nearly so beside it
        pieces = self._split(curve)
        if len(pieces) > 1:  # of which some may be known from the other side
            pieces = [c for c in pieces if not self.is_known(c.points[len(c.points) // 2])]
        self.curves += pieces
        return exits

    def _split(self, curve: Curve) -> list[Curve]:
        """Cut a curve at the critical end points that it passes.

        There one of its states goes on continuously as another branch.
        """
        for node in self.nodes:
            if node.kind != "critical end point" or any(at is node for _, at in curve.ends):
                continue
            hit = passes(curve.positions, node.position)
            if hit is None or not 0 < hit < len(curve.points) - 1:
                continue
            d = self.engine.space.size
            near = curve.points[hit]
            if not is_same_pair(
                self.engine.space, (near[:d], near[d : 2 * d]), node.states, _PASSING
            ):
                continue
            at_node = np.concatenate(
                [
                    *(node_state(self.engine.space, node, x) for x in (near[:d], near[d : 2 * d])),
                    node.position,
                ]
            )
            along = curve.positions[hit + 1] - curve.positions[hit - 1]
            before = (node.position - curve.positions[hit]) @ along < 0
            cut = hit if before else hit + 1
            end = (node.kind, node)
            return [
                *self._split(Curve([*curve.points[:cut], at_node], [curve.ends[0], end])),
                *self._split(Curve([at_node, *curve.points[cut:]], [end, curve.ends[1]])),
            ]
        return [curve]

    def _runs_along_edge(self, system: EqualLoss, y: Array) -> bool:
        """Whether a curve lies on the domain's edge, where a symmetry makes losses equal."""
        ahead = y[-2:] + _ALONG * system.tangent(y)[-2:]
        behind = 2 * y[-2:] - ahead
        margins = [self.domain.margin(q) for q in (y[-2:], ahead, behind)]
        return bool(np.abs(margins).max() < _EDGE)

    def _follow(
        self, system: EqualLoss, start: Array, tangent: Array
    ) -> tuple[list[Array], str, Node | None, list[Seed]]:
        stop: list[tuple[str, Array | None]] = []

        def watch(y: Array) -> bool:
            first, second = system.states(y)
            if self.engine.space.distance(first, second) < _MERGED:
                stop.append(("merging", None))
                return True
            third = self.rivals.third(y)
            if third is not None:
                stop.append(("third", third))
                return True
            return False

        apart = [start]
        at = self.plane.at(start[-2:])
        soft = [self.engine.softest(x, at)[1] for x in system.states(start)]

        def accept(y: Array) -> bool:
            d = self.engine.space.size
            before, now = (q[d : 2 * d] - q[:d] for q in (apart[-1], y))
            # two states neither change places nor meet within a step
            apart_enough = before @ now > _CLOSER * (before @ before)
            return bool(apart_enough) and self.is_stable(y, soft) and self._goes_back(y, apart[-1])

        def watched(y: Array) -> bool:
            apart.append(y)
            return watch(y)

        points, end = follow(
            system,
            start,
            tangent,
            self.domain,
            [],
            largest_step=_LARGEST_STEP,
            most_corners=0,
            watch=watched,
            accept=accept,
        )
        y = points[-1]
        first, second = system.states(y)
        if stop and stop[-1][0] == "third":
            third = stop[-1][1]
            assert third is not None
            points, third = self.rivals.bracket(system, points, third)
            first, second = system.states(points[-1])
            y = points[-1]
            end_point = self._end_point(first, second, third, y[-2:])
            if end_point is not None:
                return [*points[:-1], end_point[1]], end_point[0].kind, end_point[0], []
            node = triple_point(system, first, second, third, y[-2:])
            if node is None:
                self.unresolved.append(
                    (y[-2:], f"{LOST} where a third minimum is lower, but no triple point")
                )
                return points, "lost: no triple point", None, []
            node = self.add_node(node)
            points[-1] = np.concatenate(
                [
                    node_state(self.engine.space, node, first),
                    node_state(self.engine.space, node, second),
                    node.position,
                ]
            )
            return points, "triple point", node, self._exits(system, node, first, second)
        if end in ("lost", "unstable", "lost: no progress") or stop:
            end_point = self._end_point(first, second, None, y[-2:])
            if end_point is not None:
                return [*points, end_point[1]], end_point[0].kind, end_point[0], []
            far = float(self.engine.space.distance(first, second))
            if far < _MERGING:
                node = self._merge(first, second, y[-2:], far)
                if node is not None:
                    points.append(np.concatenate([node.states[0], node.states[0], node.position]))
                    return points, node.kind, node, []
            self.unresolved.append((y[-2:], f"{LOST}, states {far:.1e} apart"))
        return points, end, None, []

    def is_stable(self, y: Array, soft: list[Array] | None = None) -> bool:
        """Whether both states of a point are minima.

        `soft` has the softest direction of each at the point before, and gets those here.
        """
        d = self.engine.space.size
        states, at = (y[:d], y[d : 2 * d]), self.plane.at(y[-2:])
        if soft is None:
            return all(self.engine.softest(x, at)[0] > 0 for x in states)
        for k, x in enumerate(states):
            curvature, soft[k] = self.engine.softest(x, at, soft[k][None], 1)
            if curvature <= 0:
                return False
        return True

    def _goes_back(self, y: Array, before: Array) -> bool:
        """Whether each state of a point descends to that of the point before, there.

        It does not if it is another minimum, which only lies near.
        """
        d, at = self.engine.space.size, self.plane.at(before[-2:])
        for k in (0, d):
            now, old = y[k : k + d], before[k : k + d]
            moved = self.engine.space.distance(now, old)
            if moved < SAME_STATE:
                continue
            back = self.engine.minimize_at(now[None], at, _BACK).x[0]
            if self.engine.space.distance(back, old) > _RETURNED * moved:
                return False
        return True

    def _merge(self, first: Array, second: Array, position: Array, far: float) -> Node | None:
        """Return the node at which two states that are nearly one become one."""
        reach = 10 * far + 1e-3
        pair = np.array([first, second])
        found = [
            node
            for node in self.nodes
            if node.kind == "tricritical point"
            and np.abs(node.position - position).max() < reach
            and self.engine.space.distances(pair, np.array(node.states)).max() < 2 * far
        ]
        if found:
            return found[0]
        for base, other in ((first, second), (second, first)):
            node = tricritical_point(
                self.engine, self.plane, self.domain, base, other, position, reach
            )
            if node is not None:
                found.append(node)
        node = critical_point(self.engine, self.plane, self.domain, first, second, position, reach)
        if node is not None:
            found.append(node)
        if not found:
            return None
        found.sort(key=lambda node: float(np.abs(node.position - position).max()))
        return self.add_node(found[0])

    def _end_point(
        self, first: Array, second: Array, third: Array | None, position: Array
    ) -> tuple[Node, Array] | None:
        """Return the node at which one of two states becomes a third, or stops being a minimum."""
        space = self.engine.space
        for node in self.nodes:
            if node.kind != "critical end point":
                continue
            apart = np.abs(node.position - position).max()
            if apart > _NEAR_NODE:
                continue
            far = space.distances(np.array([first, second]), np.array(node.states))
            for pair in (far, far[:, ::-1]):
                if max(pair[0, 0], pair[1, 1]) < _NEAR_STATES:
                    y = np.concatenate(
                        [
                            node_state(self.engine.space, node, first),
                            node_state(self.engine.space, node, second),
                            node.position,
                        ]
                    )
                    return node, y
        return None

    def add_node(self, node: Node) -> Node:
        for known in self.nodes:
            if known.kind == node.kind and np.abs(known.position - node.position).max() < _AT_NODE:
                return known
        self.nodes.append(node)
        return node

    def _exits(self, system: EqualLoss, node: Node, first: Array, second: Array) -> list[Seed]:
        exits = []
        states = node.states
        for i, j, k in ((0, 2, 1), (1, 2, 0), (0, 1, 2)):
            y = np.concatenate([states[i], states[j], node.position])
            tangent = system.tangent(y)
            pair = np.concatenate([states[k], states[i], node.position])
            rise = system.slope(pair) @ tangent[-2:]  # L_k - L_i along the curve of i and j
            if rise < 0:
                tangent = -tangent
            exits.append(Seed(node.position, states[i], states[j], tangent, node))
        return exits

    def _ends_at(self, curve: Curve, node: Node, seed: Seed) -> bool:
        for index, (_, at) in zip((0, -1), curve.ends, strict=True):
            if at is node:
                d = self.engine.space.size
                pair = curve.points[index][:d], curve.points[index][d : 2 * d]
                if is_same_pair(self.engine.space, pair, (seed.first, seed.second), 1e-4):
                    return True
        return False

    def is_known(self, y: Array) -> bool:
        """Whether a known curve of the same states passes here."""
        d = self.engine.space.size
        for curve in self.curves:
            hit = passes(curve.positions, y[-2:])
            if hit is None:
                continue
            near = curve.points[hit]
            if is_same_pair(
                self.engine.space, (near[:d], near[d : 2 * d]), (y[:d], y[d : 2 * d]), 0.15
            ):
                return True
        return False
