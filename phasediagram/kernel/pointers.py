"""Compiled functions as addresses, which cost nothing to pass from Python (internal)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled, emitted
from phasediagram.kernel.packing import ROWS, evaluate, work_size
from phasediagram.kernel.signatures import Cube, Integer, Matrix, Nothing, Real, Vector

Array = NDArray[np.float64]


@emitted
def rows_at(typing_context: Any, address: types.Type) -> tuple[Any, Any]:
    """Return the `ROWS` function whose C-callable wrapper stands at an address."""

    def emit(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        function = cgutils.create_struct_proxy(ROWS)(context, builder)
        function[0] = builder.inttoptr(arguments[0], cgutils.voidptr_t)  # others stay null
        return function._getvalue()

    return ROWS(types.int64), emit


@compiled(Real(Integer, Integer, Integer, Vector, Vector, Vector, Vector, Matrix, Vector, Integer))
def evaluate_at(
    address: int,
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
    """Evaluate a state with the outputs' errors at an address; see `packing.evaluate`."""
    loss: float = evaluate(
        rows_at(address), m, n, x, table, importance, gradient, hessian, work, order
    )
    return loss


@compiled(
    Nothing(
        Integer,
        Integer,
        Integer,
        Vector,
        Vector,
        Vector,
        Matrix,
        Matrix,
        Vector,
        Matrix,
        Matrix,
        Vector,
    )
)
def evaluate_with_slopes_at(
    address: int,
    m: int,
    n: int,
    x: Array,
    table: Array,
    importance: Array,
    tables: Array,
    importances: Array,
    losses: Array,
    gradients: Array,
    hessian: Array,
    work: Array,
) -> None:
    """Evaluate a state, and also its derivatives by parameters, which are losses themselves.

    Parameters
    ----------
    tables, importances : ndarray, shape (k, 2^n) and (k, n)
        Those of which the losses are the derivatives.
    losses, gradients : ndarray, shape (k + 1,) and (k + 1, d)
        Receive the loss and its gradient, and then those of each derivative.
    hessian : ndarray, shape (d, d)
        Receives the Hessian of the loss.
    """
    rows, none = rows_at(address), np.empty((0, 0))
    losses[0] = evaluate(rows, m, n, x, table, importance, gradients[0], hessian, work, 2)
    for k in range(tables.shape[0]):
        losses[k + 1] = evaluate(
            rows, m, n, x, tables[k], importances[k], gradients[k + 1], none, work, 1
        )


@compiled(Nothing(Integer, Cube, Matrix, Matrix, Cube, Integer))
def rows_many_at(
    address: int, grams: Array, biases: Array, tables: Array, out: Array, order: int
) -> None:
    """Write the errors of the outputs of many Gram matrices, see `packing.ROWS`.

    Parameters
    ----------
    address : int
    grams : ndarray, shape (k, n, n)
        Without tails.
    biases : ndarray, shape (k, n)
    tables : ndarray, shape (k, 2^n)
    out : ndarray, shape (k, n, n + 2 + (n + 1)^2)
    order : {0, 1, 2}
    """
    rows = rows_at(address)
    n = biases.shape[1]
    no_tail = np.zeros((n, n))
    work = np.empty(work_size(n, 1))
    for point in range(len(grams)):
        rows(grams[point], no_tail, biases[point], tables[point], out[point], work, order)
