"""Two features in one dimension without biases: where *antipodal* and *confused* cross.

Features of one sign never clip: the model is then linear, and its best is a principal component.
"""

from __future__ import annotations

import sympy
from sympy import Eq, Expr, Integer, Rational, symbols

from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.direct_integral import exact_output_loss
from derivations.simplex import p
from derivations.stability import variance

a, c = symbols("a c", positive=True)
t = symbols("t", positive=True)

SOURCE = (
    "T. McGrath's comment printed in Elhage et al., Toy Models of Superposition (2022): the loss "
    "without biases, with a 'confused feature' phase; closed forms derived here."
)
_DENSITIES = (Rational(1, 5), Rational(4, 7), Rational(9, 10))


def moments() -> sympy.Matrix:
    """Return E[x x^T] of two independent features."""
    return sympy.Matrix([[p / 3, p**2 / 4], [p**2 / 4, p / 3]])


def linear_loss() -> Expr:
    """Return the loss at W = (a, c), a and c not negative, where no output clips."""
    w = sympy.Matrix([a, c])
    residual = sympy.eye(2) - w * w.T
    return sympy.expand((residual * moments() * residual.T).trace())


def antipodal_loss() -> Expr:
    """Return the loss at W = (s, -s), in t = s^2."""
    square = p / 3
    product = p * (1 - p) / 3 + p**2 / 8  # E[x_1 (x_1 - x_2)_+]
    positive = p * (1 - p) / 3 + p**2 / 12  # E[(x_1 - x_2)_+^2]
    return sympy.expand(2 * (square - 2 * t * product + t**2 * positive))


def best_square() -> Expr:
    """Return the t at which that is least."""
    (best,) = sympy.solve(antipodal_loss().diff(t), t)
    return sympy.factor(best)


def crossing_polynomial() -> sympy.Poly:
    """Return the polynomial in p whose root is where the two losses are equal."""
    gap = antipodal_loss().subs(t, best_square()) - variance()
    numerator = sympy.numer(sympy.together(gap))
    _, factors = sympy.factor_list(numerator)
    (found,) = (sympy.Poly(f, p) for f, _ in factors if sympy.Poly(f, p).degree() == 2)
    return found if found.LC() > 0 else -found


def crossing() -> Expr:
    """Return the density at which *antipodal* and *confused* have the same loss."""
    (root,) = (root for root in crossing_polynomial().all_roots() if 0 < root < 1)
    return sympy.radsimp(root)


def confused() -> Derivation:
    """Return the derivation of the confused phase and of the crossing at r = 1."""
    density = sympy.Symbol("p_c")
    return Derivation(
        name="confused",
        title="No bias: the confused phase",
        statement=(
            "For n = 2, m = 1, b = 0 and r = 1 the lowest loss of weights of one sign is that of "
            "W = (1, 1) / sqrt(2), exactly V = p/3 - p^2/4. The pair (s, -s) costs more above one "
            "density and less below it, a root of a quadratic polynomial."
        ),
        symbols=(
            Symbol(p, "density of both features, in (0, 1)"),
            Symbol(a, "first weight, not negative"),
            Symbol(c, "second weight, not negative"),
            Symbol(t, "s^2 of the antipodal pair W = (s, -s)"),
        ),
        steps=(
            Step(
                "With a and c not negative all pre-activations are: the model is linear, and the "
                "loss is that of the residual (1 - w w^T) x with w = (a, c).",
                (Eq(sympy.Symbol("L_+"), linear_loss()),),
                (Check("direct integrals", _linear_against_direct),),
            ),
            Step(
                "That is E|x|^2 - 2 w.Mw + |w|^2 w.Mw with M = E[x x^T], at least E|x|^2 less the "
                "largest eigenvalue of M: with |w|^2 = s and w.Mw = s q the change is "
                "q (s^2 - 2 s), least at s = 1, and q is at most that eigenvalue, p/3 + p^2/4, "
                "of (1, 1).",
                (Eq(sympy.Symbol("L_confused"), variance()),),
                (
                    identity(
                        "the loss at (1, 1) / sqrt(2)",
                        lambda: (
                            linear_loss().subs({a: 1 / sympy.sqrt(2), c: 1 / sympy.sqrt(2)})
                            - variance()
                        ),
                    ),
                    Check("eigenvalues of M", _eigenvalues),
                ),
            ),
            Step(
                "The pair (s, -s): each output is s^2 (x_1 - x_2)_+, and the loss a quadratic in "
                "t = s^2, least at one t.",
                (Eq(sympy.Symbol("L_-"), antipodal_loss()), Eq(t, best_square())),
                (
                    Check("direct integrals", _antipodal_against_direct),
                    identity("stationary", lambda: antipodal_loss().diff(t).subs(t, best_square())),
                ),
            ),
            Step(
                "Equal losses: the difference is a positive factor times a polynomial with one "
                "root in (0, 1).",
                (
                    Eq(crossing_polynomial().as_expr(), Integer(0), evaluate=False),
                    Eq(density, crossing()),
                ),
                (
                    Check("one root in (0, 1), isolated by Sturm's theorem", _isolated),
                    Check("losses agree there", _agree),
                ),
            ),
        ),
        result=(Eq(sympy.Symbol("L_confused"), variance()), Eq(density, crossing())),
        source=SOURCE,
        checks=(Check("the order of the losses on both sides, direct integrals", _order),),
    )


