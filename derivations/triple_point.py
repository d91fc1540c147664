"""Where, at equal importances, the triangle takes over from the antipodal pair: algebraically.

With r = 1 all features of a block of k are alike: W^T W has A on its diagonal and
-A/(k - 1) beside it, and all biases are one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import mpmath
import sympy
from mpmath.ctx_iv import MPIntervalContext
from sympy import Eq, Expr, Integer, Poly, Rational, symbols

from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.direct_integral import exact_output_loss
from derivations.powers import by_powers
from derivations.simplex import p
from derivations.truncated_power import PositivePart, output_loss

A, beta = symbols("A beta", positive=True)
beta_pair, beta_triangle = symbols("beta_2 beta_3", positive=True)

# beta = b/A within which no corner value changes sign: the cell of each block
CELLS = {2: (Integer(0), Integer(1)), 3: (Integer(0), Rational(1, 2))}
# the root lies between these, and each beta where its polynomial is isolated
BRACKET = (Rational(521837659070, 10**12), Rational(521837659072, 10**12))
_NARROW = Rational(1, 10**40)
_DENSITIES = (Rational(1, 3), Rational(1, 2), Rational(3, 5), Rational(1))
_DIGITS = 30


@lru_cache
def coefficients(k: int) -> tuple[Expr, Expr]:
    """Return sigma and rho: an output costs p/3 - A sigma(beta) + A^2 rho(beta) in its cell."""
    low, high = CELLS[k]
    gains = [A, *[-A / (k - 1)] * (k - 1)]
    loss = output_loss(p, beta * A, gains)
    middle = {beta: (low + high) / 2, A: Integer(1)}
    loss = loss.replace(PositivePart, lambda value: value if value.subs(middle) > 0 else Integer(0))
    expanded = Poly(sympy.expand(sympy.simplify(loss)), A)
    if expanded.degree() != 2 or sympy.expand(expanded.coeff_monomial(1) - p / 3) != 0:
        raise ValueError(f"the output loss of {k} features is not quadratic in A: {expanded}")
    sigma, rho = -expanded.coeff_monomial(A), expanded.coeff_monomial(A**2)
    return sympy.factor(sigma), sympy.factor(rho)


def gain(k: int) -> Expr:
    """Return by how much the best A lowers an output's loss below p/3."""
    sigma, rho = coefficients(k)
    return sigma**2 / (4 * rho)


def stationarity(k: int) -> Poly:
    """Return the polynomial in beta, of degree 7 or 9, that vanishes at the best bias."""
    sigma, rho = coefficients(k)
    numerator = sympy.expand(240**2 * (2 * sigma.diff(beta) * rho - sigma * rho.diff(beta)))
    return Poly(numerator, beta).primitive()[1]


def condition() -> Expr:
    """Return 2 (p/3 - gain of a pair) - 3 (p/3 - gain of a triangle): 0 where they tie."""
    pair, triangle = gain(2).subs(beta, beta_pair), gain(3).subs(beta, beta_triangle)
    return 3 * triangle - 2 * pair - p / 3


def best_beta(k: int, density: Rational) -> tuple[Rational, Rational]:
    """Return rational bounds of the root of `stationarity` in the cell with the largest gain."""
    low, high = CELLS[k]
    polynomial = Poly(stationarity(k).as_expr().subs(p, density), beta)
    roots = [
        bounds
        for bounds, _ in polynomial.intervals(eps=_NARROW)
        if low < bounds[0] and bounds[1] < high
    ]
    if not roots:
        raise ValueError(f"no stationary bias in the cell at density {density}")
    return max(roots, key=lambda bounds: gain(k).subs({p: density, beta: bounds[0]}))


def tie(density: Rational) -> tuple[mpmath.mpf, mpmath.mpf]:
    """Return rigorous bounds of `condition` at a density, by interval arithmetic."""
    intervals = MPIntervalContext()
    intervals.dps = 50
    exact = intervals.mpf(int(density.p)) / int(density.q)
    gains = []
    for k in (2, 3):
        bounds = [intervals.mpf(int(bound.p)) / int(bound.q) for bound in best_beta(k, density)]
        box = intervals.mpf([bounds[0].a, bounds[1].b])
        above, below = sympy.fraction(sympy.together(gain(k)))
        gains.append(_evaluate(above, exact, box) / _evaluate(below, exact, box))
    value = 3 * gains[1] - 2 * gains[0] - exact / 3
    return value.a, value.b


def _evaluate(polynomial: Expr, density: Any, ratio: Any) -> Any:
    """Return the interval of a polynomial with integer coefficients in p and beta."""
    terms = Poly(polynomial, p, beta).terms()
    return sum(int(factor) * density**i * ratio**j for (i, j), factor in terms)


@lru_cache
def root() -> sympy.Float:
    """Return the density at which both losses agree, to 30 digits."""
    start = (BRACKET[0] + BRACKET[1]) / 2
    with mpmath.workdps(_DIGITS + 10):
        guess = [mpmath.mpf(int(start.p)) / int(start.q)]
        guess += [
            mpmath.mpf(int(best_beta(k, start)[0].p)) / int(best_beta(k, start)[0].q)
            for k in (2, 3)
        ]
        equations = sympy.lambdify(
            (p, beta_pair, beta_triangle),
            [
                condition(),
                stationarity(2).as_expr().subs(beta, beta_pair),
                stationarity(3).as_expr().subs(beta, beta_triangle),
            ],
            "mpmath",
        )
        solution = mpmath.findroot(lambda *x: equations(*x), guess)
        return sympy.Float(mpmath.nstr(solution[0], _DIGITS), _DIGITS)


