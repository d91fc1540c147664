"""The cells of a closed form, with a rational point inside each.

A cell is a set of parameters on which no corner value b + g_v changes sign: there the
loss is one rational function, so an exact comparison at one generic point of each cell,
together with the symbolic steps, covers the closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise, product

from sympy import Expr, Rational

from derivations.truncated_power import corner_values

Gains = Sequence[Rational]


def sign_pattern(bias: Rational, gains: Gains) -> tuple[bool, ...] | None:
    """Return which corner values are positive; None on the border of a cell."""
    values = corner_values(bias, gains)
    return None if any(value == 0 for value in values) else tuple(value > 0 for value in values)


def cells(gain_samples: Iterable[Gains]) -> Iterator[tuple[Rational, Gains]]:
    """Yield (bias, gains) once for every cell that the sampled gains can realise.

    For each choice of gains the bias visits every interval between the kinks, and one
    beyond each end; a sign pattern already seen is skipped.
    """
    seen = set()
    for gains in gain_samples:
        for bias in _biases(gains):
            pattern = sign_pattern(bias, gains)
            if pattern is not None and pattern not in seen:
                seen.add(pattern)
                yield bias, gains


def _biases(gains: Gains) -> Iterator[Rational]:
    kinks = sorted({-value for value in corner_values(Rational(0), gains)})
    yield kinks[0] - Rational(1, 3)
    for low, high in pairwise(kinks):
        yield low + (high - low) * Rational(3, 7)  # off the middle: no accidental symmetry
    yield kinks[-1] + Rational(1, 3)


def sampled_gains(
    row: Callable[..., Sequence[Expr]], *values: Sequence[Rational]
) -> Iterator[tuple[Expr, ...]]:
    """Yield row(*parameters) over the product of the sampled parameter values."""
    for parameters in product(*values):
        yield tuple(row(*parameters))
