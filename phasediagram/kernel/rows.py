"""The compiled errors of the outputs, for each number of features."""

from __future__ import annotations

from functools import cache
from typing import Any

from phasediagram.kernel.cube.lanes import ROWS_SIGNATURE
from phasediagram.kernel.packing import ROWS, work_size
from phasediagram.model import MAX_FEATURES
from phasediagram.toymodel.models import LINEAR, RELU

__all__ = ["ROWS", "rows_address", "rows_kernel", "work_size"]


def rows_kernel(n: int, activation: str = RELU, terms: bool = False) -> Any:
    """Return the compiled function of type `ROWS` for n features, compiling it if need be.

    Parameters
    ----------
    n : int
    activation : {"relu", "linear"}
    terms : bool
        Whether tables end with what `phasediagram.kernel.cube.terms` adds.
    """
    if not 1 <= n <= MAX_FEATURES:
        raise ValueError(f"n must be between 1 and {MAX_FEATURES}, got {n}")
    if terms:
        from phasediagram.kernel.cube.terms import linear_rows_with_terms, rows_with_terms

        return linear_rows_with_terms if activation == LINEAR else rows_with_terms
    if activation == LINEAR:
        from phasediagram.kernel.cube.linear import linear_rows

        return linear_rows
    if n == 2:
        from phasediagram.kernel.cube.rows_2 import rows_2

        return rows_2
    if n == 3:
        from phasediagram.kernel.cube.rows_3 import rows_3

        return rows_3
    from phasediagram.kernel.cube.general import general_rows

    return general_rows


@cache
def rows_address(n: int, activation: str = RELU, terms: bool = False) -> int:
    """Return the address of the C-callable wrapper of `rows_kernel` in this process."""
    result = rows_kernel(n, activation, terms).get_compile_result(ROWS_SIGNATURE)
    address = result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name)
    return int(address)
