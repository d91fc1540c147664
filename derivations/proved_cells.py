"""What is proved in whole cells of parameters: the lemmas behind certified diagrams."""

from __future__ import annotations

import random
from itertools import combinations
from math import comb, prod

import sympy
from sympy import Eq, Integer, Rational, symbols

from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.direct_integral import exact_output_loss
from derivations.simplex import p

a, c, w, r, s, t, kappa, penalty = symbols("a c w r s t kappa lambda", positive=True)
u = symbols("u", real=True)
low, high = symbols("p_0 p_1", positive=True)
L_i = sympy.Symbol("L_i", real=True)
L_1, L_2, V = symbols("L_1 L_2 V", nonnegative=True)
lower = symbols("rho", positive=True)


def _excess(importance: sympy.Expr) -> sympy.Expr:
    """Return what weights cost more than ignoring the second feature."""
    return L_1 + importance * (L_2 - V)


def _polar(n: int, k: int) -> list[sympy.Expr]:
    """Return the k-th polar table of densities from p_0 to p_1."""
    table: list[sympy.Expr] = [Integer(0)] * 2**n
    for chosen in combinations(range(n), k):
        density = [high if j in chosen else low for j in range(n)]
        for active in range(2**n):
            factors = (q if active >> j & 1 else 1 - q for j, q in enumerate(density))
            table[active] += Rational(1, comb(n, k)) * prod(factors)
    return table


def _tables_mix() -> Outcome:
    for n in (2, 3):
        density = low + t * (high - low)
        for active in range(2**n):
            size = active.bit_count()
            mixed = sum(
                comb(n, k) * t**k * (1 - t) ** (n - k) * _polar(n, k)[active] for k in range(n + 1)
            )
            if sympy.expand(mixed - density**size * (1 - density) ** (n - size)) != 0:
                return False, f"set {active} of {n} features"
    return True, "all sets of 2 and 3 features"


def _second_output_cost() -> sympy.Expr:
    """Return the variance of (1 - c^2) x_2 - c w x_1 over that of a feature."""
    return (1 - c**2) ** 2 + c**2 * w**2


def _second_output_bounded() -> Outcome:
    rng, count = random.Random(6), 0
    for _ in range(200):
        density = Rational(rng.randint(1, 20), 20)
        first = Rational(rng.randint(10, 80), 64)
        small = density / 4 * Rational(rng.randint(1, 16), 16) / 2
        if small**2 + small * first > density / 4 or first**2 + small**2 > 2:
            continue
        variance = density / 3 - density**2 / 4
        for sign in (1, -1):
            bias = density / 2 + Rational(rng.randint(-64, 16), 64)
            found = exact_output_loss(density, bias, (small**2, sign * small * first))
            if found < variance * _second_output_cost().subs({c: small, w: first}):
                return False, f"p = {density}, c = {small}, w = {first}, b = {bias}"
            count += 1
    return count > 100, f"{count} outputs"


def _blown_up_cost_falls() -> Outcome:
    """L_1(1 + c u, +-c w, c beta)/c^2 does not rise with c."""
    rng = random.Random(7)
    for _ in range(40):
        density = Rational(rng.randint(1, 20), 20)
        slope, offset = (Rational(rng.randint(-64, 64), 32) for _ in range(2))
        gain = Rational(rng.randint(-48, 48), 32)
        costs = [
            exact_output_loss(density, s * offset, (1 + s * slope, s * gain)) / s**2
            for s in (Rational(1, 5), Rational(1, 9), Rational(1, 40))
        ]
        if not costs[0] <= costs[1] <= costs[2]:
            return False, f"p = {density}, u = {slope}, beta = {offset}, gain {gain}"
    return True, "40 directions, three sizes each"


def _rings_hold_weights() -> Outcome:
    """For c in the ring the square 1 + c u of the first weight is between the ends stated."""
    rng = random.Random(14)
    for _ in range(40):
        size, slope = Rational(rng.randint(1, 16), 64), Rational(rng.randint(-64, 64), 32)
        inner = Rational(rng.randint(1, 8), 8)
        norm = size * (inner + (1 - inner) * Rational(rng.randint(0, 8), 8))
        square, gain = 1 + norm * slope, 1 + size * slope
        ends = sorted((1 + inner * (gain - 1), gain))
        if not ends[0] <= square <= ends[1]:
            return False, f"{square} is not between {ends}"
    return True, "40 weights"


