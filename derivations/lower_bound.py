"""Lower bounds of the loss that hold: the theorems behind certified minima and diagrams."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations, product
from math import comb, prod

import sympy
from sympy import Eq, Integer, Rational, symbols

from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.direct_integral import exact_output_loss, exact_product, exact_square
from derivations.roundings import exact_moments, roundings
from derivations.simplex import p

a, c, w, x0, r, t = symbols("a c w x_0 r t", positive=True)
low, high = symbols("p_0 p_1", positive=True)
F, H, L_i, sigma, alpha, y, centre = symbols("F H L_i sigma alpha y c", real=True)

#: What the compiled code subtracts, in units of the sum of all magnitudes.
MARGIN = Fraction(1, 2**44)
_UNIT = Fraction(1, 2**53)
_OTHER_ROUNDINGS = 120  # more than there are other operations in any sum of a bound

Point = tuple[Fraction, ...]


def _random(rng: random.Random, size: Fraction = Fraction(3, 2)) -> Fraction:
    return size * Fraction(rng.randint(-64, 64), 64)


def _law(rng: random.Random, n: int) -> list[Fraction]:
    """Return a random joint law of activity, not independent."""
    weights = [Fraction(rng.randint(1, 9)) for _ in range(2**n)]
    return [weight / sum(weights) for weight in weights]


def error(point: Point, table: Sequence[Fraction]) -> Fraction:
    """Return an output's error p_i/3 - 2 E[x_i ReLU(Z)] + E[ReLU(Z)^2], its own gain first."""
    moments = exact_moments(point[:-1], point[-1], table)
    return sum(table[1::2], Fraction(0)) / 3 - 2 * moments[0] + moments[-1]


def box_bound(
    low_corner: Point, high_corner: Point, table: Sequence[Fraction], touch: Point, tilt: Point
) -> Fraction:
    """Return the bound, over a box, of the error less tilt.(gains), from planes above and below."""
    n = len(low_corner) - 1
    middle = [(u + v) / 2 for u, v in zip(low_corner, high_corner, strict=True)]
    corners = list(product(*zip(low_corner, high_corner, strict=True)))
    values = [exact_moments(v[:-1], v[-1], table)[0] for v in corners]
    slope = []
    for k, (one, other) in enumerate(zip(low_corner, high_corner, strict=True)):
        signed = (f if v[k] == other else -f for v, f in zip(corners, values, strict=True))
        slope.append(2 * sum(signed, Fraction(0)) / len(corners) / (other - one))

    def plane(v: Point) -> Fraction:
        terms = (s * (q - m) for s, q, m in zip(slope, v, middle, strict=True))
        return sum(terms, Fraction(0))

    height = max(f - plane(v) for v, f in zip(corners, values, strict=True))
    moments = exact_moments(touch[:-1], touch[-1], table)
    rest = [
        2 * moments[k] - 2 * slope[k] - (tilt[k] if k < n else Fraction(0)) for k in range(n + 1)
    ]
    value = sum(table[1::2], Fraction(0)) / 3 + moments[-1] - 2 * (height + plane(touch))
    value -= sum((s * q for s, q in zip(tilt, touch, strict=False)), Fraction(0))
    for q, one, other, place in zip(rest, low_corner, high_corner, touch, strict=True):
        value += min(q * (one - place), q * (other - place))
    return value


def _moments_agree() -> Outcome:
    rng, count = random.Random(1), 0
    for n in (2, 3):
        for _ in range(25):
            gains = [_random(rng) for _ in range(n)]
            bias = _random(rng)
            table = [Fraction(int(size == n)) for size in map(int.bit_count, range(2**n))]
            found = exact_moments(gains, bias, table)
            rational = [Rational(g.numerator, g.denominator) for g in gains]
            offset = Rational(bias.numerator, bias.denominator)
            if sympy.Rational(found[-1]) != exact_square(offset, rational):
                return False, f"E[ReLU(Z)^2] differs at {gains}, {bias}"
            if any(
                sympy.Rational(found[j]) != exact_product(offset, rational, j) for j in range(n)
            ):
                return False, f"E[x_j ReLU(Z)] differs at {gains}, {bias}"
            count += 1
    return True, f"{count} points, gains of 0 among them, exactly"


