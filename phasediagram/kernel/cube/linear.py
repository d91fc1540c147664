"""Expected squared error of each output without an activation function, in closed form.

Given the set A of active features the residual ``e = sum_a e_a x_a - b``, with
``e_a = [a = own] - gains_a``, has the mean ``sum_A e_a / 2 - b`` and the variance
``sum_A e_a^2 / 12``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.cube.lanes import ROWS_SIGNATURE

Array = NDArray[np.float64]


@compiled(ROWS_SIGNATURE)
def linear_rows(
    gram: Array, gram_tail: Array, b: Array, table: Array, out: Array, work: Array, order: int
) -> None:
    """Write each output's expected squared error, and derivatives, into its row of `out`.

    Parameters and results are those of `phasediagram.kernel.rows.ROWS`.
    """
    n = b.size
    width, start = n + 1, n + 2
    for i in range(n):
        for place in range(start + (width * width if order == 2 else 0)):
            out[i, place] = 0.0
        for j in range(n):
            own = 1.0 if i == j else 0.0
            work[j] = (own - gram[i, j]) - gram_tail[i, j]
        for active in range(1 << n):
            weight = table[active]
            mean, variance = -b[i], 0.0
            for j in range(n):
                if active >> j & 1:
                    mean += 0.5 * work[j]
                    variance += work[j] * work[j]
            out[i, 0] += weight * (mean * mean + variance / 12.0)
            if order == 0:
                continue
            out[i, 1 + n] -= 2.0 * weight * mean
            for j in range(n):
                if active >> j & 1:
                    out[i, 1 + j] -= weight * (mean + work[j] / 6.0)
            if order == 1:
                continue
            out[i, start + n * width + n] += 2.0 * weight
            for j in range(n):
                if active >> j & 1:
                    out[i, start + j * width + n] += weight
                    out[i, start + n * width + j] += weight
                    out[i, start + j * width + j] += weight / 6.0
                    for k in range(n):
                        if active >> k & 1:
                            out[i, start + j * width + k] += 0.5 * weight