def _direct(density: Expr, weights: tuple[Expr, Expr]) -> Expr:
    """Return the loss at rational weights by direct integration."""
    first, second = weights
    rows = ([first**2, first * second], [second**2, first * second])
    return sum((exact_output_loss(density, Integer(0), row) for row in rows), Integer(0))


def _linear_against_direct() -> Outcome:
    weights = [(Rational(3, 5), Rational(7, 8)), (Rational(9, 7), Rational(1, 6))]
    for density in _DENSITIES:
        for pair in weights:
            closed = linear_loss().subs({a: pair[0], c: pair[1], p: density})
            if closed != _direct(density, pair):
                return False, f"differs at p = {density}, W = {pair}"
    return True, f"{len(weights)} weights at {len(_DENSITIES)} densities, exact"


def _antipodal_against_direct() -> Outcome:
    for density in _DENSITIES:
        for s in (Rational(3, 4), Rational(8, 7)):
            closed = antipodal_loss().subs({t: s**2, p: density})
            if closed != _direct(density, (s, -s)):
                return False, f"differs at p = {density}, s = {s}"
    return True, f"2 norms at {len(_DENSITIES)} densities, exact"


def _eigenvalues() -> Outcome:
    found = set(moments().eigenvals())
    expected = {p / 3 + p**2 / 4, p / 3 - p**2 / 4}
    same = {sympy.expand(value) for value in found} == expected
    return same, f"{', '.join(map(str, found))}"


def _isolated() -> Outcome:
    polynomial = crossing_polynomial()
    count = polynomial.count_roots(0, 1)
    interval, _ = polynomial.intervals(eps=Rational(1, 10**12), inf=0, sup=1)[0]
    inside = interval[0] < crossing() < interval[1]
    return count == 1 and bool(inside), f"{polynomial.as_expr()}, {float(interval[0]):.10f}"


def _agree() -> Outcome:
    gap = antipodal_loss().subs(t, best_square()).subs(p, crossing())
    rest = sympy.simplify(gap - variance().subs(p, crossing()))
    return rest == 0, "identically" if rest == 0 else f"differs by {rest}"


def _order() -> Outcome:
    """Rational norms next to the best ones: *antipodal* lower before, *confused* after."""
    half = Rational(sympy.N(1 / sympy.sqrt(2), 20))
    for density, before in ((Rational(58, 100), True), (Rational(585, 1000), False)):
        s = Rational(sympy.N(sympy.sqrt(best_square().subs(p, density)), 20))
        is_lower = _direct(density, (s, -s)) < _direct(density, (half, half))
        if bool(is_lower) != before:
            return False, f"wrong at p = {density}"
    return True, "p = 0.58 and 0.585"
