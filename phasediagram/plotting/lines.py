"""Boundaries on top of a diagram, and the losses of all minima along a section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter, ScalarFormatter
from numpy.typing import NDArray

from phasediagram.plotting.canvas import axes_of, label_axes, new_axes
from phasediagram.plotting.phases import phase_colors
from phasediagram.results import Boundary, LossSection, PhaseBoundaries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

LegendLocation = Literal["upper left", "upper right", "lower left", "lower right"]
_COLOR = "#111111"
# of phases whose own colour is too light for a line
_LINE_COLORS = {"ignored": "#777777", "partial": "#c49a6c", "partial-triangle": "#dc86ad"}
_STYLES = {
    (1, "equilibrium"): ("-", "first order"),
    (2, "equilibrium"): ("--", "continuous"),
    (None, "spinodal"): (":", "spinodal"),
}
_NEVER_LOWEST = "other spinodal"
_NEVER_LOWEST_COLOR = "#777777"
_MARKERS = {
    "triple point": "^",
    "tricritical point": "s",
    "critical point": "o",
    "critical end point": "D",
}


def plot_boundaries(
    boundaries: PhaseBoundaries,
    ax: Axes | None = None,
    spinodals: bool = True,
    legend: LegendLocation | None = "lower left",
) -> Axes:
    """Draw boundaries and special points: solid first order, dashed continuous, dotted spinodal.

    Spinodals of phases on no other boundary, being the lowest nowhere, are grey ("other spinodal").

    Parameters
    ----------
    boundaries : PhaseBoundaries
    ax : matplotlib.axes.Axes, optional
        Where to draw, for instance on top of `plot_phases`; new axes by default.
    spinodals : bool
        Whether to draw spinodals too.
    legend : {"upper left", "upper right", "lower left", "lower right"} or None
        Where to explain lines and markers, as in `matplotlib.axes.Axes.legend`; None for
        nowhere.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import numpy as np, phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_boundaries
    >>> curve = np.array([0.2, 0.3]), np.array([0.1, 0.2])
    >>> line = phd.Boundary(*curve, ("ignored", "antipodal"), 1, "equilibrium")
    >>> with paper_figure() as figure:
    ...     ax = plot_boundaries(
    ...         phd.PhaseBoundaries((line,), (), 2, 1, "free"), figure.add_subplot()
    ...     )
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['first order']
    """
    if ax is None:
        ax = new_axes()
        label_axes(ax, axes_of(boundaries))
    limits = ax.get_xlim(), ax.get_ylim()
    drawn = [b for b in boundaries.boundaries if spinodals or b.kind != "spinodal"]
    lowest = _lowest_somewhere(boundaries)
    for boundary in drawn:
        _draw_boundary(ax, boundary, lowest)
    for point in boundaries.special_points:
        ax.plot(
            point.relative_importance,
            point.density,
            _MARKERS[point.kind],
            ms=4,
            mfc="white",
            mec=_COLOR,
            mew=0.8,
        )
    if ax.has_data() and limits != ((0.0, 1.0), (0.0, 1.0)):
        ax.set_xlim(limits[0])
        ax.set_ylim(limits[1])
    if legend is not None:
        of_phases = ax.get_legend()
        handles = _handles(boundaries, drawn)
        ax.legend(handles=handles, loc=legend, fontsize="x-small", framealpha=1.0)
        if of_phases is not None:
            ax.add_artist(of_phases)
            of_phases.set_clip_on(False)  # it is outside the axes, and needs room
    return ax


def add_line_legend(
    figure: Figure, boundaries: PhaseBoundaries, place: tuple[float, float]
) -> None:
    """Explain lines and markers outside the axes, right of and below a place in the figure."""
    figure.legend(
        handles=_handles(boundaries, boundaries.boundaries),
        loc="upper left",
        bbox_to_anchor=place,
        frameon=False,
        fontsize="x-small",
    )


def _handles(boundaries: PhaseBoundaries, drawn: Sequence[Boundary]) -> list[Line2D]:
    return _line_handles(drawn, _lowest_somewhere(boundaries)) + _marker_handles(boundaries)


def _lowest_somewhere(boundaries: PhaseBoundaries) -> set[str]:
    """Return the phases of boundaries at equilibrium."""
    return {
        phase
        for boundary in boundaries.boundaries
        if boundary.kind == "equilibrium"
        for phase in boundary.phases
    }


def _is_never_lowest(boundary: Boundary, lowest: set[str]) -> bool:
    return boundary.kind == "spinodal" and bool(lowest) and not lowest & set(boundary.phases)


def _draw_boundary(ax: Axes, boundary: Boundary, lowest: set[str]) -> None:
    style, _ = _STYLES[boundary.order, boundary.kind]
    color = _NEVER_LOWEST_COLOR if _is_never_lowest(boundary, lowest) else _COLOR
    width = 0.7 if boundary.kind == "spinodal" else 1.1
    ax.plot(boundary.relative_importance, boundary.density, style, color=color, lw=width)


def _line_handles(drawn: Sequence[Boundary], lowest: set[str]) -> list[Line2D]:
    never = any(_is_never_lowest(boundary, lowest) for boundary in drawn)
    present = {
        (boundary.order, boundary.kind)
        for boundary in drawn
        if not _is_never_lowest(boundary, lowest)
    }
    handles = [
        Line2D([], [], color=_COLOR, ls=style, lw=1.0, label=label)
        for key, (style, label) in _STYLES.items()
        if key in present
    ]
    if never:
        handles.append(
            Line2D([], [], color=_NEVER_LOWEST_COLOR, ls=":", lw=1.0, label=_NEVER_LOWEST)
        )
    return handles


def _marker_handles(boundaries: PhaseBoundaries) -> list[Line2D]:
    present = {point.kind for point in boundaries.special_points}
    return [
        Line2D([], [], ls="", marker=marker, ms=4, mfc="white", mec=_COLOR, label=kind)
        for kind, marker in _MARKERS.items()
        if kind in present
    ]


def plot_losses(
    section: LossSection, ax: Axes | None = None, relative_to_lowest: bool = True
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
    along_density = np.ptp(section.relative_importance) == 0
    x = section.density if along_density else section.relative_importance
    if section.x is not None and section.values is not None:
        x = section.values
    lowest = section.lowest
    labelled: set[str] = set()
    colors = phase_colors(filter(None, (name for b in section.branches for name in b.phases)))
    for branch in section.branches:
        y = 100 * (branch.loss / lowest - 1) if relative_to_lowest else branch.loss
        stable = branch.loss <= lowest * (1 + 1e-12)
        for phase in dict.fromkeys(filter(None, branch.phases)):
            here = np.array([name == phase for name in branch.phases])
            color = _LINE_COLORS.get(phase, colors[phase])
            (dashed,) = ax.plot(x, np.where(_widened(here), y, np.nan), "--", color=color, lw=1.0)
            lines = [dashed]
            if (here & stable).any():
                lines = ax.plot(x, np.where(here & stable, y, np.nan), color=color, lw=2.2)
            if phase not in labelled:
                lines[0].set_label(phase)
                labelled.add(phase)
    if relative_to_lowest:
        excess = (b.loss / lowest - 1 for b in section.branches)
        top = 125 * max(np.nanmax(values) for values in excess if np.nanmin(values) < 1e-12)
        ax.set_ylim(-0.04 * top, max(top, 0.01))
    fixed = (
        f"r = {section.relative_importance[0]:g}"
        if along_density
        else f"p = {section.density[0]:g}"
    )
    ax.set_title(
        f"{section.n_features} features, {section.n_hidden} hidden, {fixed}", fontsize="medium"
    )
    ax.set_xlabel("Feature density $p$" if along_density else "Relative feature importance $r$")
    if section.x is not None:
        ax.set_title(f"{section.n_features} features, {section.n_hidden} hidden", fontsize="medium")
        ax.set_xlabel(section.x.label)
    ax.set_ylabel("Loss above the lowest, %" if relative_to_lowest else "Loss")
    is_log = section.x is None or section.x.scale == "log"
    if (
        is_log
        and (section.x is not None or not along_density)
        and x.min() > 0
        and x.max() / x.min() > 2
    ):
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(ScalarFormatter())
        ax.xaxis.set_minor_formatter(NullFormatter())
    ax.legend(fontsize="small", frameon=False)
    return ax


def _widened(here: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add the next point, so that the line joins that of the following phase."""
    wide = here.copy()
    wide[1:] |= here[:-1]
    return wide
