"""Axes: derivatives by each parameter, diagrams, boundaries and sections on any of them."""

from __future__ import annotations

import numpy as np
import pytest

import phasediagram as phd
from phasediagram.minima.engine import Engine
from phasediagram.minima.symmetry import plane_engine, plane_space
from phasediagram.parameters import plane_from_record, plane_of, plane_record

PAIRS = phd.ToyModel(4, 2, groups=[phd.correlated(0, 1), phd.correlated(2, 3)])
PENALIZED = phd.ToyModel(3, 2, interference_penalty=0.1, weight_decay=0.05, bias=False)
FOLLOWED = phd.ToyModel(3, 2, groups=[phd.hierarchical(0, 1, follow=0.4)])

PLANES = {
    "density and relative density": (phd.ToyModel(3), ("density", "relative_density"), {}),
    "one density and all": (phd.ToyModel(3), ("density", "density[1]"), {}),
    "importances": (phd.ToyModel(3), ("importance[0]", "relative_importance"), {"density": 0.3}),
    "penalties": (
        PENALIZED,
        ("interference_penalty", "weight_decay"),
        {"density": [0.1, 0.2, 0.3]},
    ),
    "correlation": (PAIRS, ("correlation", "density"), {}),
    "density of a group": (PAIRS, ("density[0]", "importance[3]"), {"density": 0.2}),
    "follow": (FOLLOWED, ("follow", "relative_density"), {"density": 0.2}),
    "penalty and importance": (
        PENALIZED,
        ("interference_penalty", "relative_importance"),
        {"density": 0.2},
    ),
}


def axis(name, scale="log"):
    return phd.Axis(name, 0.2, 0.9, scale=scale)


