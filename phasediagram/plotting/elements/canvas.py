"""Axes for a phase diagram, and what is painted on its grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.image import AxesImage
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, Locator, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray

from phasediagram.comparison.agreement import Agreement
from phasediagram.results import PhaseBoundaries, PhaseDiagram
from phasediagram.toymodel.axes import Axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

Array = NDArray[np.float64]


def new_axes() -> Axes:
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(5.2, 5.8), layout="constrained")[1]


def below_label(ax: Axes) -> Transform:
    """Return coordinates of the axes, moved down below ticks and label, whatever their size."""
    points = 2.5 * float(ax.xaxis.label.get_fontsize()) + 9
    return ax.transAxes + ScaledTranslation(0, -points / 72, ax.figure.dpi_scale_trans)


def frame(
    ax: Axes,
    rows: tuple[float, float],
    columns: tuple[float, float],
    axes: tuple[Axis, Axis] | None = None,
) -> None:
    """Give axes their limits, scales, ticks and labels: the paper's, or that of the rows first."""
    label_axes(ax, axes)
    for along, limits, which in ((ax.xaxis, columns, 1), (ax.yaxis, rows, 0)):
        if axes is None or axes[which].scale == "log":
            along.set_major_locator(locator(limits))
            along.set_minor_formatter(NullFormatter())
            if axes is not None:
                along.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if axes is None:
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
        ax.yaxis.set_major_formatter(
            FuncFormatter(lambda value, _: "1.0" if np.isclose(value, 1) else f"{value:g}")
        )
    ax.set_xlim(columns)
    ax.set_ylim(rows)
    ax.set_box_aspect(1)


def frame_of(diagram: PhaseDiagram) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return from where to where the rows and the columns of a diagram reach."""
    return _limits(np.sort(diagram.density)), _limits(np.sort(diagram.relative_importance))


def paint(
    ax: Axes,
    density: Array,
    relative_importance: Array,
    values: Array,
    axes: tuple[Axis, Axis] | None = None,
    **options: Any,
) -> QuadMesh:
    """Colour one cell for each point of the grid, by value or RGB.

    On the paper's axes, or on others, that of the rows first.
    """
    rows, columns = np.argsort(density), np.argsort(relative_importance)
    x, y = relative_importance[columns], density[rows]
    frame(ax, _limits(y), _limits(x), axes)
    edges = [
        _cell_edges(centres) if axis is None else axis.at(_middles(axis.coordinates(centres)))
        for axis, centres in zip(axes[::-1] if axes else (None, None), (x, y), strict=True)
    ]
    mesh = ax.pcolormesh(*edges, values[rows][:, columns], rasterized=True, **options)
    frame(ax, _limits(y), _limits(x), axes)
    return mesh


def shade(
    ax: Axes,
    density: Array,
    relative_importance: Array,
    values: Array,
    axes: tuple[Axis, Axis] | None = None,
    within: Path | None = None,
    **options: Any,
) -> AxesImage:
    """Colour what is continuous by values, or RGB, at the points of a grid, linear between them.

    The points must be evenly spaced in the scales of the axes.  With a path, in data, only what is
    inside it is coloured.
    """
    rows, columns = np.argsort(density), np.argsort(relative_importance)
    x, y = relative_importance[columns], density[rows]
    frame(ax, _limits(y), _limits(x), axes)
    image = AxesImage(ax, origin="lower", interpolation="bilinear", **options)
    image.set_data(values[rows][:, columns])
    half = [0.5 / (len(points) - 1) for points in (x, y)]
    ax.autoscale(False)
    image.set_extent((-half[0], 1 + half[0], -half[1], 1 + half[1]))
    image.set_transform(ax.transAxes)
    ax.add_image(image)
    if within is None:
        image.set_clip_path(ax.patch)
    else:
        image.set_clip_path(within, ax.transData)
    return image


def are_evenly_spaced(values: Array, axis: Axis | None) -> bool:
    """Whether there are several points, evenly spaced in the scale of an axis."""
    if values.size < 2:
        return False
    at = np.sort(np.log(values) if axis is None else axis.coordinates(values))
    return bool(np.allclose(np.diff(at), (at[-1] - at[0]) / (len(at) - 1), rtol=1e-6))


def axes_of(result: PhaseDiagram | PhaseBoundaries | Agreement) -> tuple[Axis, Axis] | None:
    """Return the axes of a result, that of the rows first; None for the paper's."""
    return None if result.x is None or result.y is None else (result.y, result.x)


def label_axes(ax: Axes, axes: tuple[Axis, Axis] | None) -> None:
    """Set scales and labels, of the paper's axes or of others, that of the rows first."""
    if axes is None:
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlabel("Relative feature importance $r$")
        ax.set_ylabel("Feature density $1 - S$")
        return
    by_row, by_column = axes
    ax.set_xscale(by_column.scale)
    ax.set_yscale(by_row.scale)
    ax.set_xlabel(by_column.label)
    ax.set_ylabel(by_row.label)


def _middles(coordinates: Array) -> Array:
    """Return the edges of cells around points."""
    middle = (coordinates[1:] + coordinates[:-1]) / 2
    first, last = 2 * coordinates[0] - middle[0], 2 * coordinates[-1] - middle[-1]
    return np.concatenate([[first], middle, [last]])


def locator(limits: tuple[float, float]) -> Locator:
    """Return ticks at powers of ten, and more where there are fewer than two, or in a close-up."""
    powers = np.floor(np.log10(limits[1])) - np.ceil(np.log10(limits[0])) + 1
    if limits[1] > 30 * limits[0]:
        return LogLocator() if powers > 1 else LogLocator(subs=(1, 2, 5))
    return (
        MaxNLocator(8, steps=[1, 2, 5, 10])
        if limits[1] < 4 * limits[0]
        else LogLocator(subs=(1, 2, 3, 5))
    )


def _cell_edges(centres: Array) -> Array:
    """Return the edges of cells around points, halfway in the logarithm."""
    if centres.size == 1:
        return np.asarray(centres[0] * np.array([0.9, 1.1]))
    return np.asarray(np.exp(_middles(np.log(centres))))


def _limits(values: Array) -> tuple[float, float]:
    if values.size == 1:
        edges = _cell_edges(values)
        return float(edges[0]), float(edges[-1])
    return float(values[0]), float(values[-1])
