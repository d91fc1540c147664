"""Phase diagrams of superposition in toy models, from exact losses."""

from phasediagram._version import __version__
from phasediagram.configurations import Configuration, ConfigurationMinimum, configurations
from phasediagram.diagram import phase_diagram, solve
from phasediagram.loss import (
    expected_loss,
    expected_loss_and_gradient,
    expected_loss_hessian,
)
from phasediagram.results import Minimum, PhaseDiagram, Solution
from phasediagram.training import train
from phasediagram.training_result import TrainingHistory, TrainingResult

__all__ = [
    "Configuration",
    "ConfigurationMinimum",
    "Minimum",
    "PhaseDiagram",
    "Solution",
    "TrainingHistory",
    "TrainingResult",
    "__version__",
    "configurations",
    "expected_loss",
    "expected_loss_and_gradient",
    "expected_loss_hessian",
    "phase_diagram",
    "solve",
    "train",
]
