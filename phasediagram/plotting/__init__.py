"""Figures, in matplotlib.  Functions that draw into axes take ``ax=None`` and return the axes."""

from phasediagram.plotting.figures import (
    FIGURE_FORMATS,
    draw_comparison,
    draw_figure,
    save_figure,
)
from phasediagram.plotting.lines import plot_boundaries, plot_losses
from phasediagram.plotting.phases import (
    PHASE_STYLES,
    PhaseStyle,
    draw_weights,
    phase_style,
    plot_phases,
    plot_superposition,
    superposition_color,
)
from phasediagram.plotting.training import draw_training, plot_agreement, plot_empirical

__all__ = [
    "FIGURE_FORMATS",
    "PHASE_STYLES",
    "PhaseStyle",
    "draw_comparison",
    "draw_figure",
    "draw_training",
    "draw_weights",
    "phase_style",
    "plot_agreement",
    "plot_boundaries",
    "plot_empirical",
    "plot_losses",
    "plot_phases",
    "plot_superposition",
    "save_figure",
    "superposition_color",
]
