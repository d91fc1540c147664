"""Which interference penalty ends superposition: (2, 1), the loss plus lambda 2 (W_1 . W_2)^2."""

from __future__ import annotations

from itertools import pairwise

import mpmath
import sympy
from sympy import Eq, Expr, Integer, Rational, symbols

from derivations import stability as without
from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.powers import by_powers
from derivations.simplex import p, r
from derivations.stability import beta, c, eta, u

penalty = symbols("lambda", positive=True)

SOURCE = (
    "MAIS-O51, 'for which penalty on interference does superposition disappear?'; "
    "derived here from the derivation 'stability'."
)


def penalty_term(order: int) -> Expr:
    """Return the c^order term of 2 (W_1 . W_2)^2 at W = (1 + c u/2, -c)."""
    return sympy.expand(2 * (c * (1 + c * u / 2)) ** 2).coeff(c, order)


def critical_penalty() -> Expr:
    """Return lambda_c(p): at r = 1 *ignored* is a minimum above it and a saddle below."""
    return without.variance() * (1 - without.stability_limit()) / 2


def cubic_coefficient() -> Expr:
    """Return K(p, beta) at r = 1 on lambda_c: that without penalty, at r = 1, and 2 lambda u."""
    line = without.reduced_cost() / without.variance()
    extra = sympy.simplify(without.extra_output(3).subs(eta, p / 2))
    critical = without.variance() * (1 - line) / 2
    added = (1 - line) * extra + critical * penalty_term(3)
    return by_powers(without.cubic_coefficient() + added.subs(u, without.best_weight()), beta)


def tricritical_density(digits: int = 30) -> Expr:
    """Return the density at which the continuous end of superposition turns first order."""
    at_best = sympy.lambdify(p, cubic_coefficient().subs(beta, without.best_bias()), "mpmath")
    with mpmath.workdps(digits + 10):
        low, high = _sign_change(at_best)
        return sympy.Float(mpmath.findroot(at_best, (low, high), solver="anderson"), digits)


def interference_penalty() -> Derivation:
    """Return the derivation of lambda_c."""
    line, cost = sympy.Symbol("lambda_c"), sympy.Symbol("V")
    limit = sympy.Symbol("r_c")
    return Derivation(
        name="interference-penalty",
        title="Which penalty on interference ends superposition",
        statement=(
            "For n = 2, m = 1 and the loss L + 2 lambda (W_1 . W_2)^2, ignoring the extra feature "
            "is a local minimum if and only if r < r_c(p) + 2 lambda / V, with r_c(p) that "
            "without penalty. So at r = 1 superposition that ends continuously ends at "
            "lambda_c = V (1 - r_c) / 2. Where the cubic term K is positive it does."
        ),
        symbols=(
            Symbol(p, "density of both features, in (0, 1)"),
            Symbol(r, "relative importance of the extra feature"),
            Symbol(penalty, "penalty"),
            Symbol(c, "norm of the extra feature, small: W = (1 + c u/2, -c)"),
            Symbol(u, "response of the first gain"),
            Symbol(beta, "response of the first bias: b_1 = c beta"),
        ),
        steps=(
            Step(
                "The penalty is 2 lambda c^2 to second order in c, whatever the responses u and "
                "beta: they stay what they are without it, for either sign of the second weight.",
                (Eq(sympy.Symbol("P"), penalty * (penalty_term(2) * c**2)),),
                (
                    identity("second order", lambda: penalty_term(2) - 2),
                    identity("no first order", lambda: penalty_term(1)),
                ),
            ),
            Step(
                "So the change of the loss is c^2 (F - r V + 2 lambda), F = r_c V from the "
                "derivation 'stability', and vanishes at one importance; at r = 1 at one penalty.",
                (
                    Eq(r, limit + 2 * penalty / cost),
                    Eq(line, cost * (1 - limit) / 2),
                ),
                (
                    identity(
                        "the change vanishes there",
                        lambda: limit * cost - (limit + 2 * penalty / cost) * cost + 2 * penalty,
                    ),
                    Check("direct integrals at small c, r = 1", _against_direct),
                    Check("0 < lambda_c < V / 2", _in_range),
                ),
            ),
            Step(
                "The order of the change: K gains 2 lambda u from the penalty. It is positive "
                "below one tricritical density.",
                (
                    Eq(sympy.Symbol("K"), cubic_coefficient()),
                    Eq(sympy.Symbol("p_t"), sympy.Float(tricritical_density(), 15)),
                ),
                (Check("direct integrals at small c", _cubic_against_direct),),
            ),
        ),
        result=(Eq(line, cost * (1 - limit) / 2),),
        source=SOURCE,
        checks=(Check("0 < K below p_t, negative above, on a grid", _signs),),
    )


