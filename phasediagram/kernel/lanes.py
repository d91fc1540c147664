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
