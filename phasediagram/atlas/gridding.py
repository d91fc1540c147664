"""The lowest minimum of the free loss over a whole grid, tile by tile.

Tiles are independent, so any executor can compute them, and the result does not depend on which
one does.  Finally minima spread over the edges of the tiles: a phase that was found anywhere
spreads as far as it is lowest.
"""

from __future__ import annotations

import os
from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.storing import GridStore
from phasediagram.atlas.ties import settle_ties
from phasediagram.atlas.tiles import (
    Grid,
    cut_into_tiles,
    points_on_edges,
    solve_tile,
    tile_size,
)
from phasediagram.catalogue.components import components_of
from phasediagram.executors import Part, Workers
from phasediagram.kernel.loss import expected_loss
from phasediagram.progress import Progress

Array = NDArray[np.float64]

_RECIPROCAL = 1e-12
_TORN = 1e-11  # relative difference between a loss and that of its weights; rounding is less


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
        Where to compute; by default here, on as many threads as there are cores.
    """
    components = components_of(store.plane)
    if components is not None:
        for rows in store.bands():
            loss, x = components.minima(store.positions(rows))
            store.loss[rows] = loss.reshape(-1, store.columns)
            store.x[rows] = x.reshape(-1, store.columns, x.shape[1])
        store.done[:] = True
        return
    grid = store.grid(_solved_columns(store))
    columns = len(grid.relative_importance)
    tiles = cut_into_tiles(store.n, store.rows, columns)
    missing = [number for number in range(len(tiles)) if not store.done[number]]
    parts = [Part(number, _arguments(grid, tiles[number], number)) for number in missing]
    total, finished = sum(tile_size(tiles[number]) for number in missing), 0
    for number, (x, loss) in Workers(executor, os.cpu_count() or 1).run(solve_tile, parts):
        store.put_tile(number, tiles[number], x, loss)
        finished += tile_size(tiles[number])
        if progress is not None:
            progress(finished / total)
    grid.exchange(points_on_edges(tiles, grid.stride))
    for rows in store.bands():
        settle_ties(grid, rows)
    if columns < store.columns:
        _mirror(store, columns)


def forget_torn_tiles(store: GridStore) -> None:
    """Have tiles computed again whose minima are not those that were put.

    A machine that stops may have written that a tile is done, but not all of the tile.
    """
    columns = _solved_columns(store)
    for number, tile in enumerate(cut_into_tiles(store.n, store.rows, columns)):
        if store.done[number]:
            x = store.x[tile]
            if store.plane is not None:
                store.done[number] = _is_whole(store, tile)
                continue
            W = x[..., : store.m * store.n].reshape(*x.shape[:2], store.m, store.n)
            importance = np.ones((x.shape[1], store.n))
            importance[:, -1] = store.relative_importance[tile[1]]
            density = store.density[tile[0], None, None]
            expected = expected_loss(W, x[..., store.m * store.n :], density, importance)
            store.done[number] = np.allclose(store.loss[tile], expected, _TORN, 0)


def _is_whole(store: GridStore, tile: tuple[slice, slice]) -> bool:
    rows, columns = tile
    x, loss = np.array(store.x[tile]), store.loss[tile]
    values = store.density[rows], store.relative_importance[columns]
    part = Grid(store.n, store.m, *values, x, np.array(loss), store.plane)
    found = [part.losses(row, x[row]) for row in range(len(x))]
    return bool(np.allclose(loss, found, _TORN, 0))


def _arguments(grid: Grid, tile: tuple[slice, slice], number: int) -> tuple[object, ...]:
    """Return what `solve_tile` needs."""
    rows, columns = tile
    axes = grid.density[rows], grid.relative_importance[columns]
    return grid.n, grid.m, *axes, (1, number), grid.given_plane


def _solved_columns(store: GridStore) -> int:
    """Return how many columns are searched; the rest mirror them."""
    mirrored = store.n == 2 and store.plane is None and _is_symmetric(store.relative_importance)
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
    for rows in store.bands():
        source = slice(store.columns - columns - 1, None, -1)
        x, loss = store.x[rows, source], store.loss[rows, source]
        store.x[rows, columns:] = x[..., [1, 0, 3, 2]]
        store.loss[rows, columns:] = loss * r[columns:]
