"""To what results are converged."""

GRADIENT_TOLERANCE = 1e-13  # norm of the gradient at which a minimum is reached
POSITION_TOLERANCE = 1e-10  # of points on boundaries, and special points
