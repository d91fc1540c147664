"""Spinodals of three features of which one has a dimension to itself, while two share the other.

Such a minimum ends where its pair, two features in one dimension, ends in a fold, or before that
where the pair tilts into the third feature's dimension (`phasediagram.tilting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from phasediagram.branches import Model
from phasediagram.closed_forms import tricritical_points
from phasediagram.equilibrium import Domain
from phasediagram.folds import Fold, correct_folds, critical_point, moved
from phasediagram.mapping import touches
from phasediagram.survey import Seeds
from phasediagram.tilting import PairAndSingle

Array = NDArray[np.float64]

_PAIRS = Model(2, 1)
_EXTRA = PairAndSingle(extra_in_pair=True)
_OTHERS = PairAndSingle(extra_in_pair=False)
_ANTIPODAL, _PARTIAL, _ALIGNED = (
    np.array(pair)
    for pair in ((0.9, -0.9, 0.1, 0.1), (0.93, -0.45, 0.2, 0.48), (0.93, 0.45, -0.1, 0.02))
)
_POINTS = 40
_SAME_END = 1e-6
_ROOT = 1e-13
_ITERATIONS = 15  # of the secant method
_SAMPLES = 5  # points of a fold
_STEPS_INWARDS = 10
_FIRST_STEP, _SMALLEST_STEP, _STEP = 0.004, 1e-4, 0.04
_LARGEST_MOVE = 0.1  # of a pair in one step
_SHORTEST = 4e-3  # norm of the extra feature next to a tricritical point
_AT_NODE = 0.01  # a limit this close to a fold's end, or a tricritical point, ends there
_DIFFERENCE = 1e-5
_MOST_STEPS = 400

Start = tuple[Array, Array]
Curve = tuple[Array, Array]
"""Positions (k, 2), and the states (k, 4) of pairs there."""


def with_extra_in_pair(
    domain: Domain, folds: Sequence[Sequence[Fold]], short: Seeds
) -> list[Curve]:
    """Return where pairs with the extra feature end.

    Parameters
    ----------
    domain : Domain
    folds : sequence of sequence of Fold
        Every fold of two features.
    short : Seeds
        Minima of two features with a short extra one, from which limits of stability start too.
    """
    curves: list[Curve] = []
    ends: list[Fold] = []
    for fold in folds:
        runs, junctions = _untilted(fold)
        ends += junctions
        for run in runs:
            curves.append((np.array([[f.u, f.v] for f in run]), np.array([f.x for f in run])))
    limits: list[Curve] = []
    for start in [*_starts(folds), *_starts_of_short(short)]:
        if not any(_passes(limit, start) for limit in limits):
            limits.append(_trace_both_ways(domain, start, ends))
    return [*curves, *limits]


def _passes(limit: Curve, start: Start) -> bool:
    """Whether a limit has been traced through a start."""
    positions, pairs = limit
    closest = np.abs(positions - start[0]).max(axis=1).argmin()
    return (
        touches(positions, start[0]) and _PAIRS.distance(pairs[closest], start[1]) < _LARGEST_MOVE
    )


def _stiffness(pairs: Array, positions: Array) -> Array:
    return _EXTRA.tilt(pairs, *positions.T).stiffness


def _untilted(fold: Sequence[Fold]) -> tuple[list[list[Fold]], list[Fold]]:
    """Return the parts of a fold on which the pair has not tilted yet, and their inner ends."""
    positions = np.array([[f.u, f.v] for f in fold])
    stable = _stiffness(np.array([f.minimum(_PAIRS) for f in fold]), positions) > 0
    runs: list[list[Fold]] = []
    junctions = []
    run: list[Fold] = []
    for k, point in enumerate(fold):
        if k and stable[k] != stable[k - 1]:
            junctions.append(_junction(fold[k - 1], point))
            run.append(junctions[-1])
            if stable[k - 1]:
                runs.append(run)
                run = []
        if stable[k]:
            run.append(point)
    return [r for r in [*runs, run] if len(r) > 1], junctions


def _junction(before: Fold, after: Fold) -> Fold:
    """Return the point of a fold between two of its points at which the pair tilts."""
    start, end = before.point, after.point
    axis = int(np.abs(end - start)[-2:].argmax())

    def at(value: float) -> Fold:
        fold = _between(before, after, axis, value)
        assert fold is not None
        return fold

    def stiffness(value: float) -> float:
        fold = at(value)
        return float(_stiffness(fold.minimum(_PAIRS)[None], fold.point[None, -2:])[0])

    return at(float(brentq(stiffness, start[axis - 2], end[axis - 2], xtol=_ROOT)))


def _between(before: Fold, after: Fold, axis: int, value: float) -> Fold | None:
    """Return the point of a fold between two of its points at which u or v has a value."""
    start, end = before.point, after.point
    index = len(start) - 2 + axis
    guess = start + (value - start[index]) / (end[index] - start[index]) * (end - start)
    (solved,) = correct_folds(_PAIRS, [moved(before, guess)], np.eye(len(start))[[index]])
    return None if solved is None else solved.fold


def _starts(folds: Sequence[Sequence[Fold]]) -> list[Start]:
    """Return positions at which pairs tilt, reached from folds at which they have done so.

    From some points of every fold the pair is followed in all directions in which it exists.
    """
    samples = [
        fold[k]
        for fold in folds
        for k in np.unique(np.linspace(0, len(fold) - 1, _SAMPLES).astype(int))
    ]
    directions = np.concatenate([np.eye(2), -np.eye(2)])
    direction = np.tile(directions, (len(samples), 1))
    position = np.repeat([sample.point[-2:] for sample in samples], len(directions), axis=0)
    pair = np.repeat([sample.minimum(_PAIRS) for sample in samples], len(directions), axis=0)
    before = np.full(len(pair), -1.0)
    found = []
    for step in 0.1 * _STEP * 1.5 ** np.arange(_STEPS_INWARDS):
        position = position + step * direction
        moved, exists = _follow(pair, np.minimum(position, [0.0, np.inf]))
        kept = exists & (position[:, 0] <= 0) & (before < 0)
        position, pair, direction = position[kept], moved[kept], direction[kept]
        if not len(pair):
            break
        before = _stiffness(pair, position)
        for k in np.flatnonzero(before > 0):
            solved = _on_limit(position[k], direction[k], pair[k])
            if solved is not None and _is_long(solved[1]):
                found.append(solved)
    return found


def _follow(pairs: Array, positions: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return the minima near pairs (k, 4) at other positions, and whether there are any."""
    moved, _ = _PAIRS.minimize(pairs, *positions.T)
    smallest = np.linalg.eigvalsh(_PAIRS.derivatives(moved, *positions.T).hessian)[:, 0]
    return moved, (np.abs(moved - pairs).max(axis=1) < _LARGEST_MOVE) & (smallest > 0)


