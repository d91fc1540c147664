"""Everything that is traced in a window, and what comes out by name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.building import Atlas, build_atlas, search_more
from phasediagram.atlas.following import End
from phasediagram.limits.mapping import LimitMapper
from phasediagram.limits.spinodals import spinodals as spinodal_curves
from phasediagram.lines.curves import Curve, passes
from phasediagram.lines.mapper import LOST, Mapper
from phasediagram.lines.nodes import Node
from phasediagram.lines.seeds import equal_loss_seeds
from phasediagram.lines.stability import beside, stability_limits
from phasediagram.lines.systems import EqualLoss
from phasediagram.lines.tracer import Domain
from phasediagram.lines.transitions import Transition, continuous_transitions
from phasediagram.minima.engine import Engine
from phasediagram.minima.symmetry import least_of_the_last
from phasediagram.naming.phases import distinct_names, phases_of
from phasediagram.parameters import Plane
from phasediagram.progress import Progress
from phasediagram.results import Boundary, PhaseBoundaries, SpecialPoint, Unresolved

Array = NDArray[np.float64]

_NODES = {2: 40, 3: 40, 4: 28, 5: 20}  # of the atlas, along each axis, by features
_STRIDE = 4  # of the nodes at which all minima are searched
_STARTS = {2: 200, 3: 250, 4: 200, 5: 200}
_INSET = 1e-4  # of the outermost nodes: on the domain's edge symmetries make minima tie
_EXPLAINED = 0.02  # distance to a curve that explains what was found at a place
_SAME_PLACE = 1e-9
_WALKED = 0.6, 0.9  # shares of the work before and after most limits
_COMPETING = 1e-3  # relative excess of a loss that may be the lowest beside a curve


@dataclass(frozen=True)
class Survey:
    """Everything that was traced in a window."""

    mapper: Mapper
    limits: LimitMapper | None
    transitions: list[Transition]

    def result(self) -> PhaseBoundaries:
        space, plane = self.mapper.engine.space, self.mapper.plane
        first_order = [self._first_order(curve) for curve in self.mapper.curves]
        continuous = [self._continuous(transition) for transition in self.transitions]
        equilibrium = [*first_order, *continuous]
        ends = [curve.ends for curve in self.mapper.curves]
        ends += [transition.ends for transition in self.transitions]
        nodes = [
            (node, boundary)
            for both, boundary in zip(ends, equilibrium, strict=True)
            for _, node in both
            if node is not None
        ]
        spinodals = self._spinodals()
        return PhaseBoundaries(
            (*equilibrium, *spinodals),
            _special_points(plane, self.mapper.nodes, nodes),
            space.n,
            space.m,
            "free",
            unresolved=tuple(self._unresolved(equilibrium)),
            model=plane.model,
            x=None if plane.model is None else plane.axes[1],
            y=None if plane.model is None else plane.axes[0],
            held=plane.held,
        )

    def _first_order(self, curve: Curve) -> Boundary:
        system = EqualLoss(self.mapper.engine, self.mapper.plane)
        density, importance = self.mapper.plane.values(curve.positions)
        states = [system.states(y) for y in curve.points]
        loss = np.array(
            [
                self.mapper.engine.slope(first, self.mapper.plane.at(y[-2:]))[0]
                for (first, _), y in zip(states, curve.points, strict=True)
            ]
        )
        slope = np.array([system.slope(y) for y in curve.points])
        jump = slope / self.mapper.plane.slopes(curve.positions)
        middle = len(curve.points) // 2
        names = self._names(states[middle], curve.positions[middle])
        ends = tuple(kind for kind, _ in curve.ends)
        return Boundary(density, importance, names, 1, "equilibrium", loss, jump, ends)

    def _continuous(self, transition: Transition) -> Boundary:
        density, importance = self.mapper.plane.values(transition.positions)
        loss = np.array(
            [
                self.mapper.engine.slope(x, self.mapper.plane.at(position))[0]
                for x, position in zip(transition.states, transition.positions, strict=True)
            ]
        )
        middle = len(density) // 2
        names = self._names(
            (transition.states[middle], transition.after), transition.positions[middle]
        )
        jump = np.zeros((len(density), 2))
        ends = tuple(kind for kind, _ in transition.ends)
        return Boundary(density, importance, names, 2, "equilibrium", loss, jump, ends)

    def _spinodals(self) -> list[Boundary]:
        if self.limits is None:
            return []
        mapper = self.limits
        curves = spinodal_curves(
            mapper.engine, mapper.plane, mapper.domain, mapper.limits, self._phases
        )
        found = []
        for curve in curves:
            by_row, by_column = self.mapper.plane.values(curve.positions)
            found.append(
                Boundary(by_row, by_column, (curve.name,), None, "spinodal", ends=curve.ends)
            )
        return found

    def _phases(self, states: Array, positions: Array) -> list[str]:
        """Return the phases of states (k, d) at positions (k, 2)."""
        space = self.mapper.engine.space
        W = np.array([space.weights(least_of_the_last(space, x)) for x in states])
        names: list[str] = phases_of(W, self.mapper.plane.naming_densities(positions)).tolist()
        return names

    def _names(self, pair: tuple[Array, ...], position: Array) -> tuple[str, ...]:
        names = self._phases(np.array(pair), np.array([position] * 2))
        if names[0] == names[1]:
            space = self.mapper.engine.space
            W = np.array([space.weights(least_of_the_last(space, x)) for x in pair])
            density = float(self.mapper.plane.naming_densities(position[None])[0])
            names = distinct_names(W, density).tolist()
        return tuple(names)

    def _unresolved(self, equilibrium: list[Boundary]) -> list[Unresolved]:
        """Return what failed and is not explained by a curve that passes there."""
        plane = self.mapper.plane
        lines = [plane.coordinates((b.density, b.relative_importance)) for b in equilibrium]
        open_ends = [*self.mapper.unresolved]
        open_ends += [(p, "the lowest minimum changes") for p in self.mapper.continuous]
        left = [
            (position, why)
            for position, why in open_ends
            if why.startswith(LOST)
            or not any(passes(line, position, _EXPLAINED) is not None for line in lines)
        ]
        if self.limits is not None:
            left += self.limits.unresolved()
        found = []
        for position, why in left:
            by_row, by_column = plane.values(position[None])
            found.append(Unresolved(float(by_row[0]), float(by_column[0]), why))
        return found


def survey(
    engine: Engine,
    plane: Plane,
    domain: Domain,
    rng: np.random.Generator,
    spinodals: bool,
    report: Progress,
) -> Survey:
    n = engine.space.n
    axes = tuple(
        np.linspace(low + _INSET, high - _INSET, _NODES[n])
        for low, high in zip(domain.lower, domain.upper, strict=True)
    )
    atlas = build_atlas(engine, plane, (axes[0], axes[1]), _STRIDE, _STARTS[n], rng)
    report(0.3)
    mapper = Mapper(engine, plane, atlas, domain)
    losing = stability_limits(engine, plane, domain, _lowest_ends(atlas))
    places = [
        position
        for position, x in beside(losing)
        if domain.margin(position) > 0 and _competes(mapper, position, x)
    ]
    search_more(engine, plane, atlas, places, rng)
    transitions, seeds = continuous_transitions(mapper, losing)
    report(0.4)
    mapper.run(seeds)
    mapper.run(list(equal_loss_seeds(mapper)))
    report(0.6)
    limits = LimitMapper(engine, plane, atlas, domain, rng) if spinodals else None
    if limits is not None:
        limits.run(lambda share: report(_WALKED[0] + share * (_WALKED[1] - _WALKED[0])))
    report(1.0)
    return Survey(mapper, limits, [t for t in transitions if len(t.positions) > 1])


def _competes(mapper: Mapper, position: Array, x: Array) -> bool:
    """Whether a state's loss at a position is close to that of the lowest minimum."""
    own = mapper.engine.slope(x, mapper.plane.at(position))[0]
    return bool(own < (1 + _COMPETING) * mapper.rivals.low_minima(position)[1].min(initial=np.inf))


def _lowest_ends(atlas: Atlas) -> list[End]:
    """Return the ends of the lowest minima where they lose their stability."""
    return [
        link
        for (node, k, _), link in atlas.links.items()
        if isinstance(link, End) and link.reason == "saddle" and k == atlas.lowest(node)
    ]


def _special_points(
    plane: Plane, nodes: list[Node], ending: list[tuple[Node, Boundary]]
) -> tuple[SpecialPoint, ...]:
    points = []
    for node in nodes:
        phases: list[str] = []
        for other, boundary in ending:
            if np.abs(other.position - node.position).max() < _SAME_PLACE:
                phases += [name for name in boundary.phases if name not in phases]
        if phases:
            density, importance = plane.values(node.position[None])
            points.append(
                SpecialPoint(float(density[0]), float(importance[0]), node.kind, tuple(phases))
            )
    return tuple(
        sorted(points, key=lambda point: (round(point.density, 9), point.relative_importance))
    )
