"""Which phase has the lowest loss: polygons between traced boundaries, or the cells of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from phasediagram.plotting.elements.areas import (
    Area,
    areas_of_candidates,
    areas_of_grid,
    areas_of_regions,
    hidden_phases,
)
from phasediagram.plotting.elements.canvas import axes_of, frame, frame_of, new_axes, paint
from phasediagram.plotting.elements.fields import blend, fill, note, phase_handles
from phasediagram.plotting.elements.legends import add_below
from phasediagram.plotting.elements.naming import RegionNames
from phasediagram.plotting.elements.styles import DARK, catalogue_order, phase_colors
from phasediagram.plotting.lines import Spinodals, draw_lines, line_handles, require_spinodals
from phasediagram.regions.dividing import phase_regions
from phasediagram.regions.result import PhaseRegions
from phasediagram.results import PhaseBoundaries, PhaseDiagram

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
Legend = Literal["meanings", "names"] | None
Range = tuple[float, float]


@dataclass(frozen=True)
class Drawn:
    """What explains what was drawn: colours, lines and markers, and in words."""

    colors: list[Artist]
    lines: list[Artist]
    notes: list[Artist]
    handlers: dict[Any, Any]

    @property
    def handles(self) -> list[Artist]:
        """All of it."""
        return [*self.colors, *self.lines, *self.notes]


def merged(drawn: Sequence[Drawn]) -> Drawn:
    """Return what explains several pictures, each thing once."""
    colors: dict[str, Artist] = {}
    lines: dict[str, Artist] = {}
    notes: dict[str, Artist] = {}
    for one in drawn:
        for kept, handles in ((colors, one.colors), (lines, one.lines), (notes, one.notes)):
            for handle in handles:
                kept.setdefault(str(handle.get_label()), handle)
    in_order = [colors[name] for name in catalogue_order(colors)]
    handlers = {handle: handler for one in drawn for handle, handler in one.handlers.items()}
    return Drawn(in_order, list(lines.values()), list(notes.values()), handlers)


def plot_phases(
    diagram: PhaseDiagram,
    ax: Axes | None = None,
    legend_columns: int = 1,
    show_weights: bool = True,
    legend: Legend = "meanings",
    label_size: float | str | None = "small",
    *,
    boundaries: PhaseBoundaries | PhaseRegions | None = None,
    spinodals: Spinodals = False,
) -> Axes:
    """Draw which phase has the lowest loss, with a legend.

    Parameters
    ----------
    diagram : PhaseDiagram
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    legend_columns : int
        Columns of the legend, which is below the axes.
    show_weights : bool
        Whether to draw the features' directions in each large labelled region.
    legend : {"meanings", "names"} or None
        Whether the legend explains the phases, which takes five inches; only names them; or
        is left out.
    label_size : float, str or None
        Size of the names in the regions, as matplotlib takes it; None for no names.
    boundaries : PhaseBoundaries or PhaseRegions, optional
        Of the same model, traced in the diagram's window or a larger one.  If they close, the
        regions are the polygons between them; else they are the grid's, as without them, and the
        legend says so.  They are drawn on top, with their special points.
    spinodals : bool or "all"
        Whether to draw spinodals too, of phases that are the lowest somewhere or of all.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If `spinodals` is something else.

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_phases
    >>> diagram = phd.phase_diagram(weights="canonical")
    >>> with paper_figure() as figure:
    ...     ax = plot_phases(diagram, figure.add_subplot(), legend="names")
    >>> [text.get_text() for text in ax.get_legend().get_texts()][:3]
    ['ignored', 'dedicated', 'antipodal']
    """
    require_spinodals(spinodals)
    ax = ax or new_axes()
    regions = regions_for(diagram, boundaries)
    drawn = draw_phases(
        ax,
        diagram,
        regions,
        spinodals,
        label_size=label_size,
        show_weights=show_weights,
        explain=legend == "meanings",
    )
    if legend is not None:
        add_below(ax, drawn.handles, drawn.handlers, legend_columns, bool(drawn.handlers))
    return ax


def plot_regions(
    regions: PhaseRegions,
    ax: Axes | None = None,
    legend_columns: int = 1,
    show_weights: bool = True,
    legend: Legend = "meanings",
    label_size: float | str | None = "small",
    *,
    spinodals: Spinodals = False,
    density: Range | None = None,
    relative_importance: Range | None = None,
) -> Axes:
    """Draw the regions of phases as polygons, with their boundaries and special points.

    Parameters
    ----------
    regions : PhaseRegions
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    legend_columns, show_weights, legend, label_size : optional
        As of `plot_phases`.
    spinodals : bool or "all"
        Whether to draw spinodals too, of phases that are the lowest somewhere or of all.
    density, relative_importance : pair of float, optional
        What part to show (on other axes, of `y` and of `x`); all by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the regions do not close, or `spinodals` is something else.

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_regions
    >>> regions = phd.phase_regions(phd.phase_boundaries(2, spinodals=False))
    >>> with paper_figure() as figure:
    ...     ax = plot_regions(regions, figure.add_subplot(), legend=None)
    >>> ax.get_xscale(), ax.get_yscale()
    ('log', 'log')
    """
    require_spinodals(spinodals)
    if not regions.is_closed:
        end = regions.open_ends[0]
        raise ValueError(
            f"regions must be closed to be drawn, got {len(regions.open_ends)} open ends, the "
            f"first at {end.density:g}, {end.relative_importance:g}"
        )
    ax = ax or new_axes()
    window = density or regions.density, relative_importance or regions.relative_importance
    frame(ax, *window, axes_of(regions.boundaries))
    drawn = draw_regions(
        ax,
        regions,
        spinodals,
        label_size=label_size,
        show_weights=show_weights,
        explain=legend == "meanings",
    )
    if legend is not None:
        add_below(ax, drawn.handles, drawn.handlers, legend_columns, bool(drawn.handlers))
    return ax


def regions_for(
    diagram: PhaseDiagram, boundaries: PhaseBoundaries | PhaseRegions | None
) -> PhaseRegions | None:
    """Return the regions that fill a diagram's window, closed or not."""
    if not isinstance(boundaries, PhaseBoundaries):
        return boundaries
    if boundaries.x is not None:
        return phase_regions(boundaries)
    rows, columns = frame_of(diagram)
    return phase_regions(boundaries, density=rows, relative_importance=columns)


