"""Diagrams against closed-form boundaries, symmetries and each other."""

from __future__ import annotations

import numpy as np
import pytest

import phasediagram as phd
from phasediagram.naming import extra_feature_outcome, norm_and_superposition


def typed_boundaries(p):
    """The published canonical boundaries, typed in: 2p/(4-5p) and its mirror image."""
    with np.errstate(divide="ignore"):
        ignored_antipodal = np.where(p < 0.8, 2 * p / (4 - 5 * p), np.inf)
    return ignored_antipodal, (4 - 5 * p) / (2 * p)


@pytest.mark.parametrize("side", [1 - 2e-14, 1 + 2e-14])
def test_canonical_phases_change_at_the_closed_form_boundaries(side):
    p = np.linspace(0.01, 0.57, 57)
    ignored_antipodal, dedicated_antipodal = typed_boundaries(p)
    for density, first, second in zip(p, ignored_antipodal, dedicated_antipodal, strict=True):
        assert phd.solve(density, first * side, weights="canonical").phase == (
            "ignored" if side < 1 else "antipodal"
        )
        assert phd.solve(density, second * side, weights="canonical").phase == (
            "antipodal" if side < 1 else "dedicated"
        )


def test_canonical_triple_point():
    """All three phases meet at (4/7, 1), with loss 16/147."""
    solution = phd.solve(4 / 7, 1.0, weights="canonical")
    losses = [minimum.loss for minimum in solution.minima]
    np.testing.assert_allclose(losses, 16 / 147, rtol=1e-15)


def test_canonical_diagram_of_three_features():
    """Below 4/7 others-antipodal replaces dedicated; the line r = 1 divides the pairs."""
    diagram = phd.phase_diagram(n_features=3, n_hidden=2, weights="canonical")
    p, r = diagram.density[:, None], diagram.relative_importance
    ignored_antipodal, _ = typed_boundaries(p)
    pairs = np.where(r < 1, "antipodal", "others-antipodal")
    expected = np.where(
        p < 4 / 7,
        np.where(r < np.minimum(ignored_antipodal, 1), "ignored", pairs),
        np.where(r < 1, "ignored", "dedicated"),
    )
    np.testing.assert_array_equal(diagram.phase, expected)


@pytest.mark.parametrize("weights", ["canonical", "optimized"])
def test_mirror_symmetry_of_the_diagram(weights):
    """L(p, r) = r L(p, 1/r), and the phases swap."""
    r = np.geomspace(0.1, 10, 40)
    diagram = phd.phase_diagram(np.geomspace(1, 0.01, 30), r, weights=weights)
    np.testing.assert_allclose(diagram.loss, r * diagram.loss[:, ::-1], rtol=1e-12)
    swap = {"ignored": "dedicated", "dedicated": "ignored", "antipodal": "antipodal"}
    mirrored = np.vectorize(swap.get)(diagram.phase[:, ::-1])
    np.testing.assert_array_equal(diagram.phase, mirrored)


@pytest.mark.parametrize("n", [2, 3])
def test_optimized_is_never_above_canonical_and_is_the_loss_of_its_weights(n):
    p, r = np.geomspace(1, 0.01, 25), np.geomspace(0.1, 10, 24)
    canonical = phd.phase_diagram(p, r, n, n - 1, weights="canonical")
    optimized = phd.phase_diagram(p, r, n, n - 1, weights="optimized")
    assert (optimized.loss <= canonical.loss * (1 + 1e-14)).all()
    importance = np.ones((24, n))
    importance[:, -1] = r
    for diagram in (canonical, optimized):
        exact = phd.expected_loss(diagram.W, diagram.b, p[:, None, None], importance)
        np.testing.assert_allclose(diagram.loss, exact, rtol=1e-12)
        np.testing.assert_array_equal(diagram.outcome, extra_feature_outcome(diagram.W))
        lowest = np.min(diagram.candidate_losses, axis=0)
        np.testing.assert_allclose(diagram.loss, lowest, rtol=1e-11)


def loss_of_stability(p):
    """The r at which "ignored" loses stability: minimise, over the response beta of the first
    bias, the quadratic cost of a small second weight, and divide by the variance gained."""
    half = p / 2 + 2 * (1 - p) ** 2
    beta = (np.sqrt(half**2 + p**3 * (1 - p)) - half) / (2 * p * (1 - p))
    cost = p * (beta**2 / 4 - p * beta / 4 + p / 3 - 3 * p**2 / 16)
    cost += (1 - p) ** 2 * beta**2 + p * (1 - p) * beta**3 / 3
    return cost / (p / 3 - p**2 / 4)


