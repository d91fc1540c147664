"""Bounds of one output over a box of its gains and an interval of its bias, compiled (internal).

An output's error is ``p_i/3 + H(y) - 2 F(y)`` with ``y = (gains, bias)``, ``F = E[x_i ReLU(Z)]``
and ``H = E[ReLU(Z)^2]``, both convex in y.  Over a box with vertices v, F lies below the plane
``sigma.(y - c) + alpha``, ``alpha = max_v F(v) - sigma.(v - c)``, whatever the slope sigma; H
lies above its tangent plane at any point.  `phasediagram derive lower-bound` proves it, and
that `ROUNDING` covers the rounding errors.

All gains come with the output's own feature first.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from phasediagram.certified.bounds.moments_2 import moments_2, products_2
from phasediagram.certified.bounds.moments_3 import moments_3, products_3
from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.signatures import Integer, Matrix, Nothing, Real, Vector

Array = NDArray[np.float64]

#: Gains, biases and points of tangency are multiples of 1 / GRID, so that sums are exact.
GRID = 2.0**40
#: Relative error that is allowed for: proved below 2^-45 of the sum of all magnitudes.
ROUNDING = 2.0**-44
_VECTOR = 8  # points that the compiled loops take at a time


@compiled(Nothing(Integer, Matrix, Integer, Vector, Matrix))
def moments(n: int, points: Array, count: int, table: Array, out: Array) -> None:
    """Write E[x_j ReLU(Z)] for each j, E[ReLU(Z)] and E[ReLU(Z)^2] of points (a column each).

    Columns that fill the last vector are computed too: that costs less than a rest of single ones.
    """
    if count > 1:
        count = (count + _VECTOR - 1) // _VECTOR * _VECTOR
    if n == 2:
        moments_2(points, count, table, out)
    else:
        moments_3(points, count, table, out)


@compiled(Real(Integer, Vector, Vector, Vector, Vector, Matrix, Matrix))
def majorant(
    n: int, low: Array, high: Array, table: Array, slope: Array, points: Array, out: Array
) -> float:
    """Return alpha of the plane above F over the box; write its slope sigma.

    The plane is ``alpha + slope.(y - (low + high)/2)``.
    """
    count = 1
    for k in range(n + 1):  # vertices; a coordinate of no width does not double them
        if high[k] > low[k]:
            for v in range(count):
                for j in range(k):
                    points[j, count + v] = points[j, v]
                points[k, v], points[k, count + v] = low[k], high[k]
            count *= 2
        else:
            for v in range(count):
                points[k, v] = low[k]
    if n == 2:
        products_2(points, count, table, out)
    else:
        products_3(points, count, table, out)
    bit = 1
    for k in range(n + 1):
        slope[k] = 0.0
        if high[k] > low[k]:
            rise = 0.0
            for v in range(count):
                rise += out[0, v] if v & bit else -out[0, v]
            slope[k] = 2.0 * rise / (count * (high[k] - low[k]))
            bit *= 2
    alpha = -np.inf
    for v in range(count):
        above = out[0, v]
        for k in range(n + 1):
            above -= slope[k] * (points[k, v] - 0.5 * (low[k] + high[k]))
        alpha = max(alpha, above)
    return alpha


@compiled(
    Real(
        Integer,
        Vector,
        Vector,
        Vector,
        Vector,
        Real,
        Vector,
        Vector,
        Vector,
        Real,
        Real,
        Matrix,
        Matrix,
    )
)
def tilted_bound(
    n: int,
    low: Array,
    high: Array,
    table: Array,
    slope: Array,
    alpha: float,
    at: Array,
    tilt: Array,
    pivot: Array,
    third: float,
    penalty: float,
    points: Array,
    out: Array,
) -> float:
    """Return a lower bound, over the box, of the output's error less tilt.(g - pivot).

    Parameters
    ----------
    low, high : ndarray, shape (n + 1,)
        Box of gains and bias.
    slope, alpha
        Of `majorant`.
    at : ndarray, shape (n + 1,)
        Where the tangent plane touches, a point of the box.
    tilt, pivot : ndarray, shape (n,)
    third : float
        p_i / 3.
    penalty : float
        Of squares of the gains of other features, added to the error.
    """
    for k in range(n + 1):
        points[k, 0] = at[k]
    moments(n, points, 1, table, out)
    value = third + out[n + 1, 0] - 2.0 * alpha
    size = third + out[n + 1, 0] + 2.0 * abs(alpha)
    for k in range(n + 1):
        rise = 2.0 * out[k, 0]
        if 0 < k < n:
            rise += 2.0 * penalty * at[k]
            value += penalty * at[k] * at[k]
            size += penalty * at[k] * at[k]
        rest = rise - 2.0 * slope[k]
        here = abs(rise) + 4.0 * abs(slope[k])
        extent = high[k] - low[k]
        value -= 2.0 * slope[k] * (at[k] - 0.5 * (low[k] + high[k]))
        if k < n:
            rest -= tilt[k]
            value -= tilt[k] * (at[k] - pivot[k])
            here += abs(tilt[k])
            extent = max(extent, abs(at[k] - pivot[k]))
        value += min(rest * (low[k] - at[k]), rest * (high[k] - at[k]))
        size += here * extent
    bound: float = value - ROUNDING * size
    return bound


@compiled(Real(Real))
def snapped(x: float) -> float:
    """Return the nearest multiple of 1 / GRID."""
    return math.floor(x * GRID + 0.5) / GRID


@compiled(Integer(Integer, Integer))
def own_first(i: int, j: int) -> int:
    """Return which feature is the j-th of output i; its own is the first."""
    return i if j == 0 else (0 if j == i else j)
