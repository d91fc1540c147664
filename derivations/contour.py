"""The contour integral behind the loss of many features, and the bound of its error."""

from __future__ import annotations

import random
from itertools import combinations, product

import mpmath
import sympy
from mpmath import mpf
from sympy import Eq, Expr, Function, Integer, Rational, Sum, symbols

from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.direct_integral import exact_square
from derivations.truncated_power import truncated_moment

s, t, c, P, z, v = symbols("s t c P z v", positive=True)
x, g, b, y = symbols("x g b y", real=True)
p = symbols("p", positive=True)
q, k = symbols("q k", integer=True, positive=True)
alpha, beta = symbols("alpha beta", real=True)

_DECAY = 36  # c P
_FACTOR = Rational(101, 100)  # of the copies above


def contour() -> Derivation:
    """Return the derivation of `phasediagram.expected_loss_with_error`."""
    mean, relu = Function("E"), Function("ReLU")
    phi, transform = Function("phi"), Function("E_1")
    line = sympy.Integral(sympy.exp(s * b) / s ** (q + 1) * phi(s), s)
    inversion = Eq(
        mean(relu(sympy.Symbol("Z")) ** q), sympy.factorial(q) * line / (2 * sympy.pi * sympy.I)
    )
    copies = Sum(
        mean(relu(sympy.Symbol("Z") + k * P) ** q) * sympy.exp(-c * k * P), (k, -sympy.oo, sympy.oo)
    )
    return Derivation(
        name="contour",
        title="The loss of many features as a contour integral",
        statement=(
            "E[ReLU(Z)^q], Z = b + sum_j g_j x_j with features that are active with probability "
            "p_j and then uniform, is an integral along Re s = c > 0 of a product over features. "
            "The trapezoidal rule with step 2 pi/P gives it but for copies at distances of P, "
            "which are bounded above and below, and for the terms left out, which are bounded by "
            "the decay of the product. Features whose gains are tiny may be replaced by their "
            "means, at the price of the variance of what they add."
        ),
        symbols=(
            Symbol(q, "power, 1 or 2"),
            Symbol(b, "bias"),
            Symbol(c, "distance of the line from the imaginary axis"),
            Symbol(P, "period: 2 pi over the step"),
            Symbol(phi(s), "product over features of 1 - p_j + p_j E_1(s g_j)"),
            Symbol(transform(t), "E[e^(t x)] for x uniform on [0, 1]"),
            Symbol(v, "any exponent above c"),
            Symbol(sympy.Symbol("z_+"), "the largest value of Z"),
        ),
        steps=(
            Step(
                "A power of the positive part has the Laplace transform q!/s^(q+1), so it is the "
                "inverse one along any line to the right of 0.",
                (
                    Eq(
                        sympy.Integral(z**q * sympy.exp(-s * z), (z, 0, sympy.oo)),
                        sympy.factorial(q) / s ** (q + 1),
                    ),
                ),
                (
                    identity("the transform, q = 1", lambda: _transform(1)),
                    identity("the transform, q = 2", lambda: _transform(2)),
                    Check("the inverse, on both sides of 0", _inverse),
                ),
            ),
            Step(
                "The mean of e^(s Z) is a product, since features are independent; that of one "
                "feature is 1 - p + p E_1(s g).",
                (Eq(transform(t), (sympy.exp(t) - 1) / t), inversion),
                (
                    identity(
                        "E_1",
                        lambda: (
                            sympy.integrate(sympy.exp(t * x), (x, 0, 1)) - (sympy.exp(t) - 1) / t
                        ),
                    ),
                    Check("the integral = the exact recursion's closed form", _whole_integral),
                ),
            ),
            Step(
                "With the step h = 2 pi/P the infinite sum in place of the integral gives, by "
                "Poisson's summation of z_+^q e^(-c z), copies of the expectation at distances of "
                "P, damped by e^(-c k P).",
                (copies,),
                (Check("sum = copies, for single values of Z", _poisson),),
            ),
            Step(
                "Copies above: (Z + k P)_+ is at most k (z_+ + P), and the sum of k^q e^(-c k P) "
                "is at most 1.01 e^(-c P) at c P = 36.",
                (
                    sympy.Le(
                        Sum(k**2 * sympy.exp(-c * k * P), (k, 1, sympy.oo)),
                        _FACTOR * sympy.exp(-c * P),
                    ),
                ),
                (
                    identity("sum of k^2 r^k", _sum_of_squares),
                    Check("its factor at c P = 36", _above),
                ),
            ),
            Step(
                "Copies below, Z - k P > 0: there y_+^q is at most q! e^(v y)/v^q, the term of "
                "the exponential series, and for v > c the sum over k is geometric.",
                (
                    sympy.Le(y**q, sympy.factorial(q) * sympy.exp(v * y) / v**q),
                    Eq(
                        Sum(sympy.exp(c * k * P - v * k * P), (k, 1, sympy.oo)),
                        sympy.exp(c * P - v * P) / (1 - sympy.exp(c * P - v * P)),
                    ),
                ),
                (
                    Check("the largest y^q e^(-y) is below q!", _exponential_series),
                    Check("the geometric sum", _geometric),
                ),
            ),
            Step(
                "On the line |E_1(t)| is at most E_1(Re t), the mean of |e^(t x)|, and at most "
                "(1 + |e^t|)/|t|. So every active feature makes the integrand fall by another "
                "power of s, and what is left out of a sum over three or more converges.",
                (
                    Eq(
                        (1 + sympy.exp(alpha)) ** 2
                        - sympy.Abs(sympy.exp(alpha + sympy.I * beta) - 1) ** 2,
                        2 * sympy.exp(alpha) * (1 + sympy.cos(beta)),
                    ),
                ),
                (
                    identity("the difference of squares is not negative", _modulus),
                    Check("both bounds on a grid of the plane", _bounds_of_the_transform),
                    Check("truncation of a whole sum is within its bound", _truncation),
                ),
            ),
            Step(
                "Tiny gains: with Y their sum, independent of the rest, and z the rest with Y's "
                "mean, ReLU^2 has second derivatives between 0 and 2, so (z + y)_+^2 - z_+^2 - "
                "2 z_+ y lies between 0 and y^2; the mean over Y leaves 0 to Var Y.",
                (
                    sympy.Ge(relu(z + y) ** 2 - relu(z) ** 2 - 2 * relu(z) * y, 0),
                    sympy.Le(relu(z + y) ** 2 - relu(z) ** 2 - 2 * relu(z) * y, y**2),
                ),
                (
                    Check("all four cases of signs", _second_order_remainder),
                    Check("exact losses with a gain replaced by its mean", _replaced),
                ),
            ),
        ),
        result=(inversion, copies),
        source=(
            "Laplace inversion, Poisson summation and Chernoff's bound are classical; that they "
            "give the loss with a bound on its error is derived here."
        ),
        checks=(Check("a sum of 400 terms = the exact value, within the bounds", _rule),),
    )


