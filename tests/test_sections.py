"""Losses of all minima along a line."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

import phasediagram as phd
from phasediagram.plotting import plot_losses


@pytest.fixture(scope="module")
def section():
    return phd.loss_section(0.55, np.linspace(0.58, 0.76, 31))


def test_the_lowest_branch_is_the_solution(section):
    for i in (0, 9, 17, 30):
        r = section.relative_importance[i]
        assert section.lowest[i] == pytest.approx(phd.solve(0.55, r).loss, rel=1e-12)


def test_branches_are_the_local_minima(section):
    i = 17
    minima = phd.solve(0.55, section.relative_importance[i]).minima
    expected = {minimum.phase for minimum in minima if minimum.smallest_curvature > 1e-6}
    assert {branch.phases[i] for branch in section.branches if branch.phases[i]} <= expected
    assert {"partial", "antipodal"} <= expected


def test_ignored_becomes_partial_without_a_jump(section):
    """At density 0.55 the extra feature enters continuously; antipodal is another minimum."""
    (branch,) = [b for b in section.branches if "partial" in b.phases]
    norms = np.abs(branch.W[:, 0, 1])
    exists = np.isfinite(norms)
    assert norms[exists].min() < 0.05
    assert np.abs(np.diff(norms[exists])).max() < 0.06
    antipodal = next(b for b in section.branches if "antipodal" in b.phases)
    assert np.nanmin(np.abs(antipodal.W[:, 0, 1])) > 0.55


def test_metastable_branches_are_dashed_and_the_lowest_solid(section):
    ax = plot_losses(section, Figure().subplots())
    drawn = {line.get_linestyle() for line in ax.lines}
    assert drawn == {"-", "--"}
    solid = [line for line in ax.lines if line.get_linestyle() == "-"]
    assert all(np.nanmax(line.get_ydata()) < 1e-9 for line in solid)
    assert "p = 0.55" in ax.get_title()


def test_along_the_density():
    section = phd.loss_section(np.linspace(0.55, 0.6, 5), 0.75)
    ax = plot_losses(section, Figure().subplots())
    assert "density" in ax.get_xlabel()
    assert "r = 0.75" in ax.get_title()


@pytest.mark.parametrize(
    ("density", "importance", "message"),
    [
        (0.5, 1.0, "a number and a list of at least two"),
        ([0.5, 0.6], [1.0, 1.1], "a number and a list of at least two"),
        ([0.5], 1.0, "a number and a list of at least two"),
        ([0.5, 1.5], 1.0, "density must"),
        (0.5, [0.0, 1.0], "relative_importance must"),
    ],
)
def test_bad_input(density, importance, message):
    with pytest.raises(ValueError, match=message):
        phd.loss_section(density, importance)
