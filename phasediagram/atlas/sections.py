"""Sections through the diagram: the losses of all minima along a line."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.atlas.following import End, trace_end
from phasediagram.atlas.transitions import (
    Change,
    Segment,
    continued,
    continuous_change,
    first_order_changes,
)
from phasediagram.catalogue.components import components_of
from phasediagram.kernel.loss import expected_loss
from phasediagram.minima.engine import Engine
from phasediagram.minima.following import LARGEST_MOVE
from phasediagram.minima.search import State, find_minima, search
from phasediagram.minima.starts import low_starts
from phasediagram.minima.state import SAME_STATE, Space
from phasediagram.minima.symmetry import least_of_the_last, plane_engine
from phasediagram.model import as_density, as_importance
from phasediagram.naming.phases import distinct_names, phases_of
from phasediagram.parameters import Plane, plane_of
from phasediagram.results import BranchLosses, LossSection, SectionTransition
from phasediagram.toymodel.axes import Axis
from phasediagram.toymodel.models import ToyModel, sized_model

Array = NDArray[np.float64]

_SEEDS = 9  # points of the line at which all minima are searched
_STARTS = 200  # of each search
_WIDENED = 16.0  # times the bracket of an end, on both sides, in which a transition is looked for
_BESIDE = 1e-3  # share of a segment beside a continuous change
_STARTS_BETWEEN = 60  # where the lowest minimum changes
_PUSH = 1e-3  # off a state that is no minimum any more
_MERGING = 1e-3  # distance at which, curvatures vanishing, rounding hides which one a minimum is
_SAME_PLACE = 1e-7  # of coordinates: one continuous transition, met twice
_TIED = 1e-9  # relative difference of losses that are equal but for rounding
_ENDINGS = 4  # continuous transitions between neighbouring points


def loss_section(
    density: ArrayLike | None = None,
    relative_importance: ArrayLike = 1.0,
    n_features: int = 2,
    n_hidden: int | None = None,
    *,
    rng: int | np.random.Generator = 0,
    x: Axis | None = None,
    model: ToyModel | None = None,
    importance: ArrayLike | None = None,
    relative_density: float = 1.0,
) -> LossSection:
    """Return the losses of all minima with free weights along a line.

    Every minimum is followed, metastable or not, to where it ends.  At a continuous transition it
    goes on as the lowest of the minima that it turns into.

    Parameters
    ----------
    density, relative_importance : array_like
        One is a number, the other an ascending or descending list of at least two.  With `x` both
        are numbers, or one density a feature, at which the rest is held.
    n_features, n_hidden : int
        Numbers of features n (2 to 6) and hidden dimensions m < n, by default n - 1.
    rng : int or numpy.random.Generator
        Where the starts of searches come from.
    x : Axis, optional
        What varies, instead of density or relative importance.
    model : ToyModel, optional
        What is assumed besides the paper's model, and its size.
    importance : float or array_like, shape (n,), optional
        Importances at which the rest is held, instead of `relative_importance`.
    relative_density : float
        The last feature's density over that of the others, unless it is the axis.

    Returns
    -------
    LossSection

    Raises
    ------
    ValueError
        If an argument is outside its range, not exactly one is a list, or its values neither
        ascend nor descend throughout.

    Examples
    --------
    >>> import numpy as np, phasediagram as phd
    >>> section = phd.loss_section(0.55, np.linspace(0.6, 0.75, 16))
    >>> sorted({phase for branch in section.branches for phase in branch.phases if phase})
    ['aligned', 'antipodal', 'ignored', 'partial']
    """
    chosen = sized_model(n_features, n_hidden, model)
    n, m = chosen.n_features, chosen.hidden
    course = _course(chosen, x, density, relative_importance, importance, relative_density)
    line = _Line(_engine(course, m), course.plane, course.positions)
    paths = line.paths(np.random.default_rng(rng))
    branches = [_branch(path, course, line.engine, n, m) for path in paths]
    lowest = np.nanmin([branch.loss for branch in branches], axis=0)
    transitions = _transitions(line, paths, branches, course)
    branches.sort(key=lambda branch: float(np.nanmin(branch.loss - lowest)))
    is_papers = course.plane.model is None
    return LossSection(
        course.density,
        course.relative_importance,
        tuple(branches),
        n,
        m,
        transitions=transitions,
        values=None if is_papers else course.values,
        x=None if is_papers else course.axis,
        model=course.plane.model,
        held=course.plane.held,
    )


@dataclass(frozen=True)
class _Course:
    """A line through the space of parameters, point by point.

    Attributes
    ----------
    plane : Plane
        Of one axis, or the paper's.
    positions : ndarray, shape (k, axes)
    varied : int
        Which coordinate varies.
    values : ndarray, shape (k,)
        Of what varies.
    density, relative_importance : ndarray, shape (k,)
    axis : Axis or None
    """

    plane: Plane
    positions: Array
    varied: int
    values: Array
    density: Array
    relative_importance: Array
    axis: Axis | None = None


def _course(
    model: ToyModel,
    x: Axis | None,
    density: ArrayLike | None,
    relative_importance: ArrayLike,
    importance: ArrayLike | None,
    relative_density: float,
) -> _Course:
    if x is not None:
        return _along(
            plane_of(model, (x,), density, relative_importance, importance, relative_density),
            x,
            x.values,
        )
    if density is None:
        raise ValueError("density must be given, a number or a list, unless x is")
    p = as_density(density)
    r = as_importance(relative_importance, "relative_importance")
    if {p.ndim, r.ndim} != {0, 1} or p.size == r.size:
        raise ValueError(
            "density and relative_importance must be a number and a list of at least two, "
            f"got shapes {p.shape} and {r.shape}"
        )
    _require_ordered(*(("relative_importance", r) if r.ndim else ("density", p)))
    if model.is_standard and importance is None and relative_density == 1:
        varied = int(r.ndim)
        values = r if r.ndim else p
        p, r = (np.array(both) for both in np.broadcast_arrays(p, r))
        positions = np.stack([np.log(p), np.log(r)], axis=1)
        return _Course(Plane(model.n_features), positions, varied, values, p, r)
    name, values = ("relative_importance", r) if r.ndim else ("density", p)
    axis = Axis(name, float(values.min()), float(values.max()))
    held_density = None if p.ndim else density
    held_r = 1.0 if r.ndim else relative_importance
    plane = plane_of(model, (axis,), held_density, held_r, importance, relative_density)
    return _along(plane, axis, values)


def _require_ordered(name: str, values: Array) -> None:
    """Raise ValueError unless values ascend, or descend, from each to the next."""
    steps = np.sign(np.diff(values))
    wrong = np.flatnonzero((steps == 0) | (steps != steps[0]))
    if len(wrong):
        k = int(wrong[0])
        raise ValueError(
            f"{name} must ascend or descend throughout, got {values[k]:g} before "
            f"{values[k + 1]:g} at index {k}"
        )


def _along(plane: Plane, axis: Axis, values: Array) -> _Course:
    positions = axis.coordinates(values)[:, None]
    density = plane.naming_densities(positions)
    return _Course(
        plane, positions, 0, values, density, plane.settings(positions).importance[:, -1], axis
    )


def _engine(course: _Course, m: int) -> Engine:
    if course.plane.model is not None:
        return plane_engine(course.plane, m)
    n = course.plane.n
    all_equal = (tuple(range(n)),)
    others_equal = tuple(range(n - 1)), (n - 1,)
    return Engine(
        Space(n, m, all_equal if (course.relative_importance == 1).all() else others_equal)
    )


@dataclass(frozen=True)
class _Place:
    """A minimum at one point of the line."""

    index: int
    state: State


Path = dict[int, State]  # a minimum at each point at which it exists


class _Line:
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
        change = continuous_change(segment, end.state.x, following.x, end.state.direction)
        if change is not None and end.position.sum() > end.beyond.sum():
            change = replace(change, before=following.x, after=end.state.x)
        elif change is not None:
            change = replace(change, before=end.state.x, after=following.x)
        if change is not None and not any(
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
        return float(self.engine.space.distance(x, other))

    def _around(self, end: End, position: Array) -> list[State]:
        x, push = end.state.x, _PUSH * end.state.direction
        starts = np.array([x, x + push, x - push])
        return find_minima(self.engine, self.plane.at(position), starts)

    def _table(self, path: Path, count: int) -> Array:
        table = np.full((count, self.engine.space.size), np.nan)
        for index, state in path.items():
            table[index] = state.x
        return table


def _branch(path: Array, course: _Course, engine: Engine, n: int, m: int) -> BranchLosses:
    exists = np.isfinite(path[:, 0])
    W, b = path[:, : m * n].reshape(-1, m, n), path[:, m * n :]
    loss = np.full(len(path), np.nan)
    if course.plane.model is None:
        importance = np.ones((len(path), n))
        importance[:, -1] = course.relative_importance
        density = course.density[exists, None]
        loss[exists] = expected_loss(W[exists], b[exists], density, importance[exists])
    else:
        parameters = course.plane.many(course.positions[exists])
        loss[exists] = engine.minimize(path[exists], *parameters, iterations=0).loss
    phases = np.full(len(path), "", dtype=object)
    phases[exists] = phases_of(W[exists], course.density[exists]).tolist()
    return BranchLosses(tuple(phases.tolist()), loss, W, b)


def _transitions(
    line: _Line, paths: list[Array], branches: list[BranchLosses], course: _Course
) -> tuple[SectionTransition, ...]:
    """Return every change of the lowest minimum, in the order of the points."""
    losses = np.array([branch.loss for branch in branches])
    lowest = np.where(np.isnan(losses), np.inf, losses).argmin(axis=0)
    found: list[tuple[float, SectionTransition]] = []
    for k in range(len(lowest) - 1):
        changes = _changes_between(line, paths, lowest, k)
        if changes is None:
            warnings.warn(
                f"a change of the lowest minimum between {course.values[k]:g} and "
                f"{course.values[k + 1]:g} could not be located",
                stacklevel=3,
            )
        found += [(k, _named(line, change, course)) for change in changes or []]
    descends = course.values[0] > course.values[-1]
    ordered = sorted(found, key=lambda pair: (pair[0], pair[1].position * (-1) ** descends))
    return tuple(transition for _, transition in ordered)


def _changes_between(
    line: _Line, paths: list[Array], lowest: NDArray[np.intp], k: int
) -> list[Change] | None:
    """Return the changes of the lowest minimum between two points, None if one is not found."""
    start, stop = line.positions[k], line.positions[k + 1]
    if line.components is not None:
        return [Change(*found, order=1) for found in line.components.changes(start, stop)]
    met = [c for c in line.met if 0 <= _share(start, stop, c) < 1]
    if lowest[k] == lowest[k + 1] and not met:
        return []
    known = [path[i] for path in paths for i in (k, k + 1) if np.isfinite(path[i, 0])]
    starts = low_starts(line.engine.space, _STARTS_BETWEEN, np.random.default_rng(k))
    segment = Segment(line.engine, line.plane, start, stop, np.concatenate([known, starts]))
    before, after = paths[lowest[k]][k], paths[lowest[k + 1]][k + 1]
    found: list[Change] = []
    for change in sorted(met, key=lambda change: _share(start, stop, change)):
        share = _share(segment.start, stop, change)
        if not _is_lowest(segment, change, share):
            continue
        here = _in_order(change, start, stop)
        earlier = replace(segment, stop=segment.at(max(share - _BESIDE, 0.0)))
        between = _first_order(earlier, before, earlier.descend(here.before, 1.0)[0])
        if between is None:
            return None
        found += [*between, here]
        segment = replace(segment, start=segment.at(share + _BESIDE * (1 - share)))
        before = segment.descend(here.after, 0.0)[0]
    rest = _first_order(segment, before, after)
    return None if rest is None else found + rest


def _first_order(segment: Segment, before: Array, after: Array) -> list[Change] | None:
    """Return the changes from one minimum to another, none if it only goes on."""
    arrived = continued(segment, before, (0.0, 1.0))
    loss = segment.descend(after, 1.0)[1]
    if arrived is not None and arrived.loss < loss * (1 + _TIED):  # that one, or as low
        return []
    return first_order_changes(segment, before, after)


def _share(start: Array, stop: Array, change: Change) -> float:
    """Return where between two positions a change is."""
    along = stop - start
    return float((change.position - start) @ along / (along @ along))


def _is_lowest(segment: Segment, change: Change, share: float) -> bool:
    """Whether nothing is lower where a minimum changes continuously."""
    own = segment.descend(change.before, share)[1]
    return segment.lowest(share)[1] > own * (1 - _TIED)


def _in_order(change: Change, start: Array, stop: Array) -> Change:
    """Return a change met in ascending order as it is met from start to stop."""
    if stop.sum() < start.sum():
        return replace(change, before=change.after, after=change.before)
    return change


def _named(line: _Line, change: Change, course: _Course) -> SectionTransition:
    plane, engine, k = course.plane, line.engine, course.varied
    position = change.position
    density = float(plane.naming_densities(position[None])[0])
    states = [least_of_the_last(engine.space, x) for x in (change.before, change.after)]
    W = np.array([engine.space.weights(x) for x in states])
    names = [str(phases_of(w[None], np.array([density]))[0]) for w in W]
    if names[0] == names[1]:
        names = [str(name) for name in distinct_names(W, density)]
    jump = 0.0
    if change.order == 1:
        by = plane.derivatives(position)[k]
        before, after = (engine.slope(x, by)[0] for x in (change.before, change.after))
        jump = (after - before) / float(plane.slopes(position[None])[0, k])
    value = float(plane.values(position[None])[k][0])
    return SectionTransition(value, (names[0], names[1]), change.order, jump)
