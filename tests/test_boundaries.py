"""Traced boundaries and special points, against direct solutions at single points."""

from __future__ import annotations

import json

import mpmath
import numpy as np
import pytest
from directional import easiest_tilt, smallest_second
from oracles import mpmath_loss

import phasediagram as phd
from phasediagram.branches import Model
from phasediagram.closed_forms import ignored_stability_limit, tricritical_points
from phasediagram.continuous import ignored_state, others_partial_limits, tilt_tricritical
from phasediagram.files.tables import boundaries_csv, boundaries_json, boundaries_table
from phasediagram.free_minimization import minimize_free, random_starts

MIRROR = {
    "ignored": "dedicated",
    "dedicated": "ignored",
    "partial": "partial-other",
    "partial-other": "partial",
    "antipodal": "antipodal",
}


@pytest.fixture(scope="module")
def two():
    return phd.phase_boundaries(2, 1)


@pytest.fixture(scope="module")
def three():
    return phd.phase_boundaries(3, 2, spinodals=False)


@pytest.fixture(params=["two", "three"])
def boundaries(request):
    return request.getfixturevalue(request.param)


def of_kind(boundaries, kind):
    return [point for point in boundaries.special_points if point.kind == kind]


def equilibrium(boundaries, *phases):
    return [
        b for b in boundaries.boundaries if b.kind == "equilibrium" and set(b.phases) == set(phases)
    ]


def test_the_phases_that_meet_in_triple_points(two, three):
    assert {frozenset(point.phases) for point in of_kind(two, "triple point")} == {
        frozenset({"ignored", "partial", "antipodal"}),
        frozenset({"dedicated", "partial-other", "antipodal"}),
        frozenset({"partial", "partial-other", "antipodal"}),
    }
    assert {frozenset(point.phases) for point in of_kind(three, "triple point")} == {
        frozenset({"ignored", "partial", "antipodal"}),
        frozenset({"partial", "partial-triangle", "antipodal"}),
        frozenset({"partial-triangle", "triangle", "antipodal"}),
        frozenset({"triangle", "antipodal", "others-antipodal"}),
        frozenset({"triangle", "others-antipodal", "others-partial"}),
        frozenset({"ignored", "partial", "partial-triangle"}),
    }


def test_three_minima_are_lowest_together_at_triple_points(boundaries):
    """Found again from random starts: the three lowest losses agree, the others are higher."""
    n, m = boundaries.n_features, boundaries.n_hidden
    for point in of_kind(boundaries, "triple point"):
        solution = phd.solve(point.density, point.relative_importance, n, m)
        lowest = [minimum for minimum in solution.minima if minimum.loss < solution.loss + 1e-11]
        assert {minimum.phase for minimum in lowest} <= set(point.phases)
        # equal features at r = 1 make two of the phases one minimum
        assert len({minimum.phase for minimum in lowest}) >= 2
        assert np.ptp([minimum.loss for minimum in lowest]) < 1e-14


def test_a_triple_point_in_forty_digits(two):
    """The antipodal pair and partial superposition, solved anew in mpmath, tie there."""
    point = max(of_kind(two, "triple point"), key=lambda point: point.density)
    assert point.relative_importance == pytest.approx(1, abs=1e-11)
    minima = phd.solve(point.density, 1.0).minima[:2]
    with mpmath.workdps(30):
        losses = []
        for minimum in minima:
            start = [*minimum.W[0].tolist(), *minimum.b.tolist()]

            def loss(x):
                return mpmath_loss([x[:2]], x[2:], [point.density] * 2, [1, 1], 30)

            losses.append(loss(start))
    assert abs(losses[0] - losses[1]) < 1e-14


def test_n_2_mirrors_itself(two):
    """L(p, r) = r L(p, 1/r): the other half was traced on its own."""
    for point in two.special_points:
        image = {MIRROR[phase] for phase in point.phases}
        assert any(
            other.kind == point.kind
            and set(other.phases) == image
            and abs(other.density - point.density) < 1e-10
            and abs(other.relative_importance * point.relative_importance - 1) < 1e-10
            for other in two.special_points
        )