def _transform(power: int) -> Expr:
    found = sympy.integrate(z**power * sympy.exp(-s * z), (z, 0, sympy.oo))
    return found - sympy.factorial(power) / s ** (power + 1)


def _inverse() -> Outcome:
    """Integrate q! e^(s z) / s^(q+1) along Re s = 1, folded to one half line."""
    worst = mpf(0)
    with mpmath.workdps(20):
        for power, value in product((1, 2), (mpf(-2), mpf(-1) / 3, mpf(1) / 2, mpf(3))):

            def integrand(w: mpf, power: int = power, value: mpf = value) -> mpf:
                node = 1 + 1j * w
                return (mpmath.exp(node * value) / node ** (power + 1)).real

            step = 2 * mpmath.pi / abs(value)
            total = mpmath.quadosc(integrand, [0, mpmath.inf], period=step)
            found = mpmath.factorial(power) * total / mpmath.pi
            worst = max(worst, abs(found - max(value, mpf(0)) ** power))
    return worst < 1e-12, f"8 integrals, max error {float(worst):.1e}"


_GAINS = (Rational(7, 8), -Rational(2, 3), Rational(1, 2))
_DENSITIES = (Rational(2, 5), Rational(1, 3), Rational(3, 4))
_BIASES = (-Rational(1, 4), Rational(1, 5))


def _exact(bias: Rational, power: int = 2) -> Rational:
    """Return E[ReLU(Z)^power] over all sets of active features, by truncated powers."""
    total = Integer(0)
    for size in range(len(_GAINS) + 1):
        for active in combinations(range(len(_GAINS)), size):
            weight = sympy.prod(d if j in active else 1 - d for j, d in enumerate(_DENSITIES))
            total += weight * truncated_moment(power, bias, tuple(_GAINS[j] for j in active))
    return total


def _transformed(node: mpmath.mpc) -> mpmath.mpc:
    """Return the mean of e^(s g.x)."""
    found = mpmath.mpc(1)
    for gain, density in zip(_GAINS, _DENSITIES, strict=True):
        at = node * _number(gain)
        found *= 1 - _number(density) + _number(density) * (mpmath.exp(at) - 1) / at
    return found


