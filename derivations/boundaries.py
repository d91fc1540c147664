"""Where two canonical configurations have the same loss, and where all of them do."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import sympy
from sympy import Eq, Expr, Integer, Rational

from derivations.configuration import SOURCE
from derivations.derivation import Check, Derivation, Outcome, Step
from derivations.direct_integral import exact_output_loss
from derivations.simplex import BLOCK_SYMBOLS, canonical_loss, p, r


@dataclass(frozen=True)
class Canonical:
    """A canonical configuration: a block of k features, with or without the extra one."""

    name: str
    k: int
    includes_extra: bool

    @property
    def loss(self) -> Expr:
        """Its loss in p and r."""
        return canonical_loss(self.k, self.includes_extra)

    def direct_loss(self, density: Rational, importance: Rational) -> Rational:
        """Return the loss by direct integration of the block's outputs."""
        bias = density / 2 if self.k == 1 else Integer(0)
        gains = [Integer(0)]
        if self.k > 1:
            gains = [Integer(1), *[Rational(-1, self.k - 1)] * (self.k - 1)]
        output = exact_output_loss(density, bias, gains)
        weight = self.k - 1 + importance if self.includes_extra else Integer(self.k)
        return weight * output


IGNORED = Canonical("ignored", 1, True)
DEDICATED = Canonical("dedicated", 1, False)
ANTIPODAL = Canonical("antipodal", 2, True)
OTHERS_ANTIPODAL = Canonical("others_antipodal", 2, False)
TRIANGLE = Canonical("triangle", 3, True)

TWO_FEATURES = (IGNORED, DEDICATED, ANTIPODAL)
THREE_FEATURES = (*TWO_FEATURES, OTHERS_ANTIPODAL, TRIANGLE)
LITERATURE = (*TWO_FEATURES, OTHERS_ANTIPODAL)

_DENSITIES = (Rational(1, 9), Rational(2, 5), Rational(4, 7), Rational(3, 4))


def boundary(first: Canonical, second: Canonical) -> Expr | None:
    """Return the relative importance r(p) at which two losses agree; None if r drops out."""
    solutions = sympy.solve(first.loss - second.loss, r)
    return sympy.factor(solutions[0]) if solutions else None


def boundary_density(first: Canonical, second: Canonical) -> Expr:
    """Return the density at which two losses that do not depend on r agree."""
    (density,) = (s for s in sympy.solve(first.loss - second.loss, p) if 0 < s <= 1)
    return density


def meeting_points(configurations: tuple[Canonical, ...]) -> list[tuple[Expr, Expr]]:
    """Return the points (p, r), 0 < p <= 1 and r > 0, where all losses are equal."""
    first, *others = (configuration.loss for configuration in configurations)
    equations = [sympy.numer(sympy.together(first - loss)) for loss in others]
    found = sympy.solve(equations, [p, r], dict=True)
    return [(s[p], s[r]) for s in found if p in s and 0 < s[p] <= 1 and s[r] > 0]


def boundaries() -> Derivation:
    """Return the derivation of all canonical boundaries for n = 2 and n = 3."""
    pairs = list(combinations(THREE_FEATURES, 2))
    two = list(combinations(TWO_FEATURES, 2))
    return Derivation(
        name="boundaries",
        title="Canonical boundaries and the point where they meet",
        statement=(
            "Two canonical configurations have equal losses on a curve r(p), or, where neither "
            "loss depends on r, at a density. For n = 2 the three meet in one triple point; for "
            "n = 3 all four configurations of the literature meet in that same point, and the "
            "canonical triangle is never the lowest."
        ),
        symbols=tuple(s for s in BLOCK_SYMBOLS if s.symbol in (p, r)),
        steps=(
            Step(
                "The canonical losses.",
                tuple(Eq(_label("L", c), c.loss) for c in THREE_FEATURES),
                (Check("direct integrals", _direct_losses),),
            ),
            Step(
                "For n = 2, equal losses solved for r.",
                tuple(_equation(first, second) for first, second in two),
                (Check("losses agree there, exactly", lambda: _agree(two)),),
            ),
            Step(
                "For n = 3, the further pairs; where r drops out, solved for p.",
                tuple(_equation(*pair) for pair in pairs if pair not in two),
                (Check("losses agree there, exactly", lambda: _agree(pairs)),),
            ),
            Step(
                "The triple point for n = 2 solves both equations; it is the only one with "
                "0 < p <= 1 and r > 0.",
                _meeting_formulas(TWO_FEATURES),
                (Check("losses at the point, direct integrals", lambda: _meet(TWO_FEATURES)),),
            ),
            Step(
                "For n = 3 the losses of all four configurations of the literature are equal at "
                "the same point: a quadruple point.",
                _meeting_formulas(LITERATURE),
                (Check("losses at the point, direct integrals", lambda: _meet(LITERATURE)),),
            ),
            Step(
                "The canonical triangle costs (2 + r) (p^2/8 + p^3/24). Against the two pairs it "
                "would have to cost less than both (1 + r) p^2/6 and p^2/3; at any p the first "
                "needs r > (2 + 2p)/(1 - p), the second r < (2 - 2p)/(3 + p), which exclude each "
                "other.",
                (),
                (Check("the two conditions on r exclude each other", _triangle_never_lowest),),
            ),
        ),
        result=tuple(_equation(*pair) for pair in pairs),
        source=SOURCE,
    )


