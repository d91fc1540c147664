"""Linear models: principal components in closed form, and the boundaries that follow."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from assumed import law

import phasediagram as phd
from phasediagram.catalogue.components import Components, covariance
from phasediagram.minima.symmetry import plane_engine
from phasediagram.parameters import plane_of

PAIRS = [phd.correlated(0, 1), phd.correlated(2, 3)]


def linear(n, m=None, **others):
    return phd.ToyModel(n, m, activation="linear", **others)


def variance(p):
    return p / 3 - p**2 / 4


@pytest.mark.parametrize(
    "groups",
    [
        [],
        [("correlated", (0, 2), Fraction(2, 5))],
        [("anticorrelated", (1, 2), Fraction(1))],
        [("hierarchical", (2, 0), Fraction(1, 3))],
    ],
)
def test_covariances_are_those_of_the_law(groups):
    """E[x_i x_j] - E[x_i] E[x_j] in fractions, from the law by definition."""
    n, density = 3, [Fraction(3, 10), Fraction(3, 10), Fraction(3, 10)]
    table = law(n, density, groups)
    active = [[a >> i & 1 for i in range(n)] for a in range(1 << n)]
    mean = [sum(t * a[i] for t, a in zip(table, active, strict=True)) / 2 for i in range(n)]
    for i in range(n):
        for j in range(n):
            both = sum(t * a[i] * a[j] for t, a in zip(table, active, strict=True))
            expected = both * (Fraction(1, 3) if i == j else Fraction(1, 4)) - mean[i] * mean[j]
            found = covariance(np.array(table, float)[None], n)[0, i, j]
            assert found == pytest.approx(float(expected), abs=1e-15)


@pytest.mark.parametrize(
    ("model", "names", "held"),
    [
        (linear(4, 2), ("importance[1]", "density"), {"relative_density": 0.6}),
        (linear(3, 2, interference_penalty=0.1), ("density[0]", "density"), {}),
        (linear(4, 2, groups=PAIRS), ("correlation", "density[0]"), {"density": 0.5}),
        (linear(3, 1, groups=[phd.hierarchical(0, 1)]), ("follow", "density"), {}),
        (linear(3, 2, groups=[phd.anticorrelated(0, 1)]), ("relative_density", "density"), {}),
    ],
    ids=lambda value: value if isinstance(value, tuple) else "",
)
def test_components_are_the_lowest_minima(model, names, held):
    """None is found below them by descent from many starts; and they cost what they say."""
    x, y = (phd.Axis(name, 0.3, 0.9, points=3) for name in names)
    plane = plane_of(model, (y, x), **held)
    diagram = phd.phase_diagram(x=x, y=y, model=model, **held)
    components, engine = Components(plane), plane_engine(plane, model.n_hidden)
    for i, j in np.ndindex(3, 3):
        position = plane.coordinates(([y.values[i]], [x.values[j]]))[0]
        kept = components.kept(position)
        values = components.variances(position[None])[0]
        lost = values.sum() - values[kept].sum()
        assert diagram.loss[i, j] == pytest.approx(lost, rel=1e-12)
        starts = np.random.default_rng(0).normal(size=(40, engine.space.size))
        descended = engine.minimize_at(starts, plane.at(position)).loss.min()
        assert descended == pytest.approx(lost, rel=1e-10)
        state = components.state(kept, position)
        m, n = model.n_hidden, model.n_features
        there, density, importance = plane.assumed(position)
        W, b = state[: m * n].reshape(m, n), state[m * n :]
        cost = phd.expected_loss(W, b, density, importance, model=there)
        assert cost == pytest.approx(lost, rel=1e-12)


@pytest.mark.parametrize(("n", "m"), [(2, 1), (3, 2), (5, 2), (6, 3)])
def test_on_the_papers_axes_the_boundary_is_equal_importance(n, m):
    boundaries = phd.phase_boundaries(model=linear(n, m))
    (line,) = boundaries.boundaries
    assert (line.phases, line.order, line.ends) == (("ignored", "dedicated"), 1, ("edge", "edge"))
    np.testing.assert_allclose(line.relative_importance, 1.0, rtol=1e-12)
    assert (line.density.min(), line.density.max()) == pytest.approx((0.01, 1.0))
    np.testing.assert_allclose(line.loss, (n - m) * variance(line.density), rtol=1e-12)
    jump = np.stack([0 * line.density, variance(line.density)], axis=1)
    np.testing.assert_allclose(line.slope_jump, jump, atol=1e-8)
    assert boundaries.unresolved == boundaries.special_points == ()


def test_over_densities_variances_decide():
    """r V(rho p) = V(p), and the phases are those of the diagram on both sides."""
    x, y = phd.Axis("relative_density", 0.2, 1, points=9), phd.Axis("density", 0.1, 1, points=8)
    model = linear(3)
    (line,) = phd.phase_boundaries(x=x, y=y, relative_importance=2.0, model=model).boundaries
    p, ratio = line.density, line.relative_importance
    np.testing.assert_allclose(2 * variance(ratio * p), variance(p), rtol=1e-10)
    diagram = phd.phase_diagram(x=x, y=y, relative_importance=2.0, model=model)
    is_kept = 2 * variance(x.values * y.values[:, None]) > variance(y.values[:, None])
    assert (diagram.phase == np.where(is_kept, "dedicated", "ignored")).all()


def test_three_features_meet_at_a_triple_point():
    kept = {"density": [0.3, 0.5, 0.9], "model": linear(3, 1)}
    axes = {"x": phd.Axis("importance[0]", 0.3, 3), "y": phd.Axis("importance[1]", 0.3, 3)}
    boundaries = phd.phase_boundaries(**kept, **axes)
    (point,) = boundaries.special_points
    assert point.kind == "triple point"
    expected = variance(0.9) / variance(0.5), variance(0.9) / variance(0.3)
    assert (point.density, point.relative_importance) == pytest.approx(expected, rel=1e-11)
    assert [line.ends.count("triple point") for line in boundaries.boundaries] == [1, 1, 1]
    assert boundaries.unresolved == ()


def test_pairs_are_kept_before_single_features():
    """Sums of two pairs against a feature alone, whose density varies: eigenvalues by hand."""
    model = linear(3, 1, groups=[phd.correlated(0, 1)])
    axes = {
        "x": phd.Axis("correlation", 0, 1, scale="linear"),
        "y": phd.Axis("relative_density", 0.3, 3),
    }
    lines = phd.phase_boundaries(density=0.3, model=model, **axes).boundaries
    sides = set()
    for line in lines:  # the variance of a single feature is the largest at density 2/3
        ratio, c = line.density, line.relative_importance
        of_sum = variance(0.3) + c * 0.3 * 0.7 / 4  # c is the correlation of being active
        np.testing.assert_allclose(variance(0.3 * ratio), of_sum, rtol=1e-10)
        sides |= set(np.sign(0.3 * ratio - 2 / 3))
        assert "dedicated" in line.phases
    assert sides == {-1.0, 1.0}


def test_a_section_of_a_linear_model_crosses_them():
    section = phd.loss_section(0.5, np.linspace(0.3, 2.5, 12), model=linear(2))
    (transition,) = section.transitions
    assert transition.position == pytest.approx(1.0, abs=1e-12)
    assert (transition.phases, transition.order) == (("ignored", "dedicated"), 1)
    assert transition.slope_jump == pytest.approx(-variance(0.5), rel=1e-12)
    three = phd.loss_section(
        [0.3, 0.5, 0.9], x=phd.Axis("importance[0]", 0.1, 3, points=6), model=linear(3, 1)
    )
    (change,) = three.transitions
    assert change.position == pytest.approx(variance(0.5) / variance(0.3), rel=1e-12)


@pytest.mark.parametrize(
    ("model", "others", "message"),
    [
        (linear(2, bias=False), {}, "bias must be True"),
        (linear(2, weight_decay=0.1), {}, "weight_decay must be 0"),
        (linear(3, groups=[phd.correlated(0, 1)]), {}, "importance must be the same"),
        (
            linear(3, groups=[phd.correlated(0, 1)]),
            {"x": phd.Axis("interference_penalty", 0.1, 1), "y": phd.Axis("density", 0.1, 1)},
            "interference_penalty must be 0",
        ),
    ],
)
def test_models_without_a_closed_form_are_refused(model, others, message):
    with pytest.raises(ValueError, match=message) as raised:
        phd.phase_boundaries(model=model, **others)
    assert "\n" not in str(raised.value)


def test_solutions_have_no_superposition():
    """Nor where others are equal, of which any rotation would do as well."""
    for p, r, phase in ((0.2, 0.5, "ignored"), (0.7, 1.0, "ignored"), (1.0, 2.0, "dedicated")):
        (minimum,) = phd.solve(p, r, model=linear(4, 2)).minima
        assert minimum.phase == phase
        assert minimum.gradient_norm < 1e-13
        assert minimum.smallest_curvature > -1e-12
        assert not (minimum.gram - np.diag(np.diag(minimum.gram))).any()