def _gain_of(k: str) -> Expr:
    """Return `gain` in the names that are displayed."""
    sigma, rho = symbols(f"sigma_{k} rho_{k}")
    return sigma**2 / (4 * rho)


def triple_point() -> Derivation:
    """Return the derivation of the triple point antipodal, others-antipodal, triangle at r = 1."""
    pair, triangle = coefficients(2), coefficients(3)
    return Derivation(
        name="triple-point",
        title="Triangle or antipodal pair at equal importances",
        statement=(
            "For n = 3, m = 2 and r = 1 the loss of the best triangle of equal norms equals that "
            "of the best antipodal pair of equal norms, with the third feature dedicated, at the "
            "density p, a root of three polynomial equations in p and the ratios of bias to "
            "squared norm of both."
        ),
        symbols=(
            Symbol(p, "density: probability that a feature is active, in (0, 1]"),
            Symbol(A, "squared norm of each feature's direction in the block"),
            Symbol(
                beta, "bias of each output over A; 0 < beta < 1 for a pair, < 1/2 for a triangle"
            ),
            Symbol(beta_pair, "beta of the pair"),
            Symbol(beta_triangle, "beta of the triangle"),
        ),
        steps=(
            Step(
                "With the bias proportional to A, pre-activations are, and an output's loss is "
                "quadratic in A: p/3 - A sigma + A^2 rho. For a pair and for a triangle:",
                (
                    Eq(symbols("sigma_2"), by_powers(pair[0], beta)),
                    Eq(symbols("rho_2"), by_powers(pair[1], beta)),
                    Eq(symbols("sigma_3"), by_powers(triangle[0], beta)),
                    Eq(symbols("rho_3"), by_powers(triangle[1], beta)),
                ),
                (Check("direct integrals", _direct_integrals),),
            ),
            Step(
                "The best A is sigma/(2 rho), and lowers the loss to p/3 - sigma^2/(4 rho).",
                (
                    Eq(symbols("g_2"), _gain_of("2")),
                    Eq(symbols("g_3"), _gain_of("3")),
                ),
                (identity("completing the square", _square),),
            ),
            Step(
                "The best beta is a root of 2 sigma' rho - sigma rho' = 0, of degree 7 for a pair "
                "and 9 for a triangle.",
                tuple(
                    Eq(Integer(0), by_powers(stationarity(k).as_expr(), beta).subs(beta, ratio))
                    for k, ratio in ((2, beta_pair), (3, beta_triangle))
                ),
                (
                    identity("derivative of the pair's gain", lambda: _slope(2)),
                    identity("derivative of the triangle's gain", lambda: _slope(3)),
                ),
            ),
            Step(
                "Two outputs of the pair, the third costs nothing; three of the triangle: the "
                "losses agree where 3 g_3 - 2 g_2 = p/3. The difference changes sign between two "
                "rational densities, so that a root lies between.",
                (Eq(3 * symbols("g_3") - 2 * symbols("g_2"), p / 3),),
                (Check("signs at both ends, in interval arithmetic", _sign_change),),
            ),
        ),
        result=(Eq(p, root()),),
        source="Elhage et al. (2022) leave joint superposition of all three features out",
        checks=(Check("the losses at the root, direct integrals", _direct_losses),),
    )


def _direct_integrals() -> Outcome:
    for k, (low, high) in CELLS.items():
        sigma, rho = coefficients(k)
        for density in _DENSITIES:
            for share in (Rational(1, 5), Rational(2, 3)):
                ratio, norm = low + share * (high - low), Rational(5, 6)
                closed = (density / 3 - norm * sigma + norm**2 * rho).subs(
                    {p: density, beta: ratio}
                )
                gains = [norm, *[-norm / (k - 1)] * (k - 1)]
                if closed != exact_output_loss(density, ratio * norm, gains):
                    return False, f"{k} features differ at p = {density}, beta = {ratio}"
    return True, f"2 blocks at {2 * len(_DENSITIES)} points, exact"


def _square() -> Expr:
    sigma, rho = coefficients(3)
    best = sigma / (2 * rho)
    return -best * sigma + best**2 * rho + gain(3)


def _slope(k: int) -> Expr:
    sigma, rho = coefficients(k)
    factor = sympy.cancel(
        stationarity(k).as_expr() / (2 * sigma.diff(beta) * rho - sigma * rho.diff(beta))
    )
    return gain(k).diff(beta) * 4 * rho**2 * factor - sigma * stationarity(k).as_expr()


def _sign_change() -> Outcome:
    below, above = (tie(density) for density in BRACKET)
    # the larger the density, the better the triangle
    holds = below[1] < 0 < above[0]
    return bool(holds), f"{float(below[1].mid):.1e} < 0 < {float(above[0].mid):.1e}"


def _direct_losses() -> Outcome:
    density = Rational(str(root()))
    losses = []
    for k in (2, 3):
        ratio = best_beta(k, density)[0]
        sigma, rho = (term.subs({p: density, beta: ratio}) for term in coefficients(k))
        norm = Rational(sigma / (2 * rho)).limit_denominator(10**30)
        gains = [norm, *[-norm / (k - 1)] * (k - 1)]
        losses.append(k * exact_output_loss(density, ratio * norm, gains))
    difference = abs(sympy.N(losses[0] - losses[1], 5))
    return bool(difference < Rational(1, 10**28)), f"they differ by {difference}"
