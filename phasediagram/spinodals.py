"""Spinodals: where a minimum that is no longer the lowest ceases to be one.

Minima found on a coarse grid are followed until they end: in a fold, where they meet a saddle.
Those in which a feature is represented perfectly have no Hessian, and end where the smallest
second directional derivative vanishes: lines with a closed form (`derivations.stability`,
`derivations.aligned`), or limits beyond which a pair tilts (`phasediagram.decoupled`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from phasediagram.branches import Model
from phasediagram.closed_forms import aligned_tricritical_point, tricritical_points
from phasediagram.continuous import aligned_limit, ignored_limit
from phasediagram.decoupled import with_extra_in_pair, without_extra_in_pair
from phasediagram.equilibrium import Domain
from phasediagram.folds import Fold, fold_near, trace_fold
from phasediagram.free_minimization import Progress
from phasediagram.mapping import touches
from phasediagram.survey import Seeds, coupled_minima, is_coupled, short_minima
from phasediagram.tilting import PairAndSingle

Array = NDArray[np.float64]
Namer = Callable[[Array, float], str]

_SMALLEST_STEP = 1e-4
_AT_NODE = 3e-3  # a fold this close to a tricritical point ends there
_MOST_STEPS = 400
_ALMOST_DECOUPLED = 0.01
_LARGEST_MOVE = 0.15  # of a state in one step of length 0.005
_NEAR_POSITION, _NEAR_STATE = 0.03, 0.04
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
        closed = _of_two_features(domain)
        folds = _find_folds(model, domain, progress)
    else:
        half = progress and (lambda share: progress(share / 2))
        pairs = _find_folds(Model(2, 1), domain, half)
        closed = [
            Spinodal("ignored", _from_left(domain, ignored_limit)),
            *_decoupled(domain, pairs, name),
        ]
        folds = _find_folds(model, domain, progress and (lambda share: progress((1 + share) / 2)))
    traced = [
        Spinodal(name(curve[len(curve) // 2].x, curve[len(curve) // 2].u), _positions(curve))
        for curve in folds
        if len(curve) > 2
    ]
    return [*closed, *_longest(closed, traced)]


def _find_folds(model: Model, domain: Domain, progress: Progress | None) -> list[list[Fold]]:
    """Return every fold in which a minimum with a Hessian ends."""
    folds: list[list[Fold]] = []
    ends = [
        end
        for seeds in (coupled_minima(model, domain), short_minima(model))
        for end in _ends(model, domain, seeds)
    ]
    for done, (state, position, direction) in enumerate(ends):
        if not _is_known(model, state, position, folds):
            fold = fold_near(model, state, position, direction)
            if fold is not None and not _is_known(model, fold.x, fold.point[-2:], folds):
                folds.append(_whole_fold(model, fold, domain))
        if progress is not None:
            progress((done + 1) / len(ends))
    return folds


def _decoupled(domain: Domain, folds: list[list[Fold]], name: Namer) -> list[Spinodal]:
    """Return where pairs beside a feature with a dimension to itself end (n = 3)."""
    spinodals = []
    for extra_in_pair, curves in (
        (True, with_extra_in_pair(domain, folds, short_minima(Model(2, 1)))),
        (False, without_extra_in_pair(domain, folds)),
    ):
        for positions, pairs in curves:
            middle = len(pairs) // 2
            (state,) = PairAndSingle(extra_in_pair).states(pairs[middle : middle + 1])
            spinodals.append(Spinodal(name(state, positions[middle, 0]), positions))
    return spinodals


def _whole_fold(model: Model, fold: Fold, domain: Domain) -> list[Fold]:
    """Follow a fold both ways."""
    return [
        *trace_fold(model, fold, -1, domain)[::-1],
        *trace_fold(model, fold, 1, domain)[1:],
    ]


def _positions(curve: list[Fold]) -> Array:
    """Return a fold's positions, as far as the tricritical point in which it ends."""
    positions = np.array([[fold.u, fold.v] for fold in curve])
    for point in np.log(tricritical_points()):
        for node in (point, point * [1, -1]):
            for index in (0, len(positions)):
                if np.abs(positions[min(index, len(positions) - 1)] - node).max() < _AT_NODE:
                    positions = np.insert(positions, index, node, axis=0)
    return positions


def _longest(known: Sequence[Spinodal], traced: Sequence[Spinodal]) -> list[Spinodal]:
    """Return the curves without those that are part of a longer one of the same phase."""
    kept: list[Spinodal] = []
    for new in sorted(traced, key=lambda curve: -_length(curve.positions)):
        if not any(_covers(old, new) for old in (*known, *kept)):
            kept.append(new)
    return kept


def _length(positions: Array) -> float:
    return float(np.linalg.norm(np.diff(positions, axis=0), axis=1).sum())


def _ends(model: Model, domain: Domain, seeds: Seeds) -> list[tuple[Array, Array, Array]]:
    """Follow every minimum to where it is about to end within the domain."""
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
        follows &= (smallest > 0) & inside[going]
        states[going[follows]], positions[going[follows]] = moved[follows], further[follows]
        steps[going[~follows]] /= 2
    inside &= is_coupled(model, states, _ALMOST_DECOUPLED)  # others have their own limits
    return [(states[i], positions[i], directions[i]) for i in np.flatnonzero(inside)]


def _is_known(model: Model, state: Array, position: Array, folds: list[list[Fold]]) -> bool:
    for known in folds:
        positions = np.array([[f.u, f.v] for f in known])
        distance = np.abs(positions - position).max(axis=1)
        closest = int(distance.argmin())
        if distance[closest] < _NEAR_POSITION:
            around = known[max(closest - 1, 0) : closest + 2]
            if min(model.distance(f.x, state) for f in around) < _NEAR_STATE:
                return True
    return False


def _covers(old: Spinodal, new: Spinodal) -> bool:
    """Whether a spinodal of the same phase passes through most points along another."""
    along = new.positions[np.linspace(0, len(new.positions) - 1, 7).astype(int)[1:-1]]
    touched = sum(touches(old.positions, point) for point in along)
    return old.phase == new.phase and 2 * touched > len(along)


def _of_two_features(domain: Domain) -> list[Spinodal]:
    """Return where one of two features enters, in either direction: in closed form."""
    densest = np.log(aligned_tricritical_point()[0])
    ignored = _from_left(domain, ignored_limit)
    aligned = _from_left(domain, aligned_limit, densest)
    mirror = np.array([1, -1])
    return [
        Spinodal("ignored", ignored),
        Spinodal("dedicated", ignored * mirror),
        Spinodal("aligned", aligned),
        Spinodal("aligned", aligned * mirror),
    ]


def _from_left(domain: Domain, limit: Callable[[Array], Array], last: float = 0.0) -> Array:
    """Return the positions on a rising line within the domain, up to a log density."""

    def height(u: float) -> float:
        return float(limit(np.exp([u]))[0, 1] - domain.lower[1])

    first = domain.lower[0]
    if height(first) < 0:
        first = brentq(height, first, last, xtol=_ROOT)
    return limit(np.exp(np.linspace(first, last, _POINTS)))
