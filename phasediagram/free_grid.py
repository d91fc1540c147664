"""The lowest minimum of the free loss over a whole grid.

A coarse subset of the grid is searched from many starts.  Every point of the grid then
starts from each competitive minimum of the nearest coarse point, pushed off its symmetries,
and finally tries the minima of its four neighbours until none improves: a phase that was
found anywhere spreads as far as it is lowest.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from phasediagram.configurations import configurations
from phasediagram.free_minimization import (
    FreeEnds,
    FreeLoss,
    Progress,
    minimize_free,
    standard_starts,
)

Array = NDArray[np.float64]
Points = NDArray[np.intp]

_COARSE_STEP = 0.22  # largest logarithmic gap between coarse lines
_RANDOM_STARTS = 24
_COMPETITORS = 6  # distinct minima of a coarse point that its surroundings start from
_COMPETITIVE = 1.1  # a minimum whose loss is this many times the lowest can become lowest nearby
_SAME_LOSS = 1e-8
_PUSH = 0.05  # off the symmetries, where gradients vanish
_SAME_GRAM = 0.02
_WEAK_NORMS = (0.3, 0.6)
_WEAK_PUSH = 0.01
_RECIPROCAL = 1e-12
_IMPROVEMENT = 1e-12  # a smaller relative gain is rounding
# how the work divides, measured: coarse search, continuation, spread between neighbours
_COARSE_SHARE, _SPREAD_START = 0.35, 0.9
_NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0))


@dataclass
class _Grid:
    """The best known minimum at every point; flat index row * columns + column."""

    n: int
    m: int
    rows: int
    columns: int
    density: Array
    relative_importance: Array
    x: Array
    loss: Array

    def accept(self, points: Points, x: Array, loss: Array) -> Points:
        """Keep what is lower than before; return the points that changed."""
        better = loss < self.loss[points] * (1 - _IMPROVEMENT)
        changed = points[better]
        self.x[changed], self.loss[changed] = x[better], loss[better]
        return changed

    def minimize(self, points: Points, starts: Array, progress: Progress | None = None) -> FreeEnds:
        """Run Newton's method at the given points, starts (points, count, variables)."""
        density, relative_importance = self.density[points], self.relative_importance[points]
        return minimize_free(self.n, self.m, density, relative_importance, starts, progress)

    def gram(self, points: Points) -> Array:
        """Return W^T W of the best known minima."""
        W = self.x[points, : self.m * self.n].reshape(-1, self.m, self.n)
        return np.asarray(W.transpose(0, 2, 1) @ W)


def minimize_over_grid(
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    progress: Progress | None = None,
) -> tuple[Array, Array, Array]:
    """Return the lowest free minimum at every point of a grid.

    Parameters
    ----------
    n, m : int
    density : ndarray, shape (D,)
    relative_importance : ndarray, shape (R,)
    progress : callable, optional
        Called with the share of the work that is done, 0 to 1.

    Returns
    -------
    loss : ndarray, shape (D, R)
    W : ndarray, shape (D, R, m, n)
    b : ndarray, shape (D, R, n)
    """
    if n == 2 and _is_symmetric(relative_importance):
        return _mirrored(density, relative_importance, progress)
    return _minimize(n, m, density, relative_importance, progress)


def _is_symmetric(relative_importance: Array) -> bool:
    """Whether the grid contains 1/r with every r, to rounding, and more than r = 1."""
    ascending = np.sort(relative_importance)
    return len(ascending) > 1 and bool(np.allclose(ascending * ascending[::-1], 1, 0, _RECIPROCAL))


