"""One output's expected squared error in exact rational arithmetic, for any joint law."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from math import factorial, prod

STEP = Fraction(1, 10**25)


def _subsets(items: Sequence[int]):
    for size in range(len(items) + 1):
        yield from combinations(items, size)


def _mean_power(gains: Sequence[Fraction], bias: Fraction, power: int) -> Fraction:
    """E[ReLU(bias + gains . x)^power], x uniform: a truncated power sum; no gain is zero."""
    k = len(gains)
    total = Fraction(0)
    for corner in _subsets(range(k)):
        value = bias + sum((gains[j] for j in corner), Fraction(0))
        if value > 0:
            total += (-1) ** (k - len(corner)) * value ** (k + power)
    return total * factorial(power) / factorial(k + power) / prod(gains, start=Fraction(1))


def squared_error(
    gains: Sequence[Fraction], bias: Fraction, own: int, table: Sequence[Fraction]
) -> Fraction:
    """Sum over the sets A of ``table[A] E[(x_own - ReLU(bias + gains . x))^2 | A]``.

    No gain may be zero.  E[x_own ReLU(Z)] comes from integrating by parts in x_own:
    with F the antiderivative of ReLU, it is (E'[F(Z)] at x_own = 1, minus E[F(Z)]) / gain.
    """
    n, total = len(gains), Fraction(0)
    for active in _subsets(range(n)):
        weight = table[sum(1 << j for j in active)]
        kept = [gains[j] for j in active]
        error = _mean_power(kept, bias, 2)
        if own in active:
            others = [gains[j] for j in active if j != own]
            at_one = _mean_power(others, bias + gains[own], 2) / 2
            product = (at_one - _mean_power(kept, bias, 2) / 2) / gains[own]
            error += Fraction(1, 3) - 2 * product
        total += weight * error
    return total


def derivative(
    function: Callable[[list[Fraction]], Fraction],
    variables: Sequence[Fraction],
    directions: Sequence[int],
) -> Fraction:
    """Central differences with a step of 1e-25, in exact arithmetic: right to some 50 digits."""
    if not directions:
        return function(list(variables))
    i, *rest = directions
    up, down = list(variables), list(variables)
    up[i] += STEP
    down[i] -= STEP
    return (derivative(function, up, rest) - derivative(function, down, rest)) / (2 * STEP)
