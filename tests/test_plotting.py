"""Figures: orientation, axes, colours, legend, files."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

import phasediagram as phd
from phasediagram.plotting import (
    FIGURE_FORMATS,
    PAGE_WIDTH,
    PHASE_STYLES,
    draw_comparison,
    draw_figure,
    paper_figure,
    plot_boundaries,
    plot_excess,
    plot_phases,
    plot_regions,
    plot_superposition,
    plot_weights,
    save_figure,
    superposition_color,
)
from phasediagram.plotting.elements.magnify import crowded_box
from phasediagram.plotting.elements.naming import RegionNames


@pytest.fixture(scope="module")
def diagram():
    return phd.phase_diagram(
        np.geomspace(1, 0.01, 60), np.geomspace(0.1, 10, 60), 3, 2, weights="canonical"
    )


@pytest.fixture
def ax():
    return Figure(figsize=(5, 5), dpi=100).subplots()


def color_at(ax, relative_importance, density):
    """The colour that is really drawn at a point of the data."""
    figure = ax.figure
    figure.canvas.draw()
    x, y = ax.transData.transform((relative_importance, density))
    pixels = np.asarray(figure.canvas.buffer_rgba())
    return pixels[pixels.shape[0] - 1 - round(y), round(x), :3] / 255


@pytest.mark.parametrize("reverse", [False, True])
def test_density_one_is_at_the_top_whatever_the_order_of_the_arrays(ax, diagram, reverse):
    """At high density the unimportant feature is ignored, at low density superposed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(ax.figure)
    if reverse:
        diagram = phd.phase_diagram(
            diagram.density[::-1], diagram.relative_importance[::-1], 3, 2, weights="canonical"
        )
    phd.plot(diagram, ax)
    bottom, top = ax.get_ylim()
    assert (bottom, top) == pytest.approx((0.01, 1.0))
    assert ax.transData.transform((1, 1.0))[1] > ax.transData.transform((1, 0.01))[1]
    expected = {
        (0.15, 0.9): "ignored",
        (8.0, 0.9): "dedicated",
        (0.4, 0.012): "antipodal",
        (4.0, 0.012): "others-antipodal",
    }
    for point, phase in expected.items():
        drawn = color_at(ax, *point)
        np.testing.assert_allclose(drawn, to_rgb(PHASE_STYLES[phase].color), atol=0.01)


def test_axes_are_labelled_as_in_the_paper(ax, diagram):
    phd.plot(diagram, ax)
    ax.figure.canvas.draw()
    assert ax.get_xscale() == ax.get_yscale() == "log"
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert {"0.1×", "1×", "10×"} <= set(labels)
    assert {"1.0", "0.1", "0.01"} <= {label.get_text() for label in ax.get_yticklabels()}
    assert ax.get_xlabel().startswith("Relative feature importance")
    assert ax.get_ylabel().startswith("Feature density")


def drawn_names(ax):
    """The names that are written in regions, once the figure is drawn."""
    ax.figure.draw_without_rendering()
    (names,) = ax.findobj(RegionNames)
    return [child for child in names.get_children() if isinstance(child, Text)]


def test_legend_and_labels_name_every_phase(ax, diagram):
    phd.plot(diagram, ax)
    *legend, note = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [text.split(":")[0] for text in legend] == list(diagram.shares())
    assert note == "canonical weights: contours on a grid of 60 × 60 points"
    assert {text.get_text() for text in drawn_names(ax)} == set(diagram.shares())


