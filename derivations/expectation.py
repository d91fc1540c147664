"""E[ReLU(b + sum_j g_j x_j)^2] for any number of features, and the loss of one output."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial

import sympy
from sympy import Eq, Expr, Function, Integer, Rational, Sum, symbols

from derivations.cells import sampled_gains
from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.displayed import written_out
from derivations.oracles import exact_in_every_cell, quadrature_at_random_points
from derivations.truncated_power import (
    PositivePart,
    output_loss,
    subsets,
    truncated_moment,
    truncated_product,
)

b, p = symbols("b p", real=True)
z, g, x = symbols("z g x", real=True)
k, d, v, j = symbols("k d v j", integer=True, positive=True)
_LARGEST = 4
SOURCE = (
    "Elhage et al., Toy Models of Superposition (2022), section 'Superposition as a Phase "
    "Change', poses the loss; the truncated power form of a cube integral is classical."
)


def gains(count: int) -> tuple[Expr, ...]:
    """Return the symbols g_1 .. g_count."""
    return symbols(f"g1:{count + 1}", real=True, nonzero=True)


def expectation() -> Derivation:
    """Return the derivation of the truncated power form, by induction on the features."""
    general = _general_form()
    mixture = _mixture_example()
    return Derivation(
        name="expectation",
        title="The expectation of a squared ReLU",
        statement=(
            "Let x_1, ..., x_k be independent and uniform on [0, 1] and Z = b + sum_j g_j x_j "
            "with all g_j nonzero. Then E[ReLU(Z)^2] is a truncated power sum over the corners "
            "v of the unit cube. For features that are active with probability p_j and else 0, "
            "the expectation is the mixture of these sums over the sets of active features."
        ),
        symbols=(
            Symbol(b, "bias"),
            Symbol(symbols("g_j"), "gains: entries of the output's row of W^T W, nonzero"),
            Symbol(k, "number of active features"),
            Symbol(d, "a power, at least 1"),
            Symbol(v, "numbers the 2^k corners of the cube, the subsets of the features"),
            Symbol(Function("g")(v), "sum of the gains of the features in corner v"),
            Symbol(Function("n")(v), "number of features in corner v"),
        ),
        steps=(
            Step(
                "One variable: a truncated power integrates to a truncated power. For g "
                "nonzero the primitive below is continuously differentiable, with derivative "
                "(z + g x)_+^d on either side of the kink z + g x = 0.",
                (_antiderivative(),),
                (
                    identity("derivative where z + g x > 0", _derivative_where_positive),
                    Check("derivative and value where z + g x <= 0", _vanishes_where_negative),
                    Check("continuous at the kink", _continuous_at_the_kink),
                ),
            ),
            Step(
                "Induction start, k = 0: no feature is active, Z = b.",
                (Eq(_t(0), PositivePart(b) ** 2),),
                (
                    identity(
                        "the general form at k = 0",
                        lambda: truncated_moment(2, b, ()) - PositivePart(b) ** 2,
                    ),
                ),
            ),
            Step(
                "Induction step. Integrating the form for k - 1 features, with b replaced by "
                "b + g_k x_k, over x_k turns each corner v of the smaller cube into two: v with "
                "feature k, with the same sign, and v without it, with the opposite sign. Both "
                "are (-1)^(k-|v|). The power rises to k + 2 and the denominators multiply to "
                "(k+2)!/2 times the product of the gains.",
                (general,),
                (
                    identity("coefficients, k symbolic", _coefficient_recursion),
                    identity("signs, k and |v| symbolic", _sign_recursion),
                    Check("the whole sum, k = 1 ... 4", _induction_explicitly),
                    Check(
                        "the displayed sum, written out for k = 1 ... 4",
                        partial(_displayed_sum, general),
                    ),
                ),
            ),
            Step(
                "The mixture: condition on the set of active features. An inactive feature is "
                "exactly 0, which removes its gain.",
                (mixture,),
                (
                    Check("probabilities of the sets sum to 1, n = 1 ... 6", _probabilities),
                    identity(
                        "the displayed mixture = one feature averaged after the other",
                        partial(_mixture_against_iteration, mixture),
                    ),
                ),
            ),
        ),
        result=(general,),
        source=SOURCE,
        checks=(Check("E[Z_+^2] = direct integral, k = 1 ... 4", _square_against_direct),),
    )


def loss_of_one_output() -> Derivation:
    """Return the derivation of E[(x_i - ReLU(Z))^2] from E[ReLU(Z)^2]."""
    r_function = Function("R")
    g_i, b_i, p_i = symbols("g_i b_i p_i", real=True)
    big_r = r_function(g_i, b_i)
    x_i, relu, mean = sympy.Symbol("x_i"), Function("ReLU")(sympy.Symbol("Z")), Function("E")
    error = mean((x_i - relu) ** 2)
    return Derivation(
        name="output-loss",
        title="The loss of one output",
        statement=(
            "With R(g, b) = E[ReLU(b + sum_j g_j x_j)^2], the entries of g independent "
            "variables, the expected squared error of output i is p_i/3 - dR/dg_i + R, evaluated "
            "at the output's row of W^T W and its bias."
        ),
        symbols=(
            Symbol(g_i, "gain of the output's own feature"),
            Symbol(b_i, "bias of the output"),
            Symbol(p_i, "density of the output's own feature"),
        ),
        steps=(
            Step(
                "Expand the square: E[x_i^2] - 2 E[x_i ReLU(Z)] + E[ReLU(Z)^2]. The own feature "
                "is uniform on [0, 1] with probability p_i.",
                (Eq(mean(x_i**2), p_i / 3),),
                (
                    identity(
                        "second moment",
                        lambda: p_i * sympy.integrate(x**2, (x, 0, 1)) - p_i / 3,
                    ),
                ),
            ),
            Step(
                "Differentiate R under the integral: ReLU(Z)^2 is continuously differentiable "
                "in g_i with derivative 2 x_i ReLU(Z). So the cross term is a slope of R.",
                (Eq(2 * mean(x_i * relu), big_r.diff(g_i)),),
                (
                    Check("slope of the truncated power form, k = 1 ... 4", _slope_symbolically),
                    Check("slope = direct integral of 2 x ReLU(Z)", _slope_against_direct),
                ),
            ),
        ),
        result=(Eq(error, p_i / 3 - big_r.diff(g_i) + big_r),),
        source=SOURCE,
        checks=(
            exact_in_every_cell(output_loss, _generic_rows()),
            quadrature_at_random_points(output_loss, _random_row, points=12),
        ),
    )


def _t(count: int) -> Expr:
    return sympy.Symbol(f"T_{count}")


def _general_form() -> Eq:
    gain = sympy.IndexedBase("g")
    corner = PositivePart(b + Function("g")(v)) ** (k + 2)
    total = Sum((-1) ** (k - Function("n")(v)) * corner, (v, 1, 2**k))
    return Eq(
        sympy.Symbol("T_k"),
        2 * total / (sympy.factorial(k + 2) * sympy.Product(gain[j], (j, 1, k))),
    )


def _primitive() -> Expr:
    return PositivePart(z + g * x) ** (d + 1) / ((d + 1) * g)


def _antiderivative() -> Eq:
    integral = sympy.Integral(PositivePart(z + g * x) ** d, (x, 0, 1))
    primitive = _primitive()
    return Eq(integral, primitive.subs(x, 1) - primitive.subs(x, 0), evaluate=False)


def _derivative_where_positive() -> Expr:
    y = symbols("y", positive=True)  # y = z + g x
    primitive = _primitive().replace(PositivePart, lambda value: value)
    return (primitive.diff(x) - (z + g * x) ** d).subs(z, y - g * x)


def _vanishes_where_negative() -> Outcome:
    negative = _primitive().replace(PositivePart, lambda value: Integer(0))
    vanishes = sympy.simplify(negative) == 0
    return bool(vanishes and sympy.diff(negative, x) == 0), "both are 0"


def _continuous_at_the_kink() -> Outcome:
    y = symbols("y", real=True)  # y = z + g x
    inside = _primitive().replace(PositivePart, lambda value: value)
    value = inside.subs(z, y - g * x)
    slope = sympy.simplify(g * value.diff(y))
    return value.subs(y, 0) == 0 and slope.subs(y, 0) == 0, "value and slope are 0"


def _coefficient_recursion() -> Expr:
    """The factor 2/(k+1)! of k - 1 features, divided by the new power k + 2."""
    return sympy.combsimp(2 / sympy.factorial(k + 1) / (k + 2) - 2 / sympy.factorial(k + 2))


def _sign_recursion() -> Expr:
    size = symbols("s", integer=True)
    without, with_it = -((-1) ** (k - 1 - size)), (-1) ** (k - 1 - size)
    gap = without - (-1) ** (k - size), with_it - (-1) ** (k - (size + 1))
    return sympy.simplify(gap[0]) ** 2 + sympy.simplify(gap[1]) ** 2


def _induction_explicitly() -> Outcome:
    for count in range(1, _LARGEST + 1):
        all_gains = gains(count)
        smaller = truncated_moment(2, b, all_gains[:-1])
        integrated = smaller.replace(
            lambda e: e.is_Pow and isinstance(e.base, PositivePart),
            partial(_integral_of_power, all_gains[-1]),
        )
        difference = sympy.expand(integrated - truncated_moment(2, b, all_gains))
        if difference != 0:
            return False, f"fails at k = {count}"
    return True, f"k = 1 ... {_LARGEST}"


def _displayed_sum(general: Eq) -> Outcome:
    """Number the corners, put numbers for k, and compare with the sum over subsets."""
    for count in range(1, _LARGEST + 1):
        corners = list(subsets(range(count)))
        all_gains = gains(count)
        sums = [sum((all_gains[i] for i in corner), Integer(0)) for corner in corners]
        explicit = written_out(general.rhs, {k: count, "g": partial(_pick, all_gains)})
        explicit = explicit.replace(Function("g"), partial(_pick, sums))
        explicit = explicit.replace(Function("n"), partial(_pick, [len(c) for c in corners]))
        if sympy.expand(explicit - truncated_moment(2, b, all_gains)) != 0:
            return False, f"fails at k = {count}"
    return True, f"k = 1 ... {_LARGEST}"


def _pick(items: Sequence[Expr], number: Expr) -> Expr:
    return sympy.sympify(items[int(number) - 1])


def _mixture_against_iteration(mixture: Eq) -> Expr:
    """Average over feature 1, then over feature 2: no sets of active features."""
    g1, g2 = gains(2)
    none, *terms = (truncated_moment(2, b, active) for active in ((), (g1,), (g2,), (g1, g2)))
    labels = [sympy.Symbol(f"T_{{{s}}}") for s in ("0", "1", "2", "12")]
    displayed = mixture.rhs.subs(dict(zip(labels, [none, *terms], strict=True)))
    averaged = none
    for probability, gain in zip(symbols("p_1 p_2"), (g1, g2), strict=True):
        active = sympy.expand(averaged).replace(
            lambda e: e.is_Pow and isinstance(e.base, PositivePart),
            partial(_integral_of_power, gain),
        )
        averaged = (1 - probability) * averaged + probability * active
    return displayed - averaged


def _integral_of_power(gain: Expr, truncated: Expr) -> Expr:
    value, power = truncated.base.args[0], truncated.exp
    above, below = PositivePart(value + gain), PositivePart(value)
    return (above ** (power + 1) - below ** (power + 1)) / ((power + 1) * gain)


def _mixture_example() -> Eq:
    q1, q2 = symbols("p_1 p_2")
    none, first, second, both = (sympy.Symbol(f"T_{{{s}}}") for s in ("0", "1", "2", "12"))
    mixture = (
        (1 - q1) * (1 - q2) * none + q1 * (1 - q2) * first + (1 - q1) * q2 * second + q1 * q2 * both
    )
    return Eq(sympy.Symbol("R"), mixture)


def _probabilities() -> Outcome:
    for count in range(1, 7):
        densities = symbols(f"p1:{count + 1}")
        total = sum(
            sympy.prod(densities[i] if i in active else 1 - densities[i] for i in range(count))
            for active in subsets(range(count))
        )
        if sympy.expand(total) != 1:
            return False, f"fails at n = {count}"
    return True, "n = 1 ... 6"


def _square_against_direct() -> Outcome:
    """An inactive own feature leaves E[ReLU(Z)^2]: compare at density 1 of the others."""
    from derivations.direct_integral import exact_square

    source = random.Random(1)
    count = 0
    for size in range(1, _LARGEST + 1):
        for _ in range(6):
            values = [_random_rational(source) for _ in range(size)]
            bias = _random_rational(source)
            if truncated_moment(2, bias, values) != exact_square(bias, values):
                return False, f"differs at b={bias}, gains={values}"
            count += 1
    return True, f"{count} rational points"


def _slope_symbolically() -> Outcome:
    """d/dg of (..)_+^m is m (..)_+^(m-1) for the corners that contain the feature."""
    for count in range(1, _LARGEST + 1):
        all_gains = gains(count)
        moment = truncated_moment(2, b, all_gains)
        slope = moment.replace(PositivePart, Function("P")).diff(all_gains[0]).doit()
        primed = slope.replace(sympy.Subs, _chain_rule).replace(
            sympy.Derivative, lambda e, *_: Integer(1)
        )
        restored = primed.replace(Function("P"), PositivePart)
        if sympy.expand(restored - 2 * truncated_product(b, all_gains, 0)) != 0:
            return False, f"fails at k = {count}"
    return True, f"k = 1 ... {_LARGEST}"


def _chain_rule(expression: Expr, *_: object) -> Expr:
    """P'(z) is 1 where P(z) > 0, and it only ever stands beside a power of P(z)."""
    return Integer(1)


