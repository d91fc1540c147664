"""The extra feature ignored, all others dedicated."""

from __future__ import annotations

import sympy
from sympy import Eq, Integer, symbols

from derivations.configuration import (
    LOSS,
    SOURCE,
    loss_symbols,
    output_check,
    total_checks,
)
from derivations.dedicated import (
    b,
    dedicated_output_loss,
    ignored_output_loss,
    ignored_step,
    s,
)
from derivations.derivation import Derivation, Step, Symbol, identity
from derivations.displayed import Output
from derivations.simplex import b_extra, canonical_loss, p, r

n = symbols("n", integer=True, positive=True)


def ignored() -> Derivation:
    """Return the derivation of the configuration."""
    loss = sympy.Symbol("l_dedicated")
    free = (n - 1) * dedicated_output_loss() + r * ignored_output_loss(b_extra)
    dedicated_formula = Eq(loss, dedicated_output_loss(), evaluate=False)
    result = Eq(LOSS, (n - 1) * loss + r * ignored_output_loss(b_extra), evaluate=False)
    return Derivation(
        name="ignored",
        title="The extra feature ignored",
        statement=(
            "The extra feature's direction is 0, its output the constant ReLU(b_e). The other "
            "n - 1 features have a dimension each, of norm s and bias b."
        ),
        symbols=loss_symbols(
            Symbol(n, "number of features; n - 1 hidden dimensions"),
            Symbol(s, "norm of the other features' directions, > 0"),
            Symbol(b, "bias of the other features' outputs"),
            Symbol(b_extra, "bias of the extra feature's output"),
        ),
        steps=(
            Step(
                "Each other output is dedicated (derivation 'dedicated-output').",
                (dedicated_formula,),
                (output_check((dedicated_formula,), b, (s**2,)),),
            ),
            ignored_step(b_extra),
            Step(
                "The canonical weights: norm 1, bias 0, and bias p/2 for the ignored feature.",
                (Eq(sympy.Symbol("L_canonical"), canonical_loss(1, includes_extra=True)),),
                (
                    identity(
                        "the free form at the canonical weights",
                        lambda: free.subs({s: 1, b: 0, b_extra: p / 2}) - r * (p / 3 - p**2 / 4),
                    ),
                ),
            ),
        ),
        result=(result,),
        source=SOURCE,
        checks=tuple(
            check
            for size in (2, 3)
            for check in total_checks((result.subs(n, size), dedicated_formula), _outputs(size))
        ),
    )


def _outputs(size: int) -> tuple[Output, ...]:
    """Return the outputs of `size` features, the extra one ignored."""
    rest = (Integer(0),) * (size - 1)
    return (
        *((Integer(1), b, (s**2, *rest)) for _ in range(size - 1)),
        (r, b_extra, (Integer(0), *rest)),
    )
