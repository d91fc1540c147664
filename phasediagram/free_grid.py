"""The lowest minimum of the free loss over a whole grid.

A coarse subset of the grid is searched from many starts.  The grid is cut into tiles, in
which every point starts from each competitive minimum of the nearest coarse point, pushed
off its symmetries, and then tries the minima of its four neighbours until none improves.
Finally minima spread over the edges of the tiles: a phase that was found anywhere spreads as
far as it is lowest.  Tiles are independent, so any executor can compute them, and the result
does not depend on which one does.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasediagram.coarse_grid import CoarseGrid
from phasediagram.executors import Part, Workers
from phasediagram.free_minimization import FreeLoss, Progress
from phasediagram.grid_minima import GridMinima
from phasediagram.grid_store import GridStore
from phasediagram.grid_tiles import (
    Tile,
    cut_into_tiles,
    points_of,
    points_on_edges,
    solve_tile,
    tile_size,
)

Array = NDArray[np.float64]

_RECIPROCAL = 1e-12
_TORN = 1e-11  # relative difference between a loss and that of its weights; rounding is less
_MIRRORED_ROWS = 64  # at once
# work in starts of Newton's method, measured: a coarse point's, a tile's point's
_COARSE_WORK, _POINT_WORK = 28, 5


def minimize_over_grid(
    store: GridStore,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> None:
    """Find the lowest free minimum at every point of a grid.

    Parameters
    ----------
    store : GridStore
        The grid; takes the minima.  What is there already is not computed again.
    progress : callable, optional
        Called with the share of the work that is done, 0 to 1.
    executor : concurrent.futures.Executor, optional
        Where to compute.
    """
    workers = Workers(executor)
    grid = store.minima(_solved_columns(store))
    tiles = cut_into_tiles(store.n, grid.rows, grid.columns)
    missing = [number for number in range(len(tiles)) if not store.done[number]]
    if missing:
        coarse = CoarseGrid.within(grid.densities, grid.relative_importances)
        points = sum(tile_size(tiles[number]) for number in missing)
        work = _Work(progress, _COARSE_WORK * coarse.size + _POINT_WORK * points)
        competitors = coarse.search(
            store.n, store.m, workers, lambda searched: work.add(_COARSE_WORK * searched)
        )
        parts = [
            Part(number, _tile_arguments(grid, coarse, competitors, tiles[number], number))
            for number in missing
        ]
        for number, (x, loss) in workers.run(solve_tile, parts):
            store.put_tile(number, tiles[number], x, loss)
            work.add(_POINT_WORK * tile_size(tiles[number]))
    edges = points_on_edges(tiles, grid.columns)
    grid.finish(grid.spread(edges, np.random.default_rng(0)))
    if grid.columns < store.columns:
        _mirror(store, grid.columns)


def forget_torn_tiles(store: GridStore) -> None:
    """Have tiles computed again whose minima are not those that were put.

    A machine that stops may have written that a tile is done, but not all of the tile.
    """
    grid = store.minima(_solved_columns(store))
    for number, tile in enumerate(cut_into_tiles(store.n, grid.rows, grid.columns)):
        if store.done[number]:
            points = points_of(tile, grid.columns)
            objective = FreeLoss(
                store.n, store.m, grid.density(points), grid.relative_importance(points)
            )
            expected = objective.value(grid.x(points), np.arange(len(points)))
            store.done[number] = np.allclose(grid.loss(points), expected, _TORN, 0)


class _Work:
    """How much of the work is done, in starts of Newton's method."""

    def __init__(self, progress: Progress | None, total: float) -> None:
        self._progress = progress
        self._total = total
        self._done = 0.0

    def add(self, work: float) -> None:
        """Report that more is done."""
        self._done += work
        if self._progress is not None:
            self._progress(self._done / self._total)


def _tile_arguments(
    grid: GridMinima, coarse: CoarseGrid, competitors: Array, tile: Tile, number: int
) -> tuple[Any, ...]:
    """Return what `solve_tile` needs, with none but the coarse points that are used."""
    rows, columns = tile
    row, column = coarse.row[rows], coarse.column[columns]
    used = competitors[row[0] : row[-1] + 1, column[0] : column[-1] + 1]
    axes = grid.densities[rows], grid.relative_importances[columns]
    return grid.n, grid.m, *axes, used, row - row[0], column - column[0], (1, number)


def _solved_columns(store: GridStore) -> int:
    """Return how many columns are searched; the rest mirror them."""
    mirrored = store.n == 2 and _is_symmetric(store.relative_importance)
    return (store.columns + 1) // 2 if mirrored else store.columns


def _is_symmetric(relative_importance: Array) -> bool:
    """Whether the ascending axis has 1/r with every r, to rounding, and more than r = 1.

    Then the exchange of the two features, L(p, r) = r L(p, 1/r), gives half of the grid.
    """
    r = relative_importance
    return len(r) > 1 and bool(np.allclose(r * r[::-1], 1, 0, _RECIPROCAL))


def _mirror(store: GridStore, columns: int) -> None:
    """Exchange the two features in the first columns for the rest."""
    r = store.relative_importance
    for begin in range(0, store.rows, _MIRRORED_ROWS):
        rows = slice(begin, begin + _MIRRORED_ROWS)
        source = slice(store.columns - columns - 1, None, -1)
        x, loss = store.x[rows, source], store.loss[rows, source]
        store.x[rows, columns:] = x[..., [1, 0, 3, 2]]
        store.loss[rows, columns:] = loss * r[columns:]
