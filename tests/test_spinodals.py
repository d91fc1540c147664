"""Where minima end, against minima that another code finds and follows."""

from __future__ import annotations

import independent
import numpy as np
import polylines
import pytest
import sympy
from directional import easiest_tilt, ignored_state, smallest_second

import phasediagram as phd
from derivations.aligned import aligned_cubic
from derivations.simplex import p as density_symbol
from phasediagram.closed_forms import aligned_limit, aligned_tricritical_point
from phasediagram.naming import phase_of

WHOLE = np.log([[0.01, 0.1], [1.0, 10.0]])
PARTNER = {
    "ignored": "dedicated",
    "dedicated": "ignored",
    "partial": "partial-other",
    "partial-other": "partial",
}
CLOSE = 6e-3  # in log p and log r: beyond the error of chords
TOLD_APART = 4e-4  # distance of curves, of which the nearest probes see both sides at once
LATE = 0.05  # by when random probes have noticed that a minimum has become a saddle


def spinodals(boundaries, phase=None):
    return [
        b
        for b in boundaries.boundaries
        if b.kind == "spinodal" and (phase is None or polylines.plain(b.phases[0]) == phase)
    ]


def importances(boundaries, phase, density):
    """Return where the curves of a phase cross a density, interpolated along chords."""
    curves = spinodals(boundaries, phase)
    return sorted(r for curve in curves for r in polylines.at_density(curve, density))


# --- everywhere: what is lost crosses a curve, and at a curve something is lost


def segments(count, seed):
    """Return segments drawn uniformly over the whole domain, (log p, log r) of both ends."""
    rng = np.random.default_rng(seed)
    drawn = []
    while len(drawn) < count:
        here = rng.uniform(*WHOLE)
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1.2)
        there = here + length * np.array([np.cos(angle), np.sin(angle)])
        if ((there > WHOLE[0]) & (there < WHOLE[1])).all():
            drawn.append((here, there))
    return drawn


def named(state, position, n):
    """Return the phase of a minimum, None if the solver does not find it."""
    p, r = np.exp(position)
    minima = phd.solve(min(p, 1.0), r, n, n - 1).minima
    close = [q for q in minima if abs(q.loss - state.loss) < 1e-9]
    # the name of its own geometry: `solve` adds a word where two minima would share one
    return phase_of(close[0].W, min(p, 1.0)) if close else None


def losses(here, there, n, rng):
    """Yield where minima at one end are lost on the way to the other, with their names."""
    for state in independent.all_minima(*np.exp(here), n, rng, STARTS[n]):
        end = independent.follow(state, here, there, rng)
        if isinstance(end, independent.Loss):
            position = end.position + 1e-3 * (here - there)
            before = independent.stationary(end.state.vector, *np.exp(position), n)
            names = {named(state, here, n), named(before, position, n)} - {None}
            if names or np.any(end.position != here):  # else it was no minimum
                yield end.position, names


def curves_of(boundaries, names):
    """Return the spinodals of phases; all of them for a minimum that the solver cannot name."""
    return [
        polylines.of(curve)
        for curve in spinodals(boundaries)
        if not names or polylines.plain(curve.phases[0]) in names
    ]


MODELS = [("two", 2), ("three", 3)]

# how many segments, and at least how many losses on them
SAMPLE = {2: (120, 80), 3: (30, 15)}
# how many segments to look for curves on, and at least how many crossings
CROSSED = {2: (40, 40), 3: (14, 20)}
STARTS = {2: 60, 3: 30}  # of each search of the independent code, besides hand-picked ones


@pytest.mark.parametrize(("fixture", "n"), MODELS)
def test_where_a_minimum_ends_there_is_a_spinodal_of_its_phase(request, fixture, n):
    """Segments over the whole domain, both ways; nothing here knows where curves are."""
    boundaries = request.getfixturevalue(fixture)
    rng = np.random.default_rng(18)
    count, least = SAMPLE[n]
    seen = 0
    missing = []
    for here, there in segments(count, 8):
        for ends in ((here, there), (there, here)):
            for position, names in losses(*ends, n, rng):
                seen += 1
                back = (ends[0] - ends[1]) / np.linalg.norm(ends[0] - ends[1])
                before = position + np.linspace(0, LATE, 11)[:, None] * back
                if polylines.nearest(before, curves_of(boundaries, names)).min() > CLOSE:
                    missing.append((np.exp(position).round(5).tolist(), sorted(names)))
    assert missing == []
    assert seen >= least


def changes(phase, here, there, n, rng):
    """Whether a minimum of a phase is lost between two positions, or goes on as another phase.

    A minimum that the solver does not find, and so has no name, may be the one.
    """
    where = np.exp(here)
    minima = phd.solve(*where, n, n - 1).minima
    starts = [
        independent.stationary(independent.vector_of(q.W, q.b), *where, n)
        for q in minima
        if phase_of(q.W, where[0]) == phase
    ]
    known = np.array([q.loss for q in minima])
    for state in independent.all_minima(*where, n, rng, STARTS[n]):
        if np.abs(known - state.loss).min() > 1e-9:
            starts.append(state)
    for state in starts:
        end = independent.follow(state, here, there, rng, 1e-5)
        if isinstance(end, independent.Loss) or named(end, there, n) != phase:
            return True
    return False


