"""Expected squared error of each output by cone recursion, for any number of features.

One output of the model reconstructs its own feature ``x_own`` as ``ReLU(Z)`` with
``Z = bias + sum_j gains_j x_j``.  Its expected squared error is a mixture over the
sets of active features; each set contributes the integral over one face of the
unit cube, where inactive features sit at 0 and active ones run over [0, 1].

The textbook form of that integral, a truncated power sum over corners
(`derivations.expectation`), loses every digit as a gain tends to 0.  Here it is
computed by *cone recursion*.  Let a face of dimension k meet the hyperplane
Z = 0 and take a point of the face on that hyperplane as apex.  Along every ray
from the apex the sign of Z is constant and the residual ``e = x_own - ReLU(Z)``
is linear; the face splits into pyramids over its facets f, whose height h_f is
the apex's distance from the facet, so that

    int_face e^2 = sum_f h_f [B0 e(apex)^2 + 2 B1 e(apex) int_f e + B2 int_f e^2],
    B_i = int_0^1 s^(k-1+i) (1-s)^(2-i) ds.

All heights and all B are positive and no gain is divided by.  A face that misses
the hyperplane is treated in the same way from its centre.  With the 2^n corner
values of Z summed in doubled precision the result has full *relative* accuracy
for any gains and bias.  The recursion visits each of the 3^n faces once, from the
corners up, for `LANES` outputs at a time: every number is a block of that many, so that
one vector instruction does the same for all.  The own feature of each comes first.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.cube.blocks import (
    any_crossing,
    least,
    load,
    most,
    store,
    where_crossing,
    where_positive,
    where_rising,
)
from phasediagram.kernel.cube.faces import ACTIVE, COORDINATES, DIGITS, DIMENSION, FREE, POWERS
from phasediagram.kernel.cube.lanes import LANES, ROWS_SIGNATURE, channel_count, deliver
from phasediagram.kernel.doubled import add, select, two_sum

Array = NDArray[np.float64]

_TINY = float(np.finfo(np.float64).tiny)

# Channels of a face.  H is 1 where Z > 0 and 0 elsewhere, e the residual, delta the unit
# mass on the section Z = 0.  Lowest and highest corner value, int e, int e^2; then for
# derivatives int H, int H e, the n int H x_a, the n int H e x_a; for second ones the pairs
# int H x_a x_b, then int delta, int delta x_a, int delta x_a x_b, int delta x_own x_a x_b.
_LOWEST, _HIGHEST, _E, _E_E, _H, _H_E, _X = range(7)

_void, _int, _vector, _matrix = types.void, types.int64, types.float64[::1], types.float64[:, ::1]


@compiled(_int(_int, _int, _int))
def _pair(n: int, a: int, b: int) -> int:
    """Return the position of the pair a <= b among those of n."""
    return (a * (2 * n - a - 1)) // 2 + b if a <= b else (b * (2 * n - b - 1)) // 2 + a


@compiled(_int(_int, _int))
def _exchanged(subset: int, i: int) -> int:
    """Return the set with the members 0 and i exchanged."""
    differ = (subset ^ (subset >> i)) & 1
    return subset ^ (differ | (differ << i))


@compiled(_void(_matrix, _matrix, _vector, _vector, _vector, _int, _int))
def _load(
    gram: Array, gram_tail: Array, b: Array, table: Array, work: Array, first: int, weights: int
) -> None:
    """Fill in gains, their tails, biases and weights, each output's own feature first."""
    n = b.size
    for lane in range(LANES):
        i = first + lane if first + lane < n else first
        for j in range(n):
            source = i if j == 0 else (0 if j == i else j)
            work[j * LANES + lane] = gram[i, source]
            work[(n + j) * LANES + lane] = gram_tail[i, source]
        work[2 * n * LANES + lane] = b[i]
        for subset in range(1 << n):
            work[(weights + subset) * LANES + lane] = table[_exchanged(subset, i)]


