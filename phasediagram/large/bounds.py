"""How long the trapezoidal sum of `contour` must be, and what it leaves out; compiled.

What the sum returns differs from the expectation by three things, each bounded here (the
proofs are in `docs/exact_loss.md`): the periodic copies that a step h adds, at distances
P = 2 pi / h; the terms behind the last; rounding.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.signatures import Boolean, Integer, Nothing, Real, Vector

Array = NDArray[np.float64]

DECAY = 36.0  # c P: by e^-36 the copy one period above is damped
_BELOW = 1e-14  # of the copies one period below, for which P is chosen
_GROWTH = 5.0  # the logarithm of E[e^(c Z)] that P keeps: rounding errors grow by it
_LARGEST_EXPONENT = 500.0
_LONGER = 1.25
_FIRST_TERMS = 48
_UNIT = 2.0**-53


@compiled(Real(Real))
def mean_exponential(t: float) -> float:
    """Return E[e^(t x)] for x uniform on [0, 1]."""
    return math.expm1(t) / t if abs(t) > 1e-8 else 1.0 + 0.5 * t


@compiled(Real(Real, Vector, Vector, Real))
def log_moment(u: float, gains: Array, density: Array, bias: float) -> float:
    """Return log E[e^(u Z)], of all features of a row."""
    total = u * bias
    for j in range(gains.size):
        t = u * gains[j]
        if t < 500.0:
            total += math.log1p(density[j] * (mean_exponential(t) - 1.0))
        else:
            total += math.log(density[j]) + t - math.log(t)
    return total


@compiled(Real(Real, Vector, Vector, Integer, Real))
def moment_of_three(u: float, gains: Array, density: Array, own: int, bias: float) -> float:
    """Return E[e^(u Z)] from three or more active features other than the output's own."""
    nobody, single, double, rest, others = 1.0, 0.0, 0.0, 0.0, 1.0
    for j in range(gains.size):
        r, q = density[j] * mean_exponential(u * gains[j]), 1.0 - density[j]
        if j == own:
            others = q + r
            continue
        rest = rest * (q + r) + double * r
        double = double * q + single * r
        single = single * q + nobody * r
        nobody *= q
    return rest * others * math.exp(u * bias)


@compiled(Real(Vector, Vector, Real, Real, Vector))
def period(gains: Array, density: Array, bias: float, highest: float, decay: Array) -> float:
    """Return the period P.

    Parameters
    ----------
    gains, density : ndarray, shape (k + 1,)
        Of all features with a gain, the output's own among them.
    bias : float
    highest : float
        The largest value of Z, positive.
    decay : ndarray, shape (1,)
        Receives u such that E[e^(u Z)] e^-(u P) is small, 0 if P exceeds `highest`.
    """
    length = highest * (1.0 + 1e-12)
    decay[0] = 0.0
    u = 4.0 / highest
    for _ in range(40):  # Chernoff's bound on what lies more than a period above 0
        need = log_moment(u, gains, density, bias) - math.log(_BELOW) + DECAY
        need += math.log(2.0 / (u * u) + 1.0)
        if need / u < length:
            length, decay[0] = need / u, u
        u *= 1.4
    reach = abs(bias)
    for j in range(gains.size):
        reach += abs(gains[j])
    length = max(length, reach * DECAY / _LARGEST_EXPONENT)  # nothing overflows on the way
    while log_moment(DECAY / length, gains, density, bias) > _GROWTH:
        length *= _LONGER
    if length > highest:
        decay[0] = 0.0
    return length


@compiled(Nothing(Real, Real, Real, Real, Real, Vector))
def copies(
    length: float, highest: float, mass: float, decay: float, log_below: float, out: Array
) -> None:
    """Write what the copies add to E[ReLU(Z)^q], q = 2, 1, 0, from three or more active others.

    Parameters
    ----------
    length, highest : float
        The period, and the largest value of Z.
    mass : float
        The probability of three or more active others.
    decay, log_below : float
        u from `period` and the logarithm of a bound of E[e^(u Z)] from three or more active
        others.
    out : ndarray, shape (3,)
    """
    above, reach = 1.01 * mass * math.exp(-DECAY), highest + length
    out[0], out[1], out[2] = above * reach * reach, above * reach, above
    if decay > 0.0:
        below = math.exp(log_below + DECAY - decay * length)
        below /= -math.expm1(DECAY - decay * length)
        out[0] += 2.0 * below / (decay * decay)
        out[1] += below / decay
        out[2] += below


@compiled(Nothing(Real, Real, Real, Vector))
def _sizes(t: float, far: float, p: float, out: Array) -> None:
    """Write bounds of |p E|, |p E'|, |p E''| where |s g| >= `far`, t = c g."""
    e, zero = math.exp(t), mean_exponential(t)
    one = min(zero, max(e, 1.0) * 0.5)  # E[x e^(t x)] <= the larger of these for either sign
    bound = min(zero, (1.0 + e) / far)
    first = min(one, (e + bound) / far)
    out[0], out[1], out[2] = p * bound, p * first, p * min(one, (e + 2.0 * first) / far)


