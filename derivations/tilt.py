"""Where two features that share a dimension tilt into that of a third one (n = 3, m = 2).

The third feature is represented perfectly, W_3 = (0, 1), b_3 = 0, where the loss has no Hessian.
The pair's directions tilt, W_i = (w_i, t_i), by small t_i; all other variables respond at first
order.  What decides is the smallest change of the loss of second order, S(t).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product

import sympy
from sympy import Eq, Expr, Rational, integrate, symbols

from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.direct_integral import exact_output_loss, exact_square
from derivations.simplex import p, r
from derivations.stability import beta as bias_response
from derivations.stability import mean, reduced_cost, variance
from derivations.truncated_power import PositivePart

beta, gain, center = symbols("beta g mu", real=True)
t_1, t_2 = symbols("t_1 t_2", real=True)
x, z = symbols("x z", positive=True)

SOURCE = (
    "Elhage et al., Toy Models of Superposition (2022), section 'Superposition as a Phase "
    "Change', does not consider such states; derived here."
)
_TILTS = tuple(Rational(1, 10**k) for k in (3, 4))
_DIFFERENCE = Rational(1, 10**6)


def center_of_tilt() -> Expr:
    """Return mu = E[t_1 x_1 + t_2 x_2 + beta]."""
    return p / 2 * (t_1 + t_2) + beta


def _positive_part() -> Expr:
    """Return the third output with its feature inactive, as it is displayed."""
    first, second = symbols("x_1 x_2", real=True)
    return PositivePart(t_1 * first + t_2 * second + beta)


def active_cost() -> Expr:
    """Return the third output's cost while its feature is active, at the best gain -3 mu / 4."""
    return center_of_tilt() ** 2 / 4 + variance() * (t_1**2 + t_2**2)


def third_output(values: dict[Expr, Rational]) -> Rational:
    """Return its cost G over the square of the tilt, exactly, at a given beta and tilt."""
    inactive = _mean_square_when_on(values[p], values[beta], (values[t_1], values[t_2]))
    return values[p] * active_cost().subs(values) + (1 - values[p]) * inactive


def _mean_square_when_on(density: Rational, bias: Rational, gains: Sequence[Rational]) -> Rational:
    """Return E[(bias + sum_j gains_j x_j)_+^2] exactly, by direct integrals."""
    total = Rational(0)
    for active in product((False, True), repeat=len(gains)):
        chosen = [gain for gain, is_active in zip(gains, active, strict=True) if is_active]
        probability = density ** len(chosen) * (1 - density) ** (len(gains) - len(chosen))
        total += probability * exact_square(bias, chosen)
    return total


def tilt() -> Derivation:
    """Return the derivation of S(t)."""
    loss, total = sympy.Symbol("l_i"), sympy.Symbol("S")
    gains = sympy.Symbol("e_ii"), sympy.Symbol("e_ij")
    own, other, on = sympy.Symbol("t_i"), sympy.Symbol("t_j"), sympy.Symbol("P_i")
    cost = sympy.Symbol("G")
    change = gains[0] * own**2 + gains[1] * own * other + variance() * on * own**2
    return Derivation(
        name="tilt",
        title="Where a pair tilts into the dimension of a third feature",
        statement=(
            "Three features in two dimensions, a pair stationary in one and the third perfectly "
            "represented in the other: such a state is a minimum if and only if the pair is one "
            "and S(t), a function of the direction of the tilt alone, is positive. S is the sum of "
            "a quadratic form, known from the pair, and the cost to the third output, a minimum "
            "over one bias."
        ),
        symbols=(
            Symbol(p, "density of every feature, in (0, 1]"),
            Symbol(r, "importance of the third feature; I_i those of the pair"),
            Symbol(t_1, "tilt of the first direction of the pair, t_2 of the second"),
            Symbol(beta, "response of the third bias, per tilt"),
            Symbol(gain, "response of the third norm: |W_3| = 1 + g"),
            Symbol(center, "mu = E[t_1 x_1 + t_2 x_2 + beta]"),
            Symbol(gains[0], "derivative of output i's loss by the gain of its own feature"),
            Symbol(gains[1], "the same by that of the pair's other feature j"),
            Symbol(on, "probability that output i is on"),
        ),
        steps=(
            Step(
                "Rotations of the plane allow W_3 to stay on its axis. Outputs of the pair then "
                "see t_i x_3; their biases respond by -p t_i/2, after which this is t_i times a "
                "variable of mean 0 and variance V, independent of the pair's features.",
                (Eq(sympy.Symbol("V"), variance()),),
                (
                    identity("mean 0", lambda: mean(z - p / 2, z)),
                    identity("variance V", lambda: mean((z - p / 2) ** 2, z) - variance()),
                ),
            ),
            Step(
                "So it enters at second order, with no product with the pair's own variables: "
                "these do not respond. With the change t_i t_j of the gains, output i's loss "
                "changes by a quadratic form.",
                (Eq(loss, change),),
                (
                    Check("direct integrals at small tilts", _pair_against_direct),
                    Check("no product with the pair's variables", _pair_does_not_respond),
                ),
            ),
            Step(
                "The third output errs, its feature active, by 2 g x_3 + t_1 x_1 + t_2 x_2 + beta. "
                "At the best gain g = -3 mu/4 a quarter of mu^2 and the variance remain.",
                (Eq(center, center_of_tilt()), Eq(sympy.Symbol("A"), active_cost())),
                (
                    identity(
                        "the mean square over x_3",
                        lambda: _over_third(-Rational(3, 4) * center) - center**2 / 4,
                    ),
                    identity(
                        "the best gain",
                        lambda: _over_third(gain).diff(gain).subs(gain, -Rational(3, 4) * center),
                    ),
                ),
            ),
            Step(
                "With its feature inactive its output (t_1 x_1 + t_2 x_2 + beta)_+ should be 0. "
                "G(t) is the least sum, over beta, in which it is convex.",
                (
                    Eq(
                        cost,
                        p * sympy.Symbol("A")
                        + (1 - p) * sympy.Function("E")(_positive_part() ** 2),
                    ),
                ),
                (Check("direct integrals at small tilts", _third_against_direct),),
            ),
            Step(
                "Together. S is linear in the third feature's importance for every t, so its "
                "minimum over directions is concave in it.",
                (
                    Eq(
                        total,
                        sympy.Symbol("I_1") * sympy.Symbol("l_1")
                        + sympy.Symbol("I_2") * sympy.Symbol("l_2")
                        + sympy.Symbol("I_3") * cost,
                    ),
                ),
                (Check("reduces to derivation 'stability' for a pair (1, 0)", _ignored),),
            ),
        ),
        result=(Eq(loss, change),),
        source=SOURCE,
    )


