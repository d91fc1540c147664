"""Trained models over the theoretical diagram, and the picture that training draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from phasediagram.comparison.agreement import Agreement
from phasediagram.comparison.edges import mean_norm_and_superposition
from phasediagram.plotting.elements.canvas import axes_of, label_axes, new_axes, paint
from phasediagram.plotting.elements.layout import Page
from phasediagram.plotting.elements.styles import figure_style
from phasediagram.plotting.lines import Spinodals, plot_boundaries, require_spinodals
from phasediagram.plotting.phases import draw_phases, regions_for
from phasediagram.plotting.superposition import plot_color_key, superposition_color
from phasediagram.regions.result import PhaseRegions
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
        drawn.set_clip_on(not _are_within(limits, agreement))  # those on the frame are whole
    if color_key:
        bar = ax.figure.colorbar(drawn, cax=ax.inset_axes((1.03, 0.0, 0.03, 1.0)))
        bar.set_label("share of runs in the global minimum", fontsize="small")
    return ax


def _are_within(
    limits: tuple[tuple[float, float], tuple[float, float]], agreement: Agreement
) -> bool:
    """Whether all points are within the axes, those on the frame to rounding."""
    values = agreement.relative_importance, agreement.density
    return all(
        bool((points >= low * (1 - 1e-9)).all() and (points <= high * (1 + 1e-9)).all())
        for (low, high), points in zip(limits, values, strict=True)
    )


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
    boundaries: PhaseBoundaries | PhaseRegions | None = None,
    *,
    spinodals: Spinodals = False,
) -> Figure:
    """Return a figure of trained points over theory, and of the picture that training draws.

    Parameters
    ----------
    training : TrainingResult
        On the grid of `diagram`.
    agreement : Agreement
        Of the two.
    diagram : PhaseDiagram
    boundaries : PhaseBoundaries or PhaseRegions, optional
        Drawn on top of both; the regions of theory are the polygons between them, if they close.
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
    >>> from phasediagram.plotting import draw_training
    >>> runs = phd.train([[0.6], [0.2]], [0.5, 1.0], seeds=3, steps=500, optimizer="exact")
    >>> diagram = phd.phase_diagram([0.6, 0.2], [0.5, 1.0])
    >>> figure = draw_training(runs, phd.compare(diagram, runs), diagram)
    >>> figure.axes[0].get_title()
    'n = 2, m = 1: trained models over theory'
    """
    require_spinodals(spinodals)
    regions = regions_for(diagram, boundaries)
    with figure_style():
        page = Page(1, 2, gap=1.05)
        left, right = page.panel(0, 0), page.panel(0, 1)
        drawn = draw_phases(left, diagram, regions, spinodals, label_size=None, explain=False)
        plot_agreement(agreement, left)
        plot_empirical(training, diagram, right)
        if regions is not None:
            plot_boundaries(regions.boundaries, right, spinodals=spinodals, legend=False)
        plot_color_key(page.axes(6.0, page.below + 0.05, 0.75, 0.75))
        sizes = f"n = {training.n_features}, m = {training.n_hidden}"
        left.set_title(f"{sizes}: trained models over theory")
        right.set_title("What training finds, averaged over seeds")
        right.set_ylabel("")
        handles = [*drawn.colors, *drawn.lines]
        end = page.explain(0.1, page.below, handles, drawn.handlers, 3)
        end = page.explain(0.1, end, drawn.notes)
        return page.end(max(end + 0.06, page.below + 1.1))
