"""That the minimum within a configuration is the global one, by several other routes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import direct, dual_annealing, minimize

import phasediagram as phd
from phasediagram import closed_forms
from phasediagram.catalogue.blocks import BlockLoss
from phasediagram.catalogue.configurations import configuration
from phasediagram.catalogue.minimization import minimize_block, polish_with_scipy
from phasediagram.catalogue.newton import NewtonResult, minimize_batch

REFERENCE = json.loads((Path(__file__).parent / "reference_minima.json").read_text())


def points_near_the_transitions(count, seed):
    """Half over the paper's diagram, half where several minima compete."""
    rng = np.random.default_rng(seed)
    density = 10 ** rng.uniform(-2, 0, count)
    relative_importance = 10 ** rng.uniform(-1, 1, count)
    half = count // 2
    density[:half] = rng.uniform(0.4, 1, half)
    relative_importance[:half] = 10 ** rng.uniform(-0.35, 0.35, half)
    return density, relative_importance


def random_start_minima(k, density, relative_importance, starts, seed):
    """Lowest end of many random starts at each point."""
    rng = np.random.default_rng(seed)
    count = len(density) * starts
    angle = rng.uniform(0, np.pi / 2, (count, 1 if k > 2 else 0))
    x = np.concatenate(
        [rng.uniform(0, 1.6, (count, 2)), angle, rng.uniform(-0.5, 1, (count, 2))], axis=1
    )
    lower = np.array([0.0, 0.0, *[0.0] * (k > 2), -5.0, -5.0])
    upper = np.array([5.0, 5.0, *[np.pi / 2] * (k > 2), 5.0, 5.0])
    objective = BlockLoss(k, np.repeat(density, starts), np.repeat(relative_importance, starts))
    return minimize_batch(objective, x, lower, upper).value.reshape(-1, starts).min(axis=1)


@pytest.mark.parametrize(("k", "points", "starts"), [(2, 400, 60), (3, 120, 60), (4, 12, 30)])
def test_no_random_start_ends_lower(k, points, starts):
    density, r = points_near_the_transitions(points, seed=k)
    found = minimize_block(k, density, r)
    assert found.gradient_norm.max() < 1e-9
    brute_force = random_start_minima(k, density, r, starts, seed=[k, 1])
    np.testing.assert_array_less(found.loss, brute_force * (1 + 1e-11))
    np.testing.assert_allclose(found.loss, brute_force, rtol=1e-9)


def test_antipodal_minimum_is_not_above_an_exhaustive_scan():
    """Scan both scales and both biases of W = (a, -c) on the closed form."""
    scale = np.linspace(0.02, 1.3, 33)
    bias = np.linspace(-0.2, 0.6, 17)
    grid = np.meshgrid(scale, scale, bias, bias, indexing="ij", sparse=True)
    density, r = (values[:30] for values in points_near_the_transitions(60, seed=3))
    found = minimize_block(2, density, r)
    for i in range(30):
        scanned = closed_forms.antipodal_loss(density[i], r[i], *grid).min()
        assert found.loss[i] <= scanned
        assert scanned < found.loss[i] * 1.25  # the scan is fine enough to mean something


def finished(loss, coarse, bounds):
    """Global optimisers stop early; a simplex search takes their point to the bottom."""
    tight = {"xatol": 1e-11, "fatol": 1e-16, "maxiter": 4000, "maxfev": 4000}
    return minimize(loss, coarse.x, method="Nelder-Mead", bounds=bounds, options=tight).fun


