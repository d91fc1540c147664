"""Traced boundaries and special points, against other codes and exact arithmetic."""

from __future__ import annotations

import json
from itertools import combinations

import independent
import mpmath
import numpy as np
import polylines
import pytest
import sympy
from directional import easiest_tilt, ignored_state, smallest_second
from oracles import mpmath_loss
from scipy.optimize import root

import phasediagram as phd
from derivations.stability import best_bias, beta, cubic_coefficient, reduced_cost, variance
from derivations.stability import p as density_symbol
from phasediagram.files.documents import result_json
from phasediagram.files.spreadsheets import boundaries_csv
from phasediagram.files.tables import boundaries_table

MIRROR = {
    "ignored": "dedicated",
    "dedicated": "ignored",
    "partial": "partial-other",
    "partial-other": "partial",
    "antipodal": "antipodal",
}
TIE = 1e-12  # losses that differ by less are equal at a special point


def of_kind(boundaries, kind):
    return [point for point in boundaries.special_points if point.kind == kind]


def curves(boundaries):
    return [b for b in boundaries.boundaries if b.kind == "equilibrium"]


def equilibrium(boundaries, *phases):
    return [b for b in curves(boundaries) if set(b.phases) == set(phases)]


def position(point):
    return point.density, point.relative_importance


# --- which points and lines there are


def test_the_phases_that_meet_in_special_points(two, three):
    found = [
        sorted((point.kind, *sorted(point.phases)) for point in boundaries.special_points)
        for boundaries in (two, three)
    ]
    assert found[0] == sorted(
        [
            ("triple point", "antipodal", "ignored", "partial"),
            ("triple point", "antipodal", "dedicated", "partial-other"),
            ("triple point", "antipodal", "partial", "partial-other"),
            *[("tricritical point", "ignored", "partial")] * 2,
            *[("tricritical point", "dedicated", "partial-other")] * 2,
        ]
    )
    assert found[1] == sorted(
        [
            ("triple point", "antipodal", "ignored", "partial"),
            ("triple point", "antipodal", "partial", "partial-triangle"),
            ("triple point", "antipodal", "partial-triangle", "triangle"),
            ("triple point", "antipodal", "others-antipodal", "triangle"),
            ("triple point", "others-antipodal", "others-partial", "triangle"),
            ("triple point", "ignored", "partial", "partial-triangle"),
            *[("tricritical point", "ignored", "partial", "partial-triangle")] * 2,
            ("tricritical point", "others-partial", "scalene"),
            *[("critical point", "partial-triangle", "triangle")] * 2,
            ("critical end point", "others-partial", "scalene", "triangle"),
        ]
    )


def test_nothing_of_two_features_is_left_open(two):
    """Every end of every curve is accounted for."""
    assert list(two.unresolved) == []


def test_what_is_left_open_of_three_features_is_where_metastable_minima_end(three):
    assert all("limit of metastability" in p.reason or "tiny" in p.reason for p in three.unresolved)
    assert len(three.unresolved) <= 6


def test_every_curve_says_how_it_ends(boundaries):
    assert all(len(boundary.ends) == 2 for boundary in boundaries.boundaries)
    assert all(all(boundary.ends) for boundary in boundaries.boundaries)


def test_every_line_ends_at_a_special_point_or_at_the_edge(boundaries):
    special = [np.array(position(point)) for point in boundaries.special_points]
    for curve in curves(boundaries):
        for k in (0, -1):
            p, r = end = np.array([curve.density[k], curve.relative_importance[k]])
            edges = (p - 0.01, p - 1, r / 0.1 - 1, r / 10 - 1)
            at_edge = min(abs(distance) for distance in edges) < 1e-9
            at_point = min(np.abs(end - point).max() for point in special) < 1e-9
            assert at_edge or at_point, (curve.phases, end)


