"""Stationary states that are followed over the plane of density and relative importance.

A branch is a minimum that moves continuously as density and relative importance change.
Positions in the plane are (u, v) = (log density, log relative importance).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from phasediagram.free_minimization import FreeLoss, minimize_free
from phasediagram.newton import density_tolerance

Array = NDArray[np.float64]

_DENSITY_STEP = 1e-4  # for derivatives by density, which only steer Newton's method
_SAME_STATE = 1e-5
_PUSH, _PUSHES = 1e-3, 24


@dataclass(frozen=True)
class Derivatives:
    """The loss of k states and its derivatives; u = log density, v = log importance.

    Attributes
    ----------
    loss, by_u, by_v : ndarray, shape (k,)
    gradient, gradient_by_u, gradient_by_v : ndarray, shape (k, d)
    hessian : ndarray, shape (k, d, d)
        With rotations of the hidden space, along which nothing changes, made stiff.
    """

    loss: Array
    by_u: Array
    by_v: Array
    gradient: Array
    gradient_by_u: Array
    gradient_by_v: Array
    hessian: Array


class Model:
    """n features in m hidden dimensions; a state is x = (W.ravel(), b)."""

    def __init__(self, n: int, m: int) -> None:
        self.n, self.m = n, m
        self.variables = m * n + n

    def weights(self, x: Array) -> Array:
        """Return W, shape (..., m, n)."""
        return x[..., : self.m * self.n].reshape(*x.shape[:-1], self.m, self.n)

    def gram(self, x: Array) -> Array:
        """Return W^T W, shape (..., n, n)."""
        W = self.weights(x)
        return np.asarray(np.swapaxes(W, -1, -2) @ W)

    def has_dead_output(self, x: Array) -> NDArray[np.bool_]:
        """Whether an output never switches on, shape (...): flat, and never competitive."""
        highest = x[..., -self.n :] + np.maximum(self.gram(x), 0).sum(axis=-1)
        return np.asarray((highest <= 0).any(axis=-1))

    def derivatives(self, x: Array, u: Array | float, v: Array | float) -> Derivatives:
        """Return the loss and all that continuation needs, of states x (k, d) at (u, v)."""
        k = len(x)
        density = np.minimum(np.exp(np.broadcast_to(u, k)), 1.0)
        importance = np.exp(np.broadcast_to(v, k))
        h = _DENSITY_STEP
        densities = np.concatenate([density, density, density * (1 - h), density * (1 - 2 * h)])
        importances = np.concatenate([importance, 2 * importance, importance, importance])
        objective = FreeLoss(self.n, self.m, densities, importances)
        loss, gradient, hessian = objective(np.tile(x, (4, 1)), np.arange(4 * k))
        loss, gradient = loss.reshape(4, k), gradient.reshape(4, k, -1)
        turned = self.rotations(x)
        return Derivatives(
            loss[0],
            _backward(loss, h),
            loss[1] - loss[0],  # linear in the importance
            gradient[0],
            _backward(gradient, h),
            gradient[1] - gradient[0],
            hessian[:k] + np.einsum("kri,krj->kij", turned, turned),
        )

    def loss(self, x: Array, u: Array, v: Array) -> Array:
        """Return the loss of states x (k, d) at (u, v)."""
        objective = FreeLoss(self.n, self.m, np.minimum(np.exp(u), 1.0), np.exp(v))
        return objective.value(x, np.arange(len(x)))

    def rotations(self, x: Array) -> Array:
        """Return the directions in which the hidden space turns, shape (k, m (m-1) / 2, d)."""
        W = self.weights(x)
        turned = []
        for i in range(self.m):
            for j in range(i):
                direction = np.zeros_like(W)
                direction[:, i], direction[:, j] = W[:, j], -W[:, i]
                turned.append(np.pad(direction.reshape(len(x), -1), ((0, 0), (0, self.n))))
        if not turned:
            return np.zeros((len(x), 0, self.variables))
        stacked = np.stack(turned, axis=1)
        return np.asarray(stacked / np.linalg.norm(stacked, axis=2, keepdims=True))

    def minimize(self, x: Array, u: Array, v: Array) -> tuple[Array, Array]:
        """Return the minima, (k, d), that starts x (k, d) lead to at (u, v), and their losses."""
        density = np.minimum(np.exp(u), 1.0)
        ends = minimize_free(self.n, self.m, density, np.exp(v), x[:, None])
        return ends.x[:, 0], ends.loss[:, 0]

    def descend(self, x: Array, u: Array, v: Array) -> tuple[Array, Array]:
        """Return minima, and losses, as `minimize` does, but leave saddles.

        Near a kink most directions lead back to a saddle, so that many are tried.
        """
        rng = np.random.default_rng(0)
        pushed = x[:, None] + _PUSH * rng.normal(size=(len(x), _PUSHES, x.shape[1]))
        return self.lowest(np.concatenate([x[:, None], pushed], axis=1), u, v)

    def lowest(self, starts: Array, u: Array, v: Array) -> tuple[Array, Array]:
        """Return the lowest of the minima that starts (k, s, d) lead to, and its loss."""
        density = np.minimum(np.exp(u), 1.0)
        return minimize_free(self.n, self.m, density, np.exp(v), starts).lowest()

    def orders(self) -> tuple[list[int], ...]:
        """Return the orders of the features that keep the extra one last."""
        return _orders(self.n)

    def distance(self, x: Array, other: Array) -> float:
        """Return the largest difference of W^T W and b, up to the order of equal features."""
        gram, b = self.gram(x), x[-self.n :]
        other_gram, other_b = self.gram(other), other[-self.n :]
        distances = (
            max(np.abs(gram[np.ix_(o, o)] - other_gram).max(), np.abs(b[o] - other_b).max())
            for o in _orders(self.n)
        )
        return float(min(distances))

    def same(self, x: Array, other: Array) -> bool:
        """Whether two states are one, up to rotations and the order of equal features."""
        return self.distance(x, other) < _SAME_STATE


@lru_cache
def _orders(n: int) -> tuple[list[int], ...]:
    """Return the orders of the features that keep the extra one last."""
    return tuple([*order, n - 1] for order in permutations(range(n - 1)))


def _backward(values: Array, h: float) -> Array:
    """Differentiate by log density from the values at p, (p), p (1 - h) and p (1 - 2h)."""
    return np.asarray((3 * values[0] - 4 * values[2] + values[3]) / (2 * h))


def gradient_tolerance(u: Array | float) -> Array:
    """Return the gradient norm to converge to at log density u."""
    return density_tolerance(np.exp(np.asarray(u)))
