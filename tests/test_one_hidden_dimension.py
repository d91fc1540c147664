"""Three features in one hidden dimension: a third model, of which the tracer was told nothing."""

from __future__ import annotations

import independent
import numpy as np
import polylines
import pytest

import phasediagram as phd
from phasediagram.closed_forms import tricritical_points

N, M = 3, 1
LOWER, UPPER = np.log([0.01, 0.1]), np.log([1.0, 10.0])
SEGMENTS, LONGEST = 24, 0.6
STARTS = 150
MARGIN = 1e-9  # relative gap of losses that the independent code tells from a tie
UNRESOLVED = 1


@pytest.fixture(scope="module")
def diagram():
    with pytest.warns(UserWarning, match="could not be closed"):
        return phd.phase_boundaries(N, M, spinodals=False)


def lowest(position, rng):
    """Return the lowest state, as W^T W and b, that descents of the independent code reach."""
    density, importance = np.exp(position)
    best = None
    for scale in rng.choice([0.3, 0.7, 1.0], STARTS):
        start = np.concatenate([scale * rng.normal(size=N * M), rng.normal(0.1, 0.3, N)])
        state, loss, slope = independent.minimise(start, density, importance, N, M, 0.3)
        if slope < 1e-8 and (best is None or loss < best[0]):
            best = loss, state
    assert best is not None
    return best


def loss_at(state, position):
    """Return the loss to which a descent from a state near by leads, and the state."""
    found, loss, _ = independent.minimise(state, *np.exp(position), N, M, 0.05)
    return loss, found


def test_little_is_left_open(diagram):
    assert len(diagram.unresolved) <= UNRESOLVED
    assert all(point.density > 0.6 for point in diagram.unresolved)


def test_beside_a_dedicated_feature_another_begins_as_of_two_features(diagram):
    """The third is ignored: the tricritical points of two features with r and 1 exchanged."""
    found = [
        (point.density, point.relative_importance)
        for point in diagram.special_points
        if point.kind == "tricritical point" and {"dedicated", "partial-other"} <= {*point.phases}
    ]
    expected = [(p, 1 / r) for p, r in tricritical_points()]
    for point in expected:
        assert min(np.abs(np.array(point) - other).max() for other in found) < 1e-7


def test_on_equal_importances_features_change_places(diagram):
    """All minima tie with their copies on r = 1; where those differ, the lowest one changes."""
    line = [
        curve
        for curve in diagram.boundaries
        if np.abs(np.log(curve.relative_importance)).max() < 1e-10
    ]
    covered = sorted((curve.density.min(), curve.density.max()) for curve in line)
    assert covered[0][0] == pytest.approx(0.01, abs=1e-9)
    reach = covered[0][1]
    for start, stop in covered[1:]:
        assert start <= reach * (1 + 1e-2)
        reach = max(reach, stop)
    assert reach == pytest.approx(1.0, abs=1e-9)


def test_between_boundaries_the_lowest_minimum_is_one(diagram):
    """Segments over the whole domain: without a line across, the lowest minimum goes on."""
    rng = np.random.default_rng(31)
    lines = [polylines.of(curve) for curve in diagram.boundaries]
    uncrossed = 0
    for _ in range(SEGMENTS):
        here = LOWER + rng.random(2) * (UPPER - LOWER)
        there = np.clip(here + rng.uniform(-LONGEST, LONGEST, 2), LOWER, UPPER)
        crossed = any(polylines.crossings(line, here, there) for line in lines)
        ends = lowest(here, rng), lowest(there, rng)
        moved = ends[0][1]
        for share in np.linspace(0, 1, 41)[1:]:
            loss, moved = loss_at(moved, here + share * (there - here))
        if crossed:
            continue
        uncrossed += 1
        assert loss < ends[1][0] * (1 + MARGIN), (np.exp(here), np.exp(there))
    assert uncrossed >= SEGMENTS // 2


def test_on_first_order_lines_two_minima_tie_and_none_is_lower(diagram):
    rng = np.random.default_rng(32)
    for curve in diagram.boundaries:
        if curve.order != 1 or len(curve.density) < 20:
            continue
        k = int(rng.integers(len(curve.density) // 4, 3 * len(curve.density) // 4))
        position = np.log([curve.density[k], curve.relative_importance[k]])
        assert curve.loss is not None
        assert lowest(position, rng)[0] == pytest.approx(curve.loss[k], rel=1e-9)
