"""Sums and products in doubled precision, compiled (internal).

A number is carried as an unevaluated sum ``head + tail`` of two doubles.  The error-free
sum is Knuth's; the error of a product takes one fused multiplication and addition.  Summed
up so, products give the dot product Dot2 of Ogita, Rump and Oishi, *Accurate Sum and Dot
Product*, SIAM J. Sci. Comput. 26 (2005).
"""

from __future__ import annotations

from typing import Any

from numba import types

from phasediagram.kernel.compiling import compiled, emitted

_NUMBER = types.float64
_DOUBLED = types.UniTuple(types.float64, 2)


@emitted
def select(
    typing_context: Any, condition: types.Type, one: types.Type, other: types.Type
) -> tuple[Any, Any]:
    """Return `one` where the condition holds, else `other`, in one instruction.

    A conditional expression would do the same, but branch: hundreds of them in one
    function take minutes to compile.
    """
    number = types.float64

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    return number(types.boolean, number, number), emit


@emitted
def fused(typing_context: Any, x: types.Type, y: types.Type, z: types.Type) -> tuple[Any, Any]:
    """Return x * y + z, rounded once."""
    number = types.float64

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return number(number, number, number), emit


@compiled(_DOUBLED(_NUMBER, _NUMBER))
def two_sum(x: float, y: float) -> tuple[float, float]:
    """Return the rounded sum of `x` and `y`, and its rounding error, exactly."""
    total = x + y
    y_seen = total - x
    return total, (x - (total - y_seen)) + (y - y_seen)


@compiled(_DOUBLED(_NUMBER, _NUMBER))
def two_product(x: float, y: float) -> tuple[float, float]:
    """Return the rounded product of `x` and `y`, and its rounding error.

    Exact unless the error underflows or the product overflows.
    """
    result = x * y
    return result, fused(x, y, -result)


@compiled(_DOUBLED(_NUMBER, _NUMBER, _NUMBER, _NUMBER))
def add(head: float, tail: float, other_head: float, other_tail: float) -> tuple[float, float]:
    """Add two doubled numbers; head and tail of the result do not overlap."""
    total, error = two_sum(head, other_head)
    low, low_error = two_sum(tail, other_tail)
    error += low
    first = total + error
    error = error - (first - total) + low_error
    second = first + error
    return second, error - (second - first)
