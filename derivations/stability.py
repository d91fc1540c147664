"""Where ignoring the extra feature stops being a minimum, and how the change happens.

Around W = (1, 0) the loss is expanded in the small norm c of the extra feature, while the
first weight and both biases respond at first order.  The loss has a kink there, since with
probability 1 - p the first feature is inactive and the first bias is 0, so its leading
change is homogeneous of degree two in c and the responses, but no quadratic form.
"""

from __future__ import annotations

import random
from itertools import pairwise

import mpmath
import sympy
from sympy import Eq, Expr, Integer, Rational, integrate, symbols

from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.direct_integral import exact_output_loss
from derivations.powers import by_powers
from derivations.simplex import p, r

c, beta, sigma = symbols("c beta sigma", positive=True)
u, eta, gamma = symbols("u eta gamma", real=True)
x, y = symbols("x y", positive=True)

SOURCE = (
    "Elhage et al., Toy Models of Superposition (2022), section 'Superposition as a Phase "
    "Change', calls the change first order, of hand-picked weights; derived here."
)


def variance() -> Expr:
    """Return the variance of a feature, V = p/3 - p^2/4."""
    return p / 3 - p**2 / 4


def mean(expression: Expr, variable: Expr) -> Expr:
    """Return the mean over a feature: uniform with probability p, else 0."""
    polynomial = sympy.expand(expression)
    active = integrate(polynomial, (variable, 0, 1))
    return p * active + (1 - p) * polynomial.subs(variable, 0)


def _truncated_mean(expression: Expr) -> Expr:
    """Return the mean over y of the expression where y < beta, 0 < beta < 1."""
    inside = integrate(sympy.expand(expression), (y, 0, beta))
    return p * inside + (1 - p) * expression.subs(y, 0)


def interference_cost() -> Expr:
    """Return Q(u, beta): the first output's loss over c^2, for -c as the second weight.

    With the first feature active, Z > 0 and the residual is -c (beta + u x - y); with it
    inactive the output is c (beta - y)_+ and should be 0.
    """
    active = integrate(sympy.expand(mean((beta + u * x - y) ** 2, y)), (x, 0, 1))
    return sympy.expand(p * active + (1 - p) * _truncated_mean((beta - y) ** 2))


def aligned_cost() -> Expr:
    """Return Q(u, sigma) for +c as the second weight, b_1 = -c sigma, at its best u.

    With the first feature active the residual is c (u x + y - sigma); with it inactive the
    output is c (y - sigma)_+ and should be 0.
    """
    active = integrate(sympy.expand(mean((u * x + y - sigma) ** 2, y)), (x, 0, 1))
    inactive = p * integrate(sympy.expand((y - sigma) ** 2), (y, sigma, 1))
    cost = sympy.expand(p * active + (1 - p) * inactive)
    return sympy.expand(cost.subs(u, aligned_weight()))


def aligned_weight() -> Expr:
    """Return the response u of the first gain that minimises that cost at a given sigma."""
    return Rational(3, 2) * (sigma - p / 2)


def best_weight() -> Expr:
    """Return the response u of the first gain that minimises the cost at a given beta."""
    (best,) = sympy.solve(interference_cost().diff(u), u)
    return sympy.factor(best)


def reduced_cost() -> Expr:
    """Return F(beta) = min over u of Q(u, beta)."""
    return sympy.expand(interference_cost().subs(u, best_weight()))


def best_bias() -> Expr:
    """Return the response beta of the first bias: the positive root of the quadratic F' = 0.

    Written with the root in the denominator, where nothing cancels and p = 1 is no exception.
    """
    square, linear, constant = sympy.Poly(2 * reduced_cost().diff(beta), beta).all_coeffs()
    root = sympy.sqrt(sympy.factor(linear**2 - 4 * square * constant))
    return -2 * constant / (sympy.factor(linear) + root)


def stability_limit() -> Expr:
    """Return r_c(p): "ignored" is a local minimum for n = 2 if and only if r < r_c(p)."""
    return reduced_cost().subs(beta, best_bias()) / variance()


def cubic_coefficient() -> Expr:
    """Return K(p, beta): the c^3 term of the loss along the first-order responses, at r_c.

    Positive: the extra feature enters continuously, c growing in proportion to r - r_c.
    Negative: the loss is already lower at a finite c, and the change is first order.
    """
    slope = best_weight()
    # (1 + c u/2)^2 and -c (1 + c u/2) to second order
    first = 2 * (beta + u * x - y) * (u**2 / 4 * x - u / 2 * y)
    active = integrate(sympy.expand(mean(first, y)), (x, 0, 1))
    inactive = _truncated_mean(2 * (beta - y) * (-u / 2 * y))
    # where Z < 0 although the first feature is active: x < c (y - beta)
    switched_off = -Rational(2, 3) * p * integrate((y - beta) ** 3, (y, beta, 1))
    limit = reduced_cost() / variance()
    extra = limit * _extra_cubic()
    total = p * active + (1 - p) * inactive + p * switched_off + extra
    return by_powers(total.subs(u, slope), beta)


