"""Sums and products in doubled precision, compiled (internal).

A number is carried as an unevaluated sum ``head + tail`` of two doubles.  The
error-free transformations are those of Dekker and Knuth; summed up with them, products
give the dot product Dot2 of Ogita, Rump and Oishi, *Accurate Sum and Dot Product*,
SIAM J. Sci. Comput. 26 (2005).
"""

from __future__ import annotations

from numba import types

from phasediagram.kernel.compiling import compiled

_NUMBER = types.float64
_DOUBLED = types.UniTuple(types.float64, 2)
_SPLITTER = 134217729.0  # 2**27 + 1: splits a 53-bit significand in two


@compiled(_DOUBLED(_NUMBER, _NUMBER))
def two_sum(x: float, y: float) -> tuple[float, float]:
    """Return the rounded sum of `x` and `y`, and its rounding error, exactly."""
    total = x + y
    y_seen = total - x
    return total, (x - (total - y_seen)) + (y - y_seen)


@compiled(_DOUBLED(_NUMBER, _NUMBER))
def two_product(x: float, y: float) -> tuple[float, float]:
    """Return the rounded product of `x` and `y`, and its rounding error.

    Exact unless a partial product underflows; needs |x|, |y| below 1e300.
    """
    result = x * y
    x_scaled = _SPLITTER * x
    x_head = x_scaled - (x_scaled - x)
    x_tail = x - x_head
    y_scaled = _SPLITTER * y
    y_head = y_scaled - (y_scaled - y)
    y_tail = y - y_head
    error = ((x_head * y_head - result) + x_head * y_tail + x_tail * y_head) + x_tail * y_tail
    return result, error


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
