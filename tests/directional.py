"""Second and third directional derivatives at kinks, by Newton's method on the exact loss.

Independent of the tracing and of the derivations, on the public losses alone: along t d, t > 0,
the loss is ``L + t^2 S(d) + t^3 K(d) + ...``, and S is minimised over all directions d in which one
variable changes by a given amount.  A state x is W row by row, then b, of n features in n - 1
dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import phasediagram as phd

Array = NDArray[np.float64]

_CLOSE = 2e-5  # distances along a direction at which it is optimised
_VERY_CLOSE = 1e-6
_SOFT = 1e-4  # relative curvature of a rotation
_UNBOUNDED = 10.0
_ITERATIONS = 60
_CONVERGED = 1e-8
_RAY = 0.015  # length of the ray on which S and K are measured
_SHORT_RAY = 0.004  # for S alone: shorter than the distance to the next kink
_NODES = 10


@dataclass(frozen=True)
class Response:
    """The loss along the easiest direction of given tilt.

    Attributes
    ----------
    direction : ndarray, shape (d,)
    second, third : float
        The coefficients S and K of t^2 and t^3.
    """

    direction: Array
    second: float
    third: float


def easiest_tilt(
    n: int,
    x: Array,
    density: float,
    importance: float,
    variable: int,
    sign: int,
    held: int | None = None,
) -> Response | None:
    """Minimise S over all directions in which one variable changes by `sign`.

    Parameters
    ----------
    n : int
    x : ndarray, shape (n^2,)
        A stationary state, on its kinks.
    density, importance : float
    variable : int
        Index of the variable whose change is fixed.
    sign : {1, -1}
    held : int, optional
        Index of a variable that stays as it is, where that excludes a rotation.

    Returns
    -------
    Response or None
        None if no direction minimises S.
    """
    free, start = _free_and_start(len(x), variable, sign, held)
    found = []
    for distance in (4 * _CLOSE, 2 * _CLOSE, _CLOSE):
        at_distance = _easiest_at(n, x, density, importance, free, start, distance)
        if at_distance is None:
            return None
        found.append(at_distance)
        start = at_distance
    far, middle, close = found
    direction = (8 * close - 6 * middle + far) / 3  # the limit at the tip of the cone
    second, _ = _along_ray(n, x, density, importance, direction, _SHORT_RAY)
    _, third = _along_ray(n, x, density, importance, direction)
    return Response(direction, second, third)


def smallest_second(
    n: int,
    x: Array,
    density: float,
    importance: float,
    variable: int,
    sign: int,
    held: int | None = None,
) -> float:
    """Return S alone, which needs the direction to half the digits; -inf if it has no bound.

    Parameters are those of `easiest_tilt`.
    """
    free, start = _free_and_start(len(x), variable, sign, held)
    direction = _easiest_at(n, x, density, importance, free, start, _VERY_CLOSE)
    if direction is None:
        return -np.inf
    return _along_ray(n, x, density, importance, direction, _SHORT_RAY)[0]


def _free_and_start(
    size: int, variable: int, sign: int, held: int | None
) -> tuple[NDArray[np.intp], Array]:
    fixed = [variable] if held is None else [variable, held]
    start = np.zeros(size)
    start[variable] = sign
    return np.delete(np.arange(size), fixed), start


def _easiest_at(
    n: int,
    x: Array,
    density: float,
    importance: float,
    free: NDArray[np.intp],
    start: Array,
    distance: float,
) -> Array | None:
    """Minimise the loss over the free variables of a direction, at a distance along it."""
    direction = start.copy()
    for _ in range(_ITERATIONS):
        W, b = _parts(n, x + distance * direction)
        importances = _importances(n, importance)
        hessian = phd.expected_loss_hessian(W, b, density, importances)
        gradient = _gradient(n, x + distance * direction, density, importance)
        reduced = hessian[np.ix_(free, free)]
        inverse = np.linalg.pinv(reduced, rcond=_SOFT, hermitian=True)  # rotations are free
        step = -inverse @ gradient[free] / distance
        if not np.abs(step).max() < _UNBOUNDED:
            return None
        direction[free] += step
        if np.abs(step).max() < _CONVERGED:
            return direction
    return None


def _along_ray(
    n: int, x: Array, density: float, importance: float, direction: Array, ray: float = _RAY
) -> tuple[float, float]:
    """Fit the slope of the loss along a ray; it has no kinks but the one at its start."""
    t = ray * (1 - np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)) / 2
    gradient = _gradient(n, x + t[:, None] * direction, density, importance)
    powers = (t[:, None] / ray) ** np.arange(1, _NODES - 2)
    first, second, *_ = np.linalg.lstsq(powers, gradient @ direction, rcond=None)[0]
    return float(first / ray / 2), float(second / ray**2 / 3)


def _parts(n: int, x: Array) -> tuple[Array, Array]:
    weights = n * (n - 1)
    return x[..., :weights].reshape(*x.shape[:-1], n - 1, n), x[..., weights:]


def _importances(n: int, importance: float) -> Array:
    return np.array([1.0] * (n - 1) + [importance])


def _gradient(n: int, x: Array, density: float, importance: float) -> Array:
    _, by_W, by_b = phd.expected_loss_and_gradient(
        *_parts(n, x), density, _importances(n, importance)
    )
    return np.concatenate([by_W.reshape(*by_b.shape[:-1], -1), by_b], axis=-1)


def ignored_state(n: int, density: float) -> Array:
    """Return the state that ignores the last feature and represents the others perfectly."""
    return np.concatenate([np.eye(n - 1, n).ravel(), np.zeros(n - 1), [density / 2]])
