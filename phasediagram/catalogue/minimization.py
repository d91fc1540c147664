"""The global minimum of a block's loss over its scales, angle and biases.

A block's loss has at most a few local minima: the symmetric simplex, one with the
extra feature small, one with the other features small, and their limits in which a
feature is ignored.  Newton's method starts from one point in each of these basins
(`_STARTS`), on all points at once, and the lowest end wins.  That these starts
suffice is not assumed but checked: the tests compare with random starts, with an
exhaustive scan and with scipy's global optimisers on the closed forms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from phasediagram.catalogue.blocks import BlockLoss, BlockParameters, canonical_angle
from phasediagram.catalogue.newton import NewtonResult, density_tolerance, minimize_batch

Array = NDArray[np.float64]

_SCALE_BOUND = 5.0  # a norm of 5 costs far more than ignoring the feature
_BIAS_BOUND = 5.0
_ANGLE_BOUND = np.pi / 2
_POINTS_TIMES_FACES = 2**17  # keeps the working arrays of one batch in the cache

# scale_other, scale_extra, bias_other, bias_extra; the angle starts at the simplex's
_STARTS = (
    (1.0, 1.0, 0.05, 0.05),
    (1.0, 0.35, 0.1, 0.4),
    (0.35, 1.0, 0.4, 0.1),
)


@dataclass(frozen=True)
class BlockMinimum:
    """The lowest minimum of a block at many points.

    Attributes
    ----------
    loss : ndarray, shape (points,)
    parameters : BlockParameters
        Arrays of shape (points,).
    gradient_norm : ndarray, shape (points,)
        Of the loss with respect to the free parameters.
    """

    loss: Array
    parameters: BlockParameters
    gradient_norm: Array


def minimize_block(k: int, density: Array, relative_importance: Array) -> BlockMinimum:
    """Return the global minimum over the parameters of a block of k features.

    Parameters
    ----------
    k : int
        Number of features of the block, at least 2.
    density, relative_importance : ndarray, shape (points,)

    Returns
    -------
    BlockMinimum
    """
    starts = _starting_points(k)
    points, variables = len(density), starts.shape[1]
    x = np.empty((points, variables))
    loss, gradient_norm = np.full(points, np.inf), np.empty(points)
    lower, upper = _bounds(variables)
    length = _POINTS_TIMES_FACES // 3**k
    for begin in range(0, points, length):
        block = slice(begin, begin + length)
        objective = BlockLoss(k, density[block], relative_importance[block])
        for start in starts:
            repeated = np.tile(start, (len(objective.density), 1))
            result = minimize_batch(
                objective,
                repeated,
                lower,
                upper,
                gradient_tolerance=density_tolerance(objective.density),
            )
            result = polish_with_scipy(objective, result, lower, upper)
            lower_than_before = result.value < loss[block]
            x[block][lower_than_before] = result.x[lower_than_before]
            loss[block][lower_than_before] = result.value[lower_than_before]
            gradient_norm[block][lower_than_before] = result.gradient_norm[lower_than_before]
    return BlockMinimum(loss, BlockParameters.from_vector(x), gradient_norm)


def _starting_points(k: int) -> Array:
    angle = canonical_angle(k)
    return np.array([[a, c, *([angle] if k > 2 else []), o, e] for a, c, o, e in _STARTS])


def _bounds(variables: int) -> tuple[Array, Array]:
    angles = variables - 4
    lower = [0.0, 0.0, *[0.0] * angles, -_BIAS_BOUND, -_BIAS_BOUND]
    upper = [_SCALE_BOUND, _SCALE_BOUND, *[_ANGLE_BOUND] * angles, _BIAS_BOUND, _BIAS_BOUND]
    return np.array(lower), np.array(upper)


def polish_with_scipy(
    objective: BlockLoss, result: NewtonResult, lower: Array, upper: Array
) -> NewtonResult:
    """Hand the problems on which Newton's method stalled, at a kink, to L-BFGS-B."""
    x, value = result.x.copy(), result.value.copy()
    gradient_norm, converged = result.gradient_norm.copy(), result.converged.copy()
    tolerance = density_tolerance(objective.density)
    for point in np.flatnonzero(~result.converged):
        index = np.array([point])

        def function(y: Array, index: NDArray[np.intp] = index) -> tuple[float, Array]:
            loss, gradient = objective.value_and_gradient(y[None], index)
            return float(loss[0]), gradient[0]

        found = minimize(
            function,
            x[point],
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(lower, upper, strict=True)),
            options={"ftol": 0.0, "gtol": float(tolerance[point])},
        )
        if found.fun < value[point]:
            x[point], value[point] = found.x, found.fun
            gradient_norm[point] = float(np.linalg.norm(found.jac))
            converged[point] = gradient_norm[point] <= tolerance[point]
    return NewtonResult(x, value, gradient_norm, converged)