def test_the_extra_feature_enters_continuously_at_density_0_7():
    """Its norm grows from 0 in proportion to the distance from the loss of stability."""
    distance = np.array([-2e-5, 2e-5, 4e-5, 8e-5])
    diagram = phd.phase_diagram([0.7], loss_of_stability(0.7) + distance, weights="optimized")
    norm = norm_and_superposition(diagram.W)[0][0]
    assert list(diagram.outcome[0]) == ["ignored", *["superposition"] * 3]
    np.testing.assert_allclose(norm[2:] / norm[1], [2, 4], rtol=0.03)


def test_default_axes_are_those_of_the_paper():
    diagram = phd.phase_diagram(weights="canonical")
    assert diagram.density[0] == 1.0
    assert diagram.density[-1] == 0.01
    assert diagram.relative_importance[[0, -1]] == pytest.approx([0.1, 10])
    ratios = diagram.density[1:] / diagram.density[:-1]
    np.testing.assert_allclose(ratios, ratios[0])
    assert diagram.loss.shape == diagram.phase.shape == (128, 128)


def test_shares_agree_with_the_area_under_the_closed_form_boundary():
    """Share of "ignored": the area left of r = min(2p/(4-5p), 1) in log-log coordinates."""
    diagram = phd.phase_diagram(
        np.geomspace(1, 0.01, 801), np.geomspace(0.1, 10, 801), weights="canonical"
    )
    log_p = np.linspace(-2, 0, 200_001)
    boundary = np.minimum(typed_boundaries(10**log_p)[0], 1.0)
    width = np.clip(np.log10(boundary) + 1, 0, None) / 2
    area = np.trapezoid(width, log_p) / 2
    shares = diagram.shares()
    assert shares["ignored"] == pytest.approx(area, abs=2e-3)
    assert shares["dedicated"] == pytest.approx(area, abs=2e-3)
    assert sum(shares.values()) == pytest.approx(1.0)


def test_solution_lists_every_candidate_lowest_first():
    solution = phd.solve(0.5, 2.0, 3, 2, weights="optimized")
    losses = [minimum.loss for minimum in solution.minima]
    assert (np.diff(losses) >= -1e-14 * losses[0]).all()  # equals: the simplest first
    assert {minimum.phase for minimum in solution.minima} == {
        configuration.name for configuration in phd.configurations(3, 2)
    }
    assert solution.loss == losses[0]
    np.testing.assert_allclose(solution.gram, solution.W.T @ solution.W)


def test_norm_and_superposition_of_known_weights():
    W = np.array([[[1.0, -0.5]], [[1.0, 0.0]], [[0.0, 2.0]]])
    norm, superposition = norm_and_superposition(W)
    np.testing.assert_allclose(norm, [0.5, 0.0, 2.0])
    np.testing.assert_allclose(superposition, [1.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"density": [0.5, 1.2]}, r"density must lie in \(0, 1\], got 1.2"),
        ({"density": []}, "density must be a non-empty sequence"),
        ({"density": 0.5}, r"density must be a non-empty sequence, got shape \(\)"),
        ({"relative_importance": [-1.0]}, "relative_importance must be positive"),
        ({"weights": "best"}, "weights must be one of 'free', .* got 'best'"),
        ({"n_features": 9, "n_hidden": 8}, "n_features must be 2, 3, 4, 5 or 6, got 9"),
    ],
)
def test_bad_grids_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        phd.phase_diagram(**arguments)


def test_a_point_must_be_a_number_or_one_for_each_feature():
    with pytest.raises(ValueError, match=r"density must be a number or have shape \(2,\)"):
        phd.solve([0.5, 0.6, 0.7], 1.0)
    with pytest.raises(ValueError, match="weights must be 'free'"):
        phd.solve([0.5, 0.6], 1.0, weights="canonical")


@pytest.mark.parametrize("weights", ["free", "optimized", "canonical"])
def test_progress_is_reported_up_to_its_end(weights):
    shares = []
    phd.phase_diagram([0.5, 0.2], [0.5, 2.0], weights=weights, progress=shares.append)
    assert shares
    assert shares == sorted(shares)
    assert 0 < shares[0] <= shares[-1] <= 1
    assert shares[-1] >= 0.9


@pytest.mark.parametrize(("densities", "importances"), [([0.2, 0.3], [1.0]), ([0.3], [0.5, 0.8])])
def test_grids_of_one_row_or_column(densities, importances):
    diagram = phd.phase_diagram(densities, importances)
    for i, p in enumerate(densities):
        for j, r in enumerate(importances):
            assert diagram.loss[i, j] == pytest.approx(phd.solve(p, r).loss, rel=1e-12)
