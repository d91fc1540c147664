"""The compiled errors of the outputs, for each number of features."""

from __future__ import annotations

from functools import cache
from typing import Any

from phasediagram.kernel.cube.lanes import ROWS_SIGNATURE
from phasediagram.kernel.packing import ROWS, work_size
from phasediagram.model import MAX_FEATURES

__all__ = ["ROWS", "rows_address", "rows_kernel", "work_size"]


def rows_kernel(n: int) -> Any:
    """Return the compiled function of type `ROWS` for n features, compiling it if need be."""
    if not 1 <= n <= MAX_FEATURES:
        raise ValueError(f"n must be between 1 and {MAX_FEATURES}, got {n}")
    if n == 2:
        from phasediagram.kernel.cube.rows_2 import rows_2

        return rows_2
    if n == 3:
        from phasediagram.kernel.cube.rows_3 import rows_3

        return rows_3
    from phasediagram.kernel.cube.general import general_rows

    return general_rows


@cache
def rows_address(n: int) -> int:
    """Return the address of the C-callable wrapper of `rows_kernel(n)` in this process."""
    result = rows_kernel(n).get_compile_result(ROWS_SIGNATURE)
    address = result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name)
    return int(address)
