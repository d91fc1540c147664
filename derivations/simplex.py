"""Simplex blocks: one code path for every configuration of n features in n - 1 dimensions.

In each configuration a block of k features shares k - 1 hidden dimensions and every other
feature is dedicated.  The outputs of the block see only the block, since the directions of
the dedicated features are orthogonal to it; so the loss is a sum over blocks, and only the
block's size matters, not n.  k = 1 is an ignored feature, k = 2 an antipodal pair, k = 3 a
triangle.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import sympy
from sympy import Expr, Integer, Matrix, Rational, symbols

from derivations.derivation import Symbol
from derivations.truncated_power import PositivePart, output_loss

MAX_BLOCK = 6

p, r = symbols("p r", positive=True)
a, c, u = symbols("a c u", positive=True)
b_other, b_extra = symbols("b_o b_e", real=True)

BLOCK_SYMBOLS = (
    Symbol(p, "density: probability that a feature is active, in (0, 1]"),
    Symbol(r, "relative importance of the extra feature, > 0; the others have importance 1"),
    Symbol(a, "norm of the other features' directions in the block, > 0"),
    Symbol(c, "norm of the extra feature's direction, > 0"),
    Symbol(
        u,
        "cosine of the angle between each other feature and the direction opposite to the "
        "extra one, in [0, 1]; 1 for a pair",
    ),
    Symbol(b_other, "bias of the other features' outputs"),
    Symbol(b_extra, "bias of the extra feature's output"),
)


@dataclass(frozen=True)
class SimplexBlock:
    """A block of k features in k - 1 dimensions with free scales and biases.

    Attributes
    ----------
    k : int
        Number of features, at least 2; the extra one is the last.
    """

    k: int

    @property
    def gram(self) -> Matrix:
        """W^T W with the scales a, c and the cosine u."""
        between = a**2 * self.between_others()
        last = self.k - 1

        def entry(i: int, j: int) -> Expr:
            if i == j:
                return c**2 if i == last else a**2
            return -a * c * self.cosine if last in (i, j) else between

        return Matrix(self.k, self.k, lambda i, j: entry(int(i), int(j)))

    @property
    def cosine(self) -> Expr:
        """The symbol u, or 1 for a pair."""
        return u if self.k > 2 else Integer(1)

    def between_others(self) -> Expr:
        """Return the cosine between two others: u^2 - (1 - u^2)/(k - 2)."""
        return u**2 - (1 - u**2) / (self.k - 2) if self.k > 2 else Integer(0)

    def row(self, i: int) -> tuple[Expr, ...]:
        """Return the gains of output i of the block, its own feature first."""
        gram = self.gram
        return (gram[i, i], *(gram[i, j] for j in range(self.k) if j != i))

    def loss(self) -> Expr:
        """Return the loss of the block: k - 1 equal outputs and the extra one, times r."""
        return (self.k - 1) * self.other_loss() + r * self.extra_loss()

    def other_loss(self) -> Expr:
        """Return the loss of one of the other outputs."""
        return output_loss(p, b_other, self.row(0))

    def extra_loss(self) -> Expr:
        """Return the loss of the extra output, without its importance."""
        return output_loss(p, b_extra, self.row(self.k - 1))

    def canonical_gram(self) -> Matrix:
        """Return the Gram matrix at unit norms and equal angles."""
        return self.gram.subs({a: 1, c: 1, u: Rational(1, self.k - 1)})


def canonical_output_loss(k: int) -> Expr:
    """Return S_k(p), the loss of any output of a canonical block, as a polynomial in p.

    Unit norms, off-diagonal Gram entries -1/(k - 1), bias 0; for k = 1 an ignored feature
    with bias p/2.
    """
    if k == 1:
        return sympy.expand(output_loss(p, p / 2, (Integer(0),)).replace(PositivePart, _identity))
    gains = (Integer(1), *[Rational(-1, k - 1)] * (k - 1))
    return sympy.expand(output_loss(p, Integer(0), gains))


def _identity(z: Expr) -> Expr:
    return z


def canonical_loss(k: int, includes_extra: bool) -> Expr:
    """Return the loss of a canonical configuration with a block of k features."""
    importance = k - 1 + r if includes_extra else Integer(k)
    return sympy.factor(importance * canonical_output_loss(k))


def irwin_hall_output_loss(k: int) -> Expr:
    """Return S_k(p) for k >= 2 by another route, through the Irwin-Hall density.

    At the canonical weights and bias 0 the output is wrong only where its own feature x is
    active, by min(x, U/(k-1)) with U the sum of the others.  Given that j others are active,
    U has the density of a sum of j uniform variables.
    """
    x, s = symbols("x s", positive=True)
    total = Integer(0)
    for j in range(1, k):
        pieces = []
        for piece in range(j):
            density = sum(
                (-1) ** i * comb(j, i) * (s - i) ** (j - 1) for i in range(piece + 1)
            ) / sympy.factorial(j - 1)
            level = s / (k - 1)
            below = sympy.integrate(x**2, (x, 0, level))
            inner = sympy.expand((below + level**2 * (1 - level)) * density)
            pieces.append(sympy.integrate(inner, (s, piece, piece + 1)))
        total += comb(k - 1, j) * p**j * (1 - p) ** (k - 1 - j) * sum(pieces)
    return sympy.expand(p * total)
