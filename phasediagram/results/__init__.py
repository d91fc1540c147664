"""What is found at a point, over a grid and along lines: data, without files and figures."""

from phasediagram.results.curves import Boundary, PhaseBoundaries, SpecialPoint, Unresolved
from phasediagram.results.grids import PhaseDiagram
from phasediagram.results.lines import BranchLosses, LossSection, SectionTransition
from phasediagram.results.points import Interference, Minimum, Solution
from phasediagram.results.tolerances import GRADIENT_TOLERANCE, POSITION_TOLERANCE

__all__ = [
    "GRADIENT_TOLERANCE",
    "POSITION_TOLERANCE",
    "Boundary",
    "BranchLosses",
    "Interference",
    "LossSection",
    "Minimum",
    "PhaseBoundaries",
    "PhaseDiagram",
    "SectionTransition",
    "Solution",
    "SpecialPoint",
    "Unresolved",
]
