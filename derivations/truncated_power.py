"""Truncated powers and their integrals over the unit cube: the building blocks.

For gains g_1 .. g_k and a bias b, with Z = b + sum_j g_j x_j and x uniform on the cube,

    E[Z_+^d] = d! / ((d+k)! prod_j g_j) * sum_{v subset of 1..k} (-1)^(k-|v|) (b + g_v)_+^(d+k)

where g_v is the sum of the gains in v and z_+ = max(z, 0).  The proof is in
`derivations.expectation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import sympy
from sympy import Expr, Integer, factorial


class PositivePart(sympy.Function):
    """z_+ = max(z, 0); stays symbolic until z is a number."""

    nargs = (1,)

    @classmethod
    def eval(cls, z: Expr) -> Expr | None:
        """Evaluate where the sign of z is known."""
        if z.is_nonnegative:
            return z
        if z.is_nonpositive:
            return Integer(0)
        return None

    def _latex(self, printer, exp=None):  # type: ignore[no-untyped-def]
        base = rf"\left({printer._print(self.args[0])}\right)_{{+}}"
        return base if exp is None else f"{base}^{{{exp}}}"

    def _pretty(self, printer):  # type: ignore[no-untyped-def]
        from sympy.printing.pretty.stringpict import prettyForm

        inner = prettyForm(*printer._print(self.args[0]).parens())
        return prettyForm(*inner.right("₊"))


def subsets(items: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield all subsets, smallest first."""
    for size in range(len(items) + 1):
        yield from combinations(items, size)


def corner_values(bias: Expr, gains: Sequence[Expr]) -> tuple[Expr, ...]:
    """Return b + g_v for every subset v of the features."""
    return tuple(bias + sum(gains[j] for j in v) for v in subsets(range(len(gains))))


def truncated_moment(degree: int, bias: Expr, gains: Sequence[Expr]) -> Expr:
    """Return E[Z_+^degree] with every feature active; no gain may be zero."""
    k = len(gains)
    total = sum(
        (-1) ** (k - len(v)) * PositivePart(bias + sum(gains[j] for j in v)) ** (degree + k)
        for v in subsets(range(k))
    )
    return factorial(degree) * total / (factorial(degree + k) * sympy.prod(gains))


def truncated_product(bias: Expr, gains: Sequence[Expr], own: int) -> Expr:
    """Return E[x_own Z_+] with every feature active: half the slope of E[Z_+^2] in g_own."""
    k = len(gains)
    corners = sum(
        (-1) ** (k - len(v)) * PositivePart(bias + sum(gains[j] for j in v)) ** (k + 1)
        for v in subsets(range(k))
        if own in v
    )
    slope = corners / (factorial(k + 1) * sympy.prod(gains))
    return slope - truncated_moment(2, bias, gains) / (2 * gains[own])


def active_set_loss(bias: Expr, gains: Sequence[Expr], own: int | None) -> Expr:
    """Return E[(x_own - ReLU(Z))^2] given that exactly these features are active.

    Parameters
    ----------
    bias : Expr
    gains : sequence of Expr
        Gains of the active features.  One that is identically 0 drops out.
    own : int or None
        Which of them is the output's own feature; None if it is inactive.
    """
    kept = [j for j, gain in enumerate(gains) if gain != 0]
    nonzero = [gains[j] for j in kept]
    square = truncated_moment(2, bias, nonzero)
    if own is None:
        return square
    if own in kept:
        product = truncated_product(bias, nonzero, kept.index(own))
    else:  # independent of Z: E[x_own] E[Z_+]
        product = truncated_moment(1, bias, nonzero) / 2
    return sympy.Rational(1, 3) - 2 * product + square


def output_loss(density: Expr, bias: Expr, gains: Sequence[Expr]) -> Expr:
    """Return E[(x_own - ReLU(Z))^2], the own feature first among the gains.

    A mixture over the sets of active features, each feature active with probability
    `density`; features whose gain is identically 0 drop out unless they are the own one.
    """
    own, *others = gains
    features = [own, *(gain for gain in others if gain != 0)]
    total = Integer(0)
    for active in subsets(range(len(features))):
        probability = density ** len(active) * (1 - density) ** (len(features) - len(active))
        position = active.index(0) if 0 in active else None
        total += probability * active_set_loss(bias, [features[j] for j in active], position)
    return total
