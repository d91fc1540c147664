"""Free minima against independent references, brute force, symmetries and limits."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq, minimize

import phasediagram as phd
from phasediagram import closed_forms
from phasediagram.minima.engine import Engine
from phasediagram.minima.state import Space
from phasediagram.naming import phase_of
from phasediagram.parameters import Plane

REFERENCE = json.loads((Path(__file__).parent / "reference_minima.json").read_text())


def size_of(entry):
    return entry["n_features"], entry["n_hidden"]


def invariant(gram):
    """The Gram matrix up to signs and order: sorted absolute values."""
    return np.sort(np.abs(np.asarray(gram)), axis=None)


@pytest.mark.parametrize("entry", REFERENCE, ids=lambda e: f"{e['n_features']}-{e['density']}")
def test_the_independent_reference_minima_are_reached(entry):
    solution = phd.solve(entry["density"], entry["importance"][-1], *size_of(entry))
    assert solution.loss == pytest.approx(entry["loss"], abs=1e-10)
    np.testing.assert_allclose(invariant(solution.gram), invariant(entry["gram"]), atol=1e-5)
    exact = phd.expected_loss(solution.W, solution.b, entry["density"], entry["importance"])
    assert solution.loss == pytest.approx(float(exact), rel=1e-13)


@pytest.mark.parametrize("entry", REFERENCE[::4], ids=lambda e: f"{e['n_features']}-{e['density']}")
def test_every_minimum_is_stationary_and_a_known_stationary_loss(entry):
    """`lowest_local_minima` of the reference lists the distinct stationary losses it met."""
    solution = phd.solve(entry["density"], entry["importance"][-1], *size_of(entry))
    known = np.array(entry["lowest_local_minima"])
    for minimum in solution.minima:
        _, gradient_W, gradient_b = phd.expected_loss_and_gradient(
            minimum.W, minimum.b, entry["density"], entry["importance"]
        )
        assert np.hypot(np.linalg.norm(gradient_W), np.linalg.norm(gradient_b)) < 1e-9
        assert minimum.smallest_curvature > -1e-6
        if minimum.loss < known.max():
            assert np.abs(known - minimum.loss).min() < 1e-9


def competitive_points(p, r):
    """Where several phases compete: dense features of similar importance."""
    return (p > 0.45) & (r > 0.5) & (r < 2.0)


def lowest_of_random_starts(n, p, r, starts, rng):
    """At each point by itself, from weights and biases without structure."""
    engine = Engine(Space(n, n - 1, (tuple(range(n)),)))
    parameters = Plane(n).many(np.log([p, r]).T)
    weights = 0.7 * rng.normal(size=(len(p), starts, (n - 1) * n))
    biases = rng.uniform(-0.3, 0.6, (len(p), starts, n))
    x = np.concatenate([weights, biases], axis=2).reshape(len(p) * starts, -1)
    ends = engine.minimize(x, *(values.repeat(starts, axis=0) for values in parameters))
    return ends.loss.reshape(len(p), starts).min(axis=1)


@pytest.mark.parametrize(("n", "grid", "starts"), [(2, 48, 100), (3, 32, 100)])
def test_a_free_diagram_agrees_with_brute_force(n, grid, starts):
    """300 points, half of them where phases compete, 100 random starts each."""
    diagram = phd.phase_diagram(
        np.geomspace(1, 0.01, grid), np.geomspace(0.1, 10, grid), n, n - 1, weights="free"
    )
    rng = np.random.default_rng(n)
    p, r = (
        v.ravel() for v in np.meshgrid(diagram.density, diagram.relative_importance, indexing="ij")
    )
    chosen = rng.choice(p.size, 300, replace=False)
    chosen[:150] = rng.choice(np.flatnonzero(competitive_points(p, r)), 150)
    brute_force = lowest_of_random_starts(n, p[chosen], r[chosen], starts, rng)
    np.testing.assert_allclose(diagram.loss.ravel()[chosen], brute_force, rtol=1e-9)


@pytest.mark.parametrize("n", [2, 3])
def test_free_is_never_above_optimized(n):
    p, r = np.geomspace(1, 0.01, 20), np.geomspace(0.1, 10, 21)
    free = phd.phase_diagram(p, r, n, n - 1)
    optimized = phd.phase_diagram(p, r, n, n - 1, weights="optimized")
    assert (free.loss <= optimized.loss * (1 + 1e-12)).all()
    importance = np.ones((21, n))
    importance[:, -1] = r
    exact = phd.expected_loss(free.W, free.b, p[:, None, None], importance)
    np.testing.assert_allclose(free.loss, exact, rtol=1e-12)
    if n == 2:  # every free minimum of two features is in the catalogue
        np.testing.assert_allclose(free.loss, optimized.loss, rtol=1e-11)


def test_the_order_of_the_axes_does_not_matter():
    p, r = np.array([0.9, 0.3, 0.6]), np.array([2.0, 0.5, 1.05, 0.9])
    diagram = phd.phase_diagram(p, r, 3, 2)
    ordered = phd.phase_diagram(np.sort(p), np.sort(r), 3, 2)
    places = np.ix_(np.argsort(p), np.argsort(r))
    np.testing.assert_allclose(diagram.loss[places], ordered.loss, rtol=1e-12)
    np.testing.assert_array_equal(diagram.phase[places], ordered.phase)


def test_mirror_symmetry_of_the_free_diagram():
    r = np.geomspace(0.1, 10, 31)
    diagram = phd.phase_diagram(np.geomspace(1, 0.01, 24), r)
    np.testing.assert_allclose(diagram.loss, r * diagram.loss[:, ::-1], rtol=1e-11)


def test_the_scalene_triangle_is_below_the_whole_catalogue():
    """At (0.9831, 1.01308) breaking the symmetry of the two others lowers the loss by 0.06 %."""
    point = 0.9831, 1.01308
    free = phd.solve(*point, 3, 2)
    optimized = phd.solve(*point, 3, 2, weights="optimized")
    assert free.phase == "scalene"
    assert free.outcome == "superposition"
    assert 4e-4 < 1 - free.loss / optimized.loss < 8e-4


def test_partial_phases_of_two_features():
    assert phd.solve(0.8, 0.9).phase == "partial"
    assert phd.solve(0.8, 1 / 0.9).phase == "partial-other"
    assert phd.solve(0.3, 0.9).phase == "antipodal"
    assert phd.solve(0.8, 0.5).phase == "ignored"
    assert phd.solve(0.8, 2.0).phase == "dedicated"


@pytest.mark.parametrize(
    ("W", "phase"),
    [
        ([[1.0, 0.0]], "ignored"),
        ([[0.0, 1.0]], "dedicated"),
        ([[1.0, -0.9]], "antipodal"),
        ([[1.0, -0.3]], "partial"),
        ([[0.3, -1.0]], "partial-other"),
        ([[1.0, 0.3]], "aligned"),
        ([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], "ignored"),
        ([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], "dedicated"),
        ([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]], "others-antipodal"),
        ([[1.0, -0.3, 0.0], [0.0, 0.0, 1.0]], "others-partial"),
        ([[0.3, -1.0, 0.0], [0.0, 0.0, 1.0]], "others-partial"),
        ([[0.8, -0.8, 0.0], [0.4, 0.4, -0.9]], "triangle"),
        ([[0.8, -0.5, 0.0], [0.4, 0.4, -0.9]], "scalene"),
    ],
)
def test_phases_of_known_weights(W, phase):
    W = np.array(W)
    assert phase_of(W, 0.7) == phase
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(len(W), len(W))))[0] @ W
    assert phase_of(turned, 0.7) == phase


def test_smallest_curvature_is_the_smallest_eigenvalue_where_the_loss_is_smooth():
    """A triangle has no unused outputs and no bias at 0; one rotation is left out."""
    minimum = phd.solve(0.6, 1.0, 3, 2).minima[0]
    hessian = phd.expected_loss_hessian(minimum.W, minimum.b, 0.6)
    eigenvalues = np.linalg.eigvalsh(hessian)
    assert abs(eigenvalues[0]) < 1e-10  # the rotation
    assert minimum.smallest_curvature == pytest.approx(eigenvalues[1], rel=1e-10)


@pytest.mark.parametrize(("p", "r"), [(0.7, 0.7), (0.7, 0.772), (0.85, 0.905), (0.3, 0.1)])
def test_smallest_curvature_at_a_kink_by_second_differences(p, r):
    """Nelder and Mead over angles, on one-sided second differences of the loss alone."""
    minimum = phd.solve(p, r).minima[0]
    assert minimum.phase == "ignored"
    x = np.concatenate([minimum.W.ravel(), minimum.b])

    def loss(x):
        return float(phd.expected_loss(x[None, :2], x[2:], p, [1.0, r]))

    def second_difference(d):
        d = d / np.linalg.norm(d)
        far, near = (2 * (loss(x + t * d) - loss(x)) / t**2 for t in (2e-3, 1e-3))
        return 2 * near - far

    rng = np.random.default_rng(0)
    options = {"xatol": 1e-5, "fatol": 1e-9, "maxfev": 1000}
    smallest = min(
        minimize(second_difference, rng.normal(size=4), method="Nelder-Mead", options=options).fun
        for _ in range(4)
    )
    assert minimum.smallest_curvature == pytest.approx(smallest, rel=1e-3, abs=1e-6)


def test_curvature_of_ignored_changes_sign_where_it_loses_stability():
    """At the kink no Hessian decides; r_c(0.7) = 0.77258 from the closed form's digits."""
    stable = phd.solve(0.7, 0.70)
    assert stable.phase == "ignored"
    assert stable.minima[0].smallest_curvature > 1e-3
    variance = 0.7 / 3 - 0.7**2 / 4
    assert stable.loss == pytest.approx(0.70 * variance, rel=1e-14)
    losses = np.array([minimum.loss for minimum in phd.solve(0.7, 0.80).minima])
    assert np.abs(losses - 0.80 * variance).min() > 1e-5  # now a saddle: not reported


