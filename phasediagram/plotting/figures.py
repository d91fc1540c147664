"""Whole figures, and writing them to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from phasediagram.plotting.lines import plot_boundaries
from phasediagram.plotting.phases import paint, plot_phases, plot_superposition

if TYPE_CHECKING:
    from phasediagram.results import PhaseBoundaries, PhaseDiagram

FIGURE_FORMATS = (".pdf", ".png", ".svg")


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
    """
    figure = Figure(figsize=(10.0, 5.4))
    left = figure.add_axes((0.07, 0.31, 0.36, 0.62))
    right = figure.add_axes((0.5, 0.31, 0.36, 0.62))
    key = figure.add_axes((0.905, 0.5, 0.085, 0.17))
    plot_phases(diagram, left, legend_columns=2)
    if boundaries is not None:
        plot_boundaries(boundaries, left)
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
    """
    same_grid = np.array_equal(diagram.density, literature.density) and np.array_equal(
        diagram.relative_importance, literature.relative_importance
    )
    sizes = [(d.n_features, d.n_hidden) for d in (diagram, literature)]
    if not same_grid or sizes[0] != sizes[1]:
        raise ValueError("diagram and literature must have the same size and grid")
    figure = Figure(figsize=(14.0, 5.4))
    left = figure.add_axes((0.045, 0.31, 0.26, 0.62))
    middle = figure.add_axes((0.36, 0.31, 0.26, 0.62))
    right = figure.add_axes((0.675, 0.31, 0.26, 0.62))
    plot_phases(literature, left, legend_columns=1)
    plot_phases(diagram, middle, legend_columns=2)
    if boundaries is not None:
        plot_boundaries(boundaries, middle)
    excess = 100 * (literature.loss / diagram.loss - 1)
    mesh = paint(right, diagram, excess, cmap="magma_r", vmin=0.0)
    figure.colorbar(mesh, cax=right.inset_axes((1.04, 0.0, 0.04, 1.0)))
    left.set_title(_title(literature), fontsize="medium")
    middle.set_title(_title(diagram), fontsize="medium")
    right.set_title(f"Excess loss of {literature.weights} weights, %", fontsize="medium")
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, PDF or SVG, by the suffix of `path`, with fonts embedded."""
    with mpl.rc_context({"pdf.fonttype": 42, "svg.hashsalt": "phasediagram"}):
        figure.savefig(path, dpi=200)


def _title(diagram: PhaseDiagram) -> str:
    dimensions = "dimension" if diagram.n_hidden == 1 else "dimensions"
    return (
        f"{diagram.n_features} features in {diagram.n_hidden} hidden {dimensions}, "
        f"{diagram.weights} weights"
    )
