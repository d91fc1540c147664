"""Regions between curves: the arrangement, on cases that are known, and those of both models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.path import Path

import phasediagram as phd
from phasediagram.plotting.elements.areas import path_of
from phasediagram.regions.arrangement import Side, arrange
from phasediagram.regions.clipping import clipped
from phasediagram.regions.crossing import crossings
from phasediagram.regions.interior import inside
from phasediagram.regions.smoothing import SAGITTA, refined, smoothed

LOWER, UPPER = np.array([0.0, 0.0]), np.array([1.0, 1.0])


def line(*points):
    return np.array(points, dtype=float)


def areas(divided):
    return sorted(round(face.area, 12) for face in divided.faces)


def test_a_rectangle_without_curves_is_one_face():
    (face,) = arrange([], LOWER, UPPER).faces
    assert face.area == 1
    assert face.sides == frozenset()


def test_curves_from_border_to_border_meet_in_a_point():
    """Three curves from a common point: three faces, each with the right sides of two of them."""
    middle = (0.5, 0.5)
    curves = [line(middle, (1, 0.5)), line(middle, (0.5, 1)), line((0, 0), (0.25, 0.25), middle)]
    divided = arrange(curves, LOWER, UPPER)
    assert areas(divided) == [0.25, 0.375, 0.375]
    assert not divided.loose_ends
    assert not divided.crossings
    sides = {frozenset((s.curve, s.left) for s in face.sides) for face in divided.faces}
    corner = frozenset({(0, True), (1, False)})  # above the first, right of the second
    assert sides == {corner, frozenset({(1, True), (2, True)}), frozenset({(2, False), (0, False)})}


@pytest.mark.filterwarnings("error")
def test_a_curve_without_extent_divides_nothing():
    """As a tracer leaves at a triple point that it meets twice."""
    across = line((0, 0.25), (0.5, 0.25), (1, 0.25))
    at = line((0.5, 0.25), (0.5, 0.25 + 1e-16), (0.5, 0.25))
    for curves in ([across, at], [line((0, 0.25), (0.5, 0.25)), at, line((0.5, 0.25), (1, 0.25))]):
        divided = arrange(curves, LOWER, UPPER)
        assert areas(divided) == [0.25, 0.75]
        assert not divided.loose_ends


def test_a_closed_curve_is_a_face_and_a_hole():
    t = np.linspace(0, 2 * np.pi, 2001)
    circle = 0.5 + 0.25 * np.stack([np.cos(t), np.sin(t)], axis=1)
    circle[-1] = circle[0]
    divided = arrange([circle], LOWER, UPPER)
    small, large = sorted(divided.faces, key=lambda face: face.area)
    assert small.area == pytest.approx(np.pi / 16, rel=1e-5)
    assert large.area == pytest.approx(1 - np.pi / 16, rel=1e-5)
    assert len(large.holes) == 1
    assert large.sides == frozenset({Side(0, left=False)})


def test_a_curve_that_ends_inside_has_one_face_on_both_sides():
    curve = line((0.0, 0.4), (0.5, 0.5))
    divided = arrange([curve], LOWER, UPPER, {(0, -1)})
    (face,) = divided.faces
    assert face.area == pytest.approx(1)
    assert face.sides == frozenset({Side(0, True), Side(0, False)})
    (end,) = divided.loose_ends
    assert (end.curve, end.end) == (0, -1)
    np.testing.assert_allclose(end.direction, np.array([0.5, 0.1]) / np.hypot(0.5, 0.1))


def test_an_end_on_another_curve_splits_it_and_one_far_from_it_does_not():
    across = line((0, 0.5), (0.3, 0.5), (1, 0.5))
    for gap, count in ((0.0, 3), (1e-6, 3), (1e-3, 2)):
        divided = arrange([across, line((0.5, 1), (0.5, 0.5 + gap))], LOWER, UPPER)
        assert len(divided.faces) == count
        assert len(divided.loose_ends) == (count == 2)


def test_curves_that_touch_tangentially_are_in_order():
    """Two parabolas and their common tangent leave a corner of the border at the same angle."""
    x = np.linspace(0, 1, 101)
    curves = [np.stack([x, share * x**2], axis=1) for share in (0.2, 0.6)]
    divided = arrange(curves, LOWER, UPPER)
    np.testing.assert_allclose(areas(divided), sorted([0.2 / 3, 0.4 / 3, 1 - 0.2]), rtol=1e-3)


def test_random_chords_cut_a_square_as_euler_says():
    """Faces = 1 + number of chords, if none cross: they all start at one point of the border."""
    rng = np.random.default_rng(3)
    for count in (1, 5, 40):
        corner = np.array([0.0, 0.0])
        ends = np.sort(rng.uniform(0.01, 0.99, count))
        curves = [line(corner, (1, y)) for y in ends]
        divided = arrange(curves, LOWER, UPPER)
        assert len(divided.faces) == count + 1
        assert sum(face.area for face in divided.faces) == pytest.approx(1)
        exact = [ends[0] / 2, *np.diff(ends) / 2, 1 - ends[-1] / 2]
        np.testing.assert_allclose(areas(divided), sorted(exact), atol=1e-12)


def test_curves_that_cross_are_reported():
    divided = arrange([line((0, 0), (1, 1)), line((0, 1), (1, 0))], LOWER, UPPER)
    np.testing.assert_allclose(divided.crossings, [[0.5, 0.5]])


def test_clipping_keeps_what_is_inside_with_ends_on_the_border():
    inside_twice = clipped(line((-1, 0.2), (0.5, 0.2), (2, 0.2), (2, 0.6), (-1, 0.6)), LOWER, UPPER)
    assert [piece.tolist() for piece in inside_twice] == [
        [[0, 0.2], [0.5, 0.2], [1, 0.2]],
        [[1, 0.6], [0, 0.6]],
    ]
    assert clipped(line((2, 2), (3, 3)), LOWER, UPPER) == []


def test_a_refined_curve_is_close_to_the_true_one_and_has_its_ends():
    t = np.linspace(0, 1.5, 30)
    arc = np.stack([np.cos(t), np.sin(t)], axis=1)
    fine = refined(arc)
    assert (fine[[0, -1]] == arc[[0, -1]]).all()
    middles = (fine[1:] + fine[:-1]) / 2
    assert np.abs(1 - np.hypot(*middles.T)).max() < 3 * SAGITTA


def test_chords_of_curves_that_do_not_cross_do_not_cross_when_smoothed():
    """Two arcs 1e-6 apart, sampled at different places: their chords cross, the arcs do not."""
    arcs = []
    for radius, points in ((1.0, 23), (1 + 1e-6, 31)):
        t = np.linspace(0, 1.5, points)
        arcs.append(radius * np.stack([np.cos(t), np.sin(t)], axis=1))
    assert crossings(*arcs)
    assert not crossings(*smoothed(arcs))


@pytest.mark.parametrize("thickness", [0.3, 1e-3, 1e-7])
def test_a_point_inside_a_polygon_however_thin(thickness):
    x = np.linspace(0, 1, 200)
    bow = np.stack([x, x**2 + thickness * x * (1 - x)], axis=1)
    divided = arrange([np.stack([x, x**2], axis=1), bow], LOWER, UPPER)
    face = min(divided.faces, key=lambda face: face.area)
    a, b = inside(face)
    across = (b - np.interp(a, x, x**2)) / (thickness * a * (1 - a))
    assert 0.3 < across < 0.7


def of(boundaries):
    return phd.phase_regions(boundaries)


def test_regions_fill_the_window(boundaries):
    regions = of(boundaries)
    assert regions.is_closed
    assert regions.disagreements == ()
    assert sum(region.share for region in regions.regions) == pytest.approx(1, abs=1e-9)
    named = {phase for b in boundaries.boundaries if b.order for phase in b.phases}
    assert set(regions.shares()) == named


def test_regions_mirror_each_other_for_two_features(two):
    shares = of(two).shares()
    assert shares["ignored"] == pytest.approx(shares["dedicated"], abs=1e-8)
    assert shares["partial"] == pytest.approx(shares["partial-other"], abs=1e-8)


def test_regions_agree_with_a_grid(boundaries):
    """At every point of a grid that solves each by itself, edges of the window aside."""
    regions = of(boundaries)
    density, importance = np.geomspace(0.97, 0.011, 40), np.geomspace(0.11, 9.3, 40)
    n, m = boundaries.n_features, boundaries.n_hidden
    diagram = phd.phase_diagram(density, importance, n, m)
    y, x = np.meshgrid(density, importance, indexing="ij")
    points = np.log(np.stack([x.ravel(), y.ravel()], axis=1))
    found = np.full(points.shape[0], "", dtype="U40")
    for region in regions.regions:
        path = path_of(region)
        found[Path(np.log(path.vertices), path.codes).contains_points(points)] = region.phase
    wrong = found.reshape(diagram.lowest.shape) != diagram.phase
    # names of one phase that change without a transition may change elsewhere than drawn
    mixed = {frozenset(pair) for pair in _crossing_over(regions)}
    counted = [
        (a, b)
        for a, b in zip(found, diagram.phase.ravel(), strict=True)
        if a != b and frozenset((a, b)) not in mixed
    ]
    assert counted == []
    assert wrong.mean() < 0.002


def _crossing_over(regions):
    ends = [b for b in regions.boundaries.boundaries if "critical point" in b.ends]
    return [b.phases for b in ends] if regions.crossovers else []


def test_a_smaller_window_cuts_regions(two):
    whole, part = of(two), phd.phase_regions(two, density=(0.4, 1), relative_importance=(0.5, 1.5))
    assert part.is_closed
    assert sum(part.shares().values()) == pytest.approx(1)
    assert set(part.shares()) == {"antipodal", "ignored", "dedicated", "partial", "partial-other"}
    area = np.log(1 / 0.4) * np.log(3) / (np.log(100) * np.log(100))
    assert part.shares()["partial"] * area == pytest.approx(whole.shares()["partial"], rel=1e-6)


def test_two_names_meet_between_critical_points_without_a_boundary(three):
    (crossover,) = of(three).crossovers
    ends = sorted(p.density for p in three.special_points if p.kind == "critical point")
    np.testing.assert_allclose(sorted(crossover[[0, -1], 0]), ends, rtol=1e-12)
    # of a window with one of the two, the line goes straight on to the edge
    (cut,) = phd.phase_regions(
        three, density=(0.45, np.mean(ends)), relative_importance=(0.5, 2)
    ).crossovers
    np.testing.assert_allclose(cut[-1, 0], np.mean(ends), rtol=1e-9)


def test_a_missing_boundary_is_said(two):
    """What it divided is one region then, between boundaries that have no phase in common."""
    kept = [b for b in two.boundaries if set(b.phases) != {"antipodal", "ignored"}]
    regions = phd.phase_regions(replace(two, boundaries=tuple(kept)))
    (said,) = regions.disagreements
    assert said.startswith("antipodal at ")
    assert "ignored | partial" in said


def test_a_boundary_that_stops_halfway_is_said(two):
    stopped = [
        replace(b, density=b.density[:5], relative_importance=b.relative_importance[:5])
        if b.phases == ("antipodal", "ignored")
        else b
        for b in two.boundaries
    ]
    regions = phd.phase_regions(replace(two, boundaries=tuple(stopped)))
    assert not regions.is_closed
    assert {end.reason for end in regions.open_ends} == {"a boundary ends where no other is"}


def test_bad_windows_are_refused(two):
    with pytest.raises(ValueError, match=r"density must be two ascending positive numbers, got"):
        phd.phase_regions(two, density=(1, 0.1))
    with pytest.raises(ValueError, match=r"relative_importance must be two ascending"):
        phd.phase_regions(two, relative_importance=(0, 1))