def test_both_models_share_what_decouples(two, three):
    """Where one feature has a dimension to itself, n = 3 is n = 2."""
    (first,), (second,) = (
        [
            p
            for p in of_kind(b, "triple point")
            if set(p.phases) == {"ignored", "partial", "antipodal"}
        ]
        for b in (two, three)
    )
    assert first.density == pytest.approx(second.density, abs=1e-10)
    assert first.relative_importance == pytest.approx(second.relative_importance, abs=1e-10)
    pair = max(of_kind(two, "triple point"), key=lambda point: point.density)
    (flat,) = equilibrium(three, "others-antipodal", "others-partial")
    np.testing.assert_allclose(flat.density, pair.density, rtol=0, atol=1e-10)


def test_every_triple_point_ends_three_boundaries(boundaries):
    for point in of_kind(boundaries, "triple point"):
        ending = [
            b.phases
            for b in boundaries.boundaries
            if b.order == 1
            and any(
                abs(b.density[i] - point.density) < 1e-9
                and abs(b.relative_importance[i] - point.relative_importance) < 1e-9
                for i in (0, -1)
            )
        ]
        assert len(ending) == 3, point
        assert all(set(phases) <= set(point.phases) for phases in ending)


def test_boundaries_are_where_the_phase_changes(boundaries):
    """Solved afresh a little to each side of points drawn at random."""
    rng = np.random.default_rng(5)
    n, m = boundaries.n_features, boundaries.n_hidden
    checked = 0
    for boundary in boundaries.boundaries:
        if boundary.kind != "equilibrium" or len(boundary.density) < 12:
            continue
        k = int(rng.integers(3, len(boundary.density) - 3))
        tangent = np.array(
            [
                np.log(values[k + 1] / values[k - 1])
                for values in (boundary.density, boundary.relative_importance)
            ]
        )
        across = 1e-3 * np.array([-tangent[1], tangent[0]]) / np.linalg.norm(tangent)
        found = set()
        for side in (1, -1):
            p = boundary.density[k] * np.exp(side * across[0])
            r = boundary.relative_importance[k] * np.exp(side * across[1])
            if p <= 1:
                found.add(phd.solve(p, r, n, m).phase)
        expected = set(boundary.phases)
        if boundary.slope_jump is not None and np.abs(boundary.slope_jump[k]).max() < 2e-4:
            continue  # so weak that another phase may come within this distance
        assert found <= expected, (boundary.phases, k, found)
        checked += 1
    assert checked >= 5


def test_no_random_start_ends_below_a_boundary(boundaries):
    rng = np.random.default_rng(6)
    n, m = boundaries.n_features, boundaries.n_hidden
    curves = [b for b in boundaries.boundaries if b.kind == "equilibrium"]
    drawn = [(curve, int(rng.integers(len(curve.density)))) for curve in curves for _ in range(4)]
    p = np.array([curve.density[k] for curve, k in drawn])
    r = np.array([curve.relative_importance[k] for curve, k in drawn])
    loss = np.array([curve.loss[k] for curve, k in drawn])
    ends = minimize_free(n, m, p, r, random_starts(n, m, len(p), 60, rng))
    lowest = ends.loss.min(axis=1)
    assert (lowest > loss * (1 - 1e-10)).all()
    assert (np.abs(lowest - loss) < 1e-10).mean() > 0.9  # and the search does find the minima


def test_the_slope_jump_is_that_of_the_lowest_loss(two):
    (boundary,) = equilibrium(two, "partial", "antipodal")
    k = len(boundary.density) // 2
    p, r = boundary.density[k], boundary.relative_importance[k]
    assert phd.solve(p, r * 0.999).phase == boundary.phases[0]
    h = 1e-4
    slopes = []
    for side in (-1, 1):
        near, far = (phd.solve(p, r + side * d).loss for d in (h, 2 * h))
        at_boundary = (4 * near - far - 3 * boundary.loss[k]) / (2 * h)
        slopes.append(side * at_boundary)
    assert slopes[0] - slopes[1] == pytest.approx(boundary.slope_jump[k, 1], rel=1e-4)


def test_the_order_of_each_boundary(boundaries):
    for boundary in boundaries.boundaries:
        if boundary.kind == "spinodal":
            assert boundary.order is None
        elif boundary.order == 1:
            assert np.abs(boundary.slope_jump).max() > 1e-8
        else:
            assert np.abs(boundary.slope_jump).max() == 0


