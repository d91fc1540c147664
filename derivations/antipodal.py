"""Antipodal pairs: the extra feature with another, of free or equal norms, and two others."""

from __future__ import annotations

import sympy
from sympy import Eq, Integer

from derivations.configuration import (
    LOSS,
    SOURCE,
    active_set_formulas,
    block_outputs,
    geometry_step,
    output_check,
    separation_step,
    simplex_derivation,
    total_checks,
    whole_model_check,
)
from derivations.dedicated import b, dedicated_output_loss, s
from derivations.derivation import Derivation, Step, Symbol, identity
from derivations.simplex import (
    BLOCK_SYMBOLS,
    SimplexBlock,
    a,
    b_extra,
    b_other,
    c,
    canonical_loss,
    p,
    r,
)


def antipodal() -> Derivation:
    """Return the derivation for W = (a, -c)."""
    return simplex_derivation(
        "antipodal",
        "The extra feature antipodal with another",
        "The extra feature and another one share a hidden dimension with opposite signs, "
        "W = (a, -c), with free norms and biases; all other features are dedicated.",
        k=2,
    )


def antipodal_equal() -> Derivation:
    """Return the derivation for W = (a, -a)."""
    return simplex_derivation(
        "antipodal-equal",
        "An antipodal pair of equal norms",
        "As 'antipodal', with equal norms: W = (a, -a).",
        k=2,
        equal_scales=True,
    )


def others_antipodal() -> Derivation:
    """Return the derivation for n >= 3: two others antipodal, the extra feature dedicated."""
    block = SimplexBlock(2)
    dedicated = sympy.Symbol("l_dedicated")
    row = block.row(0)
    first, second = sympy.symbols("l_1 l_2")
    first_formulas = active_set_formulas("l_1", b_other, row)
    extra_formula = Eq(dedicated, dedicated_output_loss(), evaluate=False)
    result = Eq(LOSS, first + second + r * dedicated)
    formulas = (result, *first_formulas, *_exchanged(first_formulas), extra_formula)
    pair = tuple((Integer(1), bias, gains) for _, bias, gains in block_outputs(2, {}))
    return Derivation(
        name="others-antipodal",
        title="Two others antipodal, the extra feature dedicated",
        statement=(
            "Two other features of importance 1 share a hidden dimension with opposite signs, "
            "(a, -c), and the extra feature has a dimension of its own, as have the remaining "
            "n - 3 features. The pair's loss is that of 'antipodal' at r = 1: l_1 is its other "
            "output, l_2 its extra one."
        ),
        symbols=(
            *(x for x in BLOCK_SYMBOLS if x.symbol in {p, r, a, c, b_other, b_extra}),
            Symbol(s, "norm of the extra feature's direction, > 0"),
            Symbol(b, "bias of the extra feature's output"),
        ),
        steps=(
            geometry_step(block, {}),
            separation_step(2, row),
            Step(
                "The first output, by which features are active (own, or 1: the other of "
                "the pair); the second has a and c, and the biases, exchanged.",
                first_formulas,
                (output_check(first_formulas, b_other, row),),
            ),
            Step(
                "The extra output is dedicated (derivation 'dedicated-output').",
                (extra_formula,),
                (output_check((extra_formula,), b, (s**2,)),),
            ),
            Step(
                "The canonical weights: unit norms and no bias.",
                (Eq(sympy.Symbol("L_canonical"), canonical_loss(2, includes_extra=False)),),
                (
                    identity(
                        "the free form at the canonical weights",
                        lambda: (
                            (block.loss().subs(r, 1) + r * dedicated_output_loss()).subs(
                                {a: 1, c: 1, s: 1, b: 0, b_other: 0, b_extra: 0}
                            )
                            - p**2 / 3
                        ),
                    ),
                ),
            ),
        ),
        result=(result,),
        source=SOURCE,
        checks=(
            whole_model_check(block, {}),
            *total_checks(formulas, (*pair, (r, b, (s**2,)))),
        ),
    )


def _exchanged(formulas: tuple[Eq, ...]) -> tuple[Eq, ...]:
    """Return the second output's formulas: norms and biases of the pair exchanged."""
    swapped = {a: c, c: a, b_other: b_extra, b_extra: b_other}
    swapped |= {f.lhs: sympy.Symbol(f.lhs.name.replace("l_1", "l_2", 1)) for f in formulas}
    return tuple(
        Eq(swapped[f.lhs], f.rhs.subs(swapped, simultaneous=True), evaluate=False) for f in formulas
    )