def _penalty_is_monotone() -> Outcome:
    """L_lambda rises with lambda by 2 (W_1 W_2)^2, and not at all where one weight is 0."""
    first, second, more = symbols("W_1 W_2 mu", real=True)
    gram = sympy.Matrix([[first * second] * 2] * 2)
    rise = sum(more * gram[i, j] ** 2 for i in range(2) for j in range(2) if i != j)
    expected = sympy.expand(rise - 2 * more * first**2 * second**2) == 0
    return expected and rise.subs(second, 0) == 0, "sum over i != j, n = 2"


def _exchange_divides_by_importance() -> Outcome:
    """L(W_1, W_2; r, lambda) = r L(W_2, W_1; 1/r, lambda/r)."""
    rng = random.Random(12)
    for _ in range(20):
        density, ratio = Rational(rng.randint(1, 20), 20), Rational(rng.randint(1, 40), 20)
        one, other = (Rational(rng.randint(-24, 24), 16) for _ in range(2))
        b, d = (Rational(rng.randint(-16, 16), 16) for _ in range(2))
        first = exact_output_loss(density, b, (one**2, one * other))
        second = exact_output_loss(density, d, (other**2, one * other))
        price = Rational(rng.randint(0, 8), 32)
        paid = 2 * (one * other) ** 2
        image = second + first / ratio + price / ratio * paid
        if first + ratio * second + price * paid != ratio * image:
            return False, f"at p = {density}, r = {ratio}"
    return True, "20 points, exactly"


def _ignoring_is_never_beaten_on_the_axes() -> Outcome:
    """W_2 = 0 costs at least r V, W_1 = 0 at least V: a silent output, or a constant one."""
    rng = random.Random(13)
    for _ in range(60):
        density = Rational(rng.randint(1, 20), 20)
        bias = Rational(rng.randint(-32, 64), 32)
        if exact_output_loss(density, bias, (0, 0)) < density / 3 - density**2 / 4:
            return False, f"p = {density}, b = {bias}"
    density = Rational(3, 5)
    best = exact_output_loss(density, density / 2, (0, 0)) == density / 3 - density**2 / 4
    return best, "60 biases; the mean reaches it"


