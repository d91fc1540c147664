"""Minima of the loss with W and b unrestricted, at many points at once.

Newton's method runs from many starts: the catalogue's canonical weights with their
symmetry broken, and random weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from phasediagram.allocation import keep_freed_memory
from phasediagram.catalogue.configurations import configurations
from phasediagram.kernel.loss import expected_loss, expected_loss_and_gradient, loss_derivatives
from phasediagram.newton import density_tolerance, minimize_batch

Array = NDArray[np.float64]
Progress = Callable[[float], None]

_BOUND = 10.0  # norms and biases beyond it cost far more than ignoring every feature
_SYMMETRY_BREAKING = 0.1
_SHORT_NORMS = (0.2, 0.5, 0.8)
_SHORT_BREAKING = 0.02
# (norm, norm, bias, bias) of two aligned features, from sparse to dense: both biases well below
# zero; then only that of the longer one, several times, since only every other start leads there
_STRONG = ((0.95, 1.22, -0.92, -0.56), (0.77, 1.2, -0.7, -0.48), (0.48, 1.15, -0.4, -0.32))
_WEAK = ((0.42, 1.0, 0.05, -0.15), (0.38, 0.95, 0.16, -0.12))
_ALIGNED_PAIRS = (*_STRONG, *(4 * _WEAK))
_RANDOM_WEIGHT = 0.7
_BIAS_RANGE = (-0.3, 0.6)
_RUNS_TIMES_FACES = 2**17  # keeps the working arrays of one batch in the cache


@dataclass(frozen=True)
class FreeEnds:
    """Where Newton's method ended; x is W.ravel() followed by b.

    Attributes
    ----------
    x : ndarray, shape (points, starts, m * n + n)
    loss, gradient_norm : ndarray, shape (points, starts)
    """

    x: Array
    loss: Array
    gradient_norm: Array

    def lowest(self) -> tuple[Array, Array]:
        """Return x (points, m * n + n) and loss (points,) of the lowest end of each point."""
        best = self.loss.argmin(axis=1)
        row = np.arange(len(best))
        return self.x[row, best], self.loss[row, best]


class FreeLoss:
    """The loss at many points as a function of x = (W.ravel(), b): a Newton objective."""

    def __init__(self, n: int, m: int, density: Array, relative_importance: Array) -> None:
        self.n, self.m = n, m
        self.density = density[:, None]
        self.importance = np.ones((len(density), n))
        self.importance[:, -1] = relative_importance

    def unpack(self, x: Array) -> tuple[Array, Array]:
        """Return W (..., m, n) and b (..., n)."""
        split = self.m * self.n
        return x[..., :split].reshape(*x.shape[:-1], self.m, self.n), x[..., split:]

    def value(self, x: Array, points: NDArray[np.intp]) -> Array:
        """Return the loss of the given points."""
        return expected_loss(*self.unpack(x), self.density[points], self.importance[points])

    def gradient(self, x: Array, points: NDArray[np.intp]) -> Array:
        """Return the gradient of the given points, shape (points, m * n + n)."""
        _, *gradient = expected_loss_and_gradient(
            *self.unpack(x), self.density[points], self.importance[points]
        )
        return np.concatenate([part.reshape(len(x), -1) for part in gradient], axis=1)

    def __call__(self, x: Array, points: NDArray[np.intp]) -> tuple[Array, Array, Array]:
        """Return value, gradient and Hessian at the given points."""
        result = loss_derivatives(*self.unpack(x), self.density[points], self.importance[points])
        assert result.gradient_W is not None
        assert result.gradient_b is not None
        assert result.hessian is not None
        flat = result.gradient_W.reshape(len(x), -1)
        return result.loss, np.concatenate([flat, result.gradient_b], axis=1), result.hessian


def minimize_free(
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    starts: Array,
) -> FreeEnds:
    """Run Newton's method from every start of every point.

    Parameters
    ----------
    n, m : int
    density, relative_importance : ndarray, shape (points,)
    starts : ndarray, shape (points, starts, m * n + n)

    Returns
    -------
    FreeEnds
    """
    points, count, variables = starts.shape
    flat = starts.reshape(-1, variables)
    owner = np.repeat(np.arange(points), count)
    x, loss = np.empty_like(flat), np.empty(len(flat))
    gradient_norm = np.empty(len(flat))
    bound = np.full(variables, _BOUND)
    keep_freed_memory()
    length = _RUNS_TIMES_FACES // 3**n
    for begin in range(0, len(flat), length):
        part = slice(begin, begin + length)
        rows = owner[part]
        objective = FreeLoss(n, m, density[rows], relative_importance[rows])
        tolerance = density_tolerance(density[rows])
        result = minimize_batch(objective, flat[part], -bound, bound, gradient_tolerance=tolerance)
        x[part], loss[part] = result.x, result.value
        gradient_norm[part] = result.gradient_norm
    return FreeEnds(
        x.reshape(starts.shape),
        loss.reshape(points, count),
        gradient_norm.reshape(points, count),
    )


def standard_starts(
    n: int, m: int, density: Array, random_count: int, rng: np.random.Generator
) -> Array:
    """Return the catalogue's starts, where it has any, followed by random ones.

    Returns
    -------
    ndarray, shape (points, starts, m * n + n)
    """
    random = random_starts(n, m, len(density), random_count, rng)
    if m != n - 1:
        return random
    return np.concatenate([catalogue_starts(n, m, density, rng), random], axis=1)


def catalogue_starts(n: int, m: int, density: Array, rng: np.random.Generator) -> Array:
    """Return the canonical weights of every configuration, their symmetry broken.

    Returns
    -------
    ndarray, shape (points, configurations, m * n + n)
    """
    starts = []
    for configuration in configurations(n, m):
        W, b = configuration.canonical_weights(density)
        starts.append(np.concatenate([W.reshape(len(density), -1), b], axis=1))
    exact = np.stack(starts, axis=1)
    return np.asarray(exact + _SYMMETRY_BREAKING * rng.normal(size=exact.shape))


def shortened_starts(n: int, m: int, density: Array, rng: np.random.Generator) -> Array:
    """Return the catalogue's starts with one feature shortened, or let in where it is ignored.

    Minima in which one feature is short have small basins.

    Returns
    -------
    ndarray, shape (points, starts, m * n + n)
    """
    starts = []
    for configuration in configurations(n, m):
        W, b = configuration.canonical_weights(density)
        for feature, norm in product(range(n), _SHORT_NORMS):
            short = W.copy()
            if np.abs(W[..., feature]).max() > 0:
                short[..., feature] *= norm
            else:
                short[..., feature] = -norm * W.sum(axis=-1) / np.sqrt(n - 1)
            starts.append(np.concatenate([short.reshape(len(density), -1), b], axis=1))
    exact = np.stack(starts, axis=1)
    return np.asarray(exact + _SHORT_BREAKING * rng.normal(size=exact.shape))


def aligned_starts(n: int, m: int, density: Array, rng: np.random.Generator) -> Array:
    """Return weights with two features in the same direction.

    Such minima are far above the lowest, and random starts seldom lead to them.

    Returns
    -------
    ndarray, shape (points, starts, m * n + n)
    """
    extra = n - 1
    pairs = [(0, extra), (extra, 0), *([(0, 1)] if n > 2 else [])]
    starts = []
    for (first, second), (*norms, b_first, b_second) in product(pairs, _ALIGNED_PAIRS):
        single = [i for i in range(n) if i not in (first, second)]
        W, b = np.zeros((m, n)), np.zeros(n)
        W[0, [first, second]] = norms
        W[range(1, m), single] = 1.0
        b[[first, second]] = b_first, b_second
        starts.append(np.concatenate([W.ravel(), b]))
    exact = np.tile(np.array(starts), (len(density), 1, 1))
    return np.asarray(exact + _SHORT_BREAKING * rng.normal(size=exact.shape))


def random_starts(n: int, m: int, points: int, count: int, rng: np.random.Generator) -> Array:
    """Return random weights and biases, shape (points, count, m * n + n)."""
    W = _RANDOM_WEIGHT * rng.normal(size=(points, count, m * n))
    return np.concatenate([W, rng.uniform(*_BIAS_RANGE, (points, count, n))], axis=2)