@compiled(_void(_vector, _int, _int, _int, _int))
def _fill_fixed(work: Array, n: int, face: int, base: int, order: int) -> None:
    """Fill in the moments in which a coordinate fixed on the face occurs."""
    pairs = _X + 2 * n
    section = pairs + n * (n + 1) // 2
    first, second = section + 1, section + 1 + n
    third = second + n * (n + 1) // 2
    k = DIMENSION[face]
    h, h_e = load(work, base + _H * LANES), load(work, base + _H_E * LANES)
    for f in range(k, n):
        a = COORDINATES[face, f]
        value = float(DIGITS[face, a])
        store(work, base + (_X + a) * LANES, value * h)
        store(work, base + (_X + n + a) * LANES, value * h_e)
    if order < 2:
        return
    density = load(work, base + section * LANES)
    for f in range(k, n):
        a = COORDINATES[face, f]
        store(work, base + (first + a) * LANES, float(DIGITS[face, a]) * density)
    for f in range(k, n):
        a = COORDINATES[face, f]
        value = float(DIGITS[face, a])
        for g in range(f + 1):
            b = COORDINATES[face, g]
            ab = _pair(n, a, b)
            store(work, base + (pairs + ab) * LANES, value * load(work, base + (_X + b) * LANES))
            store(
                work, base + (second + ab) * LANES, value * load(work, base + (first + b) * LANES)
            )
    own = DIGITS[face, 0]
    for f in range(k if own == FREE else 0, n):
        a = COORDINATES[face, f]
        value = float(DIGITS[face, a] if own == FREE else own)
        for g in range(f + 1):
            b = COORDINATES[face, g]
            ab = _pair(n, a, b)
            of = _pair(n, 0, b) if own == FREE else ab
            store(
                work, base + (third + ab) * LANES, value * load(work, base + (second + of) * LANES)
            )


@compiled(_void(_vector, _int, _int, _int, _int, _int))
def _corners(work: Array, n: int, doubled: int, faces: int, channels: int, order: int) -> None:
    """Fill in the moments of the 2^n corners, whose values of Z are correctly rounded."""
    for lane in range(LANES):
        work[doubled * LANES + lane] = work[2 * n * LANES + lane]
        work[(doubled + 1) * LANES + lane] = 0.0
    for corner in range(1 << n):
        top = -1
        face = 0
        for j in range(n):
            if (corner >> j) & 1:
                top = j
                face += POWERS[j]
        at = (doubled + 2 * corner) * LANES
        base = (faces + face * channels) * LANES
        own = float(corner & 1)
        for lane in range(LANES):
            if top >= 0:
                before = (doubled + 2 * (corner - (1 << top))) * LANES + lane
                work[at + lane], work[at + LANES + lane] = add(
                    work[before],
                    work[before + LANES],
                    work[top * LANES + lane],
                    work[(n + top) * LANES + lane],
                )
            z, tail = work[at + lane], work[at + LANES + lane]
            difference, error = two_sum(own, -z)
            residual = difference + (error - tail)
            e = select(z > 0.0, residual, own)
            work[base + _LOWEST * LANES + lane] = z
            work[base + _HIGHEST * LANES + lane] = z
            work[base + _E * LANES + lane] = e
            work[base + _E_E * LANES + lane] = e * e
            if order > 0:
                work[base + _H * LANES + lane] = select(z > 0.0, 1.0, 0.0)
                work[base + _H_E * LANES + lane] = select(z > 0.0, residual, 0.0)
        if order > 0:
            _fill_fixed(work, n, face, base, order)


