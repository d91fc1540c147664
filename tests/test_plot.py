"""`plot` draws each result as the function of its own does."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import phasediagram as phd
from phasediagram.plotting import (
    plot_agreement,
    plot_boundaries,
    plot_empirical,
    plot_losses,
    plot_phases,
    plot_superposition,
)

GRID = [0.7, 0.4, 0.2], [0.5, 1.0]


def trained(density, relative_importance):
    return phd.train(density, relative_importance, seeds=2, steps=20, optimizer="exact")


def runs():
    return trained(np.array(GRID[0])[:, None], GRID[1])


def boundaries():
    curve = np.array([0.2, 0.3]), np.array([0.3, 0.4])
    first = phd.Boundary(*curve, ("ignored", "antipodal"), 1, "equilibrium")
    return phd.PhaseBoundaries((first,), (), 2, 1, "free")


def section():
    r = np.array([0.6, 0.7])
    branch = phd.BranchLosses(("ignored",) * 2, r / 9, np.zeros((2, 1, 2)), np.zeros((2, 2)))
    return phd.LossSection(np.array([0.5, 0.5]), r, (branch,), 2, 1)


def canonical():
    return phd.phase_diagram(*GRID, weights="canonical")


def agreement():
    return phd.compare(phd.phase_diagram(*GRID), runs())


def pixels(draw, result, **options):
    """The picture that a function draws."""
    figure = Figure(figsize=(3, 3), dpi=60)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.2, 0.4, 0.5, 0.5))
    assert draw(result, ax=axes, **options) is axes
    canvas.draw()
    return np.array(canvas.buffer_rgba())


@pytest.mark.parametrize(
    ("make", "own", "options"),
    [
        (canonical, plot_phases, {}),
        (canonical, plot_superposition, {"coloring": "superposition"}),
        (boundaries, plot_boundaries, {}),
        (section, plot_losses, {}),
        (agreement, plot_agreement, {}),
        (runs, plot_empirical, {}),
    ],
)
def test_each_result_is_drawn_by_its_own_function(make, own, options):
    result = make()
    drawn = pixels(phd.plot, result, **options)
    assert len(np.unique(drawn)) > 2  # it is not empty
    np.testing.assert_array_equal(drawn, pixels(own, result))


@pytest.mark.parametrize("turned", [1, -1])
def test_runs_are_drawn_on_the_axes_of_a_diagram_or_on_their_own(turned):
    """The dense points at the top and the important ones to the right, in whatever order."""
    result = trained(np.array(GRID[0][::turned])[:, None], GRID[1])
    diagram = phd.phase_diagram(GRID[0][::turned], GRID[1], weights="canonical")
    with_diagram = pixels(lambda training, ax: plot_empirical(training, diagram, ax), result)
    np.testing.assert_array_equal(pixels(plot_empirical, result), with_diagram)
    ax = plot_empirical(result, ax=Figure().subplots())
    assert ax.get_ylim() == pytest.approx((0.2, 0.7))
    assert ax.get_xlim() == pytest.approx((0.5, 1.0))


@pytest.mark.parametrize(
    "points",
    [
        (0.3, [0.5, 1.0]),
        ([0.3, 0.2], [0.5, 1.0]),
        ([[0.3, 0.2], [0.3, 0.4]], [0.5, 1.0]),
        ([[0.3], [0.2]], [[0.5, 1.0], [0.5, 2.0]]),
    ],
    ids=["line", "scattered", "densities differ along a row", "importances along a column"],
)
def test_runs_on_no_grid_are_refused(points):
    with pytest.raises(ValueError, match="training must be on a grid to be drawn, got points"):
        phd.plot(trained(*points))


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(TypeError, match=r"result must be one of PhaseDiagram, .* got dict"):
        phd.plot({})
    with pytest.raises(TypeError, match="got Solution"):
        phd.plot(phd.solve(0.2, 1.0, weights="canonical"))
    message = "coloring is for phase diagrams only, got a PhaseBoundaries"
    with pytest.raises(ValueError, match=message):
        phd.plot(boundaries(), coloring="superposition")