@pytest.mark.parametrize("kind", ["triple point", "tricritical point"])
def test_lines_that_end_in_special_points(boundaries, kind):
    """Three phases meet in pairs; on either side of a tricritical point the order differs."""
    for point in of_kind(boundaries, kind):
        ending = [
            curve
            for curve in curves(boundaries)
            if any(
                abs(curve.density[k] - point.density) < 1e-9
                and abs(curve.relative_importance[k] - point.relative_importance) < 1e-9
                for k in (0, -1)
            )
        ]
        pairs = {frozenset(curve.phases) for curve in ending}
        assert pairs == {frozenset(pair) for pair in combinations(point.phases, 2)}
        if kind == "triple point":
            assert [curve.order for curve in ending] == [1, 1, 1]
        else:
            first = len(point.phases)
            assert sorted(curve.order for curve in ending) == [1] * (first - 1) + [2]


# --- where they are


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(6)


def names_at(point, n):
    """Return the phases of the lowest minima; beside r = 1, where equal features share a name."""
    names = set()
    for shift in (-1e-6, 1e-6) if abs(point.relative_importance - 1) < 1e-8 else (0.0,):
        solution = phd.solve(point.density, point.relative_importance * (1 + shift), n, n - 1)
        names |= {
            minimum.phase
            for minimum in solution.minima
            if minimum.loss < solution.loss + TIE + abs(shift)
        }
    return names


def test_three_minima_are_lowest_together_at_triple_points(boundaries, rng):
    """Found by another code from random starts: three tie, and no other is as low."""
    n = boundaries.n_features
    for point in of_kind(boundaries, "triple point"):
        minima = independent.all_minima(*position(point), n, rng, 120)
        lowest = [state for state in minima if state.loss < minima[0].loss + TIE]
        assert len(lowest) == 3, position(point)
        assert np.ptp([state.loss for state in lowest]) < 1e-13
        assert names_at(point, n) == set(point.phases)


H = mpmath.mpf(10) ** -25  # of differences in mpmath


def blocks(state):
    """Yield the groups of features that interfere; what does not interfere adds its losses."""
    left = set(range(len(state.bias)))
    while left:
        group = {left.pop()}
        while more := {
            j for j in left if any(abs(state.gram[i, j]) > independent.SAME for i in group)
        }:
            group |= more
            left -= more
        yield sorted(group)


def exact_block(state, order, p):
    """Return W and b of a group: of one feature exactly, of more to twice their digits."""
    gram, bias = state.gram[np.ix_(order, order)], state.bias[order]
    if len(order) == 1:
        represented = gram[0, 0] > 0.5
        return [[mpmath.mpf(1 if represented else 0)]], [mpmath.mpf(0) if represented else p / 2]
    values, vectors = np.linalg.eigh(gram)
    rank = len(order) - 1
    W = (vectors[:, -rank:] * np.sqrt(np.maximum(values[-rank:], 0))).T
    return [[mpmath.mpf(w) for w in row] for row in W.tolist()], [mpmath.mpf(b) for b in bias]


def block_loss(W, b, p, importances):
    return mpmath_loss(W, b, [p] * len(b), importances, 60)


def refined(W, b, p, importances):
    """Newton's method, gradients in mpmath and the Hessian in double precision: twice."""
    n = len(b)
    if n == 1:
        return W, b
    scale = importances[0]
    x = [value for row in W for value in row] + b
    vector = np.array(x, dtype=float)
    ratio = float(importances[-1] / scale)
    inverse = np.linalg.pinv(independent.hessian(vector, float(p), ratio, n), rcond=1e-7)

    def loss(values):
        rows = [values[k * n : (k + 1) * n] for k in range(n - 1)]
        return block_loss(rows, values[-n:], p, importances) / scale

    for _ in range(3):
        gradient = []
        for k in range(len(x)):
            beside = [[*x[:k], x[k] + sign * H, *x[k + 1 :]] for sign in (1, -1)]
            gradient.append((loss(beside[0]) - loss(beside[1])) / (2 * H))
        x = [
            value - mpmath.fsum(mpmath.mpf(i) * g for i, g in zip(row, gradient, strict=True))
            for value, row in zip(x, inverse.tolist(), strict=True)
        ]
    return [x[k * n : (k + 1) * n] for k in range(n - 1)], x[-n:]