def proved_cells() -> Derivation:
    """Return the derivation of what certified diagrams rest on, besides the bound over a box."""
    return Derivation(
        name="proved-cells",
        title="Phases proved in whole cells of parameters, and weights that are exactly 0",
        statement=(
            "For n = 2, m = 1: weights that lose at finitely many corners of a cell of densities, "
            "importances and penalties lose everywhere in it; a second weight that is small is "
            "exactly 0 where it does not pay; what a penalty has ended does not come back, nor "
            "does what is ignored at lower importances. With the bound of `lower-bound` this "
            "proves phases over regions."
        ),
        symbols=(
            Symbol(p, "density; p_0 and p_1 are the ends of a cell"),
            Symbol(r, "relative importance; rho is a lower one"),
            Symbol(penalty, "factor of the penalty 2 (W_1 W_2)^2"),
            Symbol(c, "norm of the second weight"),
            Symbol(w, "norm of the first weight"),
            Symbol(a, "w^2, the first output's own gain, blown up to c = s"),
            Symbol(kappa, "inner radius of a ring of second weights, in units of its outer one, s"),
        ),
        steps=(
            Step(
                "A cell of densities. The table of activity is a mixture, with Bernstein "
                "polynomials of t = (p - p_0)/(p_1 - p_0) as weights, of n + 1 joint laws: k "
                "features drawn at random have density p_1, the others p_0. Loss and competitor "
                "are linear in the table, in importances and in penalties: weights that lose "
                "against the competitor for these laws and at the ends of the other ranges lose "
                "everywhere in the cell.",
                (),
                (Check("the mixture is the table", _tables_mix),),
            ),
            Step(
                "A small second weight, W = (w, +-c), n = 2: its output. If c^2 + c w <= p/4 and "
                "w^2 + c^2 <= 2, then L_2 >= V ((1 - c^2)^2 + c^2 w^2), V = p/3 - p^2/4. Where "
                "Z_2 >= 0 always, that is the variance of (1 - c^2) x_2 -+ c w x_1. Otherwise "
                "ReLU(Z_2) <= c^2 + c w, so L_2 >= p/3 - p (c^2 + c w) >= V. Whatever w, "
                "L_2 >= V (1 - c^2)^2, x_2 - ReLU(Z_2) having a slope in x_2 of at least 1 - c^2.",
                (Eq(L_i, (p / 3 - p**2 / 4) * _second_output_cost()),),
                (
                    identity(
                        "gain against c = 0",
                        lambda: _second_output_cost() - 1 + c**2 * (2 - c**2 - w**2),
                    ),
                    Check("outputs obey it", _second_output_bounded),
                ),
            ),
            Step(
                "Its cost to the first output. At fixed u, beta the quotient "
                "L_1(1 + c u, +-c w, c beta)/c^2 does not rise with c: with y = u x_1 + beta +- w "
                "x_2, the residual over c is ReLU(y) where x_1 = 0, and else min(x_1/c, -y). So if "
                "L_1(a, +-s w, b) > r V s^2 (2 - w^2) at the largest s, for all b and all a, w "
                "with |a - 1| <= s sqrt(18 r) and w^2 between 1 and a, then each c in (0, s] costs "
                "more than r V: for larger |a - 1| L_1 alone exceeds 2 r V c^2 by the limits of "
                "norms, if 18 r s^2 <= 1.",
                (),
                (Check("the quotient does not rise", _blown_up_cost_falls),),
            ),
            Step(
                "Rings. That w^2 may be anything between 1 and a loses a term of first order in s, "
                "too much where superposition fades out continuously. For c between kappa s and s "
                "only, w^2 = 1 + c u = 1 + (c/s)(a - 1) lies between 1 + kappa (a - 1) and a. "
                "Rings of kappa = 3/4 are proved one within the other, until the disc that is left "
                "is small enough to be proved whole.",
                (Eq(w**2, 1 + kappa * (a - 1)),),
                (
                    identity(
                        "at the ring's inner end",
                        lambda: 1 + kappa * s * u - (1 + kappa * (a - 1)).subs(a, 1 + s * u),
                    ),
                    Check("squares of first weights lie there", _rings_hold_weights),
                ),
            ),
            Step(
                "Both signs are independent: where the inequality holds for gains of one sign, all "
                "W with W_1 W_2 of that sign and |W_2| <= s cost more than r V, what ignoring "
                "costs. Without interference, W_1 W_2 = 0, nothing costs less than min(1, r) V. So "
                "superposition is proved in a cell in one of two ways: a competitor with "
                "W_1 W_2 < 0 beats all W with W_1 W_2 >= 0, box by box; or, where it gains too "
                "little for boxes, it costs less than r V at every corner of the cell, which is a "
                "comparison of fractions, and weights of the same sign cost more than r V.",
                (),
                (Check("no interference, no gain", _ignoring_is_never_beaten_on_the_axes),),
            ),
            Step(
                "A penalty raises the loss of every W with W_1 W_2 != 0 and of no other. So if all "
                "minimisers have W_1 W_2 = 0 at one lambda, they have at every higher one: "
                "ignoring is proved at the lowest penalty of a range. Superposition is proved in "
                "all of a range if what a competitor costs at its highest penalty is less than "
                "what all W with W_1 W_2 >= 0 cost at its lowest.",
                (Eq(sympy.Symbol("L_lambda"), sympy.Symbol("L_0") + 2 * penalty * (c * w) ** 2),),
                (Check("the penalty, term by term", _penalty_is_monotone),),
            ),
            Step(
                "If W costs more than ignoring the second feature does at one r, "
                "f(r) = L_1 + r (L_2 - V) > 0, it does at every lower rho, L_1 >= 0: of a range of "
                "importances the highest is enough for ignoring.",
                (Eq(_excess(lower), lower / r * _excess(r) + (1 - lower / r) * L_1),),
                (
                    identity(
                        "what W costs more at rho",
                        lambda: _excess(lower) - lower / r * _excess(r) - (1 - lower / r) * L_1,
                    ),
                ),
            ),
            Step(
                "Exchanging the features divides loss and penalty by r: cells with r > 1 are "
                "images of cells with r < 1.",
                (),
                (Check("L(p, r) = r L(p, 1/r)", _exchange_divides_by_importance),),
            ),
        ),
        result=(Eq(L_i, (p / 3 - p**2 / 4) * _second_output_cost()),),
        source="Derived here, for the loss of Elhage et al., Toy Models of Superposition (2022).",
    )
