"""Tiles of a grid: each is solved alone, so that any executor can compute it.

A tile is cut into blocks.  The node in the middle of each block is searched from many starts, and
every minimum found there that is not far above the lowest is followed over the block.  Then the
points of the tile are pushed, since a minimum can turn into a saddle on the way (where a feature is
ignored, also in the direction in which it would enter), and neighbours
try each other's minima until none improves.  Where they disagree, more starts look for a phase
between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.sweeping import COMPETITIVE, IMPROVEMENT, exchange, flood, invariants, push
from phasediagram.minima.engine import Ends, Engine
from phasediagram.minima.starts import low_starts
from phasediagram.minima.state import Space
from phasediagram.minima.symmetry import plane_engine, plane_space
from phasediagram.naming.geometry import NORM_TOLERANCE
from phasediagram.parameters import Parameters, Plane

Array = NDArray[np.float64]
Points = NDArray[np.int64]
Tile = tuple[slice, slice]

_EDGES = {2: 32, 3: 16}  # points along the edge of a tile
_SMALL_EDGE = 8  # for more features
_BLOCK_EDGE = 16  # points along the edge of a block, at most
_BLOCK_WIDTH = 0.3  # of a block on logarithmic axes, at most
_LONGEST_STEP = 0.1  # along which a minimum is followed; points of coarser grids are all searched
_STARTS = {2: 60, 3: 60}  # of a node
_MANY_STARTS = 60  # of a node, for more features
_STARTS_AGAIN = 30  # of points where phases meet
_CELL_WIDTH = 0.07  # in which one point is searched again, on logarithmic axes
_PUSH = 0.05  # off the symmetries, where gradients vanish
_COMPETITORS = 8  # minima of a node that are followed
_SAME_LOSS = 1e-8
_SAME_INVARIANTS = 1e-4
_CONVERGED = 1e3  # times the tolerance: where rounding stops a descent


@dataclass(frozen=True, eq=False)
class Grid:
    """The lowest known minimum at every point of a grid with ascending axes.

    Points are numbered row * stride + column, rows by density; only the first columns are looked
    at, as many as there are relative importances.

    Attributes
    ----------
    n, m : int
    density : ndarray, shape (rows,)
    relative_importance : ndarray, shape (columns,)
        On other axes than the paper's, the values along the rows and along the columns.
    x : ndarray, shape (rows, stride, m n + n)
        W.ravel() followed by b; changed in place.
    loss : ndarray, shape (rows, stride)
        Infinite where nothing is known; changed in place.
    given_plane : Plane, optional
        Other than the paper's.
    """

    n: int
    m: int
    density: Array
    relative_importance: Array
    x: Array
    loss: Array
    given_plane: Plane | None = None

    @property
    def stride(self) -> int:
        """From a point's number to that of the point with the next density."""
        return int(self.loss.shape[1])

    @cached_property
    def space(self) -> Space:
        """The states, those the same up to the order of features that the axes keep equal."""
        return plane_space(self.plane, self.m)

    @cached_property
    def plane(self) -> Plane:
        """The axes."""
        return Plane(self.n) if self.given_plane is None else self.given_plane

    @cached_property
    def engine(self) -> Engine:
        """The compiled functions."""
        return plane_engine(self.plane, self.m)

    @cached_property
    def coordinates(self) -> tuple[Array, Array]:
        """Coordinates of rows and of columns."""
        if self.given_plane is None:
            return np.log(self.density), np.log(self.relative_importance)
        by_row, by_column = self.plane.axes
        return by_row.coordinates(self.density), by_column.coordinates(self.relative_importance)

    @cached_property
    def parameters(self) -> tuple[Array, Array, Array]:
        """Tables and tolerances of rows, importances of columns; or all of points."""
        if self.given_plane is not None:
            rows, columns = self.coordinates
            unused = np.full(self.stride - len(columns), columns[-1])
            everywhere = np.meshgrid(rows, np.concatenate([columns, unused]), indexing="ij")
            tables, importances, tolerances = self.plane.many(
                np.stack(everywhere, axis=-1).reshape(-1, 2)
            )
            return tables, importances, tolerances
        rows = np.stack([np.log(self.density), np.zeros(len(self.density))], axis=1)
        columns = np.zeros((len(self.relative_importance), 2))
        columns[:, 1] = np.log(self.relative_importance)
        tables, _, tolerances = self.plane.many(rows)
        return tables, self.plane.many(columns)[1], tolerances

    @cached_property
    def _head(self) -> tuple[int | Array, ...]:
        """The first arguments of everything that sweeps."""
        tables, importances, tolerances = self.parameters
        return self.engine.rows, self.m, self.n, tables, importances, tolerances

    @cached_property
    def _tail(self) -> tuple[Array, Array, int]:
        """States and losses of points, without copying, and the stride."""
        x, loss = (np.asarray(values).view(np.ndarray) for values in (self.x, self.loss))
        return x.reshape(-1, x.shape[-1]), loss.reshape(-1), self.stride

    @cached_property
    def _label(self) -> Array:
        label = np.zeros(self.n)
        for number, members in enumerate(self.space.equal):
            label[list(members)] = number
        return label

    def _places(self, points: Points) -> tuple[Points, Points]:
        """Return where in `parameters` points are: in tables and tolerances, and in importances."""
        row, column = np.divmod(points, self.stride)
        return (row, column) if self.given_plane is None else (points, points)

    def at(self, row: int, column: int) -> Parameters:
        """Return the parameters of a point."""
        tables, importances, _ = self.parameters
        t, c = self._places(np.array(row * self.stride + column))
        return Parameters(tables[t], importances[c])

    def flood(self, block: Tile, row: int, column: int, start: Array) -> None:
        """Follow a minimum from a node over a block."""
        rows, columns = block
        bounds = np.array([rows.start, rows.stop, columns.start, columns.stop, row, column])
        flood(*self._head, *self.coordinates, *self._tail, bounds, np.ascontiguousarray(start))

    def exchange(self, active: Points) -> Points:
        """Let neighbours of points try their minima until none improves.

        Returns
        -------
        ndarray of int
            The points at which the minima of neighbours exist beside their own.
        """
        contested = [np.empty(0, dtype=np.int64)]
        columns, counts = len(self.relative_importance), np.empty(2, dtype=np.int64)
        while active.size:
            changed, both = (np.empty(8 * active.size, dtype=np.int64) for _ in range(2))
            exchange(*self._head, self._label, *self._tail, columns, active, changed, both, counts)
            active = np.unique(changed[: counts[0]])
            contested.append(both[: counts[1]])
        return np.unique(np.concatenate(contested))

    def search_again(self, points: Points, rng: np.random.Generator) -> Points:
        """Search points from random starts; return which are lower now."""
        if not points.size:
            return points
        starts = low_starts(self.space, _STARTS_AGAIN * len(points), rng)
        tables, importances, tolerances = self.parameters
        t, c = (part.repeat(_STARTS_AGAIN) for part in self._places(points))
        ends = self.engine.minimize(starts, tables[t], importances[c], tolerances[t])
        best = ends.loss.reshape(len(points), -1).argmin(axis=1)
        best += _STARTS_AGAIN * np.arange(len(points))
        x, loss, _ = self._tail
        lower = ends.loss[best] < loss[points] * (1 - IMPROVEMENT)
        x[points[lower]], loss[points[lower]] = ends.x[best[lower]], ends.loss[best[lower]]
        return np.asarray(points[lower])

    def push(self, points: Points, rng: np.random.Generator) -> Points:
        """Descend anew from pushed minima; return which points are lower now."""
        pushes = _PUSH * rng.normal(size=(len(points), self.space.size))
        if not self.space.bias:
            pushes[:, self.m * self.n :] = 0.0
        return self._pushed(points, pushes)

    def push_ignored(self, points: Points) -> Points:
        """Give ignored features a short direction against all others and descend anew.

        Which is how they enter where they do: interference that is negative costs least.  There
        Newton's method returns to the saddle from many of the other directions.

        Returns
        -------
        ndarray of int
            The points that are lower now.
        """
        W = self._tail[0][points, : self.m * self.n].reshape(-1, self.m, self.n)
        norms = np.linalg.norm(W, axis=1)
        ignored = norms < NORM_TOLERANCE
        against = -(W / np.where(ignored, np.inf, norms)[:, None, :]).sum(axis=2)
        length = np.linalg.norm(against, axis=1)
        chosen = ignored.any(axis=1) & (length > NORM_TOLERANCE)
        against = _PUSH * against[chosen] / length[chosen, None]
        count, weights = int(chosen.sum()), self.m * self.n
        pushes = np.zeros((count, self.space.size))
        pushes[:, :weights] = (against[:, :, None] * ignored[chosen, None, :]).reshape(
            count, weights
        )
        return self._pushed(points[chosen], pushes)

    def _pushed(self, points: Points, pushes: Array) -> Points:
        changed = np.empty(len(points), dtype=np.int64)
        count = push(*self._head, self._label, *self._tail, points, pushes, changed)
        return np.asarray(changed[:count])

    def invariants(self, x: Array) -> Array:
        """Return `sweeping.invariants` of states (k, d)."""
        found = np.empty((len(x), 3 * self.n + 2))
        for state, out in zip(x, found, strict=True):
            invariants(self.m, self.n, state, self._label, out)
        return found

    def search(self, row: int, column: int, rng: np.random.Generator) -> Array:
        """Return the different minima of a point that are not far above the lowest, (k, d)."""
        at = self.at(row, column)
        starts = low_starts(self.space, _STARTS.get(self.n, _MANY_STARTS), rng)
        return self._competitors(self.engine.minimize_at(starts, at), at.tolerance)

    def losses(self, row: int, x: Array) -> Array:
        """Return the losses of states (columns, d) at the points of a row."""
        count = len(self.relative_importance)
        points = row * self.stride + np.arange(count)
        tables, importances, tolerances = self.parameters
        t, c = self._places(points)
        still = self.engine.minimize(x, tables[t], importances[c], tolerances[t], iterations=0)
        return still.loss

    def _competitors(self, ends: Ends, tolerance: float) -> Array:
        limit = COMPETITIVE * ends.loss.min()
        order = np.argsort(ends.loss, kind="stable")
        converged = ends.slope < _CONVERGED * tolerance
        converged[order[0]] = True
        low = [k for k in order if converged[k] and ends.loss[k] <= limit]
        kinds = self.invariants(ends.x[low])
        kept: list[int] = []
        for i, k in enumerate(low):
            if not any(
                ends.loss[k] - ends.loss[low[j]] < _SAME_LOSS * ends.loss[k]
                and np.abs(kinds[i] - kinds[j]).max() < _SAME_INVARIANTS
                for j in kept
            ):
                kept.append(i)
        return ends.x[[low[i] for i in kept[:_COMPETITORS]]]


