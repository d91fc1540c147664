"""The extra feature ignored, all others dedicated."""

from __future__ import annotations

import random

import sympy
from sympy import Eq, Integer, Rational, symbols

from derivations.configuration import LOSS, SOURCE, loss_symbols
from derivations.dedicated import (
    b,
    dedicated_output_loss,
    ignored_output_loss,
    ignored_step,
    s,
)
from derivations.derivation import Derivation, Step, Symbol, identity
from derivations.oracles import exact_in_every_cell, quadrature_at_random_points
from derivations.simplex import b_extra, canonical_loss, p, r
from derivations.truncated_power import output_loss

n = symbols("n", integer=True, positive=True)


def ignored() -> Derivation:
    """Return the derivation of the configuration."""
    loss = sympy.Symbol("l_dedicated")
    free = (n - 1) * dedicated_output_loss() + r * ignored_output_loss(b_extra)
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
                (Eq(loss, dedicated_output_loss(), evaluate=False),),
                (exact_in_every_cell(output_loss, [(Rational(i, 7) ** 2,) for i in (3, 6, 9)]),),
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
        result=(Eq(LOSS, (n - 1) * loss + r * ignored_output_loss(b_extra), evaluate=False),),
        source=SOURCE,
        checks=(
            quadrature_at_random_points(output_loss, _random_row, points=10),
            exact_in_every_cell(output_loss, [(Integer(0), Integer(0), Integer(0))]),
        ),
    )


def _random_row(source: random.Random) -> list[float]:
    return [0.0, 0.0] if source.random() < 0.5 else [source.uniform(0.2, 1.5), 0.0]
