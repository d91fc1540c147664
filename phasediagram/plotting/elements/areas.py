"""The areas of a diagram that are filled and labelled: polygons, or the cells of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import contourpy
import numpy as np
from matplotlib.path import Path
from numpy.typing import NDArray
from scipy import ndimage

from phasediagram.plotting.elements.labels import CELLS, Mask, cell_centres
from phasediagram.regions.result import PhaseRegion, PhaseRegions
from phasediagram.results import PhaseDiagram

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Area:
    """A connected part of the picture in which one phase is the lowest.

    Attributes
    ----------
    phase : str
    mask : ndarray of bool
        Its cells in the raster of the axes, the lowest row first.
    W : ndarray, shape (m, n)
        Of its lowest minimum, somewhere well inside.
    path : matplotlib.path.Path or None
        Around it, in data; None if it is of a grid.
    anchor : tuple of float
        A point inside, in fractions of the axes; in a thin area the mask may have none.
    """

    phase: str
    mask: Mask
    W: Array
    path: Path | None
    anchor: tuple[float, float]

    @property
    def share(self) -> float:
        """Its share of the axes."""
        return float(self.mask.mean())


def areas_of_regions(ax: Axes, regions: PhaseRegions) -> list[Area]:
    """Return the areas of regions, as far as the axes show them, which have their limits."""
    areas = []
    for region in regions.regions:
        path = path_of(region)
        mask = _inside(ax, path)
        place = ax.transData.transform((region.inside[1], region.inside[0]))
        x, y = ax.transAxes.inverted().transform(place)
        if not mask.any():
            areas.append(Area(region.phase, mask, region.W, path, (float(x), float(y))))
        else:
            areas.append(Area(region.phase, mask, region.W, path, _anchor(mask)))
    return areas


def path_of(region: PhaseRegion) -> Path:
    """Return the path around a region, with relative importance (or x) to the right."""
    return _path([loop[:, ::-1] for loop in (region.outline, *region.holes)])


def _path(loops: Sequence[Array]) -> Path:
    vertices, codes = [], []
    for loop in loops:
        vertices.append(np.vstack([loop, loop[:1]]))
        inner = [Path.LINETO] * (len(loop) - 1)
        codes += [Path.MOVETO, *inner, Path.CLOSEPOLY]
    return Path(np.vstack(vertices), codes)


def areas_of_grid(ax: Axes, diagram: PhaseDiagram) -> list[Area]:
    """Return the areas of a grid's points, each with its cell."""
    rows, columns = _nearest_points(ax, diagram)
    lowest = diagram.lowest[rows[:, None], columns[None]]
    areas = []
    for index, name in enumerate(diagram.candidates):
        parts, count = ndimage.label(lowest == index)
        for part in range(1, count + 1):
            mask = parts == part
            x, y = anchor = _anchor(mask)
            row, column = int(y * CELLS), int(x * CELLS)
            W = diagram.W[rows[row], columns[column]]
            areas.append(Area(name, mask, W, None, anchor))
    return areas


def areas_of_candidates(ax: Axes, diagram: PhaseDiagram) -> list[Area]:
    """Return the areas in which each of several candidates is the lowest, by contours.

    Contours of differences of losses, linear between the grid's points, are far more accurate than
    the points themselves.  None if the losses of all candidates are not known.
    """
    count = len(diagram.candidates)
    if len(diagram.candidate_losses) != count or min(diagram.lowest.shape) < 2 or count < 2:
        return []
    rows, columns = np.argsort(diagram.density), np.argsort(diagram.relative_importance)
    data = [np.full((len(v), 2), 1.0) for v in (rows, columns)]
    data[0][:, 1], data[1][:, 0] = diagram.density[rows], diagram.relative_importance[columns]
    y, x = (ax.transScale.transform(d)[:, k] for d, k in zip(data, (1, 0), strict=True))
    losses = np.array([loss[rows][:, columns] for loss in diagram.candidate_losses])
    areas = []
    for index, name in enumerate(diagram.candidates):
        others = np.delete(losses, index, axis=0).min(axis=0)
        generator = contourpy.contour_generator(x, y, others - losses[index])
        polygons, offsets = generator.filled(0.0, np.inf)[:2]  # outer offsets
        for points, starts in zip(polygons, offsets, strict=True):
            assert points is not None
            assert starts is not None
            loops = [points[a:b] for a, b in pairwise(starts.tolist())]
            path = _path([ax.transScale.inverted().transform(loop[:-1]) for loop in loops])
            mask = _inside(ax, path)
            if mask.any():
                across, up = anchor = _anchor(mask)
                at = (ax.transAxes - ax.transData).transform(anchor)
                row = np.abs(np.log(diagram.density / at[1])).argmin()
                column = np.abs(np.log(diagram.relative_importance / at[0])).argmin()
                W = diagram.candidate_W[index][row, column]
                areas.append(Area(name, mask, W, path, (across, up)))
    return areas


def visible_phases(areas: Sequence[Area]) -> list[str]:
    """Return the phases that have an area to be seen."""
    return list(dict.fromkeys(area.phase for area in areas if area.mask.any()))


def hidden_phases(areas: Sequence[Area]) -> list[str]:
    """Return the phases whose areas in the picture are too small to be seen."""
    seen = visible_phases(areas)
    in_view = [area for area in areas if all(0 <= c <= 1 for c in area.anchor)]
    return list(dict.fromkeys(area.phase for area in in_view if area.phase not in seen))


def _inside(ax: Axes, path: Path) -> Mask:
    """Return the cells whose centres are inside a path."""
    drawn = path.transformed(ax.transData - ax.transAxes)
    centres = cell_centres()
    (left, bottom), (right, top) = drawn.get_extents().get_points()
    rows = np.flatnonzero((centres >= bottom) & (centres <= top))
    columns = np.flatnonzero((centres >= left) & (centres <= right))
    mask = np.zeros((CELLS, CELLS), dtype=bool)
    if len(rows) and len(columns):
        x, y = np.meshgrid(centres[columns], centres[rows])
        points = np.stack([x.ravel(), y.ravel()], axis=1)
        found = np.zeros(len(points), dtype=bool)
        for loop in _loops(drawn):  # what is in a hole is inside twice
            found ^= Path(loop).contains_points(points)
        mask[np.ix_(rows, columns)] = found.reshape(x.shape)
    return mask


def _loops(path: Path) -> list[Array]:
    assert path.codes is not None
    starts = np.flatnonzero(path.codes == Path.MOVETO)
    return [np.asarray(loop) for loop in np.split(np.asarray(path.vertices), starts[1:])]


def _anchor(mask: Mask) -> tuple[float, float]:
    """Return the place deepest inside a mask, central among equals."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    deepest = np.argwhere(depth >= 0.95 * depth.max())
    row, column = deepest[((deepest - deepest.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    centres = cell_centres()
    return float(centres[column]), float(centres[row])


def _nearest_points(ax: Axes, diagram: PhaseDiagram) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which row and column of the grid is nearest to each of the raster's."""
    found = []
    for values, column in ((diagram.density, 1), (diagram.relative_importance, 0)):
        data = np.full((len(values), 2), 1.0)
        data[:, :] = ax.get_xlim()[0], ax.get_ylim()[0]
        data[:, column] = values
        at = ax.transAxes.inverted().transform(ax.transData.transform(data))[:, column]
        found.append(np.abs(cell_centres()[:, None] - at[None]).argmin(axis=1))
    return found[0], found[1]