def _over_third(response: Expr) -> Expr:
    return integrate(sympy.expand((2 * response * x + center) ** 2), (x, 0, 1))


def _points() -> list[tuple[Rational, Rational, tuple[Rational, Rational], dict[Expr, Rational]]]:
    """Return densities, biases and gains of an output, and tilts: nothing stationary."""
    source = random.Random(5)

    def fraction(low: int, high: int) -> Rational:
        return Rational(source.choice([k for k in range(low, high) if k]), 10)

    points = []
    for _ in range(4):
        density = fraction(2, 10)
        tilts = {t_1: fraction(-9, 10), t_2: fraction(-9, 10), beta: fraction(-5, 10)}
        points.append(
            (density, fraction(1, 4), (fraction(5, 12), fraction(-9, 0)), {p: density, **tilts})
        )
    return points


def _tilted_loss(
    density: Rational,
    bias: Rational,
    gains: tuple[Rational, Rational],
    values: dict[Expr, Rational],
    size: Rational,
) -> Rational:
    """Return output 1's exact loss at tilts size * (t_1, t_2)."""
    own, other = size * values[t_1], size * values[t_2]
    tilted = [gains[0] + own**2, gains[1] + own * other, own]
    return exact_output_loss(density, bias - density / 2 * own, tilted)


def _pair_against_direct() -> Outcome:
    """e and P come from differences of the pair's own loss; extrapolate to small tilts."""
    worst = Rational(0)
    for density, bias, gains, values in _points():

        def loss(b: Rational, own: Rational, other: Rational, p: Rational = density) -> Rational:
            return exact_output_loss(p, b, [own, other])

        h, here = _DIFFERENCE, loss(bias, *gains)
        by_own = (loss(bias, gains[0] + h, gains[1]) - loss(bias, gains[0] - h, gains[1])) / (2 * h)
        by_other = loss(bias, gains[0], gains[1] + h) - loss(bias, gains[0], gains[1] - h)
        by_bias = loss(bias + h, *gains) - 2 * here + loss(bias - h, *gains)
        expected = by_own * values[t_1] ** 2 + by_other / (2 * h) * values[t_1] * values[t_2]
        expected += variance().subs(p, density) * by_bias / (2 * h**2) * values[t_1] ** 2
        ratios = [
            (_tilted_loss(density, bias, gains, values, size) - here) / size**2 for size in _TILTS
        ]
        worst = max(worst, abs((10 * ratios[1] - ratios[0]) / 9 - expected))
    return worst < Rational(1, 10**5), f"4 rational points, max error {float(worst):.1e}"


def _pair_does_not_respond() -> Outcome:
    """The mixed second differences by the tilt and the pair's variables vanish with the tilt."""
    size, h = Rational(1, 10**5), Rational(1, 10**3)
    worst = Rational(0)
    for density, bias, gains, values in _points():
        for shift in ((h, 0, 0), (0, h, 0), (0, 0, h)):
            differences = [
                _tilted_loss(
                    density,
                    bias + sign * shift[0],
                    (gains[0] + sign * shift[1], gains[1] + sign * shift[2]),
                    values,
                    tilted,
                )
                * sign
                * (1 if tilted else -1)
                for sign in (1, -1)
                for tilted in (size, Rational(0))
            ]
            worst = max(worst, abs(sum(differences) / (2 * h * size)))
    return worst < Rational(1, 10**4), f"12 mixed derivatives, at most {float(worst):.1e}"


def _third_against_direct() -> Outcome:
    worst = Rational(0)
    for density, _, _, values in _points():
        response = -Rational(3, 4) * center_of_tilt().subs(values)
        ratios = []
        for size in _TILTS:
            norm = 1 + size * response
            gains = [norm**2, size * norm * values[t_1], size * norm * values[t_2]]
            ratios.append(exact_output_loss(density, size * values[beta], gains) / size**2)
        worst = max(worst, abs((10 * ratios[1] - ratios[0]) / 9 - third_output(values)))
    return worst < Rational(1, 10**5), f"4 rational points, max error {float(worst):.1e}"


def _ignored() -> Outcome:
    """Tilting an ignored feature alone, t = (0, -1): G is the F of that derivation."""
    for density, response in product(
        (Rational(1, 4), Rational(3, 5)), (Rational(1, 7), Rational(1, 3))
    ):
        values = {p: density, t_1: Rational(0), t_2: Rational(-1), beta: response}
        inactive = _mean_square_when_on(density, response, [Rational(-1)])
        cost = density * active_cost().subs(values) + (1 - density) * inactive
        if cost != reduced_cost().subs({p: density, bias_response: response}):
            return False, f"differs at p = {density}"
    return True, "4 rational points, exactly"
