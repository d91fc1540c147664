"""Places for labels: inside their region, clear of lines, markers and each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath
from numpy.typing import NDArray
from scipy import ndimage

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

CELLS = 256  # of the raster of the axes, along each side
_CLEAR = 2.0  # points between a label and what it avoids
LIGHTLY = "_may be covered"  # of lines that a label may cover if need be
_MARKER = 3.5  # points from a marker's middle to its edge


@dataclass(frozen=True)
class Place:
    """Where a label goes, in fractions of the axes; `clear` if no line passes under it."""

    x: float
    y: float
    clear: bool


def cell_centres() -> Array:
    """Return the centres of the raster's cells along a side, in fractions of the axes."""
    return (np.arange(CELLS) + 0.5) / CELLS


def text_size(text: str, size: float | str) -> tuple[float, float]:
    """Return width and height of a text, in points."""
    points = FontProperties(size=size).get_size_in_points()
    box = TextPath((0, 0), text, size=points).get_extents()
    return float(box.width), float(max(box.height, 0.75 * points))


class Room:
    """What of the axes is taken, and by what.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        As it is drawn.
    """

    def __init__(self, ax: Axes) -> None:
        self._ax = ax
        box = ax.get_window_extent()
        self._points = 72 * box.width / ax.figure.dpi, 72 * box.height / ax.figure.dpi
        self._taken = np.zeros((CELLS, CELLS), dtype=bool)
        self._crossed = self._taken.copy()  # by what a label may cover if need be
        self._named = self._taken.copy()  # by labels, which leaders may not cross
        for line in ax.lines:
            self._add_drawn_line(line)
        for collection in ax.collections:
            if isinstance(collection, PathCollection):  # markers
                places = np.ma.filled(collection.get_offsets(), np.nan)
                for x, y in self._fractions(*np.reshape(places, (-1, 2)).T).T:
                    self.add_box(x, y, 2 * _MARKER, 2 * _MARKER)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the axes, in points."""
        return self._points

    def _add_drawn_line(self, line: Line2D) -> None:
        x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        if line.get_linestyle() == "None":
            for across, up in self._fractions(x, y).T:
                self.add_box(across, up, 2 * _MARKER, 2 * _MARKER)
        else:
            self.add_line(x, y, lightly=line.get_label() == LIGHTLY)

    def add_line(self, x: Array, y: Array, lightly: bool = False) -> None:
        """Take the cells along a curve, in data."""
        across, up = self._fractions(x, y)
        steps = np.hypot(np.diff(across), np.diff(up))
        count = np.maximum(np.ceil(np.nan_to_num(steps) * 2 * CELLS), 1).astype(int)
        count = np.minimum(count, 8 * CELLS)
        points = [
            np.stack([np.linspace(a, b, k), np.linspace(c, d, k)])
            for a, b, c, d, k in zip(across[:-1], across[1:], up[:-1], up[1:], count, strict=True)
        ]
        if points:
            self._mark(np.concatenate(points, axis=1), self._crossed if lightly else self._taken)

    def add_box(self, x: float, y: float, width: float, height: float) -> None:
        """Take a box around a place, its size in points."""
        self.add_fractions(x, y, width / self._points[0], height / self._points[1])

    def add_fractions(self, x: float, y: float, width: float, height: float) -> None:
        """Take a box around a place, all in fractions of the axes."""
        half_x, half_y = width / 2, height / 2
        rows = np.abs(cell_centres() - y) <= half_y
        columns = np.abs(cell_centres() - x) <= half_x
        self._taken |= rows[:, None] & columns[None]

    def place(self, inside: Mask, width: float, height: float) -> Place | None:
        """Return where a box of a size in points is clear, deepest in a region; None if nowhere."""
        edge = np.zeros_like(inside)
        edge[[0, -1]], edge[:, [0, -1]] = True, True
        for clear in (True, False):
            free = inside & ~self._taken & ~edge
            if clear:
                free &= ~self._crossed
            found = self._deepest(free, width, height)
            if found is not None:
                return Place(*found, clear)
        return None

    def add_label(self, x: float, y: float, width: float, height: float) -> None:
        """Take the box of a label around a place, its size in points."""
        self.add_box(x, y, width, height)
        half_x, half_y = (
            (length / 2 + _CLEAR) / side
            for length, side in zip((width, height), self._points, strict=True)
        )
        rows = np.abs(cell_centres() - y) <= half_y
        columns = np.abs(cell_centres() - x) <= half_x
        self._named |= rows[:, None] & columns[None]

    def add_leader(self, start: tuple[float, float], stop: tuple[float, float]) -> None:
        """Take the cells along a leader, in fractions of the axes."""
        rows, columns = _cells_between(start, stop)
        self._taken[rows, columns] = self._named[rows, columns] = True

    def near(
        self, grounds: list[Mask], target: tuple[float, float], width: float, height: float
    ) -> Place | None:
        """Return the place in one of several regions that is nearest to a target.

        Clear, and with a leader to the target that crosses no label.
        """
        fits = np.zeros((CELLS, CELLS), dtype=bool)
        for ground in grounds:
            free = ground & ~self._taken & ~self._crossed
            fits |= self._fitting(free, width, height)
        centres = cell_centres()
        rows, columns = np.nonzero(fits)
        nearest = np.argsort(np.hypot(centres[columns] - target[0], centres[rows] - target[1]))
        for k in nearest:
            place = Place(float(centres[columns[k]]), float(centres[rows[k]]), True)
            if not self._named[_cells_between((place.x, place.y), target)].any():
                return place
        return None

    def _deepest(self, free: Mask, width: float, height: float) -> tuple[float, float] | None:
        fits = self._fitting(free, width, height)
        if not fits.any():
            return None
        depth = np.where(fits, ndimage.distance_transform_edt(np.pad(fits, 1))[1:-1, 1:-1], 0)
        candidates = np.argwhere(depth >= 0.9 * depth.max())
        middle = candidates.mean(axis=0)
        row, column = candidates[((candidates - middle) ** 2).sum(axis=1).argmin()]
        return float(cell_centres()[column]), float(cell_centres()[row])

    def _fitting(self, free: Mask, width: float, height: float) -> Mask:
        """Return the centres at which a box is free."""
        cells = [
            2 * int(np.ceil((length / 2 + _CLEAR) / side * CELLS)) + 1
            for length, side in zip((height, width), self._points[::-1], strict=True)
        ]
        if max(cells) > CELLS:
            return np.zeros_like(free)
        return np.asarray(
            ndimage.minimum_filter(free, size=tuple(cells), mode="constant", cval=False)
        )

    def _fractions(self, x: Array, y: Array) -> Array:
        """Return fractions of the axes of places in data, across and up."""
        pixels = self._ax.transData.transform(np.stack([x, y], axis=1))
        return np.asarray(self._ax.transAxes.inverted().transform(pixels).T)

    def _mark(self, fractions: Array, mask: Mask) -> None:
        columns, rows = np.floor(fractions * CELLS).astype(int)
        inside = (columns >= 0) & (columns < CELLS) & (rows >= 0) & (rows < CELLS)
        mask[rows[inside], columns[inside]] = True


def _cells_between(
    start: tuple[float, float], stop: tuple[float, float]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of the cells on a line between two fractions of the axes."""
    t = np.linspace(0, 1, CELLS)[:, None]
    line = (1 - t) * np.array(start) + t * np.array(stop)
    columns, rows = np.clip(np.floor(line * CELLS), 0, CELLS - 1).astype(np.intp).T
    return rows, columns