def _slope_against_direct() -> Outcome:
    from derivations.direct_integral import exact_product

    source = random.Random(2)
    count = 0
    for size in range(1, _LARGEST + 1):
        for _ in range(6):
            values = [_random_rational(source) for _ in range(size)]
            bias = _random_rational(source)
            if truncated_product(bias, values, 0) != exact_product(bias, values, 0):
                return False, f"differs at b={bias}, gains={values}"
            count += 1
    return True, f"{count} rational points"


def _random_rational(source: random.Random) -> Rational:
    return Rational(source.choice([i for i in range(-12, 13) if i]), source.randint(5, 11))


def _generic_rows() -> list[tuple[Expr, ...]]:
    """Rows of one to three features, all orders of their corner sums, zero gains included."""
    own = [Rational(2, 3), Rational(7, 5)]
    other = [Rational(-11, 7), Rational(-1, 2), Rational(0), Rational(3, 8), Rational(9, 4)]
    one = sampled_gains(lambda first: (first,), own)
    two = sampled_gains(lambda *row: row, own, other)
    three = sampled_gains(lambda *row: row, own, other, other)
    return [*one, *two, *three, (Integer(0), Rational(1, 2), Rational(-1, 3))]


def _random_row(source: random.Random) -> list[float]:
    size = source.choice([1, 2, 2, 3])
    return [source.uniform(0.2, 1.5), *(source.uniform(-1.5, 1.5) for _ in range(size - 1))]
