"""Linear algebra of small matrices, compiled; 2 to 100 rows (internal)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.signatures import Boolean, Matrix, Nothing, Real, Vector

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


@compiled(Nothing(Matrix, Vector, Real, Vector))
def solve_least(a: Array, right: Array, tolerance: float, solution: Array) -> None:
    """Solve square equations; the shortest solution, in least squares, where they are singular.

    Complete orthogonal decomposition by Householder's reflections, columns pivoted (Golub and
    Van Loan, *Matrix Computations*, section 5.4).  Overwrites `a` and `right`.

    Parameters
    ----------
    a : ndarray, shape (q, q)
    right, solution : ndarray, shape (q,)
    tolerance : float
        Pivots this much smaller than the largest are none.
    """
    size = a.shape[0]
    for i in range(size):
        scale = 0.0
        for j in range(size):
            scale = max(scale, abs(a[i, j]))
        if scale > 0.0:
            for j in range(size):
                a[i, j] /= scale
            right[i] /= scale
    order = np.arange(size)
    work = np.empty(size)
    rank = size
    for k in range(size):
        pivot, largest = k, -1.0
        for j in range(k, size):
            square = 0.0
            for i in range(k, size):
                square += a[i, j] * a[i, j]
            if square > largest:
                pivot, largest = j, square
        length = np.sqrt(largest)
        if k > 0 and not length > tolerance * abs(a[0, 0]):
            rank = k
            break
        if pivot != k:
            order[k], order[pivot] = order[pivot], order[k]
            for i in range(size):
                a[i, k], a[i, pivot] = a[i, pivot], a[i, k]
        if length == 0.0:
            rank = k
            break
        first = a[k, k]
        diagonal = -length if first > 0.0 else length
        head = first - diagonal  # the reflection is along (head, a[k + 1 :, k])
        a[k, k] = head
        half = length * (length + abs(first))
        for j in range(k + 1, size):
            total = 0.0
            for i in range(k, size):
                total += a[i, k] * a[i, j]
            total /= half
            for i in range(k, size):
                a[i, j] -= total * a[i, k]
        total = 0.0
        for i in range(k, size):
            total += a[i, k] * right[i]
        total /= half
        for i in range(k, size):
            right[i] -= total * a[i, k]
        a[k, k] = diagonal
    for k in range(rank - 1, -1, -1):  # what is right of the triangle goes into it
        if rank == size:
            break
        square = a[k, k] * a[k, k]
        for j in range(rank, size):
            square += a[k, j] * a[k, j]
        length = np.sqrt(square)
        first = a[k, k]
        diagonal = -length if first > 0.0 else length
        work[k] = first - diagonal
        half = length * (length + abs(first))
        for i in range(k):
            total = a[i, k] * work[k]
            for j in range(rank, size):
                total += a[i, j] * a[k, j]
            total /= half
            a[i, k] -= total * work[k]
            for j in range(rank, size):
                a[i, j] -= total * a[k, j]
        a[k, k] = diagonal
    for k in range(rank - 1, -1, -1):
        total = right[k]
        for j in range(k + 1, rank):
            total -= a[k, j] * right[j]
        right[k] = total / a[k, k]
    for k in range(rank, size):
        right[k] = 0.0
    if rank < size:
        for k in range(rank):
            square = work[k] * work[k]
            total = work[k] * right[k]
            for j in range(rank, size):
                square += a[k, j] * a[k, j]
                total += a[k, j] * right[j]
            if square == 0.0:
                continue
            total *= 2.0 / square
            right[k] -= total * work[k]
            for j in range(rank, size):
                right[j] -= total * a[k, j]
    for k in range(size):
        solution[order[k]] = right[k]
