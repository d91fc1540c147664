"""Walks along edges of regions that are known: closed forms, no loss."""

from __future__ import annotations

import numpy as np
import pytest

from phasediagram.atlas.following import End
from phasediagram.limits.walking import Walker
from phasediagram.lines.tracer import Domain
from phasediagram.minima.search import State
from phasediagram.minima.state import Space

DOMAIN = Domain(np.array([-1.0, -1.0]), np.array([1.0, 1.0]))
SPACE = Space(2, 1, ((0,), (1,)))  # states are compared by it; here W = (x, 0), b = 0


def state(x):
    vector = np.array([x, 0.0, 0.0, 0.0])
    return State(vector, 0.0, 0.0, 1.0, np.array([1.0, 0.0, 0.0, 0.0]))


def finished(walk, answer):
    """Run a walk, answering each request by a state or by why there is none."""
    try:
        request = next(walk)
        while True:
            request = walk.send(answer(request))
    except StopIteration as stopped:
        return stopped.value


def within(exists):
    """A minimum that does not depend on the position and exists in a region."""
    return lambda request: state(0.5) if exists(*request.stop) else "lost"


def walked(answer, inside, outside, sense=1, x=0.5):
    end = End(state(x), np.array(inside), np.array(outside), "lost")
    walker = Walker(end, sense, DOMAIN, SPACE)
    feet, why = finished(walker.walk(), answer)
    return np.array([foot.position for foot in feet]), why, walker.turns


@pytest.mark.parametrize("sense", [1, -1])
def test_round_a_disc(sense):
    positions, why, turns = walked(
        within(lambda x, y: x * x + y * y < 0.25), [0.4999, 0.0], [0.5001, 0.0], sense
    )
    assert (why, turns) == ("closed", [])
    np.testing.assert_allclose(np.linalg.norm(positions, axis=1), 0.5, atol=3e-4)
    angles = np.unwrap(np.arctan2(*positions.T[::-1]))
    assert sense * (angles[-1] - angles[0]) == pytest.approx(2 * np.pi, abs=0.2)


def test_round_the_corners_of_a_square():
    positions, why, _ = walked(
        within(lambda x, y: max(abs(x), abs(y)) < 0.5), [0.4999, 0.1], [0.5001, 0.1]
    )
    assert why == "closed"
    np.testing.assert_allclose(np.abs(positions).max(axis=1), 0.5, atol=3e-4)
    corners = np.array([[0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5], [0.5, -0.5]])
    nearest = np.linalg.norm(positions - corners[:, None], axis=2).min(axis=1)
    assert nearest.max() < 1e-3


def test_along_a_strip_to_the_edge_of_the_domain():
    """A strip 4e-4 wide along a parabola: steps stay long and positions right."""
    positions, why, turns = walked(
        within(lambda x, y: abs(y - x * x / 2) < 2e-4), [0.0, 1.99e-4], [0.0, 2.01e-4], -1
    )
    assert (why, turns) == ("edge", [])
    assert len(positions) < 200
    np.testing.assert_allclose(positions[:, 1] - positions[:, 0] ** 2 / 2, 2e-4, atol=2e-5)
    assert positions[-1, 0] == pytest.approx(1.0, abs=1e-3)


def test_round_the_tip_of_a_wedge():
    """Between two parabolas that touch, region and walk end at their contact, and turn."""
    positions, why, turns = walked(
        within(lambda x, y: 0 < y < x * x / 4 and x > 0), [0.5, 1e-5], [0.5, -1e-5], -1
    )
    assert why == "edge"
    assert [kind for _, kind in turns] == ["tip"]
    off = np.minimum(np.abs(positions[:, 1]), np.abs(positions[:, 1] - positions[:, 0] ** 2 / 4))
    assert off.max() < 3e-4
    assert positions[:, 0].min() < 0.03
    assert positions[-1] == pytest.approx([1.0, 0.25], abs=1e-3)


def minimum_of_the_cusp(request):
    """Follow a minimum of V = x^4 / 4 - a x^2 / 2 - b x from near by, by Newton's method."""
    a, b = request.stop
    x = request.state.x[0]
    for _ in range(60):
        slope, curvature = x**3 - a * x - b, 3 * x * x - a
        if curvature <= 0:
            return "lost"
        step = -slope / curvature
        x += np.clip(step, -0.05, 0.05)
        if abs(step) < 1e-13:
            break
    if abs(x - request.state.x[0]) > 0.3 or 3 * x * x - a <= 0:
        return "lost"
    return state(x)


def test_round_a_cusp_onto_the_other_sheet():
    """The minimum to the right ends on one fold, and beyond the cusp to the left on the other."""
    a = 0.6
    edge = -2 * (a / 3) ** 1.5
    x = np.sqrt(a / 3)
    positions, why, turns = walked(
        minimum_of_the_cusp, [a, edge + 1e-6], [a, edge - 1e-6], -1, x + 1e-3
    )
    assert why == "edge"
    assert [kind for _, kind in turns] == ["cusp"]
    folds = np.sign(positions[:, 1]) * 2 * (np.maximum(positions[:, 0], 0) / 3) ** 1.5
    np.testing.assert_allclose(positions[:, 1], folds, atol=3e-4)
    assert positions[:, 0].min() < 0.03
    first, last = positions[0], positions[-1]
    assert first[1] < 0 < last[1]
    assert last[0] == pytest.approx(1.0, abs=1e-3)


def test_where_a_minimum_exists_all_around_there_is_no_edge():
    """A step that failed once is no edge."""
    failed = []

    def answer(request):
        if not failed:
            failed.append(request)
            return "lost"
        return state(0.5)

    positions, why, _ = walked(answer, [0.1, 0.1], [0.1, 0.101])
    assert why == "nothing"
    assert len(positions) == 1
