"""Axes for a phase diagram: one cell for each point of the grid, logarithmic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
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
    if axes is not None:
        return _paint_other(ax, y, x, values[rows][:, columns], axes, options)
    label_axes(ax, None)
    mesh = ax.pcolormesh(
        _cell_edges(x), _cell_edges(y), values[rows][:, columns], rasterized=True, **options
    )
    ax.set_xlim(_limits(x))
    ax.set_ylim(_limits(y))
    for axis, values in ((ax.xaxis, x), (ax.yaxis, y)):
        axis.set_major_locator(_locator(values))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    ax.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: "1.0" if np.isclose(value, 1) else f"{value:g}")
    )
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_box_aspect(1)
    return mesh


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


def _paint_other(
    ax: Axes, y: Array, x: Array, values: Array, axes: tuple[Axis, Axis], options: dict[str, Any]
) -> QuadMesh:
    label_axes(ax, axes)
    edges = []
    for axis, centres in zip(axes[::-1], (x, y), strict=True):
        found = axis.at(_middles(axis.coordinates(centres)))
        edges.append(found)
    mesh = ax.pcolormesh(*edges, values, rasterized=True, **options)
    for along, axis, centres in ((ax.xaxis, axes[1], x), (ax.yaxis, axes[0], y)):
        if axis.scale == "log":
            along.set_major_locator(_locator(centres))
            along.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            along.set_minor_formatter(NullFormatter())
    ax.set_xlim(float(x[0]), float(x[-1]))
    ax.set_ylim(float(y[0]), float(y[-1]))
    ax.set_box_aspect(1)
    return mesh


def _middles(coordinates: Array) -> Array:
    """Return the edges of cells around points."""
    middle = (coordinates[1:] + coordinates[:-1]) / 2
    first, last = 2 * coordinates[0] - middle[0], 2 * coordinates[-1] - middle[-1]
    return np.concatenate([[first], middle, [last]])


def _locator(values: Array) -> Locator:
    """Return ticks at powers of ten, and more of them in a close-up."""
    if values[-1] > 30 * values[0]:
        return LogLocator()
    return MaxNLocator(6) if values[-1] < 4 * values[0] else LogLocator(subs=(1, 2, 3, 5))


def _cell_edges(centres: Array) -> Array:
    """Return the edges of cells around points, halfway in the logarithm."""
    if centres.size == 1:
        return np.asarray(centres[0] * np.array([0.9, 1.1]))
    logs = np.log(centres)
    middle = (logs[1:] + logs[:-1]) / 2
    first, last = 2 * logs[0] - middle[0], 2 * logs[-1] - middle[-1]
    return np.asarray(np.exp(np.concatenate([[first], middle, [last]])))


def _limits(values: Array) -> tuple[float, float]:
    if values.size == 1:
        edges = _cell_edges(values)
        return float(edges[0]), float(edges[-1])
    return float(values[0]), float(values[-1])
