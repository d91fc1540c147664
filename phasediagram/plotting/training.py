"""Trained models over the theoretical diagram, and the picture that training draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from phasediagram.comparison.agreement import Agreement
from phasediagram.comparison.edges import mean_norm_and_superposition
from phasediagram.plotting.canvas import axes_of, label_axes, new_axes, paint
from phasediagram.plotting.lines import add_line_legend, plot_boundaries
from phasediagram.plotting.phases import (
    plot_color_key,
    plot_phases,
    superposition_color,
)
from phasediagram.results import PhaseBoundaries, PhaseDiagram
from phasediagram.training.result import TrainingResult, grid_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_agreement(
    agreement: Agreement, ax: Axes | None = None, size: float = 9.0, color_key: bool = True
) -> Axes:
    """Draw every trained point, coloured by the share of its runs in the global minimum.

    Parameters
    ----------
    agreement : Agreement
    ax : matplotlib.axes.Axes, optional
        Where to draw, for instance on top of `plot_phases`; new axes by default.
    size : float
        Area of the markers, in square points.
    color_key : bool
        Whether to say beside the axes what the shades mean.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_agreement
    >>> runs = phd.train([[0.6], [0.2]], [0.5, 1.0], seeds=3, steps=500, optimizer="exact")
    >>> diagram = phd.phase_diagram([0.6, 0.2], [0.5, 1.0])
    >>> with paper_figure() as figure:
    ...     ax = plot_agreement(phd.compare(diagram, runs), figure.add_subplot())
    >>> len(ax.collections[0].get_offsets())
    4
    """
    if ax is None:
        ax = new_axes()
        label_axes(ax, axes_of(agreement))
    share = (agreement.outcome == "global").mean(axis=-1)
    best = agreement.best_seed_agrees
    limits = ax.get_xlim(), ax.get_ylim()
    drawn = ax.scatter(
        agreement.relative_importance,
        agreement.density,
        c=share,
        cmap="Greys_r",
        vmin=0,
        vmax=1,
        s=size,
        marker="o",
        linewidths=np.where(best, 0.3, 1.0).ravel().tolist(),
        edgecolors=np.where(best, "#444444", "#d00000").ravel().tolist(),
        zorder=3,
    )
    if limits != ((0.0, 1.0), (0.0, 1.0)):
        ax.set_xlim(limits[0])
        ax.set_ylim(limits[1])
    if color_key:
        bar = ax.figure.colorbar(drawn, cax=ax.inset_axes((1.03, 0.0, 0.03, 1.0)))
        bar.set_label("share of runs in the global minimum", fontsize="small")
    return ax


def plot_empirical(
    training: TrainingResult,
    diagram: PhaseDiagram | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the literature's empirical picture: norm and superposition, averaged over seeds.

    Parameters
    ----------
    training : TrainingResult
        On a grid: that of `diagram`, if there is one.
    diagram : PhaseDiagram, optional
        Whose axes to draw on; by default those of the runs.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the runs are on no grid.

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_empirical
    >>> runs = phd.train([[0.6], [0.2]], [0.5, 1.0], seeds=3, steps=500, optimizer="exact")
    >>> diagram = phd.phase_diagram([0.6, 0.2], [0.5, 1.0])
    >>> with paper_figure() as figure:
    ...     ax = plot_empirical(runs, diagram, figure.add_subplot())
    >>> ax.get_xlabel()
    'Relative feature importance $r$'
    """
    axes = grid_axes(training.density, training.relative_importance)
    if axes is None:
        shape = training.density.shape
        raise ValueError(f"training must be on a grid to be drawn, got points of shape {shape}")
    if diagram is not None:
        axes = diagram.density, diagram.relative_importance
    ax = ax or new_axes()
    paint(ax, *axes, superposition_color(*mean_norm_and_superposition(training)))
    return ax


def draw_training(
    training: TrainingResult,
    agreement: Agreement,
    diagram: PhaseDiagram,
    boundaries: PhaseBoundaries | None = None,
) -> Figure:
    """Return a figure of trained points over theory, and of the picture that training draws.

    Parameters
    ----------
    training : TrainingResult
        On the grid of `diagram`.
    agreement : Agreement
        Of the two.
    diagram : PhaseDiagram
    boundaries : PhaseBoundaries, optional
        Drawn on top of both.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import draw_training
    >>> runs = phd.train([[0.6], [0.2]], [0.5, 1.0], seeds=3, steps=500, optimizer="exact")
    >>> diagram = phd.phase_diagram([0.6, 0.2], [0.5, 1.0])
    >>> figure = draw_training(runs, phd.compare(diagram, runs), diagram)
    >>> figure.axes[0].get_title()
    '2 features in 1 hidden: trained models over theory'
    """
    figure = Figure(figsize=(11.0, 5.4))
    left = figure.add_axes((0.06, 0.31, 0.34, 0.62))
    right = figure.add_axes((0.54, 0.31, 0.34, 0.62))
    plot_phases(diagram, left, legend_columns=2, show_weights=False)
    plot_empirical(training, diagram, right)
    if boundaries is not None:
        plot_boundaries(boundaries, left, legend=None)
        plot_boundaries(boundaries, right, legend=None)
        add_line_legend(figure, boundaries, (0.885, 0.42))
    plot_agreement(agreement, left)
    plot_color_key(figure.add_axes((0.915, 0.5, 0.08, 0.16)))
    sizes = f"{training.n_features} features in {training.n_hidden} hidden"
    left.set_title(f"{sizes}: trained models over theory", fontsize="medium")
    right.set_title("What training finds, averaged over seeds", fontsize="medium")
    return figure