def exact_minimum(state, p, r):
    """Return the loss of the minimum next to a state, and its derivatives by p and r."""
    total, by_p, by_r = mpmath.mpf(0), mpmath.mpf(0), mpmath.mpf(0)
    for order in blocks(state):
        importances = [r if i == len(state.bias) - 1 else mpmath.mpf(1) for i in order]
        W, b = refined(*exact_block(state, order, p), p, importances)
        loss = block_loss(W, b, p, importances)
        total += loss
        by_p += (block_loss(W, b, p + H, importances) - loss) / H
        only_extra = [mpmath.mpf(int(i == len(state.bias) - 1)) for i in order]
        by_r += block_loss(W, b, p, only_extra)
    return total, by_p, by_r


def solved_anew(point, n, rng):
    """Return a triple point to 30 digits, by Newton's method in mpmath from eight."""
    p, r = (mpmath.mpf(f"{value:.8g}") for value in position(point))
    minima = independent.all_minima(*position(point), n, rng, 120)[:3]
    vectors = [state.vector for state in minima]
    for _ in range(7):
        states = [independent.stationary(x, float(p), float(r), n) for x in vectors]
        vectors = [state.vector for state in states]
        loss, by_p, by_r = zip(*(exact_minimum(state, p, r) for state in states), strict=True)
        step = mpmath.lu_solve(
            mpmath.matrix([[d[0] - d[k] for d in (by_p, by_r)] for k in (1, 2)]),
            mpmath.matrix([loss[0] - loss[k] for k in (1, 2)]),
        )
        p, r = p - step[0], r - step[1]
    return p, r, max(abs(value - loss[0]) for value in loss)


def test_triple_points_solved_anew_in_thirty_digits(boundaries, rng):
    """Weights, biases, density and importance all unknown, on truncated powers in mpmath."""
    with mpmath.workdps(60):
        for point in of_kind(boundaries, "triple point"):
            p, r, rest = solved_anew(point, boundaries.n_features, rng)
            assert rest < mpmath.mpf(10) ** -30
            assert abs(p - mpmath.mpf(point.density)) < 1e-10
            assert abs(r - mpmath.mpf(point.relative_importance)) < 1e-10


def exact_tricritical_points():
    """Return the points of r_c at which the cubic term changes sign, scanned and bisected."""
    cubic = sympy.lambdify(density_symbol, cubic_coefficient().subs(beta, best_bias()), "mpmath")
    limit = sympy.lambdify(
        density_symbol, reduced_cost().subs(beta, best_bias()) / variance(), "mpmath"
    )
    with mpmath.workdps(40):
        grid = [mpmath.mpf(k) / 500 for k in range(5, 500)]
        values = [cubic(p) for p in grid]
        roots = [
            mpmath.findroot(cubic, (grid[k], grid[k + 1]), solver="ridder")
            for k in range(len(grid) - 1)
            if values[k] * values[k + 1] < 0
        ]
        return [(float(p), float(limit(p))) for p in roots]


def test_tricritical_points_of_ignored_are_the_exact_ones(two, three):
    """Roots of the symbolic cubic term at 40 digits; K and r_c are proved in `derivations`."""
    exact = exact_tricritical_points()
    assert len(exact) == 2
    for boundaries in (two, three):
        found = [p for p in of_kind(boundaries, "tricritical point") if "ignored" in p.phases]
        np.testing.assert_allclose([position(p) for p in found], exact, rtol=0, atol=1e-10)
    mirrored = [p for p in of_kind(two, "tricritical point") if "dedicated" in p.phases]
    np.testing.assert_allclose(
        [(p.density, 1 / p.relative_importance) for p in mirrored], exact, rtol=0, atol=1e-10
    )


def test_the_cubic_term_of_the_loss_changes_sign_at_the_tricritical_points(two, three):
    """Measured along the easiest direction on the loss itself, for both models."""
    for boundaries in (two, three):
        n = boundaries.n_features
        for point in of_kind(boundaries, "tricritical point"):
            if "ignored" in point.phases:
                held = None if n == 2 else 5  # towards one of the others
                x = ignored_state(n, point.density)
                at = easiest_tilt(n, x, *position(point), n - 1, -1, held)
                assert abs(at.second) < 1e-9
                assert abs(at.third) < 1e-9