def extra_output(order: int, sign: int = -1) -> Expr:
    """Return the c^order term of the second output's loss at W = (1 + c u/2, sign c).

    Z_2 = p/2 + c eta + c^2 y + sign c (1 + c u/2) x stays positive, so nothing is cut off.
    """
    residual = y - (p / 2 + c * eta + c**2 * y + sign * c * (1 + c * u / 2) * x)
    expected = mean(mean(residual**2, x), y)
    return sympy.expand(expected).coeff(c, order)


def _extra_cubic() -> Expr:
    return sympy.simplify(extra_output(3).subs(eta, p / 2))


def stability() -> Derivation:
    """Return the derivation of r_c(p), its limits, its order and the same for n > 2."""
    line = sympy.Symbol("r_c")
    bias = sympy.Symbol("beta_c")
    cost = sympy.Symbol("F")
    return Derivation(
        name="stability",
        title="Where ignoring the extra feature stops being a minimum",
        statement=(
            "For n = 2, W = (1, 0), b = (0, p/2) is a local minimum for r < r_c(p) and a saddle "
            "for r > r_c(p), with r_c a closed form of square roots and polynomials in p. On that "
            "line the extra feature enters continuously where the cubic term K is positive, "
            "between two tricritical densities; where K is negative the change is first order. "
            "The same line holds for n features in n - 1 dimensions."
        ),
        symbols=(
            Symbol(p, "density of every feature, in (0, 1)"),
            Symbol(r, "relative importance of the extra feature"),
            Symbol(c, "norm of the extra feature, small: W = (1 + c u/2, -c)"),
            Symbol(u, "response of the first gain: |W_1|^2 = 1 + c u + ..."),
            Symbol(beta, "response of the first bias: b_1 = c beta"),
            Symbol(sigma, "the same for the other sign: b_1 = -c sigma"),
            Symbol(eta, "response of the second bias: b_2 = p/2 + c eta"),
            Symbol(gamma, "response of the product W_1 . W_2 of two others, n = 3, over c"),
        ),
        steps=(
            Step(
                "The second output gains: to second order in c its loss falls by c^2 V, with the "
                "bias responding by eta = p/2.",
                (Eq(sympy.Symbol("l_2"), variance() * (1 - c**2)),),
                (
                    identity("no first-order term", lambda: extra_output(1)),
                    identity(
                        "second order at the best eta",
                        lambda: extra_output(2).subs(eta, p / 2) + variance(),
                    ),
                    identity(
                        "eta = p/2 is the best", lambda: extra_output(2).diff(eta).subs(eta, p / 2)
                    ),
                ),
            ),
            Step(
                "The first output loses c^2 Q(u, beta): with its feature active it errs by "
                "c (beta + u x - y), with it inactive by c (beta - y)_+.",
                (Eq(sympy.Symbol("Q"), interference_cost()),),
                (Check("direct integrals at small c", _cost_against_direct),),
            ),
            Step(
                "The best gain, and the cost that remains as a function of the bias.",
                (Eq(u, best_weight()), Eq(cost, by_powers(reduced_cost(), beta))),
                (
                    identity(
                        "stationary in u",
                        lambda: interference_cost().diff(u).subs(u, best_weight()),
                    ),
                    Check("convex in u and in beta", _convex),
                ),
            ),
            Step(
                "F is convex, and F' = 0 is a quadratic equation with one positive root below 1.",
                (Eq(bias, best_bias()),),
                (
                    identity(
                        "root of F'",
                        lambda: reduced_cost().diff(beta).subs(beta, best_bias()),
                    ),
                    Check("0 < beta < p/2", _bias_in_range),
                ),
            ),
            Step(
                "The other sign, W = (1, c) with b_1 = -c sigma, costs more: its cost is convex in "
                "the responses and least at sigma = 1/2. F' < 0 at beta = 0 excludes negative "
                "beta. So r_c = F / V decides.",
                (
                    Eq(sympy.Symbol("F_+"), aligned_cost().subs(sigma, Rational(1, 2))),
                    Eq(line, cost / sympy.Symbol("V")),
                ),
                (
                    identity(
                        "sigma = 1/2 is stationary",
                        lambda: aligned_cost().diff(sigma).subs(sigma, Rational(1, 2)),
                    ),
                    Check("convex", _other_sign_is_convex),
                    Check("F below F_+", _other_sign_costs_more),
                ),
            ),
            Step(
                "Limits: at p = 1 the model is linear and r_c = 1; for small p, r_c ~ p.",
                (),
                (Check("limits of beta and r_c", _limits),),
            ),
            Step(
                "The order of the change: the c^3 term along these responses (their second-order "
                "corrections do not enter, the first-order ones being stationary). K changes sign "
                "at two tricritical points.",
                (
                    Eq(sympy.Symbol("K"), cubic_coefficient()),
                    *_tricritical_formulas(),
                ),
                (
                    Check("direct integrals at small c", _cubic_against_direct),
                    Check("two sign changes in 0.4 < p < 1", _two_tricritical_points),
                ),
            ),
            Step(
                "For n = 3 the extra direction may lean on two others, and their product W_1 . W_2 "
                "= c gamma may respond. Both outputs cost F times their share of c^2, and the term "
                "linear in gamma is (p/2) F'(beta) = 0: gamma does not respond, all directions "
                "between the two others tie to second order, and r_c is the same, as for any n.",
                (),
                (Check("term linear in gamma = (p/2) F'", _gamma_does_not_respond),),
            ),
        ),
        result=(
            Eq(bias, best_bias()),
            Eq(cost, by_powers(reduced_cost(), beta)),
            Eq(line, cost / variance()),
        ),
        source=SOURCE,
        checks=(Check("r_c = 0.5621103970 at p = 0.51, from directional derivatives", _number),),
    )


