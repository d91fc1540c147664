"""Blocks: their geometry, and their loss and derivatives against the full model's."""

from __future__ import annotations

import numpy as np
import pytest

import phasediagram as phd
from phasediagram.catalogue.blocks import (
    BlockLoss,
    BlockParameters,
    block_weights,
    canonical_angle,
    regular_simplex,
)


def random_block(k, points, seed=0):
    rng = np.random.default_rng([seed, k])
    angle = rng.uniform(0, np.pi / 2, (points, 1 if k > 2 else 0))
    x = np.concatenate(
        [rng.uniform(0.1, 1.4, (points, 2)), angle, rng.uniform(-0.3, 0.5, (points, 2))], axis=1
    )
    return x, rng.uniform(0.05, 1, points), rng.uniform(0.2, 4, points)


@pytest.mark.parametrize("k", [2, 3, 4, 5, 6])
def test_regular_simplex_has_equal_angles(k):
    gram = regular_simplex(k).T @ regular_simplex(k)
    np.testing.assert_allclose(gram, np.eye(k) * k / (k - 1) - 1 / (k - 1), atol=1e-15)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_the_canonical_angle_gives_a_regular_simplex(k):
    one, zero = np.ones(1), np.zeros(1)
    parameters = BlockParameters(one, one, np.array([canonical_angle(k)]), zero, zero)
    W = block_weights(k, parameters)[0]
    np.testing.assert_allclose(W.T @ W, np.eye(k) * k / (k - 1) - 1 / (k - 1), atol=1e-15)


@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_block_loss_equals_the_loss_of_its_weights(k):
    x, density, r = random_block(k, 20)
    parameters = BlockParameters.from_vector(x)
    b = np.repeat(parameters.bias_other[:, None], k, axis=1)
    b[:, -1] = parameters.bias_extra
    importance = np.concatenate([np.ones((20, k - 1)), r[:, None]], axis=1)
    expected = phd.expected_loss(block_weights(k, parameters), b, density[:, None], importance)
    block_loss = BlockLoss(k, density, r).value(x, np.arange(20))
    np.testing.assert_allclose(block_loss, expected, rtol=1e-13)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_block_derivatives_agree_with_differences(k):
    x, density, r = random_block(k, 20, seed=1)
    objective, everything, step = BlockLoss(k, density, r), np.arange(20), 1e-6
    value, gradient, hessian = objective(x, everything)
    np.testing.assert_array_equal(value, objective.value(x, everything))
    np.testing.assert_array_equal(gradient, objective.value_and_gradient(x, everything)[1])
    for i, direction in enumerate(np.eye(x.shape[1]) * step):
        up, down = objective(x + direction, everything), objective(x - direction, everything)
        slope = (up[0] - down[0]) / (2 * step)
        np.testing.assert_allclose(gradient[:, i], slope, rtol=1e-6, atol=1e-8)
        bend = (up[1] - down[1]) / (2 * step)
        np.testing.assert_allclose(hessian[:, :, i], bend, rtol=1e-5, atol=1e-6)
