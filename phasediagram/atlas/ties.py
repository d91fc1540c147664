"""Which of equally low minima a diagram shows.

At density 1 the exact loss can be the same along a continuum of minima; at any density a state in
which features are ignored exactly is the limit of others, which descents reach only to rounding.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.sweeping import IMPROVEMENT
from phasediagram.atlas.tiles import Grid
from phasediagram.kernel.tables import marginal_densities
from phasediagram.minima.engine import Ends
from phasediagram.minima.symmetry import least_of_the_last

Array = NDArray[np.float64]

_SMALL = 1e-2  # a norm that may be 0 but for rounding


def settle_ties(grid: Grid, rows: slice) -> None:
    """Choose among equally low minima in some rows of a grid that is otherwise settled."""
    columns = len(grid.relative_importance)
    if grid.given_plane is not None:
        for row in range(rows.start, rows.stop):
            _prefer_zero(grid, row)
            for column in range(columns):
                grid.x[row, column] = least_of_the_last(grid.space, grid.x[row, column])
        return
    for row in range(rows.start, rows.stop):
        if grid.density[row] == 1.0:
            if row > 0:
                _accept_tied(grid, row, _descend(grid, row, grid.x[row - 1, :columns]))
            _prefer_opposite_directions(grid, row)
    _prefer_ignoring(grid, rows)


def interference(m: int, n: int, x: Array) -> Array:
    """Return the sum of all products of different directions, negative where opposite."""
    W = x[..., : m * n].reshape(*x.shape[:-1], m, n)
    return np.asarray((W.sum(axis=-1) ** 2).sum(axis=-1) - (W**2).sum(axis=(-1, -2)))


def _descend(grid: Grid, row: int, starts: Array) -> Ends:
    """Descend at every column of a row from starts (columns, d)."""
    tables, importances, tolerances = grid.parameters
    if grid.given_plane is None:
        tables, tolerances = tables[row : row + 1], tolerances[row : row + 1]
    else:
        points = row * grid.stride + np.arange(len(grid.relative_importance))
        tables, importances, tolerances = (v[points] for v in grid.parameters)
    return grid.engine.minimize(starts, tables, importances, tolerances)


def _accept_tied(grid: Grid, row: int, ends: Ends, chosen: NDArray[np.bool_] | None = None) -> None:
    columns = len(grid.relative_importance)
    limit = grid.loss[row, :columns] * (1 + IMPROVEMENT)
    is_tied = ends.loss <= limit
    tied = np.flatnonzero(is_tied if chosen is None else is_tied & chosen)
    grid.x[row, tied], grid.loss[row, tied] = ends.x[tied], ends.loss[tied]


def _prefer_zero(grid: Grid, row: int) -> None:
    """Where ignoring the features with small directions is as low, take that."""
    n, m, columns = grid.n, grid.m, len(grid.relative_importance)
    zeroed = np.array(grid.x[row, :columns])
    W = zeroed[:, : m * n].reshape(-1, m, n)  # a view
    small = np.linalg.norm(W, axis=1) < _SMALL
    if not small.any() or not grid.space.bias:
        return
    W *= ~small[:, None, :]
    points = row * grid.stride + np.arange(columns)
    means = marginal_densities(grid.parameters[0][points], n) / 2
    b = zeroed[:, m * n :]
    b[small] = means[small]
    _accept_tied(grid, row, _descend(grid, row, zeroed), small.any(axis=1))


def _prefer_opposite_directions(grid: Grid, row: int) -> None:
    """At density 1 choose among equals the one whose directions are the most opposite.

    While no output clips, x_j -> 1 - x_j is a symmetry there, and a direction is as good
    as its opposite; at lower densities opposite directions interfere less.
    """
    n, m, columns = grid.n, grid.m, len(grid.relative_importance)
    for signs in product((1.0, -1.0), repeat=n - 1):
        flipped = np.array(grid.x[row, :columns])
        W = flipped[:, : m * n].reshape(-1, m, n)  # a view
        W *= [*signs, 1.0]
        gram = np.swapaxes(W, 1, 2) @ W
        flipped[:, m * n :] = (1 - gram.sum(axis=2)) / 2  # keeps the means
        ends = _descend(grid, row, flipped)
        before = interference(m, n, grid.x[row, :columns])
        _accept_tied(grid, row, ends, interference(m, n, ends.x) < before)


def _prefer_ignoring(grid: Grid, rows: slice) -> None:
    """Where ignoring n - m features and keeping the rest apart is as low as anything, take that.

    The extra feature is among the ignored ones or not; a feature that is ignored costs its
    importance times the variance.
    """
    n, m, columns = grid.n, grid.m, len(grid.relative_importance)
    p = grid.density[rows, None]
    variance = p / 3 - p**2 / 4
    for ignored in (range(m, n), range(n - m)):
        cost = np.full(columns, float(len(ignored)))
        if n - 1 in ignored:
            cost += grid.relative_importance - 1
        loss = cost * variance
        known = grid.loss[rows, :columns]
        tied = loss <= known * (1 + IMPROVEMENT)
        if not tied.any():
            continue
        kept = [i for i in range(n) if i not in ignored]
        x = np.zeros((len(p), (m + 1) * n))
        x[:, [k * n + i for k, i in enumerate(kept)]] = 1.0
        x[:, [m * n + i for i in ignored]] = p / 2
        row, column = np.nonzero(tied)
        grid.x[row + rows.start, column] = x[row]
        grid.loss[row + rows.start, column] = loss[row, column]