def _label(letter: str, configuration: Canonical) -> sympy.Symbol:
    return sympy.Symbol(f"{letter}_{configuration.name.replace('_', '-')}")


def _equation(first: Canonical, second: Canonical) -> Eq:
    name = f"{first.name}|{second.name}".replace("_", "-")
    curve = boundary(first, second)
    if curve is None:
        return Eq(sympy.Symbol(f"p_{name}"), boundary_density(first, second))
    return Eq(sympy.Symbol(f"r_{name}"), curve)


def _meeting_formulas(configurations: tuple[Canonical, ...]) -> tuple[Eq, ...]:
    return tuple(
        formula
        for density, importance in meeting_points(configurations)
        for formula in (
            Eq(p, density),
            Eq(r, importance),
            Eq(sympy.Symbol("L"), configurations[0].loss.subs({p: density, r: importance})),
        )
    )


def _direct_losses() -> Outcome:
    importance = Rational(5, 3)
    for configuration in THREE_FEATURES:
        for density in _DENSITIES:
            closed = configuration.loss.subs({p: density, r: importance})
            if closed != configuration.direct_loss(density, importance):
                return False, f"{configuration.name} differs at p = {density}"
    return True, f"{len(THREE_FEATURES)} configurations at {len(_DENSITIES)} densities, exact"


def _agree(pairs: list[tuple[Canonical, Canonical]]) -> Outcome:
    for first, second in pairs:
        curve = boundary(first, second)
        if curve is None:
            densities, importances = [boundary_density(first, second)], [Rational(7, 2)]
        else:
            densities = list(_DENSITIES)
            importances = [curve.subs(p, density) for density in densities]
        for density, importance in zip(densities, importances, strict=True):
            if not importance.is_finite:
                continue
            losses = {c.direct_loss(density, importance) for c in (first, second)}
            if len(losses) != 1:
                return False, f"{first.name} | {second.name} differ at p = {density}"
    return True, f"{len(pairs)} pairs, direct integrals"


def _meet(configurations: tuple[Canonical, ...]) -> Outcome:
    points = meeting_points(configurations)
    if len(points) != 1:
        return False, f"{len(points)} points"
    losses = {configuration.direct_loss(*points[0]) for configuration in configurations}
    return len(losses) == 1, f"(p, r) = {points[0]}, loss {', '.join(map(str, losses))}"


def _triangle_never_lowest() -> Outcome:
    """Triangle < antipodal needs r above one curve, triangle < others-antipodal r below another."""
    density = sympy.symbols("q", positive=True)
    (above,) = sympy.solve(TRIANGLE.loss - ANTIPODAL.loss, r)
    (below,) = sympy.solve(TRIANGLE.loss - OTHERS_ANTIPODAL.loss, r)
    gain = sympy.expand(TRIANGLE.loss - ANTIPODAL.loss).coeff(r)
    rise = sympy.expand(TRIANGLE.loss - OTHERS_ANTIPODAL.loss).coeff(r)
    # with p = 1/(1 + q), q > 0, the signs are those of polynomials with one sign
    inside = {p: 1 / (1 + density)}
    gap = sympy.factor((above - below).subs(inside))
    falls = sympy.factor(gain.subs(inside)).is_negative
    rises = sympy.factor(rise.subs(inside)).is_positive
    at_one = (TRIANGLE.loss - ANTIPODAL.loss).subs(p, 1)  # p = 1, left out above
    return (
        bool(falls and rises and gap.is_positive and sympy.factor(at_one).is_positive),
        f"gap {sympy.factor(above - below)} > 0",
    )