def _is_long(pair: Array) -> bool:
    return bool(np.abs(pair[:2]).min() > _SHORTEST)


def _on_limit(guess: Array, along: Array, pair: Array) -> Start | None:
    """Return the position guess + s along at which the pair tilts, and the pair there."""
    unit = along / np.linalg.norm(along)
    last, last_stiffness, s = 0.0, np.nan, 0.0
    for _ in range(_ITERATIONS):
        position = guess + s * unit
        position[0] = min(position[0], 0.0)
        moved, exists = _follow(pair[None], position[None])
        if not exists[0]:
            return None
        stiffness = float(_stiffness(moved, position[None])[0])
        slope = (stiffness - last_stiffness) / (s - last) if s != last else np.nan
        step = -stiffness / slope if np.isfinite(slope) and slope != 0 else _DIFFERENCE
        if abs(step) < _ROOT or stiffness == 0:
            return position, moved[0]
        last, last_stiffness, s = s, stiffness, s + step
        if not abs(s) < _STEP:
            return None
    return None


def _starts_of_short(short: Seeds) -> list[Start]:
    """Return where minima with a short extra feature tilt as its importance grows."""
    found = []
    ordered = np.abs(short.states[:, 1]) < np.abs(short.states[:, 0])
    for k in np.flatnonzero(ordered & (short.directions[:, 1] > 0)):
        position, pair = short.positions[k], short.states[k]
        if _is_long(pair) and _stiffness(pair[None], position[None])[0] > 0:
            solved = _on_limit(position, np.array([0.0, 1.0]), pair)
            if solved is not None:
                found.append(solved)
    return found


def _trace_both_ways(domain: Domain, start: Start, ends: Sequence[Fold]) -> Curve:
    position, pair = start
    slope = _slope_of_stiffness(position, pair)
    tangent = np.array([-slope[1], slope[0]]) / np.linalg.norm(slope)
    forward, backward = (_trace_limit(domain, start, sign * tangent, ends) for sign in (1, -1))
    return (
        np.concatenate([backward[0][::-1], position[None], forward[0]]),
        np.concatenate([backward[1][::-1], pair[None], forward[1]]),
    )


def _slope_of_stiffness(position: Array, pair: Array) -> Array:
    around = position - _DIFFERENCE * np.eye(2)  # backwards: the density stays below 1
    around = np.concatenate([position[None], around])
    pairs, _ = _PAIRS.minimize(np.tile(pair, (3, 1)), *around.T)
    here, *before = _stiffness(pairs, around)
    return np.asarray((here - np.array(before)) / _DIFFERENCE)