def _number(value: Rational) -> mpf:
    return mpf(int(value.p)) / int(value.q)


def _whole_integral() -> Outcome:
    """Twice the step, then half of it: a long trapezoidal sum against truncated powers."""
    worst = mpf(0)
    with mpmath.workdps(20):
        for bias in _BIASES:
            found = _trapezoidal(bias, mpf(9), mpf(60), 8000)
            worst = max(worst, abs(found - _number(_exact(bias))))
    return worst < 1e-7, f"{len(_BIASES)} biases, max error {float(worst):.1e}"


def _trapezoidal(bias: Rational, length: mpf, decay: mpf, terms: int) -> mpf:
    """Return the sum of the terms up to a number, of period `length` and c P = `decay`."""
    shift, step = decay / length, 2 * mpmath.pi / length
    total = mpf(0)
    for number in range(terms + 1):
        node = mpmath.mpc(shift, number * step)
        value = mpmath.exp(node * _number(bias)) * _transformed(node) / node**3
        total += value.real * (1 if number == 0 else 2)
    return 2 * total * step / (2 * mpmath.pi)


def _poisson() -> Outcome:
    """For a single value Z: the sum over the line against the copies, within its tail."""
    source, worst = random.Random(4), 0.0
    terms = 4000
    with mpmath.workdps(20):
        for _ in range(6):
            value, length = mpf(source.uniform(-2, 2)), mpf(source.uniform(1, 3))
            shift = mpf(source.uniform(1, 4)) / length
            step = 2 * mpmath.pi / length
            total = mpf(0)
            for number in range(terms + 1):
                node = mpmath.mpc(shift, number * step)
                total += (mpmath.exp(node * value) / node**3).real * (1 if number == 0 else 2)
            found = 2 * total * step / (2 * mpmath.pi)
            below = int(mpmath.ceil(-value / length))
            copies = mpmath.nsum(
                lambda j, a=value, w=length, e=shift: (a + j * w) ** 2 * mpmath.exp(-e * j * w),
                [below, mpmath.inf],
            )
            # q!/pi e^(c z) times the integral of w^-3 from the last term on
            tail = mpmath.exp(shift * value) / (mpmath.pi * (terms * step) ** 2)
            worst = max(worst, float(abs(found - copies) / tail))
    return worst <= 1, f"6 values, at most {worst:.1g} of the bound of the terms left out"


def _sum_of_squares() -> Expr:
    r = symbols("r", positive=True)
    closed = r * (1 + r) / (1 - r) ** 3
    # shifting the sum by one: sum (k+1)^2 r^(k+1) = r + r (sum + 2 sum k r^k + sum r^k)
    linear, constant = r / (1 - r) ** 2, r / (1 - r)
    return sympy.together(closed - r - r * (closed + 2 * linear + constant))


def _above() -> Outcome:
    r = sympy.exp(-_DECAY)
    factor = (1 + r) / (1 - r) ** 3
    return bool(factor < _FACTOR), f"1 + {float(factor - 1):.1e}"


def _exponential_series() -> Outcome:
    for power in (1, 2):
        largest = sympy.Integer(power) ** power * sympy.exp(-power)
        slope = sympy.diff(y**power * sympy.exp(-y), y).subs(y, power)
        if sympy.simplify(slope) != 0 or not largest < sympy.factorial(power):
            return False, f"fails for q = {power}"
    return True, "at y = q, for q = 1 and 2"


def _geometric() -> Outcome:
    with mpmath.workdps(20):
        for shift, exponent, length in ((1, 3, 2), (2, mpf("2.5"), 1), (mpf("0.3"), 4, 3)):
            ratio = mpmath.exp((shift - exponent) * length)
            found = mpmath.nsum(lambda j, a=ratio: a**j, [1, mpmath.inf])
            if abs(found - ratio / (1 - ratio)) > mpf(10) ** -15:
                return False, f"fails at c = {shift}, v = {exponent}, P = {length}"
    return True, "3 sums"


def _modulus() -> Expr:
    modulus = (sympy.exp(alpha) * sympy.cos(beta) - 1) ** 2 + (
        sympy.exp(alpha) * sympy.sin(beta)
    ) ** 2
    difference = (1 + sympy.exp(alpha)) ** 2 - modulus
    return sympy.simplify(difference - 2 * sympy.exp(alpha) * (1 + sympy.cos(beta)))


