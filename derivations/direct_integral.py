"""The loss of one output by direct integration: oracles for the closed forms.

Neither route uses the truncated power form.  `exact_output_loss` integrates polynomials
over the pieces between the kinks, symbolically, with rational numbers;
`quadrature_output_loss` evaluates the integrand itself with mpmath's adaptive quadrature.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import Any

import mpmath
from sympy import QQ, Rational
from sympy.polys.rings import PolyElement, PolyRing, ring

Ground = Any  # a rational number of whatever type sympy's polynomials use


def exact_output_loss(
    density: Rational, bias: Rational, gains: Sequence[Rational], own: int = 0
) -> Rational:
    """Return E[(x_own - ReLU(bias + sum_j gains_j x_j))^2] exactly.

    Parameters
    ----------
    density, bias : Rational
    gains : sequence of Rational, any of which may be 0
    own : int
        The output's own feature.

    Returns
    -------
    Rational
    """
    n = len(gains)
    total = QQ(0)
    p = _rational(density)
    for size in range(n + 1):
        for active in combinations(range(n), size):
            probability = p**size * (1 - p) ** (n - size)
            position = active.index(own) if own in active else None
            active_gains = [_rational(gains[j]) for j in active]
            total += probability * _cube_integral(_rational(bias), active_gains, position)
    return _from_ground(total)


def exact_square(bias: Rational, gains: Sequence[Rational]) -> Rational:
    """Return E[ReLU(Z)^2] with every feature active, exactly."""
    return _from_ground(_cube_integral(_rational(bias), [_rational(g) for g in gains], None))


def exact_product(bias: Rational, gains: Sequence[Rational], own: int) -> Rational:
    """Return E[x_own ReLU(Z)] with every feature active, from three squared errors."""
    values = [_rational(g) for g in gains]
    error = _cube_integral(_rational(bias), values, own)
    square = _cube_integral(_rational(bias), values, None)
    return _from_ground((QQ(1, 3) + square - error) / 2)


def exact_square_error_one_active(gain: Rational, own: bool) -> Rational:
    """Return the squared error of a bias-free output when one feature alone is active.

    Parameters
    ----------
    gain : Rational
        Gain of the active feature in this output.
    own : bool
        Whether it is the output's own feature.
    """
    position = 0 if own else None
    return _from_ground(_cube_integral(QQ(0), [_rational(gain)], position))


def _from_ground(value: Ground) -> Rational:
    return Rational(int(value.numerator), int(value.denominator))


def _rational(value: Rational) -> Ground:
    exact = Rational(value)
    return QQ(int(exact.p), int(exact.q))


def _cube_integral(bias: Ground, gains: Sequence[Ground], own: int | None) -> Ground:
    """Integrate (x_own - Z_+)^2 over the unit cube, outermost variable first."""
    if not gains:
        return max(bias, QQ(0)) ** 2
    polynomials, *variables = ring([f"x{j}" for j in range(len(gains))], QQ)
    z = polynomials(bias)
    return _integrate(polynomials, variables, gains, own, z, bias, []).coeff(1)


def _integrate(
    polynomials: PolyRing,
    variables: Sequence[PolyElement],
    gains: Sequence[Ground],
    own: int | None,
    z: PolyElement,
    z_sample: Ground,
    sample: list[Ground],
) -> PolyElement:
    """Integrate over the variables from len(sample) on.

    `z` is Z as a polynomial of the outer variables, with the inner ones at 0; `sample`
    is a point inside the current cell of the outer variables, and `z_sample` is z there.
    """
    j = len(sample)
    if j == len(gains):
        target = polynomials(0) if own is None else variables[own]
        return (target - (z if z_sample > 0 else 0)) ** 2
    x, gain = variables[j], gains[j]
    total = polynomials(0)
    for low, high, middle in _pieces(polynomials, gains[j:], z, z_sample):
        inner = _integrate(
            polynomials,
            variables,
            gains,
            own,
            z + gain * x,
            z_sample + gain * middle,
            [*sample, middle],
        )
        primitive = _primitive(inner, j)
        total += primitive.compose(x, high) - primitive.compose(x, low)
    return total


def _pieces(
    polynomials: PolyRing, gains: Sequence[Ground], z: PolyElement, z_sample: Ground
) -> Iterator[tuple[PolyElement, PolyElement, Ground]]:
    """Split [0, 1] where the innermost integral changes its form; limits, and a middle."""
    gain, *inner = gains
    limits = [(QQ(0), polynomials(0)), (QQ(1), polynomials(1))]
    seen = {QQ(0), QQ(1)}
    if gain:
        for size in range(len(inner) + 1):
            for corner in combinations(inner, size):
                offset = sum(corner, QQ(0))
                where = -(z_sample + offset) / gain
                if 0 < where < 1 and where not in seen:
                    seen.add(where)
                    limits.append((where, -(z + offset) * (1 / gain)))
    limits.sort(key=lambda limit: limit[0])
    for (start, low), (stop, high) in pairwise(limits):
        yield low, high, (start + stop) / 2


def _primitive(polynomial: PolyElement, j: int) -> PolyElement:
    result = polynomial.ring(0)
    for exponents, coefficient in polynomial.terms():
        raised = list(exponents)
        raised[j] += 1
        result += polynomial.ring({tuple(raised): coefficient / raised[j]})
    return result


def quadrature_output_loss(
    density: float, bias: float, gains: Sequence[float], own: int = 0
) -> mpmath.mpf:
    """Return the same by nested adaptive Gauss-Legendre quadrature of the integrand."""
    n = len(gains)
    total = mpmath.mpf(0)
    p = mpmath.mpf(density)
    for size in range(n + 1):
        for active in combinations(range(n), size):
            probability = p**size * (1 - p) ** (n - size)
            position = active.index(own) if own in active else None
            active_gains = [mpmath.mpf(gains[j]) for j in active]
            integral = _nested(mpmath.mpf(bias), active_gains, position, mpmath.mpf(0))
            total += probability * integral
    return total


def _nested(
    z: mpmath.mpf, gains: list[mpmath.mpf], own: int | None, own_value: mpmath.mpf
) -> mpmath.mpf:
    if not gains:
        return (own_value - max(z, mpmath.mpf(0))) ** 2
    gain, *inner = gains
    kinks = {
        -(z + sum(corner, mpmath.mpf(0))) / gain
        for size in range(len(inner) + 1)
        for corner in combinations(inner, size)
        if gain
    }
    limits = [mpmath.mpf(0), *sorted(kink for kink in kinks if 0 < kink < 1), mpmath.mpf(1)]

    def integrand(x: mpmath.mpf) -> mpmath.mpf:
        value = x if own == 0 else own_value
        return _nested(z + gain * x, inner, None if own is None else own - 1, value)

    return mpmath.quad(integrand, limits, method="gauss-legendre", maxdegree=3)
