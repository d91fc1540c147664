"""One loss from Python, without the cost of passing a compiled function (internal)."""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.packing import evaluate, work_size
from phasediagram.kernel.pointers import rows_at
from phasediagram.model import MAX_IMPORTANCE, MAX_MAGNITUDE

Array = NDArray[np.float64]

_int, _float, _vector, _matrix = (
    types.int64,
    types.float64,
    types.float64[::1],
    types.float64[:, ::1],
)


@compiled(_float(_int, _int, _int, _vector, _vector, _vector, _vector, _vector, _matrix, _int))
def evaluate_single(
    address: int,
    m: int,
    n: int,
    W: Array,
    b: Array,
    density: Array,
    importance: Array,
    gradient: Array,
    hessian: Array,
    order: int,
) -> float:
    """Return the loss of independent features, NaN if an argument is out of its range.

    Parameters are those of `phasediagram.kernel.packing.evaluate`, but `address`, from
    `phasediagram.kernel.rows.rows_address`, `W` of length m * n, and `density` and
    `importance`, of length n or 1.
    """
    size = m * n + n
    x, table, weights = np.empty(size), np.empty(1 << n), np.empty(n)
    valid = W.size == m * n
    for position in range(size):
        x[position] = W[position] if position < m * n else b[position - m * n]
        valid &= abs(x[position]) <= MAX_MAGNITUDE
    table[0] = 1.0
    for j in range(n):
        p = density[j if density.size > 1 else 0]
        weights[j] = importance[j if importance.size > 1 else 0]
        valid &= (p > 0.0) & (p <= 1.0)
        valid &= (weights[j] > 0.0) & (weights[j] <= MAX_IMPORTANCE)
        for subset in range(1 << j):
            table[subset + (1 << j)] = table[subset] * p
            table[subset] *= 1.0 - p
    if not valid:
        return math.nan
    work = np.empty(work_size(n, m))
    return float(
        evaluate(rows_at(address), m, n, x, table, weights, gradient, hessian, work, order)
    )
