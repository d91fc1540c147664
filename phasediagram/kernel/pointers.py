"""Compiled functions as addresses, which cost nothing to pass from Python (internal)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled, emitted
from phasediagram.kernel.packing import ROWS, evaluate
from phasediagram.kernel.signatures import Integer, Matrix, Real, Vector

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
    return evaluate(
        rows_at(address), m, n, x, table, importance, gradient, hessian, work, order
    )