def test_ignoring_ends_on_its_closed_form_without_using_it(two, three):
    """The directional curvature, minimised numerically, changes sign across the traced line."""
    for boundaries in (two, three):
        n = boundaries.n_features
        (line,) = [
            b for b in boundaries.boundaries if b.kind == "spinodal" and b.phases == ("ignored",)
        ]
        for k in np.linspace(5, len(line.density) - 6, 4).astype(int):
            density, limit = line.density[k], line.relative_importance[k]
            x, held = ignored_state(n, density), None if n == 2 else 5
            for factor, sign in ((1 - 1e-6, 1), (1 + 1e-6, -1)):
                second = smallest_second(n, x, density, limit * factor, n - 1, -1, held)
                assert np.sign(second) == sign
                assert abs(second) < 1e-6


def pair_beside_a_single(density, rng):
    """Return the state *others-partial*: the lowest pair of n = 2, r = 1, and a third alone."""
    pair = independent.all_minima(density, 1.0, 2, rng)[0]
    (first, second), bias = pair.vector[:2], pair.vector[2:]
    return np.array([first, second, 0, 0, 0, 1, *bias, 0])


def test_others_tilt_where_their_second_and_third_derivatives_say(three, rng):
    """`directional` minimises over all directions in which one of the pair tilts."""
    (end,) = of_kind(three, "critical end point")
    (tricritical,) = [p for p in of_kind(three, "tricritical point") if "scalene" in p.phases]
    thirds = []
    for point in (end, tricritical):
        x = pair_beside_a_single(point.density, rng)
        tilts = []
        for variable in (3, 4):
            for sign in (1, -1):
                held = 2  # the third feature's direction, where that excludes a rotation
                at = easiest_tilt(3, x, *position(point), variable, sign, held)
                if at is not None:
                    tilts.append((at.second, at.third))
        second, third = min(tilts)
        assert abs(second) < 1e-8
        thirds.append(third)
    assert thirds[0] > 1e-3  # continuous
    assert abs(thirds[1]) < 1e-7


def test_the_critical_end_point_is_on_the_first_order_line(three, rng):
    """*Triangle* and *others-partial* have equal losses where the latter begins to tilt."""
    (point,) = of_kind(three, "critical end point")
    pair = pair_beside_a_single(point.density, rng)
    n = 3
    minima = independent.all_minima(*position(point), n, rng, 120)
    loss, _ = independent.loss_and_gradient(pair, *position(point), n, n - 1)
    assert minima[0].loss == pytest.approx(loss, abs=1e-12)
    ties = [state for state in minima if state.loss < loss + 1e-10]
    assert len(ties) >= 2
    assert any(np.abs(state.gram[2]).min() > 0.1 for state in ties)  # a triangle


def isosceles(y):
    """Return the state (s, t, c, b, b_3): W_1, W_2 = (+-s, t), W_3 = (0, -c)."""
    s, t, c, bias, last = y
    return np.array([s, -s, 0, t, t, -c, bias, bias, last])


ISOSCELES = np.array(
    [
        [1, -1, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 1, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, -1, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 1, 1, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 1],
    ],
    dtype=float,
)


def slope(y, p, r):
    return ISOSCELES @ independent.loss_and_gradient(isosceles(y), p, r, 3, 2)[1]


def cusp(z):
    """Return what vanishes at a cusp: slope, curvature along v, its derivative along v."""
    y, v, p, r = z[:5], z[5:10], z[10], z[11]
    h = 2e-3
    far_behind, behind, here, ahead, far_ahead = (
        slope(y + k * h * v, p, r) for k in (-2, -1, 0, 1, 2)
    )
    along = (far_behind - 8 * behind + 8 * ahead - far_ahead) / (12 * h)
    twice = (-far_behind + 16 * behind - 30 * here + 16 * ahead - far_ahead) / (12 * h**2)
    return np.array([*here, *along, v @ v - 1, v @ twice])


def test_two_triangles_become_one_at_cusps(three):
    """Critical points solved anew from a start that is some way off."""
    points = of_kind(three, "critical point")
    for point in points:
        p, r = position(point)
        start = independent.stationary(isosceles([0.8, 0.5, 0.6, 0.1, 0.2]), p, r, 3)
        gram, b = start.gram, start.bias
        c = np.sqrt(gram[2, 2])
        t = -(gram[0, 2] + gram[1, 2]) / 2 / c
        y = [np.sqrt((gram[0, 0] + gram[1, 1]) / 2 - t**2), t, c, (b[0] + b[1]) / 2, b[2]]
        hessian = np.array(
            [(slope(y + e, p, r) - slope(y - e, p, r)) / 2e-5 for e in 1e-5 * np.eye(5)]
        )
        v = np.linalg.eigh((hessian + hessian.T) / 2)[1][:, 0]
        solved = root(cusp, [*y, *v, p + 2e-3, r - 1e-3], tol=1e-10, options={"eps": 1e-6})
        assert np.abs(solved.fun).max() < 1e-8
        np.testing.assert_allclose(solved.x[10:], (p, r), rtol=0, atol=2e-6)


