"""Compiled linear algebra and distances of states, against numpy's and by trying every order."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from phasediagram.minima.linear import eigen, solve_least
from phasediagram.minima.state import Space, select_distinct


@pytest.mark.parametrize("seed", range(20))
def test_the_shortest_solution_is_that_of_a_singular_value_decomposition(seed):
    rng = np.random.default_rng(seed)
    for _ in range(20):
        size = int(rng.integers(1, 25))
        rank = int(rng.integers(1, size + 1))
        matrix = rng.normal(size=(size, rank)) @ rng.normal(size=(rank, size))
        right = rng.normal(size=size)
        scale = np.abs(matrix).max(axis=1)
        expected = np.linalg.lstsq(matrix / scale[:, None], right / scale, rcond=1e-10)[0]
        solution = np.empty(size)
        solve_least(matrix.copy(), right.copy(), 1e-10, solution)
        assert np.abs(solution - expected).max() < 1e-9 * np.abs(expected).max()


def test_equations_without_content_have_the_solution_zero():
    solution = np.empty(3)
    solve_least(np.zeros((3, 3)), np.ones(3), 1e-10, solution)
    assert (solution == 0).all()


def symmetric_matrices():
    """Yield matrices of every kind: full, diagonal, of low rank, graded, and with many zeros."""
    rng = np.random.default_rng(3)
    for size in [*range(1, 17), 30]:
        full = rng.normal(size=(size, size))
        turn = np.linalg.qr(full)[0]
        graded = turn @ np.diag(10.0 ** -rng.uniform(0, 16, size)) @ turn.T
        sparse = np.round(full) * (rng.uniform(size=full.shape) < 0.3)
        apart = np.zeros((size, size))
        apart[0, -1] = apart[-1, 0] = 2.0
        for matrix in (full, np.diag(full[0]), np.ones((size, size)), graded, sparse, apart):
            yield (matrix + matrix.T) / 2


def test_eigenvalues_and_vectors_make_up_the_matrix():
    for matrix in symmetric_matrices():
        size = len(matrix)
        values, vectors = np.empty(size), np.empty((size, size))
        eigen(matrix.copy(), values, vectors)
        scale = np.abs(matrix).sum(axis=1).max()
        assert np.abs(values - np.linalg.eigvalsh(matrix)).max() <= 1e-14 * scale
        assert np.abs(vectors @ vectors.T - np.eye(size)).max() < 1e-14
        assert np.abs(vectors.T * values @ vectors - matrix).max() <= 1e-14 * scale


def by_every_order(space, x, other):
    """Return the distance of two states, directly from its definition."""
    (W, b), (V, c) = ((space.weights(y), space.biases(y)) for y in (x, other))
    found = []
    for order in permutations(range(space.n)):
        if all(set(members) == {order[i] for i in members} for members in space.equal):
            turned = list(order)
            apart = np.abs(W[:, turned].T @ W[:, turned] - V.T @ V).max()
            found.append(max(apart, np.abs(b[turned] - c).max()))
    return min(found)


@pytest.mark.parametrize("equal", [((0, 1, 2, 3),), ((0, 1, 2), (3,)), ((0, 2), (1, 3))])
def test_distances_are_those_of_the_nearest_copies(equal):
    space, rng = Space(4, 2, equal), np.random.default_rng(1)
    states, others = rng.normal(size=(6, 12)), rng.normal(size=(5, 12))
    expected = [[by_every_order(space, x, other) for other in others] for x in states]
    assert np.abs(space.distances(states, others) - expected).max() < 1e-14
    assert space.distance(states[0], others[1]) == space.distances(states, others)[0, 1]


def test_copies_are_told_from_other_states():
    """A rotated state in another order is a copy; one of another loss, or moved, is none."""
    space, rng = Space(3, 2, ((0, 1), (2,))), np.random.default_rng(2)
    x = rng.normal(size=9)
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    order = [1, 0, 2]
    W, b = (turn @ space.weights(x))[:, order], space.biases(x)[order]
    copy = np.concatenate([W.ravel(), b])
    moved = x + np.eye(9)[8] * 1e-3
    states = np.array([x, copy, moved, copy])
    kept = np.empty(4, dtype=np.int64)
    loss = np.array([1.0, 1.0, 1.0, 2.0])
    count = select_distinct(2, 3, space.orders, states, loss, 1e-9, 1e-5, kept)
    assert kept[:count].tolist() == [0, 2, 3]
