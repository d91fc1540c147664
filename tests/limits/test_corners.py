"""Corners of limits: two curves with a known crossing, and one that only bends."""

from __future__ import annotations

import numpy as np
import pytest

from phasediagram.limits.corners import corners
from phasediagram.limits.polishing import BRACKETED, Polished
from phasediagram.lines.systems import Equations, Residual


class Curve(Equations):
    """Where a polynomial of the position vanishes."""

    def __init__(self, value, slope):
        self.value, self.slope = value, slope

    def residual(self, y):
        return Residual(np.array([self.value(y)]), np.array([self.slope(y)]))

    def states(self, y):
        return (y[:0],)


def circle():
    return Curve(lambda y: y @ y - 1.0, lambda y: 2 * y)


def line(rise):
    return Curve(lambda y: y[1] - rise * y[0], lambda y: np.array([-rise, 1.0]))


def points(system, positions, kind):
    return [Polished(np.array(q), kind, system, np.array(q)) for q in positions]


def on_circle(angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def on_line(rise, reach):
    return np.stack([reach, rise * reach], axis=1)


@pytest.mark.parametrize("kinds", [("fold", "kink"), ("fold", "fold")])
@pytest.mark.parametrize("rise", [0.2, 1.0, -3.0])
def test_a_limit_that_changes_its_system_gets_their_crossing(rise, kinds):
    exact = np.array([1.0, rise]) / np.hypot(1.0, rise)
    angle = np.arctan(rise)
    along = on_circle(angle - np.array([0.03, 0.02, 0.01, 2e-4]))
    away = on_line(rise, exact[0] - np.array([2e-4, 2e-3, 0.01]))
    found = corners([*points(circle(), along, kinds[0]), *points(line(rise), away, kinds[1])])
    ((index, position),) = found.items()
    assert index in (3, 4)
    np.testing.assert_allclose(position, exact, rtol=0, atol=1e-11)


def test_a_point_that_no_system_solves_is_moved_to_the_corner():
    along, away = on_circle(np.array([-0.02, -0.01, -2e-4])), on_line(0.0, np.array([0.9998, 0.99]))
    lost = Polished(np.array([0.9999, 5e-5]), BRACKETED, None, np.zeros(2))
    found = corners([*points(circle(), along, "fold"), lost, *points(line(0.0), away, "kink")])
    assert list(found) == [3]
    np.testing.assert_allclose(found[3], [1.0, 0.0], rtol=0, atol=1e-11)


@pytest.mark.parametrize("step", [1e-3, 0.01, 0.1])
def test_a_curve_that_bends_has_no_corner(step):
    assert corners(points(circle(), on_circle(step * np.arange(12.0)), "fold")) == {}


def test_curves_that_cross_far_from_both_points_have_no_corner():
    rise, origin = 0.05, -0.5
    system = Curve(lambda y: y[1] - rise * (y[0] - origin), lambda y: np.array([-rise, 1.0]))
    along = on_line(0.0, np.array([-0.02, -0.01, 0.0]))
    reach = np.array([0.01, 0.02])
    away = np.stack([reach, rise * (reach - origin)], axis=1)
    assert corners([*points(line(0.0), along, "fold"), *points(system, away, "kink")]) == {}


def test_a_long_chord_past_which_curves_cross_is_no_corner():
    """Walks shorten their steps before a sharp corner, so what crosses there is no edge."""
    along, away = on_circle(np.array([-0.04, -0.02])), on_line(0.0, np.array([0.98, 0.96]))
    assert corners([*points(circle(), along, "fold"), *points(line(0.0), away, "kink")]) == {}
