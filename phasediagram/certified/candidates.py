"""The lowest minimum that is known, which is to be certified: search, without any proof."""

from __future__ import annotations

import numpy as np
import scipy.optimize
from numpy.typing import ArrayLike, NDArray

from phasediagram.certified.problem import Problem
from phasediagram.kernel.loss import expected_loss_and_gradient
from phasediagram.minima.solving import solve

Array = NDArray[np.float64]

_STARTS = 40


def lowest_known(problem: Problem, rng: int | np.random.Generator) -> tuple[Array, Array]:
    """Return weights and biases of the lowest minimum that is found.

    Returns
    -------
    W : ndarray, shape (m, n)
    b : ndarray, shape (n,)
    """
    density = {float(p) for p in problem.active}
    plain = problem.free_bias and not problem.penalty and len(density) == 1
    if plain and all(x == 1 for x in problem.importance[:-1]):
        (p,) = density
        found = solve(p, float(problem.importance[-1]), problem.n, problem.m, rng=rng)
        return found.W, found.b
    return _descended(problem, np.random.default_rng(rng))


def _descended(problem: Problem, rng: np.random.Generator) -> tuple[Array, Array]:
    size = problem.m * problem.n
    scale = np.repeat([1.0, 0.2], [size, problem.n])
    starts = rng.normal(size=(_STARTS, size + problem.n)) * scale
    return lowest_from(problem, starts)[:2]


def lowest_from(problem: Problem, starts: ArrayLike) -> tuple[Array, Array, float]:
    """Return the lowest minimum below some starts (W, b): weights, biases and loss.

    Densities must be independent.
    """
    m, n = problem.m, problem.n
    density = np.array([float(p) for p in problem.active])
    importance = np.array([float(x) for x in problem.importance])
    penalty, size = float(problem.penalty), m * n

    def loss(x: Array) -> tuple[float, Array]:
        W, b = x[:size].reshape(m, n), x[size:] * problem.free_bias
        value, by_W, by_b = expected_loss_and_gradient(W, b, density, importance)
        gram = W.T @ W
        np.fill_diagonal(gram, 0.0)
        slopes = [(by_W + 4 * penalty * W @ gram).ravel(), by_b * problem.free_bias]
        return float(value) + penalty * float((gram**2).sum()), np.concatenate(slopes)

    best, lowest = np.zeros(size + n), np.inf
    for start in np.asarray(starts, dtype=np.float64):
        found = scipy.optimize.minimize(
            loss, start, jac=True, method="BFGS", options={"gtol": 1e-9}
        )
        if found.fun < lowest:
            best, lowest = found.x, found.fun
    return best[:size].reshape(m, n), best[size:] * problem.free_bias, float(lowest)
