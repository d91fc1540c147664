"""Orthogonal groups of features: losses add, dimensionalities, the best mixture, tilting."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import combinations, product

import sympy
from sympy import Eq, Expr, Function, Integer, Matrix, Rational, Sum, symbols

from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.direct_integral import exact_output_loss
from derivations.simplex import p

z, y, g = symbols("z y g", real=True)
a, h = symbols("a h", positive=True)
x = symbols("x", real=True)
_V = p / 3 - p**2 / 4

Group = tuple[int, int, Fraction]  # features, dimensions, what it saves
Point = tuple[Fraction, Fraction]


def orthogonal_groups() -> Derivation:
    """Return the derivation of what `phasediagram.geometry` rests on."""
    D, W = Function("D"), Function("W")
    i, n, d = symbols("i n d", integer=True, positive=True)
    t = Function("t")
    delta, gain, curve = symbols("delta_L g_ij h_i")
    hull = Eq(
        sympy.Symbol("saved") / sympy.Symbol("m"),
        Function("hull")(sympy.Symbol("n") / sympy.Symbol("m")),
    )
    return Derivation(
        name="orthogonal-groups",
        title="Orthogonal groups of features",
        statement=(
            "Groups of features in orthogonal subspaces add their losses. The dimensionalities of "
            "a group in d dimensions sum to d at most. Of groups that each save s_g with k_g "
            "features in d_g dimensions, the best mixture of n features in m dimensions is, for "
            "each dimension, the upper concave hull of the points (k_g/d_g, s_g/d_g) at n/m, but "
            "for what rounding to whole groups costs. And to second order a feature of another "
            "group adds its variance times half the second derivative by the bias, which decides "
            "whether groups tilt into each other."
        ),
        symbols=(
            Symbol(p, "density of every feature"),
            Symbol(W(i), "direction of feature i; M is the sum of W_j W_j^T over a group"),
            Symbol(D(i), "dimensionality of feature i"),
            Symbol(a, "norm of an antiprism's directions within its plane"),
            Symbol(h, "their height above it, alternating in sign"),
            Symbol(sympy.Symbol("saved"), "next to ignoring all features"),
            Symbol(Function("hull")(x), "upper edge of the convex hull that step 4 describes"),
            Symbol(t(g), "share of the dimensions that groups of kind g take"),
            Symbol(curve, "second derivative of output i's loss by its bias"),
            Symbol(gain, "gain of a feature j of another group in output i"),
        ),
        steps=(
            Step(
                "A feature's row of W^T W has a zero for every feature of another group, since "
                "their directions are orthogonal. So its output is a function of its own group "
                "alone, whatever the others do, and the loss is a sum over groups.",
                (Eq(sympy.Symbol("L"), Sum(Function("L")(g), (g, 1, n))),),
                (
                    Check("a pair and a triangle, integrated over all five", _losses_add),
                    Check("and not if they are not orthogonal", _do_not_add_when_turned),
                ),
            ),
            Step(
                "D_i = |W_i|^4 / (W_i^T M W_i). By Cauchy and Schwarz |W_i|^4 is at most "
                "(W_i^T M W_i)(W_i^T M^-1 W_i), so D_i is at most W_i^T M^-1 W_i, whose sum is the "
                "trace of M^-1 M, which is d. There is equality if and only if every direction is "
                "an eigenvector of M, as in digons, polygons and simplices: there D = d/k.",
                (sympy.Le(Sum(D(i), (i, 1, n)), d),),
                (
                    Check("rational groups of up to (6, 3)", _dimensionalities_are_bounded),
                    Check("digon, triangle, pentagon, hexagon, simplices: d/k", _regular),
                ),
            ),
            Step(
                "In a square antiprism (a, 0, h), turned by 45 degrees with the height's sign "
                "changing, a and h decide: 3/8 is reached at a^2 = 2 h^2 only.",
                (Eq(D(a, h), antiprism()), Eq(Rational(3, 8) - antiprism(), _antiprism_gap())),
                (
                    Check("from the directions themselves", _antiprism_directly),
                    identity(
                        "the gap to 3/8 is a square",
                        lambda: Rational(3, 8) - antiprism() - _antiprism_gap(),
                    ),
                ),
            ),
            Step(
                "Take c_g groups of each kind, as real numbers first, and t_g = c_g d_g / m. Then "
                "the sum of t_g is at most 1; the sums of t_g k_g/d_g and of t_g s_g/d_g run over "
                "the convex hull of the points (k_g/d_g, s_g/d_g) and the origin. So "
                "what can be saved for each dimension with n/m features for each is the upper edge "
                "of that hull, made nondecreasing (features may be ignored). An edge has two ends: "
                "two kinds of groups suffice, and one where n/m is not below its k_g/d_g.",
                (hull,),
                (Check("hull = the best vertex of the program", _hull_is_the_optimum),),
            ),
            Step(
                "Whole numbers of groups save no more than that, and rounding the two kinds down "
                "costs less than one group of each.",
                (),
                (Check("every whole mixture, counted", _whole_mixtures),),
            ),
            Step(
                "Let a feature j of another group get a gain g in output i, and let the bias take "
                "up its mean. Averaged over the own group first, the error is a function F of the "
                "bias alone, and a polynomial where no corner of the cube is on the kink; x_j is "
                "independent of the rest, and x_j - E x_j has mean 0 and variance V. So the mean "
                "of F(b + g (x_j - E x_j)) is F(b) + V g^2 F''(b)/2 up to the third order.",
                (Eq(delta, curve * (p / 3 - p**2 / 4) * gain**2 / 2),),
                (
                    identity("mean square of z + g (x - p/2)", _spread),
                    Check("what is left is of third order", _third_order),
                ),
            ),
        ),
        result=(hull, Eq(delta, curve * (p / 3 - p**2 / 4) * gain**2 / 2)),
        source=(
            "Dimensionality: Elhage et al., Toy Models of Superposition (2022), section 'The "
            "Geometry of Superposition'. The rest is derived here."
        ),
        checks=(Check("two pairs tilting into each other, exactly", _tilting_pairs),),
    )


def antiprism() -> Expr:
    """Return D of a square antiprism with directions (a, 0, h), ..., as a function of a, h."""
    return (a**2 + h**2) ** 2 / (4 * a**4 + 8 * h**4)


def _antiprism_gap() -> Expr:
    return (a**2 - 2 * h**2) ** 2 / (8 * (a**4 + 2 * h**4))


def dimensionality(W: Matrix, i: int) -> Expr:
    """Return D_i of the columns of W."""
    own = W[:, i]
    square = (own.T * own)[0]
    return square**2 / (own.T * W * W.T * own)[0]


def _gains(W: Matrix, i: int) -> list[Rational]:
    return list((W.T * W)[i, :])


def _loss(W: Matrix, biases: list[Rational], density: Rational) -> Rational:
    return sum(
        (exact_output_loss(density, biases[i], _gains(W, i), i) for i in range(W.cols)), Integer(0)
    )


def _pair_and_triangle() -> tuple[Matrix, Matrix]:
    pair = Matrix([[Rational(9, 10), -Rational(4, 5)]])
    triangle = Matrix([[1, -Rational(1, 2), -Rational(2, 5)], [0, Rational(4, 5), -Rational(6, 7)]])
    return pair, triangle


def _together(turn: Matrix) -> tuple[Rational, Rational]:
    """Return the loss of both groups in three dimensions, the second one turned, and their sum."""
    pair, triangle = _pair_and_triangle()
    biases = [Rational(1, 9), -Rational(1, 7), Rational(1, 20), -Rational(1, 8), Rational(0)]
    density = Rational(2, 5)
    lifted = turn * Matrix.vstack(sympy.zeros(1, 3), triangle)
    whole = Matrix.hstack(Matrix.vstack(pair, sympy.zeros(2, 2)), lifted)
    alone = _loss(pair, biases[:2], density) + _loss(triangle, biases[2:], density)
    return _loss(whole, biases, density), alone


def _losses_add() -> Outcome:
    for turn in (sympy.eye(3), Matrix([[1, 0, 0], [0, 3, -4], [0, 4, 3]]) / 5):
        turn[0, 0] = 1
        whole, alone = _together(turn)
        if whole != alone:
            return False, f"{whole} is not {alone}"
    return True, "exactly, also turned within their dimensions"


def _do_not_add_when_turned() -> Outcome:
    whole, alone = _together(Matrix([[3, -4, 0], [4, 3, 0], [0, 0, 5]]) / 5)
    return whole != alone, f"differs by {float(whole - alone):.2g}"


def _dimensionalities_are_bounded() -> Outcome:
    source, count = random.Random(3), 0
    for k, d in ((2, 1), (3, 2), (4, 2), (5, 2), (5, 3), (6, 3)):
        for _ in range(5):
            W = Matrix(d, k, lambda *_: Rational(source.randint(-9, 9), source.randint(1, 5)))
            if W.rank() < d or any(not any(W[:, i]) for i in range(k)):
                continue
            inverse = (W * W.T).inv()
            leverage = [(W[:, i].T * inverse * W[:, i])[0] for i in range(k)]
            values = [dimensionality(W, i) for i in range(k)]
            bounded = all(v <= m for v, m in zip(values, leverage, strict=True))
            if sum(leverage) != d or not bounded or sum(values) > d:
                return False, f"fails for {W}"
            count += 1
    return count > 20, f"{count} groups, exactly"


def polygon(k: int) -> Matrix:
    """Return the directions of a regular polygon, in algebraic numbers."""
    return Matrix(
        [
            [sympy.cos(2 * sympy.pi * j / k) for j in range(k)],
            [sympy.sin(2 * sympy.pi * j / k) for j in range(k)],
        ]
    )


def _regular() -> Outcome:
    for k in (3, 4, 5, 6):
        if sympy.nsimplify(sympy.simplify(dimensionality(polygon(k), 0) - Rational(2, k))) != 0:
            return False, f"polygon of {k}"
    for k in range(2, 7):
        # W^T W of a simplex: its square gives the sum over j of (W_i . W_j)^2
        gram = (sympy.eye(k) * k - sympy.ones(k, k)) / (k - 1)
        if 1 / (gram**2)[0, 0] != Rational(k - 1, k):
            return False, f"simplex of {k}"
    return True, "9 groups, exactly"


def _antiprism_directly() -> Outcome:
    columns = []
    for j in range(8):
        angle = sympy.pi * j / 4
        columns.append([a * sympy.cos(angle), a * sympy.sin(angle), h * (-1) ** j])
    W = Matrix(columns).T
    rest = [sympy.simplify(dimensionality(W, i) - antiprism()) for i in (0, 1, 6)]
    return rest == [0, 0, 0], "features 0, 1 and 6, a and h symbolic"


def _programs() -> Iterator[tuple[list[Group], int, int]]:
    """Yield groups and numbers of features and dimensions."""
    source = random.Random(5)
    for _ in range(40):
        groups = [(1, 1, Fraction(1))]
        for _ in range(source.randint(1, 5)):
            d = source.randint(1, 3)
            k = d + source.randint(1, 4)
            groups.append((k, d, d * Fraction(source.randint(8, 30), 12)))
        m = source.randint(2, 6)
        yield groups, m + source.randint(1, 8), m


def hull_at(groups: list[Group], where: Fraction) -> tuple[Fraction, list[Group]]:
    """Return the upper hull at n/m, and the groups at the ends of its edge.

    Groups are added from few features for each dimension to many; what falls below a line
    between its neighbours is dropped.
    """
    best: dict[Fraction, Group] = {}
    for group in groups:
        x_, s = _point(group)
        if x_ not in best or s > _point(best[x_])[1]:
            best[x_] = group
    upper: list[Group | None] = [None]  # the origin
    for key in sorted(best):
        group = best[key]
        while len(upper) > 1 and _slope(upper[-2], group) >= _slope(upper[-2], upper[-1]):
            upper.pop()
        if _slope(upper[-1], group) > 0:
            upper.append(group)
    ends = [g for g in upper if g is not None]
    for left, right in zip([None, *ends], ends, strict=False):
        if where <= _point(right)[0]:
            (x0, s0), s = _point(left), _slope(left, right)
            return s0 + s * (where - x0), [g for g in (left, right) if g is not None]
    return _point(ends[-1])[1], ends[-1:]


def _point(group: Group | None) -> Point:
    if group is None:
        return Fraction(0), Fraction(0)
    k, d, s = group
    return Fraction(k, d), s / d


def _slope(left: Group | None, right: Group | None) -> Fraction:
    (x0, s0), (x1, s1) = _point(left), _point(right)
    return (s1 - s0) / (x1 - x0)


def _best_vertex(groups: list[Group], n: int, m: int) -> Fraction:
    """Return the optimum of the linear program by its vertices: at most two groups each."""
    found = [Fraction(0)]
    for k, d, s in groups:
        found.append(s * min(Fraction(n, k), Fraction(m, d)))
    for (k, d, s), (q, e, r) in combinations(groups, 2):
        determinant = k * e - q * d
        if determinant == 0:
            continue
        c, f = Fraction(n * e - q * m, determinant), Fraction(k * m - n * d, determinant)
        if c >= 0 and f >= 0:
            found.append(c * s + f * r)
    return max(found)


def _hull_is_the_optimum() -> Outcome:
    count = 0
    for groups, n, m in _programs():
        value, ends = hull_at(groups, Fraction(n, m))
        if m * value != _best_vertex(groups, n, m) or len(ends) > 2:
            return False, f"differs for {groups}, n = {n}, m = {m}"
        count += 1
    return count > 30, f"{count} programs, exactly"


def _whole_mixtures() -> Outcome:
    count = 0
    for groups, n, m in _programs():
        value, ends = hull_at(groups, Fraction(n, m))
        ranges = [range(min(n // k, m // d) + 1) for k, d, _ in groups]
        whole = max(
            sum((c * s for c, (_, _, s) in zip(counts, groups, strict=True)), Fraction(0))
            for counts in product(*ranges)
            if sum(c * k for c, (k, _, _) in zip(counts, groups, strict=True)) <= n
            and sum(c * d for c, (_, d, _) in zip(counts, groups, strict=True)) <= m
        )
        if not m * value - sum(s for *_, s in ends) < whole <= m * value:
            return False, f"fails for {groups}, n = {n}, m = {m}"
        count += 1
    return count > 30, f"{count} programs, exactly"


def _spread() -> Expr:
    """E[(z + g (x - p/2))^2] less z^2 + V g^2, x being 0 or, with probability p, uniform."""
    moved = (z + g * (x - p / 2)) ** 2
    mean = (1 - p) * moved.subs(x, 0) + p * sympy.integrate(sympy.expand(moved), (x, 0, 1))
    return mean - z**2 - _V * g**2


def _third_order() -> Outcome:
    """What is left, over g^3, at smaller and smaller g: exact values, no bias on a kink."""
    density, worst = Rational(1, 3), 0.0
    for bias, gains in (
        (-Rational(1, 8), (Rational(9, 10),)),
        (Rational(1, 10), (Rational(1), -Rational(7, 10))),
        (-Rational(1, 6), (Rational(11, 10), -Rational(1, 3), Rational(1, 4))),
    ):
        second = _bias_curvature(density, bias, gains)
        here = exact_output_loss(density, bias, gains)
        for size in (100, 1000, 10000):
            step = Rational(1, size)
            moved = exact_output_loss(density, bias - step * density / 2, (*gains, step))
            left = moved - here - second * _V.subs(p, density) * step**2 / 2
            worst = max(worst, abs(float(left / step**3)))
    return worst < 1, f"at most {worst:.2g} g^3, at g = 1/100, 1/1000, 1/10000"


def _bias_curvature(density: Rational, bias: Rational, gains: tuple[Rational, ...]) -> Rational:
    """Return the second derivative of an output's loss by its bias, exactly.

    Away from kinks the loss is a polynomial of degree k + 2 in the bias: so many values next to
    it, and one more, determine it.
    """
    points = [Rational(j, 10**5) for j in range(len(gains) + 3)]
    values = [exact_output_loss(density, bias + point, gains) for point in points]
    return sympy.interpolate(list(zip(points, values, strict=True)), x).diff(x, 2).subs(x, 0)


def _tilting_pairs() -> Outcome:
    """Two digons, (1, -1) each: tilted by t, the loss changes as S and h say, to t^2."""
    density, bias = Rational(1, 2), Rational(1, 10)
    V = _V.subs(p, density)
    row = (Rational(1), -Rational(1))
    curvature = _bias_curvature(density, bias, row)
    loss, e = partial(exact_output_loss, density, bias), Rational(1, 2**20)
    own = (loss((1 + e, -1)) - loss((1 - e, -1))) / (2 * e)
    other = (loss((1, -1 + e)) - loss((1, -1 - e))) / (2 * e)
    # features 1, 2 move by u = (t, t) into the other dimension, the others stay: by S both
    # own and other gains change by t^2, and each gain between groups is +-t
    predicted = 2 * (own + other) + 4 * curvature * V * 2 / 2
    worst = 0.0
    for size in (1000, 10000):
        t = Rational(1, size)
        W = Matrix([[1, -1, 0, 0], [t, t, 1, -1]])
        gram = W.T * W
        biases = []
        for i in range(4):
            others = range(2, 4) if i < 2 else range(2)
            biases.append(bias - density / 2 * sum((gram[i, j] for j in others), Integer(0)))
        change = _loss(W, biases, density) - _loss(Matrix([[1, -1, 0, 0], [0, 0, 1, -1]]),
                                                   [bias] * 4, density)  # fmt: skip
        worst = max(worst, abs(float((change / t**2 - predicted) / t)))
    return worst < 10, f"the rest is {worst:.2g} t^3"
