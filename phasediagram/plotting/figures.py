"""Whole figures of several pictures, for the screen and the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from phasediagram.plotting.canvas import axes_of, new_axes, paint
from phasediagram.plotting.lines import add_line_legend, plot_boundaries
from phasediagram.plotting.phases import plot_phases, plot_superposition
from phasediagram.results import PhaseBoundaries, PhaseDiagram

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_figure(diagram: PhaseDiagram, boundaries: PhaseBoundaries | None = None) -> Figure:
    """Return a figure of both pictures side by side: phases and continuous colouring.

    Parameters
    ----------
    diagram : PhaseDiagram
    boundaries : PhaseBoundaries, optional
        Drawn on top of the phases.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import draw_figure
    >>> figure = draw_figure(phd.phase_diagram(weights="canonical"))
    >>> [ax.get_title() for ax in figure.axes[:2]]
    ['2 features in 1 hidden dimension, canonical weights', 'The extra feature']
    """
    figure = Figure(figsize=(10.0, 5.4))
    left = figure.add_axes((0.07, 0.31, 0.36, 0.62))
    right = figure.add_axes((0.5, 0.31, 0.36, 0.62))
    key = figure.add_axes((0.905, 0.5, 0.085, 0.17))
    plot_phases(diagram, left, legend_columns=2)
    if boundaries is not None:
        plot_boundaries(boundaries, left, legend=None)
        add_line_legend(figure, boundaries, (0.865, 0.42))
    plot_superposition(diagram, right, key)
    left.set_title(_title(diagram), fontsize="medium")
    right.set_title("The extra feature", fontsize="medium")
    return figure


def draw_comparison(
    diagram: PhaseDiagram,
    literature: PhaseDiagram,
    boundaries: PhaseBoundaries | None = None,
) -> Figure:
    """Return a figure of another diagram, ours, and the loss that the other leaves.

    Parameters
    ----------
    diagram, literature : PhaseDiagram
        On the same grid, of the same size.
    boundaries : PhaseBoundaries, optional
        Drawn on top of the phases of `diagram`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the grids or sizes differ.

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
    _require_same_grid(diagram, literature)
    figure = Figure(figsize=(14.0, 5.4))
    left = figure.add_axes((0.045, 0.31, 0.26, 0.62))
    middle = figure.add_axes((0.36, 0.31, 0.26, 0.62))
    right = figure.add_axes((0.675, 0.31, 0.26, 0.62))
    plot_phases(literature, left, legend_columns=1)
    plot_phases(diagram, middle, legend_columns=2)
    if boundaries is not None:
        plot_boundaries(boundaries, middle, legend=None)
        add_line_legend(figure, boundaries, (0.9, 0.255))
    plot_excess(diagram, literature, right)
    left.set_title(_title(literature), fontsize="medium")
    middle.set_title(_title(diagram), fontsize="medium")
    right.set_title(f"Excess loss of {literature.weights} weights, %", fontsize="medium")
    return figure


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
    axes = diagram.density, diagram.relative_importance
    mesh = paint(ax, *axes, excess, axes_of(diagram), cmap="magma_r", vmin=0.0)
    ax.figure.colorbar(mesh, cax=ax.inset_axes((1.04, 0.0, 0.04, 1.0)))
    return ax


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
    return (
        f"{diagram.n_features} features in {diagram.n_hidden} hidden {dimensions}, "
        f"{diagram.weights} weights"
    )