def cut_into_tiles(n: int, rows: int, columns: int) -> list[Tile]:
    """Return the tiles of a grid: nearly equal intervals of its rows and columns."""
    edge = _EDGES.get(n, _SMALL_EDGE)
    return list(product(_intervals(rows, edge), _intervals(columns, edge)))


def tile_size(tile: Tile) -> int:
    """Return the number of points of a tile."""
    rows, columns = (interval.stop - interval.start for interval in tile)
    return int(rows * columns)


def points_of(tile: Tile, stride: int) -> Points:
    """Return the numbers of a tile's points in a grid with this stride."""
    row, own = (np.arange(interval.start, interval.stop, dtype=np.int64) for interval in tile)
    return np.add.outer(row * stride, own).ravel()


def points_on_edges(tiles: list[Tile], stride: int) -> Points:
    """Return the numbers of the points on the edges of tiles; none if there is one tile."""
    if len(tiles) == 1:
        return np.empty(0, dtype=np.int64)
    found = []
    for rows, own in tiles:
        for edge in (rows.start, rows.stop - 1):
            found.append(points_of((slice(edge, edge + 1), own), stride))
        for edge in (own.start, own.stop - 1):
            found.append(points_of((rows, slice(edge, edge + 1)), stride))
    return np.unique(np.concatenate(found))


