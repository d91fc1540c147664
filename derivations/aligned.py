"""Where a minimum in which the extra feature is aligned with another ends, for n = 2.

The expansion of `derivations.stability` with the other sign, W = (1 + c u/2, c): the first bias
responds by -c sigma, and everything is a rational function of p.
"""

from __future__ import annotations

import sympy
from sympy import Eq, Expr, Integer, Rational, integrate

from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.direct_integral import exact_output_loss
from derivations.simplex import p, r
from derivations.stability import (
    aligned_cost,
    aligned_weight,
    c,
    eta,
    extra_output,
    mean,
    sigma,
    u,
    variance,
    x,
    y,
)

SOURCE = (
    "Elhage et al., Toy Models of Superposition (2022), section 'Superposition as a Phase "
    "Change', does not consider features in the same direction; derived here."
)
BEST_BIAS = Rational(1, 2)
_NORMS = tuple(Rational(1, 10**k) for k in (3, 4))
_DENSITIES = tuple(Rational(k, 10) for k in (1, 4, 7, 9))


def aligned_limit() -> Expr:
    """Return r_+(p), at which *aligned* begins with an extra feature of norm 0."""
    return sympy.factor(aligned_cost().subs(sigma, BEST_BIAS) / variance())


def aligned_cubic() -> Expr:
    """Return K_+(p): the c^3 term of the loss along the first-order responses, at r_+.

    Positive: the norm c of *aligned* grows from 0 in proportion to r - r_+.
    """
    # (1 + c u/2)^2 and c (1 + c u/2) to second order
    first = 2 * (u * x + y - sigma) * (u**2 / 4 * x + u / 2 * y)
    active = integrate(sympy.expand(mean(first, y)), (x, 0, 1))
    inactive = p * integrate(sympy.expand(2 * (y - sigma) * u / 2 * y), (y, sigma, 1))
    # where Z < 0 although the first feature is active: x < c (sigma - y)
    below = p * integrate((sigma - y) ** 3, (y, 0, sigma)) + (1 - p) * sigma**3
    switched_off = -Rational(2, 3) * p * below
    extra = aligned_limit() * extra_output(3, 1).subs(eta, -p / 2)
    total = p * active + (1 - p) * inactive + switched_off + extra
    return sympy.factor(total.subs(u, aligned_weight()).subs(sigma, BEST_BIAS))


def tricritical_point() -> tuple[Expr, Expr]:
    """Return (p, r) on r_+ at which K_+ = 0, p as a root of a cubic polynomial."""
    cubic = sympy.Poly(sympy.numer(aligned_cubic()) / p, p)
    (density,) = (root for root in cubic.real_roots() if 0 < root < 1)
    return density, aligned_limit().subs(p, density)


def aligned() -> Derivation:
    """Return the derivation of r_+(p) and of how *aligned* ends there."""
    line, cubic = sympy.Symbol("r_+"), sympy.Symbol("K_+")
    density, importance = tricritical_point()
    return Derivation(
        name="aligned",
        title="Where the extra feature stops being aligned with another",
        statement=(
            "For n = 2 the minimum W = (a, c) with a, c > 0 ends on the line r_+(p), where c goes "
            "to 0 in proportion to r - r_+, for all p below a tricritical density of 0.8787; for "
            "denser features it ends in a fold below the line. Ignoring the extra feature has "
            "lost its stability before: r_+ > r_c."
        ),
        symbols=(
            Symbol(p, "density of every feature, in (0, 1)"),
            Symbol(r, "relative importance of the extra feature"),
            Symbol(c, "norm of the extra feature, small: W = (1 + c u/2, c)"),
            Symbol(u, "response of the first gain: |W_1|^2 = 1 + c u + ..."),
            Symbol(sigma, "response of the first bias: b_1 = -c sigma"),
            Symbol(eta, "response of the second bias: b_2 = p/2 + c eta"),
        ),
        steps=(
            Step(
                "The second output gains as with the other sign, its bias responding by "
                "eta = -p/2.",
                (Eq(sympy.Symbol("l_2"), variance() * (1 - c**2)),),
                (
                    identity("no first-order term", lambda: extra_output(1, 1)),
                    identity(
                        "second order at the best eta",
                        lambda: extra_output(2, 1).subs(eta, -p / 2) + variance(),
                    ),
                    identity(
                        "eta = -p/2 is the best",
                        lambda: extra_output(2, 1).diff(eta).subs(eta, -p / 2),
                    ),
                ),
            ),
            Step(
                "The first output loses c^2 Q_+(sigma) at its best gain. Q_+ is convex and least "
                "at sigma = 1/2, whatever p.",
                (
                    Eq(u, aligned_weight()),
                    Eq(sympy.Symbol("Q_+"), sympy.collect(aligned_cost(), sigma)),
                ),
                (
                    identity(
                        "stationary at sigma = 1/2",
                        lambda: aligned_cost().diff(sigma).subs(sigma, BEST_BIAS),
                    ),
                    Check("direct integrals at small c", _cost_against_direct),
                    Check("no other response does better", _responses_are_best),
                ),
            ),
            Step(
                "The line r_+ = Q_+(1/2) / V runs from 5/16 at p = 0 to 1 at p = 1. Since "
                "Q_+(1/2) = F_+ exceeds F (derivation 'stability'), it lies above r_c.",
                (Eq(line, aligned_limit()),),
                (Check("limits", _limits),),
            ),
            Step(
                "The c^3 term along these responses, at r_+, changes sign at one density.",
                (
                    Eq(cubic, aligned_cubic()),
                    Eq(sympy.Symbol("p_+"), sympy.N(density, 20)),
                    Eq(sympy.Symbol("r_p+"), sympy.N(importance, 20)),
                ),
                (
                    Check("direct integrals at small c", _cubic_against_direct),
                    Check("one sign change in 0 < p < 1", _one_tricritical_point),
                ),
            ),
        ),
        result=(Eq(line, aligned_limit()), Eq(cubic, aligned_cubic())),
        source=SOURCE,
    )


