"""Packing to (W, b), tables of probabilities, and derivatives by the densities."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from exact_rows import derivative, squared_error
from oracle_recursion import loss_derivatives

from phasediagram.kernel.equal_densities import equal_densities
from phasediagram.kernel.packing import evaluate, evaluate_many, work_size
from phasediagram.kernel.rows import rows_kernel
from phasediagram.kernel.tables import independent_table

SIZES = [(1, 1), (1, 3), (2, 1), (2, 2), (3, 1), (3, 2), (3, 4), (4, 3), (5, 2)]


def evaluated(n, m, x, table, importance, order):
    size = m * n + n
    gradient, hessian = np.full(size, np.nan), np.full((size, size), np.nan)
    work = np.full(work_size(n, m), np.nan)
    loss = evaluate(rows_kernel(n), m, n, x, table, importance, gradient, hessian, work, order)
    return loss, gradient, hessian


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_loss_gradient_and_hessian_equal_the_oracle(n, m):
    rng = np.random.default_rng([n, m])
    for _ in range(5):
        W, b = rng.normal(size=(m, n)), rng.normal(size=n) / 2
        density, importance = rng.uniform(0.05, 1, n), rng.uniform(0.1, 10, n)
        expected = loss_derivatives(*(v[None] for v in (W, b, density, importance)))
        x = np.concatenate([W.ravel(), b])
        loss, gradient, hessian = evaluated(n, m, x, independent_table(density), importance, 2)
        assert loss == pytest.approx(expected[0][0], rel=1e-13)
        slopes = np.concatenate([expected[1][0].ravel(), expected[2][0]])
        np.testing.assert_allclose(gradient, slopes, atol=1e-12 * np.abs(slopes).max())
        np.testing.assert_allclose(hessian, expected[3][0], atol=1e-12 * np.abs(hessian).max())
        np.testing.assert_array_equal(hessian, hessian.T)


@pytest.mark.parametrize(("n", "m"), [(2, 1), (3, 2), (4, 2)])
def test_nothing_is_written_that_was_not_asked_for(n, m):
    rng = np.random.default_rng(1)
    x, table, importance = rng.normal(size=m * n + n), np.ones(2**n), np.ones(n)
    everything = evaluated(n, m, x, table, importance, 2)
    loss, gradient, hessian = evaluated(n, m, x, table, importance, 1)
    assert loss == everything[0]
    np.testing.assert_array_equal(gradient, everything[1])
    assert np.isnan(hessian).all()
    loss, gradient, hessian = evaluated(n, m, x, table, importance, 0)
    assert loss == everything[0]
    assert np.isnan(gradient).all()
    assert np.isnan(hessian).all()


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_many_states_are_evaluated_as_one_at_a_time(shared, order):
    rng = np.random.default_rng(2)
    n, m, count = 3, 2, 7
    size = m * n + n
    X = rng.normal(size=(count, size))
    tables = rng.random((1 if shared else count, 2**n))
    importances = rng.random((1 if shared else count, n))
    losses = np.empty(count)
    gradients = np.full((count if order else 1, size), np.nan)
    hessians = np.full((count if order == 2 else 1, size, size), np.nan)
    evaluate_many(rows_kernel(n), m, n, X, tables, importances, losses, gradients, hessians, order)
    for i in range(count):
        at = 0 if shared else i
        loss, gradient, hessian = evaluated(n, m, X[i], tables[at], importances[at], order)
        assert losses[i] == loss
        if order:
            np.testing.assert_array_equal(gradients[i], gradient)
        if order == 2:
            np.testing.assert_array_equal(hessians[i], hessian)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_independent_probabilities_are_products(n):
    density = np.random.default_rng(n).uniform(0.1, 0.9, n)
    table = independent_table(density)
    for active in product((0, 1), repeat=n):
        chance = np.prod([p if on else 1 - p for p, on in zip(density, active, strict=True)])
        assert table[sum(on << j for j, on in enumerate(active))] == pytest.approx(chance)
    assert table.sum() == pytest.approx(1)
    many = independent_table(np.array([density, density[::-1]]))
    np.testing.assert_array_equal(many[0], table)


@pytest.mark.parametrize("n", [2, 3])
def test_derivatives_by_each_density_are_exact(n):
    """One evaluation with a table of derivatives, against rationals."""
    rng = np.random.default_rng([3, n])
    m = 2
    W = rng.integers(-63, 63, (m, n)) / 32.0 + 1 / 64
    b = rng.integers(-40, 40, n) / 64.0 + 1 / 512
    density, importance = rng.integers(1, 63, n) / 64.0, rng.integers(1, 9, n) / 4.0
    gram = [
        [sum(Fraction(W[k, i]) * Fraction(W[k, j]) for k in range(m)) for j in range(n)]
        for i in range(n)
    ]

    def loss(densities):
        table = [
            np.prod([p if (A >> j) & 1 else 1 - p for j, p in enumerate(densities)])
            for A in range(2**n)
        ]
        return sum(
            Fraction(importance[i]) * squared_error(gram[i], Fraction(b[i]), i, table)
            for i in range(n)
        )

    x = np.concatenate([W.ravel(), b])
    p = Fraction(density[0])
    tables = np.empty((3, 2**n))
    equal_densities(float(p), tables)
    exact = float(p * sum(derivative(loss, [p] * n, (j,)) for j in range(n)))
    slope, _, _ = evaluated(n, m, x, tables[1], importance, 1)
    assert slope == pytest.approx(exact, rel=1e-12)
    assert (tables[[0, 2]] == independent_table([float(p)] * n)).all()