@pytest.mark.parametrize("seed", range(6))
def test_scipy_global_optimisers_on_the_closed_form_find_the_same_antipodal_minimum(seed):
    density, r = (values[seed] for values in points_near_the_transitions(6, seed=5))

    def loss(x):
        return float(closed_forms.antipodal_loss(density, r, *x))

    bounds = [(0.05, 1.4), (0.05, 1.4), (-0.3, 0.8), (-0.3, 0.8)]  # digits are lost at 0
    annealed = dual_annealing(loss, bounds, rng=np.random.default_rng(seed), maxiter=200)
    rectangles = direct(loss, bounds, maxfun=20_000, maxiter=2000)
    lowest = min(finished(loss, annealed, bounds), finished(loss, rectangles, bounds))
    found = float(minimize_block(2, np.array([density]), np.array([r])).loss[0])
    assert found <= lowest * (1 + 1e-12)
    variance = density / 3 - density**2 / 4
    at_the_limits = min(variance, r * variance)  # a scale of 0, outside the bounds above
    assert min(lowest, at_the_limits) == pytest.approx(found, rel=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_scipy_global_optimiser_on_the_closed_form_finds_the_same_triangle_minimum(seed):
    rng = np.random.default_rng([8, seed])
    density, r = rng.uniform(0.6, 0.8), rng.uniform(0.95, 1.15)  # inside the triangle's lens

    def loss(x):
        return float(closed_forms.triangle_loss(density, r, *x))

    bounds = [(0.3, 1.3), (0.3, 1.3), (0.02, 0.98), (-0.2, 0.7), (-0.2, 0.7)]
    annealed = dual_annealing(loss, bounds, rng=np.random.default_rng(seed), maxiter=200)
    found = float(minimize_block(3, np.array([density]), np.array([r])).loss[0])
    lowest = finished(loss, annealed, bounds)
    assert lowest == pytest.approx(found, rel=1e-8)
    assert found <= lowest * (1 + 1e-12)


@pytest.mark.parametrize("entry", [e for e in REFERENCE if e["n_features"] == 2])
def test_two_features_reach_the_independent_free_minima(entry):
    """For n = 2 every free minimum is ignored, dedicated or antipodal."""
    solution = phd.solve(entry["density"], entry["importance"][1], weights="optimized")
    assert solution.loss == pytest.approx(entry["loss"], abs=1e-10)
    signs = np.sign(np.sum(entry["gram"] * solution.gram)) or 1.0
    np.testing.assert_allclose(signs * solution.gram, entry["gram"], atol=1e-5)


@pytest.mark.parametrize("entry", [e for e in REFERENCE if e["n_features"] == 3])
def test_three_features_reach_the_independent_free_minima(entry):
    solution = phd.solve(entry["density"], entry["importance"][2], 3, 2, weights="optimized")
    assert solution.loss == pytest.approx(entry["loss"], abs=1e-10)


def test_the_minimum_is_never_above_the_canonical_loss():
    density, r = points_near_the_transitions(200, seed=9)
    for entry in phd.configurations(3, 2):
        minimum = entry.minimize(density, r)
        assert (minimum.loss <= entry.canonical_loss(density, r) * (1 + 1e-12)).all()


@pytest.mark.parametrize("name", ["ignored", "dedicated", "antipodal", "others-antipodal"])
def test_the_minimum_is_the_exact_loss_of_its_weights(name):
    density, r = points_near_the_transitions(50, seed=10)
    minimum = configuration(name, 3, 2).minimize(density, r)
    importance = np.stack([np.ones(50), np.ones(50), r], axis=1)
    exact = phd.expected_loss(minimum.W, minimum.b, density[:, None], importance)
    np.testing.assert_allclose(minimum.loss, exact, rtol=1e-12)
    np.testing.assert_array_equal(minimum.biases, minimum.b)
    np.testing.assert_allclose(minimum.scales**2, np.einsum("pki,pki->pi", minimum.W, minimum.W))


def test_mirror_symmetry_of_the_antipodal_minimum():
    density, r = points_near_the_transitions(100, seed=11)
    antipodal = configuration("antipodal")
    mirrored = r * antipodal.minimize(density, 1 / r).loss
    np.testing.assert_allclose(antipodal.minimize(density, r).loss, mirrored, rtol=1e-12)


def test_low_density_limit_is_the_canonical_antipodal_pair():
    """p -> 0: the loss tends to (1 + r) p^2 / 6 and the scales to 1."""
    minimum = configuration("antipodal").minimize(1e-5, 0.5)
    assert float(minimum.loss) == pytest.approx(1.5e-10 / 6, rel=1e-4)
    np.testing.assert_allclose(minimum.scales, 1.0, atol=1e-4)


def test_full_density_limit_is_ignoring_the_less_important_feature():
    """p = 1 is nearly linear: for r < 1 the extra feature is dropped, at a loss of r/12."""
    solution = phd.solve(1.0, 0.5, weights="optimized")
    assert solution.phase == "ignored"
    assert solution.loss == pytest.approx(0.5 / 12, rel=1e-15)


def test_stalled_points_are_finished_by_scipy():
    density, r = np.array([0.3, 0.6]), np.array([0.8, 1.2])
    objective, everything = BlockLoss(2, density, r), np.arange(2)
    lower, upper = np.array([0.0, 0.0, -5.0, -5.0]), np.full(4, 5.0)
    start = np.tile([1.0, 1.0, 0.05, 0.05], (2, 1))
    value, gradient, _ = objective(start, everything)
    norm = np.linalg.norm(gradient, axis=1)
    stalled = NewtonResult(start, value, norm, np.array([False, False]))
    polished = polish_with_scipy(objective, stalled, lower, upper)
    newton = minimize_batch(objective, start, lower, upper)
    np.testing.assert_allclose(polished.value, newton.value, rtol=1e-9)
    untouched = NewtonResult(start, value, norm, np.array([True, True]))
    assert (polish_with_scipy(objective, untouched, lower, upper).x == start).all()