# Machado, Oliveira and Fernandes (2009), severity 1, of linear red, green and blue
SEEN = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def lab(color, seen="normal"):
    """CIE L*a*b* of a colour, as it is seen."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(SEEN[seen] @ linear, 0, 1) / (0.95047, 1, 1.08883)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(first, second):
    """The difference of two colours, CIE 1976."""
    return float(np.linalg.norm(first - second))


def test_neighbouring_phases_are_told_apart_whoever_looks(boundaries):
    """In grey too: of every two phases that a boundary divides, in the diagrams and the catalogue.

    A colour difference of 2.3 is just noticeable.
    """
    canonical = [("ignored", "antipodal"), ("antipodal", "others-antipodal")]
    canonical += [("dedicated", "antipodal"), ("dedicated", "others-antipodal")]
    canonical += [("ignored", "dedicated")]
    drawn = [b.phases for b in boundaries.boundaries if b.kind == "equilibrium"]
    for first, second in {*map(tuple, map(sorted, drawn)), *canonical}:
        colors = [PHASE_STYLES[name].color for name in (first, second)]
        for seen in SEEN:
            assert difference(*(lab(color, seen) for color in colors)) > 15, (first, second, seen)
        grey = [lab(color)[0] for color in colors]
        assert abs(np.diff(grey)[0]) > 7, (first, second, "grey")


def test_superposition_colouring_follows_norm_and_superposition(diagram):
    """No norm is light, a dedicated direction dark blue, a shared one orange."""
    light, blue, orange = superposition_color(np.array([0.0, 1.0, 1.0]), np.array([1.0, 0.0, 1.0]))
    assert light.min() > 0.85
    assert blue.argmax() == 2
    assert orange.argmax() == 0
    np.testing.assert_array_equal(superposition_color(np.array(3.0), np.array(2.0)), orange)


def test_superposition_picture_has_a_two_dimensional_key(ax, diagram):
    phd.plot(diagram, ax, coloring="superposition")
    (key,) = ax.child_axes
    assert "norm" in key.get_xlabel()
    assert "superposition" in key.get_ylabel()
    image = key.images[0].get_array()
    np.testing.assert_allclose(image[0, -1], superposition_color(np.array(1.0), np.array(0.0)))
    np.testing.assert_allclose(image[-1, -1], superposition_color(np.array(1.0), np.array(1.0)))


def test_plot_makes_its_own_axes(diagram):
    from matplotlib import pyplot

    ax = phd.plot(diagram)
    assert ax.get_legend() is not None
    pyplot.close(ax.figure)


def test_a_single_point_can_be_drawn(ax):
    phd.plot(phd.phase_diagram([0.5], [1.0], weights="canonical"), ax)


def test_unknown_colouring_is_refused(diagram):
    with pytest.raises(ValueError, match="coloring must be 'phase' or 'superposition', got 'x'"):
        phd.plot(diagram, coloring="x")


@pytest.mark.parametrize("suffix", FIGURE_FORMATS)
def test_figures_are_written_in_every_format(tmp_path, diagram, suffix):
    path = tmp_path / f"figure{suffix}"
    save_figure(draw_figure(diagram), path)
    start = path.read_bytes()[:1000]
    assert {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<svg"}[suffix] in start
    if suffix == ".pdf":
        assert b"/Type3" not in path.read_bytes()


def a_boundary(order, kind, phases=("ignored", "antipodal")):
    return phd.Boundary(np.array([0.2, 0.3]), np.array([0.3, 0.4]), phases, order, kind)


def test_boundaries_are_solid_dashed_and_dotted_on_top_of_the_phases(diagram, ax):
    plot_phases(diagram, ax)
    before = ax.get_xlim(), ax.get_ylim()
    point = phd.SpecialPoint(0.2, 0.3, "triple point", ("ignored", "antipodal", "dedicated"))
    curves = (
        a_boundary(1, "equilibrium"),
        a_boundary(2, "equilibrium"),
        a_boundary(None, "spinodal", ("antipodal",)),
    )
    boundaries = phd.PhaseBoundaries(curves, (point,), 3, 2, "free")
    plot_boundaries(boundaries, ax, spinodals=True)
    dashes = {line.get_linestyle() for line in ax.lines if line.get_alpha() is None}
    assert dashes == {"-", "--", "None"}  # matplotlib calls any dashes of one's own "--"
    assert (ax.get_xlim(), ax.get_ylim()) == before
    texts = [text.get_text() for text in ax.get_legend().get_texts()][-4:]
    assert texts == ["first order", "continuous", "spinodal, by colour", "triple point"]
    without = plot_boundaries(boundaries, Figure().subplots(), legend=False)
    assert len(without.lines) == len(ax.lines) - 2  # its track and its dots
    assert without.get_legend() is None
    with pytest.raises(ValueError, match="spinodals must be True, False or 'all', got 'some'"):
        plot_boundaries(boundaries, ax, spinodals="some")


def test_spinodals_have_the_colour_of_what_ends_and_never_lowest_are_left_out():
    density, r = np.array([0.2, 0.3]), np.array([0.1, 0.2])
    curves = (
        phd.Boundary(density, r, ("ignored", "antipodal"), 1, "equilibrium"),
        phd.Boundary(density, r, ("antipodal",), None, "spinodal"),
        phd.Boundary(density, r, ("aligned",), None, "spinodal"),
    )
    boundaries = phd.PhaseBoundaries(curves, (), 2, 1, "free")
    for spinodals, phases in (
        (False, []),
        (True, ["antipodal"]),
        ("all", ["antipodal", "aligned"]),
    ):
        ax = plot_boundaries(boundaries, Figure().subplots(), spinodals=spinodals)
        colors = {line.get_color() for line in ax.lines if line.get_zorder() < 2.3}
        assert {PHASE_STYLES[phase].color for phase in phases} == colors - {"#111111", "#ffffff"}


def test_dark_lines_have_a_light_casing(ax):
    plot_boundaries(phd.PhaseBoundaries((a_boundary(1, "equilibrium"),), (), 3, 2, "free"), ax)
    under, line = ax.lines
    assert under.get_linewidth() > line.get_linewidth()
    assert under.get_zorder() < line.get_zorder()
    assert lab(under.get_color())[0] - lab(line.get_color())[0] > 80


def test_weights_are_drawn_alike_whatever_their_rotation(ax):
    W = np.array([[1.0, -0.5, -0.4], [0.0, 0.8, -0.7]])
    angle = 2.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    drawn = []
    for weights in (W, turn @ W, turn @ np.diag([1, -1]) @ W):
        axes = plot_weights(weights, Figure().subplots())
        drawn.append(np.array([line.get_xydata()[-1] for line in axes.lines]))
    np.testing.assert_allclose(drawn[1], drawn[0], atol=1e-12)
    np.testing.assert_allclose(drawn[2], drawn[0], atol=1e-12)


def test_a_comparison_shows_the_loss_left_on_the_table():
    grid = ([1.0, 0.4, 0.1], [0.5, 1.0, 2.0])
    free, canonical = (phd.phase_diagram(*grid, weights=w) for w in ("free", "canonical"))
    figure = draw_comparison(free, canonical)
    assert "Excess loss of canonical weights, %" in [ax.get_title() for ax in figure.axes]
    mesh = figure.axes[2].collections[0]
    excess = 100 * (canonical.loss / free.loss - 1)
    assert np.asarray(mesh.get_array()).max() == pytest.approx(excess.max())
    other = phd.phase_diagram([1.0, 0.4], [0.5, 1.0], weights="canonical")
    with pytest.raises(ValueError, match="same size and grid"):
        draw_comparison(free, other)


def test_a_paper_figure_has_its_width_and_just_the_height_it_needs(diagram):
    before = dict(mpl.rcParams)
    with paper_figure() as figure:
        ax = plot_phases(diagram, figure.add_subplot(), legend="names", legend_columns=3)
        label = ax.xaxis.label.get_fontsize()
    assert dict(mpl.rcParams) == before
    assert label == 8
    width, height = figure.get_size_inches()
    assert width == 3.4
    figure.draw_without_rendering()
    drawn = figure.get_tightbbox()
    assert drawn.x0 > 0
    assert drawn.x1 < width
    assert drawn.y0 == pytest.approx(0.03, abs=0.01)
    assert drawn.y1 == pytest.approx(height - 0.03, abs=0.01)


def test_all_text_of_a_paper_figure_is_legible(diagram):
    """No smaller than 6 points, at the width at which it is printed."""
    with paper_figure() as figure:
        ax = plot_phases(diagram, figure.add_subplot(), legend="names", legend_columns=3)
        plot_boundaries(phd.PhaseBoundaries((a_boundary(1, "equilibrium"),), (), 3, 2, "free"), ax)
        with_key = plot_superposition(diagram, Figure().subplots())
    figure.draw_without_rendering()
    texts = [*ax.findobj(Text), *with_key.findobj(Text)]
    assert min(text.get_fontsize() for text in texts if text.get_text()) >= 6


def test_a_paper_figure_of_other_axes_has_the_height_that_is_asked_for():
    with paper_figure(PAGE_WIDTH) as figure:
        figure.add_subplot()
    np.testing.assert_allclose(figure.get_size_inches(), [7.0, 5.25])
    with paper_figure(2.0, height=1.0) as figure:
        figure.add_subplot()
    np.testing.assert_allclose(figure.get_size_inches(), [2.0, 1.0])


def test_legends_and_labels_can_be_left_out(diagram, ax):
    plot_phases(diagram, ax, legend=None, label_size=None)
    assert ax.get_legend() is None
    assert not ax.findobj(RegionNames)


def test_the_same_figure_makes_the_same_file(tmp_path, diagram):
    for suffix in FIGURE_FORMATS:
        for number in (1, 2):
            save_figure(draw_figure(diagram), tmp_path / f"{number}{suffix}")
        first, second = ((tmp_path / f"{number}{suffix}").read_bytes() for number in (1, 2))
        assert first == second, suffix


def test_text_in_svg_becomes_outlines_unless_it_shall_be_editable(tmp_path, diagram):
    for editable in (False, True):
        save_figure(draw_figure(diagram), tmp_path / "figure.svg", editable_text=editable)
        assert ("<text" in (tmp_path / "figure.svg").read_text()) is editable


def test_other_suffixes_and_shapes_are_refused(tmp_path, diagram):
    with pytest.raises(ValueError, match=r"path must end in \.pdf, \.png, \.svg, got"):
        save_figure(Figure(), tmp_path / "figure.eps")
    with pytest.raises(ValueError, match=r"W must have shape \(1, n\) or \(2, n\), got \(3, 4\)"):
        plot_weights(np.zeros((3, 4)))


def test_excess_is_that_of_the_other_diagram(ax):
    axes = [1.0, 0.3, 0.1], [0.5, 1.0, 2.0]
    ours, theirs = (phd.phase_diagram(*axes, weights=w) for w in ("optimized", "canonical"))
    plot_excess(ours, theirs, ax)
    drawn = np.asarray(ax.collections[0].get_array())
    np.testing.assert_allclose(drawn[::-1], 100 * (theirs.loss / ours.loss - 1), atol=1e-12)


@pytest.fixture
def regions(boundaries):
    return phd.phase_regions(boundaries)


def test_regions_are_drawn_as_polygons_to_the_last_pixel(ax, regions):
    """The colour next to a boundary is that of the phase on that side, however near."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(ax.figure)
    density = (0.3, 0.45)
    plot_regions(
        regions, ax, legend=None, label_size=None, density=density, relative_importance=(0.2, 0.4)
    )
    (line,) = (
        b for b in regions.boundaries.boundaries if set(b.phases) == {"ignored", "antipodal"}
    )
    for r in (0.25, 0.3, 0.35):
        order = np.argsort(line.relative_importance)
        p = np.exp(
            np.interp(
                np.log(r), np.log(line.relative_importance[order]), np.log(line.density[order])
            )
        )
        pixel = np.log(density[1] / density[0]) / ax.get_window_extent().height
        for side, phase in ((5, "ignored"), (-5, "antipodal")):
            seen = color_at(ax, r, p * np.exp(side * pixel))
            np.testing.assert_allclose(seen, to_rgb(PHASE_STYLES[phase].color), atol=0.01)