def _bounds_of_the_transform() -> Outcome:
    count, slack = 0, mpf(10) ** -12
    for real, imaginary in product((-8, -2, mpf("-0.1"), mpf("0.1"), 1, 5), (0, 1, 3, 7, 40, 300)):
        at = mpmath.mpc(real, imaginary)
        size = abs((mpmath.exp(at) - 1) / at)
        mean = (mpmath.exp(at.real) - 1) / at.real
        if size > mean * (1 + slack) or size > (1 + mpmath.exp(at.real)) / abs(at) * (1 + slack):
            return False, f"fails at {at}"
        count += 1
    return True, f"{count} points"


def _truncation() -> Outcome:
    """Terms left out of the sum against (2/pi) e^(c b) times the bounds' integral."""
    worst = 0.0
    with mpmath.workdps(20):
        length, decay = mpf(9), mpf(40)
        shift, step = decay / length, 2 * mpmath.pi / length
        for bias in _BIASES:
            full = _trapezoidal(bias, length, decay, 8000)
            for terms in (20, 60, 200):
                left_out = abs(full - _trapezoidal(bias, length, decay, terms))
                last = terms * step
                most = mpf(1)
                for gain, density in zip(_GAINS, _DENSITIES, strict=True):
                    w = shift * _number(gain)
                    decaying = (1 + mpmath.exp(w)) / (last * abs(_number(gain)))
                    mean = (mpmath.exp(w) - 1) / w
                    most *= 1 - _number(density) + _number(density) * min(mean, decaying)
                bound = most * mpmath.exp(shift * _number(bias)) / (mpmath.pi * last**2)
                worst = max(worst, float(left_out / bound))
    return 0 < worst <= 1, f"6 sums, at most {worst:.2g} of the bound"


def _second_order_remainder() -> Outcome:
    """The remainder is y^2, (z + y)^2, 0 or y^2 - (z + y)^2, all between 0 and y^2."""
    count = 0
    grid = [Rational(j, 3) for j in range(-7, 8)]
    forms = {
        (True, True): y**2,
        (False, True): (z + y) ** 2,
        (False, False): Integer(0),
        (True, False): y**2 - (z + y) ** 2,
    }
    for value, step in product(grid, grid):
        ends = max(value + step, Integer(0)), max(value, Integer(0))
        rest = ends[0] ** 2 - ends[1] ** 2 - 2 * ends[1] * step
        form = forms[bool(value > 0), bool(value + step > 0)]
        if rest != form.subs({z: value, y: step}) or not 0 <= rest <= step**2:
            return False, f"fails at z = {value}, y = {step}"
        count += 1
    return True, f"{count} rational points, in each its case"


def _replaced() -> Outcome:
    """All features active: a tiny gain e changes E[ReLU(Z)^2] by 0 to e^2/12."""
    count = 0
    for bias, tiny in product(_BIASES, (Rational(1, 20), -Rational(1, 100))):
        full = exact_square(bias, (*_GAINS, tiny))
        difference = full - exact_square(bias + tiny / 2, _GAINS)
        if not 0 <= difference <= tiny**2 / 12:
            return False, f"{difference} at bias {bias}, gain {tiny}"
        count += 1
    return True, f"{count} cases, exactly"


def _rule() -> Outcome:
    """The sum as it is used, c P = 36: its error against the copies above and the terms left."""
    worst = 0.0
    with mpmath.workdps(20):
        highest = sum((_number(g_) for g_ in _GAINS if g_ > 0), mpf(0))
        for bias in _BIASES:
            top = highest + _number(bias)
            length, terms = top, 400
            shift, last = _DECAY / length, terms * 2 * mpmath.pi / length
            error = abs(_trapezoidal(bias, length, mpf(_DECAY), terms) - _number(_exact(bias)))
            above = _number(_FACTOR) * mpmath.exp(-_DECAY) * (top + length) ** 2
            most = mpf(1)
            for gain, density in zip(_GAINS, _DENSITIES, strict=True):
                w = shift * _number(gain)
                most *= (
                    1
                    - _number(density)
                    + _number(density)
                    * min(
                        (mpmath.exp(w) - 1) / w, (1 + mpmath.exp(w)) / (last * abs(_number(gain)))
                    )
                )
            left = most * mpmath.exp(shift * _number(bias)) / (mpmath.pi * last**2)
            worst = max(worst, float(error / (above + left)))
    return worst <= 1, f"{len(_BIASES)} biases, at most {worst:.2g} of the bounds"
