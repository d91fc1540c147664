"""The lowest mixture of groups over density, on the axes of the paper's figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from phasediagram.grouping.families import FeatureGroup
from phasediagram.grouping.result import Geometry
from phasediagram.plotting.elements.canvas import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

_METASTABLE = "#c8c8c8"
_COLORS = {"ignored": "#bbbbbb", "dedicated": "#222222"}
_WIDEST = 7.0  # of the line of a dimensionality that all represented features have
_EQUAL = 5e-3  # dimensionalities that differ by less are drawn as one line


def plot_geometry(geometry: Geometry, ax: Axes | None = None, *, metastable: bool = True) -> Axes:
    """Draw the dimensionalities of features in the lowest mixture over 1 / density.

    Parameters
    ----------
    geometry : Geometry
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    metastable : bool
        Whether to draw thin lines where the groups of the mixture exist without being in it.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_geometry
    >>> with paper_figure() as figure:
    ...     ax = plot_geometry(phd.geometry([0.2, 0.25], 5, 2), figure.add_subplot())
    >>> ax.get_ylabel()
    'Dimensionality $D_i$'
    """
    ax = ax or new_axes()
    used = [int(k) for k in np.flatnonzero(geometry.counts.any(axis=0))]
    colors = _colors([geometry.groups[k] for k in used])
    represented = max(int((geometry.counts @ _sizes(geometry.groups, represented=True)).max()), 1)
    for k in used:
        group = geometry.groups[k]
        if group.n_hidden == 0:
            continue
        if metastable:
            for line, _ in _levels(group, group.density):
                ax.plot(1 / group.density, line, color=_METASTABLE, linewidth=0.8, zorder=1)
        where = geometry.counts[:, k] > 0
        label: str | None = group.name
        for level, members in _levels(group, geometry.density):
            share = geometry.counts[:, k] * members / represented
            width = 1.5 + _WIDEST * float(share.max())
            ax.plot(
                1 / geometry.density,
                np.where(where, level, np.nan),
                color=colors[group.name],
                linewidth=width,
                solid_capstyle="butt",
                label=label,
                marker="." if where.sum() < 2 else None,
                zorder=2,
            )
            label = None
    for change in geometry.transitions:
        ax.axvline(1 / change.density, color="#999999", linewidth=0.6, linestyle=":", zorder=0)
    _over_sparsity(ax, geometry)
    ax.set_ylim(0, 1.05)
    ax.set_ylabel("Dimensionality $D_i$")
    ax.legend(frameon=False, fontsize="small", loc="upper right")
    return ax


def plot_norm_per_dimension(geometry: Geometry, ax: Axes | None = None) -> Axes:
    """Draw the paper's continuous quantity, ``|W|^2 / m``, over 1 / density.

    Parameters
    ----------
    geometry : Geometry
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_norm_per_dimension
    >>> with paper_figure() as figure:
    ...     ax = plot_norm_per_dimension(phd.geometry([0.2, 0.25], 5, 2), figure.add_subplot())
    >>> ax.get_ylabel()
    '$\\\\|W\\\\|_F^2 / m$'
    """
    ax = ax or new_axes()
    ax.plot(1 / geometry.density, geometry.norm_per_dimension(), color="#222222", linewidth=1.2)
    for change in geometry.transitions:
        ax.axvline(1 / change.density, color="#999999", linewidth=0.6, linestyle=":", zorder=0)
    _over_sparsity(ax, geometry)
    ax.set_ylabel("$\\|W\\|_F^2 / m$")
    return ax


def _over_sparsity(ax: Axes, geometry: Geometry) -> None:
    ax.set_xscale("log")
    low, high = 1 / geometry.density.max(), 1 / geometry.density.min()
    if low < high:
        ax.set_xlim(low, high)
    ax.set_xlabel("$1 / (1 - S)$, one over the density")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _sizes(groups: tuple[FeatureGroup, ...], *, represented: bool) -> NDArray[np.int64]:
    return np.array([g.n_features if g.n_hidden or not represented else 0 for g in groups])


def _colors(groups: list[FeatureGroup]) -> dict[str, str | tuple[float, ...]]:
    palette = colormaps["tab20"].colors  # type: ignore[attr-defined]
    others = [group.name for group in groups if group.name not in _COLORS]
    return {**_COLORS, **{name: palette[k % 20] for k, name in enumerate(others)}}


def _levels(group: FeatureGroup, density: Array) -> list[tuple[Array, int]]:
    """Return the distinct dimensionalities of a group over densities, and how many have each."""
    table = np.sort(group.dimensionality(), axis=1)
    at = np.array([np.interp(density, group.density, column, np.nan, np.nan) for column in table.T])
    levels: list[tuple[Array, int]] = []
    for line in at:
        if levels and np.nanmax(np.abs(levels[-1][0] - line), initial=0.0) < _EQUAL:
            levels[-1] = levels[-1][0], levels[-1][1] + 1
        else:
            levels.append((line, 1))
    return levels
