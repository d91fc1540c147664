"""Tiles of a grid: each is solved alone, from the minima of the coarse points around it."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from phasediagram.catalogue.configurations import configurations
from phasediagram.grid_minima import COMPETITIVE, GridMinima, on_symmetry, pushed

Array = NDArray[np.float64]
Points = NDArray[np.intp]
Tile = tuple[slice, slice]

_EDGES = {2: 64, 3: 32}  # points along the edge of a tile
_SMALL_EDGE = 8  # for more features
_WEAK_NORMS = (0.3, 0.6)
_WEAK_PUSH = 0.01


def cut_into_tiles(n: int, rows: int, columns: int) -> list[Tile]:
    """Return the tiles of a grid: nearly equal intervals of its rows and columns."""
    edge = _EDGES.get(n, _SMALL_EDGE)
    return list(product(_intervals(rows, edge), _intervals(columns, edge)))


def tile_size(tile: Tile) -> int:
    """Return the number of points of a tile."""
    rows, columns = (interval.stop - interval.start for interval in tile)
    return int(rows * columns)


def points_of(tile: Tile, columns: int) -> Points:
    """Return the numbers of a tile's points in a grid with so many columns."""
    row, own = (np.arange(interval.start, interval.stop) for interval in tile)
    return np.add.outer(row * columns, own).ravel()


def points_on_edges(tiles: list[Tile], columns: int) -> Points:
    """Return the numbers of the points on the edges of tiles; none if there is one tile."""
    if len(tiles) == 1:
        return np.empty(0, dtype=np.intp)
    found = []
    for rows, own in tiles:
        for edge in (rows.start, rows.stop - 1):
            found.append(points_of((slice(edge, edge + 1), own), columns))
        for edge in (own.start, own.stop - 1):
            found.append(points_of((rows, slice(edge, edge + 1)), columns))
    return np.unique(np.concatenate(found))


def solve_tile(
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    competitors: Array,
    row: Points,
    column: Points,
    seed: tuple[int, int],
) -> tuple[Array, Array]:
    """Return the lowest minima of a tile.

    Parameters
    ----------
    n, m : int
    density : ndarray, shape (rows,)
    relative_importance : ndarray, shape (columns,)
    competitors : ndarray, shape (coarse rows, coarse columns, competitors, m * n + n)
        Minima to start from, NaN where fewer.
    row, column : ndarray of int, shape (rows,), (columns,)
        Which coarse point's minima each point starts from.
    seed : tuple of int
        Of the random numbers.

    Returns
    -------
    x : ndarray, shape (rows, columns, m * n + n)
    loss : ndarray, shape (rows, columns)
    """
    rng = np.random.default_rng(seed)
    shape = len(density), len(relative_importance)
    x, loss = np.zeros((*shape, (m + 1) * n)), np.full(shape, np.inf)
    grid = GridMinima(n, m, density, relative_importance, x, loss)
    own = competitors[row[:, None], column[None, :]]
    _start_from_coarse(grid, own.reshape(-1, *own.shape[2:]), rng)
    if m == n - 1:
        _start_from_weak_features(grid, rng)
    grid.spread(grid.points, rng)
    grid.finish(grid.points)
    return x, loss


def _intervals(count: int, longest: int) -> list[slice]:
    ends = np.linspace(0, count, -(-count // longest) + 1).round().astype(int).tolist()
    return [slice(*ends[i : i + 2]) for i in range(len(ends) - 1)]


def _start_from_coarse(grid: GridMinima, competitors: Array, rng: np.random.Generator) -> None:
    """Start every point from its competitors, shape (points, competitors, variables)."""
    used = np.isfinite(competitors[..., 0])
    points, starts = np.nonzero(used)[0], competitors[used]
    symmetric = on_symmetry(grid.m, grid.n, starts)
    points = np.concatenate([points, points[symmetric]])
    starts = np.concatenate([starts, pushed(starts[symmetric], rng)])
    x, loss = grid.minimize(points, starts[:, None]).lowest()
    order = np.argsort(-loss, kind="stable")  # the lowest of each point is written last
    grid.put(points[order], x[order], loss[order])


def _start_from_weak_features(grid: GridMinima, rng: np.random.Generator) -> None:
    """Where ignoring a feature is competitive, try to represent that feature weakly.

    Between ignoring a feature and sharing a dimension in full lies partial superposition, in
    a wedge that can be narrower than the coarse grid.
    """
    every = grid.points
    density, relative_importance = grid.density(every), grid.relative_importance(every)
    for configuration in configurations(grid.n, grid.m):
        if configuration.block_size > 1:
            continue
        ignored = configuration.first_feature
        loss = configuration.canonical_loss(density, relative_importance)
        points = np.flatnonzero(loss < COMPETITIVE * grid.loss(every))
        W, b = (v.copy() for v in configuration.canonical_weights(density[points]))
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
