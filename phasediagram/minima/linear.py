"""Linear algebra of small matrices, compiled; 2 to 100 rows (internal)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled, inlined
from phasediagram.kernel.signatures import Boolean, Matrix, Nothing, Real, Vector

Array = NDArray[np.float64]

_QR_STEPS = 30  # for each row; two are enough
_NOTHING = 2.0**-54  # next to the largest entry: an entry beside the diagonal that is none
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


@inlined
def _tridiagonal(a: Array, diagonal: Array, beside: Array, vectors: Array) -> None:
    """Write a symmetric matrix as V^T T V, T tridiagonal, V in `vectors`.

    Householder's reflections (Golub and Van Loan, *Matrix Computations*, section 8.3.1) of the
    lower triangle of `a`, which is overwritten.
    """
    size = a.shape[0]
    scaled, factors = np.empty(size), np.zeros(size)
    for k in range(size - 2):
        below = 0.0
        for i in range(k + 2, size):
            below += a[i, k] * a[i, k]
        first = a[k + 1, k]
        beside[k] = first
        if below == 0.0:
            continue
        length = np.sqrt(first * first + below)
        beside[k] = -length if first > 0.0 else length
        a[k + 1, k] = first - beside[k]  # the reflection is along a[k + 1 :, k]
        factor = 1.0 / (length * (length + abs(first)))
        factors[k] = factor
        along = 0.0
        for i in range(k + 1, size):
            total = 0.0
            for j in range(k + 1, i + 1):
                total += a[i, j] * a[j, k]
            for j in range(i + 1, size):
                total += a[j, i] * a[j, k]
            scaled[i] = factor * total
            along += scaled[i] * a[i, k]
        along *= 0.5 * factor
        for i in range(k + 1, size):
            scaled[i] -= along * a[i, k]
        for i in range(k + 1, size):
            for j in range(k + 1, i + 1):
                a[i, j] -= a[i, k] * scaled[j] + scaled[i] * a[j, k]
    if size > 1:
        beside[size - 2] = a[size - 1, size - 2]
    for i in range(size):
        diagonal[i] = a[i, i]
        for j in range(size):
            vectors[i, j] = 1.0 if i == j else 0.0
    for k in range(size - 3, -1, -1):
        for i in range(k + 1, size):
            along = 0.0
            for j in range(k + 1, size):
                along += vectors[i, j] * a[j, k]
            along *= factors[k]
            for j in range(k + 1, size):
                vectors[i, j] -= along * a[j, k]


@inlined
def _chase(low: int, high: int, diagonal: Array, beside: Array, vectors: Array) -> None:
    """Do one QR step with Wilkinson's shift on rows `low` to `high` of a tridiagonal matrix."""
    half, corner = (diagonal[high - 1] - diagonal[high]) / 2.0, beside[high - 1]
    root = np.sqrt(half * half + corner * corner)
    shift = diagonal[high] - corner * corner / (half + (root if half > 0.0 else -root))
    here, bulge = diagonal[low] - shift, beside[low]
    for k in range(low, high):
        length = np.sqrt(here * here + bulge * bulge)
        c, s = (here / length, bulge / length) if length > 0.0 else (1.0, 0.0)
        if k > low:
            beside[k - 1] = length
        apart, between = diagonal[k + 1] - diagonal[k], beside[k]
        moved = s * (s * apart + 2.0 * c * between)
        diagonal[k] += moved
        diagonal[k + 1] -= moved
        beside[k] = c * s * apart + (c * c - s * s) * between
        if k < high - 1:
            here, bulge = beside[k], s * beside[k + 1]
            beside[k + 1] *= c
        for i in range(vectors.shape[1]):
            one, other = vectors[k, i], vectors[k + 1, i]
            vectors[k, i], vectors[k + 1, i] = c * one + s * other, c * other - s * one


@compiled(Nothing(Matrix, Vector, Matrix))
def eigen(a: Array, values: Array, vectors: Array) -> None:
    """Write the eigenvalues, ascending, and eigenvectors, in rows; `a` is overwritten.

    Implicit symmetric QR steps (Golub and Van Loan, *Matrix Computations*, section 8.3).
    """
    size = a.shape[0]
    beside = np.zeros(size)
    _tridiagonal(a, values, beside, vectors)
    scale = 0.0
    for k in range(size):
        scale = max(scale, abs(values[k]), abs(beside[k]))
    high = size - 1
    for _ in range(_QR_STEPS * size):
        low = high
        while high > 0 and low == high:
            low = high - 1
            while low >= 0 and abs(beside[low]) > _NOTHING * scale:
                low -= 1
            low += 1
            if low == high:
                high -= 1
                low = high
        if high <= 0:
            break
        _chase(low, high, values, beside, vectors)
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
