"""Checks of the formulas that a derivation displays, by putting numbers into them.

A check of the function that builds a formula says nothing about what is printed; these take
the displayed equations themselves.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import mpmath
import sympy
from sympy import Eq, Expr, Integer, Rational

from derivations.cells import cells
from derivations.derivation import Check, Outcome
from derivations.direct_integral import exact_output_loss, quadrature_output_loss
from derivations.oracles import DENSITIES, QUADRATURE_TOLERANCE

Values = Mapping[Expr, Expr]


def value_of(formulas: Sequence[Eq], values: Values) -> Expr:
    """Return the right side of the first formula at the given values.

    Parameters
    ----------
    formulas : sequence of Eq
        Each may refer to the left sides of those after it.
    values : mapping of symbols to exact numbers
        Must leave no symbol free.
    """
    known: dict[Expr, Expr] = {}
    for formula in reversed(formulas):
        known[formula.lhs] = formula.rhs.subs(values).subs(known)
    return known[formulas[0].lhs]


def displayed_in_every_cell(
    formulas: Sequence[Eq],
    density: Expr,
    bias: Expr,
    row: Sequence[Expr],
    samples: Mapping[Expr, Sequence[Rational]],
) -> Check:
    """Compare one output's displayed loss with direct integration in every cell.

    Parameters
    ----------
    formulas : sequence of Eq
        The output's loss first, then what it refers to.
    density, bias : Expr
        Their symbols.
    row : sequence of Expr
        The output's gains, its own feature first.
    samples : mapping
        Values of each parameter of the row, enough of them to meet every cell.
    """
    rows = _sampled_rows(row, samples)

    def run() -> Outcome:
        count = 0
        for bias_value, gains in cells(rows):
            for density_value in DENSITIES:
                values = {**rows[tuple(gains)], bias: bias_value, density: density_value}
                direct = exact_output_loss(density_value, bias_value, gains)
                if value_of(formulas, values) != direct:
                    return False, f"differs at {values}"
            count += 1
        return count > 0, f"{count} cells, exact"

    return Check("the displayed formula = direct integral in every cell", run)


def _sampled_rows(
    row: Sequence[Expr], samples: Mapping[Expr, Sequence[Rational]]
) -> dict[tuple[Expr, ...], dict[Expr, Expr]]:
    rows = {}
    for chosen in product(*samples.values()):
        values: dict[Expr, Expr] = dict(zip(samples, chosen, strict=True))
        rows[tuple(sympy.sympify(entry).subs(values) for entry in row)] = values
    return rows


Output = tuple[Expr, Expr, tuple[Expr, ...]]
"""Importance, bias and gains (own feature first) of one output, in the symbols of a formula."""


def displayed_total_exactly(
    formulas: Sequence[Eq],
    density: Expr,
    outputs: Sequence[Output],
    points: int,
    draw: Callable[[random.Random], Values],
) -> Check:
    """Compare a displayed total loss with the sum of exact integrals over all outputs.

    Parameters
    ----------
    formulas : sequence of Eq
        The loss first, then what it refers to.
    density : Expr
        Its symbol.
    outputs : sequence of (importance, bias, gains)
    points : int
        How many rational points to compare at.
    draw : callable
        Returns rational values of every symbol.
    """

    def run() -> Outcome:
        source = random.Random(5)
        for _ in range(points):
            values = draw(source)
            direct = sum(
                (
                    _at(importance, values)
                    * exact_output_loss(
                        values[density], _at(bias, values), [_at(gain, values) for gain in gains]
                    )
                    for importance, bias, gains in outputs
                ),
                Integer(0),
            )
            if value_of(formulas, values) != direct:
                return False, f"differs at {values}"
        return points > 0, f"{len(outputs)} outputs at {points} rational points, exact"

    return Check("the displayed loss = direct integrals over all outputs", run)


def displayed_total_by_quadrature(
    formulas: Sequence[Eq],
    density: Expr,
    outputs: Sequence[Output],
    points: int,
    draw: Callable[[random.Random], Values],
) -> Check:
    """Compare a displayed total loss with adaptive quadrature over all outputs, to 1e-12.

    The parameters are those of `displayed_total_exactly`.
    """

    def run() -> Outcome:
        source = random.Random(6)
        worst = 0.0
        for _ in range(points):
            values = draw(source)
            with mpmath.workdps(20):
                numeric = mpmath.mpf(0)
                for importance, bias, gains in outputs:
                    loss = quadrature_output_loss(
                        _mpf(values[density]),
                        _mpf(_at(bias, values)),
                        [_mpf(_at(gain, values)) for gain in gains],
                    )
                    numeric += _mpf(_at(importance, values)) * loss
                worst = max(worst, abs(float(_mpf(value_of(formulas, values)) - numeric)))
        passed = points > 0 and worst < QUADRATURE_TOLERANCE
        return passed, f"{points} points, max error {worst:.1e}"

    return Check("the displayed loss = adaptive quadrature", run)


def _at(expression: Expr, values: Values) -> Expr:
    return sympy.sympify(expression).subs(values)


def _mpf(value: Expr) -> mpmath.mpf:
    return mpmath.mpf(int(value.p)) / int(value.q)


def rational_between(source: random.Random, low: float, high: float) -> Rational:
    """Return a random rational number with a denominator of 64."""
    return Rational(source.randint(round(64 * low), round(64 * high)), 64)


def written_out(formula: Expr, values: Mapping[sympy.Symbol | str, Any]) -> Expr:
    """Return a formula with sums over symbolic indices written out.

    Parameters
    ----------
    formula : Expr
        With `Sum` and `Product` whose limits are symbols, over indexed symbols.
    values : mapping
        A number for each symbol in the limits, and for the name of each `IndexedBase` a
        function of the indices, which count from 1.
    """
    numbers = {key: value for key, value in values.items() if isinstance(key, sympy.Symbol)}
    return (
        formula.subs(numbers)
        .doit()
        .replace(
            lambda e: isinstance(e, sympy.Indexed),
            lambda e: values[str(e.base)](*map(int, e.indices)),
        )
    )
