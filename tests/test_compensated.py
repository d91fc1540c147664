"""Doubled precision against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phasediagram.kernel import doubled
from phasediagram.kernel.packing import gram_matrix

numbers = st.floats(-1e60, 1e60).filter(lambda x: x == 0 or abs(x) > 1e-60)


def exact(*parts):
    return sum((Fraction(float(part)) for part in parts), Fraction(0))


@given(numbers, numbers)
def test_two_sum_is_exact(x, y):
    assert exact(*doubled.two_sum(x, y)) == exact(x, y)


@given(numbers, numbers)
def test_two_product_is_exact(x, y):
    assert exact(*doubled.two_product(x, y)) == exact(x) * exact(y)


@given(numbers, numbers, numbers, numbers)
def test_doubled_numbers_are_added_to_twice_the_precision(x, y, z, w):
    one, other = doubled.two_product(x, y), doubled.two_product(z, w)
    head, tail = doubled.add(*one, *other)
    error = abs(exact(head, tail) - exact(*one, *other))
    assert error <= (abs(exact(*one)) + abs(exact(*other))) * Fraction(1, 2**100)
    assert head + tail == head  # they do not overlap


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
def test_the_gram_matrix_is_accurate_to_twice_the_precision(rows):
    m, n = len(rows), 2
    gram, tail = np.empty((n, n)), np.empty((n, n))
    gram_matrix(m, n, np.array([*np.array(rows).ravel(), 0.0, 0.0]), gram, tail)
    for i in range(n):
        for j in range(n):
            products = [exact(row[i]) * exact(row[j]) for row in rows]
            terms = sum(map(abs, products), Fraction(0))
            error = abs(exact(gram[i, j], tail[i, j]) - sum(products, Fraction(0)))
            assert error <= terms * Fraction(1, 2**98)