def draw_phases(
    ax: Axes,
    diagram: PhaseDiagram,
    regions: PhaseRegions | None = None,
    spinodals: Spinodals = False,
    **options: Any,
) -> Drawn:
    """Draw polygons if they are closed, else those between candidates or the cells of the grid.

    Options are those of `draw_regions`.
    """
    axes = axes_of(diagram)
    frame(ax, *frame_of(diagram), axes)
    if regions is not None and regions.is_closed:
        return draw_regions(ax, regions, spinodals, **options)
    named = phase_colors(diagram.candidates)
    colors = np.array([to_rgb(named[name]) for name in diagram.candidates])
    paint(ax, diagram.density, diagram.relative_importance, colors[diagram.lowest], axes)
    areas = areas_of_candidates(ax, diagram)
    if areas:
        fill(ax, areas, edge=DARK)
    else:
        areas = areas_of_grid(ax, diagram)
    note_of_grid = note(_grid_note(diagram, regions))
    boundaries = None if regions is None else regions.boundaries
    return _finished(ax, areas, boundaries, None, spinodals, [note_of_grid], **options)


def draw_regions(
    ax: Axes,
    regions: PhaseRegions,
    spinodals: Spinodals = False,
    **options: Any,
) -> Drawn:
    """Draw polygons into axes that have their limits.

    Options are `label_size`, "small" by default; `show_weights`, True; `explain`, True: whether
    legends explain phases; `markers`, True: whether to draw special points; and `elsewhere`: a box
    that is magnified elsewhere.
    """
    areas = areas_of_regions(ax, regions)
    fill(ax, areas)
    blend(ax, areas, regions)
    notes = [note("colours blend: no transition")] if regions.crossovers else []
    return _finished(ax, areas, regions.boundaries, regions.curves, spinodals, notes, **options)


def _finished(
    ax: Axes,
    areas: Sequence[Area],
    boundaries: PhaseBoundaries | None,
    curves: Sequence[Array] | None,
    spinodals: Spinodals,
    notes: list[Artist],
    label_size: float | str | None = "small",
    show_weights: bool = True,
    explain: bool = True,
    markers: bool = True,
    elsewhere: Sequence[float] | None = None,
) -> Drawn:
    """Add lines and labels, and return what explains everything."""
    lines: list[Artist] = []
    if boundaries is not None:
        limits = ax.get_xlim(), ax.get_ylim()
        draw_lines(ax, boundaries, spinodals, curves, markers)
        ax.set_xlim(limits[0])
        ax.set_ylim(limits[1])
        lines = line_handles(boundaries, spinodals, ax, markers)
    show_weights = show_weights and areas[0].W.shape[0] <= 2
    if label_size is not None:
        RegionNames(ax, areas, label_size, show_weights, elsewhere)
    of_phases, handlers = phase_handles(areas, explain, show_weights)
    hidden = hidden_phases(areas)
    if hidden:
        notes = [note(f"too thin to be seen: {', '.join(hidden)}"), *notes]
    return Drawn(of_phases, lines, notes, handlers)


def _grid_note(diagram: PhaseDiagram, regions: PhaseRegions | None) -> str:
    rows, columns = diagram.lowest.shape
    if regions is None and diagram.weights != "free":
        return f"{diagram.weights} weights: contours on a grid of {rows} × {columns} points"
    why = "not traced" if regions is None else "do not close"
    return f"regions of a grid of {rows} × {columns} points: boundaries {why}"
