"""Lower bounds of the loss that hold: the theorems behind certified minima and diagrams."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import sympy
from sympy import Eq, Integer, Rational, symbols

from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.direct_integral import exact_product, exact_square
from derivations.roundings import exact_moments, roundings
from derivations.simplex import p

a, x0 = symbols("a x_0", positive=True)
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


@dataclass(frozen=True)
class OutputBox:
    """A box of gains and a bias, and a point where the tangent of H touches.

    Attributes
    ----------
    low, high, touch : tuple of Fraction, length n + 1
    table : sequence of Fraction, length 2^n
    """

    low: Point
    high: Point
    table: Sequence[Fraction]
    touch: Point

    def corners(self) -> list[tuple[Point, Fraction]]:
        """Return the vertices and F there."""
        vertices = product(*zip(self.low, self.high, strict=True))
        return [(v, exact_moments(v[:-1], v[-1], self.table)[0]) for v in vertices]

    def secant(self) -> list[Fraction]:
        """Return the mean slope of F between opposite faces."""
        corners, slope = self.corners(), []
        for k, (one, other) in enumerate(zip(self.low, self.high, strict=True)):
            signed = (f if v[k] == other else -f for v, f in corners)
            slope.append(2 * sum(signed, Fraction(0)) / len(corners) / (other - one))
        return slope

    def tangent(self) -> tuple[Fraction, list[Fraction]]:
        """Return p_i/3 + H where it touches, and the slope of H."""
        moments = exact_moments(self.touch[:-1], self.touch[-1], self.table)
        third = sum(self.table[1::2], Fraction(0)) / 3
        return third + moments[-1], [2 * x for x in moments[:-1]]

    def vertex_bound(self, tilt: Point) -> Fraction:
        """Return the bound of the error less tilt.(gains): the tangent less 2 F, at a vertex."""
        value, rise = self.tangent()
        rest = [u - v for u, v in zip(rise, (*tilt, Fraction(0)), strict=True)]
        return (
            value - _dot(rise, self.touch) + min(_dot(rest, v) - 2 * f for v, f in self.corners())
        )

    def plane_bound(self, tilt: Point) -> Fraction:
        """Return that of the compiled code: the tangent less twice a plane above F."""
        slope, (value, rise) = self.secant(), self.tangent()
        height = max(f - _dot(slope, v) for v, f in self.corners())
        value -= _dot(rise, self.touch) + 2 * height
        for k, (one, other) in enumerate(zip(self.low, self.high, strict=True)):
            rest = rise[k] - 2 * slope[k] - (tilt[k] if k < len(tilt) else 0)
            value += min(rest * one, rest * other)
        return value


def _dot(one: Sequence[Fraction], other: Sequence[Fraction]) -> Fraction:
    return sum((u * v for u, v in zip(one, other, strict=True)), Fraction(0))


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


def _random_box(rng: random.Random, n: int) -> OutputBox:
    start = tuple(_random(rng) for _ in range(n + 1))
    end = tuple(u + Fraction(rng.randint(1, 32), 64) for u in start)
    return OutputBox(start, end, _law(rng, n), _between(rng, start, end))


def _boxes_are_bounded() -> Outcome:
    rng, count, closest = random.Random(3), 0, Fraction(10)
    for n in (2, 3):
        for _ in range(8):
            box = _random_box(rng, n)
            tilt = tuple(_random(rng, Fraction(1, 2)) for _ in range(n))
            bound = box.vertex_bound(tilt)
            if box.plane_bound(tilt) > bound:
                return False, f"the plane's bound exceeds that of the vertices, {float(bound)}"
            for _ in range(12):
                inside = _between(rng, box.low, box.high)
                tilted = error(inside, box.table) - _dot(tilt, inside[:-1])
                closest = min(closest, tilted - bound)
                if tilted < bound:
                    return False, f"{float(tilted)} is below the bound {float(bound)}"
                count += 1
    return True, f"{count} points in 16 boxes; the closest is {float(closest):.2g} above"


def _bounds_agree() -> Outcome:
    """Tilted by the slope of H less twice that of the plane, and at one bias, both are the same."""
    rng = random.Random(10)
    for n in (2, 3):
        for _ in range(5):
            box = _random_box(rng, n)
            thin = Fraction(1, 2**20)
            box = replace(box, high=(*box.high[:-1], box.low[-1] + thin))
            slopes = zip(box.tangent()[1], box.secant(), strict=True)
            tilt = tuple(u - 2 * v for u, v in slopes)[:-1]
            apart = box.vertex_bound(tilt) - box.plane_bound(tilt)
            if not 0 <= apart < 8 * thin:
                return False, f"they are {float(apart)} apart"
    return True, "10 boxes"


def shared_bound(form: list[list[Fraction]], low: Point, high: Point, at: Point) -> Fraction:
    """Return the bound of x N x over a box of one row x of W, from a point of it onwards."""
    total = sum((x * _dot(row, at) for x, row in zip(at, form, strict=True)), Fraction(0))
    moves = [(u - x, v - x) for u, v, x in zip(low, high, at, strict=True)]
    for i, (one, other) in enumerate(moves):
        line, square = 2 * _dot(form[i], at), form[i][i]
        turn = min(max(-line / 2 / square, one), other) if square > 0 else one
        total += min(x * (line + square * x) for x in (one, other, turn))
        for j in range(i):
            total += min(2 * form[i][j] * x * y for x in moves[i] for y in moves[j])
    return total


def _losses_are_bounded() -> Outcome:
    """n = 2, m = 1: outputs bounded with random tilts, and the form that these make."""
    rng, count, closest = random.Random(11), 0, Fraction(10)
    for _ in range(12):
        table = _law(rng, 2)
        swapped = [table[0], table[2], table[1], table[3]]
        low = tuple(_random(rng) for _ in range(2))
        high = tuple(u + Fraction(rng.randint(1, 8), 64) for u in low)
        biases = [(u, u + Fraction(1, 16)) for u in (_random(rng), _random(rng))]
        at = _between(rng, low, high)
        tilts = [tuple(_random(rng, Fraction(1, 4)) for _ in range(2)) for _ in range(2)]
        form = [
            [tilts[0][0], (tilts[0][1] + tilts[1][1]) / 2],
            [(tilts[0][1] + tilts[1][1]) / 2, tilts[1][0]],
        ]
        bound = shared_bound(form, low, high, at)
        for i, law in enumerate((table, swapped)):
            gains = [_products(low, high, i, f) for f in (i, 1 - i)]
            ends = zip(*gains, biases[i], strict=True)
            start, end = (tuple(x) for x in ends)
            bound += OutputBox(start, end, law, _between(rng, start, end)).vertex_bound(tilts[i])
        for _ in range(12):
            W = _between(rng, low, high)
            b = [_between(rng, (u,), (v,))[0] for u, v in biases]
            loss = error((W[0] ** 2, W[0] * W[1], b[0]), table)
            loss += error((W[1] ** 2, W[0] * W[1], b[1]), swapped)
            closest = min(closest, loss - bound)
            if loss < bound:
                return False, f"the loss {float(loss)} is below the bound {float(bound)}"
            count += 1
    return True, f"{count} losses in 12 boxes; the closest is {float(closest):.2g} above"


def _products(low: Point, high: Point, i: int, f: int) -> tuple[Fraction, Fraction]:
    """Return the range of W_i W_f."""
    ends = [x * y for x in (low[i], high[i]) for y in (low[f], high[f])]
    return min(ends), max(ends)  # of squares too low a range: it need not be the least one


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


def _roundings_counted() -> Outcome:
    most = max(max(roundings(n)) for n in (2, 3))
    covered = (most + _OTHER_ROUNDINGS) * _UNIT * 2 < MARGIN
    return covered, f"at most {most} roundings of a moment, none of which cancels"


def lower_bound() -> Derivation:
    """Return the derivation of every bound that certificates rest on."""
    return Derivation(
        name="lower-bound",
        title="Lower bounds of the loss that hold, rounding included",
        statement=(
            "Over a box of weights, and all biases, the loss exceeds a number that is computed "
            "from finitely many corners. With it a branch and bound proves how low the loss can "
            "be. Activity may have any joint law; values of active features are independent and "
            "uniform on [0, 1]."
        ),
        symbols=(
            Symbol(y, "gains g = row i of W^T W, and bias b, of an output with Z = b + g.x"),
            Symbol(F, "E[x_i ReLU(Z)]"),
            Symbol(H, "E[ReLU(Z)^2]"),
            Symbol(sigma, "slope of a plane above F over a box with centre c, height alpha"),
            Symbol(p, "density"),
            Symbol(a, "squared norm |W_i|^2, the gain of an output's own feature"),
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
                "Bound over a box. H lies above its tangent plane at any point; the tangent less "
                "2 F is concave and takes its least value over the box at a vertex. So does it "
                "less any tilt t_i.g_i. The checker computes that; the compiled code what is a "
                "little lower and linear: F, being convex, lies below any plane that lies above it "
                "at the vertices, slope sigma, height alpha = the maximum of F(v) - sigma (v - c). "
                "The range of each bias is cut into intervals, of which the least bound counts.",
                (),
                (
                    Check("sampled errors are above both", _boxes_are_bounded),
                    Check("equal where the tangent is parallel", _bounds_agree),
                ),
            ),
            Step(
                "Outputs share gains, so their least errors must not be added. Each is bounded "
                "less a tilt, L_i >= k_i + t_i g_i, and the sum of I_i t_i g_i, products with row "
                "g_i of W^T W, is a quadratic form, sum_k W_k N W_k over the rows W_k of W. "
                "About a point of the box it is its value there and a polynomial in the moves: of "
                "one weight, least at an end or where it turns; of two, least at a corner. "
                "Any tilts and points of tangency are valid; with t_i the slope of the error where "
                "the tangents touch the gap is of second order in the box.",
                (),
                (Check("sampled losses are above it", _losses_are_bounded),),
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
    """A bound higher by 1/50 of the error's size must be found out."""
    rng, noticed = random.Random(9), 0
    for _ in range(10):
        table = _law(rng, 2)
        start = (Fraction(1), -Fraction(1, 2), Fraction(0))
        end = tuple(u + Fraction(1, 64) for u in start)
        touch = tuple((u + v) / 2 for u, v in zip(start, end, strict=True))
        bound = OutputBox(start, end, table, touch).vertex_bound((Fraction(0), Fraction(0)))
        wrong = bound + Fraction(1, 50) * sum(table[1::2], Fraction(0))
        sampled = [error(_between(rng, start, end), table) for _ in range(20)]
        noticed += any(value < wrong for value in sampled)
    return noticed >= 8, f"{noticed} of 10 planted errors noticed by 20 samples each"
