"""Boxes in generations: each is either proved or halved; compiled (internal)."""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from phasediagram.certified.box import box_bound
from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.signatures import Boolean, Integer, Matrix, Nothing, Real, Vector

Array = NDArray[np.float64]
Codes = NDArray[np.int8]

_codes = types.int8[::1]


@compiled(
    Nothing(
        Integer, Integer, Matrix, Matrix, Matrix, Vector, Vector, Real, Boolean, Real, Real, Vector,
        _codes, Matrix,
    )
)
def examine(
    m: int,
    n: int,
    low: Array,
    high: Array,
    tables: Array,
    importance: Array,
    active: Array,
    penalty: float,
    free_bias: bool,
    target: float,
    above: float,
    bounds: Array,
    codes: Codes,
    touched: Array,
) -> None:
    """Bound a number of boxes; say along which weight to halve those that are not proved."""
    for box in range(len(low)):
        bounds[box] = box_bound(
            m, n, low[box], high[box], tables, importance, active, penalty, free_bias, target,
            above, touched[box, : m * n], touched[box, m * n :],
        )
        widest, most = -1, 0.0
        for c in range(m * n):
            k, f = c // n, c % n
            width = high[box, c] - low[box, c]
            if width <= 0.0:
                continue
            own, others = 0.0, 0.0
            for i in range(n):
                other = max(abs(low[box, k * n + i]), abs(high[box, k * n + i]))
                own += other if i != f else 2.0 * other
                if i != f:
                    others += importance[i] * other * other
            effect = width * width * (importance[f] * own * own + others)
            if effect > most or widest < 0:
                widest, most = c, effect
        codes[box] = -1 if bounds[box] >= target else widest
