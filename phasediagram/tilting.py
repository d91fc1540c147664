"""Where a pair of features tilts into the dimension of a third, perfectly represented one.

The third feature has the bias 0, exactly where the loss has no second derivative: with
probability (1 - p)^3 all features are zero, and ReLU(b) then turns on.  Near such a state the
loss is ``L + t^2 S(d) + t^3 K(d) + ...`` along t d, for t > 0, with S of degree two but no
quadratic form.  The pair tilts where the smallest S over all directions d vanishes.  That S has
a closed form up to a minimum over one angle and one bias (`derivations.tilt`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.branches import Model
from phasediagram.expectation import expected_squared_error
from phasediagram.free_minimization import FreeLoss

Array = NDArray[np.float64]

_ANGLES = 24
_ITERATIONS = 12
_LARGEST_STEP = 0.05
_CONVERGED = 1e-11
_COARSE = 1e-4
_SMALLEST_SHARE = 1e-3
_RAY = 0.015  # length of the ray on which K is measured
_NODES = 10


@dataclass(frozen=True)
class Tilt:
    """The easiest tilts of k pairs.

    Attributes
    ----------
    components : ndarray, shape (k, 2)
        Of both directions of the pair in the third feature's dimension, of norm 1.
    bias : ndarray, shape (k,)
        Response of the third feature's bias.
    stiffness : ndarray, shape (k,)
        S, positive where the pair does not tilt.
    """

    components: Array
    bias: Array
    stiffness: Array


@dataclass(frozen=True)
class PairAndSingle:
    """Three features in two dimensions: two share one, the third has the other.

    Parameters
    ----------
    extra_in_pair : bool
        Whether the extra feature belongs to the pair (antipodal) or is the single one.
    """

    extra_in_pair: bool

    def states(self, pairs: Array) -> Array:
        """Embed states (W_0, W_1, b_0, b_1) of pairs, (k, 4), in those of n = 3, (k, 9)."""
        states = np.zeros((len(pairs), 9))
        if self.extra_in_pair:
            states[:, [0, 2, 6, 8]] = pairs
            states[:, 4] = 1
        else:
            states[:, [0, 1, 6, 7]] = pairs
            states[:, 5] = 1
        return states

    def pairs(self, guesses: Array, u: Array, v: Array) -> Array:
        """Return the pairs' minima near guesses (k, 4)."""
        v = v if self.extra_in_pair else np.zeros_like(v)
        return Model(2, 1).minimize(guesses, u, v)[0]

    def tilt(self, pairs: Array, u: Array, v: Array, quadrant: int | None = None) -> Tilt:
        """Return the easiest tilts of stationary pairs (k, 4) at (u, v).

        With a quadrant, 0 to 3, only those whose components have its signs; NaN where none in its
        interior is the easiest of its neighbours.
        """
        return _Stiffness(pairs, u, *self._importances(v)).smallest(quadrant)

    def limits(self, pairs: Array, u: Array, quadrant: int | None = None) -> Array:
        """Return the log importance of the single feature at which each pair tilts.

        S is a minimum of functions linear in that importance, so concave, and Newton's method
        converges to its root; far below 0 where there is none.
        """
        v = np.zeros(len(pairs))
        for _ in range(_ITERATIONS):
            stiffness = _Stiffness(pairs, u, *self._importances(v))
            tilt = stiffness.smallest(quadrant)
            own = tilt.stiffness - stiffness.of_pair(tilt.components)
            share = np.divide(tilt.stiffness, own, out=np.ones_like(own), where=own > 0)
            step = np.log(np.maximum(1 - share, _SMALLEST_SHARE))
            v = v + step
            if not (np.abs(step) >= _CONVERGED).any():
                break
        return v

    def cubic(self, pair: Array, u: float, v: float, quadrant: int | None = None) -> float:
        """Return K, the coefficient of t^3 along the easiest tilt of one pair.

        It is the one after all variables have responded, by the theorem on responses of first
        order.
        """
        tilt = self.tilt(pair[None], np.array([u]), np.array([v]), quadrant)
        density = min(np.exp(u), 1.0)
        direction = self.direction(tilt.components[0], float(tilt.bias[0]), density)
        return _cubic_along_ray(self.states(pair[None])[0], direction, density, np.exp(v))

    def tilted(self, pairs: Array, u: Array, v: Array, quadrant: int, by: float) -> Array:
        """Return the state (9,) of one pair, (1, 4), tilted by a small amount."""
        tilt = self.tilt(pairs, u, v, quadrant)
        density = float(min(np.exp(u[0]), 1.0))
        direction = self.direction(tilt.components[0], float(tilt.bias[0]), density)
        return np.asarray(self.states(pairs)[0] + by * direction)

    def _importances(self, v: Array) -> tuple[Array, Array]:
        """Return those of the pair, (2, k), and of the single feature, (k,)."""
        one = np.ones_like(v)
        if self.extra_in_pair:
            return np.stack([one, np.exp(v)]), one
        return np.stack([one, one]), np.exp(v)

    def direction(self, components: Array, bias: float, density: float) -> Array:
        """Return the direction in which all variables change."""
        gain = -0.75 * (density / 2 * components.sum() + bias)
        biases = -density / 2 * components
        if self.extra_in_pair:
            return np.array(
                [0, 0, 0, components[0], gain, components[1], biases[0], bias, biases[1]]
            )
        return np.array([0, 0, 0, *components, gain, *biases, bias])