@pytest.mark.parametrize("spinodals", [False, True])
def test_names_avoid_lines_markers_and_each_other(regions, spinodals):
    """Without spinodals no vertex of a line is in a name's box; no two boxes overlap."""
    figure = Figure(figsize=(4, 4), dpi=100)
    ax = figure.add_axes((0.15, 0.15, 0.8, 0.8))
    plot_regions(regions, ax, legend=None, spinodals=spinodals)
    names = drawn_names(ax)
    assert {"antipodal", "ignored"} <= {name.get_text() for name in names}
    renderer = figure.canvas.get_renderer() if hasattr(figure.canvas, "get_renderer") else None
    boxes = [Text.get_window_extent(name, renderer) for name in names]
    for k, box in enumerate(boxes):
        assert ax.get_window_extent().x0 < box.x0
        assert box.x1 < ax.get_window_extent().x1
        assert not any(box.overlaps(other) for other in boxes[k + 1 :])
    if spinodals:
        return
    for line in ax.lines:
        points = ax.transData.transform(line.get_xydata())
        for name, box in zip(names, boxes, strict=True):
            inside = [box.contains(*point) for point in points]
            assert not any(inside), (name.get_text(), line)


def test_no_legend_is_over_data(regions):
    for figure in (draw_figure_of(regions, False), draw_figure_of(regions, True)):
        figure.draw_without_rendering()
        legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes if ax.get_legend())]
        assert legends
        for legend in legends:
            box = legend.get_window_extent()
            assert not any(box.overlaps(ax.get_window_extent()) for ax in figure.axes)
            assert box.x1 < figure.bbox.x1
            assert box.y0 > 0