def test_ignoring_ends_on_its_closed_form_without_using_it():
    """The directional curvature, minimised numerically, vanishes on r_c for n = 2 and 3."""
    for n in (2, 3):
        model = Model(n, n - 1)
        for density in (0.2, 0.6, 0.9):
            limit = float(ignored_stability_limit(density))
            x = ignored_state(n, density)
            for factor, sign in ((1 - 1e-6, 1), (1 + 1e-6, -1)):
                v = np.log(limit * factor)
                held = None if n == 2 else 5  # towards one of the others
                second = smallest_second(model, x, np.log(density), v, n - 1, -1, held)
                assert np.sign(second) == sign
                assert abs(second) < 1e-6


def test_the_cubic_term_changes_sign_at_the_tricritical_points_for_both_models():
    for n in (2, 3):
        model = Model(n, n - 1)
        for density, r in tricritical_points():
            x, held = ignored_state(n, density), None if n == 2 else 5
            at = easiest_tilt(model, x, np.log(density), np.log(r), n - 1, -1, held)
            assert abs(at.third) < 5e-11


def test_two_triangles_become_one_at_critical_points(three):
    points = of_kind(three, "critical point")
    assert len(points) == 2
    for point, inwards in zip(points, (-0.01, 0.01), strict=True):
        (line,) = [
            b
            for b in equilibrium(three, "partial-triangle", "triangle")
            if min(abs(b.density[[0, -1]] - point.density)) < 1e-9
        ]
        k = int(np.abs(line.density - (point.density + inwards)).argmin())
        minima = phd.solve(line.density[k], line.relative_importance[k], 3, 2).minima
        assert {minima[0].phase, minima[1].phase} == {"partial-triangle", "triangle"}
        assert minima[1].loss - minima[0].loss < 1e-13
        near = np.abs(line.density - point.density) < 0.02
        slope, _ = np.polyfit(line.density[near], line.relative_importance[near], 1)
        r = point.relative_importance - slope * inwards
        beyond = phd.solve(point.density - inwards, r, 3, 2)
        triangles = [q for q in beyond.minima if q.phase in ("partial-triangle", "triangle")]
        assert len(triangles) == 1


def test_others_in_partial_superposition_tilt_continuously_up_to_a_tricritical_point(three):
    u, v = tilt_tricritical()
    (point,) = [p for p in of_kind(three, "tricritical point") if "scalene" in p.phases]
    assert (point.density, point.relative_importance) == pytest.approx((np.exp(u), np.exp(v)))
    ((u, v),), _ = others_partial_limits(np.array([np.log(0.78)]))
    r = np.exp(v)
    assert phd.solve(0.78, r * 1.0005, 3, 2).phase == "others-partial"
    below = phd.solve(0.78, r * 0.9995, 3, 2)
    assert below.phase == "scalene"
    cosine = below.gram[0, 2] / np.sqrt(below.gram[0, 0] * below.gram[2, 2])
    assert 0 < abs(cosine) < 0.1


def test_the_triangle_s_triple_point_is_the_algebraic_one(three):
    """Three polynomial equations with one root, by another route (derivations.triple_point)."""
    from derivations.triple_point import root

    (point,) = [
        p
        for p in of_kind(three, "triple point")
        if set(p.phases) == {"antipodal", "others-antipodal", "triangle"}
    ]
    assert point.density == pytest.approx(float(root()), abs=1e-11)
    assert point.relative_importance == pytest.approx(1, abs=1e-10)


def test_what_theory_said_before(two):
    """Found numerically before: near (0.51, 0.56), and between 0.70 and 0.71 on r = 1."""
    points = [(p.density, p.relative_importance) for p in of_kind(two, "triple point")]
    assert any(abs(p - 0.51) < 0.005 and abs(r - 0.56) < 0.005 for p, r in points)
    assert any(0.70 < p < 0.71 and abs(r - 1) < 1e-10 for p, r in points)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((4, 3), "n_features and n_hidden must be 2 and 1, or 3 and 2"),
        ((2, 2), "n_hidden must be at least 1 and below n_features"),
        ((2, 1, "canonical"), "weights must be 'free' to trace boundaries, got 'canonical'"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        phd.phase_boundaries(*arguments)


def test_the_files_hold_every_point(two):
    document = json.loads(boundaries_json(two))
    assert len(document["boundaries"]) == len(two.boundaries)
    for saved, boundary in zip(document["boundaries"], two.boundaries, strict=True):
        assert saved["density"] == boundary.density.tolist()
        assert saved["order"] == boundary.order
    rows = boundaries_csv(two).splitlines()
    points = sum(len(boundary.density) for boundary in two.boundaries)
    assert len(rows) == 1 + points + len(two.special_points)
    assert "triple point" in boundaries_table(two)
