"""The catalogue and its canonical losses, against the literature and the exact loss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import phasediagram as phd
from phasediagram.catalogue.configurations import configuration
from phasediagram.naming import extra_feature_outcome

densities = st.floats(1e-6, 1.0)
importances = st.floats(1e-3, 1e3)


def variance(p):
    return p / 3 - p**2 / 4


LITERATURE = {  # Wattenberg's notebook: loss_g, loss_f, loss_h_last, loss_h_first
    "ignored": lambda p, r: r * variance(p),
    "dedicated": lambda p, r: variance(p),
    "antipodal": lambda p, r: (1 + r) * p**2 / 6,
    "others-antipodal": lambda p, r: p**2 / 3,
}


@pytest.mark.parametrize(("n", "names"), [(2, list(LITERATURE)[:3]), (3, list(LITERATURE))])
def test_canonical_losses_are_the_formulas_of_the_literature(n, names):
    rng = np.random.default_rng(0)
    p, r = rng.uniform(1e-4, 1, 1000), 10 ** rng.uniform(-2, 2, 1000)
    for name in names:
        loss = configuration(name, n, n - 1).canonical_loss(p, r)
        np.testing.assert_allclose(loss, LITERATURE[name](p, r), rtol=1e-15)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_canonical_losses_are_the_exact_losses_of_the_canonical_weights(n):
    p, r = np.array([1e-3, 0.2, 0.61, 1.0]), np.array([0.3, 1.0, 4.0, 0.01])
    importance = np.ones((4, n))
    importance[:, -1] = r
    for entry in phd.configurations(n, n - 1):
        W, b = entry.canonical_weights(p)
        assert W.shape == (4, n - 1, n)
        exact = phd.expected_loss(W, b, p[:, None], importance)
        np.testing.assert_allclose(entry.canonical_loss(p, r), exact, rtol=1e-13)


@given(densities, importances)
def test_mirror_symmetry_of_the_canonical_losses(p, r):
    ignored, dedicated, antipodal = phd.configurations(2, 1)
    assert ignored.canonical_loss(p, r) == pytest.approx(r * dedicated.canonical_loss(p, 1 / r))
    assert antipodal.canonical_loss(p, r) == pytest.approx(
        r * float(antipodal.canonical_loss(p, 1 / r))
    )


@given(densities, importances)
def test_the_canonical_triangle_is_never_the_lowest(p, r):
    """So leaving it out of the canonical diagram, as the literature does, changes nothing."""
    losses = {c.name: float(c.canonical_loss(p, r)) for c in phd.configurations(3, 2)}
    triangle = losses.pop("triangle")
    assert triangle > min(losses.values())


def test_the_catalogue():
    assert [c.name for c in phd.configurations()] == ["ignored", "dedicated", "antipodal"]
    assert [c.name for c in phd.configurations(4, 3)] == [
        "ignored",
        "dedicated",
        "antipodal",
        "others-antipodal",
        "triangle",
        "others-triangle",
        "tetrahedron",
    ]


@pytest.mark.parametrize("n", [2, 3, 4])
def test_outcomes_of_the_canonical_weights(n):
    for entry in phd.configurations(n, n - 1):
        W, _ = entry.canonical_weights(0.5)
        expected = "superposition" if entry.includes_extra else "dedicated"
        assert extra_feature_outcome(W) == ("ignored" if entry.name == "ignored" else expected)


@pytest.mark.parametrize("entry", phd.configurations(3, 2), ids=lambda c: c.name)
def test_results_broadcast(entry):
    p, r = np.array([[0.2], [0.5]]), np.array([0.5, 1.0, 3.0])
    minimum = entry.minimize(p, r)
    assert minimum.loss.shape == entry.canonical_loss(p, r).shape == (2, 3)
    assert minimum.W.shape == (2, 3, 2, 3)
    assert minimum.b.shape == minimum.scales.shape == (2, 3, 3)
    single = entry.minimize(0.5, 3.0)
    assert single.loss.shape == ()
    assert float(single.loss) == pytest.approx(minimum.loss[1, 2], rel=1e-13)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 0), "n_features must be 2, 3, 4, 5 or 6, got 1"),
        ((7, 6), "n_features must be 2, 3, 4, 5 or 6, got 7"),
        ((3, 1), "n_hidden must be n_features - 1 = 2, got 1"),
        ((2.0, 1), "n_features must be an integer, got 2.0"),
        ((2, True), "n_hidden must be an integer, got True"),
    ],
)
def test_sizes_outside_the_catalogue_are_refused(arguments, message):
    for function in (phd.configurations, lambda n, m: phd.solve(0.5, 1.0, n, m, "optimized")):
        with pytest.raises(ValueError, match=message):
            function(*arguments)


def test_an_unknown_configuration_is_refused():
    with pytest.raises(ValueError, match=r"name must be one of 'ignored', .* got 'pentagon'"):
        configuration("pentagon")


@pytest.mark.parametrize(
    ("density", "r", "message"),
    [
        (1.5, 1.0, r"density must lie in \(0, 1\], got 1.5"),
        (0.5, 0.0, "relative_importance must be positive and at most 1e[+]100, got 0.0"),
        (0.5, float("nan"), "relative_importance must be positive and at most 1e[+]100, got nan"),
        ([0.5, 0.6], [1.0, 2.0, 3.0], "density and relative_importance must broadcast"),
        ("dense", 1.0, "density must consist of real numbers, got 'dense'"),
    ],
)
def test_bad_points_are_refused(density, r, message):
    for entry in phd.configurations(3, 2):
        for function in (entry.canonical_loss, entry.minimize):
            with pytest.raises(ValueError, match=message):
                function(density, r)
