"""The compiled rows against exact rationals, each other, and the recursion in numpy."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from exact_rows import derivative, squared_error
from oracle_recursion import dot, expected_squared_error

from phasediagram.kernel.cube.general import general_rows
from phasediagram.kernel.packing import work_size
from phasediagram.kernel.rows import rows_address, rows_kernel
from phasediagram.kernel.tables import independent_table

SPECIAL_WEIGHTS = [0.0, 1e-300, 1e-8, -1e-8, 1e3, -1e3, 1.0, -1.0, 0.5, 1 + 1e-9]


def width(n, order):
    return (1, n + 2, n + 2 + (n + 1) ** 2)[order]


def evaluated(kernel, gram, gram_tail, b, table, order=2):
    """What a kernel writes; NaN where it writes nothing, and must not beyond its place."""
    n = len(b)
    out, size = np.full((n, width(n, 2)), np.nan), work_size(n, 1)
    work = np.full(size + 8, np.nan)
    kernel(gram, gram_tail, b, table, out, work, order)
    assert np.isnan(work[size:]).all()
    assert np.isnan(out[:, width(n, order) :]).all()
    return out[:, : width(n, order)]


def doubled_gram(W):
    head, tail = dot(W[:, :, None], W[:, None, :])
    return np.ascontiguousarray(head), np.ascontiguousarray(tail)


def adversarial_inputs(rng, n):
    """Special weights, biases on kinks, extreme densities."""
    W = rng.normal(size=(int(rng.integers(1, n + 1)), n))
    W = np.where(rng.random(W.shape) < 0.4, rng.choice(SPECIAL_WEIGHTS, W.shape), W)
    gram, gram_tail = doubled_gram(W)
    b = np.array(
        [
            rng.choice([0.0, rng.normal(), -rng.choice(gram[i]), -gram[i].sum(), 1e-9, -1e-300])
            for i in range(n)
        ]
    )
    return gram, gram_tail, b, rng.choice([1.0, 1e-6, 0.5, rng.uniform(0.01, 1)], n)


def oracle(gram, gram_tail, b, density):
    """The same by the recursion in numpy, in the features' own order."""
    n = len(b)
    out = np.empty((n, width(n, 2)))
    for i in range(n):
        order = [i, *(j for j in range(n) if j != i)]
        error = expected_squared_error(
            gram[i, order, None],
            gram_tail[i, order, None],
            b[i : i + 1],
            density[order, None],
            derivatives=2,
        )
        places = [*np.argsort(order), n]
        out[i, 0] = error.value[0]
        out[i, 1 : n + 2] = error.gradient[places, 0]
        out[i, n + 2 :] = error.hessian[places][:, places, 0].ravel()
    return out


def assert_close(found, expected, n):
    """Values to 1e-12 of themselves, derivatives to 1e-11 of the largest of their row."""
    np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=1e-12, atol=1e-280)
    for columns in (slice(1, n + 2), slice(n + 2, None)):
        scale = np.abs(expected[:, columns]).max(axis=1, keepdims=True)
        assert (np.abs(found[:, columns] - expected[:, columns]) <= 1e-11 * scale).all()


def kernels(n):
    return {rows_kernel(n), general_rows}


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 8])
def test_every_kernel_equals_the_recursion_in_numpy(n):
    rng = np.random.default_rng([1, n])
    for _ in range(400 // 3**n + 1):
        W, b = rng.normal(size=(2, n)), rng.normal(size=n) / 2
        density = rng.uniform(0.02, 1, n)
        gram, gram_tail = doubled_gram(W)
        expected = oracle(gram, gram_tail, b, density)
        for kernel in kernels(n):
            found = evaluated(kernel, gram, gram_tail, b, independent_table(density))
            assert_close(found, expected, n)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_kernels_agree_on_kinks_and_at_extreme_weights(n, seed):
    """Also the Hessian at kinks, where a pre-activation of exactly 0 is switched off."""
    rng = np.random.default_rng([2, n, seed])
    for _ in range(60):
        *inputs, density = adversarial_inputs(rng, n)
        expected = oracle(*inputs, density)
        for kernel in kernels(n):
            assert_close(evaluated(kernel, *inputs, independent_table(density)), expected, n)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("order", [0, 1])
def test_fewer_derivatives_are_the_same_numbers(n, order):
    rng = np.random.default_rng([3, n])
    gram, b, table = rng.normal(size=(n, n)), rng.normal(size=n), rng.normal(size=2**n)
    gram[np.diag_indices(n)] **= 2
    for kernel in kernels(n):
        everything = evaluated(kernel, gram, np.zeros((n, n)), b, table)
        part = evaluated(kernel, gram, np.zeros((n, n)), b, table, order)
        np.testing.assert_array_equal(part, everything[:, : width(n, order)])


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_any_joint_law_of_the_active_features_is_exact(n):
    """Tables of any real numbers, and rows that are not symmetric, against rationals."""
    rng = np.random.default_rng([4, n])
    for _ in range(2):
        gram = rng.integers(-99, 100, (n, n)) / 64.0 + 1 / 128
        gram[np.diag_indices(n)] = rng.integers(1, 99, n) / 64
        b = rng.integers(-80, 80, n) / 64.0 + 1 / 512  # never on a kink
        table = rng.integers(-64, 64, 2**n) / 64.0
        weights = [Fraction(float(weight)) for weight in table]
        results = [evaluated(kernel, gram, np.zeros((n, n)), b, table) for kernel in kernels(n)]
        for i in range(n if n < 4 else 1):
            variables = [*(Fraction(float(g)) for g in gram[i]), Fraction(float(b[i]))]

            def error(v, i=i, weights=weights):
                return squared_error(v[:-1], v[-1], i, weights)

            directions = [
                (),
                *((a,) for a in range(n + 1)),
                *((a, c) for a in range(n + 1) for c in range(n + 1)),
            ]
            exact = [float(derivative(error, variables, each)) for each in directions]
            for result in results:
                np.testing.assert_allclose(result[i], exact, rtol=1e-11, atol=1e-12)


def test_the_tail_of_the_gram_matrix_counts():
    """1 + 2^-60 is no double: with bias -1 the corner value is all tail."""
    gram, tail = np.array([[1.0]]), np.array([[2.0**-60]])
    out = evaluated(general_rows, gram, tail, np.array([-1.0]), np.array([0.0, 1.0]), 1)
    g, bias = Fraction(1) + Fraction(1, 2**60), Fraction(-1)
    exact = squared_error([g], bias, 0, [Fraction(0), Fraction(1)])
    slope = derivative(lambda v: squared_error(v[:1], v[1], 0, [0, Fraction(1)]), [g, bias], (1,))
    assert out[0, 0] == pytest.approx(float(exact), rel=1e-15, abs=0)
    assert out[0, 2] == pytest.approx(float(slope), rel=1e-12, abs=0)


@pytest.mark.parametrize("n", [0, 9])
def test_sizes_out_of_range_are_named(n):
    with pytest.raises(ValueError, match=f"n must be between 1 and 8, got {n}"):
        rows_kernel(n)


def test_generated_kernels_are_used_for_two_and_three_features():
    names = {n: rows_kernel(n).py_func.__name__ for n in range(1, 9)}
    assert names == {n: f"rows_{n}" if n in (2, 3) else "general_rows" for n in names}
    assert rows_address(2) != rows_address(3)
