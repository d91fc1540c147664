"""What is proved in a whole cell of parameters: which weights hold no global minimiser.

The loss of fixed W and b is linear in the table of activity and in importances and penalty.
Over densities p0 to p1 the table is a polynomial of degree n, and a mixture, with Bernstein
polynomials as weights, of n + 1 tables that do not depend on p (`polar_tables`).  So what
holds for these tables and for the ends of the other parameter holds in the whole cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from phasediagram.certified.bounds.box import box_bound
from phasediagram.certified.bounds.single import output_exceeds
from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.signatures import Boolean, Cube, Integer, Matrix, Real, Vector

Array = NDArray[np.float64]

_GRID = 2.0**40
_ABOUT = 1.0 + 2.0**-40  # more than rounding errors of a product


def polar_tables(low: Fraction, high: Fraction, n: int) -> list[tuple[Fraction, ...]]:
    """Return the n + 1 laws of activity that mix to every density from `low` to `high`.

    In the k-th, k features drawn at random have the density `high`, the others `low`: the
    Bernstein coefficients of the table of independent features of one density.
    """
    tables = []
    for k in range(n + 1):
        table = [Fraction(0)] * 2**n
        for chosen in combinations(range(n), k):
            for active in range(2**n):
                weight = Fraction(1, comb(n, k))
                for j in range(n):
                    p = high if j in chosen else low
                    weight *= p if active >> j & 1 else 1 - p
                table[active] += weight
        tables.append(tuple(table))
    return tables


@dataclass(frozen=True)
class Corners:
    """Losses of which the loss anywhere in a cell is a mixture, and one to compare with.

    Attributes
    ----------
    tables : ndarray, shape (k, n, 2^n)
        For each output its own feature first.
    importance, active : ndarray, shape (k, n)
    penalty, threshold : ndarray, shape (k,)
        What weights must exceed in order not to be minimisers.
    """

    tables: Array
    importance: Array
    active: Array
    penalty: Array
    threshold: Array


@compiled(
    Integer(
        Integer, Integer, Vector, Vector, Cube, Matrix, Matrix, Vector, Boolean, Vector, Integer,
        Real,
    )
)  # fmt: skip
def _excluded(
    m: int,
    n: int,
    low: Array,
    high: Array,
    tables: Array,
    importance: Array,
    active: Array,
    penalty: Array,
    free_bias: bool,
    threshold: Array,
    max_boxes: int,
    narrowest: float,
) -> int:
    size = m * n
    lows, highs = np.empty((256, size)), np.empty((256, size))
    weights, biases, a, b = np.empty(size), np.empty(n), np.empty(size), np.empty(size)
    lows[0], highs[0] = low, high
    waiting, boxes, last = 1, 0, 0
    while waiting > 0:
        waiting -= 1
        a[:], b[:] = lows[waiting], highs[waiting]
        boxes += 1
        proved = True
        for turn in range(len(threshold)):
            k = (last + turn) % len(threshold)  # the one that failed last fails again
            bound = box_bound(
                m, n, a, b, tables[k], importance[k], active[k], penalty[k], free_bias,
                threshold[k], threshold[k], weights, biases,
            )  # fmt: skip
            if not bound >= threshold[k]:
                proved, last = False, k
                break
        if proved:
            continue
        widest = 0
        for c in range(size):
            if b[c] - a[c] > b[widest] - a[widest]:
                widest = c
        if b[widest] - a[widest] < narrowest or boxes >= max_boxes or waiting > 250:
            return -boxes
        middle = 0.5 * (a[widest] + b[widest])
        for child in range(2):  # the half where the loss is lower is looked at first
            upper = (weights[widest] > middle) == (child == 1)
            lows[waiting], highs[waiting] = a, b
            if upper:
                lows[waiting, widest] = middle
            else:
                highs[waiting, widest] = middle
            waiting += 1
    return boxes


def excluded(
    m: int,
    corners: Corners,
    low: Sequence[float],
    high: Sequence[float],
    max_boxes: int,
    narrowest: float,
    *,
    free_bias: bool = True,
) -> int:
    """Return how many boxes it took to prove that weights of a box are no minimisers.

    Negative if it is not proved: within `max_boxes`, or with boxes wider than `narrowest`.
    """
    found = _excluded(
        m, corners.tables.shape[1], np.array(low, dtype=np.float64),
        np.array(high, dtype=np.float64), corners.tables, corners.importance, corners.active,
        corners.penalty, free_bias, corners.threshold, max_boxes, narrowest,
    )  # fmt: skip
    return int(found)


@compiled(Integer(Real, Real, Real, Real, Matrix, Matrix, Vector, Vector, Real, Integer))
def _outweighed(
    sign: float,
    small: float,
    inner: float,
    reach: float,
    tables: Array,
    active: Array,
    penalty: Array,
    target: Array,
    narrowest: float,
    max_boxes: int,
) -> int:
    """Return the boxes of (own gain, first weight) it took; negative if not proved."""
    stack = np.empty((256, 4))
    least, most = 1.0 - small * reach, 1.0 + small * reach
    stack[0] = least, most, np.sqrt(least) - 2.0**-20, np.sqrt(most) + 2.0**-20
    waiting, boxes = 1, 0
    low, high = np.empty(2), np.empty(2)
    while waiting > 0:
        waiting -= 1
        a, b, c, d = stack[waiting]
        # the first weight's square lies between 1 + inner (a - 1) and the own gain a
        lowest = min(1.0 + inner * (a - 1.0), a)
        highest = max(1.0 + inner * (b - 1.0), b)
        if d * d * _ABOUT < lowest or c * c > highest * _ABOUT:
            continue
        boxes += 1
        low[0], high[0] = np.floor(a * _GRID) / _GRID, np.ceil(b * _GRID) / _GRID
        one, other = sign * small * c, sign * small * d
        low[1] = (np.floor(min(one, other) * _GRID) - 1.0) / _GRID
        high[1] = (np.ceil(max(one, other) * _GRID) + 1.0) / _GRID
        proved = True
        for k in range(len(target)):
            if not output_exceeds(2, low, high, tables[k], active[k], penalty[k], target[k]):
                proved = False
                break
        if proved:
            continue
        if max(b - a, d - c) < narrowest or boxes >= max_boxes or waiting > 250:
            return -boxes
        if b - a > small * (d - c):
            middle = 0.5 * (a + b)
            stack[waiting] = a, middle, c, d
            stack[waiting + 1] = middle, b, c, d
        else:
            middle = 0.5 * (c + d)
            stack[waiting] = a, b, c, middle
            stack[waiting + 1] = a, b, middle, d
        waiting += 2
    return boxes


def outweighed(
    corners: Corners,
    small: float,
    reach: float,
    variance: Array,
    max_boxes: int,
    narrowest: float,
    signs: tuple[float, ...] = (-1.0, 1.0),
    inner: float = 0.0,
) -> bool:
    """Return whether second weights of norm `inner` to 1 times `small` cost more than they gain.

    Proves, for these signs, that ``L_1(a, g) + (v + penalty) g^2 > 2 v small^2`` for all biases,
    ``g = +- small w``, ``|a - 1| <= small reach`` and w^2 between 1 + inner (a - 1) and a; v is the
    variance of the second feature times its importance (`phasediagram derive proved-cells`).

    Parameters
    ----------
    corners : Corners
    small, reach : float
    variance : ndarray, shape (k,)
        v for each of the corners.
    """
    penalty = variance * (1 - 2.0**-50) + 2 * corners.penalty
    target = 2 * variance * small**2 * (1 + 2.0**-48)
    return all(
        _outweighed(
            sign, small, inner, reach, np.ascontiguousarray(corners.tables[:, 0]), corners.active,
            penalty, target, narrowest, max_boxes,
        )
        > 0
        for sign in signs
    )  # fmt: skip


@compiled(
    Boolean(
        Integer, Vector, Vector, Cube, Matrix, Matrix, Vector, Boolean, Vector, Integer, Real,
        Vector,
    )
)  # fmt: skip
def _ratios(
    n: int,
    low: Array,
    high: Array,
    tables: Array,
    importance: Array,
    active: Array,
    penalty: Array,
    free_bias: bool,
    threshold: Array,
    max_boxes: int,
    narrowest: float,
    hull: Array,
) -> bool:
    """Write the least and the largest |W_2 / W_1| of boxes that are not excluded; m = 1."""
    lows, highs = np.empty((256, n)), np.empty((256, n))
    weights, biases, a, b = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    lows[0], highs[0] = low, high
    hull[0], hull[1] = np.inf, 0.0
    waiting, boxes, last = 1, 0, 0
    while waiting > 0:
        waiting -= 1
        a[:], b[:] = lows[waiting], highs[waiting]
        boxes += 1
        if boxes > max_boxes:
            return False
        proved = True
        for turn in range(len(threshold)):
            k = (last + turn) % len(threshold)
            bound = box_bound(
                1, n, a, b, tables[k], importance[k], active[k], penalty[k], free_bias,
                threshold[k], threshold[k], weights, biases,
            )  # fmt: skip
            if not bound >= threshold[k]:
                proved, last = False, k
                break
        if proved:
            continue
        least = min(abs(a[1]), abs(b[1])) / b[0] * (1.0 - 2.0**-50)
        most = max(abs(a[1]), abs(b[1])) / a[0] * (1.0 + 2.0**-50) if a[0] > 0.0 else np.inf
        if least >= hull[0] and most <= hull[1]:
            continue
        widest = 0 if b[0] - a[0] > b[1] - a[1] else 1
        if b[widest] - a[widest] < narrowest:
            hull[0], hull[1] = min(hull[0], least), max(hull[1], most)
            continue
        middle = 0.5 * (a[widest] + b[widest])
        for child in range(2):
            lows[waiting], highs[waiting] = a, b
            if child == 1:
                lows[waiting, widest] = middle
            else:
                highs[waiting, widest] = middle
            waiting += 1
    return True


def ratios(
    corners: Corners, low: Sequence[float], high: Sequence[float], max_boxes: int, narrowest: float
) -> tuple[float, float]:
    """Return bounds of ``|W_2 / W_1|`` of all minimisers that a box of weights holds."""
    hull = np.empty(2)
    done = _ratios(
        corners.tables.shape[1], np.array(low, dtype=np.float64),
        np.array(high, dtype=np.float64), corners.tables, corners.importance, corners.active,
        corners.penalty, True, corners.threshold, max_boxes, narrowest, hull,
    )  # fmt: skip
    return (float(hull[0]), float(hull[1])) if done else (0.0, np.inf)
