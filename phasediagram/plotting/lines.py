"""Boundaries and special points as lines and markers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from phasediagram.plotting.elements.canvas import axes_of, label_axes, new_axes
from phasediagram.plotting.elements.labels import LIGHTLY
from phasediagram.plotting.elements.legends import add_below
from phasediagram.plotting.elements.styles import (
    DARK,
    LIGHT,
    catalogue_order,
    luminance,
    phase_colors,
)
from phasediagram.results import PhaseBoundaries

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
Spinodals = bool | Literal["all"]

_WIDTH = 1.0
_CASING, _OPAQUE = 1.1, 0.65  # light, under dark lines: points wider, and its opacity
_SPINODAL_WIDTH = 1.0
_DOTTED: Any = (0, (1.6, 1.0))
_TRACK = 0.5  # opacity of what is under the dots
_ANY = "#777777"  # colour that stands for those of phases
_STYLES: dict[tuple[int | None, str], tuple[Any, str]] = {
    (1, "equilibrium"): ("-", "first order"),
    (2, "equilibrium"): ((0, (4, 1.6)), "continuous"),
}
_MARKERS = {
    "triple point": "^",
    "tricritical point": "s",
    "critical point": "o",
    "critical end point": "D",
}
_SIZES = {"triple point": 4.2, "tricritical point": 3.4, "critical end point": 3.2}
_SIZE = 3.8


def plot_boundaries(
    boundaries: PhaseBoundaries,
    ax: Axes | None = None,
    spinodals: Spinodals = False,
    legend: bool = True,
) -> Axes:
    """Draw boundaries and special points: solid first order, dashed continuous, dotted spinodal.

    Parameters
    ----------
    boundaries : PhaseBoundaries
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes by default.
    spinodals : bool or "all"
        Whether to draw spinodals too, each in the colour of the phase that ends there: of the
        phases that are the lowest somewhere, or of all.
    legend : bool
        Whether to explain lines and markers, below the axes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If `spinodals` is something else.

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
    require_spinodals(spinodals)
    if ax is None:
        ax = new_axes()
        label_axes(ax, axes_of(boundaries))
    limits = ax.get_xlim(), ax.get_ylim()
    draw_lines(ax, boundaries, spinodals)
    if ax.has_data() and limits != ((0.0, 1.0), (0.0, 1.0)):
        ax.set_xlim(limits[0])
        ax.set_ylim(limits[1])
    if legend:
        add_below(ax, line_handles(boundaries, spinodals))
    return ax


def require_spinodals(spinodals: object) -> None:
    """Raise ValueError unless it says which spinodals to draw."""
    if spinodals not in (True, False, "all"):
        raise ValueError(f"spinodals must be True, False or 'all', got {spinodals!r}")


def draw_lines(
    ax: Axes,
    boundaries: PhaseBoundaries,
    spinodals: Spinodals,
    curves: Sequence[Array] | None = None,
    markers: bool = True,
) -> None:
    """Draw lines and markers; through finer points than the traced ones if they are given."""
    colors = _spinodal_colors(boundaries, spinodals)
    for boundary in boundaries.boundaries:
        if boundary.kind == "spinodal" and boundary.phases[0] in colors:
            x, y = boundary.relative_importance, boundary.density
            for style in _spinodal_styles(colors[boundary.phases[0]]):
                ax.plot(x, y, label=LIGHTLY, zorder=2.2, **style)
    at_equilibrium = [b for b in boundaries.boundaries if b.kind == "equilibrium"]
    for k, boundary in enumerate(at_equilibrium):
        points = np.stack([boundary.density, boundary.relative_importance], axis=1)
        y, x = (points if curves is None else curves[k]).T
        style, _ = _STYLES[boundary.order, boundary.kind]
        ax.plot(x, y, color=LIGHT, lw=_WIDTH + _CASING, alpha=_OPAQUE, zorder=2.3)
        ax.plot(x, y, color=DARK, ls=style, lw=_WIDTH, zorder=2.4)
    for point in boundaries.special_points if markers else ():
        ax.plot(
            point.relative_importance,
            point.density,
            ls="",
            zorder=4,
            clip_on=not _is_shown(ax, point.relative_importance, point.density),
            **_marker(point.kind),
        )


def line_handles(
    boundaries: PhaseBoundaries,
    spinodals: Spinodals,
    ax: Axes | None = None,
    markers: bool = True,
) -> list[Artist]:
    """Return what explains lines and markers, those that the limits of the axes show."""
    present = {
        (b.order, b.kind)
        for b in boundaries.boundaries
        if _is_shown(ax, b.relative_importance, b.density)
    }
    handles: list[Artist] = [
        Line2D([], [], color=DARK, ls=style, lw=_WIDTH, label=label)
        for key, (style, label) in _STYLES.items()
        if key in present
    ]
    if _spinodal_colors(boundaries, spinodals):
        *_, style = _spinodal_styles(_ANY)
        handles.append(Line2D([], [], label="spinodal, by colour", **style))
    kinds = {
        point.kind
        for point in boundaries.special_points
        if markers and _is_shown(ax, point.relative_importance, point.density)
    }
    handles += [
        Line2D([], [], ls="", label=kind, **_marker(kind)) for kind in _MARKERS if kind in kinds
    ]
    return handles


def _spinodal_styles(color: str) -> tuple[dict[str, Any], ...]:
    """Return how a spinodal is drawn: first a track under it, then the dots."""
    track = LIGHT if luminance(color) < 0.5 else DARK
    return (
        {"color": track, "lw": 1.7 * _SPINODAL_WIDTH, "alpha": _TRACK},
        {"color": color, "ls": _DOTTED, "lw": _SPINODAL_WIDTH},
    )


def _marker(kind: str) -> dict[str, Any]:
    return {
        "marker": _MARKERS[kind],
        "ms": _SIZES.get(kind, _SIZE),
        "mfc": "white",
        "mec": DARK,
        "mew": 0.7,
    }


def _is_shown(ax: Axes | None, x: ArrayLike, y: ArrayLike) -> bool:
    """Whether one of several points is within the limits of the axes, or on them."""
    if ax is None:
        return True
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    across, up = np.asarray(x), np.asarray(y)
    return bool(((left <= across) & (across <= right) & (low <= up) & (up <= high)).any())


def _spinodal_colors(boundaries: PhaseBoundaries, spinodals: Spinodals) -> dict[str, str]:
    """Return the colours of the phases whose spinodals are drawn."""
    if not spinodals:
        return {}
    ending = [b.phases[0] for b in boundaries.boundaries if b.kind == "spinodal"]
    lowest = _lowest_somewhere(boundaries)
    shown = [p for p in ending if spinodals == "all" or not lowest or p in lowest]
    return phase_colors(catalogue_order(shown))


def _lowest_somewhere(boundaries: PhaseBoundaries) -> set[str]:
    """Return the phases of boundaries at equilibrium."""
    return {
        phase
        for boundary in boundaries.boundaries
        if boundary.kind == "equilibrium"
        for phase in boundary.phases
    }
