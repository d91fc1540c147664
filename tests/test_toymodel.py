"""Toy models: every term three ways, symmetries, limits, defaults, bad input."""

from __future__ import annotations

import sys
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from assumed import law, sampled, sampled_loss
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import nquad

import phasediagram as phd
from phasediagram.kernel.tables import activity_table

sys.path.append(str(Path(__file__).parent / "kernel"))
from exact_rows import squared_error

GROUPS = {
    "correlated": (4, [("correlated", (0, 1), Fraction(1)), ("correlated", (2, 3), Fraction(1))]),
    "softly correlated": (3, [("correlated", (2, 0), Fraction(2, 5))]),
    "three correlated": (4, [("correlated", (0, 1, 3), Fraction(1, 3))]),
    "anticorrelated": (3, [("anticorrelated", (0, 2), Fraction(1))]),
    "hierarchical": (3, [("hierarchical", (1, 0), Fraction(3, 10))]),
    "all of them": (
        6,
        [
            ("correlated", (0, 1), Fraction(1, 2)),
            ("anticorrelated", (2, 5), Fraction(1)),
            ("hierarchical", (3, 4), Fraction(1, 4)),
        ],
    ),
}
MAKERS = {
    "correlated": lambda features, s: phd.correlated(*features, correlation=float(s)),
    "anticorrelated": lambda features, s: phd.anticorrelated(*features),
    "hierarchical": lambda features, s: phd.hierarchical(*features, follow=float(s)),
}


def model_of(n, groups, m=None, **others):
    made = [MAKERS[kind](features, strength) for kind, features, strength in groups]
    return phd.ToyModel(n, m, groups=made, **others)


def densities_of(n, groups, rng):
    """A random density for each block, as fractions."""
    density = [Fraction(int(rng.integers(1, 20)), 20) for _ in range(n)]
    for _, features, _ in groups:
        for i in features:
            density[i] = density[features[0]]
    return density


@pytest.mark.parametrize("case", GROUPS)
def test_tables_are_the_laws_by_definition(case):
    n, groups = GROUPS[case]
    model = model_of(n, groups)
    for seed in range(5):
        density = densities_of(n, groups, np.random.default_rng(seed))
        found = activity_table(model, np.array(density, dtype=float))
        np.testing.assert_allclose(found, np.array(law(n, density, groups), float), atol=1e-15)


def rational_state(n, m, rng):
    def fraction(low, high):
        return Fraction(int(rng.integers(low, high)), 16)

    while True:  # the textbook sum needs gains other than 0
        W = [[fraction(-20, 21) for _ in range(n)] for _ in range(m)]
        gram = [[sum(w[i] * w[j] for w in W) for j in range(n)] for i in range(n)]
        if all(gram[i][j] != 0 for i, j in product(range(n), repeat=2)):
            return W, gram, [fraction(-8, 9) for _ in range(n)]


@pytest.mark.parametrize("case", GROUPS)
def test_the_loss_of_groups_and_penalties_is_exact(case):
    """In rational arithmetic, with the textbook sum over corners."""
    n, groups = GROUPS[case]
    rng = np.random.default_rng(n)
    m = n - 1
    model = model_of(n, groups, interference_penalty=0.25, weight_decay=0.125)
    density = densities_of(n, groups, rng)
    W, gram, b = rational_state(n, m, rng)
    importance = [Fraction(int(rng.integers(1, 9)), 4) for _ in range(n)]
    table = law(n, density, groups)
    exact = sum(importance[i] * squared_error(gram[i], b[i], i, table) for i in range(n))
    off = sum(gram[i][j] ** 2 for i in range(n) for j in range(n) if i != j)
    exact += Fraction(1, 4) * off + Fraction(1, 8) * sum(gram[i][i] for i in range(n))
    arrays = (np.array(v, dtype=float) for v in (W, b, density, importance))
    assert phd.expected_loss(*arrays, model=model) == pytest.approx(float(exact), rel=1e-13)


def test_the_loss_of_any_law_is_exact():
    """Of probabilities at random, in rational arithmetic."""
    rng = np.random.default_rng(7)
    counts = [int(c) for c in rng.integers(0, 9, size=8)]
    table = [Fraction(c, 64) for c in counts]
    table[0] += 1 - sum(table)
    W, gram, b = rational_state(3, 2, rng)
    exact = sum(squared_error(gram[i], b[i], i, table) for i in range(3))
    arrays = (np.array(v, dtype=float) for v in (W, b))
    model = phd.ToyModel(3, 2, activity=[float(t) for t in table])
    assert phd.expected_loss(*arrays, model=model) == pytest.approx(float(exact), rel=1e-13)