def test_more_features_and_fewer_dimensions():
    """Four features in two dimensions at low density: two antipodal pairs."""
    solution = phd.solve(0.1, 1.0, 4, 2)
    pairs = np.sort(solution.gram[np.triu_indices(4, 1)])
    np.testing.assert_allclose(pairs[2:], 0.0, atol=1e-8)
    assert (pairs[:2] < -0.9).all()


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((7, 2), "n_features must be 2, 3, 4, 5 or 6, got 7"),
        ((3, 3), "n_hidden must be at least 1 and below n_features = 3, got 3"),
        ((3, 0), "n_hidden must be at least 1 and below n_features = 3, got 0"),
    ],
)
def test_sizes_that_are_refused(size, message):
    for function in (
        lambda n, m: phd.solve(0.5, 1.0, n, m),
        lambda n, m: phd.phase_diagram([0.5], [1.0], n, m),
    ):
        with pytest.raises(ValueError, match=message):
            function(*size)


def ignored_leaves(density, relative_importance):
    """How far below "ignored" a small step of the extra feature can lead, per its square.

    Minimised over the first weight and both biases with the second weight held at -1e-4.
    """
    norm = 1e-4

    def second_difference(x):
        W = [[1 + norm * x[0], -norm]]
        b = [norm * x[1], density / 2 + norm * x[2]]
        loss, gradient_W, gradient_b = phd.expected_loss_and_gradient(
            W, b, density, [1.0, relative_importance]
        )
        variance = density / 3 - density**2 / 4
        change = (float(loss) - relative_importance * variance) / norm**2
        return change, np.array([gradient_W[0, 0], *gradient_b]) / norm

    start = np.array([0.0, density / 4, density / 2])
    found = minimize(second_difference, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    return found.fun


@pytest.mark.parametrize("density", [0.2, 0.45, 0.51, 0.7, 0.9, 0.99])
def test_the_stability_limit_is_where_the_directional_curvature_vanishes(density):
    limit = float(closed_forms.ignored_stability_limit(density))
    numerical = brentq(lambda r: ignored_leaves(density, r), limit / 1.2, limit * 1.2, xtol=1e-12)
    assert numerical == pytest.approx(limit, rel=2e-4)  # the step of 1e-4 is finite
    for side, stable in ((0.995, True), (1.005, False)):
        assert (ignored_leaves(density, limit * side) > 0) == stable


def test_the_change_is_continuous_between_the_tricritical_points_and_first_order_beyond():
    """Just below the stability limit, no minimum but "ignored" is lower, or one is."""
    (low, low_r), (high, high_r) = closed_forms.tricritical_points()
    limit = closed_forms.ignored_stability_limit([low, high])
    np.testing.assert_allclose(limit, [low_r, high_r], rtol=1e-14)
    for density, first_order in ((0.6, False), (0.7, False), (0.8, False), (0.9, True)):
        r = float(closed_forms.ignored_stability_limit(density)) - 1e-4
        solution = phd.solve(density, r)
        assert solution.phase == ("partial" if first_order else "ignored")
        variance = density / 3 - density**2 / 4
        assert (r * variance - solution.loss > 1e-7) == first_order


def test_the_stability_limit_tends_to_1_and_to_the_density():
    assert float(closed_forms.ignored_stability_limit(1.0)) == pytest.approx(1.0, rel=1e-14)
    ratio = closed_forms.ignored_stability_limit(1e-5) / 1e-5
    assert float(ratio) == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize("density", [1e-4, 1e-6, 1e-9])
def test_minima_keep_their_digits_at_densities_far_below_the_paper_s(density):
    """The antipodal pair's loss tends to p^2/3 at r = 1, from below, as 1 - p/32."""
    for weights in ("free", "optimized"):
        solution = phd.solve(density, 1.0, weights=weights)
        assert solution.phase == "antipodal"
        assert solution.loss / (density**2 / 3) == pytest.approx(1 - density / 32, rel=1e-8)


@pytest.mark.parametrize(
    ("n", "p", "r", "phase", "loss"),
    [
        (2, 0.43078, 1.59013, "aligned", 0.09720047),
        (3, 0.712394, 1.740214, "others-antipodal", 0.10834276),
    ],
)
def test_minima_behind_low_barriers_are_found(n, p, r, phase, loss):
    """An independent audit met them; a saddle is as near as 1e-3."""
    found = {minimum.phase: minimum.loss for minimum in phd.solve(p, r, n).minima}
    assert found[phase] == pytest.approx(loss, abs=6e-9)


@pytest.mark.parametrize(("p", "r", "size"), [(0.7, 1.05, (3, 2)), (0.15, 0.1455, (2, 1))])
def test_solutions_do_not_depend_on_the_random_starts(p, r, size):
    first, again, other = (phd.solve(p, r, *size, rng=seed) for seed in (0, 0, 1))
    for minimum, same in zip(first.minima, again.minima, strict=True):
        np.testing.assert_array_equal(minimum.W, same.W)
        np.testing.assert_array_equal(minimum.b, same.b)
    assert [m.phase for m in first.minima] == [m.phase for m in other.minima]
    losses = [[m.loss for m in solution.minima] for solution in (first, other)]
    np.testing.assert_allclose(*losses, rtol=1e-12)


def test_one_hidden_dimension_fewer_than_features_is_the_default():
    assert phd.solve(0.3, n_features=3).n_hidden == 2
    assert phd.solve(0.3, weights="canonical").n_hidden == 1
    assert phd.phase_diagram([0.3], [1.0], 3).n_hidden == 2
    with pytest.raises(ValueError, match="n_features must be 2, 3, 4, 5 or 6, got 7"):
        phd.solve(0.3, n_features=7)


def test_where_all_features_are_equal_the_extra_one_is_that_with_fewest_dimensions():
    assert phd.solve(0.8).phase == "partial"
    assert phd.solve(0.3).phase == "antipodal"
    assert phd.solve(0.3, n_features=3).outcome == "superposition"


def test_diagrams_and_solutions_do_not_depend_on_the_number_of_threads(monkeypatch):
    axes = np.geomspace(0.5, 1, 40), np.geomspace(0.5, 2, 37)
    found = []
    for threads in (1, 5):
        monkeypatch.setattr(os, "cpu_count", lambda threads=threads: threads)
        solution = phd.solve(0.7, 1.05, 3)
        diagram = phd.phase_diagram(*axes)
        found.append([diagram.loss, diagram.W, diagram.b, *(m.W for m in solution.minima)])
    for one, many in zip(*found, strict=True):
        np.testing.assert_array_equal(one, many)


@pytest.mark.parametrize(("n", "points", "sparsest"), [(2, 16, 0.02), (2, 20, 0.02), (3, 20, 0.01)])
def test_coarse_grids_miss_no_minimum_of_the_dense_corner(n, points, sparsest):
    """Where phases are narrower than the grid's step, and *ignored* is a saddle beyond r_c."""
    density, importance = np.geomspace(1, sparsest, points), np.geomspace(0.1, 10, points)
    diagram = phd.phase_diagram(density, importance, n)
    limit = closed_forms.ignored_stability_limit(density[:, None])
    entering = (importance > limit) & (importance < 1.15 * limit)
    corner = (importance > 0.6) & (importance < 1.7)
    chosen = (entering | corner) & (density[:, None] > 0.4)
    assert chosen.sum() >= 8
    for row, column in np.argwhere(chosen):
        lowest = phd.solve(density[row], importance[column], n).loss
        assert diagram.loss[row, column] == pytest.approx(lowest, rel=1e-10)


@pytest.mark.parametrize("place", [(0.3731, 1.2657), (0.0477, 0.5087), (0.0183, 0.5244)])
def test_a_triangle_beside_an_ignored_feature_is_not_missed(place):
    """Its loss is that of three features in two dimensions and that of ignoring, added."""
    p, r = place
    triangle = [x for x in phd.solve(p, 1.0, 3, 2).minima if x.phase == "triangle"]
    expected = triangle[0].loss + r * (p / 3 - p**2 / 4)
    found = [x.loss for x in phd.solve(p, r, 4, 2).minima]
    assert min(abs(loss / expected - 1) for loss in found) < 1e-10


def test_a_weak_triangle_is_not_missed():
    """Curvature 3e-4: descents from 3,000 random starts led to it, from 300 none did."""
    assert "triangle" in [x.phase for x in phd.solve(0.450454, 0.918413, 3, 2).minima]
