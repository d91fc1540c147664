"""Phase boundaries as curves: first order, continuous, spinodal; and their special points."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.building import Atlas, build_atlas
from phasediagram.atlas.following import End
from phasediagram.lines.limits import Limit, LimitMapper
from phasediagram.lines.mapper import LOST, Curve, Mapper, passes
from phasediagram.lines.nodes import Node
from phasediagram.lines.seeds import equal_loss_seeds
from phasediagram.lines.systems import EqualLoss
from phasediagram.lines.tracer import Domain
from phasediagram.lines.transitions import Transition, continuous_transitions
from phasediagram.minima.engine import Engine
from phasediagram.minima.state import Space
from phasediagram.model import (
    DENSITY_RANGE,
    MAX_TRACED_FEATURES,
    RELATIVE_IMPORTANCE_RANGE,
    FreeSize,
    as_density,
    as_importance,
)
from phasediagram.naming.phases import distinct_names, phase_of
from phasediagram.parameters import DensityImportancePlane
from phasediagram.progress import Progress
from phasediagram.results import Boundary, PhaseBoundaries, SpecialPoint, Unresolved

Array = NDArray[np.float64]

_NODES = {2: 40, 3: 40, 4: 28, 5: 20}  # of the atlas, along each axis, by features
_STRIDE = 4  # of the nodes at which all minima are searched
_STARTS = {2: 200, 3: 250, 4: 200, 5: 200}
_INSET = 1e-4  # of the outermost nodes: on the domain's edge symmetries make minima tie
_EXPLAINED = 0.02  # distance to a curve that explains what was found at a place
_SAME_PLACE = 1e-9


def phase_boundaries(
    n_features: int = 2,
    n_hidden: int | None = None,
    weights: str = "free",
    spinodals: bool = True,
    progress: Progress | None = None,
    *,
    density: tuple[float, float] = DENSITY_RANGE,
    relative_importance: tuple[float, float] = RELATIVE_IMPORTANCE_RANGE,
    rng: int | np.random.Generator = 0,
) -> PhaseBoundaries:
    """Return every phase boundary of a window of the diagram as a curve, and the special points.

    Parameters
    ----------
    n_features : int
        Number of features n, 2 to 5.
    n_hidden : int, optional
        Number of hidden dimensions m < n; n - 1 by default.
    weights : {"free"}
        W and b unrestricted.
    spinodals : bool
        Whether to trace the limits of metastability too.
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.
    density, relative_importance : tuple of float
        The window: lowest and highest density, in (0, 1], and relative importance.
    rng : int or numpy.random.Generator
        For the starts from which minima are searched.

    Returns
    -------
    PhaseBoundaries
        Its `unresolved` says what could not be closed; a warning says so too.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> import phasediagram as phd
    >>> boundaries = phd.phase_boundaries(2, spinodals=False)
    >>> point = boundaries.special_points[0]
    >>> point.kind, sorted(point.phases)
    ('triple point', ['antipodal', 'ignored', 'partial'])
    >>> print(f"p = {point.density:.8f}, r = {point.relative_importance:.8f}")
    p = 0.51173803, r = 0.56413137
    >>> sorted({boundary.order for boundary in boundaries.boundaries})  # first order, continuous
    [1, 2]
    """
    if weights != "free":
        raise ValueError(f"weights must be 'free' to trace boundaries, got {weights!r}")
    m = n_features - 1 if n_hidden is None else n_hidden
    FreeSize(n_features, m)
    if n_features > MAX_TRACED_FEATURES:
        raise ValueError(
            f"n_features must be at most {MAX_TRACED_FEATURES} to trace boundaries, "
            f"got {n_features}"
        )
    domain = Domain(
        *np.log(
            np.transpose(
                [
                    _range("density", as_density(density)),
                    _range(
                        "relative_importance",
                        as_importance(relative_importance, "relative_importance"),
                    ),
                ]
            )
        )
    )
    space = Space(n_features, m, (tuple(range(n_features - 1)), (n_features - 1,)))
    plane = DensityImportancePlane(n_features)
    report = progress or (lambda share: None)
    survey = _survey(
        Engine(space, threads=os.cpu_count() or 1),
        plane,
        domain,
        np.random.default_rng(rng),
        spinodals,
        report,
    )
    result = survey.result()
    if result.unresolved:
        warnings.warn(
            f"{len(result.unresolved)} ends of curves could not be closed; "
            "they are listed as unresolved",
            stacklevel=2,
        )
    return result


def _range(name: str, values: Array) -> Array:
    if values.shape != (2,) or not values[0] < values[1]:
        raise ValueError(f"{name} must be a pair of ascending numbers, got {values.tolist()}")
    return values


@dataclass(frozen=True)
class _Survey:
    """Everything that was traced in a window."""

    mapper: Mapper
    limits: list[Limit]
    transitions: list[Transition]
    failures: list[tuple[Array, str]]
    with_spinodals: bool

    def result(self) -> PhaseBoundaries:
        space = self.mapper.engine.space
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
        spinodals = (
            [self._spinodal(limit) for limit in self.limits if len(limit.positions) > 1]
            if self.with_spinodals
            else []
        )
        return PhaseBoundaries(
            (*equilibrium, *spinodals),
            _special_points(self.mapper.nodes, nodes),
            space.n,
            space.m,
            "free",
            unresolved=tuple(self._unresolved(equilibrium)),
        )

    def _first_order(self, curve: Curve) -> Boundary:
        system = EqualLoss(self.mapper.engine, self.mapper.plane)
        density, importance = _from_logarithms(curve.positions)
        states = [system.states(y) for y in curve.points]
        loss = np.array(
            [
                self.mapper.engine.slope(first, self.mapper.plane.at(y[-2:]))[0]
                for (first, _), y in zip(states, curve.points, strict=True)
            ]
        )
        slope = np.array([system.slope(y) for y in curve.points])
        jump = slope / np.stack([density, importance], axis=1)
        middle = len(curve.points) // 2
        names = self._names(states[middle], density[middle])
        ends = tuple(kind for kind, _ in curve.ends)
        return Boundary(density, importance, names, 1, "equilibrium", loss, jump, ends)

    def _continuous(self, transition: Transition) -> Boundary:
        density, importance = _from_logarithms(transition.positions)
        loss = np.array(
            [
                self.mapper.engine.slope(x, self.mapper.plane.at(position))[0]
                for x, position in zip(transition.states, transition.positions, strict=True)
            ]
        )
        middle = len(density) // 2
        names = self._names((transition.states[middle], transition.after), density[middle])
        jump = np.zeros((len(density), 2))
        ends = tuple(kind for kind, _ in transition.ends)
        return Boundary(density, importance, names, 2, "equilibrium", loss, jump, ends)

    def _spinodal(self, limit: Limit) -> Boundary:
        density, importance = _from_logarithms(limit.positions)
        middle = len(density) // 2
        if limit.kind == "begins":
            name = self._name(limit.before, float(np.exp(limit.before_position[0])))
        else:
            name = self._name(limit.states[middle], float(density[middle]))
        return Boundary(density, importance, (name,), None, "spinodal", ends=limit.ends)

    def _name(self, x: Array, density: float) -> str:
        return phase_of(self.mapper.engine.space.weights(x), min(density, 1.0))

    def _names(self, pair: tuple[Array, ...], density: float) -> tuple[str, ...]:
        space = self.mapper.engine.space
        names = [self._name(x, density) for x in pair]
        if names[0] == names[1]:
            W = np.array([space.weights(x) for x in pair])
            names = [str(name) for name in distinct_names(W, min(density, 1.0))]
        return tuple(names)

    def _unresolved(self, equilibrium: list[Boundary]) -> list[Unresolved]:
        """Return what failed and is not explained by a curve that passes there."""
        lines = [np.log(np.stack([b.density, b.relative_importance], axis=1)) for b in equilibrium]
        open_ends = [*self.mapper.unresolved]
        open_ends += [(p, "the lowest minimum changes") for p in self.mapper.continuous]
        left = [
            (position, why)
            for position, why in open_ends
            if why.startswith(LOST)
            or not any(passes(line, position, _EXPLAINED) is not None for line in lines)
        ]
        if self.with_spinodals:
            lines = [limit.positions for limit in self.limits]
            left += [
                (position, why)
                for position, why in self.failures
                if not any(passes(line, position, _EXPLAINED) is not None for line in lines)
            ]
        return [
            Unresolved(float(np.exp(position[0])), float(np.exp(position[1])), why)
            for position, why in left
        ]


def _survey(
    engine: Engine,
    plane: DensityImportancePlane,
    domain: Domain,
    rng: np.random.Generator,
    spinodals: bool,
    report: Progress,
) -> _Survey:
    n = engine.space.n
    axes = tuple(
        np.linspace(low + _INSET, high - _INSET, _NODES[n])
        for low, high in zip(domain.lower, domain.upper, strict=True)
    )
    atlas = build_atlas(engine, plane, (axes[0], axes[1]), _STRIDE, _STARTS[n], rng)
    report(0.3)
    mapper = Mapper(engine, plane, atlas, domain)
    limit_mapper = LimitMapper(engine, plane, atlas, domain)
    limit_mapper.run(_lowest_ends(atlas))
    transitions, seeds = continuous_transitions(mapper, limit_mapper.limits)
    report(0.4)
    mapper.run(seeds)
    mapper.run(list(equal_loss_seeds(mapper)))
    report(0.6)
    if spinodals:
        limit_mapper.run()
    report(1.0)
    return _Survey(
        mapper,
        limit_mapper.limits,
        [t for t in transitions if len(t.positions) > 1],
        limit_mapper.unresolved,
        spinodals,
    )


def _lowest_ends(atlas: Atlas) -> list[End]:
    """Return the ends of the lowest minima where they lose their stability."""
    return [
        link
        for (node, k, _), link in atlas.links.items()
        if isinstance(link, End) and link.reason == "saddle" and k == atlas.lowest(node)
    ]


def _special_points(
    nodes: list[Node], ending: list[tuple[Node, Boundary]]
) -> tuple[SpecialPoint, ...]:
    points = []
    for node in nodes:
        phases: list[str] = []
        for other, boundary in ending:
            if np.abs(other.position - node.position).max() < _SAME_PLACE:
                phases += [name for name in boundary.phases if name not in phases]
        if phases:
            density, importance = _from_logarithms(node.position[None])
            points.append(
                SpecialPoint(float(density[0]), float(importance[0]), node.kind, tuple(phases))
            )
    return tuple(
        sorted(points, key=lambda point: (round(point.density, 9), point.relative_importance))
    )


def _from_logarithms(positions: Array) -> tuple[Array, Array]:
    return np.minimum(np.exp(positions[:, 0]), 1.0), np.exp(positions[:, 1])
