"""Weights with one nonzero entry a column: biases beat what was conjectured to be the best."""

from __future__ import annotations

import sympy
from sympy import Eq, Expr, Integer, Rational, symbols

from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.direct_integral import exact_output_loss
from derivations.simplex import p

beta = symbols("beta", positive=True)

_LIMIT = Rational(4, 7)


def pair_loss() -> Expr:
    """Return the loss of W = (1, -1), b = (beta, beta), 0 <= beta <= 1, both importances 1."""
    return (
        p**2 / 3
        - Rational(2, 3) * p**2 * beta
        + 2 * (1 - p) * beta**2
        + Rational(2, 3) * p * (1 + p) * beta**3
        - p**2 * beta**4 / 3
    )


def conjectured_pair() -> Expr:
    """Return the conjectured infimum for n = 2, m = 1, min(V, p^2/3): V = p/3 - p^2/4."""
    return sympy.Min(p / 3 - p**2 / 4, p**2 / 3)


def rational_bias() -> Expr:
    """Return a bias that beats 0: where the terms of first and second order balance, halved."""
    return p**2 / (6 * (1 - p) + 3 * p * (1 + p))


def improvement() -> Expr:
    """Return p^2/3 less the loss at that bias, to be positive for 0 < p <= 4/7."""
    return sympy.factor(p**2 / 3 - pair_loss().subs(beta, rational_bias()))


def _against_direct_integration() -> Outcome:
    count = 0
    for density in (Rational(1, 7), Rational(2, 5), _LIMIT, Integer(1)):
        for bias in (Integer(0), Rational(1, 8), Rational(1, 3), Integer(1)):
            found = sum(exact_output_loss(density, bias, (1, -1)) for _ in range(2))
            if found != pair_loss().subs({p: density, beta: bias}):
                return False, f"differs at p = {density}, beta = {bias}"
            count += 1
    return True, f"{count} points, exactly"


def _improves() -> Outcome:
    numerator, denominator = sympy.fraction(sympy.together(improvement()))
    roots = [
        root
        for part in (numerator, denominator)
        for root, _ in sympy.Poly(part, p).intervals()
        if root[1] > 0 and root[0] <= _LIMIT and not root[0] == root[1] == 0
    ]
    positive = improvement().subs(p, Rational(1, 3)) > 0
    return not roots and bool(positive), "no root in (0, 4/7], by isolating all roots"


def _antipodal_is_conjectured() -> Outcome:
    crossing = sympy.solve(sympy.Eq(p / 3 - p**2 / 4, p**2 / 3), p)
    return crossing == [_LIMIT], "for positive p at 4/7 only"


def _at_the_limit() -> Outcome:
    found = pair_loss().subs({p: _LIMIT, beta: Rational(1, 8)})
    conjectured = conjectured_pair().subs(p, _LIMIT)
    holds = found == Rational(517, 5376) and conjectured == Rational(16, 147)
    return holds and found < conjectured, f"{found} < {conjectured}"


def _blocks_add() -> Outcome:
    """Two pairs in two dimensions, every gain between pairs being 0, cost twice one pair."""
    density, bias = Rational(1, 3), Rational(1, 8)
    found = sum(exact_output_loss(density, bias, (1, -1, 0, 0)) for _ in range(4))
    return found == 2 * pair_loss().subs({p: density, beta: bias}), "n = 4, m = 2, exactly"


def column_sparse() -> Derivation:
    """Return the derivation: the conjectured infimum is not one at any p <= 4/7."""
    pair, saved = sympy.Symbol("L_2"), sympy.Symbol("saved")
    return Derivation(
        name="column-sparse",
        title="Weights with one nonzero entry a column: a conjecture that is false",
        statement=(
            "If every column of W has one nonzero entry at most, features share dimensions in "
            "blocks, and a published conjecture says that the infimum of the loss is "
            "min{(n - m) V, m p^2/3 + (n - 2m) V}: store or ignore, antipodal pairs having weights "
            "+-1 and no biases. A common bias makes every pair better, so the conjecture is false "
            "at every 0 < p <= 4/7 if m < n (for m = 1, n = 2: everywhere that it says pairs)."
        ),
        symbols=(
            Symbol(p, "density of every feature"),
            Symbol(beta, "bias of both outputs of a pair, in [0, 1]"),
        ),
        steps=(
            Step(
                "The loss of a pair W = (1, -1) with both biases beta.",
                (Eq(pair, pair_loss()),),
                (Check("direct integration", _against_direct_integration),),
            ),
            Step(
                "Its slope at beta = 0 is -2 p^2/3: a bias of 0 is not the best at any density.",
                (Eq(sympy.Derivative(pair, beta), -2 * p**2 / 3, evaluate=False),),
                (
                    identity(
                        "slope at 0",
                        lambda: pair_loss().diff(beta).subs(beta, 0) + Rational(2, 3) * p**2,
                    ),
                ),
            ),
            Step(
                "A rational bias that saves at every density up to 4/7, where pairs with bias 0 "
                "stop being better than ignoring.",
                (Eq(beta, rational_bias()), Eq(saved, improvement())),
                (
                    Check("positive on (0, 4/7]", _improves),
                    Check("4/7 is where V = p^2/3", _antipodal_is_conjectured),
                ),
            ),
            Step(
                "Features in different dimensions do not interfere, so that blocks add their "
                "losses: with m pairs the conjectured m p^2/3 + (n - 2m) V is missed m times.",
                (),
                (Check("two pairs in two dimensions", _blocks_add),),
            ),
        ),
        result=(Eq(pair, pair_loss()), Eq(saved, improvement())),
        source=(
            "The conjecture is MAIS-O49 of a published list of open problems on superposition; "
            "the counterexample is derived here."
        ),
        checks=(Check("p = 4/7, beta = 1/8: 517/5376 < 16/147", _at_the_limit),),
    )
