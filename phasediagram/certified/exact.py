"""Moments of an output and the loss in exact fractions, with the standard library alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import factorial, prod


def moments(gains: Sequence[Fraction], bias: Fraction, table: Sequence[Fraction]) -> list[Fraction]:
    """Return E[x_j ReLU(Z)] for each j, E[ReLU(Z)] and E[ReLU(Z)^2], Z = bias + gains.x.

    Truncated power sums (`phasediagram derive expectation`); numbers must be dyadic.

    Parameters
    ----------
    table : sequence of Fraction
        Probability of each set of active features; bit j stands for gain j.
    """
    n, scale = len(gains), max(x.denominator for x in (*gains, bias))
    g, z = [int(x * scale) for x in gains], [int(bias * scale)]
    for gain in g:
        z += [value + gain for value in z]
    free = sum(1 << j for j in range(n) if g[j])  # a feature of gain 0 does not matter

    def mean(mask: int, power: int, ones: int = 0) -> Fraction:
        """Return the mean of ReLU(Z)^power, features of `mask` active, those of `ones` at 1."""
        k, total = mask.bit_count(), 0
        for v in range(2**n):
            if v & mask == v:
                sign = -1 if (k - v.bit_count()) % 2 else 1
                total += sign * max(z[v | ones], 0) ** (k + power)
        divisor = factorial(k + power) * prod(g[j] for j in range(n) if mask >> j & 1)
        return Fraction(total * factorial(power), divisor * scale**power)

    result = [Fraction(0)] * (n + 2)
    for active, weight in enumerate(table):
        mask = active & free
        for j in range(n):
            own = 1 << j
            if active & own and mask & own:  # by parts in x_j
                rise = mean(mask & ~own, 2, own) - mean(mask, 2)
                result[j] += weight * rise * scale / (2 * g[j])
            elif active & own:
                result[j] += weight * mean(mask, 1) / 2
        result[n] += weight * mean(mask, 1)
        result[n + 1] += weight * mean(mask, 2)
    return result


def order(i: int, n: int) -> list[int]:
    """Return the features with that of output i first, exchanged with feature 0."""
    return [i if j == 0 else (0 if j == i else j) for j in range(n)]


def own_first(table: Sequence[Fraction], i: int) -> list[Fraction]:
    """Return a table of sets of active features with the features 0 and i exchanged."""
    differ = [(a ^ a >> i) & 1 for a in range(len(table))]
    return [table[a ^ (d | d << i) if i else a] for a, d in enumerate(differ)]


def exact_loss(
    table: Sequence[Fraction],
    importance: Sequence[Fraction],
    penalty: Fraction,
    W: Iterable[Iterable[float | Fraction]],
    b: Iterable[float | Fraction],
) -> Fraction:
    """Return the loss of dyadic weights and biases, exactly."""
    n, total = len(importance), Fraction(0)
    rows, biases = [[Fraction(x) for x in row] for row in W], [Fraction(x) for x in b]
    for i in range(n):
        gains = [sum((row[i] * row[f] for row in rows), Fraction(0)) for f in order(i, n)]
        own = own_first(table, i)
        x = moments(gains, biases[i], own)
        active = sum(own[1::2], Fraction(0))
        total += importance[i] * (active / 3 - 2 * x[0] + x[-1])
        total += penalty * sum((g * g for g in gains[1:]), Fraction(0))
    return total