@pytest.mark.parametrize("case", GROUPS)
def test_the_loss_of_a_linear_model_is_exact(case):
    """From first and second moments, in rational arithmetic."""
    n, groups = GROUPS[case]
    rng = np.random.default_rng(n + 1)
    density = densities_of(n, groups, rng)
    table = law(n, density, groups)
    W, gram, b = rational_state(n, n - 1, rng)
    exact = Fraction(0)
    for i in range(n):
        row = [int(i == j) - gram[i][j] for j in range(n)]
        for a, chance in enumerate(table):
            active = [j for j in range(n) if a >> j & 1]
            mean = sum((row[j] / Fraction(2) for j in active), Fraction(0)) - b[i]
            exact += chance * (mean**2 + sum(row[j] ** 2 for j in active) / Fraction(12))
    model = model_of(n, groups, activation="linear")
    arrays = (np.array(v, dtype=float) for v in (W, b, density))
    assert phd.expected_loss(*arrays, model=model) == pytest.approx(float(exact), rel=1e-13)


@pytest.mark.parametrize(
    "model",
    [
        phd.ToyModel(2, groups=[phd.correlated(0, 1, correlation=0.3)], weight_decay=0.1),
        phd.ToyModel(2, groups=[phd.anticorrelated(0, 1)], interference_penalty=0.2),
        phd.ToyModel(2, groups=[phd.hierarchical(0, 1, follow=0.3)]),
        phd.ToyModel(2, activity=[0.4, 0.1, 0.2, 0.3], activation="linear"),
    ],
    ids=repr,
)
def test_the_loss_is_what_quadrature_gives(model):
    W, b, importance = np.array([[1.1, -0.7]]), np.array([0.1, -0.2]), np.array([1.0, 0.4])
    if not model.bias:
        b = 0 * b
    p = None if model.activity else 0.3
    density = [Fraction(3, 10)] * 2
    kinds = [(g.kind, g.features, Fraction(str(g.strength))) for g in model.groups]
    table = model.activity or [float(v) for v in law(2, density, kinds)]
    gram = W.T @ W

    def error(x):
        z = gram @ x + b
        output = z if model.activation == "linear" else np.maximum(z, 0)
        return float(importance @ (x - output) ** 2)

    kinks = [-b[i] / gram[i, j] for i, j in product(range(2), repeat=2)]
    points = [k for k in kinks if 0 < k < 1]
    single = [
        nquad(lambda v, j=j: error(np.eye(2)[j] * v), [(0, 1)], opts={"points": points})[0]
        for j in range(2)
    ]
    both = nquad(lambda x, y: error(np.array([x, y])), [(0, 1), (0, 1)], opts={"epsabs": 1e-9})[0]
    expected = table[0] * error(np.zeros(2)) + table[1] * single[0] + table[2] * single[1]
    expected += table[3] * both
    expected += model.interference_penalty * 2 * gram[0, 1] ** 2
    expected += model.weight_decay * (W**2).sum()
    assert phd.expected_loss(W, b, p, importance, model=model) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("case", GROUPS)
@pytest.mark.parametrize("linear", [False, True])
def test_the_loss_is_that_of_samples_within_5_standard_errors(case, linear):
    n, groups = GROUPS[case]
    rng = np.random.default_rng([n, linear])
    density = densities_of(n, groups, rng)
    model = model_of(
        n,
        groups,
        activation="linear" if linear else "relu",
        interference_penalty=0.05,
        weight_decay=0.02,
    )
    x = sampled(n, density, groups, 200_000, rng)
    for _ in range(3):
        W, b = rng.normal(size=(n - 1, n)) / 2, rng.normal(size=n) / 4
        importance = rng.uniform(0.2, 2, n)
        mean, error = sampled_loss((linear, 0.05, 0.02), W, b, x, importance)
        found = phd.expected_loss(W, b, np.array(density, float), importance, model=model)
        assert abs(found - mean) < 5 * error