def draw_figure_of(regions, spinodals):
    size = regions.boundaries.n_features, regions.boundaries.n_hidden
    diagram = phd.phase_diagram(np.geomspace(1, 0.01, 12), np.geomspace(0.1, 10, 12), *size)
    return draw_figure(diagram, regions, spinodals=spinodals)


def test_what_is_magnified_is_where_special_points_crowd(three):
    regions = phd.phase_regions(three)
    ax = Figure().subplots()
    plot_regions(regions, ax, legend=None, label_size=None)
    left, bottom, right, top = crowded_box(ax, regions)
    points = [(p.relative_importance, p.density) for p in three.special_points]
    at = (ax.transData - ax.transAxes).transform(points)
    held = ((at >= (left, bottom)) & (at <= (right, top))).all(axis=1)
    assert held.all()
    assert (right - left) * (top - bottom) < 0.1
    figure = draw_figure_of(regions, False)
    assert figure.axes[1].get_title() == "What is framed on the left"
    few = phd.PhaseRegions(
        (),
        phd.PhaseBoundaries((), three.special_points[:3], 3, 2, "free"),
        (0.01, 1),
        (0.1, 10),
        (),
    )
    assert crowded_box(ax, few) is None


def test_a_thin_region_is_named_from_outside_with_a_line(three):
    figure = Figure(figsize=(4, 4), dpi=100)
    ax = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    plot_regions(
        phd.phase_regions(three), ax, density=(0.45, 1), relative_importance=(0.5, 2), legend=None
    )
    (scalene,) = (name for name in drawn_names(ax) if name.get_text() == "scalene")
    assert isinstance(scalene, Annotation)
    assert scalene.arrow_patch is not None