def _losses(norm: Rational, values: dict[Expr, Expr]) -> tuple[Rational, Rational]:
    """Return the exact losses of both outputs at W = (1 + c u/2, c)."""
    weight = 1 + norm * values[u] / 2
    first = exact_output_loss(values[p], -norm * values[sigma], [weight**2, norm * weight])
    bias = values[p] / 2 + norm * values[eta]
    return first, exact_output_loss(values[p], bias, [norm**2, norm * weight])


def _responses(density: Rational, bias: Rational = BEST_BIAS) -> dict[Expr, Expr]:
    gain = aligned_weight().subs({p: density, sigma: bias})
    return {p: density, u: gain, sigma: bias, eta: -density / 2}


def _cost_against_direct() -> Outcome:
    """Extrapolate l_1 / c^2 to c = 0 from two small norms; the error left is of order c^2."""
    biases = [Rational(k, 5) for k in (1, 2, 4)]
    for values in (_responses(density, bias) for density in _DENSITIES for bias in biases):
        ratios = [_losses(norm, values)[0] / norm**2 for norm in _NORMS]
        limit = (10 * ratios[1] - ratios[0]) / 9
        if abs(limit - aligned_cost().subs(values)) > Rational(1, 10**6):
            return False, f"differs at {values}"
    return True, "12 rational points, to 1e-6"


def _responses_are_best() -> Outcome:
    """Shift each response, by direct integrals."""
    norm = Rational(1, 10**6)
    for density in _DENSITIES:
        values = _responses(density)
        lowest = _losses(norm, values)[0]
        for shift in (Rational(-1, 1000), Rational(1, 1000)):
            for symbol in (u, sigma):
                if _losses(norm, {**values, symbol: values[symbol] + shift})[0] < lowest:
                    return False, f"{symbol} is not the best at p = {density}"
    return True, f"{len(_DENSITIES)} densities"


def _limits() -> Outcome:
    ends = aligned_limit().subs(p, 0), aligned_limit().subs(p, 1)
    return ends == (Rational(5, 16), Integer(1)), f"r_+(0) = {ends[0]}, r_+(1) = {ends[1]}"


def _cubic_against_direct() -> Outcome:
    """The c^3 term of l_1 + r l_2 at the first-order responses is K_+."""
    worst = Integer(0)
    for density in _DENSITIES:
        values = _responses(density)
        importance = aligned_limit().subs(p, density)
        rest = []
        for norm in _NORMS:
            first, second = _losses(norm, values)
            rest.append((first + importance * (second - variance().subs(values))) / norm**3)
        limit = (10 * rest[1] - rest[0]) / 9
        worst = max(worst, abs(limit - aligned_cubic().subs(p, density)))
    return worst < Rational(1, 10**6), f"4 densities, max error {float(worst):.1e}"


def _one_tricritical_point() -> Outcome:
    """By Sturm's theorem, and K_+ > 0 at p = 1/2."""
    cubic = sympy.Poly(sympy.numer(aligned_cubic()) / p, p)
    density, importance = tricritical_point()
    passed = cubic.count_roots(0, 1) == 1 and aligned_cubic().subs(p, Rational(1, 2)) > 0
    return bool(passed), f"({float(density):.10f}, {float(importance):.10f})"