MODELS = [
    phd.ToyModel(3, 2, interference_penalty=0.3),
    phd.ToyModel(3, 2, weight_decay=0.3),
    phd.ToyModel(3, 2, activation="linear", interference_penalty=0.1),
    phd.ToyModel(4, 2, groups=[phd.correlated(0, 1), phd.hierarchical(2, 3)], weight_decay=0.1),
    phd.ToyModel(2, activity=[0.1, 0.2, 0.3, 0.4], interference_penalty=0.2),
]


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_gradients_and_hessians_are_differences(model):
    n, m = model.n_features, model.n_hidden
    rng = np.random.default_rng(n)
    W, b, r = rng.normal(size=(m, n)), rng.normal(size=n) / 3, rng.uniform(0.2, 2, n)
    p = None if model.activity else 0.4
    _, *gradient = phd.expected_loss_and_gradient(W, b, p, r, model=model)
    hessian = phd.expected_loss_hessian(W, b, p, r, model=model)
    x = np.concatenate([W.ravel(), b])

    def at(x):
        W, b = x[: m * n].reshape(m, n), x[m * n :]
        loss, *slopes = phd.expected_loss_and_gradient(W, b, p, r, model=model)
        return loss, np.concatenate([s.ravel() for s in slopes])

    steps = 1e-6 * np.eye(len(x))
    first = [(at(x + s)[0] - at(x - s)[0]) / 2e-6 for s in steps]
    second = [(at(x + s)[1] - at(x - s)[1]) / 2e-6 for s in steps]
    np.testing.assert_allclose(np.concatenate([g.ravel() for g in gradient]), first, atol=1e-8)
    np.testing.assert_allclose(hessian, second, atol=1e-7)


def test_without_biases_they_neither_slope_nor_move():
    model = phd.ToyModel(3, 2, bias=False)
    W = np.random.default_rng(0).normal(size=(2, 3))
    loss, by_W, by_b = phd.expected_loss_and_gradient(W, np.zeros(3), 0.4, 1.0, model=model)
    usual = phd.expected_loss_and_gradient(W, np.zeros(3), 0.4, 1.0)
    assert loss == usual[0]
    assert np.array_equal(by_W, usual[1])
    assert not by_b.any()
    hessian = phd.expected_loss_hessian(W, np.zeros(3), 0.4, 1.0, model=model)
    assert np.array_equal(hessian[:6, :6], phd.expected_loss_hessian(W, np.zeros(3), 0.4)[:6, :6])
    assert not hessian[:6, 6:].any()
    solution = phd.solve(0.4, 0.7, model=model)
    assert all(not minimum.b.any() for minimum in solution.minima)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_features_can_be_permuted_with_everything_that_is_theirs(seed):
    rng = np.random.default_rng(seed)
    n, groups = GROUPS["all of them"]
    order = rng.permutation(n)
    place = np.argsort(order)  # feature i becomes feature place[i]
    density = np.array(densities_of(n, groups, rng), float)
    importance, b, W = rng.uniform(0.1, 3, n), rng.normal(size=n) / 3, rng.normal(size=(2, n))
    moved = [(kind, tuple(int(place[i]) for i in f), s) for kind, f, s in groups]
    terms = {"interference_penalty": 0.1, "weight_decay": 0.2}
    one = phd.expected_loss(W, b, density, importance, model=model_of(n, groups, 2, **terms))
    other = phd.expected_loss(
        W[:, order],
        b[order],
        density[order],
        importance[order],
        model=model_of(n, moved, 2, **terms),
    )
    assert one == pytest.approx(other, rel=1e-13)


@given(seed=st.integers(0, 10**6), scale=st.floats(0.01, 100))
@settings(max_examples=40, deadline=None)
def test_the_loss_scales_with_importances_and_penalties_together(seed, scale):
    rng = np.random.default_rng(seed)
    W, b, importance = rng.normal(size=(2, 3)), rng.normal(size=3), rng.uniform(0.1, 3, 3)
    one = phd.ToyModel(3, 2, interference_penalty=0.3, weight_decay=0.1)
    other = phd.ToyModel(3, 2, interference_penalty=0.3 * scale, weight_decay=0.1 * scale)
    loss = phd.expected_loss(W, b, 0.4, importance, model=one)
    assert phd.expected_loss(W, b, 0.4, scale * importance, model=other) == pytest.approx(
        scale * loss, rel=1e-13
    )


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_limits_are_the_simpler_models(seed):
    rng = np.random.default_rng(seed)
    W, b, p = rng.normal(size=(2, 3)), rng.normal(size=3), rng.uniform(0.05, 1)
    plain = phd.expected_loss(W, b, p)
    independent = phd.ToyModel(3, 2, groups=[phd.correlated(0, 2, correlation=0.0)])
    assert phd.expected_loss(W, b, p, model=independent) == pytest.approx(plain, rel=1e-14)
    for tiny in (1e-6, 1e-9):
        slight = phd.ToyModel(3, 2, interference_penalty=tiny, weight_decay=tiny)
        found = phd.expected_loss(W, b, p, model=slight)
        assert 0 < found - plain < 1e3 * tiny
    activity = phd.ToyModel(3, 2, activity=[(1 - p) ** 3, *[0.0] * 6, 1 - (1 - p) ** 3])
    both = phd.ToyModel(3, 2, groups=[phd.correlated(0, 1, 2)])
    assert phd.expected_loss(W, b, model=activity) == pytest.approx(
        float(phd.expected_loss(W, b, 1 - (1 - p) ** 3, model=both)), rel=1e-12
    )


