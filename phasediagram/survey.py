"""All minima on a coarse grid of positions, and the directions in which each may end."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from phasediagram.branches import Model, gradient_tolerance
from phasediagram.continuous import aligned_limit, ignored_limit, ignored_state
from phasediagram.equilibrium import Domain
from phasediagram.free_minimization import (
    aligned_starts,
    minimize_free,
    shortened_starts,
    standard_starts,
)
from phasediagram.naming.geometry import is_silent

Array = NDArray[np.float64]
_Found = tuple[Array, Array, tuple[int, int], float]

_GRID = (22, 22)
_MARGIN = 1e-3  # of the grid from the domain's edges
_RANDOM_STARTS = 40
_NEIGHBOUR = 0.25  # the distance of a state from itself at the next position of the grid
_STEP, _SHORT_STEP = 0.02, 0.002
# of minima with a short extra feature, on both sides of where it enters
_STRIP_DENSITIES = (0.25, 0.3, 0.45, 0.9, 0.95)
_ALIGNED_STRIP_DENSITIES = (0.92, 0.96, 0.98)
_SHORT_NORMS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)


@dataclass(frozen=True)
class Seeds:
    """Minima (k, d), positions (k, 2), the directions (k, 2) to follow and first steps (k,)."""

    states: Array
    positions: Array
    directions: Array
    steps: Array


def coupled_minima(model: Model, domain: Domain) -> Seeds:
    """Return minima whose neighbours on the grid lack them.

    Minima in which a feature is ignored, or has a dimension to itself, are left out: they have no
    Hessian, and end elsewhere (`phasediagram.decoupled`).
    """
    axes = [
        np.linspace(low + _MARGIN, high - _MARGIN, count)
        for low, high, count in zip(domain.lower, domain.upper, _GRID, strict=True)
    ]
    positions = np.array(list(product(*axes)))
    rng = np.random.default_rng(0)
    density = np.exp(positions[:, 0])
    starts = [
        standard_starts(model.n, model.m, density, _RANDOM_STARTS, rng),
        shortened_starts(model.n, model.m, density, rng),
        aligned_starts(model.n, model.m, density, rng),
    ]
    minima = _minima(model, np.concatenate(starts, axis=1), positions)
    found: list[_Found] = []
    for k, (i, j) in enumerate(product(*map(range, _GRID))):
        for di, dj in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            if not (0 <= i + di < _GRID[0] and 0 <= j + dj < _GRID[1]):
                continue
            beside = minima[k + di * _GRID[1] + dj]
            found += [
                (state, positions[k], (di, dj), _STEP)
                for state in minima[k]
                if not any(model.distance(state, other) < _NEIGHBOUR for other in beside)
            ]
    return _seeds(found)


def short_minima(model: Model) -> Seeds:
    """Return minima with a short extra feature, where ignoring it loses stability.

    They exist on either side of that line, in strips too narrow for the grid; for n = 2 also with
    the extra feature in the other direction.
    """
    found = _in_strip(model, ignored_limit(np.array(_STRIP_DENSITIES)), -1)
    if model.n == 2:
        found += _in_strip(model, aligned_limit(np.array(_ALIGNED_STRIP_DENSITIES)), 1)
        found += [
            (state[[1, 0, 3, 2]], position * [1, -1], (0, -sign), step)
            for state, position, (_, sign), step in found  # both features are exchanged
        ]
    return _seeds(found)


def _in_strip(model: Model, positions: Array, sense: int) -> list[_Found]:
    """Return minima at positions (k, 2), the extra feature along `sense` times the others."""
    directions = [np.eye(model.n - 1)[0]]
    if model.n == 3:
        directions += [np.array([1, sign]) / np.sqrt(2) for sign in (1, -1)]
    starts = []
    for density in np.exp(positions[:, 0]):
        ignored = ignored_state(model.n, density)
        for direction, norm in product(directions, _SHORT_NORMS):
            start = ignored.copy()
            start[model.n - 1 : model.m * model.n : model.n] = sense * norm * direction
            starts.append(start)
    count = len(starts) // len(positions)
    minima = _minima(model, np.reshape(starts, (len(positions), count, -1)), positions)
    return [
        (state, position, (0, sign), _SHORT_STEP)
        for states, position in zip(minima, positions, strict=True)
        for state in states
        if np.linalg.norm(model.weights(state)[:, -1]) < _SHORT_NORMS[-1]
        for sign in (1, -1)
    ]


def is_coupled(model: Model, states: Array, smallest: float = 1e-6) -> NDArray[np.bool_]:
    """Whether every feature of states (k, d) is represented and shares its dimensions.

    Norms and cosines below `smallest` count as 0.
    """
    gram = model.gram(states)
    norms = np.sqrt(np.einsum("kii->ki", gram))
    off = np.abs(gram) * (1 - np.eye(model.n))
    shares = (off > smallest * norms[:, :, None] * norms[:, None, :]).any(axis=2)
    return np.asarray(((norms > smallest) & shares).all(axis=1))


def _seeds(found: list[_Found]) -> Seeds:
    states, positions, directions, steps = (
        np.array(part, dtype=np.float64) for part in zip(*found, strict=True)
    )
    return Seeds(states, positions, directions, steps)


def _minima(model: Model, starts: Array, positions: Array) -> list[list[Array]]:
    """Return the distinct coupled minima that starts (points, s, d) lead to, of each point."""
    density, importance = np.exp(positions).T
    ends = minimize_free(model.n, model.m, density, importance, starts)
    tolerance = 10 * gradient_tolerance(positions[:, 0])
    point, start = np.nonzero(ends.gradient_norm <= tolerance[:, None])
    states = ends.x[point, start]
    kept = is_coupled(model, states) & ~is_silent(model.weights(states), states[:, -model.n :])
    point, states = point[kept], states[kept]
    hessian = model.derivatives(states, *positions[point].T).hessian
    minima: list[list[Array]] = [[] for _ in positions]
    for k in np.flatnonzero(np.linalg.eigvalsh(hessian)[:, 0] > 0):
        own = minima[point[k]]
        if not any(model.same(states[k], other) for other in own):
            own.append(states[k])
    return minima
