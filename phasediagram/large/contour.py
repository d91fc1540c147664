"""One output's error from three or more active others, a trapezoidal sum; compiled.

With ``Z = b + a x_i + sum_j g_j x_j`` everything is an expectation of x_i^u ReLU(Z)^q, whose
Laplace transform in b is elementary: on a line Re s = c > 0

    E[ReLU(Z)^q] / q! = 1/(2 pi i) int e^(s b) s^-(q+1) prod_j (1 - p_j + p_j E(s g_j)) ds,
    E(t) = int_0^1 e^(t x) dx.

The terms of the product of at most two active others are left out: a recursion over the
features keeps the parts with none, one, two and more apart, so nothing is subtracted.
`LANES` nodes are computed at a time.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.cube.blocks import load, store
from phasediagram.kernel.cube.lanes import LANES
from phasediagram.kernel.signatures import Integer, Nothing, Real, Vector

Array = NDArray[np.float64]

_SERIES = 1.0  # where |t| is below, E(t) is summed as a series
_REFRESH = 16  # blocks of nodes after which a rotated exponential is computed anew
_EPSILON = 1e-17
_MOST_TERMS = 20
# of the series of E(t) and of E'(t)
_ZERO = np.array([1 / math.factorial(k + 1) for k in range(_MOST_TERMS)])
_ONE = np.array([1 / (math.factorial(k) * (k + 2)) for k in range(_MOST_TERMS)])

# In which block of `nodes` what stands: weights of the value and of the derivatives by bias and
# own gain, 1 / s, each with its imaginary part, and the frequencies
_BY_BIAS, _BY_OWN, _INVERSE, _FREQUENCIES = 2 * LANES, 4 * LANES, 6 * LANES, 8 * LANES
_STRIDE, _RESULT = 6 * LANES + 4, 2 * LANES + 4  # of a feature in `turn`, and of its results


@compiled(Nothing(Real, Real, Vector))
def _own_transforms(re: float, im: float, out: Array) -> None:
    """Write E[e^(t x)], E[x e^(t x)] and E[x^2 e^(t x)] for x uniform on [0, 1]."""
    t = complex(re, im)
    zero, one, two = 0j, 0j, 0j
    if abs(t) < _SERIES:
        power = 1.0 + 0j
        for k in range(_MOST_TERMS):
            zero += power / (k + 1.0)
            one += power / (k + 2.0)
            two += power / (k + 3.0)
            power *= t / (k + 1.0)
    else:
        e = math.exp(re) * complex(math.cos(im), math.sin(im))
        zero = (e - 1.0) / t
        one = (e - zero) / t
        two = (e - 2.0 * one) / t
    out[0], out[1], out[2] = zero.real, zero.imag, one.real
    out[3], out[4], out[5] = one.imag, two.real, two.imag


@compiled(Nothing(Vector, Integer, Integer, Real, Real, Real, Vector))
def _weigh_nodes(
    nodes: Array, first: int, count: int, c: float, h: float, bias: float, own: Array
) -> None:
    """Write what the nodes of a block need besides the other features; see `contour_sum`.

    ``own`` holds the own gain and density, then room for 6 numbers.
    """
    a, p = own[0], own[1]
    for lane in range(LANES):
        m = first + lane
        s = complex(c, m * h)
        weight = 0.0 if m > count else (0.5 if m == 0 else 1.0) * h / math.pi
        e = weight * math.exp(c * bias) * complex(math.cos(m * h * bias), math.sin(m * h * bias))
        _own_transforms(c * a, m * h * a, own[2:])
        r = 1.0 / s
        switched = (1.0 - p) + p * complex(own[2], own[3])
        one, two = p * complex(own[4], own[5]), p * complex(own[6], own[7])
        value = 2.0 * e * r * r * (r * switched - one)
        by_bias = 2.0 * e * r * (r * switched - one)
        by_own = 2.0 * e * r * (r * one - two)
        for k, z in enumerate((value, by_bias, by_own, r)):
            nodes[2 * k * LANES + lane] = z.real
            nodes[(2 * k + 1) * LANES + lane] = z.imag
        nodes[_FREQUENCIES + lane] = m * h


@compiled(Nothing(Real, Integer, Real, Real, Real, Vector, Vector, Integer))
def _transforms(
    c: float, first: int, h: float, gain: float, p: float, nodes: Array, turn: Array, at: int
) -> None:
    """Write p E(t) and p E'(t) of one feature at a block of nodes.

    From ``turn[at]`` on stand: the rotations e^(i k h g) by k = 0 ... LANES - 1 steps, cosines,
    then sines; that of the first node; that by LANES steps; then the results, in 4 blocks.
    """
    start, results = at + 2 * LANES, at + 2 * LANES + 4
    furthest = abs(gain) * math.hypot(c, (first + LANES - 1) * h)
    im = load(nodes, _FREQUENCIES) * gain
    re = c * gain
    if furthest < _SERIES:
        turn[start] = turn[start + 1] = 0.0  # not known any more
        terms, size = 2, furthest
        while size > _EPSILON and terms < _MOST_TERMS:
            size *= furthest / terms
            terms += 1
        zero_re, zero_im = im * 0.0, im * 0.0
        one_re, one_im = im * 0.0, im * 0.0
        for k in range(terms - 1, -1, -1):
            higher = zero_re * re - zero_im * im
            zero_im = zero_re * im + zero_im * re
            zero_re = higher + _ZERO[k]
            higher = one_re * re - one_im * im
            one_im = one_re * im + one_im * re
            one_re = higher + _ONE[k]
    else:
        if (first // LANES) % _REFRESH == 0 or turn[start] == turn[start + 1] == 0.0:
            angle = first * h * gain
            turn[start], turn[start + 1] = math.cos(angle), math.sin(angle)
        growth = math.exp(re)
        cosine, sine = growth * turn[start], growth * turn[start + 1]
        e_re = load(turn, at) * cosine - load(turn, at + LANES) * sine
        e_im = load(turn, at) * sine + load(turn, at + LANES) * cosine
        inverse_re, inverse_im = load(nodes, _INVERSE) / gain, load(nodes, _INVERSE + LANES) / gain
        less = e_re - 1.0
        zero_re = less * inverse_re - e_im * inverse_im
        zero_im = less * inverse_im + e_im * inverse_re
        e_re, e_im = e_re - zero_re, e_im - zero_im
        one_re = e_re * inverse_re - e_im * inverse_im
        one_im = e_re * inverse_im + e_im * inverse_re
        cosine, sine = turn[start], turn[start + 1]
        turn[start] = cosine * turn[start + 2] - sine * turn[start + 3]
        turn[start + 1] = cosine * turn[start + 3] + sine * turn[start + 2]
    store(turn, results, zero_re * p)
    store(turn, results + LANES, zero_im * p)
    store(turn, results + 2 * LANES, one_re * p)
    store(turn, results + 3 * LANES, one_im * p)


@compiled(Nothing(Vector, Vector, Vector, Vector))
def _forward(density: Array, turn: Array, none: Array, before: Array) -> None:
    """Write for each feature what those before it give with one, and with two or more, active.

    ``none[j]`` is the probability that none of those before j is active; at the end of
    `before` stands the part with three or more of all.
    """
    n = density.size
    one_re, one_im = load(turn, _RESULT) * 0.0, load(turn, _RESULT) * 0.0
    two_re, two_im, rest_re, rest_im = one_re, one_im, one_re, one_im
    for j in range(n):
        store(before, 4 * LANES * j, one_re)
        store(before, 4 * LANES * j + LANES, one_im)
        store(before, 4 * LANES * j + 2 * LANES, two_re + rest_re)
        store(before, 4 * LANES * j + 3 * LANES, two_im + rest_im)
        at, q = _STRIDE * j + _RESULT, 1.0 - density[j]
        re, im = load(turn, at), load(turn, at + LANES)
        whole = re + q
        kept_re = rest_re * whole - rest_im * im + two_re * re - two_im * im
        rest_im = rest_re * im + rest_im * whole + two_re * im + two_im * re
        rest_re = kept_re
        kept_re = two_re * q + one_re * re - one_im * im
        two_im = two_im * q + one_re * im + one_im * re
        two_re = kept_re
        one_re = one_re * q + re * none[j]
        one_im = one_im * q + im * none[j]
    store(before, 4 * LANES * n, rest_re)
    store(before, 4 * LANES * n + LANES, rest_im)


@compiled(Nothing(Vector, Vector, Vector, Vector, Vector, Vector))
def _backward(
    density: Array, turn: Array, none: Array, before: Array, nodes: Array, slopes: Array
) -> None:
    """Add to each feature's lanes of `slopes` the derivative by its gain."""
    n = density.size
    weight_re, weight_im = load(nodes, _BY_BIAS), load(nodes, _BY_BIAS + LANES)
    one_re, one_im = weight_re * 0.0, weight_re * 0.0
    two_re, two_im = one_re, one_im
    after = 1.0
    for j in range(n - 1, -1, -1):
        at, q = _STRIDE * j + _RESULT, 1.0 - density[j]
        re, im = load(turn, at), load(turn, at + LANES)
        place = 4 * LANES * j
        # two or more of the others: two before; one before, one after; none before, two after
        many_re, many_im = one_re + two_re, one_im + two_im
        all_re = many_re + after
        first_re, first_im = load(before, place), load(before, place + LANES)
        second_re, second_im = load(before, place + 2 * LANES), load(before, place + 3 * LANES)
        sum_re = second_re * all_re - second_im * many_im + two_re * none[j]
        sum_im = second_re * many_im + second_im * all_re + two_im * none[j]
        sum_re = sum_re + first_re * many_re - first_im * many_im
        sum_im = sum_im + first_re * many_im + first_im * many_re
        d_re, d_im = load(turn, at + 2 * LANES), load(turn, at + 3 * LANES)
        by_re = d_re * weight_re - d_im * weight_im
        by_im = d_re * weight_im + d_im * weight_re
        store(slopes, LANES * j, load(slopes, LANES * j) + by_re * sum_re - by_im * sum_im)
        whole = re + q
        kept_re = two_re * whole - two_im * im + one_re * re - one_im * im
        two_im = two_re * im + two_im * whole + one_re * im + one_im * re
        two_re = kept_re
        one_re = one_re * q + re * after
        one_im = one_im * q + im * after
        after *= q


