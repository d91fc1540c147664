"""Whole figures of several pictures, at the width of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from phasediagram.plotting.elements.canvas import (
    are_evenly_spaced,
    axes_of,
    frame,
    frame_of,
    new_axes,
    paint,
    shade,
)
from phasediagram.plotting.elements.layout import Page
from phasediagram.plotting.elements.magnify import crowded_box, mark_box, window_of
from phasediagram.plotting.elements.styles import figure_style
from phasediagram.plotting.lines import Spinodals, require_spinodals
from phasediagram.plotting.phases import draw_phases, draw_regions, merged, regions_for
from phasediagram.plotting.superposition import plot_superposition
from phasediagram.regions.result import PhaseRegions
from phasediagram.results import PhaseBoundaries, PhaseDiagram

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_figure(
    diagram: PhaseDiagram,
    boundaries: PhaseBoundaries | PhaseRegions | None = None,
    *,
    spinodals: Spinodals = False,
) -> Figure:
    """Return a figure of phases and continuous colouring, and of what is worth magnifying.

    Parameters
    ----------
    diagram : PhaseDiagram
    boundaries : PhaseBoundaries or PhaseRegions, optional
        Between which the regions are drawn, if they close.  Where their special points crowd, a
        third panel magnifies them.
    spinodals : bool or "all"
        Whether to draw spinodals too, of phases that are the lowest somewhere or of all.

    Returns
    -------
    matplotlib.figure.Figure
        As wide as a page, 7 inches.

    Raises
    ------
    ValueError
        If `spinodals` is something else.

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import draw_figure
    >>> figure = draw_figure(phd.phase_diagram(weights="canonical"))
    >>> [ax.get_title() for ax in figure.axes[:2]]
    ['2 features in 1 hidden dimension, canonical weights', 'The extra feature']
    """
    require_spinodals(spinodals)
    regions = regions_for(diagram, boundaries)
    with figure_style():
        box = _box_of(diagram, regions)
        if box is None or regions is None:
            return _two_panels(diagram, regions, spinodals)
        return _three_panels(diagram, regions, spinodals, box)


def draw_comparison(
    diagram: PhaseDiagram,
    literature: PhaseDiagram,
    boundaries: PhaseBoundaries | PhaseRegions | None = None,
    *,
    spinodals: Spinodals = False,
) -> Figure:
    """Return a figure of another diagram, ours, and the loss that the other leaves.

    Parameters
    ----------
    diagram, literature : PhaseDiagram
        On the same grid, of the same size.
    boundaries : PhaseBoundaries or PhaseRegions, optional
        Between which the regions of `diagram` are drawn, if they close.
    spinodals : bool or "all"
        Whether to draw spinodals too, of phases that are the lowest somewhere or of all.

    Returns
    -------
    matplotlib.figure.Figure
        As wide as a page, 7 inches.

    Raises
    ------
    ValueError
        If the grids or sizes differ, or `spinodals` is something else.

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import draw_comparison
    >>> axes = [1.0, 0.3, 0.1], [0.5, 1.0, 2.0]
    >>> optimized = phd.phase_diagram(*axes, weights="optimized")
    >>> figure = draw_comparison(optimized, phd.phase_diagram(*axes, weights="canonical"))
    >>> figure.axes[2].get_title()
    'Excess loss of canonical weights, %'
    """
    require_spinodals(spinodals)
    _require_same_grid(diagram, literature)
    regions = regions_for(diagram, boundaries)
    with figure_style():
        page = Page(1, 3, gap=0.42, right=0.42)
        left, middle, right = panels = [page.panel(0, k) for k in range(3)]
        size: dict[str, Any] = {"label_size": "x-small", "explain": False, "markers": False}
        theirs = draw_phases(left, literature, None, **size)
        ours = draw_phases(middle, diagram, regions, spinodals, **size)
        plot_excess(diagram, literature, right)
        left.set_title(f"{literature.weights.capitalize()} weights")
        middle.set_title(f"{diagram.weights.capitalize()} weights")
        right.set_title(f"Excess loss of {literature.weights} weights, %")
        for ax in panels[1:]:
            ax.set_ylabel("")
        everything = merged([ours, theirs])
        start = page.corner(0, 0)[0] - 0.2
        handles = [*everything.colors, *everything.lines]
        end = page.explain(start, page.below, handles, everything.handlers, 5)
        return page.end(page.explain(start, end, everything.notes) + 0.06)


def plot_excess(diagram: PhaseDiagram, literature: PhaseDiagram, ax: Axes | None = None) -> Axes:
    """Draw by how much the losses of another diagram exceed ours, in percent of ours.

    Parameters
    ----------
    diagram, literature : PhaseDiagram
        On the same grid, of the same size.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the grids or sizes differ.

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_excess
    >>> axes = [1.0, 0.3, 0.1], [0.5, 1.0, 2.0]
    >>> canonical = phd.phase_diagram(*axes, weights="canonical")
    >>> with paper_figure() as figure:
    ...     ax = plot_excess(
    ...         phd.phase_diagram(*axes, weights="optimized"), canonical, figure.add_subplot()
    ...     )
    >>> print(f"up to {ax.collections[0].get_array().max():.1f} %")
    up to 3.5 %
    """
    _require_same_grid(diagram, literature)
    ax = ax or new_axes()
    excess = 100 * (literature.loss / diagram.loss - 1)
    grid, axes = (diagram.density, diagram.relative_importance), axes_of(diagram)
    even = [
        are_evenly_spaced(values, axis)
        for values, axis in zip(grid, axes or (None, None), strict=True)
    ]
    draw = shade if all(even) else paint
    picture = draw(ax, *grid, excess, axes, cmap="magma_r")
    picture.set_clim(0.0, float(excess.max()))
    ax.figure.colorbar(picture, cax=ax.inset_axes((1.04, 0.0, 0.04, 1.0)))
    return ax


def _box_of(
    diagram: PhaseDiagram, regions: PhaseRegions | None
) -> tuple[float, float, float, float] | None:
    """Return what part of a diagram is worth magnifying."""
    if regions is None or not regions.is_closed:
        return None
    ax = Figure().add_subplot()
    frame(ax, *frame_of(diagram), axes_of(diagram))
    return crowded_box(ax, regions)


def _two_panels(
    diagram: PhaseDiagram, regions: PhaseRegions | None, spinodals: Spinodals
) -> Figure:
    """Draw phases and colouring side by side, and below them what explains them."""
    page = Page(1, 2)
    left, right = page.panel(0, 0), page.panel(0, 1)
    drawn = draw_phases(left, diagram, regions, spinodals)
    key = page.axes(6.0, page.below + 0.05, 0.75, 0.75)
    plot_superposition(diagram, right, key, boundaries=regions)
    left.set_title(_title(diagram))
    right.set_title("The extra feature")
    right.set_ylabel("")
    ends = (
        page.explain(0.1, page.below, drawn.colors, drawn.handlers),
        page.explain(3.6, page.below, drawn.lines),
        page.below + 1.05,
    )
    return page.end(page.explain(0.1, max(ends), drawn.notes) + 0.06)


def _three_panels(
    diagram: PhaseDiagram,
    regions: PhaseRegions,
    spinodals: Spinodals,
    box: tuple[float, float, float, float],
) -> Figure:
    """Draw phases, what is magnified of them, and the colouring, with legends in the fourth."""
    page = Page(2, 2)
    whole, corner, right = page.panel(0, 0), page.panel(0, 1), page.panel(1, 0)
    frame(whole, *frame_of(diagram), axes_of(diagram))
    frame(corner, *window_of(whole, box), axes_of(diagram))
    drawn = [
        draw_regions(whole, regions, spinodals, elsewhere=box),
        draw_regions(corner, regions, spinodals),
    ]
    mark_box(whole, box)
    left, top = page.corner(1, 1)
    key = page.axes(left + page.side - 0.8, top + page.side - 0.75, 0.75, 0.75)
    plot_superposition(diagram, right, key, boundaries=regions)
    whole.set_title(_title(diagram))
    corner.set_title("What is framed on the left")
    right.set_title("The extra feature")
    corner.set_ylabel("")
    everything, left = merged(drawn), left - 0.35
    end = page.explain(left, top, everything.colors, everything.handlers)
    end = page.explain(left, end + 0.06, everything.lines, columns=2)
    page.explain(left, end, everything.notes)
    return page.end(page.below)


def _require_same_grid(diagram: PhaseDiagram, literature: PhaseDiagram) -> None:
    same_grid = np.array_equal(diagram.density, literature.density) and np.array_equal(
        diagram.relative_importance, literature.relative_importance
    )
    sizes = [(d.n_features, d.n_hidden) for d in (diagram, literature)]
    if not same_grid or sizes[0] != sizes[1]:
        raise ValueError("diagram and literature must have the same size and grid")


def _title(diagram: PhaseDiagram) -> str:
    if diagram.model is not None and not diagram.model.is_standard:
        return repr(diagram.model)
    dimensions = "dimension" if diagram.n_hidden == 1 else "dimensions"
    weights = "" if diagram.weights == "free" else f", {diagram.weights} weights"
    return f"{diagram.n_features} features in {diagram.n_hidden} hidden {dimensions}{weights}"