class _Stiffness:
    """S of k pairs as a function of the angle of the tilt and the third feature's bias."""

    def __init__(self, pairs: Array, u: Array, importances: Array, single: Array) -> None:
        self.density = np.minimum(np.exp(u), 1.0)
        self.variance = self.density / 3 - self.density**2 / 4
        self.single = single
        first, second, first_bias, second_bias = pairs.T
        errors = [
            expected_squared_error(
                np.stack([own**2, first * second]),
                np.zeros((2, len(pairs))),
                bias,
                np.tile(self.density, (2, 1)),
                derivatives=2,
            )
            for own, bias in ((first, first_bias), (second, second_bias))
        ]
        self.quadratic = np.zeros((2, 2, len(pairs)))
        for i, error in enumerate(errors):
            assert error.gradient is not None
            assert error.hessian is not None
            half = importances[i] * error.gradient[1] / 2
            self.quadratic[i, i] += importances[i] * error.gradient[0]
            self.quadratic[i, i] += self.variance * importances[i] * error.hessian[2, 2] / 2
            self.quadratic[[0, 1], [1, 0]] += half

    def of_pair(self, components: Array) -> Array:
        """Return the part of S that is the pair's."""
        return np.asarray(np.einsum("ikr,ri,rk->r", self.quadratic, components, components))

    def smallest(self, quadrant: int | None = None) -> Tilt:
        """Minimise over the angle and the bias: over a grid of angles, then by Newton's method."""
        k = len(self.density)
        angles = (np.arange(_ANGLES) + 0.5) * 2 * np.pi / _ANGLES
        rows = np.repeat(np.arange(k), _ANGLES)
        angle, bias = np.tile(angles, k), np.zeros(k * _ANGLES)
        for _ in range(_ITERATIONS):
            _, gradient, hessian = self._derivatives(angle, bias, rows)
            step = gradient[1] / hessian[1, 1]
            bias = np.clip(bias - step, -2.0, 2.0)
            if np.abs(step).max() < _COARSE:
                break
        value = self._derivatives(angle, bias, rows)[0].reshape(k, _ANGLES)
        if quadrant is not None:
            value[:, _quadrants(angles) != quadrant] = np.inf
        best = value.argmin(axis=1)
        angle, bias = angles[best], bias.reshape(k, _ANGLES)[np.arange(k), best]
        rows = np.arange(k)
        for _ in range(_ITERATIONS):
            value, gradient, hessian = self._derivatives(angle, bias, rows)
            moves = _newton_step(gradient, hessian)
            if np.abs(moves).max() < _CONVERGED:
                break
            angle, bias = angle + moves[0], bias + moves[1]
        if quadrant is not None:
            value = np.where(_quadrants(angle) == quadrant, value, np.nan)
        return Tilt(np.stack([np.cos(angle), np.sin(angle)], axis=1), bias, value)

    def _derivatives(
        self, angle: Array, bias: Array, rows: NDArray[np.intp]
    ) -> tuple[Array, Array, Array]:
        """Return S, its gradient (2, rows) and Hessian (2, 2, rows) by angle and bias."""
        p, variance, single = self.density[rows], self.variance[rows], self.single[rows]
        t = np.stack([np.cos(angle), np.sin(angle)])
        turned = np.stack([-t[1], t[0]])  # dt / d angle, whose derivative is -t
        error = expected_squared_error(
            np.concatenate([np.zeros((1, rows.size)), t]),
            np.zeros((3, rows.size)),
            bias,
            np.stack([np.zeros(rows.size), p, p]),  # E[(t x + bias)_+^2], x_own being 0
            derivatives=2,
        )
        assert error.gradient is not None
        assert error.hessian is not None
        mean = p / 2 * t.sum(axis=0) + bias
        mean_turned = p / 2 * turned.sum(axis=0)
        active = mean**2 / 4 + variance  # of norm 1
        value = single * (p * active + (1 - p) * error.value)
        by_t = single * (1 - p) * error.gradient[1:3]
        by_bias = single * (p * mean / 2 + (1 - p) * error.gradient[3])
        by_angle = (by_t * turned).sum(axis=0) + single * p * mean * mean_turned / 2
        second = single * (1 - p) * error.hessian[1:, 1:]
        by_angles = np.einsum("ikr,ir,kr->r", second[:2, :2], turned, turned)
        by_angles += single * p * (mean_turned**2 - mean * (mean - bias)) / 2
        by_angles -= (by_t * t).sum(axis=0)
        by_both = (second[:2, 2] * turned).sum(axis=0) + single * p * mean_turned / 2
        by_biases = second[2, 2] + single * p / 2
        quadratic = self.quadratic[:, :, rows]
        along, across, both = (
            np.einsum("ikr,ir,kr->r", quadratic, a, b)
            for a, b in ((t, t), (turned, turned), (t, turned))
        )
        gradient = np.stack([by_angle + 2 * both, by_bias])
        hessian = np.array([[by_angles + 2 * (across - along), by_both], [by_both, by_biases]])
        return value + along, gradient, hessian


