"""Checks of a closed form against direct integration: exact in every cell, and numeric."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

import mpmath
from sympy import Expr, Float, Rational

from derivations.cells import Gains, cells
from derivations.derivation import Check, Outcome
from derivations.direct_integral import exact_output_loss, quadrature_output_loss

ClosedForm = Callable[[Expr, Expr, Sequence[Expr]], Expr]

DENSITIES = (Rational(3, 7), Rational(1))
QUADRATURE_TOLERANCE = 1e-12


def exact_in_every_cell(closed_form: ClosedForm, gain_samples: Iterable[Gains]) -> Check:
    """Compare with direct symbolic integration at a rational point of every cell.

    Parameters
    ----------
    closed_form : callable
        ``closed_form(density, bias, gains)``, the own feature first among the gains.
    gain_samples : iterable of gains
        Rows of the configuration at enough scales to meet every cell.
    """
    samples = list(gain_samples)

    def run() -> Outcome:
        count = 0
        for bias, gains in cells(samples):
            for density in DENSITIES:
                direct = exact_output_loss(density, bias, gains)
                if closed_form(density, bias, gains) != direct:
                    return False, f"differs at p={density}, b={bias}, gains={gains}"
            count += 1
        return count > 0, f"{count} cells, exact"

    return Check("closed form = direct integral in every cell", run)


def quadrature_at_random_points(
    closed_form: ClosedForm, row: Callable[[random.Random], Sequence[float]], points: int
) -> Check:
    """Compare with adaptive quadrature at random gains, biases and densities, to 1e-12."""

    def run() -> Outcome:
        source = random.Random(0)
        worst = 0.0
        for _ in range(points):
            gains = list(row(source))
            density, bias = source.uniform(0.05, 1), source.uniform(-0.6, 0.6)
            with mpmath.workdps(20):
                numeric = quadrature_output_loss(density, bias, gains)
                closed = closed_form(
                    _exact_float(density), _exact_float(bias), [_exact_float(g) for g in gains]
                )
                worst = max(worst, abs(float(mpmath.mpf(closed.p) / closed.q - numeric)))
        return worst < QUADRATURE_TOLERANCE, f"{points} points, max error {worst:.1e}"

    return Check("closed form = adaptive quadrature", run)


def _exact_float(value: float) -> Rational:
    """Return the rational number that a float is, so that no digit is lost to rounding."""
    return (
        Rational(Float(value, 20))
        if isinstance(value, Expr)
        else Rational(*value.as_integer_ratio())
    )
