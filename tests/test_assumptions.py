"""What other assumptions give, against oracles that are not this package's numerics."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy
from assumed import law, sampled, sampled_loss
from oracles import mpmath_loss

import phasediagram as phd
from derivations.confused import crossing
from derivations.penalty import critical_penalty, tricritical_density
from derivations.simplex import p as density_symbol
from phasediagram.kernel.tables import activity_table
from phasediagram.training.assumptions import estimated_losses, linear_loss, sample

sys.path.append(str(Path(__file__).parent / "kernel"))
from exact_rows import squared_error

PAIRS = phd.ToyModel(4, 2, groups=[phd.correlated(0, 1), phd.correlated(2, 3)])


def variance(p):
    return p / 3 - p**2 / 4


def test_antipodal_and_confused_cross_where_the_polynomial_says():
    model = phd.ToyModel(2, bias=False)
    section = phd.loss_section(x=phd.Axis("density", 0.3, 0.9, points=12), model=model)
    (transition,) = section.transitions
    assert transition.order == 1
    assert transition.position == pytest.approx(float(crossing()), abs=1e-12)
    for p in (0.6, 0.8):
        confused = phd.solve(p, model=model)
        assert confused.loss == pytest.approx(variance(p), rel=1e-14)
        np.testing.assert_allclose(np.abs(confused.W), np.sqrt(0.5), atol=1e-7)


def test_without_biases_there_is_one_transition_and_it_is_first_order():
    """Also at small importance: there the second weight only gets small, never 0."""
    model = phd.ToyModel(2, bias=False)
    for r in (0.02, 0.3, 3.0):
        axis = phd.Axis("density", 0.01, 1, points=30)
        section = phd.loss_section(relative_importance=r, x=axis, model=model)
        assert [transition.order for transition in section.transitions] == [1]
        assert all(
            np.abs(minimum.W).min() > 1e-4 for minimum in phd.solve(0.9, r, model=model).minima
        )


@pytest.mark.parametrize("p", [0.55, 0.7, 0.85, 0.866])
def test_superposition_that_ends_continuously_ends_at_the_closed_form(p):
    section = phd.loss_section(p, x=phd.Axis("interference_penalty", 1e-3, 0.1, points=16))
    last = section.transitions[-1]
    expected = critical_penalty().subs(density_symbol, sympy.Float(p, 30))
    assert (last.order, last.phases[-1]) == (2, "ignored")
    assert last.position == pytest.approx(float(expected), rel=1e-10)


@pytest.mark.parametrize("p", [0.8675, 0.868, 0.87])
def test_beyond_the_tricritical_point_superposition_ends_with_a_small_jump(p):
    """Where none is stable already, and so a little beyond the closed form."""
    section = phd.loss_section(p, x=phd.Axis("interference_penalty", 1e-3, 0.1, points=16))
    last = section.transitions[-1]
    limit = float(critical_penalty().subs(density_symbol, sympy.Float(p, 30)))
    assert (last.order, last.phases[-1]) == (1, "ignored")
    assert 1e-8 < last.position - limit < 1e-6


@pytest.mark.parametrize("p", [0.05, 0.3, 0.45])
def test_elsewhere_two_minima_have_the_same_loss(p):
    """Both in 40 digits; and the penalty is below the limit of stability of none."""
    section = phd.loss_section(p, x=phd.Axis("interference_penalty", 1e-3, 0.1, points=16))
    last = section.transitions[-1]
    assert last.order == 1
    model = phd.ToyModel(2, interference_penalty=last.position)
    first, second = phd.solve(p, model=model).minima[:2]
    losses = []
    for minimum in (first, second):
        loss = mpmath_loss(minimum.W, minimum.b, [p, p], [1, 1])
        losses.append(float(loss + 2 * last.position * mpmath.mpf(float(minimum.gram[0, 1])) ** 2))
    assert losses[0] == pytest.approx(losses[1], rel=1e-10)
    assert min(losses) == pytest.approx(variance(p), rel=1e-10)  # that of ignoring a feature
    assert last.position > float(critical_penalty().subs(density_symbol, p))


def test_the_penalty_plane_has_the_points_of_the_closed_form():
    """Traced, not told: where the continuous end turns first order, and what it ends on."""
    boundaries = phd.phase_boundaries(
        x=phd.Axis("interference_penalty", 0.003, 0.03),
        y=phd.Axis("density", 0.45, 1),
        spinodals=False,
    )
    points = {point.kind: point for point in boundaries.special_points}
    assert set(points) == {"tricritical point", "critical end point"}
    turn = points["tricritical point"]
    assert turn.density == pytest.approx(float(tricritical_density()), abs=1e-9)
    for point in points.values():
        expected = critical_penalty().subs(density_symbol, sympy.Float(point.density, 30))
        assert point.relative_importance == pytest.approx(float(expected), rel=1e-8)
    assert boundaries.unresolved == ()


def test_the_pentagon_takes_over_from_two_digons():
    """The digons' loss from two features in one dimension; the pentagon's in 40 digits."""
    p = 0.05
    digon = phd.solve(p, 1.0, 2).loss
    for ratio, lowest in ((0.26, "ignored-others-2-antipodal"), (0.28, "pentagon")):
        found = {
            m.phase: m for m in phd.solve([p] * 4 + [ratio * p], n_features=5, n_hidden=2).minima
        }
        digons = found["ignored-others-2-antipodal"]
        pentagon = found["pentagon"]
        assert digons.loss == pytest.approx(2 * digon + variance(ratio * p), rel=1e-12)
        exact = mpmath_loss(pentagon.W, pentagon.b, [p] * 4 + [ratio * p], [1] * 5)
        assert pentagon.loss == pytest.approx(float(exact), rel=1e-12)
        assert min(found.values(), key=lambda m: m.loss).phase == lowest


def test_collapsed_pairs_cost_what_principal_components_leave():
    """Given that a pair is active, (x_1 - x_2)^2 / 2 is lost, p / 12 for each pair."""
    section = phd.loss_section(x=phd.Axis("density", 0.15, 0.6, points=12), model=PAIRS)
    last = section.transitions[-1]
    assert last.order == 1
    for p in (0.3, 0.5):
        solution = phd.solve(p, model=PAIRS)
        assert solution.loss == pytest.approx(p / 6, rel=1e-12)
        np.testing.assert_allclose(solution.W[:, 0::2], solution.W[:, 1::2], atol=1e-7)
    other = next(
        m
        for m in phd.solve(last.position, model=PAIRS).minima
        if m.phase == "scalene-quadrilateral"
    )
    density = [Fraction(last.position)] * 4
    table = law(4, density, [("correlated", f, Fraction(1)) for f in ((0, 1), (2, 3))])
    W = [[Fraction(float(w)) for w in row] for row in other.W]
    gram = [[sum(w[i] * w[j] for w in W) for j in range(4)] for i in range(4)]
    exact = sum(squared_error(gram[i], Fraction(float(other.b[i])), i, table) for i in range(4))
    assert float(exact) == pytest.approx(last.position / 6, rel=1e-10)


def test_anticorrelated_pairs_are_opposite_and_cost_nothing():
    model = phd.ToyModel(4, 2, groups=[phd.anticorrelated(0, 1), phd.anticorrelated(2, 3)])
    solution = phd.solve(0.4, model=model)
    assert abs(solution.loss) < 1e-25
    np.testing.assert_allclose(solution.W[:, 0::2], -solution.W[:, 1::2], atol=1e-7)
    axes = np.array([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]])
    assert phd.expected_loss(axes, np.zeros(4), 0.4, model=model) == 0.0


def test_the_papers_opening_figure():
    importance = 0.9 ** np.arange(5)
    kept = []
    for p in (1.0, 0.2, 0.1):
        solution = phd.solve(p, importance=importance, n_features=5, n_hidden=2)
        kept.append(int((np.linalg.norm(solution.W, axis=0) > 1e-6).sum()))
        if p == 1.0:  # linear: the variances of what is left out
            assert solution.loss == pytest.approx(importance[2:].sum() / 12, rel=1e-12)
        if p == 0.2:  # orthogonal groups add
            pairs = (0, 3), (1, 2)
            digons = [
                importance[i] * phd.solve(p, importance[j] / importance[i]).loss for i, j in pairs
            ]
            expected = sum(digons) + importance[4] * variance(p)
            assert solution.loss == pytest.approx(expected, rel=1e-12)
    assert kept == [2, 4, 5]


def test_a_half_as_dense_feature_on_a_grid():
    density, importance = [0.3, 0.8], [0.7, 1.0, 2.0]
    diagram = phd.phase_diagram(density, importance, 3, relative_density=0.5)
    for i, p in enumerate(density):
        for j, r in enumerate(importance):
            expected = phd.solve([p, p, p / 2], importance=[1, 1, r], n_features=3)
            assert diagram.loss[i, j] == pytest.approx(expected.loss, rel=1e-11)


@pytest.mark.parametrize(
    ("arguments", "points"),
    [
        ({"model": phd.ToyModel(2, bias=False)}, ([0.3, 0.8], [0.5, 1.0])),
        ({"model": phd.ToyModel(2, interference_penalty=0.02)}, ([0.3], [0.8, 1.0])),
        ({"model": phd.ToyModel(2, weight_decay=0.01)}, ([0.3], [0.8])),
        ({"relative_density": 0.4, "n_features": 3, "n_hidden": 2}, ([0.2], [1.0])),
        ({"model": PAIRS}, ([0.1, 0.4], [1.0])),
    ],
    ids=["no bias", "penalty", "decay", "density", "pairs"],
)
def test_training_never_ends_below_theory(arguments, points):
    grid = np.meshgrid(*points, indexing="ij")
    runs = phd.train(*grid, seeds=15, steps=1500, optimizer="exact", **arguments)
    agreement = phd.compare(phd.phase_diagram(*points, **arguments), runs)
    assert agreement.optimal
    best = np.nanmin(agreement.minimum_excess, axis=-1)  # of where the runs lead, downhill
    assert (best <= 1e-8 * agreement.theory_loss).all()


def test_networks_from_elsewhere_are_compared_under_the_same_assumptions():
    model = phd.ToyModel(2, bias=False)
    agreement = phd.compare_weights([[[0.7, 0.71]]], [[0.0, 0.0]], 0.8, 1.0, model=model)
    assert agreement.phase.tolist() == ["aligned"]
    assert agreement.theory_loss == pytest.approx(variance(0.8), rel=1e-12)
    basins = phd.basin_probabilities(0.8, 1.0, runs=10, steps=1500, model=model)
    assert {basin.phase for basin in basins if basin.arrived} <= {"aligned", "antipodal"}
    with pytest.raises(ValueError, match="must be of the same model"):
        phd.compare(phd.phase_diagram([0.8], [1.0]), phd.train(0.8, 1.0, model=model, steps=2))


@pytest.mark.parametrize(
    "model",
    [
        PAIRS,
        phd.ToyModel(3, groups=[phd.anticorrelated(0, 2)]),
        phd.ToyModel(3, groups=[phd.hierarchical(2, 1, follow=0.3)]),
        phd.ToyModel(3, groups=[phd.correlated(0, 1, correlation=0.4)]),
        phd.ToyModel(2, activity=[0.1, 0.2, 0.3, 0.4]),
    ],
    ids=repr,
)
def test_training_samples_have_the_probabilities_of_the_table(model):
    count, n = 200_000, model.n_features
    x = sample(model, np.full(n, 0.3), count, np.random.default_rng(0))
    sets = ((x > 0) << np.arange(n)[:, None]).sum(axis=0)
    found = np.bincount(sets, minlength=1 << n) / count
    expected = activity_table(model, np.full(n, 0.3))
    error = np.sqrt(expected * (1 - expected) / count)
    assert (np.abs(found - expected) <= 5 * error).all()
    values = x[x > 0]
    assert values.mean() == pytest.approx(0.5, abs=5 / np.sqrt(12 * len(values)))


def test_many_features_are_scored_by_samples_and_closed_forms():
    rng = np.random.default_rng(3)
    W, b, p, r = (
        rng.normal(size=(2, 4)) / 2,
        rng.normal(size=4) / 4,
        np.full(4, 0.3),
        rng.uniform(1, 2, 4),
    )
    model = phd.ToyModel(4, 2, interference_penalty=0.1)
    states = np.array([W, 0.9 * W]), np.array([b, 0.9 * b])
    exact = [phd.expected_loss(w, c, p, r, model=model) for w, c in zip(*states, strict=True)]
    mean, error = estimated_losses(model, *states, p, r, seed=0)
    assert (abs(mean - exact) < 5 * error).all()
    linear = phd.ToyModel(4, 2, activation="linear")
    closed = linear_loss(W[None], b[None], p[None], r[None])[0]
    assert closed == pytest.approx(float(phd.expected_loss(W, b, p, r, model=linear)), rel=1e-13)
    importance = 0.7 ** np.arange(12)
    twelve = phd.ToyModel(12, 3)
    runs = phd.train(0.2, seeds=2, steps=200, model=twelve, importance=importance)
    x = sampled(12, [0.2] * 12, [], 100_000, rng)
    for k in range(2):
        mean, error = sampled_loss((False, 0, 0), runs.W[k], runs.b[k], x, importance)
        assert abs(mean - runs.loss[k]) < 5 * np.hypot(error, runs.loss_error[k])
    linear = phd.ToyModel(12, 3, activation="linear")
    trained = phd.train(0.2, seeds=2, steps=4000, model=linear, importance=importance)
    optimum = np.sort(importance * variance(0.2))[:9].sum()
    assert trained.loss_error is None
    assert optimum <= trained.loss.min() < 1.01 * optimum


def test_runs_are_compared_on_any_axes():
    """In a column of a diagram over the penalty, in one over the correlation."""
    density = [0.3, 0.6]
    penalty = phd.Axis("interference_penalty", 0.01, 0.04, points=3)
    diagram = phd.phase_diagram(x=penalty, y=phd.Axis("density", 0.3, 0.6, points=2))
    for k in (0, 2):
        model = phd.ToyModel(2, interference_penalty=penalty.values[k])
        runs = phd.train(density, model=model, seeds=4, steps=3000, optimizer="exact")
        usual = phd.compare(phd.phase_diagram(density, [1.0], model=model), runs)
        other = phd.compare(diagram, runs)
        assert (other.outcome == usual.outcome).all()
        assert (other.x, other.y) == (penalty, diagram.y)
        assert other.relative_importance.tolist() == [penalty.values[k]] * 2
        np.testing.assert_allclose(other.excess, usual.excess, atol=1e-13)
        np.testing.assert_allclose(other.theory_loss, diagram.loss[:, k], rtol=1e-12)
    correlation = phd.Axis("correlation", 0, 1, scale="linear", points=3)
    diagram = phd.phase_diagram(x=correlation, y=phd.Axis("density", 0.1, 0.4), model=PAIRS)
    pairs = [phd.correlated(*f, correlation=0.5) for f in ((0, 1), (2, 3))]
    runs = phd.train(
        0.1, model=phd.ToyModel(4, 2, groups=pairs), seeds=2, steps=50, optimizer="exact"
    )
    agreement = phd.compare(diagram, runs)
    assert agreement.relative_importance == 0.5
    np.testing.assert_allclose(agreement.excess, runs.loss - diagram.loss[0, 1], rtol=1e-12)


@pytest.mark.parametrize(
    ("names", "model", "held"),
    [
        (("weight_decay", "interference_penalty"), phd.ToyModel(3, bias=False), {"density": 0.3}),
        (("relative_density", "density"), phd.ToyModel(3), {}),
        (("density[1]", "density"), phd.ToyModel(3), {"relative_density": 0.5}),
        (("importance[0]", "relative_importance"), phd.ToyModel(3), {"density": 0.3}),
        (("correlation", "density"), phd.ToyModel(3, groups=[phd.correlated(0, 1)]), {}),
        (("follow", "density"), phd.ToyModel(3, groups=[phd.hierarchical(0, 1)]), {}),
        (
            ("weight_decay", "relative_importance"),
            phd.ToyModel(2, activity=[0.1, 0.2, 0.3, 0.4]),
            {},
        ),
    ],
    ids=lambda given: given if isinstance(given, tuple) else "",
)
def test_networks_are_compared_on_any_axes(names, model, held):
    """The minima of a diagram are networks without excess, at every point, whatever the axes."""
    x, y = (phd.Axis(name, 0.2, 0.9, points=2) for name in names)
    diagram = phd.phase_diagram(x=x, y=y, model=model, **held)
    agreement = phd.compare_weights(
        diagram.W[:, :, None], diagram.b[:, :, None], y.values[:, None], x.values, diagram
    )
    assert (agreement.outcome == "global").all()
    np.testing.assert_allclose(agreement.excess[..., 0], 0.0, atol=1e-13)
    assert (agreement.theory_phase == diagram.phase).all()


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({"density": 0.3}, "every interference_penalty of training must be in the diagram, got 0"),
        (
            {"density": 0.3, "model": phd.ToyModel(2, interference_penalty=0.01, weight_decay=0.1)},
            r"same penalties, got \[0.01, 0.0\] and \[0.01, 0.1\] at density = 0.3, interf",
        ),
        (
            {"density": 0.3, "model": phd.ToyModel(2, interference_penalty=0.01, bias=False)},
            "must be of the same model",
        ),
        (
            {
                "density": 0.3,
                "relative_importance": 0.5,
                "model": phd.ToyModel(2, interference_penalty=0.01),
            },
            r"same importances, got \[1.0, 1.0\] and \[1.0, 0.5\] at",
        ),
        (
            {
                "density": 0.3,
                "model": phd.ToyModel(
                    2, groups=[phd.anticorrelated(0, 1)], interference_penalty=0.01
                ),
            },
            "same probabilities of sets of active features, got",
        ),
        ({"density": 0.4, "model": phd.ToyModel(2, interference_penalty=0.01)}, "every density of"),
    ],
)
def test_runs_of_other_models_are_refused_on_any_axes(training, message):
    axes = {
        "x": phd.Axis("interference_penalty", 0.01, 0.04, points=2),
        "y": phd.Axis("density", 0.3, 0.6, points=2),
    }
    diagram = phd.phase_diagram(**axes)
    runs = phd.train(**training, steps=2, optimizer="exact")
    with pytest.raises(ValueError, match=message) as raised:
        phd.compare(diagram, runs)
    assert "\n" not in str(raised.value)


def test_networks_that_do_not_fit_a_diagram_are_refused():
    axes = {
        "x": phd.Axis("correlation", 0, 1, scale="linear", points=3),
        "y": phd.Axis("density", 0.3, 0.6, points=2),
    }
    diagram = phd.phase_diagram(model=phd.ToyModel(2, groups=[phd.correlated(0, 1)]), **axes)
    network = [[[1.0, 0.0]]], [[0.0, 0.0]]
    for arguments, message in (
        ((*network, 0.3, 0.4, diagram), "every correlation of networks must be in the diagram"),
        (([[[1.0, 0, 0]]], [[0, 0, 0]], 0.3, 0.5, diagram), "the networks' n_features"),
    ):
        with pytest.raises(ValueError, match=message):
            phd.compare_weights(*arguments)
    with pytest.raises(ValueError, match="model must be that of the diagram"):
        phd.compare_weights(*network, 0.3, 0.5, diagram, model=phd.ToyModel(2))
    with pytest.raises(ValueError, match="relative_density must be that of the diagram, 1, got 2"):
        phd.compare_weights(*network, 0.3, 0.5, diagram, relative_density=2)
