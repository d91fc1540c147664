"""The canonical loss of a simplex of any size, for n features in n - 1 dimensions."""

from __future__ import annotations

import sympy
from sympy import Eq, Expr, Function, Integer, Rational, symbols

from derivations.configuration import SOURCE, loss_symbols
from derivations.derivation import Check, Derivation, Outcome, Step, Symbol
from derivations.direct_integral import exact_output_loss
from derivations.simplex import (
    MAX_BLOCK,
    SimplexBlock,
    canonical_output_loss,
    irwin_hall_output_loss,
    p,
    r,
)

k = symbols("k", integer=True, positive=True)
_DIRECTLY_UP_TO = 4


def simplices() -> Derivation:
    """Return the canonical losses of blocks of up to six features."""
    sizes = range(1, MAX_BLOCK + 1)
    with_extra = Eq(sympy.Symbol("L_with"), (k - 1 + r) * Function("S")(k))
    without = Eq(sympy.Symbol("L_without"), k * Function("S")(k))
    return Derivation(
        name="simplices",
        title="Canonical simplices of any size",
        statement=(
            "k features that share k - 1 dimensions as a regular simplex (unit norms, Gram entries "
            "-1/(k - 1), bias 0) all have the same output loss S_k(p). A configuration costs S_k "
            "times the importances in its block: k - 1 + r with the extra feature, k without."
        ),
        symbols=loss_symbols(Symbol(k, "number of features in the block")),
        steps=(
            Step(
                "The Gram matrix is that of k unit vectors in k - 1 dimensions: it is positive "
                "semidefinite, and the vector of ones spans its kernel.",
                (),
                (Check("rank and kernel, k = 2 ... 6", _rank),),
            ),
            Step(
                "The output loss as a polynomial in p, from the mixture of truncated power sums "
                "(k = 1: an ignored feature with bias p/2).",
                tuple(Eq(sympy.Symbol(f"S_{size}"), canonical_output_loss(size)) for size in sizes),
                (
                    Check("the Irwin-Hall density of the others' sum, k = 2 ... 6", _irwin_hall),
                    Check(f"direct integrals, k = 1 ... {_DIRECTLY_UP_TO}", _direct),
                ),
            ),
        ),
        result=(with_extra, without),
        source=SOURCE,
        checks=(
            Check(
                f"the displayed losses = direct integrals over all outputs, k = 1 ... "
                f"{_DIRECTLY_UP_TO}",
                lambda: _totals(with_extra.rhs, without.rhs),
            ),
        ),
    )


def _rank() -> Outcome:
    for size in range(2, MAX_BLOCK + 1):
        gram = SimplexBlock(size).canonical_gram()
        ones = sympy.ones(size, 1)
        minors = [gram[:order, :order].det() for order in range(1, size)]
        if gram * ones != sympy.zeros(size, 1) or not all(minor > 0 for minor in minors):
            return False, f"fails at k = {size}"
    return True, "leading minors positive, G 1 = 0"


def _irwin_hall() -> Outcome:
    for size in range(2, MAX_BLOCK + 1):
        if sympy.expand(canonical_output_loss(size) - irwin_hall_output_loss(size)) != 0:
            return False, f"fails at k = {size}"
    return True, "identical polynomials"


def _direct() -> Outcome:
    density = Rational(3, 8)
    for size in range(1, _DIRECTLY_UP_TO + 1):
        gains = [Integer(1), *[Rational(-1, size - 1)] * (size - 1)] if size > 1 else [Integer(0)]
        bias = density / 2 if size == 1 else Integer(0)
        direct = exact_output_loss(density, bias, gains)
        if canonical_output_loss(size).subs(p, density) != direct:
            return False, f"fails at k = {size}"
    return True, "exact"


def _totals(with_extra: Expr, without: Expr) -> Outcome:
    """Sum over the outputs one by one, each with its own importance."""
    values = {p: Rational(3, 8), r: Rational(5, 3)}
    for size in range(1, _DIRECTLY_UP_TO + 1):
        gains = [Integer(1), *[Rational(-1, size - 1)] * (size - 1)] if size > 1 else [Integer(0)]
        bias = values[p] / 2 if size == 1 else Integer(0)
        outputs = [exact_output_loss(values[p], bias, gains) for _ in range(size)]
        for displayed, last in ((with_extra, values[r]), (without, Integer(1))):
            direct = sum(outputs[:-1]) + last * outputs[-1]
            shown = displayed.subs(k, size).replace(Function("S"), _polynomial).subs(values)
            if shown != direct:
                return False, f"fails at k = {size}"
    return True, "exact"


def _polynomial(size: Expr) -> Expr:
    return canonical_output_loss(int(size))
