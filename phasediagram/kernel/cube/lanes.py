"""How the outputs of one state stand side by side in vectors (internal).

The same arithmetic serves every output once its own feature comes first, which
exchanging it with feature 0 does.  So `LANES` outputs are computed at a time: a number
of theirs is a block of that length in `work`, and a loop over it one vector instruction.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled

Array = NDArray[np.float64]

LANES = 4

_vector, _matrix = types.float64[::1], types.float64[:, ::1]
_int = types.int64

#: Signature of `phasediagram.kernel.packing.ROWS`.
ROWS_SIGNATURE = types.void(_matrix, _matrix, _vector, _vector, _matrix, _vector, _int)

#: Signature of what computes `LANES` outputs that stand in `work`, for one order.
LANES_SIGNATURE = types.void(_vector, _int)


@compiled(types.void(_vector, _int, _int, _int, _matrix, _int))
def deliver(work: Array, results: int, n: int, first: int, out: Array, order: int) -> None:
    """Write the results of the outputs from `first` on, in the features' own order.

    From block `results` of `work` on stand the value, the gradient in the n gains and the
    bias, and the upper triangle of the Hessian, row by row.
    """
    size, start = n + 1, n + 2
    for lane in range(min(LANES, n - first)):
        i = first + lane
        at = results * LANES + lane
        out[i, 0] = work[at]
        if order == 0:
            continue
        for a in range(size):
            at += LANES
            to_a = i if a == 0 else (0 if a == i else a)
            out[i, 1 + to_a] = work[at]
        if order == 1:
            continue
        for a in range(size):
            to_a = i if a == 0 else (0 if a == i else a)
            for b in range(a, size):
                at += LANES
                to_b = i if b == 0 else (0 if b == i else b)
                out[i, start + to_a * size + to_b] = work[at]
                out[i, start + to_b * size + to_a] = work[at]


@compiled(_int(_int, _int))
def channel_count(n: int, order: int) -> int:
    """Return the number of moments of a face that `phasediagram.kernel.cube.general` keeps."""
    if order == 0:
        return 4
    if order == 1:
        return 6 + 2 * n
    return 7 + 3 * n + 3 * (n * (n + 1) // 2)


@compiled(_int(_int))
def rows_work_size(n: int) -> int:
    """Return the length of `work` that is enough for the rows of n features."""
    faces = 1
    for _ in range(n):
        faces *= 3
    return LANES * (5 * n + 5 + 3 * (1 << n) + (2 + faces) * int(channel_count(n, 2)))