def _convex(which: int) -> Callable[[], Outcome]:
    def run() -> Outcome:
        rng, count = random.Random(2), 0
        for n in (2, 3):
            table = _law(rng, n)
            for _ in range(20):
                one, other = (tuple(_random(rng) for _ in range(n + 1)) for _ in range(2))
                middle = tuple((u + v) / 2 for u, v in zip(one, other, strict=True))
                ends = [exact_moments(v[:-1], v[-1], table)[which] for v in (one, other)]
                if sum(ends) < 2 * exact_moments(middle[:-1], middle[-1], table)[which]:
                    return False, f"not convex between {one} and {other}"
                count += 1
        return True, f"{count} pairs of points, two joint laws"

    return run


def _boxes_are_bounded() -> Outcome:
    rng, count, closest = random.Random(3), 0, Fraction(10)
    for n in (2, 3):
        for _ in range(8):
            table = _law(rng, n)
            start = tuple(_random(rng) for _ in range(n + 1))
            widths = tuple(Fraction(rng.randint(1, 32), 64) for _ in range(n + 1))
            end = tuple(u + v for u, v in zip(start, widths, strict=True))
            touch = _between(rng, start, end)
            tilt = tuple(_random(rng, Fraction(1, 2)) for _ in range(n))
            bound = box_bound(start, end, table, touch, tilt)
            for _ in range(12):
                inside = _between(rng, start, end)
                tilted = error(inside, table) - sum(
                    (s * q for s, q in zip(tilt, inside, strict=False)), Fraction(0)
                )
                closest = min(closest, tilted - bound)
                if tilted < bound:
                    return False, f"{float(tilted)} is below the bound {float(bound)}"
                count += 1
    return True, f"{count} points in 16 boxes; the closest is {float(closest):.2g} above"


def _between(rng: random.Random, one: Point, other: Point) -> Point:
    return tuple(
        u + (v - u) * Fraction(rng.randint(0, 16), 16) for u, v in zip(one, other, strict=True)
    )


def _gain_is_least_there() -> Outcome:
    """The error of x on [0, 1] by (c + a x)_+, c <= 0, is least at x_0 = (a - 1)/(a + 1)."""
    cost = _active_cost()
    best = (a - 1) / (a + 1)
    stationary = sympy.simplify(cost.diff(x0).subs(x0, best)) == 0
    others = sympy.solve(sympy.Poly(sympy.expand(cost.diff(x0)), x0).as_expr(), x0)
    least = all(
        float(cost.subs({a: gain, x0: Rational(k, 50)}))
        >= float(cost.subs({a: gain, x0: best.subs(a, gain)})) - 1e-15
        for gain in (Integer(1), Rational(3, 2), Integer(3), Integer(20))
        for k in range(51)
    )
    return stationary and least, f"{len(others)} stationary points, 204 offsets compared"


def _active_cost() -> sympy.Expr:
    end = 1 - a * (1 - x0)
    return x0**3 / 3 + (1 - x0) / 3 * (x0**2 + x0 * end + end**2)


def _norms_limited() -> Outcome:
    rng = random.Random(4)
    for _ in range(60):
        gains = [Fraction(rng.randint(1, 200), 64), _random(rng)]
        table = _law(rng, 2)
        own = gains[0]
        limit = ((own - 1) / (own + 1)) ** 2 / 3 if own >= 1 else (1 - own) ** 2 / 12
        found = error((*gains, _random(rng, Fraction(3))), table)
        if found < sum(table[1::2]) * limit:
            return False, f"the error {float(found)} is below its limit at {gains}"
    return True, "60 outputs, dependent activity"


