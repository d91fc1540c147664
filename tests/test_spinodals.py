"""Where minima end, against minima found from random starts and independent derivatives."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import sympy
from directional import easiest_tilt, smallest_second

import phasediagram as phd
from derivations.aligned import aligned_cubic
from derivations.simplex import p as density_symbol
from phasediagram.branches import Model
from phasediagram.closed_forms import aligned_limit, aligned_tricritical_point
from phasediagram.continuous import ignored_state, others_partial_limits
from phasediagram.curvature import smallest_curvature
from phasediagram.equilibrium import Domain
from phasediagram.free_minimization import FreeLoss
from phasediagram.naming import phase_of
from phasediagram.spinodals import find_spinodals
from phasediagram.tilting import PairAndSingle

WHOLE = np.log([[0.01, 0.1], [1.0, 10.0]])
DENSE = np.log([[0.6, 0.7], [1.0, 1.5]])  # where many minima of three features end
PARTNER = {
    "ignored": "dedicated",
    "dedicated": "ignored",
    "partial": "partial-other",
    "partial-other": "partial",
}


def find(n, region):
    model = Model(n, n - 1)

    def name(x, u):
        return phase_of(model.weights(x), min(float(np.exp(u)), 1.0))

    return find_spinodals(model, Domain(*map(tuple, region)), name)


@pytest.fixture(scope="module")
def two():
    return find(2, WHOLE)


@pytest.fixture(scope="module")
def three():
    return find(3, DENSE)


def importances(spinodals, phase, density):
    """Return where the curves of a phase cross a density, interpolated along chords."""
    found = []
    for spinodal in spinodals:
        if spinodal.phase == phase:
            u, v = spinodal.positions.T
            for k in np.flatnonzero(np.diff(np.sign(u - np.log(density)))):
                ends = slice(k, k + 2)
                order = np.argsort(u[ends])
                found.append(np.exp(np.interp(np.log(density), u[ends][order], v[ends][order])))
    return sorted(found)


# ends of minima of n = 2 in r at fixed p, followed from random starts in steps down to 1e-7
ALIGNED = {
    0.12: (0.10661, 0.17164, 0.40044, 1.15815),
    0.15: (0.14602, 0.20727, 0.42236, 1.15077),
    0.18: (0.19112, 0.23885, 0.44425, 1.14336),
    0.5: (0.67500, 1.07566),
    0.8: (0.88125, 1.02767),
}
PARTIAL = {
    0.3: (0.31546, 0.31945),
    0.4: (0.43249, 0.46015),
    0.5: (0.55041, 0.63559),
    0.87: (0.92080, 1.02174),
    0.95: (0.96849, 1.01008),
}


@pytest.mark.parametrize(("phase", "limits"), [("aligned", ALIGNED), ("partial", PARTIAL)])
def test_minima_of_two_features_end_where_another_code_says(two, phase, limits):
    for density, expected in limits.items():
        density *= 1 + 1e-9  # between points of the curves
        found = importances(two, phase, density)
        if phase == "aligned":
            mirrored = [1 / r for r in expected]
            np.testing.assert_allclose(found, sorted([*expected, *mirrored]), rtol=1e-3)
        else:
            np.testing.assert_allclose(found, expected, rtol=5e-4)
            found = importances(two, "partial-other", density)
            np.testing.assert_allclose(found, sorted(1 / r for r in expected), rtol=5e-4)


def test_spinodals_of_two_features_mirror_each_other(two):
    """L(p, r) = r L(p, 1/r), each half traced on its own."""
    for spinodal in two:
        phase = PARTNER.get(spinodal.phase, spinodal.phase)
        image = spinodal.positions[len(spinodal.positions) // 2] * [1, -1]
        density, r = np.exp(image)
        found = importances(two, phase, density * (1 + 1e-9))
        assert np.abs(np.array(found) / r - 1).min() < 1e-3, (spinodal.phase, density, r)


def ended(model, here, there):
    """Return the minima at one position that are not found again, followed, at another."""
    n, m = model.n, model.m
    minima = [
        [np.concatenate([q.W.ravel(), q.b]) for q in phd.solve(*np.exp(position), n, m).minima]
        for position in (here, there)
    ]
    names = []
    for state in minima[0]:
        x, passed = state, []
        for share in np.linspace(0, 1, 21)[1:]:
            position = here + share * (there - here)
            moved, _ = model.minimize(x[None], position[:1], position[1:])
            if model.distance(moved[0], x) > 0.15:
                break
            x = moved[0]
            passed.append(phase_of(model.weights(x), float(np.exp(position[0]))))
        if len(passed) < 20 or not any(model.distance(x, other) < 1e-4 for other in minima[1]):
            start = phase_of(model.weights(state), float(np.exp(here[0])))
            names.append({start, *passed})
    return names


def crosses(curve, here, there):
    """Whether a polyline crosses the segment between two positions."""
    along = there - here
    across = (curve - here) @ [-along[1], along[0]]
    share = (curve - here) @ along / (along @ along)
    for k in np.flatnonzero(across[:-1] * across[1:] <= 0):
        weight = across[k] / (across[k] - across[k + 1]) if across[k] != across[k + 1] else 0.0
        if -0.02 <= share[k] + weight * (share[k + 1] - share[k]) <= 1.02:
            return True
    return False


@pytest.mark.parametrize(
    ("size", "n", "region", "segments"), [("two", 2, WHOLE, 60), ("three", 3, DENSE, 20)]
)
def test_where_a_minimum_ends_there_is_a_spinodal(request, size, n, region, segments):
    """Minima at both ends of short segments near the curves, searched from random starts."""
    spinodals = request.getfixturevalue(size)
    model, rng = Model(n, n - 1), np.random.default_rng(8)
    total = 0
    while segments:
        curve = spinodals[rng.integers(len(spinodals))].positions
        here = curve[rng.integers(len(curve))] + 0.02 * rng.normal(size=2)
        angle = rng.uniform(0, 2 * np.pi)
        there = here + rng.uniform(0.03, 0.1) * np.array([np.cos(angle), np.sin(angle)])
        if not (
            (np.minimum(here, there) > region[0]) & (np.maximum(here, there) < region[1])
        ).all():
            continue
        segments -= 1
        crossed = {s.phase for s in spinodals if crosses(s.positions, here, there)}
        for names in ended(model, here, there):
            total += 1
            assert crossed, (np.exp(here), np.exp(there), names)
            changes = names & crossed or continuous_partners(names) & crossed
            assert changes, (np.exp(here), np.exp(there), names, crossed)
    assert total > 5


def continuous_partners(names):
    """Return the phases into which those minima may turn continuously, losing a coupling."""
    if names & {"scalene", "triangle", "partial-triangle", "aligned-triangle"}:
        return {
            "ignored",
            "antipodal",
            "partial",
            "aligned",
            "others-antipodal",
            "others-partial",
            "others-aligned",
        }
    return {"ignored"} if names & {"partial"} else set()


def test_aligned_begins_on_its_closed_form_without_using_it():
    """The directional curvature, minimised numerically, vanishes on r_+ for n = 2 and 3."""
    for n in (2, 3):
        model, held = Model(n, n - 1), None if n == 2 else 5
        for density in (0.1, 0.6, 0.95):
            limit = float(aligned_limit(density))
            x = ignored_state(n, density)
            for factor, sign in ((1 - 1e-6, 1), (1 + 1e-6, -1)):
                v = np.log(limit * factor)
                second = smallest_second(model, x, np.log(density), v, n - 1, 1, held)
                assert np.sign(second) == sign
                assert abs(second) < 1e-6


def test_the_cubic_term_of_aligned():
    for density in (0.2, 0.5, float(aligned_tricritical_point()[0]), 0.95):
        v = float(np.log(aligned_limit(density)))
        at = easiest_tilt(Model(2, 1), ignored_state(2, density), np.log(density), v, 1, 1)
        expected = float(aligned_cubic().subs(density_symbol, sympy.Float(density, 20)))
        assert at.third == pytest.approx(expected, abs=1e-9)


def pair_states():
    """Return pairs at their minima: (extra in pair, density, importance, pair)."""
    guesses = {
        "antipodal": [0.9, -0.9, 0.1, 0.1],
        "partial": [0.93, -0.45, 0.2, 0.48],
        "aligned": [0.93, 0.45, -0.1, 0.02],
    }
    cases = [
        (False, 0.78, 1.3, "partial"),
        (False, 0.3, 4.0, "aligned"),
        (False, 0.6, 1.6, "antipodal"),
        (True, 0.5, 0.9, "antipodal"),
        (True, 0.2, 5.0, "antipodal"),
    ]
    for extra_in_pair, density, r, guess in cases:
        kind = PairAndSingle(extra_in_pair)
        u, v = np.log([density]), np.log([r])
        yield kind, density, r, kind.pairs(np.array([guesses[guess]]), u, v)[0]


def test_tilts_have_the_second_derivative_of_the_loss_itself():
    """Along the easiest direction, by differences of the exact loss."""
    for kind, density, r, pair in pair_states():
        u, v = np.log([density]), np.log([r])
        tilt = kind.tilt(pair[None], u, v)
        x = kind.states(pair[None])[0]
        direction = kind.direction(tilt.components[0], float(tilt.bias[0]), density)
        objective = FreeLoss(3, 2, np.array([density]), np.array([r]))
        t = 1e-4
        losses = [
            objective.value((x + s * direction)[None], np.zeros(1, int))[0] for s in (0, t, 2 * t)
        ]
        near, far = ((losses[k] - losses[0]) / (k * t) ** 2 for k in (1, 2))
        assert 2 * near - far == pytest.approx(float(tilt.stiffness[0]), abs=1e-7)


def test_no_direction_is_softer_than_the_easiest_tilt():
    """Minimised over all directions of (W, b) by another code: the same sign on both sides."""
    rng = np.random.default_rng(0)
    for kind, density, r, pair in pair_states():
        if kind.extra_in_pair:
            continue
        u = np.log([density])
        limit = float(np.exp(kind.limits(pair[None], u)[0]))
        for factor, sign in ((1 - 1e-4, -1), (1 + 1e-4, 1)):
            objective = FreeLoss(3, 2, np.array([density]), np.array([limit * factor]))
            x = kind.states(pair[None])[0]
            assert np.sign(smallest_curvature(objective, x, rng)) == sign, (density, r)


def test_others_tilt_where_newton_s_method_on_the_loss_says():
    """`directional` minimises the second derivative over all directions of given tilt."""
    ((u, v),), (pair,) = others_partial_limits(np.log([0.8]))
    x = PairAndSingle(False).states(pair[None])[0]
    for shift, sign in ((1e-7, 1), (-1e-7, -1)):
        found = min(smallest_second(Model(3, 2), x, u, v + shift, 3, side, 2) for side in (1, -1))
        assert np.sign(found) == sign


def test_folds_at_a_kink_separate_a_minimum_from_none(two):
    """Where output 1 switches on for its own feature alone, a minimum of *aligned* ends."""
    density, r = 0.15, ALIGNED[0.15][0]
    above, below = phd.solve(density, 1.002 * r).minima, phd.solve(density, 0.998 * r).minima
    (pair,) = [q for q in above if q.phase == "aligned"]
    assert all(q.phase != "aligned" for q in below)
    assert 0 < -(pair.gram[0, 0] + pair.b[0]) < 0.02  # still off, and about to switch on
    assert min(abs(np.array(importances(two, "aligned", density)) / r - 1)) < 1e-3


def test_solve_finds_aligned_minima_in_both_mirror_images():
    for density, r in ((0.1075, 0.118), (0.1208, 0.1375), (0.15, 0.18)):
        for importance in (r, 1 / r):
            assert "aligned" in {q.phase for q in phd.solve(density, importance).minima}
    assert "aligned" in {q.phase for q in phd.solve(0.13, 0.14, 3, 2).minima}


def test_curves_are_continuous(two):
    for spinodal in two:
        steps = np.linalg.norm([b - a for a, b in pairwise(spinodal.positions)], axis=1)
        assert steps.max() < 0.25
        assert len(spinodal.positions) > 2
