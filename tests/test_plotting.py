"""Figures: orientation, axes, colours, legend, files."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

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
    plot_superposition,
    plot_weights,
    save_figure,
    superposition_color,
)


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


def test_legend_and_labels_name_every_phase(ax, diagram):
    phd.plot(diagram, ax)
    legend = [text.get_text().split(":")[0] for text in ax.get_legend().get_texts()]
    assert legend == list(diagram.shares())
    assert {text.get_text() for text in ax.texts} == set(diagram.shares())


def test_phase_colours_differ_in_lightness():
    """For print and for the colour-blind, not the hue alone tells the phases apart."""
    main = ["ignored", "dedicated", "antipodal", "triangle"]
    lightness = sorted(np.dot(to_rgb(PHASE_STYLES[n].color), [0.299, 0.587, 0.114]) for n in main)
    assert np.diff(lightness).min() > 0.12


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
        a_boundary(None, "spinodal"),
    )
    boundaries = phd.PhaseBoundaries(curves, (point,), 3, 2, "free")
    plot_boundaries(boundaries, ax)
    styles = [line.get_linestyle() for line in ax.lines if len(line.get_xdata()) == 2]
    assert styles[-3:] == ["-", "--", ":"]
    assert (ax.get_xlim(), ax.get_ylim()) == before
    texts = {text.get_text() for text in ax.get_legend().get_texts()}
    assert texts == {"first order", "continuous", "spinodal", "triple point"}
    without = plot_boundaries(boundaries, Figure().subplots(), spinodals=False, legend=None)
    assert ":" not in {line.get_linestyle() for line in without.lines}


def test_spinodals_of_phases_that_are_never_the_lowest_are_grey():
    density, r = np.array([0.2, 0.3]), np.array([0.1, 0.2])
    curves = (
        phd.Boundary(density, r, ("ignored", "antipodal"), 1, "equilibrium"),
        phd.Boundary(density, r, ("antipodal",), None, "spinodal"),
        phd.Boundary(density, r, ("aligned",), None, "spinodal"),
    )
    ax = plot_boundaries(phd.PhaseBoundaries(curves, (), 2, 1, "free"), Figure().subplots())
    first, lowest, never = (line.get_color() for line in ax.lines)
    assert first == lowest != never
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["first order", "spinodal", "other spinodal"]


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
    assert not ax.texts


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
