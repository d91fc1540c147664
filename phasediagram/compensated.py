"""Sums and products in doubled precision (internal).

A number is carried as an unevaluated sum ``head + tail`` of two doubles.  The
error-free transformations are those of Dekker and Knuth, the compensated dot
product is Dot2 of Ogita, Rump and Oishi, *Accurate Sum and Dot Product*,
SIAM J. Sci. Comput. 26 (2005).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SPLITTER = 134217729.0  # 2**27 + 1: splits a 53-bit significand in two


def two_sum(x: Array, y: Array) -> tuple[Array, Array]:
    """Return the rounded sum of `x` and `y`, and its rounding error, exactly."""
    total = x + y
    y_seen = total - x
    return total, (x - (total - y_seen)) + (y - y_seen)


def two_product(x: Array, y: Array) -> tuple[Array, Array]:
    """Return the rounded product of `x` and `y`, and its rounding error.

    Exact unless a partial product underflows; needs |x|, |y| below 1e300.
    """
    result = x * y
    x_head, x_tail = _split(x)
    y_head, y_tail = _split(y)
    error = ((x_head * y_head - result) + x_head * y_tail + x_tail * y_head) + x_tail * y_tail
    return result, error


def _split(x: Array) -> tuple[Array, Array]:
    scaled = _SPLITTER * x
    head = scaled - (scaled - x)
    return head, x - head


def add(head: Array, tail: Array, other_head: Array, other_tail: Array) -> tuple[Array, Array]:
    """Add two doubled numbers; head and tail of the result do not overlap."""
    total, error = two_sum(head, other_head)
    low, low_error = two_sum(tail, other_tail)
    total, error = _renormalise(total, error + low)
    return _renormalise(total, error + low_error)


def _renormalise(head: Array, tail: Array) -> tuple[Array, Array]:
    total = head + tail
    return total, tail - (total - head)


def dot(x: Array, y: Array) -> tuple[Array, Array]:
    """Return the dot product over the first axis as a doubled number.

    Parameters
    ----------
    x, y : ndarray, shape (length, ...)

    Returns
    -------
    head, tail : ndarray, shape (...)
        The product is ``head + tail``, to about twice the working precision.
    """
    head, tail = two_product(x[0], y[0])
    for x_term, y_term in zip(x[1:], y[1:], strict=True):
        head, tail = add(head, tail, *two_product(x_term, y_term))
    return head, tail