def _trace_limit(domain: Domain, start: Start, tangent: Array, ends: Sequence[Fold]) -> Curve:
    """Follow a limit of stability in one direction, without its start."""
    positions, pairs = [start[0]], [start[1]]
    length = _FIRST_STEP
    while length > _SMALLEST_STEP and len(positions) < _MOST_STEPS:
        guess = positions[-1] + length * tangent
        if not domain.contains(guess):
            solved = _land(domain, positions[-1], guess, pairs[-1])
        else:
            solved = _on_limit(guess, np.array([-tangent[1], tangent[0]]), pairs[-1])
        progress = 0.0 if solved is None else (solved[0] - positions[-1]) @ tangent
        if solved is None or progress < length / 4 or not _is_long(solved[1]):
            length /= 2
            continue
        step = solved[0] - positions[-1]
        tangent = step / np.linalg.norm(step)
        positions.append(solved[0])
        pairs.append(solved[1])
        if not domain.contains(guess):
            break
        length = min(1.5 * length, _STEP)
    nodes = [*np.log(tricritical_points()), *(end.point[-2:] for end in ends)]
    closest = min(nodes, key=lambda node: float(np.abs(node - positions[-1]).max()))
    if 0 < np.abs(closest - positions[-1]).max() < _AT_NODE:
        positions.append(closest)
        pairs.append(pairs[-1])
    return np.reshape(positions[1:], (-1, 2)), np.reshape(pairs[1:], (-1, 4))


def _land(domain: Domain, last: Array, guess: Array, pair: Array) -> Start | None:
    """Return where a limit of stability leaves the domain."""
    axis, value = domain.crossed(guess)
    share = (value - last[axis]) / (guess[axis] - last[axis])
    edge = last + share * (guess - last)
    edge[axis] = value
    return _on_limit(edge, np.eye(2)[1 - axis], pair)


def without_extra_in_pair(domain: Domain, folds: Sequence[Sequence[Fold]]) -> list[Curve]:
    """Return where pairs of two others end, beside the extra feature.

    Without it they are those of two equally important features: each ends in a fold at one
    density, or tilts below one importance of the extra feature for each density.
    """
    antipodal, partial = _ends_at_equal_importance(folds)
    families = (
        (_ANTIPODAL, domain.lower[0], antipodal.u),
        (_PARTIAL, partial.u, domain.upper[0]),
        (_ALIGNED, domain.lower[0], domain.upper[0]),
    )
    curves = [_others_limit(domain, *family) for family in families]
    for end in (antipodal, partial):
        (limit,) = _OTHERS.limits(end.x[None], np.array([end.u]))
        positions = np.array([[end.u, limit], [end.u, domain.upper[1]]])
        curves.append((positions, np.tile(end.x, (2, 1))))
    return curves


def _ends_at_equal_importance(folds: Sequence[Sequence[Fold]]) -> list[Fold]:
    """Return the folds of two equally important features, that of the densest pair first.

    Antipodal pairs end there in a cusp, the point in which two folds meet.
    """
    ends: list[Fold] = []
    for fold in folds:
        for before, after in pairwise(fold):
            if before.v * after.v <= 0 and max(before.u, after.u) < 0:
                end = _between(before, after, 1, 0.0) or critical_point(_PAIRS, before)
                if end is not None and not any(abs(end.u - other.u) < _SAME_END for other in ends):
                    ends.append(end)
    return sorted(ends, key=lambda end: -end.u)


def _others_limit(domain: Domain, guess: Array, first: float, last: float) -> Curve:
    """Return where two others of a family of pairs tilt, for densities between two."""

    def limits(u: Array) -> tuple[Array, Array]:
        pairs = _OTHERS.pairs(np.tile(guess, (len(u), 1)), u, np.zeros_like(u))
        return _OTHERS.limits(pairs, u), pairs

    u = np.linspace(first, last, _POINTS)
    v, _ = limits(u)
    inside = (v >= domain.lower[1]) & (v <= domain.upper[1])
    ends = []
    for k in np.flatnonzero(inside[:-1] != inside[1:]):
        edge = domain.lower[1] if min(v[k], v[k + 1]) < domain.lower[1] else domain.upper[1]
        ends.append(
            brentq(
                lambda u, edge=edge: float(limits(np.array([u]))[0][0] - edge),
                u[k],
                u[k + 1],
                xtol=_ROOT,
            )
        )
    ends += [u[k] for k in (0, -1) if inside[k]]
    u = np.linspace(min(ends), max(ends), _POINTS)
    v, pairs = limits(u)
    return np.stack([u, np.clip(v, domain.lower[1], domain.upper[1])], axis=1), pairs