def solve_tile(
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    seed: tuple[int, int],
    plane: Plane | None = None,
) -> tuple[Array, Array]:
    """Return the lowest minima of a tile.

    Parameters
    ----------
    n, m : int
    density : ndarray, shape (rows,)
    relative_importance : ndarray, shape (columns,)
    seed : tuple of int
        Of the random numbers.
    plane : Plane, optional
        Other than the paper's; then the values are those along its axes.

    Returns
    -------
    x : ndarray, shape (rows, columns, m * n + n)
    loss : ndarray, shape (rows, columns)
    """
    rng = np.random.default_rng(seed)
    shape = len(density), len(relative_importance)
    x, loss = np.zeros((*shape, (m + 1) * n)), np.full(shape, np.inf)
    grid = Grid(n, m, density, relative_importance, x, loss, plane)
    by_row, by_column = grid.coordinates
    for rows in _blocks(by_row):
        for columns in _blocks(by_column):
            node = (rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2
            for start in grid.search(*node, rng):
                grid.flood((rows, columns), *node, start)
    everywhere = np.arange(loss.size, dtype=np.int64)
    contested = grid.exchange(everywhere)
    contested = np.union1d(contested, grid.exchange(grid.push(everywhere, rng)))
    contested = np.union1d(contested, grid.exchange(grid.push_ignored(everywhere)))
    grid.exchange(grid.search_again(_thinned(grid, contested), rng))
    return x, loss


def _thinned(grid: Grid, points: Points) -> Points:
    """Return one of the points in each cell of a width on logarithmic axes."""
    row, column = np.divmod(points, grid.stride)
    axes = grid.coordinates[0][row], grid.coordinates[1][column]
    cells = np.floor(np.stack(axes) / _CELL_WIDTH)
    return np.sort(points[np.unique(cells, axis=1, return_index=True)[1]])


def _intervals(count: int, longest: int) -> list[slice]:
    ends = np.linspace(0, count, -(-count // longest) + 1).round().astype(int).tolist()
    return [slice(*ends[i : i + 2]) for i in range(len(ends) - 1)]


def _blocks(positions: Array) -> list[slice]:
    """Return intervals of ascending positions, neither too many positions nor too far apart."""
    begin, found = 0, []
    for i in range(1, len(positions) + 1):
        if (
            i == len(positions)
            or i - begin == _BLOCK_EDGE
            or positions[i] - positions[begin] > _BLOCK_WIDTH
            or positions[i] - positions[i - 1] > _LONGEST_STEP
        ):
            found.append(slice(begin, i))
            begin = i
    return found