def test_the_triangle_s_triple_point_is_the_algebraic_one(three):
    """Three polynomial equations with one root, by another route (derivations.triple_point)."""
    from derivations.triple_point import root as algebraic

    (point,) = [
        p
        for p in of_kind(three, "triple point")
        if set(p.phases) == {"antipodal", "others-antipodal", "triangle"}
    ]
    assert point.density == pytest.approx(float(algebraic()), abs=1e-11)
    assert point.relative_importance == pytest.approx(1, abs=1e-10)


def test_n_2_mirrors_itself(two):
    """L(p, r) = r L(p, 1/r): the other half was traced on its own."""

    def described(point, mirrored):
        phases = [MIRROR[phase] if mirrored else phase for phase in point.phases]
        r = point.relative_importance
        return point.kind, tuple(sorted(phases)), point.density, 1 / r if mirrored else r

    here, image = (
        sorted(described(point, mirrored) for point in two.special_points)
        for mirrored in (False, True)
    )
    for one, other in zip(here, image, strict=True):
        assert one[:2] == other[:2]
        np.testing.assert_allclose(one[2:], other[2:], rtol=0, atol=1e-10)
    for curve in curves(two):
        images = equilibrium(two, *(MIRROR[phase] for phase in curve.phases))
        lines = [polylines.of(image) * [1, -1] for image in images if image.order == curve.order]
        assert polylines.nearest(polylines.of(curve), lines).max() < 1e-3


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


# --- what changes there


def drawn(boundaries, each, seed):
    """Yield points of every curve away from its ends, and how near the next curve is."""
    rng = np.random.default_rng(seed)
    lines = [polylines.of(curve) for curve in curves(boundaries)]
    for index, curve in enumerate(curves(boundaries)):
        others = lines[:index] + lines[index + 1 :]
        steps = np.linalg.norm(np.diff(lines[index], axis=0), axis=1)
        along = np.concatenate([[0], np.cumsum(steps)]) / steps.sum()
        inner = np.flatnonzero((along > 0.2) & (along < 0.8))
        for k in rng.choice(inner, each):
            yield curve, int(k), float(polylines.nearest(lines[index][k], others)[0])


def across(curve, k, distance):
    """Return two positions, at that distance on either side of a point of a curve."""
    line = polylines.of(curve)
    tangent = line[k + 1] - line[k - 1]
    normal = np.array([-tangent[1], tangent[0]]) / np.linalg.norm(tangent)
    # upwards in importance, or to denser features where the line is vertical
    normal *= np.sign(normal[1]) if abs(normal[1]) > 1e-6 else np.sign(normal[0])
    return [np.exp(line[k] + side * distance * normal) for side in (-1, 1)]


def test_boundaries_are_where_the_phase_changes(boundaries):
    """Solved afresh a little to each side of points of every line: both phases, no other."""
    n, m = boundaries.n_features, boundaries.n_hidden
    for curve, k, room in drawn(boundaries, 2, 5):
        beside = across(curve, k, min(1e-3, room / 4))
        phases = [phd.solve(*where, n, m).phase for where in beside]
        assert len(set(phases)) == 2, (curve.phases, k, phases)
        assert set(phases) == set(curve.phases), (curve.phases, k, phases)
        jump = curve.slope_jump[k, 1]
        if curve.order == 1 and abs(jump) > 1e-6:
            assert phases[0] == curve.phases[0 if jump > 0 else 1]


def slopes(state, p, r, n):
    """Return the derivatives of a minimum's loss by density and importance (at fixed weights)."""
    h = 1e-6

    def loss(density, importance):
        return independent.loss_and_gradient(state.vector, density, importance, n, n - 1)[0]

    by_density = (3 * loss(p, r) - 4 * loss(p - h, r) + loss(p - 2 * h, r)) / (2 * h)
    return np.array([by_density, loss(p, r + 1) - loss(p, r)])