def test_a_feature_that_is_never_active_drops_out():
    """Its output costs E[ReLU^2] at most; minimised over that, nothing is left of it."""
    two = phd.solve(0.3, 1.0, 2)
    three = phd.solve([0.3, 0.3, 1e-12], n_features=3, n_hidden=1)
    assert three.loss == pytest.approx(two.loss, abs=1e-11)


@pytest.mark.parametrize(("n", "p", "r"), [(2, 0.3, 0.7), (2, 0.6, 1.0), (3, 0.5, 0.9)])
def test_defaults_give_bit_for_bit_what_they_give_without(n, p, r):
    given = phd.solve(p, r, n, model=phd.ToyModel(n))
    without = phd.solve(p, r, n)
    assert [m.loss for m in given.minima] == [m.loss for m in without.minima]
    assert all(
        np.array_equal(one.W, other.W) and np.array_equal(one.b, other.b)
        for one, other in zip(given.minima, without.minima, strict=True)
    )
    axes = [p, 0.9], [r, 1.2, 2.0]
    one, other = (phd.phase_diagram(*axes, n, model=model) for model in (None, phd.ToyModel(n)))
    assert np.array_equal(one.loss, other.loss)
    assert np.array_equal(one.W, other.W)
    runs = [phd.train(p, r, n, seeds=2, steps=50, model=model) for model in (None, phd.ToyModel(n))]
    assert np.array_equal(runs[0].W, runs[1].W)


def test_defaults_trace_and_compare_bit_for_bit_what_they_do_without():
    window = {"density": (0.45, 0.7), "relative_importance": (0.5, 0.9), "spinodals": False}
    one, other = (phd.phase_boundaries(2, model=model, **window) for model in MODEL_OR_NONE)
    assert one.special_points == other.special_points
    assert len(one.boundaries) == len(other.boundaries) > 0
    for mine, theirs in zip(one.boundaries, other.boundaries, strict=True):
        assert np.array_equal(mine.density, theirs.density)
        assert np.array_equal(mine.loss, theirs.loss)
        assert (mine.phases, mine.order, mine.ends) == (theirs.phases, theirs.order, theirs.ends)
    one, other = (phd.loss_section(0.6, [0.5, 0.7, 1.0], model=model) for model in MODEL_OR_NONE)
    assert one.transitions == other.transitions
    for mine, theirs in zip(one.branches, other.branches, strict=True):
        assert np.array_equal(mine.loss, theirs.loss, equal_nan=True)
    one, other = (
        phd.basin_probabilities(0.5, 0.5, runs=8, steps=300, model=model) for model in MODEL_OR_NONE
    )
    assert one == other
    arguments = [[[1.1, -0.8]]], [[0.1, 0.0]], 0.4, 0.9
    one, other = (phd.compare_weights(*arguments, model=model) for model in MODEL_OR_NONE)
    assert (one.excess, one.minimum_excess) == (other.excess, other.minimum_excess)


MODEL_OR_NONE = (None, phd.ToyModel(2))


def test_a_linear_models_minimum_is_weighted_pca():
    """W^T W projects on the features with the largest I V, the rest cost theirs."""
    density, importance = np.array([0.5, 0.2, 0.9, 0.4]), np.array([1.0, 2.0, 0.5, 0.7])
    model = phd.ToyModel(4, 2, activation="linear")
    solution = phd.solve(density, importance=importance, model=model)
    costs = importance * (density / 3 - density**2 / 4)
    kept = np.argsort(costs)[2:]
    assert solution.loss == pytest.approx(np.sort(costs)[:2].sum(), rel=1e-12)
    expected = np.zeros((4, 4))
    expected[kept, kept] = 1.0
    np.testing.assert_allclose(solution.gram, expected, atol=1e-6)


def test_a_linear_models_diagram_shows_no_superposition():
    axes = {"x": phd.Axis("relative_importance", 0.3, 3, points=8), "model": LINEAR}
    diagram = phd.phase_diagram(y=phd.Axis("density", 0.01, 1, points=6), **axes)
    expected = np.where(diagram.relative_importance < 1, "ignored", "dedicated")
    assert (diagram.phase == expected).all()