@compiled(Boolean(Real, Real))
def _falls(t: float, far: float) -> bool:
    """Whether the bounds of `_sizes` fall like 1 / far from here on."""
    return bool(far >= 2.0 + 2.0 * math.exp(abs(t)))


@compiled(Boolean(Vector, Vector, Real, Real, Real, Real, Vector, Vector))
def _piece(
    gains: Array,
    density: Array,
    own_gain: float,
    own_density: float,
    c: float,
    frequency: float,
    parts: Array,
    room: Array,
) -> bool:
    """Write bounds of the integrands from a frequency to twice that, integrated over it.

    ``parts`` receives those of the value, and of the largest derivative; ``room`` has 5 n + 3
    numbers.  Returns whether every transform falls like 1 / frequency from here on.
    """
    n = gains.size
    sizes, firsts = room[:n], room[n : 2 * n]
    none, one, many = room[2 * n : 3 * n], room[3 * n : 4 * n], room[4 * n : 5 * n]
    transform = room[5 * n :]
    falls = _falls(c * own_gain, frequency * abs(own_gain))
    nobody, single, double, rest = 1.0, 0.0, 0.0, 0.0
    for j in range(n):
        far, q = frequency * abs(gains[j]), 1.0 - density[j]
        falls &= _falls(c * gains[j], far)
        _sizes(c * gains[j], far, density[j], transform)
        r, sizes[j], firsts[j] = transform[0], transform[0], transform[1]
        none[j], one[j], many[j] = nobody, single, double + rest  # of those before
        rest = rest * (q + r) + double * r
        double = double * q + single * r
        single = single * q + nobody * r
        nobody *= q
    nobody, single, double, largest = 1.0, 0.0, 0.0, 0.0
    for j in range(n - 1, -1, -1):
        r, q = sizes[j], 1.0 - density[j]
        two = many[j] * (nobody + single + double) + one[j] * (single + double)
        largest = max(largest, firsts[j] * (two + none[j] * double))
        double = double * (q + r) + single * r
        single = single * q + nobody * r
        nobody *= q
    _sizes(c * own_gain, frequency * abs(own_gain), own_density, transform)
    switched, once, twice = 1.0 - own_density + transform[0], transform[1], transform[2]
    inverse, logarithm = 1.0 / frequency, 2.0 * math.log(2.0)  # 2 int w^-2, 2 int w^-1
    parts[0] = rest * inverse * (0.75 * inverse * switched + once)
    by_bias = inverse * switched + logarithm * once
    by_own = inverse * once + logarithm * twice
    parts[1] = max(by_bias * max(rest, largest), by_own * rest)
    return bool(falls)


@compiled(Nothing(Vector, Vector, Real, Real, Real, Real, Real, Vector))
def truncation(
    gains: Array,
    density: Array,
    own_gain: float,
    own_density: float,
    bias: float,
    c: float,
    frequency: float,
    out: Array,
) -> None:
    """Write bounds of what the terms above a frequency add to the value, and to a derivative.

    Arguments are those of `phasediagram.large.contour.contour_sum`; `out` has shape (2,).
    """
    parts, room = np.empty(2), np.empty(5 * gains.size + 3)
    scale = math.exp(c * bias) / math.pi
    out[0], out[1] = 0.0, 0.0
    falls = False
    while not falls:
        falls = _piece(gains, density, own_gain, own_density, c, frequency, parts, room)
        # from where everything falls each piece is at most half the one before
        out[0] += (2.0 if falls else 1.0) * scale * parts[0]
        out[1] += (2.0 if falls else 1.0) * scale * parts[1]
        frequency *= 2.0


@compiled(Integer(Vector, Vector, Real, Real, Real, Real, Real, Real, Real, Integer, Vector))
def terms_needed(
    gains: Array,
    density: Array,
    own_gain: float,
    own_density: float,
    bias: float,
    c: float,
    h: float,
    value_error: float,
    slope_error: float,
    most: int,
    out: Array,
) -> int:
    """Return how many terms keep both truncation errors small, at most `most`; write these.

    Arguments are those of `truncation`, and what the errors of the value and of a derivative
    may be.
    """
    count = min(_FIRST_TERMS, most)
    while True:
        truncation(gains, density, own_gain, own_density, bias, c, count * h, out)
        if count >= most or (out[0] <= value_error and out[1] <= slope_error):
            return count
        count = min(most, int(count * _LONGER))


@compiled(Nothing(Integer, Real, Real, Real, Real, Vector))
def rounding(n: int, largest: float, moment: float, c: float, h: float, out: Array) -> None:
    """Write bounds of the rounding errors of the value and of a derivative.

    Parameters
    ----------
    n : int
        Number of features with a gain.
    largest : float
        The largest |gain|.
    moment : float
        That of `moment_of_three` at c.
    """
    relative = _UNIT * n * (16.0 + 8.0 * c * largest) * moment * 2.0 / math.pi
    cubes, squares, inverses = h / c**3 + 1.0 / c**2, h / c**2 + 0.5 * math.pi / c, 40.0
    out[0] = relative * (cubes + squares)
    out[1] = relative * (squares + inverses)
