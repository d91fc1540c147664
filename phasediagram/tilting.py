"""Where a minimum with a perfectly represented feature loses stability.

A feature with a dimension of its own has the bias 0, exactly where the loss has no second
derivative: with probability (1 - p)^n all features are zero, and ReLU(b) then turns on.  Near
such a state the loss is ``L + t^2 S(d) + t^3 K(d) + ...`` along t d, for t > 0, with S of degree
two but no quadratic form.  The others *tilt* into the feature's dimension where the smallest S
over all directions d of given tilt vanishes.  By the theorem on responses of first order, the
cubic term K along that direction d already is the one after all variables have responded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.branches import Model
from phasediagram.free_minimization import FreeLoss

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
    model: Model, x: Array, u: float, v: float, variable: int, sign: int, held: int | None = None
) -> Response | None:
    """Minimise S over all directions in which one variable changes by `sign`.

    Parameters
    ----------
    model : Model
    x : ndarray, shape (d,)
        A stationary state, on its kinks.
    u, v : float
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
        at_distance = _easiest_at(model, x, u, v, free, start, distance)
        if at_distance is None:
            return None
        found.append(at_distance)
        start = at_distance
    far, middle, close = found
    direction = (8 * close - 6 * middle + far) / 3  # the limit at the tip of the cone
    second, _ = _along_ray(model, x, u, v, direction, _SHORT_RAY)
    _, third = _along_ray(model, x, u, v, direction)
    return Response(direction, second, third)


def smallest_second(
    model: Model, x: Array, u: float, v: float, variable: int, sign: int, held: int | None = None
) -> float:
    """Return S alone, which needs the direction to half the digits; -inf if it has no bound.

    Parameters are those of `easiest_tilt`.
    """
    free, start = _free_and_start(len(x), variable, sign, held)
    direction = _easiest_at(model, x, u, v, free, start, _VERY_CLOSE)
    if direction is None:
        return -np.inf
    return _along_ray(model, x, u, v, direction, _SHORT_RAY)[0]


def _free_and_start(
    size: int, variable: int, sign: int, held: int | None
) -> tuple[NDArray[np.intp], Array]:
    fixed = [variable] if held is None else [variable, held]
    start = np.zeros(size)
    start[variable] = sign
    return np.delete(np.arange(size), fixed), start


def _easiest_at(
    model: Model,
    x: Array,
    u: float,
    v: float,
    free: NDArray[np.intp],
    start: Array,
    distance: float,
) -> Array | None:
    """Minimise the loss over the free variables of a direction, at a distance along it."""
    direction = start.copy()
    density, importance = np.array([min(np.exp(u), 1.0)]), np.array([np.exp(v)])
    objective = FreeLoss(model.n, model.m, density, importance)
    here = np.zeros(1, dtype=np.intp)
    for _ in range(_ITERATIONS):
        _, gradient, hessian = objective((x + distance * direction)[None], here)
        reduced = hessian[0][np.ix_(free, free)]
        inverse = np.linalg.pinv(reduced, rcond=_SOFT, hermitian=True)  # rotations are free
        step = -inverse @ gradient[0][free] / distance
        if not np.abs(step).max() < _UNBOUNDED:
            return None
        direction[free] += step
        if np.abs(step).max() < _CONVERGED:
            return direction
    return None


def _along_ray(
    model: Model, x: Array, u: float, v: float, direction: Array, ray: float = _RAY
) -> tuple[float, float]:
    """Fit the slope of the loss along a ray; it has no kinks but the one at its start."""
    t = ray * (1 - np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)) / 2
    density, importance = np.full(_NODES, min(np.exp(u), 1.0)), np.full(_NODES, np.exp(v))
    objective = FreeLoss(model.n, model.m, density, importance)
    _, gradient, _ = objective(x + t[:, None] * direction, np.arange(_NODES))
    powers = (t[:, None] / ray) ** np.arange(1, _NODES - 2)
    first, second, *_ = np.linalg.lstsq(powers, gradient @ direction, rcond=None)[0]
    return float(first / ray / 2), float(second / ray**2 / 3)


@dataclass(frozen=True)
class PairAndSingle:
    """Three features in two dimensions: two share one, the third has the other.

    Parameters
    ----------
    extra_in_pair : bool
        Whether the extra feature belongs to the pair (antipodal) or is the single one.
    """

    extra_in_pair: bool

    def state(self, pair: Array) -> Array:
        """Embed a pair's state (W_0, W_1, b_0, b_1), shape (9,)."""
        first, second, first_bias, second_bias = pair
        if self.extra_in_pair:
            return np.array([first, 0, second, 0, 1, 0, first_bias, 0, second_bias])
        return np.array([first, second, 0, 0, 0, 1, first_bias, second_bias, 0])

    def pair(self, guess: Array, u: float, v: float) -> Array:
        """Return the pair's minimum near a guess."""
        v = v if self.extra_in_pair else 0.0
        pairs, _ = Model(2, 1).minimize(guess[None], np.array([u]), np.array([v]))
        return np.asarray(pairs[0])

    def tilt(self, pair: Array, u: float, v: float) -> Response | None:
        """Return the easiest tilt of the pair into the single feature's dimension."""
        found = [easiest_tilt(*self._arguments(pair, u, v, sign)) for sign in (1, -1)]
        responses = [response for response in found if response is not None]
        return min(responses, key=lambda response: response.second, default=None)

    def stiffness(self, pair: Array, u: float, v: float) -> float:
        """Return the smallest S, positive where the state is a minimum; -1 if unbounded."""
        found = (smallest_second(*self._arguments(pair, u, v, sign)) for sign in (1, -1))
        return max(min(found), -1.0)

    def _arguments(
        self, pair: Array, u: float, v: float, sign: int
    ) -> tuple[Model, Array, float, float, int, int, int]:
        """Tilt the pair's first feature, and hold what would be a rotation."""
        return Model(3, 2), self.state(pair), u, v, 3, sign, 1 if self.extra_in_pair else 2