@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize("case", PLANES)
def test_derivatives_by_each_axis_are_differences(case, scale):
    model, names, held = PLANES[case]
    plane = plane_of(model, tuple(axis(name, scale) for name in names), **held)
    engine = plane_engine(plane, model.n_hidden)
    assert isinstance(engine, Engine)
    rng = np.random.default_rng(0)
    x = rng.normal(size=engine.space.size) / 2
    if not model.bias:
        x[-model.n_features :] = 0.0
    position = np.array([a.coordinates(0.37 + 0.2 * k) for k, a in enumerate(plane.axes)])
    for k, by in enumerate(plane.derivatives(position)):
        step = 1e-5 * np.eye(2)[k]
        ahead, behind = (engine.slope(x, plane.at(position + s)) for s in (step, -step))
        slope = engine.slope(x, by)
        assert slope[0] == pytest.approx((ahead[0] - behind[0]) / 2e-5, rel=1e-7, abs=1e-9)
        np.testing.assert_allclose(slope[1], (ahead[1] - behind[1]) / 2e-5, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("case", PLANES)
def test_a_plane_is_the_loss_at_its_values(case):
    """Evaluated by `expected_loss` with the model that has those values."""
    model, names, held = PLANES[case]
    plane = plane_of(model, tuple(axis(name) for name in names), **held)
    values = dict(zip(names, (0.41, 0.63), strict=True))
    position = np.array(
        [a.coordinates(v) for a, v in zip(plane.axes, values.values(), strict=True)]
    )
    n = model.n_features
    density = np.full(n, values.get("density", 1.0)) * held.get("density", 1.0)
    if "density" in held and "density" not in values:
        density = np.broadcast_to(np.asarray(held["density"], float), n).copy()
    importance = np.ones(n)
    for name, value in values.items():
        kind, _, feature = name.rstrip("]").partition("[")
        if kind == "density" and feature:
            members = [g.features for g in model.groups if int(feature) in g.features]
            density[list(members[0]) if members else int(feature)] = value
        if kind == "importance":
            importance[int(feature)] = value
    density[-1] *= values.get("relative_density", 1.0)
    importance[-1] *= values.get("relative_importance", 1.0)
    changed = {k: values[k] for k in ("interference_penalty", "weight_decay") if k in values}
    strength = {"correlated": values.get("correlation"), "hierarchical": values.get("follow")}
    groups = [
        phd.Group(g.kind, g.features, strength[g.kind] if strength[g.kind] else g.strength)
        for g in model.groups
    ]
    terms = {"interference_penalty": model.interference_penalty, "weight_decay": model.weight_decay}
    same = phd.ToyModel(n, model.n_hidden, bias=model.bias, groups=groups, **{**terms, **changed})
    engine = plane_engine(plane, model.n_hidden)
    x = np.random.default_rng(1).normal(size=engine.space.size) / 2
    if not model.bias:
        x[-n:] = 0.0
    W, b = engine.space.weights(x), engine.space.biases(x)
    expected = phd.expected_loss(W, b, density, importance, model=same)
    assert engine.slope(x, plane.at(position))[0] == pytest.approx(float(expected), rel=1e-13)
    restored = plane_from_record(plane_record(plane))
    assert np.array_equal(restored.at(position).table, plane.at(position).table)


@pytest.mark.parametrize(
    ("model", "names", "held", "equal", "orders"),
    [
        (phd.ToyModel(3), ("density", "relative_importance"), {}, {(0, 1), (2,)}, 2),
        (phd.ToyModel(3), ("density", "interference_penalty"), {}, {(0, 1, 2)}, 6),
        (phd.ToyModel(3), ("density[0]", "relative_importance"), {"density": 0.1}, None, 1),
        (phd.ToyModel(4, 2), ("density", "importance[1]"), {}, {(0, 2, 3), (1,)}, 6),
        (PAIRS, ("density", "correlation"), {}, {(0, 1), (2, 3)}, 8),
        (PAIRS, ("density", "relative_importance"), {}, {(0, 1), (2,), (3,)}, 2),
        (FOLLOWED, ("density", "follow"), {}, {(0,), (1,), (2,)}, 1),
        (
            phd.ToyModel(3, groups=[phd.anticorrelated(0, 1)]),
            ("density", "weight_decay"),
            {},
            {(0, 1), (2,)},
            2,
        ),
    ],
)
def test_what_is_equal_follows_from_the_parameters(model, names, held, equal, orders):
    plane = plane_of(model, tuple(axis(name) for name in names), **held)
    space = plane_space(plane, model.n_hidden)
    assert len(space.orders) == orders
    assert equal is None or set(space.equal) == equal
    assert space.orders[0].tolist() == list(range(model.n_features))


def test_a_grid_on_other_axes_has_the_lowest_minima():
    model = phd.ToyModel(2)
    x, y = (
        phd.Axis("interference_penalty", 0.002, 0.08, points=7),
        phd.Axis("density", 0.05, 0.9, points=6),
    )
    diagram = phd.phase_diagram(relative_importance=0.9, x=x, y=y, model=model)
    assert diagram.x == x
    assert diagram.y == y
    for i, p in enumerate(y.values[::2]):
        for j, penalty in enumerate(x.values[::2]):
            there = phd.ToyModel(2, interference_penalty=penalty)
            expected = phd.solve(p, 0.9, model=there)
            assert diagram.loss[2 * i, 2 * j] == pytest.approx(expected.loss, rel=1e-11)


def test_a_grid_of_pairs_has_the_lowest_minima():
    x = phd.Axis("correlation", 0, 1, scale="linear", points=4)
    diagram = phd.phase_diagram(x=x, y=phd.Axis("density", 0.1, 0.6, points=4), model=PAIRS)
    for i, j in ((0, 0), (1, 3), (3, 1), (2, 2)):
        groups = [phd.correlated(*f, correlation=x.values[j]) for f in ((0, 1), (2, 3))]
        there = phd.ToyModel(4, 2, groups=groups)
        expected = phd.solve(diagram.density[i], model=there)
        assert diagram.loss[i, j] == pytest.approx(expected.loss, rel=1e-10)


def test_a_diagram_on_other_axes_is_the_same_streamed_and_loaded(tmp_path):
    axes = {"x": axis("relative_density"), "y": axis("density")}
    axes = {k: phd.Axis(a.name, a.start, a.stop, points=5) for k, a in axes.items()}
    memory = phd.phase_diagram(n_features=3, **axes)
    disk = phd.phase_diagram(n_features=3, directory=tmp_path / "blocks", **axes)
    again = phd.phase_diagram(n_features=3, directory=tmp_path / "blocks", **axes)
    for other in (disk, again):
        assert np.array_equal(other.loss, memory.loss)
        assert (other.x, other.y, other.model) == (memory.x, memory.y, memory.model)
    with pytest.raises(ValueError, match="holds a diagram of"):
        phd.phase_diagram(
            n_features=3,
            directory=tmp_path / "blocks",
            **{**axes, "model": phd.ToyModel(3, bias=False)},
        )


def test_results_of_other_models_come_back_from_files(tmp_path):
    axes = {
        "x": phd.Axis("density[0]", 0.2, 0.9, points=3),
        "y": phd.Axis("importance[2]", 1, 2, points=3),
    }
    diagram = phd.phase_diagram(0.3, n_features=3, **axes)
    line = phd.Boundary(
        *np.array([[0.3, 0.4], [1.0, 1.5]]), ("ignored", "antipodal"), 1, "equilibrium"
    )
    parts = {"model": diagram.model, "held": diagram.held, **axes}
    boundaries = phd.PhaseBoundaries((line,), (), 3, 2, "free", **parts)
    for result in (diagram, boundaries):
        phd.save(tmp_path / "result.npz", result)
        loaded = phd.load(tmp_path / "result.npz")
        assert (loaded.x, loaded.y, loaded.model) == (result.x, result.y, result.model)
        assert np.array_equal(loaded.held.importance, result.held.importance)
    assert np.array_equal(loaded.boundaries[0].density, line.density)
    solution = phd.solve([0.3, 0.2], importance=[1.0, 0.5], model=phd.ToyModel(2, weight_decay=0.1))
    phd.save(tmp_path / "solution.npz", solution)
    restored = phd.load(tmp_path / "solution.npz")
    assert restored.density.tolist() == [0.3, 0.2]
    assert restored.importance.tolist() == [1.0, 0.5]
    assert restored.model == solution.model
    runs = phd.train(0.3, importance=[1.0, 0.5], model=solution.model, steps=3)
    phd.save(tmp_path / "runs.npz", runs)
    again = phd.load(tmp_path / "runs.npz")
    assert (again.model, again.importance) == (runs.model, runs.importance)


def test_a_section_says_where_it_crosses_boundaries():
    """Each is a point of the curves that the tracer finds, or they of the section."""
    section = phd.loss_section(0.7, np.linspace(0.2, 5, 30))
    orders = [transition.order for transition in section.transitions]
    phases = [transition.phases for transition in section.transitions]
    positions = np.array([transition.position for transition in section.transitions])
    assert orders == [2, 1, 1, 2]
    assert phases[0] == ("ignored", "partial")
    assert phases[1] == ("partial", "antipodal")
    # features exchanged: r -> 1 / r
    np.testing.assert_allclose(positions * positions[::-1], 1.0, rtol=1e-9)
    for transition in section.transitions[1:3]:
        losses = sorted(minimum.loss for minimum in phd.solve(0.7, transition.position).minima)
        assert losses[1] - losses[0] < 1e-10 * losses[0]
        assert transition.slope_jump < 0  # the lowest of two losses is concave there


@pytest.mark.parametrize("count", [7, 40])
def test_transitions_do_not_depend_on_the_points(count):
    section = phd.loss_section(np.linspace(1, 0.4, count), 0.6)
    found = [(t.phases, t.order) for t in section.transitions]
    assert found == [(("ignored", "partial"), 2), (("partial", "antipodal"), 1)]
    positions = [t.position for t in section.transitions]
    finer = phd.loss_section(np.linspace(0.6, 0.5, 25), 0.6).transitions
    np.testing.assert_allclose(positions, [t.position for t in finer], rtol=1e-10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: phd.Axis("sparsity", 0.1, 1), "name of an axis must be one of"),
        (lambda: phd.Axis("density", 1, 0.1), "density must run from less to more, got 1 to 0.1"),
        (lambda: phd.Axis("density", 0.1, 1.5), "density must be at most 1, got a range to 1.5"),
        (lambda: phd.Axis("density", 0, 1), "density must be above 0, got a range from 0"),
        (lambda: phd.Axis("correlation", -0.5, 1, "linear"), "correlation must be at least 0"),
        (lambda: phd.Axis("weight_decay", 0, 1), "scale must be 'linear' for weight_decay from 0"),
        (lambda: phd.Axis("follow", 0.1, 1, "square"), "scale must be 'log' or 'linear'"),
        (lambda: phd.Axis("follow", 0.1, 1, points=1), "points must be between 2 and 4096, got 1"),
        (
            lambda: phd.phase_diagram(x=axis("density"), y=axis("density")),
            "axes must differ, got density and density",
        ),
        (
            lambda: phd.phase_diagram(x=axis("importance[1]"), y=axis("relative_importance")),
            "axes must differ",
        ),
        (
            lambda: phd.phase_diagram(x=axis("correlation"), y=axis("density")),
            "correlation must be of a model with correlated groups",
        ),
        (
            lambda: phd.phase_diagram(x=axis("follow"), y=axis("density")),
            "follow must be of a model with hierarchical groups",
        ),
        (
            lambda: phd.phase_diagram(0.5, x=axis("density[2]"), y=axis("relative_importance")),
            r"density\[2\] must be of a feature below n_features = 2",
        ),
        (lambda: phd.phase_diagram(x=axis("density")), "x and y must both be given"),
        (
            lambda: phd.phase_boundaries(x=axis("density")),
            "x and y must both be given",
        ),
        (
            lambda: phd.phase_diagram(0.5, x=axis("density"), y=axis("relative_importance")),
            "density must be left out, since an axis gives it",
        ),
        (
            lambda: phd.phase_diagram(
                x=axis("interference_penalty"), y=axis("relative_importance")
            ),
            "density must be given",
        ),
        (
            lambda: phd.phase_diagram(x=phd.Axis("relative_density", 0.5, 2), y=axis("density")),
            "density times relative_density must be at most 1",
        ),
        (
            lambda: phd.phase_diagram(x=axis("relative_density"), y=axis("density"), model=PAIRS),
            "relative_density needs a last feature in no group",
        ),
        (
            lambda: phd.phase_diagram(weights="canonical", x=axis("density"), y=axis("follow")),
            "weights must be 'free'",
        ),
        (lambda: phd.phase_diagram(x="density", y="follow"), "an axis must be an Axis"),
    ],
)
def test_bad_axes_are_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as raised:
        call()
    assert "\n" not in str(raised.value)