@compiled(_void(_vector, _int, _int, _int, _int, _int, _int, _int))
def _climb_section(
    work: Array, n: int, face: int, apex: int, crossing: int, sums: int, base: int, section: int
) -> None:
    """Fill in the moments over the section Z = 0 of a face.

    The same recursion: on the pyramid over a facet, delta(Z) scales as 1/s.
    """
    first, second = section + 1, section + 1 + n
    third = second + n * (n + 1) // 2
    k = DIMENSION[face]
    total = sums * LANES
    if k == 1:
        a = COORDINATES[face, 0]
        aa = _pair(n, a, a)
        x, density = load(work, (apex + a) * LANES), load(work, crossing * LANES)
        store(work, base + section * LANES, density)
        store(work, base + (first + a) * LANES, x * density)
        store(work, base + (second + aa) * LANES, x * x * density)
        store(work, base + (third + aa) * LANES, x * x * x * density)
        return
    own_free = DIGITS[face, 0] == FREE
    # int_0^1 s^(a-1) (1-s)^(b-1) ds for (a, b) = (k-1, 2), (k-1, 3), (k-1, 4), (k, 2), ...
    beta_12 = 1.0 / ((k - 1) * k)
    beta_13 = 2.0 * beta_12 / (k + 1)
    beta_14 = 3.0 * beta_13 / (k + 2)
    beta_02 = 1.0 / (k * (k + 1))
    beta_03 = 2.0 * beta_02 / (k + 2)
    beta_up = 1.0 / ((k + 1) * (k + 2))
    part, part_up, part_two = 1.0 / k, 1.0 / (k + 1), 1.0 / (k + 2)
    whole = load(work, total + section * LANES)
    store(work, base + section * LANES, whole * (1.0 / (k - 1)))
    own, own_first = load(work, apex * LANES), load(work, total + first * LANES)
    for f in range(k):
        a = COORDINATES[face, f]
        x = load(work, (apex + a) * LANES)
        x_first = load(work, total + (first + a) * LANES)
        store(work, base + (first + a) * LANES, beta_12 * x * whole + part * x_first)
        for g in range(f + 1):
            b = COORDINATES[face, g]
            ab = _pair(n, a, b)
            y = load(work, (apex + b) * LANES)
            square = x * y * whole
            mixed = x * load(work, total + (first + b) * LANES) + y * x_first
            both = load(work, total + (second + ab) * LANES)
            store(
                work,
                base + (second + ab) * LANES,
                beta_13 * square + beta_02 * mixed + part_up * both,
            )
            if own_free:
                with_own = (
                    own * both
                    + x * load(work, total + (second + _pair(n, 0, b)) * LANES)
                    + y * load(work, total + (second + _pair(n, 0, a)) * LANES)
                )
                store(
                    work,
                    base + (third + ab) * LANES,
                    beta_14 * own * square
                    + beta_03 * (own * mixed + x * y * own_first)
                    + beta_up * with_own
                    + part_two * load(work, total + (third + ab) * LANES),
                )


@compiled(_void(_vector, _int, _int, _int, _int, _int, _int, _int, _int))
def _add_facets(
    work: Array,
    n: int,
    face: int,
    total: int,
    low_height: int,
    low: int,
    high_height: int,
    high: int,
    order: int,
) -> None:
    """Add the moments of two opposite facets, times their heights; order -2: no sections."""
    k = DIMENSION[face]
    below, above = load(work, low_height), load(work, high_height)
    for c in range(_E, _H if order == 0 else _X):
        at = c * LANES
        store(
            work,
            total + at,
            load(work, total + at) + below * load(work, low + at) + above * load(work, high + at),
        )
    if order == 0:
        return
    for f in range(k):
        for at in (
            (_X + COORDINATES[face, f]) * LANES,
            (_X + n + COORDINATES[face, f]) * LANES,
        ):
            store(
                work,
                total + at,
                load(work, total + at)
                + below * load(work, low + at)
                + above * load(work, high + at),
            )
    if order == 1:
        return
    pairs = _X + 2 * n
    section = pairs + n * (n + 1) // 2
    second = section + 1 + n
    third = second + n * (n + 1) // 2
    for f in range(k):
        for g in range(f + 1):
            ab = _pair(n, COORDINATES[face, f], COORDINATES[face, g])
            at = (pairs + ab) * LANES
            store(
                work,
                total + at,
                load(work, total + at)
                + below * load(work, low + at)
                + above * load(work, high + at),
            )
            if order == 2 and k > 1:
                at = (second + ab) * LANES
                store(
                    work,
                    total + at,
                    load(work, total + at)
                    + below * load(work, low + at)
                    + above * load(work, high + at),
                )
                at = (third + ab) * LANES
                store(
                    work,
                    total + at,
                    load(work, total + at)
                    + below * load(work, low + at)
                    + above * load(work, high + at),
                )
    if order == 2 and k > 1:
        at = section * LANES
        store(
            work,
            total + at,
            load(work, total + at) + below * load(work, low + at) + above * load(work, high + at),
        )
        for f in range(k):
            at = (section + 1 + COORDINATES[face, f]) * LANES
            store(
                work,
                total + at,
                load(work, total + at)
                + below * load(work, low + at)
                + above * load(work, high + at),
            )