def _quadrants(angle: Array) -> NDArray[np.intp]:
    """Return the quadrants, 0 to 3, in which angles lie."""
    return np.floor(angle / (np.pi / 2)).astype(np.intp) % 4


def _newton_step(gradient: Array, hessian: Array) -> Array:
    """Return bounded steps (2, rows) towards a minimum."""
    convex = hessian[0, 0] * hessian[1, 1] > hessian[0, 1] ** 2
    matrix = np.moveaxis(np.where(convex, hessian, np.abs(hessian) * np.eye(2)[:, :, None]), -1, 0)
    step = -np.linalg.solve(matrix, gradient.T[:, :, None])[:, :, 0].T
    return np.asarray(np.clip(step, -_LARGEST_STEP, _LARGEST_STEP))


def _cubic_along_ray(x: Array, direction: Array, density: float, importance: float) -> float:
    """Fit the slope of the loss along a ray; it has no kinks but the one at its start."""
    t = _RAY * (1 - np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)) / 2
    objective = FreeLoss(3, 2, np.full(_NODES, density), np.full(_NODES, importance))
    gradient = objective.gradient(x + t[:, None] * direction, np.arange(_NODES))
    powers = (t[:, None] / _RAY) ** np.arange(1, _NODES - 2)
    _, second, *_ = np.linalg.lstsq(powers, gradient @ direction, rcond=None)[0]
    return float(second / _RAY**2 / 3)
