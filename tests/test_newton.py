"""The batched Newton method on functions whose minima are known."""

from __future__ import annotations

import numpy as np

from phasediagram.catalogue.newton import minimize_batch

WIDE = np.full(2, -10.0), np.full(2, 10.0)


def test_rosenbrock_from_many_starts():
    def rosenbrock(x, index):
        a, b = x.T
        value = (1 - a) ** 2 + 100 * (b - a * a) ** 2
        gradient = np.stack([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)], axis=1)
        hessian = np.empty((len(x), 2, 2))
        hessian[:, 0, 0] = 2 - 400 * (b - 3 * a * a)
        hessian[:, 0, 1] = hessian[:, 1, 0] = -400 * a
        hessian[:, 1, 1] = 200
        return value, gradient, hessian

    start = np.random.default_rng(0).uniform(-3, 3, (200, 2))
    result = minimize_batch(rosenbrock, start, *WIDE)
    assert result.converged.all()
    np.testing.assert_allclose(result.x, 1.0, atol=1e-12)


def test_a_saddle_repels():
    """x^4/4 - x^2/2 + y^2: started almost on the saddle at 0, ends at x = +-1."""

    def double_well(x, index):
        a, b = x.T
        value = a**4 / 4 - a**2 / 2 + b**2
        gradient = np.stack([a**3 - a, 2 * b], axis=1)
        hessian = np.zeros((len(x), 2, 2))
        hessian[:, 0, 0], hessian[:, 1, 1] = 3 * a * a - 1, 2.0
        return value, gradient, hessian

    result = minimize_batch(double_well, np.array([[1e-3, 2.0], [-1e-3, 2.0]]), *WIDE)
    np.testing.assert_allclose(result.x, [[1, 0], [-1, 0]], atol=1e-12)


def test_a_jump_of_the_second_derivative_at_the_minimum():
    """Curvature 1 on the left and 100 on the right of the minimum, coupled to y."""

    def kinked(x, index):
        a, b = x.T
        curvature = np.where(a > 0, 100.0, 1.0)
        value = curvature * a * a / 2 + (b - a) ** 2
        gradient = np.stack([curvature * a - 2 * (b - a), 2 * (b - a)], axis=1)
        hessian = np.empty((len(x), 2, 2))
        hessian[:, 0, 0] = curvature + 2
        hessian[:, 0, 1] = hessian[:, 1, 0] = -2.0
        hessian[:, 1, 1] = 2.0
        return value, gradient, hessian

    start = np.random.default_rng(1).uniform(-3, 3, (200, 2))
    result = minimize_batch(kinked, start, *WIDE)
    assert result.converged.all()
    np.testing.assert_allclose(result.x, 0.0, atol=1e-12)


def test_a_problem_alone_takes_the_steps_that_it_takes_among_others():
    """A dead direction and a saddle: elimination gives up, and must leave the Hessian whole."""

    def ridge(x, index):
        a, b, _ = x.T
        value = a**4 / 4 - a**2 / 2 + a * b + b**2
        gradient = np.stack([a**3 - a + b, a + 2 * b, 0 * a], axis=1)
        hessian = np.zeros((len(x), 3, 3))
        hessian[:, 0, 0], hessian[:, 1, 1] = 3 * a * a - 1, 2.0
        hessian[:, 0, 1] = hessian[:, 1, 0] = 1.0
        return value, gradient, hessian

    start, wide = np.array([[0.1, 1.0, 0.5]]), np.full(3, 10.0)
    alone = minimize_batch(ridge, start, -wide, wide, max_iterations=3)
    among = minimize_batch(ridge, np.repeat(start, 5, axis=0), -wide, wide, max_iterations=3)
    np.testing.assert_allclose(alone.x, among.x[:1], rtol=0, atol=1e-14)


def test_bounds_hold_and_each_problem_keeps_its_own_data():
    centres = np.array([[0.5, 0.5], [2.0, 0.5], [-1.0, 3.0]])

    def bowl(x, index):
        offset = x - centres[index]
        return (offset**2).sum(axis=1), 2 * offset, np.tile(2 * np.eye(2), (len(x), 1, 1))

    result = minimize_batch(bowl, np.full((3, 2), 0.2), np.zeros(2), np.ones(2))
    np.testing.assert_allclose(result.x, [[0.5, 0.5], [1.0, 0.5], [0.0, 1.0]], atol=1e-12)
    assert result.converged.all()