def _mirrored(
    density: Array, relative_importance: Array, progress: Progress | None
) -> tuple[Array, Array, Array]:
    """Solve r <= 1 and exchange the two features for the rest: L(p, r) = r L(p, 1/r)."""
    order = np.argsort(relative_importance)
    half = order[: (len(order) + 1) // 2]
    loss, W, b = _minimize(2, 1, density, relative_importance[half], progress)
    shape = (len(density), len(order))
    all_loss, all_W, all_b = np.empty(shape), np.empty((*shape, 1, 2)), np.empty((*shape, 2))
    image = order[::-1][: len(half)]
    all_loss[:, image] = loss * relative_importance[image]
    all_W[:, image], all_b[:, image] = W[..., ::-1], b[..., ::-1]
    all_loss[:, half], all_W[:, half], all_b[:, half] = loss, W, b
    return all_loss, all_W, all_b


def _minimize(
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    progress: Progress | None,
) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(0)
    rows, columns = np.argsort(density), np.argsort(relative_importance)
    shape = (len(rows), len(columns))
    axes = density[rows], relative_importance[columns]
    p, r = (values.ravel() for values in np.meshgrid(*axes, indexing="ij"))
    variables = m * n + n
    grid = _Grid(n, m, *shape, p, r, np.zeros((p.size, variables)), np.full(p.size, np.inf))
    coarse, nearest = _coarse_points(*axes)
    starts = standard_starts(n, m, p[coarse], _RANDOM_STARTS, rng)
    ends = grid.minimize(coarse, starts, _stage(progress, 0.0, _COARSE_SHARE))
    grid.accept(coarse, *ends.lowest())
    _start_from_coarse(grid, ends, nearest, rng, _stage(progress, _COARSE_SHARE, _SPREAD_START))
    if m == n - 1:
        _start_from_weak_features(grid, rng)
    _spread(grid, rng)
    _continue_to_full_density(grid)
    if m == n - 1:
        _prefer_simplest(grid)
    W, b = FreeLoss(n, m, p, r).unpack(grid.x)
    places = np.ix_(np.argsort(rows), np.argsort(columns))
    return (
        grid.loss.reshape(shape)[places],
        W.reshape(*shape, m, n)[places],
        b.reshape(*shape, n)[places],
    )


def _stage(progress: Progress | None, start: float, stop: float) -> Progress | None:
    """Map the progress of one stage to the whole."""
    if progress is None:
        return None
    return lambda share: progress(start + (stop - start) * share)


def _coarse_points(density: Array, relative_importance: Array) -> tuple[Points, Points]:
    """Return flat indices of the coarse points, and for each point its nearest coarse one."""
    row_lines, row = _coarse_lines(np.log(density))
    column_lines, column = _coarse_lines(np.log(relative_importance))
    coarse = (row_lines[:, None] * len(relative_importance) + column_lines).ravel()
    return coarse, (row[:, None] * len(column_lines) + column).ravel()


def _coarse_lines(positions: Array) -> tuple[Points, Points]:
    """Return some of the ascending positions, and for each position the nearest of those."""
    lines = [0]
    for i in range(1, len(positions)):
        is_last = i == len(positions) - 1
        if is_last or positions[i + 1] - positions[lines[-1]] > _COARSE_STEP:
            lines.append(i)
    chosen = np.array(lines, dtype=np.intp)
    return chosen, np.abs(positions[:, None] - positions[chosen]).argmin(axis=1)


def _start_from_coarse(
    grid: _Grid,
    ends: FreeEnds,
    nearest: Points,
    rng: np.random.Generator,
    progress: Progress | None,
) -> None:
    competitors = _competitors(ends)[nearest]
    used = np.isfinite(competitors[..., 0])
    points = np.nonzero(used)[0]
    found = grid.minimize(points, _with_pushed(competitors[used], rng), progress)
    x, loss = found.lowest()
    order = np.argsort(-loss, kind="stable")  # the lowest of each point is written last
    best_x, best_loss = np.empty_like(grid.x), np.full(len(grid.x), np.inf)
    best_x[points[order]], best_loss[points[order]] = x[order], loss[order]
    grid.accept(np.arange(len(grid.x)), best_x, best_loss)


def _with_pushed(x: Array, rng: np.random.Generator) -> Array:
    """Return each start, which continues its own minimum, and a copy pushed off symmetries."""
    return np.stack([x, x + _PUSH * rng.normal(size=x.shape)], axis=1)


def _competitors(ends: FreeEnds) -> Array:
    """Return the distinct low minima, (points, _COMPETITORS, variables), NaN where fewer."""
    points, _, variables = ends.x.shape
    kept = np.full((points, _COMPETITORS, variables), np.nan)
    for point in range(points):
        order = np.argsort(ends.loss[point], kind="stable")
        losses = ends.loss[point, order]
        distinct = np.append(True, np.diff(losses) > _SAME_LOSS * losses[:-1])
        low = order[distinct & (losses <= _COMPETITIVE * losses[0])][:_COMPETITORS]
        kept[point, : len(low)] = ends.x[point, low]
    return kept


def _start_from_weak_features(grid: _Grid, rng: np.random.Generator) -> None:
    """Where ignoring a feature is competitive, try to represent that feature weakly.

    Between ignoring a feature and sharing a dimension in full lies partial superposition, in
    a wedge that can be narrower than the coarse grid.
    """
    for configuration in configurations(grid.n, grid.m):
        if configuration.block_size > 1:
            continue
        ignored = configuration.first_feature
        loss = configuration.canonical_loss(grid.density, grid.relative_importance)
        points = np.flatnonzero(loss < _COMPETITIVE * grid.loss)
        W, b = (v.copy() for v in configuration.canonical_weights(grid.density[points]))
        others = [i for i in range(grid.n) if i != ignored]
        starts = []
        directions = (others[:1], others) if len(others) > 1 else (others,)
        for norm, opposite_to in product(_WEAK_NORMS, directions):
            direction = W[..., opposite_to].sum(axis=-1)
            W[..., ignored] = -norm * direction / np.sqrt(len(opposite_to))
            starts.append(np.concatenate([W.reshape(-1, grid.m * grid.n), b], axis=1))
        pushed = np.stack(starts, axis=1)
        pushed += _WEAK_PUSH * rng.normal(size=pushed.shape)
        if points.size:
            grid.accept(points, *grid.minimize(points, pushed).lowest())


def _spread(grid: _Grid, rng: np.random.Generator) -> None:
    """Let every point try its neighbours' minima until nothing improves."""
    objective = FreeLoss(grid.n, grid.m, grid.density, grid.relative_importance)
    active = np.arange(len(grid.x))
    while active.size:
        changed = []
        for step in _NEIGHBOURS:
            source, target = _shifted(grid, active, step)
            differs = np.abs(grid.gram(source) - grid.gram(target)).max(axis=(1, 2)) > _SAME_GRAM
            source, target = source[differs], target[differs]
            near = objective.value(grid.x[source], target) < _COMPETITIVE * grid.loss[target]
            source, target = source[near], target[near]
            if target.size:
                found = grid.minimize(target, _with_pushed(grid.x[source], rng))
                changed.append(grid.accept(target, *found.lowest()))
        active = np.unique(np.concatenate(changed)) if changed else np.empty(0, dtype=np.intp)


def _continue_to_full_density(grid: _Grid) -> None:
    """At density 1 take the phase of the next lower density where the losses tie.

    There x_j -> 1 - x_j is a symmetry, so that a direction and its opposite are as good.
    """
    if grid.rows < 2 or grid.density[-1] < 1:
        return
    target = np.arange(len(grid.x) - grid.columns, len(grid.x))  # densities ascend
    source = target - grid.columns
    x, loss = grid.minimize(target, grid.x[source][:, None]).lowest()
    tied = loss <= grid.loss[target] * (1 + _IMPROVEMENT)
    grid.x[target[tied]], grid.loss[target[tied]] = x[tied], loss[tied]


def _prefer_simplest(grid: _Grid) -> None:
    """Where ignoring one feature is as low as anything, take exactly that.

    It is a limit of other minima, which Newton's method approaches only to rounding, and at
    density 1 one of a continuum of minima with the same loss.
    """
    for configuration in configurations(grid.n, grid.m):
        if configuration.block_size == 1:
            loss = configuration.canonical_loss(grid.density, grid.relative_importance)
            tied = loss <= grid.loss * (1 + _IMPROVEMENT)
            W, b = configuration.canonical_weights(grid.density[tied])
            grid.x[tied] = np.concatenate([W.reshape(-1, grid.m * grid.n), b], axis=1)
            grid.loss[tied] = loss[tied]


def _shifted(grid: _Grid, points: Points, step: tuple[int, int]) -> tuple[Points, Points]:
    """Return the points that have a neighbour in this direction, and the neighbours."""
    row, column = points // grid.columns + step[0], points % grid.columns + step[1]
    inside = (row >= 0) & (row < grid.rows) & (column >= 0) & (column < grid.columns)
    return points[inside], (row * grid.columns + column)[inside]
