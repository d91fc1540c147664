"""Loss, gradient and Hessian of a state x = (W, b), packed from the rows of the outputs.

The expected squared errors of the outputs depend on W through the Gram matrix
G = W^T W alone, one row each; the chain rule takes their derivatives to x.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.np.arrayobj import populate_array
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled, emitted
from phasediagram.kernel.cube.lanes import ROWS_SIGNATURE, rows_work_size
from phasediagram.kernel.doubled import add, two_product

Array = NDArray[np.float64]

_void, _int, _float = types.void, types.int64, types.float64
_vector, _matrix, _cube = types.float64[::1], types.float64[:, ::1], types.float64[:, :, ::1]

#: Type of a compiled function ``rows(gram, gram_tail, b, table, out, work, order)``.
#:
#: For each output i it writes into ``out[i]`` the expected squared error; if `order` is 1
#: or 2, the derivative by each gain ``G[i, j]`` (j in the order of the features) and by
#: ``b[i]``; if it is 2, the (n + 1) x (n + 1) Hessian in gains and bias, row by row.
#: `gram` + `gram_tail` is G in doubled precision.  ``table[A]`` is the weight of the set A
#: of active features, bit j of A set if feature j is active: their probabilities, or any
#: real numbers, since everything is linear in them; a table of derivatives by a parameter
#: gives the derivative of the loss by it.
ROWS = types.FunctionType(ROWS_SIGNATURE)


@compiled(_int(_int, _int))
def work_size(n: int, m: int) -> int:
    """Return the length of `work` that `evaluate` and every `ROWS` function need."""
    packing = 3 * n * n + n * (n + 2 + (n + 1) * (n + 1)) + m * (n + 1)
    return packing + int(rows_work_size(n))


@emitted
def matrix(
    typing_context: Any,
    vector: types.Type,
    start: types.Type,
    rows: types.Type,
    columns: types.Type,
) -> tuple[Any, Any]:
    """Return ``vector[start : start + rows * columns].reshape(rows, columns)``, unchecked.

    numba's own reshape takes 0.05 us.  The vector must outlive the matrix.
    """
    vector_type, matrix_type = types.float64[::1], types.float64[:, ::1]

    def emit(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source, at, height, width = arguments
        data = context.make_array(vector_type)(context, builder, value=source).data
        itemsize = context.get_constant(types.intp, 8)
        view = context.make_array(matrix_type)(context, builder)
        strides = [builder.mul(width, itemsize), itemsize]
        populate_array(view, builder.gep(data, [at]), [height, width], strides, itemsize, None)
        return view._getvalue()

    return matrix_type(vector_type, types.intp, types.intp, types.intp), emit


@compiled(_void(_int, _int, _vector, _matrix, _matrix))
def gram_matrix(m: int, n: int, x: Array, gram: Array, gram_tail: Array) -> None:
    """Write W^T W in doubled precision into `gram` + `gram_tail`."""
    for i in range(n):
        for j in range(i + 1):
            head, tail = two_product(x[i], x[j])
            for k in range(1, m):
                term, term_tail = two_product(x[k * n + i], x[k * n + j])
                head, tail = add(head, tail, term, term_tail)
            gram[i, j] = gram[j, i] = head
            gram_tail[i, j] = gram_tail[j, i] = tail


@compiled(_void(_int, _int, _vector, _matrix, _vector, _matrix, _vector, _matrix))
def _pack_hessian(
    m: int,
    n: int,
    x: Array,
    out: Array,
    importance: Array,
    symmetric: Array,
    scratch: Array,
    hessian: Array,
) -> None:
    """Chain rule from the rows of the Gram matrix and the biases to W and b.

    ``d G_ij / d W_kp = [p = i] W_kj + [p = j] W_ki``, and the second derivative of
    G_ij is constant.  The blocks of two hidden dimensions k <= l are summed up, the
    upper triangle then mirrored.
    """
    biases, width, start = m * n, n + 1, n + 2
    for row in range(biases + n):
        for column in range(row, biases + n):
            hessian[row, column] = 0.0
    for k in range(m):
        for p in range(n):
            for q in range(n):
                hessian[k * n + p, k * n + q] = symmetric[p, q]
    for i in range(n):
        scale = importance[i]
        for k in range(m):  # scratch = W A, A the output's own Hessian
            for q in range(width):
                total = 0.0
                for j in range(n):
                    total += x[k * n + j] * out[i, start + j * width + q]
                scratch[k * width + q] = scale * total
        for k in range(m):
            first = scale * x[k * n + i]
            for other in range(k, m):
                second, one, two = first * x[other * n + i], x[k * n + i], x[other * n + i]
                for p in range(n):
                    for q in range(n):
                        hessian[k * n + p, other * n + q] += second * out[i, start + p * width + q]
                both = 0.0
                for j in range(n):
                    hessian[k * n + i, other * n + j] += scratch[k * width + j] * two
                    hessian[k * n + j, other * n + i] += scratch[other * width + j] * one
                    both += scratch[k * width + j] * x[other * n + j]
                hessian[k * n + i, other * n + i] += both
            for p in range(n):
                hessian[k * n + p, biases + i] += first * out[i, start + p * width + n]
            hessian[k * n + i, biases + i] += scratch[k * width + n]
        hessian[biases + i, biases + i] = scale * out[i, start + n * width + n]
    for row in range(biases + n):
        for column in range(row):
            hessian[row, column] = hessian[column, row]


@compiled(_float(ROWS, _int, _int, _vector, _vector, _vector, _vector, _matrix, _vector, _int))
def evaluate(
    rows: Any,
    m: int,
    n: int,
    x: Array,
    table: Array,
    importance: Array,
    gradient: Array,
    hessian: Array,
    work: Array,
    order: int,
) -> float:
    """Return the loss of one state; write its gradient and Hessian.

    Parameters
    ----------
    rows : `ROWS`
        The outputs' errors for n features, from `phasediagram.kernel.rows.rows_kernel`.
    m, n : int
    x : ndarray, shape (m * n + n,)
        ``W.ravel()``, then b.
    table : ndarray, shape (2^n,)
        Weight of each set of active features.
    importance : ndarray, shape (n,)
    gradient : ndarray, shape (m * n + n,)
        Written if `order` is 1 or 2.
    hessian : ndarray, shape (m * n + n, m * n + n)
        Written if `order` is 2, exactly symmetric.
    work : ndarray, shape (work_size(n, m),) or longer
        Overwritten.
    order : {0, 1, 2}
        How many derivatives to compute.
    """
    squared, width = n * n, n + 2 + (n + 1) * (n + 1)
    gram = matrix(work, 0, n, n)
    gram_tail = matrix(work, squared, n, n)
    symmetric = matrix(work, 2 * squared, n, n)
    out = matrix(work, 3 * squared, n, width)
    at = 3 * squared + n * width
    scratch = work[at : at + m * (n + 1)]
    at += m * (n + 1)
    gram_matrix(m, n, x, gram, gram_tail)
    rows(gram, gram_tail, x[m * n :], table, out, work[at:], order)
    loss = 0.0
    for i in range(n):
        loss += importance[i] * out[i, 0]
    if order == 0:
        return loss
    for i in range(n):
        for j in range(i + 1):
            both = importance[i] * out[i, 1 + j] + importance[j] * out[j, 1 + i]
            symmetric[i, j] = symmetric[j, i] = both
    for k in range(m):
        for p in range(n):
            total = 0.0
            for j in range(n):
                total += x[k * n + j] * symmetric[j, p]
            gradient[k * n + p] = total
    for i in range(n):
        gradient[m * n + i] = importance[i] * out[i, 1 + n]
    if order == 2:
        _pack_hessian(m, n, x, out, importance, symmetric, scratch, hessian)
    return loss


@compiled(_void(ROWS, _int, _int, _matrix, _matrix, _matrix, _vector, _matrix, _cube, _int))
def evaluate_many(
    rows: Any,
    m: int,
    n: int,
    X: Array,
    tables: Array,
    importances: Array,
    losses: Array,
    gradients: Array,
    hessians: Array,
    order: int,
) -> None:
    """Evaluate every row of `X`; `tables` and `importances` of one row serve all.

    Arguments are those of `evaluate` with a leading axis.  `gradients` and `hessians`
    may have one row only where `order` does not ask for them.
    """
    work = np.empty(work_size(n, m))
    many_tables, many_importances = len(tables) > 1, len(importances) > 1
    for point in range(len(X)):
        losses[point] = evaluate(
            rows,
            m,
            n,
            X[point],
            tables[point if many_tables else 0],
            importances[point if many_importances else 0],
            gradients[point if order > 0 else 0],
            hessians[point if order > 1 else 0],
            work,
            order,
        )
