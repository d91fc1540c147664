"""What a bound is asked of: a joint law of activity, importances, and the weights to cover."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: So that sums on the grid of 2^-40 are exact: 6 x 24^2 < 2^12, and twice that has 53 bits.
LARGEST_WEIGHT = 24.0


@dataclass(frozen=True)
class Problem:
    """The loss whose minimum is to be bounded, in exact numbers.

    Attributes
    ----------
    n, m : int
        Numbers of features and hidden dimensions.
    table : tuple of Fraction, length 2^n
        Probability of each set of active features; bit j stands for feature j.
    importance : tuple of Fraction, length n
    penalty : Fraction
        Factor of ``sum_{i != j} (W_i . W_j)^2``.
    free_bias : bool
        Else all biases are 0.
    """

    n: int
    m: int
    table: tuple[Fraction, ...]
    importance: tuple[Fraction, ...]
    penalty: Fraction = Fraction(0)
    free_bias: bool = True

    @cached_property
    def active(self) -> tuple[Fraction, ...]:
        """Probability that each feature is active."""
        return tuple(
            sum((w for a, w in enumerate(self.table) if a >> i & 1), Fraction(0))
            for i in range(self.n)
        )

    @cached_property
    def tables(self) -> Array:
        """The table for each output, its own feature exchanged with the first, shape (n, 2^n)."""
        return np.array(
            [[float(self.table[exchanged(a, i)]) for a in range(2**self.n)] for i in range(self.n)]
        )

    @cached_property
    def equal_pairs(self) -> NDArray[np.int64]:
        """Consecutive features that may be exchanged without changing the loss, shape (k, 2)."""
        pairs = [
            pair
            for pair in pairwise(range(self.n))
            if self.importance[pair[0]] == self.importance[pair[1]]
            and all(self.table[a] == self.table[_swapped(a, *pair)] for a in range(2**self.n))
        ]
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def independent(density: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Return the table of independent features."""
    return tuple(
        prod((p if a >> j & 1 else 1 - p for j, p in enumerate(density)), start=Fraction(1))
        for a in range(2 ** len(density))
    )


def exchanged(active: int, i: int) -> int:
    """Return a set of features with the features 0 and i exchanged."""
    return _swapped(active, 0, i)


def _swapped(active: int, i: int, j: int) -> int:
    differ = (active >> i ^ active >> j) & 1
    return active ^ (differ << i | differ << j) if i != j else active


def root_box(problem: Problem, upper: Fraction) -> tuple[Array, Array]:
    """Return a box of weights outside which the loss is at least `upper`, up to symmetry.

    Rotations and reflections of the hidden space make W upper triangular with a diagonal
    that is not negative; a norm is limited by ``L_i >= p_i/3 ((a - 1)/(a + 1))^2`` for
    a = |W_i|^2 >= 1.

    Returns
    -------
    low, high : ndarray, shape (m n,)

    Raises
    ------
    ValueError
        If that limits the norm of some feature to no finite value.
    """
    reach = np.array([_largest_norm(problem, feature, upper) for feature in range(problem.n)])
    for feature in np.flatnonzero(reach > LARGEST_WEIGHT)[:1]:
        raise ValueError(
            f"the norm of feature {feature} can only be limited to {reach[feature]:g}, and bounds "
            f"are rigorous up to {LARGEST_WEIGHT:g}: the density is too low for this importance"
        )
    return triangular(problem.m, reach)


def triangular(m: int, reach: Array) -> tuple[Array, Array]:
    """Return the box, shapes (m n,), of upper triangular W whose norms are at most `reach`."""
    high = np.triu(np.tile(reach, (m, 1)))
    return 0.0 - np.triu(high, 1).ravel(), high.ravel()


def _largest_norm(problem: Problem, feature: int, upper: Fraction) -> float:
    cost = problem.importance[feature] * problem.active[feature] / 3
    if upper >= cost * Fraction(9999, 10000) ** 2:
        raise ValueError(
            f"the norm of feature {feature} cannot be limited: its error costs at most "
            f"{float(cost):g}, the least known loss is {float(upper):g}"
        )
    root = math.sqrt(float(upper / cost))
    eighths = max(9, math.floor(8 * math.sqrt((1 + root) / (1 - root))))  # above 1: the limit holds
    while True:
        square = Fraction(eighths, 8) ** 2
        if cost * ((square - 1) / (square + 1)) ** 2 >= upper:
            return eighths / 8
        eighths += 1