def tricritical_points(digits: int = 30) -> tuple[tuple[Expr, Expr], ...]:
    """Return the two (p, r) on the line r_c at which K = 0."""
    at_best = sympy.lambdify(p, cubic_coefficient().subs(beta, best_bias()), "mpmath")
    points = []
    with mpmath.workdps(digits + 10):
        for start in ((0.5, 0.55), (0.8, 0.86)):
            density = mpmath.findroot(at_best, start, solver="anderson")
            value = sympy.Float(density, digits)
            points.append((value, sympy.N(stability_limit().subs(p, value), digits)))
    return tuple(points)


def _tricritical_formulas() -> tuple[Eq, ...]:
    formulas = []
    for number, (density, importance) in enumerate(tricritical_points(), start=1):
        formulas.append(Eq(sympy.Symbol(f"p_{number}"), sympy.Float(density, 15)))
        formulas.append(Eq(sympy.Symbol(f"r_{number}"), sympy.Float(importance, 15)))
    return tuple(formulas)


def _losses(norm: Rational, values: dict[Expr, Expr]) -> tuple[Rational, Rational]:
    """Return the exact losses of both outputs at W = (1 + c u/2, -c), b = (c beta, p/2 + c eta)."""
    weight = 1 + norm * values[u] / 2
    density = values[p]
    first = exact_output_loss(density, norm * values[beta], [weight**2, -norm * weight])
    bias = density / 2 + norm * values[eta]
    second = exact_output_loss(density, bias, [norm**2, -norm * weight])
    return first, second


_NORMS = tuple(Rational(1, 10**k) for k in (3, 4))


def _points() -> list[dict[Expr, Rational]]:
    source = random.Random(11)
    return [
        {
            p: Rational(source.randint(2, 9), 10),
            u: Rational(source.randint(-9, 9), 10),
            beta: Rational(source.randint(1, 9), 10),
            eta: Rational(source.randint(-9, 9), 10),
        }
        for _ in range(5)
    ]


def _cost_against_direct() -> Outcome:
    """Extrapolate l_1 / c^2 to c = 0 from two small norms; the error left is of order c^2."""
    for values in _points():
        ratios = [_losses(norm, values)[0] / norm**2 for norm in _NORMS]
        limit = (10 * ratios[1] - ratios[0]) / 9
        if abs(limit - interference_cost().subs(values)) > Rational(1, 10**6):
            return False, f"differs at {values}"
    return True, "5 rational points, to 1e-6"


def _cubic_against_direct() -> Outcome:
    """At first-order responses that are stationary the c^3 term of l_1 + r l_2 is K."""
    worst = Integer(0)
    for density in (Rational(2, 5), Rational(7, 10), Rational(9, 10)):
        bias = Rational(sympy.N(best_bias().subs(p, density), 25))
        values = {p: density, beta: bias, eta: density / 2}
        values[u] = best_weight().subs(values)
        importance = reduced_cost().subs(values) / variance().subs(values)
        rest = []
        for norm in _NORMS:
            first, second = _losses(norm, values)
            change = first + importance * (second - variance().subs(values))
            rest.append(change / norm**3)
        limit = (10 * rest[1] - rest[0]) / 9
        worst = max(worst, abs(limit - cubic_coefficient().subs(values)))
    return worst < Rational(1, 10**6), f"3 densities, max error {float(worst):.1e}"


