"""Following minima from one point to another, compiled (internal).

A minimum that goes on is one that is reached from near by, leads back to where it came from, lies
on the same kinks, and is still a minimum: its smallest second directional derivative is positive.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled, inlined
from phasediagram.kernel.packing import work_size
from phasediagram.kernel.pointers import rows_at
from phasediagram.kernel.signatures import Boolean, Integer, Matrix, Nothing, Real, Vector
from phasediagram.minima.curvature import KINK, preactivation_at, softest
from phasediagram.minima.newton import minimize
from phasediagram.minima.state import SAME_STATE

Array = NDArray[np.float64]

ARRIVED, LOST, SADDLE = 0, 1, 2
LARGEST_MOVE = 0.15  # of W^T W and b in one step: more is another minimum
FLAT = 1e-9  # curvature, relative to the density of features, that is not told from 0
_CONVERGED = 1e3  # times the tolerance: where rounding stops a descent
_RADIUS = 0.1  # the first trust radius of a step
_ITERATIONS = 200
_EIGENVECTORS = 2  # tried besides the direction that is followed


@compiled(Real(Integer, Integer, Vector, Vector))
def far(m: int, n: int, x: Array, other: Array) -> float:
    """Return the largest difference of W^T W and b."""
    largest = 0.0
    for i in range(n):
        largest = max(largest, abs(x[m * n + i] - other[m * n + i]))
        for j in range(i + 1):
            difference = 0.0
            for k in range(m):
                difference += x[k * n + i] * x[k * n + j] - other[k * n + i] * other[k * n + j]
            largest = max(largest, abs(difference))
    return largest


@compiled(Boolean(Integer, Integer, Vector, Vector))
def changes_kinks(m: int, n: int, x: Array, other: Array) -> bool:
    """Whether a corner's pre-activation is 0 in one of two states and not in the other."""
    for i in range(n):
        for corner in range(2**n):
            z = preactivation_at(m, n, x, i, corner)
            q = preactivation_at(m, n, other, i, corner)
            if (abs(z) < KINK) != (abs(q) < KINK):
                return True
    return False


@compiled(Boolean(Integer, Integer, Vector))
def has_silent_output(m: int, n: int, x: Array) -> bool:
    """Whether some output never switches on."""
    for i in range(n):
        highest = x[m * n + i]
        for j in range(n):
            gain = 0.0
            for k in range(m):
                gain += x[k * n + i] * x[k * n + j]
            highest += max(gain, 0.0)
        if highest <= 0.0:
            return True
    return False


@inlined
def follow_one(
    address: int,
    m: int,
    n: int,
    start: Array,
    table: Array,
    importance: Array,
    tolerance: float,
    table_back: Array,
    importance_back: Array,
    tolerance_back: float,
    x: Array,
    back: Array,
    direction: Array,
    info: Array,
    work: Array,
) -> int:
    """Follow a minimum; write where it went, its softest direction, loss, slope and curvature.

    Parameters
    ----------
    direction : ndarray, shape (1, d)
        The softest direction before, which is replaced.
    info : ndarray, shape (3,)
        Receives the loss, the norm of the gradient and the smallest curvature.
    """
    rows = rows_at(address)
    x[:] = start
    info[0] = minimize(
        rows, m, n, x, table, importance, tolerance, _ITERATIONS, _RADIUS, info[1:], work
    )
    slope = info[1]
    info[2] = 0.0
    if not slope < _CONVERGED * tolerance or far(m, n, x, start) > LARGEST_MOVE:
        return LOST
    back[:] = x
    came = np.empty(2)
    minimize(
        rows,
        m,
        n,
        back,
        table_back,
        importance_back,
        tolerance_back,
        _ITERATIONS,
        _RADIUS,
        came,
        work,
    )
    if far(m, n, back, start) > SAME_STATE or has_silent_output(m, n, x):
        return LOST
    if changes_kinks(m, n, x, start):
        return LOST
    softest_direction = np.empty(x.size)
    curvature = softest(
        address, m, n, x, table, importance, direction, _EIGENVECTORS, softest_direction
    )
    direction[0] = softest_direction
    info[2] = curvature
    return ARRIVED if curvature > FLAT * (1.0 - table[0]) else SADDLE


@compiled(
    Nothing(
        Integer,
        Integer,
        Integer,
        Matrix,
        Matrix,
        Matrix,
        Vector,
        Matrix,
        Matrix,
        Vector,
        Matrix,
        Matrix,
        Matrix,
        Vector,
    )
)
def follow_rows(
    address: int,
    m: int,
    n: int,
    starts: Array,
    tables: Array,
    importances: Array,
    tolerances: Array,
    tables_back: Array,
    importances_back: Array,
    tolerances_back: Array,
    x: Array,
    directions: Array,
    info: Array,
    outcome: Array,
) -> None:
    """Follow each row of `starts` from one point to another; see `follow_one`."""
    work = np.empty(work_size(n, m))
    back, direction = np.empty(m * n + n), np.empty((1, m * n + n))
    for k in range(starts.shape[0]):
        direction[0] = directions[k]
        outcome[k] = follow_one(
            address,
            m,
            n,
            starts[k],
            tables[k],
            importances[k],
            tolerances[k],
            tables_back[k],
            importances_back[k],
            tolerances_back[k],
            x[k],
            back,
            direction,
            info[k],
            work,
        )
        directions[k] = direction[0]
