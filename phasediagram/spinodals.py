"""Spinodals: where a minimum that is no longer the lowest ceases to be one.

From first-order lines each of the two minima is followed to the side where it is metastable,
until it ends: in a fold (it meets a saddle), or where a perfectly represented feature lets
others in (`phasediagram.tilting`, `derivations.stability`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from phasediagram.branches import Model
from phasediagram.continuous import ignored_limit, tilt_limits, tilt_tricritical
from phasediagram.equilibrium import Domain
from phasediagram.folds import Fold, fold_near, trace_fold
from phasediagram.free_minimization import Progress
from phasediagram.mapping import Line, touches
from phasediagram.tilting import PairAndSingle

Array = NDArray[np.float64]
Namer = Callable[[Array, float], str]

_SEEDS = 5  # points of a line from which minima are followed
_STEP, _SMALLEST_STEP = 0.02, 1e-4
_MOST_STEPS = 400
_LARGEST_MOVE = 0.15  # of a state in one step of length 0.005
_FOLD_DISTANCE = 0.02
_NEAR_POSITION, _NEAR_STATE = 0.03, 0.1
_POINTS = 24
_ANTIPODAL_FOLD = -0.47  # log r below which the pair itself ends first


@dataclass(frozen=True)
class Spinodal:
    """Positions (k, 2) at which a phase ends."""

    phase: str
    positions: Array


def find_spinodals(
    model: Model,
    domain: Domain,
    lines: Sequence[Line],
    name: Namer,
    progress: Progress | None = None,
) -> list[Spinodal]:
    """Return the spinodals of every minimum that is the lowest somewhere."""
    spinodals = [*_of_ignored(model, domain), *_of_tilts(model, domain)]
    folds: list[list[Fold]] = []
    ends = _ends(model, domain, _seeds(lines))
    for done, (state, position, direction) in enumerate(ends):
        fold = fold_near(model, state, position, direction)
        if fold is not None and not _is_known(model, fold, folds):
            away = np.abs(np.array([fold.u, fold.v]) - position).max()
            if away < _FOLD_DISTANCE:
                folds.append(
                    [
                        *trace_fold(model, fold, -1, domain)[::-1],
                        *trace_fold(model, fold, 1, domain)[1:],
                    ]
                )
                positions = np.array([[f.u, f.v] for f in folds[-1]])
                new = Spinodal(name(fold.x, fold.u), positions)
                if len(positions) > 2 and not any(_covers(old, new) for old in spinodals):
                    spinodals.append(new)
        if progress is not None:
            progress((done + 1) / len(ends))
    return spinodals


def _seeds(lines: Sequence[Line]) -> tuple[Array, Array, Array]:
    """Return minima (k, d), positions (k, 2) and the directions (k, 2) of metastability."""
    states, positions, directions = [], [], []
    for line in lines:
        for index in np.unique(np.linspace(1, len(line.points) - 2, _SEEDS).astype(int)):
            point, slope = line.points[index], line.slopes[index]
            uphill = slope / np.linalg.norm(slope)
            states += [point.first, point.second]
            positions += [point.position, point.position]
            directions += [uphill, -uphill]
    return np.array(states), np.array(positions), np.array(directions)


def _ends(
    model: Model, domain: Domain, seeds: tuple[Array, Array, Array]
) -> list[tuple[Array, Array, Array]]:
    """Follow every minimum to where it is about to end within the domain."""
    states, positions, directions = seeds
    steps = np.full(len(states), _STEP)
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
    """Whether a spinodal of the same phase passes through the middle of another."""
    middle = new.positions[len(new.positions) // 2]
    return old.phase == new.phase and touches(old.positions, middle)


def _of_ignored(model: Model, domain: Domain) -> list[Spinodal]:
    """Return where ignoring a feature loses stability: in closed form."""
    density = np.exp(np.linspace(domain.lower[0], 0.0, 3 * _POINTS))
    positions = ignored_limit(density)
    positions = positions[[domain.contains(position) for position in positions]]
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
    positions = []
    pair = np.array([0.9, -0.9, 0.1, 0.1])
    for u in np.linspace(np.log(0.40), np.log(0.7131), _POINTS):
        pair = others.pair(pair, u, 0.0)

        def stiffness(v: float, u: float = u, pair: Array = pair) -> float:
            return others.stiffness(pair, u, v)

        if stiffness(domain.lower[1]) < 0 < stiffness(1.0):
            positions.append([u, brentq(stiffness, domain.lower[1], 1.0, xtol=1e-14)])
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
            u = float(brentq(stiffness, u - width, u + width, xtol=1e-14))
            positions.append([u, v])
    return np.array(positions)
