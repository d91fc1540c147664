"""Spinodals: where a minimum that is no longer the lowest ceases to be one.

From first-order lines each of the two minima is followed to the side where it is metastable,
until it ends: in a fold (it meets a saddle), or where a perfectly represented feature lets
others in (`phasediagram.tilting`, `derivations.stability`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from phasediagram.branches import Model, gradient_tolerance
from phasediagram.closed_forms import tricritical_points
from phasediagram.continuous import ignored_limit, ignored_state, tilt_limits, tilt_tricritical
from phasediagram.equilibrium import Domain
from phasediagram.folds import Fold, fold_near, trace_fold
from phasediagram.free_minimization import Progress, minimize_free
from phasediagram.mapping import Line, touches
from phasediagram.tilting import PairAndSingle

Array = NDArray[np.float64]
Namer = Callable[[Array, float], str]

_SEEDS = 5  # points of a line from which minima are followed
_STEP, _SMALLEST_STEP = 0.02, 1e-4
# of minima with a short extra feature, on both sides of where it enters
_SHORT_STEP = 0.002
_STRIP_DENSITIES = (0.3, 0.45, 0.9, 0.95)
_SHORT_NORMS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)
_SHORTEST = 1e-3
_AT_NODE = 3e-3  # a fold this close to a tricritical point ends there
_MOST_STEPS = 400
_LARGEST_MOVE = 0.15  # of a state in one step of length 0.005
_FOLD_DISTANCE = 0.02
_NEAR_POSITION, _NEAR_STATE = 0.03, 0.04
_POINTS = 24
_OTHERS_ANTIPODAL_DENSITIES = (0.40, 0.7131)  # around the sparsest, and the densest
_ROOT = 1e-14
_ANTIPODAL_FOLD = -0.47  # log r below which the pair itself ends first


@dataclass(frozen=True)
class Spinodal:
    """Positions (k, 2) at which a phase ends."""

    phase: str
    positions: Array


@dataclass(frozen=True)
class _Seeds:
    """Minima (k, d), positions (k, 2), the directions (k, 2) to follow and first steps (k,)."""

    states: Array
    positions: Array
    directions: Array
    steps: Array


def find_spinodals(
    model: Model,
    domain: Domain,
    lines: Sequence[Line],
    name: Namer,
    progress: Progress | None = None,
) -> list[Spinodal]:
    """Return the spinodals of every minimum that is the lowest somewhere."""
    closed = [*_of_ignored(model, domain), *_of_tilts(model, domain)]
    folds: list[list[Fold]] = []
    seeds = [_on_lines(lines), _where_ignored_ends(model, domain)]
    ends = [end for some in seeds for end in _ends(model, domain, some)]
    for done, (state, position, direction) in enumerate(ends):
        fold = fold_near(model, state, position, direction)
        if fold is not None and not _is_known(model, fold, folds):
            away = np.abs(np.array([fold.u, fold.v]) - position).max()
            if away < _FOLD_DISTANCE:
                folds.append(_whole_fold(model, fold, domain))
        if progress is not None:
            progress((done + 1) / len(ends))
    traced = [
        Spinodal(name(curve[len(curve) // 2].x, curve[len(curve) // 2].u), _positions(curve))
        for curve in folds
        if len(curve) > 2
    ]
    return [*closed, *_longest(closed, traced)]


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


def _on_lines(lines: Sequence[Line]) -> _Seeds:
    """Return the two minima at points of first-order lines, to be followed to metastability."""
    states, positions, directions = [], [], []
    for line in lines:
        for index in np.unique(np.linspace(1, len(line.points) - 2, _SEEDS).astype(int)):
            point, slope = line.points[index], line.slopes[index]
            uphill = slope / np.linalg.norm(slope)
            states += [point.first, point.second]
            positions += [point.position, point.position]
            directions += [uphill, -uphill]
    steps = np.full(len(states), _STEP)
    return _Seeds(np.array(states), np.array(positions), np.array(directions), steps)


def _where_ignored_ends(model: Model, domain: Domain) -> _Seeds:
    """Return minima with a short extra feature, where ignoring it loses stability.

    They exist on either side of that line, in a strip that ends in folds.
    """
    states, positions = [], []
    for density in _STRIP_DENSITIES:
        (position,) = ignored_limit(np.array([density]))
        ignored = ignored_state(model.n, density)
        starts = []
        for direction, norm in product(_entering_directions(model.n), _SHORT_NORMS):
            start = ignored.copy()
            start[model.n - 1 : model.m * model.n : model.n] = -norm * direction
            starts.append(start)
        for state in _short_minima(model, np.array(starts), position):
            states += [state, state]
            positions += [position, position]
    directions = np.tile([[0.0, 1.0], [0.0, -1.0]], (len(states) // 2, 1))
    found = _Seeds(
        np.array(states), np.array(positions), directions, np.full(len(states), _SHORT_STEP)
    )
    return found if model.n > 2 else _with_mirror_image(found)


def _with_mirror_image(seeds: _Seeds) -> _Seeds:
    """Exchange the two features of n = 2 too."""
    exchanged = seeds.states[:, [1, 0, 3, 2]]
    flip = np.array([1, -1])
    return _Seeds(
        np.concatenate([seeds.states, exchanged]),
        np.concatenate([seeds.positions, seeds.positions * flip]),
        np.concatenate([seeds.directions, seeds.directions * flip]),
        np.tile(seeds.steps, 2),
    )


def _entering_directions(n: int) -> list[Array]:
    """Return the unit vectors that the extra feature's direction may be opposite to."""
    one = np.eye(n - 1)[0]
    return [one] if n == 2 else [one, np.full(n - 1, 1 / np.sqrt(n - 1))]


