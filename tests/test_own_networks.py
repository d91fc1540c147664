"""Networks from elsewhere: named by geometry, and followed to the minimum they lead to."""

from __future__ import annotations

import numpy as np
import pytest

import phasediagram as phd

POINT = (0.55, 0.66)


@pytest.fixture(scope="module")
def minima():
    return phd.solve(*POINT).minima


def test_minima_are_named_as_solve_names_them(minima):
    W = np.stack([minimum.W for minimum in minima])
    assert phd.classify(W, POINT[0]).tolist() == [minimum.phase for minimum in minima]


def test_names_have_the_shape_of_what_the_leading_axes_broadcast_to():
    W = np.array([[1.0, -0.5]])
    names = phd.classify(W, [[0.1], [0.9]])
    assert names.tolist() == [["antipodal"], ["partial"]]
    assert phd.classify(W, 0.5).shape == ()
    assert phd.classify(np.zeros((4, 1, 2, 3)), np.full(5, 0.5)).shape == (4, 5)


@pytest.mark.parametrize(
    ("W", "density", "message"),
    [
        ([[1.0, np.nan]], 0.5, "W must be finite"),
        ([[1.0, 0.0]], 0.0, r"density must lie in \(0, 1\]"),
        ([1.0, 0.0], 0.5, r"W must have shape \(\.\.\., m, n\)"),
        (np.zeros((3, 1, 2)), [0.5, 0.6], "must broadcast"),
    ],
)
def test_bad_weights_are_refused(W, density, message):
    with pytest.raises(ValueError, match=message):
        phd.classify(W, density)


def test_noisy_copies_of_minima_lead_back_to_them(minima):
    """Whatever the rotation or sign, with the loss above the minimum that it is."""
    rng = np.random.default_rng(3)
    W = np.stack([-minimum.W for minimum in minima[:2]]) + rng.normal(scale=1e-3, size=(2, 1, 2))
    b = np.stack([minimum.b for minimum in minima[:2]])
    agreement = phd.compare_weights(W, b, *POINT)
    assert agreement.outcome.tolist() == ["global", "metastable"]
    assert agreement.phase.tolist() == [minimum.phase for minimum in minima[:2]]
    assert agreement.theory_loss == pytest.approx(minima[0].loss, rel=1e-9)
    expected = phd.expected_loss(W, b, POINT[0], [1.0, POINT[1]]) - minima[0].loss
    np.testing.assert_allclose(agreement.excess, expected, rtol=1e-6)
    assert agreement.optimal


def test_trained_runs_compare_as_with_compare():
    """The same as `compare` says of the package's own runs, with and without a diagram."""
    density, importance = np.array([[0.7], [0.2]]), np.array([0.66, 1.0])
    runs = phd.train(density, importance, seeds=3, steps=2000, optimizer="exact")
    diagram = phd.phase_diagram([0.7, 0.2], [0.66, 1.0])
    own = phd.compare(diagram, runs)
    for given in (diagram, None):
        other = phd.compare_weights(runs.W, runs.b, density, importance, given)
        assert (other.outcome == own.outcome).all()
        assert (other.phase == own.phase).all()
        np.testing.assert_allclose(other.excess, own.excess, atol=1e-12)


def test_a_network_that_only_outputs_zero_has_diverged():
    agreement = phd.compare_weights([[[0.3, 0.2]]], [[-5.0, -5.0]], *POINT)
    assert agreement.outcome.tolist() == ["diverged"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W": [[1.0, 0.0]]}, r"W must have shape \(\.\.\., networks, m, n\)"),
        ({"b": [0.0, 0.0, 0.0]}, "b must have shape"),
        ({"relative_importance": 0.0}, "relative_importance must be positive"),
        ({"density": [0.5, 0.6]}, r"the shape of density and relative_importance, \(2,\)"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    arguments = {"W": [[[1.0, 0.0]]], "b": [[0.0, 0.0]], "density": 0.5, "relative_importance": 1.0}
    with pytest.raises(ValueError, match=message):
        phd.compare_weights(**{**arguments, **change})


def test_a_diagram_that_does_not_fit_is_refused():
    canonical = phd.phase_diagram([0.5], [1.0], weights="canonical")
    with pytest.raises(ValueError, match="diagram must have free weights"):
        phd.compare_weights([[[1.0, 0.0]]], [[0.0, 0.0]], 0.5, 1.0, canonical)
    with pytest.raises(ValueError, match="every density of networks must be in the diagram"):
        phd.compare_weights([[[1.0, 0.0]]], [[0.0, 0.0]], 0.4, 1.0, phd.phase_diagram([0.5], [1.0]))