def lowest_from(states, where, n, rng):
    """Return the lowest minimum that descent from any of several states leads to."""
    ends = [
        independent.settled(independent.stationary(state.vector, *where, n), *where, rng)
        for state in states
    ]
    return min(ends, key=lambda state: state.loss)


def test_the_order_of_each_boundary_and_its_jump(boundaries):
    """One-sided derivatives of the lowest loss, from another code's minima on either side."""
    n = boundaries.n_features
    rng = np.random.default_rng(7)
    for curve, k, room in drawn(boundaries, 1, 8):
        distance = min(1e-7 if curve.order == 1 else 1e-5, room / 20)
        here = curve.density[k], curve.relative_importance[k]
        states = independent.all_minima(*here, n, rng)[:3]
        jumps = []
        for step in (distance, 2 * distance):
            sides = [
                slopes(lowest_from(states, where, n, rng), *where, n)
                for where in across(curve, k, step)
            ]
            jumps.append(sides[0] - sides[1])
        jump = 2 * jumps[0] - jumps[1]  # at the line itself
        assert curve.order in (1, 2)
        if curve.order == 1:
            stated = curve.slope_jump[k]
            allowed = 1e-7 + 1e-3 * np.abs(stated).max()
            assert np.abs(np.abs(jump) - np.abs(stated)).max() < allowed, (curve.phases, k)
            assert np.abs(stated).max() > 1e-8
        else:
            assert np.abs(jump).max() < 1e-6, (curve.phases, k)


def test_no_random_start_ends_below_a_boundary(boundaries):
    """And where the change is first order two minima are lowest, else one.

    Those that few random starts reach are the solver's, descended by the other code.
    """
    n = boundaries.n_features
    rng = np.random.default_rng(6)
    for curve, k, room in drawn(boundaries, 2, 9):
        where = curve.density[k], curve.relative_importance[k]
        if room < 1e-5:
            continue  # a third minimum is as low to all digits
        minima = independent.all_minima(*where, n, rng, 60)
        for known in phd.solve(*where, n, n - 1).minima[:3]:
            state = independent.stationary(independent.vector_of(known.W, known.b), *where, n)
            if all(independent.distance(state, other) >= independent.SAME for other in minima):
                minima.append(state)
        minima.sort(key=lambda state: state.loss)
        assert minima[0].loss == pytest.approx(curve.loss[k], abs=1e-11)
        # a line is right to 1e-10, across which the losses part by no more than this
        tie = 1e-14 + 2e-10 * np.abs(curve.slope_jump[k]).max()
        lowest = [state for state in minima if state.loss < minima[0].loss + tie]
        assert len(lowest) == (2 if curve.order == 1 else 1), (curve.phases, k)


def test_spinodals_have_no_order(boundaries):
    for boundary in boundaries.boundaries:
        if boundary.kind == "spinodal":
            assert boundary.order is None
            assert boundary.loss is None
            assert len(boundary.phases) == 1


def test_what_theory_said_before(two):
    """Found numerically before: near (0.51, 0.56), and between 0.70 and 0.71 on r = 1."""
    points = [position(p) for p in of_kind(two, "triple point")]
    assert any(abs(p - 0.51) < 0.005 and abs(r - 0.56) < 0.005 for p, r in points)
    assert any(0.70 < p < 0.71 and abs(r - 1) < 1e-10 for p, r in points)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((7, 6), "n_features"),
        ((2, 2), "n_hidden must be at least 1 and below n_features"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        phd.phase_boundaries(*arguments)


def test_the_files_hold_every_point(two):
    document = json.loads(result_json(two))
    assert len(document["boundaries"]) == len(two.boundaries)
    for saved, boundary in zip(document["boundaries"], two.boundaries, strict=True):
        assert saved["density"] == boundary.density.tolist()
        assert saved["order"] == boundary.order
    rows = boundaries_csv(two).splitlines()
    points = sum(len(boundary.density) for boundary in two.boundaries)
    assert len(rows) == 1 + points + len(two.special_points)
    assert "triple point" in boundaries_table(two)
