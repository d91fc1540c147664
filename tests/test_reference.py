"""Every curve, special point and minimum against reference results of three older codes.

`reference/curves_*.json` are all curves of both models as an earlier tracer, told where to look,
found them, and `reference/all_minima.json` every minimum at 200 random points; both were audited
with random starts.  Where the older code stopped short of where two curves meet, a few tolerances
are those of its chords.
"""

from __future__ import annotations

import json
from pathlib import Path

import independent
import numpy as np
import polylines
import pytest

import phasediagram as phd

FOLDER = Path(__file__).parent / "reference"
CURVES = {n: json.loads((FOLDER / f"curves_{n}_{n - 1}.json").read_text()) for n in (2, 3)}
MINIMA = json.loads((FOLDER / "all_minima.json").read_text())

# distances in log p and log r between chords; where a fold meets another curve, traces of the
# older code stopped within the last of these
EQUILIBRIUM, SPINODAL, END = 1e-3, 3e-3, 0.05
# of three features: how far off reference spinodals are at most, how many by more than SPINODAL,
# and the phases of spinodals that the reference does not have
CORNER, CUT, LACKING = 0.04, 8, {"triangle", "partial-triangle"}


@pytest.fixture
def reference(boundaries):
    return CURVES[boundaries.n_features]


def described(curve):
    """Return what must agree of two curves: kind, order, and the phases."""
    if not isinstance(curve, dict):
        curve = vars(curve)
    phases = frozenset(polylines.plain(phase) for phase in curve["phases"])
    return curve["kind"], curve["order"], phases


def lines_by_description(found):
    lines: dict[tuple, list] = {}
    for curve in found:
        lines.setdefault(described(curve), []).append(polylines.of(curve))
    return lines


def uncovered(found, by):
    """Yield the curves that leave the curves of the same description, and by how much."""
    lines = lines_by_description(by)
    for curve in found:
        key = described(curve)
        off = polylines.nearest(polylines.of(curve), lines.get(key, []))
        allowed = np.full(len(off), EQUILIBRIUM if key[0] == "equilibrium" else SPINODAL)
        if key[0] == "spinodal":
            allowed[[0, -1]] = END
        if (off > allowed).any():
            yield key, off.max()


def of_kind(curves, kind):
    return [curve for curve in curves if described(curve)[0] == kind]


@pytest.mark.parametrize("kind", ["equilibrium", "spinodal"])
def test_every_reference_curve_of_two_features_is_found_and_no_other(two, kind):
    expected = of_kind(CURVES[2]["boundaries"], kind)
    found = of_kind(two.boundaries, kind)
    assert list(uncovered(expected, found)) == []
    assert list(uncovered(found, expected)) == []


def test_every_reference_boundary_of_three_features_is_found_and_no_other(three):
    expected = of_kind(CURVES[3]["boundaries"], "equilibrium")
    found = of_kind(three.boundaries, "equilibrium")
    assert list(uncovered(expected, found)) == []
    assert list(uncovered(found, expected)) == []


def test_every_reference_spinodal_of_three_features_is_found(three):
    """All of them; near tips and corners, which either code cuts, only roughly."""
    expected = of_kind(CURVES[3]["boundaries"], "spinodal")
    missing = list(uncovered(expected, of_kind(three.boundaries, "spinodal")))
    assert max(off for _, off in missing) < CORNER
    assert len(missing) <= CUT


def test_spinodals_of_three_features_that_are_no_reference_curves(three):
    """What the reference lacks: `test_spinodals` sees minima end there."""
    expected = of_kind(CURVES[3]["boundaries"], "spinodal")
    more = list(uncovered(of_kind(three.boundaries, "spinodal"), expected))
    assert {name for (_, _, names), off in more for name in names if off > CORNER} <= LACKING


def test_on_lines_of_first_order_two_minima_tie_to_eight_digits(boundaries):
    """At points between the special ones; the gap over its slope is the error of the line."""
    n = boundaries.n_features
    rng = np.random.default_rng(3)
    for curve in boundaries.boundaries:
        if curve.kind != "equilibrium" or curve.order != 1:
            continue
        line = polylines.of(curve)
        steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
        along = np.concatenate([[0], np.cumsum(steps)]) / steps.sum()
        k = int(rng.choice(np.flatnonzero((along > 0.1) & (along < 0.9))))  # not by the ends
        where = curve.density[k], curve.relative_importance[k]
        minima = independent.all_minima(*where, n, rng, 150)
        gap = minima[1].loss - minima[0].loss
        jump = np.linalg.norm(curve.slope_jump[k] * where)
        assert gap < 1e-8 * jump + 1e-15, (curve.phases, k)


def test_special_points_are_the_reference_points(boundaries, reference):
    def row(kind, phases, density, r):
        return kind, tuple(sorted(phases)), density, r

    found = sorted(
        row(p.kind, p.phases, p.density, p.relative_importance) for p in boundaries.special_points
    )
    expected = sorted(
        row(p["kind"], p["phases"], p["density"], p["relative_importance"])
        for p in reference["special_points"]
    )
    assert [point[:2] for point in found] == [point[:2] for point in expected]
    np.testing.assert_allclose(
        [point[2:] for point in found], [point[2:] for point in expected], rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("n", [2, 3])
def test_solve_finds_every_reference_minimum(n):
    """And what it finds besides is a true minimum: another code descends from it to itself."""
    rng = np.random.default_rng(4)
    points = [entry for entry in MINIMA if entry["n_features"] == n]
    assert len(points) == 100
    for entry in points:
        where = entry["density"], entry["relative_importance"]
        solution = phd.solve(*where, n, n - 1)
        left = list(solution.minima)
        for known in entry["minima"]:
            same = [q for q in left if abs(q.loss - known["loss"]) < 1e-10]
            assert same, (where, known)
            # `solve` adds a word where two minima of a point would share a name
            assert phd.naming.phase_of(same[0].W, where[0]) == known["phase"], (where, known)
            left.remove(same[0])
        for extra in left:
            state = independent.stationary(independent.vector_of(extra.W, extra.b), *where, n)
            minimum = independent.settled(state, *where, rng)
            assert minimum.loss == pytest.approx(extra.loss, abs=1e-12), (where, extra)
            assert independent.distance(minimum, state) < independent.SAME, (where, extra)


@pytest.mark.parametrize("n", [2, 3])
def test_no_minimum_of_another_code_is_missed(n):
    """Ten random points each, searched from random starts by the independent code."""
    rng = np.random.default_rng(14)
    for where in np.exp(rng.uniform(np.log([0.01, 0.1]), np.log([1, 10]), (10, 2))):
        losses = np.array([q.loss for q in phd.solve(*where, n, n - 1).minima])
        for state in independent.all_minima(*where, n, rng):
            assert np.abs(losses - state.loss).min() < 1e-10, (where, state)