def test_a_grid_without_traced_boundaries_says_so(ax):
    diagram = phd.phase_diagram([0.9, 0.5, 0.2], [0.5, 1.0, 2.0])
    plot_phases(diagram, ax)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts[-1] == "regions of a grid of 3 × 3 points: boundaries not traced"


def test_boundaries_that_do_not_close_leave_the_grid_and_say_so(ax):
    diagram = phd.phase_diagram([0.9, 0.5, 0.2], [0.5, 1.0, 2.0])
    stray = phd.Boundary(
        np.array([0.3, 0.4]), np.array([0.6, 0.7]), ("ignored", "antipodal"), 1, "equilibrium"
    )
    plot_phases(diagram, ax, boundaries=phd.PhaseBoundaries((stray,), (), 2, 1, "free"))
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts[-1] == "regions of a grid of 3 × 3 points: boundaries do not close"
    with pytest.raises(ValueError, match="regions must be closed to be drawn, got 2 open ends"):
        plot_regions(phd.phase_regions(phd.PhaseBoundaries((stray,), (), 2, 1, "free")))


def test_ignored_and_partial_look_different():
    """No direction is a cross, a short one a ring beside the origin."""
    tips = []
    for short in (0.0, 0.03):
        ax = plot_weights([[1.0, -short]], Figure().subplots())
        tips.append([line.get_marker() for line in ax.lines if line.get_marker() != "None"])
    assert tips == [["o", "x"], ["o", "o"]]
