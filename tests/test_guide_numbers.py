"""Numbers of the guide that take little time to compute, next to what the package says now.

Numbers that take longer are printed by the command beside them; those of `docs/phases.md` are in
`test_phases_document.py`, and blocks with prompts in `test_guide.py`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import phasediagram as phd

ROOT = Path(__file__).parent.parent


def text_of(page):
    return " ".join((ROOT / page).read_text(encoding="utf-8").replace("\u2009", " ").split())


def require(page, claim):
    """The page says so, whatever its line breaks."""
    assert claim in text_of(page), claim


def test_benchmarks_has_the_rows_that_its_command_prints():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from whole_commands import ROWS

    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    table = text.partition("## Whole commands and calls")[2].partition("\n\nThe first call")[0]
    rows = [line.split("|")[1].strip(" `") for line in table.splitlines() if line.startswith("| ")]
    assert rows[1:] == [row.name for row in ROWS]
    assert "before" not in text


@pytest.mark.parametrize(
    ("page", "said", "name"),
    [
        ("README.md", "Tracing takes about {:.0f} seconds for n = 2", "(2, 1), without spinodals"),
        ("README.md", "and {:.0f} for n = 3, with limits", "(3, 2), without spinodals"),
        ("README.md", "(`--spinodals`) {:.0f} and", "(2, 1)"),
        ("README.md", "6 and {:.0f}; `--no-boundaries`", "(3, 2)"),
        ("docs/first_diagram.md", "For n = 2 it takes about {:.0f} s", "(2, 1), without spinodals"),
        ("docs/first_diagram.md", "metastability, about {:.0f}; for n = 3", "(2, 1)"),
        ("docs/first_diagram.md", "about {:.0f} and 39", "(3, 2), without spinodals"),
    ],
)
def test_times_are_those_of_the_benchmarks(page, said, name):
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    seconds = float(
        re.search(rf"^\| boundaries of {re.escape(name)} \| ([\d.]+) \|$", text, re.M)[1]
    )
    claims = {said.format(value) for value in (seconds, np.ceil(seconds))}  # 2.2 is about 3
    assert any(claim in text_of(page) for claim in claims), claims


def test_the_sizes_of_limits_cost_what_the_benchmarks_say():
    limits, benchmarks = text_of("docs/limits.md"), text_of("docs/benchmarks.md")
    for size in ("3, 2", "5, 2", "6, 3"):
        said = re.search(rf"solve, \({size}\) \| ([0-9.]+) \|", benchmarks)
        assert said is not None
        assert f"{said[1]} s for ({size})" in limits.replace(" s a point", " s")


def test_no_biases():
    page, model = "docs/gallery.md", phd.ToyModel(2, bias=False)
    require(page, "the loss is exactly p/3 − p²/4")
    aligned = phd.solve(0.7, model=model)
    assert aligned.loss == pytest.approx(0.7 / 3 - 0.7**2 / 4, rel=1e-13)
    np.testing.assert_allclose(np.abs(aligned.W), 1 / np.sqrt(2), rtol=1e-9)
    require(page, "p = (40 − 4√14)/43 = 0.58217")
    crossing = (40 - 4 * np.sqrt(14)) / 43
    assert f"{crossing:.5f}" == "0.58217"
    section = phd.loss_section(x=phd.Axis("density", 0.55, 0.6, points=6), model=model)
    (found,) = section.transitions
    assert (found.order, found.phases) == (1, ("antipodal", "aligned"))
    assert found.position == pytest.approx(crossing, abs=1e-9)


@pytest.mark.parametrize(("density", "order"), [(0.496, 1), (0.5, 2), (0.8655, 2), (0.88, 1)])
def test_where_superposition_ends_continuously_under_a_penalty(density, order):
    require("docs/gallery.md", "Where superposition ends continuously, 0.498 < p < 0.866 at r = 1")
    axis = phd.Axis("interference_penalty", 2e-3, 0.04, points=60)
    section = phd.loss_section(density, x=axis)
    last = max(section.transitions, key=lambda transition: transition.position)
    assert last.order == order
    if order == 2:
        from phasediagram.closed_forms import ignored_stability_limit

        variance = density / 3 - density**2 / 4
        expected = variance * (1 - ignored_stability_limit(density)) / 2
        assert last.position == pytest.approx(float(expected), abs=1e-9)


def test_unequal_norms_before_superposition_ends_under_a_penalty():
    """At r = 1, beside the proved enclosure of where it ends, 0.0147047 to 0.0147055."""
    require("docs/gallery.md", "antipodal with unequal norms, 0.92 and 0.41 at p = 0.05")
    model = phd.ToyModel(2, interference_penalty=0.0147)
    solution = phd.solve(0.05, model=model)
    assert solution.phase == "antipodal"
    np.testing.assert_allclose(np.sort(solution.norms), [0.41, 0.92], atol=5e-3)


def test_the_pentagon():
    page = "docs/gallery.md"
    require(page, "that feature is 3.716 times sparser, and 2.719 times less important")
    require(page, "the two digons cost 20 % more than the pentagon")
    for name, times in (("relative_density", 3.716), ("relative_importance", 2.719)):
        axis = phd.Axis(name, 0.9 / times, 1.1 / times, points=3)
        section = phd.loss_section(0.05, n_features=5, n_hidden=2, x=axis)
        (found,) = section.transitions
        assert found.phases == ("ignored-others-2-antipodal", "pentagon")
        assert round(1 / found.position, 3) == times
    sparser = phd.solve([0.05] * 4 + [0.05 / 2.5], n_features=5, n_hidden=2)
    assert sparser.phase == "pentagon"
    assert f"{sparser.excess[1]:.0%}" == "20%"


def test_five_features():
    require(
        "docs/gallery.md",
        "Two features are represented at density 1, four at 0.2, all five at 0.1",
    )
    importance = 0.9 ** np.arange(5)
    for density, represented in ((1.0, 2), (0.2, 4), (0.1, 5)):
        solution = phd.solve(density, importance=importance, n_features=5, n_hidden=2)
        assert (solution.norms > 1e-6).sum() == represented


def test_correlated_pairs():
    page = "docs/gallery.md"
    require(page, "in one first-order change at p = 0.2579, above which the loss is exactly p/6")
    model = phd.ToyModel(4, 2, groups=[phd.correlated(0, 1), phd.correlated(2, 3)])
    assert phd.solve(0.3, model=model).loss == pytest.approx(0.3 / 6, rel=1e-12)
    section = phd.loss_section(x=phd.Axis("density", 0.25, 0.27, points=3), model=model)
    (found,) = section.transitions
    assert (round(found.position, 4), found.order) == (0.2579, 1)
    require(page, "Anticorrelated pairs prefer to be opposite: their loss is then 0")
    opposite = phd.ToyModel(4, 2, groups=[phd.anticorrelated(0, 1), phd.anticorrelated(2, 3)])
    assert abs(phd.solve(0.3, model=opposite).loss) < 1e-15


def test_triple_points_with_a_sparser_extra_feature():
    """Three lowest minima of nearly one loss at the stated digits, farther off beside them."""
    points = "(p, r) = (0.7892, 0.8764), (0.5971, 2.9167) and (0.7064, 2.8485)"
    require("docs/gallery.md", points)

    def spread(p, r):
        excess = phd.solve([p, p, p / 2], r, 3, 2).excess
        return excess[2] if len(excess) > 2 else np.inf

    for p, r in re.findall(r"\((0\.\d+), (\d\.\d+)\)", points):
        here = spread(float(p), float(r))
        assert here < 1e-4
        for q in (0.99, 1.01):
            assert spread(q * float(p), float(r)) > 5 * here
            assert spread(float(p), q * float(r)) > 5 * here


def test_what_training_misses_at_one_point():
    """docs/training.md, with fewer runs: none reaches *partial*."""
    require("docs/training.md", "`phd.basin_probabilities(0.55, 0.66, runs=100)`")
    shares = phd.basin_probabilities(0.55, 0.66, runs=100).shares()
    assert shares.get("partial", 0.0) == 0
    require("docs/training.md", f"{100 * shares['antipodal']:.0f} % ended in *antipodal*")
    assert shares["antipodal"] + shares["unfinished"] == pytest.approx(1)


def test_hand_picked_weights_in_the_readme():
    require("README.md", "cost up to 16.5 % more loss for n = 2, 20.8 % for n = 3")
    for n, percent in ((2, 16.5), (3, 20.8)):
        picked = phd.solve(4 / 7, 1.0, n, weights="canonical").loss
        assert round(100 * (picked / phd.solve(4 / 7, 1.0, n).loss - 1), 1) == percent


def test_the_size_of_the_explorer():
    require("README.md", "one offline HTML file (below 0.5 MB)")
    assert (ROOT / "docs" / "_static" / "explorer.html").stat().st_size < 500_000
