"""Independent ways to the exact loss, for the tests to compare against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import mpmath
import numpy as np

DIGITS = 40


def _subsets(items: Sequence[int]):
    for size in range(len(items) + 1):
        yield from combinations(items, size)


def _expected_square_and_slope(gains, bias, own):
    """E[ReLU(Z)^2] and E[x_own ReLU(Z)] with all features active: truncated power sums.

    No gain may be zero.  `own` is a position in `gains` or None.
    """
    k = len(gains)
    factor = mpmath.mpf(2) / mpmath.factorial(k + 2) / mpmath.fprod(gains)
    total = slope = mpmath.mpf(0)
    for corner in _subsets(range(k)):
        value = bias + mpmath.fsum(gains[j] for j in corner)
        if value <= 0:
            continue
        sign = (-1) ** (k - len(corner))
        total += sign * value ** (k + 2)
        if own in corner:
            slope += sign * (k + 2) * value ** (k + 1)
    square = factor * total
    if own is None:
        return square, mpmath.mpf(0)
    return square, (factor * slope - square / gains[own]) / 2


def mpmath_output_loss(gains, bias, density, own):
    """E[(x_own - ReLU(bias + gains . x))^2] as a mixture of truncated power sums."""
    n = len(gains)
    total = mpmath.mpf(0)
    for active in _subsets(range(n)):
        probability = mpmath.fprod(density[j] if j in active else 1 - density[j] for j in range(n))
        kept = [j for j in active if gains[j] != 0]
        position = kept.index(own) if own in kept else None
        square, product = _expected_square_and_slope([gains[j] for j in kept], bias, position)
        if own in active and own not in kept:
            product = _mean_of_relu([gains[j] for j in kept], bias) / 2
        own_square = mpmath.mpf(1) / 3 if own in active else 0
        total += probability * (own_square - 2 * product + square)
    return total


def _mean_of_relu(gains, bias):
    k = len(gains)
    factor = 1 / mpmath.factorial(k + 1) / mpmath.fprod(gains)
    total = mpmath.mpf(0)
    for corner in _subsets(range(k)):
        value = bias + mpmath.fsum(gains[j] for j in corner)
        if value > 0:
            total += (-1) ** (k - len(corner)) * value ** (k + 1)
    return factor * total


def mpmath_loss(W, b, density, importance, digits: int = DIGITS):
    """The loss to `digits` digits; the working precision allows for all cancellation."""
    W, b = np.asarray(W, dtype=object), list(b)
    m, n = W.shape
    smallest = min((abs(x) for x in [*W.ravel(), *b] if x != 0), default=mpmath.mpf(1))
    guard = int(2 * (n + 2) * max(0.0, -float(mpmath.log10(smallest)))) + 60
    with mpmath.workdps(digits + guard + 40):
        W = [[mpmath.mpf(x) for x in row] for row in W]
        b = [mpmath.mpf(x) for x in b]
        density = [mpmath.mpf(x) for x in density]
        gram = [
            [mpmath.fsum(W[k][i] * W[k][j] for k in range(m)) for j in range(n)] for i in range(n)
        ]
        return mpmath.fsum(
            mpmath.mpf(importance[i]) * mpmath_output_loss(gram[i], b[i], density, i)
            for i in range(n)
        )


def mpmath_derivative(function: Callable, variables: Sequence, directions: Sequence[int]):
    """Central difference of `function` in 40+ digits along the given coordinates."""
    step = mpmath.mpf(10) ** -30
    with mpmath.workdps(150):
        return _difference(function, [mpmath.mpf(v) for v in variables], list(directions), step)


def _difference(function, variables, directions, step):
    if not directions:
        return function(variables)
    i, *rest = directions
    up, down = list(variables), list(variables)
    up[i] += step
    down[i] -= step
    return (_difference(function, up, rest, step) - _difference(function, down, rest, step)) / (
        2 * step
    )


def monte_carlo_loss(W, b, density, importance, rng, samples: int = 200_000):
    """Sampled loss and its standard error."""
    W, b = np.asarray(W), np.asarray(b)
    n = W.shape[1]
    active = rng.random((samples, n)) < density
    x = rng.random((samples, n)) * active
    output = np.maximum(x @ (W.T @ W) + b, 0.0)
    loss = ((x - output) ** 2 * importance).sum(axis=1)
    return loss.mean(), loss.std(ddof=1) / np.sqrt(samples)
