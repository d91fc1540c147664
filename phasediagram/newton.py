"""Where the old solver finds the catalogue's Newton method; goes with it."""

from phasediagram.catalogue.newton import (
    GRADIENT_TOLERANCE,
    NewtonResult,
    density_tolerance,
    minimize_batch,
)

__all__ = ["GRADIENT_TOLERANCE", "NewtonResult", "density_tolerance", "minimize_batch"]