def _sign_change(function: sympy.FunctionClass) -> tuple[float, float]:
    grid = [Rational(k, 200) for k in range(100, 200)]
    signs = [function(density) > 0 for density in grid]
    (found,) = (k for k, (one, other) in enumerate(pairwise(signs)) if one != other)
    return float(grid[found]), float(grid[found + 1])


_DENSITIES = (Rational(2, 5), Rational(7, 10), Rational(9, 10))
_NORMS = tuple(Rational(1, 10**k) for k in (3, 4))


def _change(norm: Rational, values: dict[Expr, Rational], strength: Rational) -> Rational:
    """Return by how much the loss with penalty at r = 1 exceeds that of ignoring."""
    first, second = without._losses(norm, values)
    product = norm * (1 + norm * values[u] / 2)
    return first + second - without.variance().subs(values) + 2 * strength * product**2


def _responses(density: Rational) -> dict[Expr, Rational]:
    bias = Rational(sympy.N(without.best_bias().subs(p, density), 25))
    values = {p: density, beta: bias, eta: density / 2}
    values[u] = without.best_weight().subs(values)
    return values


def _critical_at(values: dict[Expr, Rational]) -> Rational:
    line = without.reduced_cost().subs(values) / without.variance().subs(values)
    return without.variance().subs(values) * (1 - line) / 2


def _against_direct() -> Outcome:
    """At lambda_c the change is of third order; a little beside, its sign tells the side."""
    for density in _DENSITIES:
        values = _responses(density)
        critical = _critical_at(values)
        for share, sign in ((Rational(99, 100), -1), (Rational(101, 100), 1)):
            change = _change(Rational(1, 10**6), values, critical * share)
            if change * sign <= 0:
                return False, f"wrong sign at p = {density}"
        if abs(_change(Rational(1, 10**6), values, critical)) > Rational(1, 10**17):
            return False, f"not of third order at p = {density}"
    return True, f"{len(_DENSITIES)} densities"


def _cubic_against_direct() -> Outcome:
    worst = Integer(0)
    for density in _DENSITIES:
        values = _responses(density)
        rest = [_change(norm, values, _critical_at(values)) / norm**3 for norm in _NORMS]
        limit = (10 * rest[1] - rest[0]) / 9
        worst = max(worst, abs(limit - cubic_coefficient().subs(values)))
    return worst < Rational(1, 10**6), f"3 densities, max error {float(worst):.1e}"


def _in_range() -> Outcome:
    grid = [Rational(k, 10) for k in range(1, 10)]
    values = [float(critical_penalty().subs(p, density)) for density in grid]
    halves = [float(without.variance().subs(p, density)) / 2 for density in grid]
    inside = all(0 < v < half for v, half in zip(values, halves, strict=True))
    return inside, f"9 densities, at most {max(values):.4f}"


def _signs() -> Outcome:
    at_best = sympy.lambdify(p, cubic_coefficient().subs(beta, without.best_bias()), "mpmath")
    turn = float(tricritical_density())
    grid = [k / 100 for k in range(50, 100)]
    right = all((at_best(density) > 0) == (density < turn) for density in grid)
    return right, f"K = 0 at p = {turn:.10f}"
