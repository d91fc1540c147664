"""Figures, in matplotlib.

Functions called ``plot_...`` draw into axes: they take ``ax=None`` and return the axes.  Those
called ``draw_...`` return a whole figure.  No setting of matplotlib is changed for good.
"""

from phasediagram.plotting.certified import plot_certified
from phasediagram.plotting.demonstration import draw_demonstration
from phasediagram.plotting.elements.pictures import plot_weights
from phasediagram.plotting.elements.styles import PHASE_STYLES, PhaseStyle, phase_style
from phasediagram.plotting.figures import draw_comparison, draw_figure, plot_excess
from phasediagram.plotting.groups.geometry import plot_geometry, plot_norm_per_dimension
from phasediagram.plotting.groups.plateaus import plot_plateaus
from phasediagram.plotting.lines import plot_boundaries
from phasediagram.plotting.losses import plot_losses
from phasediagram.plotting.paper import (
    COLUMN_WIDTH,
    FIGURE_FORMATS,
    PAGE_WIDTH,
    paper_figure,
    save_figure,
)
from phasediagram.plotting.phases import plot_phases, plot_regions
from phasediagram.plotting.superposition import (
    plot_color_key,
    plot_superposition,
    superposition_color,
)
from phasediagram.plotting.training import draw_training, plot_agreement, plot_empirical

__all__ = [
    "COLUMN_WIDTH",
    "FIGURE_FORMATS",
    "PAGE_WIDTH",
    "PHASE_STYLES",
    "PhaseStyle",
    "draw_comparison",
    "draw_demonstration",
    "draw_figure",
    "draw_training",
    "paper_figure",
    "phase_style",
    "plot_agreement",
    "plot_boundaries",
    "plot_certified",
    "plot_color_key",
    "plot_empirical",
    "plot_excess",
    "plot_geometry",
    "plot_losses",
    "plot_norm_per_dimension",
    "plot_phases",
    "plot_plateaus",
    "plot_regions",
    "plot_superposition",
    "plot_weights",
    "save_figure",
    "superposition_color",
]