@compiled(_void(_vector, _int, _int, _int, _int, _int, _int, _int))
def _climb(
    work: Array, n: int, face: int, scratch: int, sums: int, faces: int, channels: int, order: int
) -> None:
    """Fill in the moments of a face of dimension 1 or more from those of its facets."""
    apex, high_height = scratch, scratch + n  # the height above the facet at 0 is the apex's x
    crossing = scratch + 2 * n
    base = (faces + face * channels) * LANES
    k = DIMENSION[face]
    pairs = _X + 2 * n
    section = pairs + n * (n + 1) // 2
    stride = channels * LANES
    step = POWERS[COORDINATES[face, 0]] * stride
    low, high = base - 2 * step, base - step
    lowest = least(load(work, low), load(work, high))
    highest = most(load(work, low + LANES), load(work, high + LANES))
    store(work, base, lowest)
    store(work, base + LANES, highest)
    span = where_crossing(lowest, highest, highest - lowest, 1.0)
    rise = where_crossing(lowest, highest, (0.0 - lowest) / span, 0.5)
    fall = where_crossing(lowest, highest, highest / span, 0.5)
    any_crosses = order == 2 and any_crossing(lowest, highest)
    if any_crosses:
        inverse = 1.0 / where_positive(span - _TINY, span, _TINY)
        store(work, crossing * LANES, where_crossing(lowest, highest, inverse, 0.0))
    for f in range(k):
        j = COORDINATES[face, f]
        gain = load(work, j * LANES)
        store(work, (apex + j) * LANES, where_rising(gain, rise, fall))
        store(work, (high_height + j) * LANES, where_rising(gain, fall, rise))
    if DIGITS[face, 0] != FREE:
        store(work, apex * LANES, float(DIGITS[face, 0]))
    centre = 0.5 * (load(work, low + _E * LANES) + load(work, high + _E * LANES))
    e = where_positive(lowest, centre, load(work, apex * LANES))
    for c in range(_E * LANES, channels * LANES):
        work[sums * LANES + c] = 0.0
    for f in range(k):
        j = COORDINATES[face, f]
        step = POWERS[j] * stride
        _add_facets(
            work,
            n,
            face,
            sums * LANES,
            (apex + j) * LANES,
            base - 2 * step,
            (high_height + j) * LANES,
            base - step,
            order if any_crosses or order < 2 else -2,
        )
    across, part, part_two = 1.0 / ((k + 1) * (k + 2)), 1.0 / (k + 1), 1.0 / (k + 2)
    total = sums * LANES
    both = e + load(work, total + _E * LANES)
    store(work, base + _E * LANES, part * both)
    squared = part_two * load(work, total + _E_E * LANES)
    store(work, base + _E_E * LANES, 2.0 * across * e * both + squared)
    if order == 0:
        return
    h = (1.0 / k) * load(work, total + _H * LANES)
    h_e = load(work, total + _H_E * LANES)
    store(work, base + _H * LANES, h)
    store(work, base + _H_E * LANES, part * (e * h + h_e))
    twice = 2.0 * e * h + h_e
    for f in range(k):
        a = COORDINATES[face, f]
        x, h_x = load(work, (apex + a) * LANES), load(work, total + (_X + a) * LANES)
        store(work, base + (_X + a) * LANES, part * (x * h + h_x))
        h_e_x = part_two * load(work, total + (_X + n + a) * LANES)
        store(work, base + (_X + n + a) * LANES, across * (x * twice + e * h_x) + h_e_x)
        if order == 2:
            for g in range(f + 1):
                b = COORDINATES[face, g]
                at = (pairs + _pair(n, a, b)) * LANES
                y, h_y = load(work, (apex + b) * LANES), load(work, total + (_X + b) * LANES)
                mixed = 2.0 * x * y * h + x * h_y + y * h_x
                store(work, base + at, across * mixed + part_two * load(work, total + at))
    if order == 2:
        if any_crosses:
            _climb_section(work, n, face, apex, crossing, sums, base, section)
        else:
            for c in range(section * LANES, channels * LANES):
                work[base + c] = 0.0
    _fill_fixed(work, n, face, base, order)


