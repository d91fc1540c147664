"""Linear algebra of small symmetric matrices, compiled; 2 to 50 rows (internal)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.signatures import Boolean, Matrix, Nothing, Vector

Array = NDArray[np.float64]

_SWEEPS = 30  # of Jacobi's method, which needs 5 to 10
_SMALLEST_PIVOT = 1e-9  # relative to the largest diagonal entry; below it eigenvalues decide


@compiled(Boolean(Matrix, Vector, Matrix, Vector))
def solve_positive(a: Array, right: Array, factor: Array, solution: Array) -> bool:
    """Solve a x = right by Cholesky's factorisation; False unless a is safely positive."""
    size = a.shape[0]
    largest = 0.0
    for i in range(size):
        largest = max(largest, abs(a[i, i]))
    for i in range(size):
        for j in range(i + 1):
            total = a[i, j]
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            if i == j:
                if not total > _SMALLEST_PIVOT * largest:
                    return False
                factor[i, i] = np.sqrt(total)
            else:
                factor[i, j] = total / factor[j, j]
    for i in range(size):
        total = right[i]
        for k in range(i):
            total -= factor[i, k] * solution[k]
        solution[i] = total / factor[i, i]
    for i in range(size - 1, -1, -1):
        total = solution[i]
        for k in range(i + 1, size):
            total -= factor[k, i] * solution[k]
        solution[i] = total / factor[i, i]
    return True


@compiled(Nothing(Matrix, Vector, Matrix))
def eigen(a: Array, values: Array, vectors: Array) -> None:
    """Overwrite a with a diagonal matrix; eigenvalues ascending, eigenvectors in rows.

    Cyclic Jacobi rotations (Golub and Van Loan, *Matrix Computations*, section 8.5).
    """
    size = a.shape[0]
    for i in range(size):
        for j in range(size):
            vectors[i, j] = 1.0 if i == j else 0.0
    for _ in range(_SWEEPS):
        off, total = 0.0, 0.0
        for i in range(size):
            for j in range(size):
                total += a[i, j] * a[i, j]
                if i != j:
                    off += a[i, j] * a[i, j]
        if not off > 1e-32 * total:
            break
        for p in range(size - 1):
            for q in range(p + 1, size):
                if a[p, q] == 0.0:
                    continue
                theta = (a[q, q] - a[p, p]) / (2.0 * a[p, q])
                t = 1.0 / (abs(theta) + np.sqrt(theta * theta + 1.0))
                if theta < 0.0:
                    t = -t
                c = 1.0 / np.sqrt(t * t + 1.0)
                s = t * c
                for k in range(size):
                    akp, akq = a[k, p], a[k, q]
                    a[k, p], a[k, q] = c * akp - s * akq, s * akp + c * akq
                for k in range(size):
                    apk, aqk = a[p, k], a[q, k]
                    a[p, k], a[q, k] = c * apk - s * aqk, s * apk + c * aqk
                for k in range(size):
                    vp, vq = vectors[p, k], vectors[q, k]
                    vectors[p, k], vectors[q, k] = c * vp - s * vq, s * vp + c * vq
    for i in range(size):
        values[i] = a[i, i]
    for i in range(size - 1):
        lowest = i
        for j in range(i + 1, size):
            if values[j] < values[lowest]:
                lowest = j
        if lowest != i:
            values[i], values[lowest] = values[lowest], values[i]
            for k in range(size):
                vectors[i, k], vectors[lowest, k] = vectors[lowest, k], vectors[i, k]
