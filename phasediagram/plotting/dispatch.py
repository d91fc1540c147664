"""One function that draws any result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from phasediagram.certified.planes.diagram import CertifiedDiagram
from phasediagram.comparison.agreement import Agreement
from phasediagram.grouping.result import Geometry
from phasediagram.plotting.certified import plot_certified
from phasediagram.plotting.groups.geometry import plot_geometry
from phasediagram.plotting.lines import plot_boundaries
from phasediagram.plotting.losses import plot_losses
from phasediagram.plotting.phases import plot_phases, plot_regions
from phasediagram.plotting.superposition import plot_superposition
from phasediagram.plotting.training import plot_agreement, plot_empirical
from phasediagram.regions.result import PhaseRegions
from phasediagram.results import LossSection, PhaseBoundaries, PhaseDiagram
from phasediagram.training.result import TrainingResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Drawable = (
    PhaseDiagram
    | PhaseBoundaries
    | PhaseRegions
    | LossSection
    | TrainingResult
    | Agreement
    | CertifiedDiagram
    | Geometry
)


def plot(
    result: Drawable,
    ax: Axes | None = None,
    *,
    coloring: Literal["phase", "superposition"] = "phase",
) -> Axes:
    """Draw a result, on the paper's axes where it has them.

    These functions have more options: `phasediagram.plotting.plot_phases` and
    `phasediagram.plotting.plot_superposition` for a phase diagram,
    `phasediagram.plotting.plot_regions`, `phasediagram.plotting.plot_boundaries`,
    `phasediagram.plotting.plot_losses` for a section,
    `phasediagram.plotting.plot_empirical` for training, and
    `phasediagram.plotting.plot_agreement` for its agreement with theory.

    Parameters
    ----------
    result : PhaseDiagram, PhaseBoundaries, PhaseRegions, LossSection, TrainingResult, \
            Agreement, CertifiedDiagram or Geometry
        Training must be on a grid.
    ax : matplotlib.axes.Axes, optional
        Where to draw, for instance boundaries on top of a diagram; a new figure by default.
    coloring : {"phase", "superposition"}
        Of a phase diagram: discrete phases, or the paper's continuous colouring of the extra
        feature (norm of its direction, and how much it shares that with other features).

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If `result` is nothing that can be drawn.
    ValueError
        If `coloring` is another, or is given for what is no phase diagram; if training is on
        no grid.

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure
    >>> diagram = phd.phase_diagram(weights="canonical")
    >>> with paper_figure() as figure:
    ...     ax = phd.plot(diagram, figure.add_subplot())
    >>> ax.get_ylabel()
    'Feature density $1 - S$'
    """
    if coloring not in ("phase", "superposition"):
        raise ValueError(f"coloring must be 'phase' or 'superposition', got {coloring!r}")
    if isinstance(result, PhaseDiagram):
        return plot_phases(result, ax) if coloring == "phase" else plot_superposition(result, ax)
    if coloring != "phase":
        raise ValueError(f"coloring is for phase diagrams only, got a {type(result).__name__}")
    if isinstance(result, PhaseBoundaries):
        return plot_boundaries(result, ax)
    if isinstance(result, PhaseRegions):
        return plot_regions(result, ax)
    if isinstance(result, LossSection):
        return plot_losses(result, ax)
    if isinstance(result, TrainingResult):
        return plot_empirical(result, ax=ax)
    if isinstance(result, CertifiedDiagram):
        return plot_certified(result, ax)
    if isinstance(result, Geometry):
        return plot_geometry(result, ax)
    if isinstance(result, Agreement):
        return plot_agreement(result, ax)
    allowed = ", ".join(kind.__name__ for kind in Drawable.__args__)
    raise TypeError(f"result must be one of {allowed}, got {type(result).__name__}")