LINEAR = phd.ToyModel(2, activation="linear")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: phd.ToyModel(1), "n_features must be between 2 and 1000, got 1"),
        (lambda: phd.ToyModel(3, 3), "n_hidden must be at least 1 and below n_features = 3, got 3"),
        (lambda: phd.ToyModel(2, activation="gelu"), "activation must be 'relu' or 'linear'"),
        (lambda: phd.ToyModel(2, bias=0.0), "bias must be True or False, got 0.0"),
        (lambda: phd.ToyModel(2, weight_decay=-1), r"weight_decay must lie in \[0, .*\], got -1"),
        (lambda: phd.correlated(0), "two or more different features"),
        (lambda: phd.correlated(), "two or more different features"),
        (lambda: phd.anticorrelated(1, 1), "two or more different features"),
        (lambda: phd.correlated(0, 1, correlation=1.5), r"correlation must lie in \[0, 1\], got"),
        (lambda: phd.hierarchical(0, 1, follow=-0.1), r"follow must lie in \[0, 1\], got -0.1"),
        (
            lambda: phd.ToyModel(3, groups=[phd.correlated(0, 1), phd.hierarchical(1, 2)]),
            "groups must not overlap, got feature 1",
        ),
        (
            lambda: phd.ToyModel(2, groups=[phd.correlated(1, 2)]),
            "groups must have features below n_features = 2",
        ),
        (lambda: phd.ToyModel(2, groups=[(0, 1)]), "groups must come from correlated"),
        (lambda: phd.ToyModel(2, activity=[0.5, 0.5]), r"activity must have shape \(4,\)"),
        (
            lambda: phd.ToyModel(2, activity=[0.5, 0.5, 0.1, 0]),
            "activity must add up to 1, got 1.1",
        ),
        (
            lambda: phd.ToyModel(2, activity=[1.5, -0.5, 0, 0]),
            "activity must consist of probabilities, got -0.5",
        ),
        (lambda: phd.solve(0.5, model="relu"), "model must be a ToyModel, got 'relu'"),
        (
            lambda: phd.solve(0.5, 1.0, 3, 2, model=phd.ToyModel(2)),
            "n_features and n_hidden must be those of the model",
        ),
        (lambda: phd.solve(model=phd.ToyModel(2)), "density must be given"),
        (
            lambda: phd.solve(0.5, model=phd.ToyModel(2, activity=[1, 0, 0, 0])),
            "density must be left out, since the model's activity gives it",
        ),
        (lambda: phd.solve([0.1, 0.2, 0.3]), r"density must be a number or have shape \(2,\)"),
        (
            lambda: phd.solve(0.1, importance=[1, 2, 3]),
            r"importance must be a number or have shape \(2,\)",
        ),
        (
            lambda: phd.solve(0.1, 0.5, importance=[1, 2]),
            "importance and relative_importance exclude each other",
        ),
        (
            lambda: phd.solve([0.1, 0.2], model=phd.ToyModel(2, groups=[phd.correlated(0, 1)])),
            r"density must be the same within correlated\(0, 1\)",
        ),
        (
            lambda: phd.expected_loss([[1, 1]], [0, 0.1], 0.5, model=phd.ToyModel(2, bias=False)),
            "b must be 0 in a model without biases",
        ),
        (
            lambda: phd.expected_loss([[1, 1]], [0, 0.1], 0.5, model=phd.ToyModel(3)),
            r"W must have shape \(..., 2, 3\)",
        ),
        (lambda: phd.train(0.5, model=phd.ToyModel(20, 5), optimizer="exact"), "at most 8"),
    ],
)
def test_bad_models_are_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as raised:
        call()
    assert "\n" not in str(raised.value)


def test_models_are_values():
    one = phd.ToyModel(3, groups=[phd.correlated(0, 1)], weight_decay=0.5)
    assert one == phd.ToyModel(3, 2, groups=(phd.correlated(0, 1),), weight_decay=0.5)
    assert hash(one) == hash(phd.ToyModel(3, 2, groups=(phd.correlated(0, 1),), weight_decay=0.5))
    assert one != phd.ToyModel(3, 2, groups=[phd.correlated(0, 1)])
    assert repr(one) == "ToyModel(3, 2, groups=(correlated(0, 1),), weight_decay=0.5)"
    with pytest.raises(AttributeError):
        one.bias = False
