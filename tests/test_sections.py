"""Losses of all minima along a line."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import phasediagram as phd
from phasediagram.plotting import plot_losses

_ALL = json.loads((Path(__file__).parent / "reference" / "all_minima.json").read_text())
REFERENCE = [e for n in (2, 3) for e in [e for e in _ALL if e["n_features"] == n][:12]]


@pytest.fixture(scope="module")
def section():
    return phd.loss_section(0.55, np.linspace(0.58, 0.76, 31))


def test_the_lowest_branch_is_the_solution(section):
    for i in (0, 9, 17, 30):
        r = section.relative_importance[i]
        assert section.lowest[i] == pytest.approx(phd.solve(0.55, r).loss, rel=1e-12)


@pytest.mark.parametrize("entry", REFERENCE, ids=lambda e: f"{e['n_features']}-{e['density']:.3f}")
def test_branches_are_the_local_minima_of_the_reference(entry):
    """All of them, and no other, in the middle of a line that ends far from it."""
    p, r, n = entry["density"], entry["relative_importance"], entry["n_features"]
    section = phd.loss_section(p, r * np.geomspace(0.5, 2, 21), n)
    here = [branch for branch in section.branches if branch.phases[10]]
    expected = sorted(minimum["loss"] for minimum in entry["minima"])
    assert sorted(branch.loss[10] for branch in here) == pytest.approx(expected, rel=1e-9)


def test_every_branch_is_stationary_and_has_its_loss():
    section = phd.loss_section(np.geomspace(0.3, 1, 25), 0.9, 3)
    for branch in section.branches:
        exists = np.isfinite(branch.loss)
        assert exists.any()
        assert [phase != "" for phase in branch.phases] == exists.tolist()
        loss, by_W, by_b = phd.expected_loss_and_gradient(
            branch.W[exists], branch.b[exists], section.density[exists, None], [1.0, 1.0, 0.9]
        )
        np.testing.assert_array_equal(branch.loss[exists], loss)
        assert max(np.abs(by_W).max(), np.abs(by_b).max()) < 1e-10


def test_branches_are_deterministic_and_do_not_depend_on_where_starts_come_from(section):
    again, other = (phd.loss_section(0.55, section.relative_importance, rng=rng) for rng in (0, 9))
    for branch, same, alike in zip(section.branches, again.branches, other.branches, strict=True):
        np.testing.assert_array_equal(branch.W, same.W)
        assert branch.phases == alike.phases
        np.testing.assert_allclose(branch.loss, alike.loss, rtol=1e-12)


def test_metastable_minima_are_followed_to_where_they_end(section):
    """*partial* beyond its transition, up to its spinodal; solved anew on both sides."""
    (partial,) = [b for b in section.branches if "partial" in b.phases]
    last = max(i for i, phase in enumerate(partial.phases) if phase)
    assert section.lowest[last] < partial.loss[last] - 1e-4
    for i, exists in ((last, True), (last + 1, False)):
        minima = phd.solve(0.55, section.relative_importance[i]).minima
        assert ("partial" in [minimum.phase for minimum in minima]) == exists


def test_at_equal_importances_copies_with_features_exchanged_are_one():
    section = phd.loss_section(np.geomspace(0.5, 0.95, 21), 1.0)  # at 1 more are equal
    for branch, other in combinations(section.branches, 2):
        both = np.isfinite(branch.loss) & np.isfinite(other.loss)
        assert (np.abs(branch.loss - other.loss)[both] > 1e-9).all()


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
    assert "$p$ = 0.55" in ax.get_title()


def test_hidden_dimensions_are_one_less_than_features_unless_given():
    line = 0.5, [0.9, 1.1]
    assert phd.loss_section(*line, 3).n_hidden == 2
    section = phd.loss_section(*line, 3, 1)
    assert section.n_hidden == 1
    assert all(branch.W.shape == (2, 1, 3) for branch in section.branches)
    with pytest.raises(ValueError, match="n_features must be 2, 3, 4, 5 or 6, got 7"):
        phd.loss_section(*line, 7)


def test_along_the_density():
    section = phd.loss_section(np.linspace(0.55, 0.6, 5), 0.75)
    ax = plot_losses(section, Figure().subplots())
    assert "density" in ax.get_xlabel()
    assert "$r$ = 0.75" in ax.get_title()


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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0.3, [0.3, 0.5, 0.4]), "relative_importance must ascend or descend throughout, got 0.5"),
        ((0.3, [0.5, 0.5, 0.6]), "relative_importance must ascend or descend throughout, got 0.5"),
        (([0.5, 0.3, 0.3], 1.0), "density must ascend or descend throughout, got 0.3 before 0.3"),
        (([0.2, 0.4, 0.1], 1.0), "density must ascend or descend throughout, got 0.4 before 0.1"),
    ],
)
def test_ranges_in_disorder_are_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        phd.loss_section(*arguments)
    with pytest.raises(ValueError, match=said):
        phd.loss_section(*arguments, model=phd.ToyModel(2, bias=False))
