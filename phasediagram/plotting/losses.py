"""The losses of all minima along a section."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter, ScalarFormatter
from numpy.typing import NDArray

from phasediagram.plotting.elements.canvas import locator, new_axes
from phasediagram.plotting.elements.legends import add_below
from phasediagram.plotting.elements.styles import catalogue_order, line_color, phase_colors
from phasediagram.results import BranchLosses, LossSection

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

_STABLE = 2.2  # points of width
_METASTABLE = 1.1
_DASHED = (0, (3, 1.5))
_LOWEST = 1e-12  # relative excess up to which a loss is the lowest


def plot_losses(
    section: LossSection,
    ax: Axes | None = None,
    relative_to_lowest: bool = True,
    legend_columns: int | None = 2,
) -> Axes:
    """Draw the losses of all minima along a section, stable solid, metastable dashed.

    Parameters
    ----------
    section : LossSection
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    relative_to_lowest : bool
        Whether to draw by how much each loss exceeds the lowest, in percent of it, which
        shows differences that the loss itself hides.
    legend_columns : int or None
        Columns of the legend, which is below the axes; None for no legend.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_losses
    >>> section = phd.loss_section(0.3, [0.3, 0.4, 0.5])
    >>> with paper_figure() as figure:
    ...     ax = plot_losses(section, figure.add_subplot())
    >>> ax.get_ylabel()
    'Loss above the lowest, %'
    """
    ax = ax or new_axes()
    x, lowest = _positions(section), section.lowest
    names = catalogue_order(filter(None, (name for b in section.branches for name in b.phases)))
    colors = {name: line_color(color) for name, color in phase_colors(names).items()}
    lines: dict[str, Line2D] = {}
    for branch in section.branches:
        y = 100 * (branch.loss / lowest - 1) if relative_to_lowest else branch.loss
        stable = branch.loss <= lowest * (1 + _LOWEST)
        for phase in dict.fromkeys(filter(None, branch.phases)):
            here = np.array([name == phase for name in branch.phases])
            dashed = np.where(_widened(here), y, np.nan)
            (line,) = ax.plot(x, dashed, ls=_DASHED, color=colors[phase], lw=_METASTABLE)
            if (here & stable).any():
                solid = np.where(here & stable, y, np.nan)
                (line,) = ax.plot(x, solid, color=colors[phase], lw=_STABLE, solid_capstyle="butt")
            if phase not in lines or line.get_linewidth() == _STABLE:
                lines[phase] = line
    if relative_to_lowest:
        _limit(ax, section.branches, lowest)
    _label(ax, section, relative_to_lowest)
    for name, line in lines.items():
        line.set_label(name)
    if legend_columns is not None:
        add_below(ax, [lines[name] for name in names], columns=legend_columns)
    return ax


def _positions(section: LossSection) -> Array:
    if section.x is not None and section.values is not None:
        return section.values
    return section.density if _along_density(section) else section.relative_importance


def _along_density(section: LossSection) -> bool:
    return bool(np.ptp(section.relative_importance) == 0)


def _limit(ax: Axes, branches: tuple[BranchLosses, ...], lowest: Array) -> None:
    """Show all of the minima that are the lowest somewhere."""
    excess = [b.loss / lowest - 1 for b in branches]
    top = 115 * max(np.nanmax(values) for values in excess if np.nanmin(values) < _LOWEST)
    ax.set_ylim(-0.04 * top, max(top, 0.01))


def _label(ax: Axes, section: LossSection, relative_to_lowest: bool) -> None:
    along_density, x = _along_density(section), _positions(section)
    fixed = (
        f", $r$ = {section.relative_importance[0]:g}"
        if along_density
        else f", $p$ = {section.density[0]:g}"
    )
    if section.x is not None:
        fixed = ""
        ax.set_xlabel(section.x.label)
    else:
        ax.set_xlabel("Feature density $p$" if along_density else "Relative feature importance $r$")
    ax.set_title(f"{section.n_features} features, {section.n_hidden} hidden{fixed}")
    ax.set_ylabel("Loss above the lowest, %" if relative_to_lowest else "Loss")
    ax.set_xlim(x.min(), x.max())
    is_log = not along_density if section.x is None else section.x.scale == "log"
    if is_log and x.min() > 0 and x.max() / x.min() > 2:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(locator((float(x.min()), float(x.max()))))
        ax.xaxis.set_major_formatter(ScalarFormatter())
        ax.xaxis.set_minor_formatter(NullFormatter())


def _widened(here: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add the next point, so that the line joins that of the following phase."""
    wide = here.copy()
    wide[1:] |= here[:-1]
    return wide