def _convex() -> Outcome:
    q = symbols("q", positive=True)  # p = 1/(1 + q)
    in_u = sympy.factor(interference_cost().diff(u, 2).subs(p, 1 / (1 + q)))
    in_beta = sympy.factor(reduced_cost().diff(beta, 2).subs(p, 1 / (1 + q)))
    return bool(in_u.is_positive and in_beta.is_positive), "second derivatives positive"


def _bias_in_range() -> Outcome:
    """F' is negative at 0 and positive at p/2, and F is convex."""
    q = symbols("q", positive=True)
    slope = reduced_cost().diff(beta)
    at_zero = sympy.factor(slope.subs(beta, 0).subs(p, 1 / (1 + q)))
    at_half = sympy.factor(slope.subs(beta, p / 2).subs(p, 1 / (1 + q)))
    return bool(at_zero.is_negative and at_half.is_positive), "F'(0) < 0 < F'(p/2)"


def _other_sign_is_convex() -> Outcome:
    """Its cost is a mean of squares of (positive parts of) affine functions of the responses."""
    q = symbols("q", positive=True)  # p = 1/(1 + q)
    second = aligned_cost().diff(sigma, 2).subs(p, 1 / (1 + q)).subs(sigma, Rational(1, 2))
    return bool(sympy.factor(second).is_positive), "second derivative positive at its minimum"


def _other_sign_costs_more() -> Outcome:
    """F is a minimum over beta, so at most its value at beta = p^2/2, and that is below."""
    q = symbols("q", positive=True)
    least = aligned_cost().subs(sigma, Rational(1, 2))
    difference = sympy.factor(least - reduced_cost().subs(beta, p**2 / 2))
    positive = sympy.factor(difference.subs(p, 1 / (1 + q))).is_positive
    return bool(positive), f"by at least {difference} > 0 for all 0 < p < 1"


def _limits() -> Outcome:
    at_one = sympy.limit(best_bias(), p, 1)
    line_at_one = (reduced_cost().subs(p, 1).subs(beta, at_one)) / variance().subs(p, 1)
    slope_at_zero = sympy.limit(stability_limit() / p, p, 0)
    passed = at_one == Rational(1, 2) and line_at_one == 1 and slope_at_zero == 1
    return bool(passed), f"beta(1) = {at_one}, r_c(1) = {line_at_one}, r_c ~ p for small p"


def _two_tricritical_points() -> Outcome:
    at_best = sympy.lambdify(p, cubic_coefficient().subs(beta, best_bias()), "mpmath")
    signs = [at_best(Rational(k, 200)) > 0 for k in range(80, 200)]
    changes = sum(a != b for a, b in pairwise(signs))
    points = ", ".join(f"({float(d):.10f}, {float(i):.10f})" for d, i in tricritical_points())
    return changes == 2, points


def _gamma_does_not_respond() -> Outcome:
    """Only output 1 interferes; its residual gains gamma z with z the second feature."""
    z = symbols("z", positive=True)
    cross = 2 * z * (beta + u * x - y)
    active = integrate(sympy.expand(mean(mean(cross, y), z)), (x, 0, 1))
    inactive = mean(z, z) * _truncated_mean(2 * (beta - y))
    linear = (p * active + (1 - p) * inactive).subs(u, best_weight())
    rest = sympy.expand(linear - p / 2 * reduced_cost().diff(beta))
    return rest == 0, "identically" if rest == 0 else f"differs by {rest}"


def _number() -> Outcome:
    """Minimise the second directional derivative itself, by direct integrals at small c."""
    density, norm = Rational(51, 100), Rational(1, 10**6)
    values = {p: density, eta: density / 2}
    values[beta] = Rational(sympy.N(best_bias().subs(p, density), 20))
    values[u] = best_weight().subs(values)
    lowest = _losses(norm, values)[0]
    for shift in (Rational(-1, 1000), Rational(1, 1000)):
        for symbol in (u, beta):
            moved = {**values, symbol: values[symbol] + shift}
            if _losses(norm, moved)[0] < lowest:
                return False, "the responses are not the best"
    line = float(lowest / norm**2 / variance().subs(values))
    closed = float(stability_limit().subs(p, density))
    return abs(line - closed) < 1e-6, f"{line:.8f} against {closed:.10f}"
