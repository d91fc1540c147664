"""Phase diagrams of superposition in toy models, from exact losses."""

from phasediagram._version import __version__
from phasediagram.boundaries import phase_boundaries
from phasediagram.catalogue.configurations import (
    Configuration,
    ConfigurationMinimum,
    configurations,
)
from phasediagram.comparison.agreement import Agreement, Basin, basin_probabilities, compare
from phasediagram.comparison.edges import EdgeDistances, edge_distances
from phasediagram.comparison.own_networks import classify, compare_weights
from phasediagram.diagram import phase_diagram, solve
from phasediagram.files import load, save, to_xarray
from phasediagram.loss import (
    expected_loss,
    expected_loss_and_gradient,
    expected_loss_hessian,
)
from phasediagram.results import (
    Boundary,
    Minimum,
    PhaseBoundaries,
    PhaseDiagram,
    Solution,
    SpecialPoint,
)
from phasediagram.sections import BranchLosses, LossSection, loss_section
from phasediagram.training.descent import train
from phasediagram.training.result import TrainingHistory, TrainingResult

__all__ = [
    "Agreement",
    "Basin",
    "Boundary",
    "BranchLosses",
    "Configuration",
    "ConfigurationMinimum",
    "EdgeDistances",
    "LossSection",
    "Minimum",
    "PhaseBoundaries",
    "PhaseDiagram",
    "Solution",
    "SpecialPoint",
    "TrainingHistory",
    "TrainingResult",
    "__version__",
    "basin_probabilities",
    "classify",
    "compare",
    "compare_weights",
    "configurations",
    "edge_distances",
    "expected_loss",
    "expected_loss_and_gradient",
    "expected_loss_hessian",
    "load",
    "loss_section",
    "phase_boundaries",
    "phase_diagram",
    "save",
    "solve",
    "to_xarray",
    "train",
]