def _biases_limited() -> Outcome:
    """Beyond the upper limit the loss rises; below the lower one the output is silent."""
    rng, small = random.Random(5), Fraction(1, 10**6)
    for _ in range(40):
        gains, table = (_random(rng), _random(rng)), _law(rng, 2)
        active = [table[1] + table[3], table[2] + table[3]]
        means = (q * g / 2 for q, g in zip(active, gains, strict=True))
        upper = active[0] / 2 - sum(means, Fraction(0))
        beyond = upper + Fraction(rng.randint(0, 64), 64)
        if error((*gains, beyond + small), table) < error((*gains, beyond), table):
            return False, f"the loss falls beyond {float(upper)} for {gains}"
        silent = -sum((max(g, Fraction(0)) for g in gains), Fraction(0))
        if error((*gains, silent - _random(rng) ** 2), table) != active[0] / 3:
            return False, f"the output is not silent for {gains}"
    return True, "40 outputs, dependent activity"


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


def _roundings_counted() -> Outcome:
    most = max(max(roundings(n)) for n in (2, 3))
    covered = (most + _OTHER_ROUNDINGS) * _UNIT * 2 < MARGIN
    return covered, f"at most {most} roundings of a moment, none of which cancels"


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


def lower_bound() -> Derivation:
    """Return the derivation of every bound that certificates rest on."""
    return Derivation(
        name="lower-bound",
        title="Lower bounds of the loss that hold, rounding included",
        statement=(
            "Over a box of weights, and all biases, the loss exceeds a number that is computed "
            "from finitely many corners. With it a branch and bound proves how low the loss can "
            "be, at one density or over a cell of densities and importances, and that small second "
            "weights are exactly 0. Activity may have any joint law; values of active features are "
            "independent and uniform on [0, 1]."
        ),
        symbols=(
            Symbol(y, "gains g = row i of W^T W, and bias b, of an output with Z = b + g.x"),
            Symbol(F, "E[x_i ReLU(Z)]"),
            Symbol(H, "E[ReLU(Z)^2]"),
            Symbol(sigma, "slope of a plane above F over a box with centre c, height alpha"),
            Symbol(p, "density; p_0 and p_1 are the ends of a cell"),
            Symbol(a, "squared norm |W_i|^2, the gain of an output's own feature"),
            Symbol(c, "norm of the second weight, n = 2, m = 1"),
            Symbol(w, "norm of the first weight"),
        ),
        steps=(
            Step(
                "Moments. On every face of the cube they follow from those of its facets by sums "
                "and products of numbers that are not negative (derivations/moments.py).",
                (),
                (Check("equal to direct integration", _moments_agree),),
            ),
            Step(
                "An output's error is a difference of two convex functions: x_i >= 0, and ReLU and "
                "its square are convex and increasing in Z, which is linear in y.",
                (Eq(L_i, p / 3 + H - 2 * F),),
                (
                    Check("F is convex", _convex(0)),
                    Check("H is convex", _convex(-1)),
                ),
            ),
            Step(
                "Bound over a box. F, being convex, lies below any plane that lies above it at the "
                "vertices: slope sigma, height alpha = the maximum of F(v) - sigma (v - c). "
                "H lies above its tangent plane at any point. What remains is linear. Outputs "
                "share gains: each bound is taken of the error less a tilt t_i.(g_i - pivot_i), "
                "and the sum of I_i t_i.(g_i - pivot_i), a quadratic form in W, is bounded over "
                "the box of weights row by row. Any tilts and points of tangency are valid. The "
                "range of each bias is cut into intervals, of which the least bound counts.",
                (),
                (Check("sampled errors are above it", _boxes_are_bounded),),
            ),
            Step(
                "Norms are limited. Given the other features, Z = c + a x_i. For a >= 1 the error "
                "is least where Z vanishes at x_0 = (a - 1)/(a + 1); for a <= 1 it is at least the "
                "variance of (1 - a) x_i. So L_i >= (p/3) ((a - 1)/(a + 1))^2, and for a <= 1, "
                "L_i >= p (1 - a)^2 / 12; with I_i L_i at most the least known loss, a is bounded.",
                (Eq(L_i, p / 3 * ((a - 1) / (a + 1)) ** 2),),
                (
                    identity(
                        "the error at x_0",
                        lambda: (
                            _active_cost().subs(x0, (a - 1) / (a + 1))
                            - ((a - 1) / (a + 1)) ** 2 / 3
                        ),
                    ),
                    Check("x_0 is best", _gain_is_least_there),
                    Check("outputs obey it", _norms_limited),
                ),
            ),
            Step(
                "Biases are limited. dL_i/db = 2 E[(Z - x_i) 1(Z > 0)] >= 2 E[Z - x_i], positive "
                "beyond b = p_i/2 - sum_j g_j p_j/2; below b = -sum_j max(g_j, 0) the output is "
                "silent and costs p_i/3, as it does there.",
                (),
                (Check("rising above, silent below", _biases_limited),),
            ),
            Step(
                "Symmetries. W may be rotated and reflected to be upper triangular with a diagonal "
                "that is not negative (QR decomposition), after features of equal importance and "
                "law are ordered by descending norms.",
                (),
                (Check("QR keeps W^T W", _rotations_keep_gram),),
            ),
            Step(
                "Rounding. Gains, biases and points of tangency are multiples of 2^-40 below 2^11 "
                "in magnitude, so that sums of them are exact. A moment meets no difference of "
                "rounded numbers, and at most 29 roundings; a bound is a sum of few products of "
                "them, whose error is below 2^-45 of the sum of all magnitudes. 2^-44 of that sum "
                "is subtracted.",
                (),
                (Check("roundings of the generated code, counted", _roundings_counted),),
            ),
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
                "with |a - 1| <= s sqrt(18 r) and w^2 between 1 and a, then no c in (0, s] is a "
                "minimiser: for larger |a - 1|, L_1 alone exceeds 2 r V c^2 by the limits of "
                "norms, if 18 r s^2 <= 1.",
                (),
                (Check("the quotient does not rise", _blown_up_cost_falls),),
            ),
        ),
        result=(Eq(L_i, p / 3 + H - 2 * alpha - 2 * sigma * (y - centre)),),
        source="Derived here, for the loss of Elhage et al., Toy Models of Superposition (2022).",
        checks=(Check("a wrong constant is noticed", _planted_error_is_noticed),),
    )


