"""Spinodals: where a minimum that is no longer the lowest ceases to be one.

Minima found on a coarse grid are followed until they end: in a fold, where they meet a saddle.
Those in which a feature is represented perfectly have no Hessian, and end where the smallest
second directional derivative vanishes: lines with a closed form (`derivations.stability`,
`derivations.aligned`), or limits beyond which a pair tilts (`phasediagram.decoupled`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from phasediagram.branches import Model
from phasediagram.closed_forms import aligned_tricritical_point, tricritical_points
from phasediagram.continuous import aligned_limit, ignored_limit
from phasediagram.decoupled import with_extra_in_pair, without_extra_in_pair
from phasediagram.equilibrium import Domain
from phasediagram.folds import Fold, folds_near, trace_folds
from phasediagram.free_minimization import Progress
from phasediagram.survey import Seeds, coupled_minima, is_coupled, short_minima

Array = NDArray[np.float64]
Namer = Callable[[Array, float], str]

_SMALLEST_STEP = 1e-4
_AT_NODE = 3e-3  # a fold this close to a tricritical point ends there
_MOST_STEPS = 400
_ALMOST_DECOUPLED = 0.01
_LARGEST_MOVE = 0.15  # of a state in one step of length 0.005
_NEAR_POSITION, _NEAR_STATE = 0.03, 0.06
_APART, _AT_ONCE = 0.15, 24  # folds that are traced at the same time
_SAMPLES = 9  # points of a curve that are compared with others
_ROUNDS = 4
_RADIUS, _AROUND = 0.01, 8  # of positions around an end
_NEAR_END = 0.15
_FEWEST = 3  # points of a curve
_POINTS = 72
_ROOT = 1e-14


@dataclass(frozen=True)
class Spinodal:
    """Positions (k, 2) at which a phase ends."""

    phase: str
    positions: Array


def find_spinodals(
    model: Model, domain: Domain, name: Namer, progress: Progress | None = None
) -> list[Spinodal]:
    """Return the spinodals of every minimum.

    Parameters
    ----------
    model : Model
    domain : Domain
    name : callable
        The phase of a state at a log density.
    progress : callable, optional
        Called with the share of the work that is done, 0 to 1.
    """
    if model.n == 2:
        known = _of_two_features(domain)
        folds = _find_folds(model, domain, progress)
    else:
        half = progress and (lambda share: progress(share / 2))
        known = _of_three_features(domain, _find_folds(Model(2, 1), domain, half), name)
        folds = _find_folds(model, domain, progress and (lambda share: progress((1 + share) / 2)))
    return [*known, *(part for fold in folds for part in _by_phase(fold, name))]


def _by_phase(fold: Sequence[Fold], name: Namer) -> list[Spinodal]:
    """Return the parts of a fold on which one phase ends.

    Where two folds meet in a cusp, each of two minima ends on one of them.
    """
    names = [name(point.x, point.u) for point in fold]
    changes = [k for k in range(1, len(fold)) if names[k] != names[k - 1]]
    parts = []
    for first, last in pairwise([0, *changes, len(fold)]):
        if last - first >= _FEWEST:  # the name of a single point rests on rounding
            part = fold[max(first - 1, 0) : last]
            parts.append(Spinodal(names[first], _positions(part)))
    return parts


def _find_folds(model: Model, domain: Domain, progress: Progress | None) -> list[list[Fold]]:
    """Return every fold in which a minimum with a Hessian ends.

    Folds stop where third derivatives jump (a corner's pre-activation is 0); minima around such
    places lead to those that go on from there.
    """
    seeds = [coupled_minima(model, domain), short_minima(model)]
    folds: list[list[Fold]] = []
    explored = 0
    for round_number in range(_ROUNDS):
        ends = [_ends(model, domain, some) for some in seeds if len(some.states)]
        if not ends:
            break
        states, positions, directions = (np.concatenate(part) for part in zip(*ends, strict=True))
        found = folds_near(model, states, positions, directions)
        left = [fold for fold in found if fold is not None and not _is_known(model, fold, folds)]
        count = len(left)
        while left:
            folds += trace_folds(model, _far_apart(model, left), domain)
            left = [fold for fold in left if not _is_known(model, fold, folds)]
            if progress is not None:
                progress((round_number + 1 - len(left) / count) / _ROUNDS)
        inner = _ends_within(folds[explored:], domain)
        seeds = [_around(model, inner)] if inner else []
        explored = len(folds)
    return _distinct(model, folds)


def _ends_within(folds: Sequence[Sequence[Fold]], domain: Domain) -> list[Fold]:
    """Return the ends that folds have within the domain, and not on its edge."""
    inner = Domain(
        (domain.lower[0] + _RADIUS, domain.lower[1] + _RADIUS),
        (domain.upper[0] - _RADIUS, domain.upper[1] - _RADIUS),
    )
    return [end for fold in folds for end in (fold[0], fold[-1]) if inner.contains(end.point[-2:])]


def _around(model: Model, ends: Sequence[Fold]) -> Seeds:
    """Return minima around ends of folds."""
    angles = np.arange(_AROUND) * 2 * np.pi / _AROUND
    circle = _RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    positions = np.reshape([end.point[-2:] + circle for end in ends], (-1, 2))
    starts = np.reshape(
        [np.tile(end.minimum(model), (_AROUND, 1)) for end in ends], (-1, model.variables)
    )
    states, _ = model.minimize(starts, *positions.T)
    smallest = np.linalg.eigvalsh(model.derivatives(states, *positions.T).hessian)[:, 0]
    close = [model.distance(a, b) < _NEAR_END for a, b in zip(states, starts, strict=True)]
    kept = (smallest > 0) & close & is_coupled(model, states, _ALMOST_DECOUPLED)
    directions = np.concatenate([np.eye(2), -np.eye(2)])
    count = len(directions)
    return Seeds(
        states[kept].repeat(count, axis=0),
        positions[kept].repeat(count, axis=0),
        np.tile(directions, (kept.sum(), 1)),
        np.full(count * kept.sum(), _RADIUS / 2),
    )


def _distinct(model: Model, folds: Sequence[list[Fold]]) -> list[list[Fold]]:
    """Return the curves without those that are part of a longer one.

    Those that have strayed to states with a Hessian of no meaning are left out too.
    """
    kept: list[list[Fold]] = []
    for fold in sorted(folds, key=lambda fold: -_length(_positions(fold))):
        middle = fold[len(fold) // 2].x
        if len(fold) < _FEWEST or not is_coupled(model, middle[None], _ALMOST_DECOUPLED)[0]:
            continue
        along = [fold[k] for k in np.linspace(0, len(fold) - 1, _SAMPLES).astype(int)[1:-1]]
        if 2 * sum(_is_known(model, point, kept) for point in along) < len(along):
            kept.append(fold)
    return kept


def _far_apart(model: Model, folds: Sequence[Fold]) -> list[Fold]:
    """Return some folds no two of which are close, the first included."""
    chosen: list[Fold] = []
    for fold in folds:
        if not any(
            np.abs(fold.point[-2:] - other.point[-2:]).max() < _APART
            and model.distance(fold.x, other.x) < _APART
            for other in chosen
        ):
            chosen.append(fold)
    return chosen[:_AT_ONCE]


def _of_three_features(
    domain: Domain, pair_folds: Sequence[Sequence[Fold]], name: Namer
) -> list[Spinodal]:
    """Return what is known in closed form, and where pairs beside a single feature end."""
    spinodals = [
        Spinodal("ignored", _from_left(domain, ignored_limit)),
        Spinodal("aligned-triangle", _aligned(domain)),
    ]
    ends = [
        *with_extra_in_pair(domain, pair_folds, short_minima(Model(2, 1))),
        *without_extra_in_pair(domain, pair_folds),
    ]
    for end in ends:
        middle = end.positions[len(end.positions) // 2]
        spinodals.append(Spinodal(name(end.state, middle[0]), end.positions))
    return spinodals


def _positions(curve: Sequence[Fold]) -> Array:
    """Return a fold's positions, as far as the tricritical point in which it ends."""
    positions = np.array([[fold.u, fold.v] for fold in curve])
    for point in np.log([*tricritical_points(), aligned_tricritical_point()]):
        for node in (point, point * [1, -1]):
            for index in (0, len(positions)):
                if np.abs(positions[min(index, len(positions) - 1)] - node).max() < _AT_NODE:
                    positions = np.insert(positions, index, node, axis=0)
    return positions


def _length(positions: Array) -> float:
    return float(np.linalg.norm(np.diff(positions, axis=0), axis=1).sum())


def _ends(model: Model, domain: Domain, seeds: Seeds) -> tuple[Array, Array, Array]:
    """Follow every minimum to where it is about to end within the domain.

    Returns the states (k, d), their positions (k, 2) and the directions (k, 2).
    """
    states, positions, directions = seeds.states, seeds.positions, seeds.directions
    steps = seeds.steps.copy()
    inside = np.ones(len(states), dtype=bool)
    for _ in range(_MOST_STEPS):
        going = np.flatnonzero(inside & (steps > _SMALLEST_STEP))
        if not going.size:
            break
        further = positions[going] + steps[going, None] * directions[going]
        inside[going] = [domain.contains(position) for position in further]
        u, v = np.minimum(further[:, 0], 0.0), further[:, 1]
        moved, _ = model.minimize(states[going], u, v)
        smallest = np.linalg.eigvalsh(model.derivatives(moved, u, v).hessian)[:, 0]
        distance = np.array(
            [model.distance(a, b) for a, b in zip(states[going], moved, strict=True)]
        )
        follows = distance < _LARGEST_MOVE * np.minimum(1.0, steps[going] / 0.005)
        follows &= (smallest > 0) & inside[going] & is_coupled(model, moved)
        states[going[follows]], positions[going[follows]] = moved[follows], further[follows]
        steps[going[~follows]] /= 2
    inside &= is_coupled(model, states, _ALMOST_DECOUPLED)  # others have their own limits
    return states[inside], positions[inside], directions[inside]


def _is_known(model: Model, fold: Fold, folds: Sequence[Sequence[Fold]]) -> bool:
    """Whether a fold lies on one of the curves."""
    for known in folds:
        distance = np.abs([f.point[-2:] - fold.point[-2:] for f in known]).max(axis=1)
        near = np.flatnonzero(distance < _NEAR_POSITION)
        if any(model.distance(known[int(k)].x, fold.x) < _NEAR_STATE for k in near):
            return True
    return False


def _of_two_features(domain: Domain) -> list[Spinodal]:
    """Return where one of two features enters, in either direction: in closed form."""
    ignored, aligned = _from_left(domain, ignored_limit), _aligned(domain)
    mirror = np.array([1, -1])
    return [
        Spinodal("ignored", ignored),
        Spinodal("dedicated", ignored * mirror),
        Spinodal("aligned", aligned),
        Spinodal("aligned", aligned * mirror),
    ]


def _aligned(domain: Domain) -> Array:
    """Return where an extra feature aligned with others (n = 2, with both for n = 3) enters."""
    return _from_left(domain, aligned_limit, float(np.log(aligned_tricritical_point()[0])))


def _from_left(domain: Domain, limit: Callable[[Array], Array], last: float = 0.0) -> Array:
    """Return the positions on a rising line within the domain, up to a log density."""

    def height(u: float) -> float:
        return float(limit(np.exp([u]))[0, 1] - domain.lower[1])

    first = domain.lower[0]
    if height(first) < 0:
        first = brentq(height, first, last, xtol=_ROOT)
    return limit(np.exp(np.linspace(first, last, _POINTS)))