def apart(curve, boundaries, here, there):
    """Return where a segment crosses a curve and no other of its phase, closer than chords tell."""
    phase, length = polylines.plain(curve.phases[0]), np.linalg.norm(there - here)
    found = [
        share
        for other in spinodals(boundaries, phase)
        for share in polylines.crossings(polylines.of(other), here, there)
    ]
    for share in polylines.crossings(polylines.of(curve), here, there):
        if sum(abs(share - other) * length < CLOSE for other in found) == 1:
            yield share


def ends_there(phase, position, along, n, rng):
    """Whether a minimum of a phase ends about a position; closer by, where regions are narrow."""
    for distance in (CLOSE, CLOSE / 4, CLOSE / 16):
        sides = position - distance * along, position + distance * along
        if any(changes(phase, *ends, n, rng) for ends in (sides, sides[::-1])):
            return True
    return False


def not_told_apart(boundaries, position, curve):
    """Return the phases of curves in whose place the independent code may see another end."""
    near = [
        polylines.plain(other.phases[0])
        for other in spinodals(boundaries)
        if polylines.nearest(position[None], [polylines.of(other)]).min() < TOLD_APART
    ]
    return sorted({polylines.plain(curve.phases[0]), *near})


@pytest.mark.parametrize(("fixture", "n"), MODELS)
def test_at_a_spinodal_a_minimum_of_its_phase_ends(request, fixture, n):
    """Wherever the same segments cross a curve; a continuous end goes on as another phase."""
    boundaries = request.getfixturevalue(fixture)
    rng = np.random.default_rng(19)
    seen = 0
    false = []
    count, least = CROSSED[n]
    for here, there in segments(count, 8):
        for curve in spinodals(boundaries):
            for share in apart(curve, boundaries, here, there):
                position = here + share * (there - here)
                along = (there - here) / np.linalg.norm(there - here)
                if position[0] + CLOSE > 0:
                    continue
                seen += 1
                phases = not_told_apart(boundaries, position, curve)
                if not any(ends_there(phase, position, along, n, rng) for phase in phases):
                    false.append((np.exp(position).round(5).tolist(), phases))
    assert false == []
    assert seen >= least


# --- at points: other codes, closed forms, directional derivatives

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
    for curve in spinodals(two):
        phase = PARTNER.get(curve.phases[0], curve.phases[0])
        image = polylines.of(curve) * [1, -1]
        lines = [polylines.of(other) for other in spinodals(two, phase)]
        assert polylines.nearest(image, lines).max() < 3e-3, curve.phases


def test_aligned_begins_on_its_closed_form_without_using_it():
    """The directional curvature, minimised numerically, vanishes on r_+ for n = 2 and 3."""
    for n in (2, 3):
        held = None if n == 2 else 5
        for density in (0.1, 0.6, 0.95):
            limit = float(aligned_limit(density))
            x = ignored_state(n, density)
            for factor, sign in ((1 - 1e-6, 1), (1 + 1e-6, -1)):
                second = smallest_second(n, x, density, limit * factor, n - 1, 1, held)
                assert np.sign(second) == sign
                assert abs(second) < 1e-6


def test_the_curve_of_aligned_is_its_closed_form(two):
    for density in np.geomspace(0.02, 0.87, 9):
        limit = float(aligned_limit(density))
        assert np.abs(np.array(importances(two, "aligned", density)) / limit - 1).min() < 1e-3


def test_the_cubic_term_of_aligned():
    for density in (0.2, 0.5, float(aligned_tricritical_point()[0]), 0.95):
        r = float(aligned_limit(density))
        at = easiest_tilt(2, ignored_state(2, density), density, r, 1, 1)
        expected = float(aligned_cubic().subs(density_symbol, sympy.Float(density, 20)))
        assert at.third == pytest.approx(expected, abs=1e-9)


def test_pairs_tilt_where_the_smallest_second_derivative_says(three):
    """`directional` minimises over all directions of given tilt, on either side of a curve."""
    rng = np.random.default_rng(2)
    for density in (0.75, 0.8, 0.9):
        (limit,) = importances(three, "others-partial", density)
        pair = independent.all_minima(density, 1.0, 2, rng)[0]
        x = np.array([*pair.vector[:2], 0, 0, 0, 1, *pair.vector[2:], 0])
        for factor, sign in ((1 + 2e-3, 1), (1 - 2e-3, -1)):
            second = min(
                smallest_second(3, x, density, limit * factor, variable, side, 2)
                for variable in (3, 4)
                for side in (1, -1)
            )
            assert np.sign(second) == sign, density


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


def test_curves_are_continuous(two, three):
    for boundaries in (two, three):
        for curve in spinodals(boundaries):
            line = polylines.of(curve)
            assert len(line) >= 2
            steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
            straight = np.ptp(line[:, 0]) < 1e-6  # the extra feature takes no part
            assert straight or steps.max() < 0.4, curve.phases