def _rotations_keep_gram() -> Outcome:
    rng = random.Random(8)
    for _ in range(5):
        weights = sympy.Matrix(2, 3, lambda *_: Integer(rng.randint(-5, 5)))
        if weights[:, 0].norm() == 0:
            continue
        cosine, sine = (weights[k, 0] / weights[:, 0].norm() for k in range(2))
        turned = sympy.Matrix([[cosine, sine], [-sine, cosine]]) * weights
        if sympy.simplify(turned[1, 0]) != 0 or turned[0, 0].is_negative:
            return False, f"{weights} is not made triangular"
        if sympy.simplify(turned.T * turned - weights.T * weights) != sympy.zeros(3):
            return False, f"W^T W changes for {weights}"
    return True, "5 matrices"


def _planted_error_is_noticed() -> Outcome:
    """A plane lower by 1/50 of the error's size, or a tangent above H, must be found out."""
    rng, noticed = random.Random(9), 0
    for _ in range(10):
        table = _law(rng, 2)
        start = (Fraction(1), -Fraction(1, 2), Fraction(0))
        end = tuple(u + Fraction(1, 64) for u in start)
        touch = tuple((u + v) / 2 for u, v in zip(start, end, strict=True))
        bound = box_bound(start, end, table, touch, (Fraction(0), Fraction(0)))
        wrong = bound + Fraction(1, 50) * sum(table[1::2], Fraction(0))
        sampled = [error(_between(rng, start, end), table) for _ in range(20)]
        noticed += any(value < wrong for value in sampled)
    return noticed >= 8, f"{noticed} of 10 planted errors noticed by 20 samples each"
