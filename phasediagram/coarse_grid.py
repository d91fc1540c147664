"""A coarse subset of a grid, each of whose points is searched from many starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.executors import Part, Workers
from phasediagram.free_minimization import FreeEnds, minimize_free, standard_starts
from phasediagram.grid_minima import COMPETITIVE

Array = NDArray[np.float64]
Points = NDArray[np.intp]

_STEP = 0.22  # largest logarithmic gap between coarse lines
_PART = 128  # points searched together
_RANDOM_STARTS = 24
_COMPETITORS = 6  # distinct minima of a point that its surroundings start from
_SAME_LOSS = 1e-8


@dataclass(frozen=True)
class CoarseGrid:
    """The coarse points, and which of them is nearest to each row and column of the grid.

    Attributes
    ----------
    density, relative_importance : ndarray
        Of the coarse rows and columns.
    row, column : ndarray of int
        Number of the coarse row nearest to each row, and column to each column.
    """

    density: Array
    relative_importance: Array
    row: Points
    column: Points

    @classmethod
    def within(cls, density: Array, relative_importance: Array) -> CoarseGrid:
        """Return the coarse points of a grid with ascending axes."""
        rows, row = _lines(np.log(density))
        columns, column = _lines(np.log(relative_importance))
        return cls(density[rows], relative_importance[columns], row, column)

    @property
    def size(self) -> int:
        """Number of coarse points."""
        return len(self.density) * len(self.relative_importance)

    def search(self, n: int, m: int, workers: Workers, report: Callable[[int], None]) -> Array:
        """Return the competitive minima of every coarse point.

        Parameters
        ----------
        n, m : int
        workers : Workers
        report : callable
            Called with the number of points that were finished.

        Returns
        -------
        ndarray, shape (coarse rows, coarse columns, competitors, m * n + n)
            NaN where there are fewer competitors.
        """
        density, relative_importance = (
            values.ravel()
            for values in np.meshgrid(self.density, self.relative_importance, indexing="ij")
        )
        places = [slice(begin, begin + _PART) for begin in range(0, self.size, _PART)]
        parts = [
            Part(place, (n, m, density[place], relative_importance[place], (0, number)))
            for number, place in enumerate(places)
        ]
        competitors = np.empty((self.size, _COMPETITORS, (m + 1) * n))
        for place, found in workers.run(search_points, parts):
            competitors[place] = found
            report(len(found))
        shape = len(self.density), len(self.relative_importance)
        return competitors.reshape(*shape, *competitors.shape[1:])


def search_points(
    n: int, m: int, density: Array, relative_importance: Array, seed: tuple[int, int]
) -> Array:
    """Return the competitive minima of some points, each searched from many starts.

    Returns
    -------
    ndarray, shape (points, competitors, m * n + n)
        NaN where there are fewer.
    """
    starts = standard_starts(n, m, density, _RANDOM_STARTS, np.random.default_rng(seed))
    return _competitors(minimize_free(n, m, density, relative_importance, starts))


def _competitors(ends: FreeEnds) -> Array:
    """Return the distinct low minima, (points, _COMPETITORS, variables), NaN where fewer."""
    points, _, variables = ends.x.shape
    kept = np.full((points, _COMPETITORS, variables), np.nan)
    for point in range(points):
        order = np.argsort(ends.loss[point], kind="stable")
        losses = ends.loss[point, order]
        distinct = np.append(True, np.diff(losses) > _SAME_LOSS * losses[:-1])
        low = order[distinct & (losses <= COMPETITIVE * losses[0])][:_COMPETITORS]
        kept[point, : len(low)] = ends.x[point, low]
    return kept


def _lines(positions: Array) -> tuple[Points, Points]:
    """Return some of the ascending positions, and for each position the nearest of those."""
    lines = [0]
    for i in range(1, len(positions)):
        is_last = i == len(positions) - 1
        if is_last or positions[i + 1] - positions[lines[-1]] > _STEP:
            lines.append(i)
    chosen = np.array(lines, dtype=np.intp)
    middles = (positions[chosen[1:]] + positions[chosen[:-1]]) / 2
    return chosen, np.searchsorted(middles, positions)
