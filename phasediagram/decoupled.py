"""Spinodals of three features of which one has a dimension to itself, while two share the other.

Such a minimum ends where its pair, two features in one dimension, ends in a fold, or before that
where the pair tilts into the third feature's dimension (`phasediagram.tilting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from phasediagram.closed_forms import tricritical_points
from phasediagram.equilibrium import Domain
from phasediagram.folds import Fold, correct_folds, critical_point, moved
from phasediagram.survey import Seeds
from phasediagram.tilt_limits import PAIRS, Curve, TiltLimits
from phasediagram.tilting import PairAndSingle

Array = NDArray[np.float64]

_EXTRA = PairAndSingle(extra_in_pair=True)
_OTHERS = PairAndSingle(extra_in_pair=False)
_ANTIPODAL, _PARTIAL, _ALIGNED = (
    np.array(pair)
    for pair in ((0.9, -0.9, 0.1, 0.1), (0.93, -0.45, 0.2, 0.48), (0.93, 0.45, -0.1, 0.02))
)
_POINTS = 40
_FEWEST = 3
_SAME_END = 1e-6
_ROOT = 1e-13
_EASIEST = 1e-7  # stiffness
_SLIGHTLY = 0.02


@dataclass(frozen=True)
class DecoupledEnd:
    """Positions (k, 2) at which minima end, and the state (9,) of one of them."""

    state: Array
    positions: Array


def with_extra_in_pair(
    domain: Domain, folds: Sequence[Sequence[Fold]], short: Seeds
) -> list[DecoupledEnd]:
    """Return where pairs with the extra feature end, and minima with a slight tilt of them.

    Parameters
    ----------
    domain : Domain
    folds : sequence of sequence of Fold
        Every fold of two features.
    short : Seeds
        Minima of two features with a short extra one, from which limits of stability start too.
    """
    curves: list[Curve] = []
    nodes = [*np.log(tricritical_points())]
    for fold in folds:
        runs, junctions = _untilted(fold)
        nodes += [junction.point[-2:] for junction in junctions]
        for run in runs:
            curves.append((np.array([f.point[-2:] for f in run]), np.array([f.x for f in run])))
    curves += TiltLimits(domain, nodes).trace(folds, short)
    tilted = [
        end
        for quadrant in range(4)
        for curve in TiltLimits(domain, nodes, quadrant).trace(folds, short)
        for end in _of_tilted(_EXTRA, curve, quadrant)
    ]
    return [*(_of_pairs(_EXTRA, curve) for curve in curves), *tilted]


def without_extra_in_pair(domain: Domain, folds: Sequence[Sequence[Fold]]) -> list[DecoupledEnd]:
    """Return where pairs of two others end, beside the extra feature, and slight tilts of them.

    Without it they are those of two equally important features: each ends in a fold at one
    density, or tilts below one importance of the extra feature for each density.
    """
    antipodal, partial = _ends_at_equal_importance(folds)
    families = (
        (_ANTIPODAL, domain.lower[0], antipodal.u),
        (_PARTIAL, partial.u, domain.upper[0]),
        (_ALIGNED, domain.lower[0], domain.upper[0]),
    )
    ends: list[DecoupledEnd] = []
    for family in families:
        for quadrant in (None, 0, 1, 2, 3):
            curve = _others_limit(domain, *family, quadrant)
            if curve is None:
                continue
            if quadrant is None:
                ends.append(_of_pairs(_OTHERS, curve))
            else:
                ends += _of_tilted(_OTHERS, curve, quadrant)
    for end in (antipodal, partial):
        (limit,) = _OTHERS.limits(end.x[None], np.array([end.u]))
        positions = np.array([[end.u, limit], [end.u, domain.upper[1]]])
        ends.append(_of_pairs(_OTHERS, (positions, np.tile(end.x, (2, 1)))))
    return ends


def _of_pairs(kind: PairAndSingle, curve: Curve) -> DecoupledEnd:
    positions, pairs = curve
    return DecoupledEnd(kind.states(pairs[len(pairs) // 2, None])[0], positions)


def _of_tilted(kind: PairAndSingle, curve: Curve, quadrant: int) -> list[DecoupledEnd]:
    """Return where minima with a tilt in one quadrant begin continuously (K > 0).

    Where that tilt is the easiest of all, the pair itself ends, and the minima change into it.
    """
    positions, pairs = curve
    first = kind.tilt(pairs, *positions.T).stiffness
    cubic = [kind.cubic(x, at[0], at[1], quadrant) for x, at in zip(pairs, positions, strict=True)]
    begins = (np.array(cubic) > 0) & (first < -_EASIEST)
    changes = np.flatnonzero(np.diff(np.concatenate([[False], begins, [False]]).astype(int)))
    ends = []
    for start, stop in changes.reshape(-1, 2):
        if stop - start >= _FEWEST:
            middle = (start + stop) // 2
            x, at = pairs[middle], positions[middle]
            tilted = kind.tilted(x[None], at[:1], at[1:], quadrant, _SLIGHTLY)
            ends.append(DecoupledEnd(tilted, positions[start:stop]))
    return ends


def _stiffness(pairs: Array, positions: Array) -> Array:
    return _EXTRA.tilt(pairs, *positions.T).stiffness


def _untilted(fold: Sequence[Fold]) -> tuple[list[list[Fold]], list[Fold]]:
    """Return the parts of a fold on which the pair has not tilted yet, and their inner ends."""
    positions = np.array([[f.u, f.v] for f in fold])
    stable = _stiffness(np.array([f.minimum(PAIRS) for f in fold]), positions) > 0
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
        return float(_stiffness(fold.minimum(PAIRS)[None], fold.point[None, -2:])[0])

    return at(float(brentq(stiffness, start[axis - 2], end[axis - 2], xtol=_ROOT)))


def _between(before: Fold, after: Fold, axis: int, value: float) -> Fold | None:
    """Return the point of a fold between two of its points at which u or v has a value."""
    start, end = before.point, after.point
    index = len(start) - 2 + axis
    guess = start + (value - start[index]) / (end[index] - start[index]) * (end - start)
    (solved,) = correct_folds(PAIRS, [moved(before, guess)], np.eye(len(start))[[index]])
    return None if solved is None else solved.fold


def _ends_at_equal_importance(folds: Sequence[Sequence[Fold]]) -> list[Fold]:
    """Return the folds of two equally important features, that of the densest pair first.

    Antipodal pairs end there in a cusp, the point in which two folds meet.
    """
    ends: list[Fold] = []
    for fold in folds:
        for before, after in pairwise(fold):
            if before.v * after.v <= 0 and max(before.u, after.u) < 0:
                end = _between(before, after, 1, 0.0) or critical_point(PAIRS, before)
                if end is not None and not any(abs(end.u - other.u) < _SAME_END for other in ends):
                    ends.append(end)
    return sorted(ends, key=lambda end: -end.u)


def _others_limit(
    domain: Domain, guess: Array, first: float, last: float, quadrant: int | None
) -> Curve | None:
    """Return where two others of a family of pairs tilt, for densities between two."""

    def limits(u: Array) -> tuple[Array, Array]:
        pairs = _OTHERS.pairs(np.tile(guess, (len(u), 1)), u, np.zeros_like(u))
        return _OTHERS.limits(pairs, u, quadrant), pairs

    u = np.linspace(first, last, _POINTS)
    v, _ = limits(u)
    inside = (v >= domain.lower[1]) & (v <= domain.upper[1])
    if inside.sum() < _FEWEST:
        return None
    ends = [u[inside][0], u[inside][-1]]
    for k in np.flatnonzero(inside[:-1] != inside[1:]):
        if np.isfinite(v[k : k + 2]).all():
            edge = domain.lower[1] if v[k : k + 2].min() < domain.lower[1] else domain.upper[1]
            ends.append(
                brentq(
                    lambda u, edge=edge: float(limits(np.array([u]))[0][0] - edge),
                    u[k],
                    u[k + 1],
                    xtol=_ROOT,
                )
            )
    u = np.linspace(min(ends), max(ends), _POINTS)
    v, pairs = limits(u)
    kept = np.isfinite(v)
    v = np.clip(v, domain.lower[1], domain.upper[1])
    return np.stack([u, v], axis=1)[kept], pairs[kept]