def _short_minima(model: Model, starts: Array, position: Array) -> list[Array]:
    """Return the distinct minima with a short extra feature that starts (k, d) lead to."""
    density, importance = np.exp(position)
    ends = minimize_free(model.n, model.m, density[None], importance[None], starts[None])
    converged = ends.gradient_norm[0] <= 10 * gradient_tolerance(position[0])
    states = ends.x[0, converged]
    norm = np.linalg.norm(model.weights(states)[..., -1], axis=1)
    smallest = np.linalg.eigvalsh(model.derivatives(states, *position).hessian)[:, 0]
    kept: list[Array] = []
    for state in states[(norm > _SHORTEST) & (norm < _SHORT_NORMS[-1]) & (smallest > 0)]:
        if not any(model.same(state, other) for other in kept):
            kept.append(state)
    return kept


def _ends(model: Model, domain: Domain, seeds: _Seeds) -> list[tuple[Array, Array, Array]]:
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
    return [(states[i], positions[i], directions[i]) for i in np.flatnonzero(inside)]


def _is_known(model: Model, fold: Fold, folds: list[list[Fold]]) -> bool:
    for known in folds:
        positions = np.array([[f.u, f.v] for f in known])
        distance = np.abs(positions - [fold.u, fold.v]).max(axis=1)
        closest = int(distance.argmin())
        if distance[closest] < _NEAR_POSITION:
            around = known[max(closest - 1, 0) : closest + 2]
            if min(model.distance(f.x, fold.x) for f in around) < _NEAR_STATE:
                return True
    return False


def _covers(old: Spinodal, new: Spinodal) -> bool:
    """Whether a spinodal of the same phase passes through most points along another."""
    along = new.positions[np.linspace(0, len(new.positions) - 1, 7).astype(int)[1:-1]]
    touched = sum(touches(old.positions, point) for point in along)
    return old.phase == new.phase and 2 * touched > len(along)


def _of_ignored(model: Model, domain: Domain) -> list[Spinodal]:
    """Return where ignoring a feature loses stability: in closed form."""

    def height(u: float) -> float:
        return float(ignored_limit(np.exp([u]))[0, 1] - domain.lower[1])

    lowest = brentq(height, domain.lower[0], 0.0, xtol=_ROOT)
    positions = ignored_limit(np.exp(np.linspace(lowest, 0.0, 3 * _POINTS)))
    spinodals = [Spinodal("ignored", positions)]
    if model.n == 2:
        spinodals.append(Spinodal("dedicated", positions * [1, -1]))
    return spinodals


def _of_tilts(model: Model, domain: Domain) -> list[Spinodal]:
    """Return where a pair tilts into the dimension of the third feature (n = 3)."""
    if model.n != 3:
        return []
    tricritical, _ = tilt_tricritical()
    return [
        Spinodal("others-partial", tilt_limits(np.linspace(tricritical, 0.0, _POINTS))),
        Spinodal("others-antipodal", _others_antipodal_limit(domain)),
        Spinodal("antipodal", _antipodal_limit(domain)),
    ]


def _others_antipodal_limit(domain: Domain) -> Array:
    """Return where two antipodal others tilt: below a relative importance for each density."""
    others = PairAndSingle(extra_in_pair=False)
    lowest = domain.lower[1]
    pair = others.pair(np.array([0.9, -0.9, 0.1, 0.1]), np.log(_OTHERS_ANTIPODAL_DENSITIES[0]), 0.0)

    def stiffness(u: float, v: float, near: Array) -> float:
        return others.stiffness(others.pair(near, u, 0.0), u, v)

    first, last = np.log(_OTHERS_ANTIPODAL_DENSITIES)
    first = brentq(stiffness, first, first + 0.1, args=(lowest, pair), xtol=_ROOT)
    positions = [[first, lowest]]
    for u in np.linspace(first, last, _POINTS)[1:]:
        pair = others.pair(pair, u, 0.0)
        if stiffness(u, lowest, pair) < 0 < stiffness(u, 1.0, pair):
            limit = brentq(lambda v, u=u, near=pair: stiffness(u, v, near), lowest, 1.0, xtol=_ROOT)
            positions.append([u, limit])
    return np.array(positions)


def _antipodal_limit(domain: Domain) -> Array:
    """Return where an antipodal pair with the extra feature tilts: a density for each r."""
    extra = PairAndSingle(extra_in_pair=True)
    u, pair = np.log(0.15), np.array([0.9, -0.9, 0.1, 0.1])
    positions = []
    for v in np.linspace(domain.upper[1], _ANTIPODAL_FOLD, _POINTS):
        pair = extra.pair(pair, u, v)

        def stiffness(u: float, v: float = v, near: Array = pair) -> float:
            return extra.stiffness(extra.pair(near, u, v), u, v)

        width = 0.02
        while not stiffness(u - width) > 0 > stiffness(u + width) and width < 0.5:
            width *= 1.5
        if width < 0.5:
            u = float(brentq(stiffness, u - width, u + width, xtol=_ROOT))
            positions.append([u, v])
    return np.array(positions)
