"""Penalties and frozen biases as part of the outputs' rows (internal).

``lambda sum_(i != j) G_ij^2`` and ``mu |W|^2 = mu sum_i G_ii`` are sums over the rows of the Gram
matrix G = W^T W, as the outputs' errors are.  So they are added to what a row of another kind
gives, and everything that is made of rows needs to know nothing of them.

What they need stands in the table behind the probabilities: lambda, mu, whether biases are frozen
at 0 (1 or 0), and the n importances, by which whoever called multiplies the rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.cube.general import general_rows
from phasediagram.kernel.cube.lanes import ROWS_SIGNATURE
from phasediagram.kernel.cube.linear import linear_rows
from phasediagram.kernel.cube.rows_2 import rows_2
from phasediagram.kernel.cube.rows_3 import rows_3
from phasediagram.kernel.signatures import Integer, Matrix, Nothing, Vector

Array = NDArray[np.float64]

_STIFF = 4.0  # times the largest importance: more curvature than along the softest weights


@compiled(Nothing(Matrix, Integer, Vector, Matrix, Integer))
def _add(gram: Array, n: int, table: Array, out: Array, order: int) -> None:
    at = 1 << n
    interference, decay, frozen = table[at], table[at + 1], table[at + 2] != 0.0
    width, start = n + 1, n + 2
    largest = 0.0
    for i in range(n):
        largest = max(largest, table[at + 3 + i])
    for i in range(n):
        scale = 1.0 / table[at + 3 + i]
        out[i, 0] += scale * decay * gram[i, i]
        for j in range(n):
            if j != i:
                out[i, 0] += scale * interference * gram[i, j] * gram[i, j]
        if order == 0:
            continue
        out[i, 1 + i] += scale * decay
        for j in range(n):
            if j != i:
                out[i, 1 + j] += 2.0 * scale * interference * gram[i, j]
        if order == 2:
            for j in range(n):
                if j != i:
                    out[i, start + j * width + j] += 2.0 * scale * interference
        if frozen:
            out[i, 1 + n] = 0.0
        if frozen and order == 2:
            for j in range(n):
                out[i, start + j * width + n] = out[i, start + n * width + j] = 0.0
            out[i, start + n * width + n] = _STIFF * scale * largest * (1.0 - table[0])


@compiled(ROWS_SIGNATURE)
def rows_with_terms(
    gram: Array, gram_tail: Array, b: Array, table: Array, out: Array, work: Array, order: int
) -> None:
    """Write the outputs' errors and what the terms add; see `phasediagram.kernel.rows.ROWS`."""
    if b.size == 2:
        rows_2(gram, gram_tail, b, table, out, work, order)
    elif b.size == 3:
        rows_3(gram, gram_tail, b, table, out, work, order)
    else:
        general_rows(gram, gram_tail, b, table, out, work, order)
    _add(gram, b.size, table, out, order)


@compiled(ROWS_SIGNATURE)
def linear_rows_with_terms(
    gram: Array, gram_tail: Array, b: Array, table: Array, out: Array, work: Array, order: int
) -> None:
    """Write linear outputs' errors and what the terms add; see `phasediagram.kernel.rows.ROWS`."""
    linear_rows(gram, gram_tail, b, table, out, work, order)
    _add(gram, b.size, table, out, order)