@compiled(Real(Vector, Vector, Real, Real, Real, Real, Real, Integer, Vector))
def contour_sum(
    gains: Array,
    density: Array,
    own_gain: float,
    own_density: float,
    bias: float,
    c: float,
    h: float,
    count: int,
    out: Array,
) -> float:
    """Add the part of an output's error in which three or more others are active.

    Parameters
    ----------
    gains, density : ndarray, shape (k,)
        Of the other features, no gain 0.
    own_gain, own_density, bias : float
    c, h : float
        The sum runs over ``s = c + i m h``.
    count : int
        Of terms with m > 0.
    out : ndarray, shape (k + 3,)
        To which are added: the value, the derivatives by the others' gains, by the own gain, by
        the bias.

    Returns
    -------
    float
        The probability that three or more others are active.
    """
    n = gains.size
    turn = np.zeros(_STRIDE * n)
    for j in range(n):
        at = _STRIDE * j
        for k in range(LANES):
            turn[at + k] = math.cos(k * h * gains[j])
            turn[at + LANES + k] = math.sin(k * h * gains[j])
        turn[at + 2 * LANES + 2] = math.cos(LANES * h * gains[j])
        turn[at + 2 * LANES + 3] = math.sin(LANES * h * gains[j])
    none = np.ones(n + 1)
    one, two, three = 0.0, 0.0, 0.0
    for j in range(n):
        p, q = density[j], 1.0 - density[j]
        three = three + two * p
        two = two * q + one * p
        one = one * q + none[j] * p
        none[j + 1] = none[j] * q
    before = np.empty(4 * LANES * (n + 1))
    nodes, slopes, own = np.zeros(9 * LANES), np.zeros(LANES * n), np.zeros(8)
    own[0], own[1] = own_gain, own_density
    value, by_bias, by_own = 0.0, 0.0, 0.0
    for first in range(0, count + 1, LANES):
        _weigh_nodes(nodes, first, count, c, h, bias, own)
        for j in range(n):
            _transforms(c, first, h, gains[j], density[j], nodes, turn, _STRIDE * j)
        _forward(density, turn, none, before)
        _backward(density, turn, none, before, nodes, slopes)
        for lane in range(LANES):
            re, im = before[4 * LANES * n + lane], before[4 * LANES * n + LANES + lane]
            value += nodes[lane] * re - nodes[LANES + lane] * im
            by_bias += nodes[2 * LANES + lane] * re - nodes[3 * LANES + lane] * im
            by_own += nodes[4 * LANES + lane] * re - nodes[5 * LANES + lane] * im
    out[0] += value + own_density / 3.0 * three
    for j in range(n):
        for lane in range(LANES):
            out[1 + j] += slopes[LANES * j + lane]
    out[1 + n] += by_own
    out[2 + n] += by_bias
    return three
