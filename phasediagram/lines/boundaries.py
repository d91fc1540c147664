"""Phase boundaries as curves: first order, continuous, spinodal; and their special points."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.atlas.building import Atlas, build_atlas, search_more
from phasediagram.atlas.following import End
from phasediagram.lines.limits import LimitMapper
from phasediagram.lines.mapper import LOST, Curve, Mapper
from phasediagram.lines.nodes import Node
from phasediagram.lines.polylines import passes
from phasediagram.lines.seeds import equal_loss_seeds
from phasediagram.lines.spinodals import spinodals as spinodal_curves
from phasediagram.lines.stability import beside, stability_limits
from phasediagram.lines.systems import EqualLoss
from phasediagram.lines.tracer import Domain
from phasediagram.lines.transitions import Transition, continuous_transitions
from phasediagram.minima.engine import Engine
from phasediagram.minima.symmetry import least_of_the_last, plane_engine
from phasediagram.model import (
    DENSITY_RANGE,
    MAX_TRACED_FEATURES,
    RELATIVE_IMPORTANCE_RANGE,
    as_density,
    as_importance,
)
from phasediagram.naming.phases import distinct_names, phase_of
from phasediagram.parameters import DensityImportancePlane, Plane, plane_of
from phasediagram.progress import Progress
from phasediagram.results import Boundary, PhaseBoundaries, SpecialPoint, Unresolved
from phasediagram.toymodel.axes import DENSITY, RELATIVE_IMPORTANCE, Axis
from phasediagram.toymodel.models import ToyModel, sized_model

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
    density: ArrayLike = DENSITY_RANGE,
    relative_importance: ArrayLike = RELATIVE_IMPORTANCE_RANGE,
    rng: int | np.random.Generator = 0,
    x: Axis | None = None,
    y: Axis | None = None,
    model: ToyModel | None = None,
    importance: ArrayLike | None = None,
    relative_density: float = 1.0,
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
    x, y : Axis, optional
        The window on other axes; then `density` and `relative_importance` are numbers, or one
        density a feature, at which the rest is held, and may be left out.
    model : ToyModel, optional
        What is assumed besides the paper's model, and its size.
    importance : float or array_like, shape (n,), optional
        Importances at which the rest is held, instead of `relative_importance`.
    relative_density : float
        The last feature's density over that of the others, unless it is an axis.

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
    chosen = sized_model(n_features, n_hidden, model)
    n, m = chosen.n_features, chosen.hidden
    if n > MAX_TRACED_FEATURES:
        raise ValueError(
            f"n_features must be at most {MAX_TRACED_FEATURES} to trace boundaries, got {n}"
        )
    plane, domain = _plane_and_domain(
        chosen, x, y, density, relative_importance, importance, relative_density
    )
    report = progress or (lambda share: None)
    survey = _survey(
        plane_engine(plane, m, threads=os.cpu_count() or 1),
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


def _plane_and_domain(
    model: ToyModel,
    x: Axis | None,
    y: Axis | None,
    density: ArrayLike,
    relative_importance: ArrayLike,
    importance: ArrayLike | None,
    relative_density: float,
) -> tuple[Plane, Domain]:
    """Return the plane that is traced, and the window."""
    if (x is None) != (y is None):
        raise ValueError(f"x and y must both be given or both be left out, got {x!r} and {y!r}")
    if x is None or y is None:
        p = _range("density", as_density(density))
        r = _range(RELATIVE_IMPORTANCE, as_importance(relative_importance, RELATIVE_IMPORTANCE))
        axes = Axis(DENSITY, *p.tolist()), Axis(RELATIVE_IMPORTANCE, *r.tolist())
        plane = plane_of(model, axes, None, 1.0, importance, relative_density)
    else:
        axes = y, x
        held = None if density is DENSITY_RANGE else density
        is_left_out = relative_importance is RELATIVE_IMPORTANCE_RANGE
        held_r = 1.0 if is_left_out else relative_importance
        plane = plane_of(model, axes, held, held_r, importance, relative_density)
    window = [axis.coordinates([axis.start, axis.stop]) for axis in axes]
    domain = Domain(*np.transpose(window))
    return (Plane(model.n_features) if plane.is_papers else plane), domain


def _range(name: str, values: Array) -> Array:
    if values.shape != (2,) or not values[0] < values[1]:
        raise ValueError(f"{name} must be a pair of ascending numbers, got {values.tolist()}")
    return values


@dataclass(frozen=True)
class _Survey:
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
            mapper.engine, mapper.plane, mapper.domain, mapper.limits, self._name
        )
        found = []
        for curve in curves:
            by_row, by_column = self.mapper.plane.values(curve.positions)
            found.append(
                Boundary(by_row, by_column, (curve.name,), None, "spinodal", ends=curve.ends)
            )
        return found

    def _density(self, position: Array) -> float:
        return float(self.mapper.plane.naming_densities(position[None])[0])

    def _name(self, x: Array, position: Array) -> str:
        space = self.mapper.engine.space
        return phase_of(space.weights(least_of_the_last(space, x)), self._density(position))

    def _names(self, pair: tuple[Array, ...], position: Array) -> tuple[str, ...]:
        space = self.mapper.engine.space
        names = [self._name(x, position) for x in pair]
        if names[0] == names[1]:
            W = np.array([space.weights(least_of_the_last(space, x)) for x in pair])
            names = [str(name) for name in distinct_names(W, self._density(position))]
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
    losing = stability_limits(engine, plane, domain, _lowest_ends(atlas))
    places = (position for position in beside(losing) if domain.margin(position) > 0)
    search_more(engine, plane, atlas, places, rng)
    transitions, seeds = continuous_transitions(mapper, losing)
    report(0.4)
    mapper.run(seeds)
    mapper.run(list(equal_loss_seeds(mapper)))
    report(0.6)
    limits = LimitMapper(engine, plane, atlas, domain, rng) if spinodals else None
    if limits is not None:
        limits.run()
    report(1.0)
    return _Survey(mapper, limits, [t for t in transitions if len(t.positions) > 1])


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
