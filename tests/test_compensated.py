"""Doubled precision against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phasediagram import compensated

numbers = st.floats(-1e60, 1e60).filter(lambda x: x == 0 or abs(x) > 1e-60)


def exact(*parts):
    return sum((Fraction(float(part)) for part in parts), Fraction(0))


@given(numbers, numbers)
def test_two_sum_is_exact(x, y):
    total, error = compensated.two_sum(np.float64(x), np.float64(y))
    assert exact(total, error) == exact(x, y)


@given(numbers, numbers)
def test_two_product_is_exact(x, y):
    product, error = compensated.two_product(np.float64(x), np.float64(y))
    assert exact(product, error) == exact(x) * exact(y)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
def test_dot_is_accurate_to_twice_the_precision(pairs):
    x, y = np.array(pairs).T
    head, tail = compensated.dot(x, y)
    true = sum((exact(a) * exact(b) for a, b in pairs), Fraction(0))
    terms = sum((abs(exact(a) * exact(b)) for a, b in pairs), Fraction(0))
    assert abs(exact(head, tail) - true) <= terms * Fraction(1, 2**98)
