"""A feature with a dimension of its own, and the configuration that gives it to the extra one."""

from __future__ import annotations

import sympy
from sympy import Eq, Expr, Integer, symbols

from derivations.configuration import (
    LOSS,
    SOURCE,
    active_set_formulas,
    loss_symbols,
    output_check,
    total_checks,
)
from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.simplex import canonical_loss, canonical_output_loss, p, r
from derivations.truncated_power import PositivePart, output_loss

s = symbols("s", positive=True)
b, b_ignored = symbols("b b_i", real=True)


def dedicated_output_loss() -> Expr:
    """Return the loss of one output that only its own feature reaches, at norm s and bias b."""
    return output_loss(p, b, (s**2,))


def ignored_output_loss(bias: Expr) -> Expr:
    """Return the loss of an output that no feature reaches, without its importance."""
    return output_loss(p, bias, (Integer(0),))


def dedicated_output() -> Derivation:
    """Return the derivation of a dedicated output's loss."""
    terms = active_set_formulas("L", b, (s**2,))
    result = Eq(LOSS, dedicated_output_loss(), evaluate=False)
    return Derivation(
        name="dedicated-output",
        title="One feature with a dimension of its own",
        statement=(
            "A feature orthogonal to all others, of norm s and bias b, is reconstructed as "
            "ReLU(s^2 x + b). Its loss vanishes at norm 1 and bias 0 and nowhere else."
        ),
        symbols=loss_symbols(
            Symbol(s, "norm of the feature's direction, > 0"), Symbol(b, "bias of its output")
        ),
        steps=(
            Step(
                "The terms of the mixture: the feature inactive, and active.",
                terms,
                (output_check(terms, b, (s**2,)),),
            ),
            Step(
                "At norm 1 and bias 0 the reconstruction is perfect.",
                (Eq(LOSS, Integer(0), evaluate=False),),
                (
                    identity(
                        "the loss there is 0", lambda: dedicated_output_loss().subs({s: 1, b: 0})
                    ),
                    Check("the loss is positive elsewhere", _positive_elsewhere),
                ),
            ),
        ),
        result=(result,),
        source=SOURCE,
        checks=(
            output_check((result,), b, (s**2,)),
            *total_checks((result,), ((Integer(1), b, (s**2,)),)),
        ),
    )


def dedicated() -> Derivation:
    """Return the derivation of the configuration: another feature is ignored instead."""
    loss = sympy.Symbol("l_dedicated")
    variance = canonical_output_loss(1)
    extra_formula = Eq(loss, dedicated_output_loss(), evaluate=False)
    result = Eq(LOSS, r * loss + ignored_output_loss(b_ignored), evaluate=False)
    zero = Integer(0)
    return Derivation(
        name="dedicated",
        title="The extra feature dedicated, another ignored",
        statement=(
            "The extra feature has a dimension of its own and another feature, of importance 1, "
            "is ignored: its direction is 0 and its output the constant ReLU(b_i). For n "
            "features in n - 1 dimensions the other n - 2 features are dedicated too."
        ),
        symbols=loss_symbols(
            Symbol(s, "norm of the extra feature's direction, > 0"),
            Symbol(b, "bias of the extra feature's output"),
            Symbol(b_ignored, "bias of the ignored feature's output"),
        ),
        steps=(
            Step(
                "The extra feature's output is dedicated (derivation 'dedicated-output').",
                (extra_formula,),
                (output_check((extra_formula,), b, (s**2,)),),
            ),
            ignored_step(b_ignored),
            Step(
                "The canonical weights: norm 1 and bias 0 for the extra feature, bias p/2 for the "
                "ignored one. The loss is the variance of one feature.",
                (Eq(sympy.Symbol("L_canonical"), canonical_loss(1, includes_extra=False)),),
                (
                    identity(
                        "the free form at the canonical weights",
                        lambda: _loss().subs({s: 1, b: 0, b_ignored: p / 2}) - variance,
                    ),
                ),
            ),
        ),
        result=(result,),
        source=SOURCE,
        checks=total_checks(
            (result, extra_formula),
            ((r, b, (s**2, zero)), (Integer(1), b_ignored, (zero, zero))),
        ),
    )


def ignored_step(bias: Expr) -> Step:
    """The loss of an ignored feature, and its best bias."""
    free = ignored_output_loss(bias)
    formula = Eq(sympy.Symbol("l_ignored"), free, evaluate=False)
    positive = symbols("beta", positive=True)
    quadratic = free.subs(bias, positive)
    return Step(
        "An ignored feature's output is the constant ReLU(b_i), independent of its own feature. "
        "For b_i > 0 the loss is a parabola in b_i with its minimum, the feature's variance, at "
        "the mean p/2.",
        (
            formula,
            Eq(sympy.Symbol("V"), canonical_output_loss(1)),
        ),
        (
            output_check((formula,), bias, (Integer(0), Integer(0))),
            identity(
                "completed square",
                lambda: (
                    sympy.expand(quadratic.replace(PositivePart, lambda value: value))
                    - (positive - p / 2) ** 2
                    - (p / 3 - p**2 / 4)
                ),
            ),
            identity(
                "variance of one feature",
                lambda: canonical_output_loss(1) - _variance_by_integration(),
            ),
        ),
    )


def _variance_by_integration() -> Expr:
    x = symbols("x")
    mean = p * sympy.integrate(x, (x, 0, 1))
    return p * sympy.integrate((x - mean) ** 2, (x, 0, 1)) + (1 - p) * mean**2


def _loss() -> Expr:
    return r * dedicated_output_loss() + ignored_output_loss(b_ignored)


def _positive_elsewhere() -> Outcome:
    """Both terms of the mixture are squares; they vanish together only at norm 1, bias 0."""
    x = symbols("x", real=True)
    residual = x - (s**2 * x + b)
    coefficients = sympy.Poly(residual, x).all_coeffs()
    zeros = sympy.solve(coefficients, [s, b], dict=True)
    return zeros == [{s: 1, b: 0}], "x - (s^2 x + b) = 0 for all x only at s = 1, b = 0"