@compiled(_void(_vector, _int, _int, _int, _int))
def _conclude(work: Array, n: int, mixture: int, results: int, order: int) -> None:
    """Turn the mixed moments into value, gradient and Hessian, in the order of `deliver`."""
    pairs = _X + 2 * n
    first = pairs + n * (n + 1) // 2 + 1
    second = first + n
    third = second + n * (n + 1) // 2
    for lane in range(LANES):
        at, to = mixture * LANES + lane, results * LANES + lane
        work[to] = work[at + _E_E * LANES]
        if order == 0:
            continue
        for a in range(n):
            to += LANES
            work[to] = -2.0 * work[at + (_X + n + a) * LANES]
        to += LANES
        work[to] = -2.0 * work[at + _H_E * LANES]
        if order == 1:
            continue
        for a in range(n):
            for b in range(a, n):
                to += LANES
                ab = _pair(n, a, b)
                work[to] = 2.0 * (work[at + (pairs + ab) * LANES] - work[at + (third + ab) * LANES])
            to += LANES
            work[to] = 2.0 * (work[at + (_X + a) * LANES] - work[at + (second + a) * LANES])
        to += LANES
        work[to] = 2.0 * (work[at + _H * LANES] - work[at + first * LANES])


@compiled(ROWS_SIGNATURE)
def general_rows(
    gram: Array, gram_tail: Array, b: Array, table: Array, out: Array, work: Array, order: int
) -> None:
    """Write each output's expected squared error, and derivatives, into its row of `out`.

    Parameters and results are those of `phasediagram.kernel.rows.ROWS`.
    """
    n = b.size
    channels = channel_count(n, order)
    weights = 2 * n + 1
    scratch = weights + (1 << n)
    sums = scratch + 2 * n + 1
    mixture = sums + channels
    doubled = mixture + channels
    faces = doubled + 2 * (1 << n)
    for first in range(0, n, LANES):
        _load(gram, gram_tail, b, table, work, first, weights)
        _corners(work, n, doubled, faces, channels, order)
        for c in range(_E * LANES, channels * LANES):
            work[mixture * LANES + c] = 0.0
        for face in range(POWERS[n]):
            if DIMENSION[face] > 0:
                _climb(work, n, face, scratch, sums, faces, channels, order)
            subset = ACTIVE[face]
            if subset < 0:
                continue
            summed = channels
            if order == 2 and DIMENSION[face] == 0:  # a corner has no section
                summed = 6 + 2 * n + n * (n + 1) // 2
            weight = load(work, (weights + subset) * LANES)
            for c in range(_E, summed):
                to = (mixture + c) * LANES
                moment = load(work, (faces + face * channels + c) * LANES)
                store(work, to, load(work, to) + weight * moment)
        _conclude(work, n, mixture, sums, order)
        deliver(work, sums, n, first, out, order)
