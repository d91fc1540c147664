"""Every change of the lowest minimum along a line, in order and by name."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from phasediagram.minima.starts import low_starts
from phasediagram.minima.symmetry import least_of_the_last
from phasediagram.naming.phases import distinct_names, phases_of
from phasediagram.results import BranchLosses, SectionTransition
from phasediagram.sections.changes import Change, Segment, continued, first_order_changes
from phasediagram.sections.course import Course
from phasediagram.sections.line import Line

Array = NDArray[np.float64]

_BESIDE = 1e-3  # share of a segment beside a continuous change
_STARTS_BETWEEN = 60  # where the lowest minimum changes
_TIED = 1e-9  # relative difference of losses that are equal but for rounding


def transitions_along(
    line: Line, paths: list[Array], branches: list[BranchLosses], course: Course
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
    line: Line, paths: list[Array], lowest: NDArray[np.intp], k: int
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


def _named(line: Line, change: Change, course: Course) -> SectionTransition:
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
