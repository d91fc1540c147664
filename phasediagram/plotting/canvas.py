"""Axes for a phase diagram: one cell for each point of the grid, logarithmic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, Locator, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray

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
    ax: Axes, density: Array, relative_importance: Array, values: Array, **options: Any
) -> QuadMesh:
    """Colour one cell for each point of the grid, by value or RGB, on the paper's axes."""
    rows, columns = np.argsort(density), np.argsort(relative_importance)
    x, y = relative_importance[columns], density[rows]
    ax.set_xscale("log")
    ax.set_yscale("log")
    mesh = ax.pcolormesh(
        _cell_edges(x), _cell_edges(y), values[rows][:, columns], rasterized=True, **options
    )
    ax.set_xlim(_limits(x))
    ax.set_ylim(_limits(y))
    ax.set_xlabel("Relative feature importance $r$")
    ax.set_ylabel("Feature density $1 - S$")
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
