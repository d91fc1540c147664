"""The part of a diagram that a second panel magnifies: where special points crowd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fclusterdata

from phasediagram.plotting.elements.styles import DARK
from phasediagram.regions.result import PhaseRegions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]

_CROWDED = 0.12  # fraction of the axes between points, the width of some six markers
_FEWEST = 4  # points that are worth a panel
_AROUND = 0.18  # of the box's longer side, on each side
_SQUARENESS = 0.7  # least ratio of its sides
_LARGEST = 0.45  # side of the box, fraction of the axes, beyond which nothing is gained


def crowded_box(ax: Axes, regions: PhaseRegions) -> Box | None:
    """Return a box around the largest crowd of special points, in fractions of the axes.

    Left, bottom, right and top; None if nowhere as many as four are near each other, or if they
    are all over the axes.
    """
    at = _special_points(ax, regions)
    if len(at) < _FEWEST:
        return None
    group = fclusterdata(at, _CROWDED, criterion="distance", method="single")
    crowd = at[group == np.bincount(group).argmax()]
    return _around(crowd) if len(crowd) >= _FEWEST else None


def box_of_special_points(ax: Axes, regions: PhaseRegions) -> Box | None:
    """Return a box around all special points that the axes show, unless it is most of them."""
    at = _special_points(ax, regions)
    return _around(at) if len(at) else None


def _special_points(ax: Axes, regions: PhaseRegions) -> Array:
    points = [(p.relative_importance, p.density) for p in regions.boundaries.special_points]
    at = (ax.transData - ax.transAxes).transform(np.reshape(points, (-1, 2)))
    return np.asarray(at[((at >= 0) & (at <= 1)).all(axis=1)])


def _around(points: Array) -> Box | None:
    lower, upper = points.min(axis=0), points.max(axis=0)
    sides = (upper - lower) + 2 * _AROUND * float((upper - lower).max())
    sides = np.maximum(sides, _SQUARENESS * sides.max())
    if not 0 < sides.max() < _LARGEST:
        return None
    lower = np.clip((lower + upper - sides) / 2, 0, 1 - sides)  # moved at the edge, not cut
    upper = lower + sides
    return float(lower[0]), float(lower[1]), float(upper[0]), float(upper[1])


def window_of(ax: Axes, box: tuple[float, ...]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return from where to where rows and columns of a box reach, in data."""
    corners = (ax.transAxes - ax.transData).transform(np.reshape(box, (2, 2)))
    (left, bottom), (right, top) = corners.tolist()
    low, high = ax.get_ylim()
    return (max(bottom, low), min(top, high)), (left, right)


def mark_box(ax: Axes, box: tuple[float, ...]) -> None:
    """Draw a box that another panel magnifies."""
    left, bottom, right, top = box
    frame = Rectangle((left, bottom), right - left, top - bottom, fill=False, ec=DARK, lw=0.8)
    frame.set_transform(ax.transAxes)
    frame.set_zorder(4.5)
    frame.set_clip_on(False)
    ax.add_patch(frame)
