"""Certified diagrams: cells hold what minima from elsewhere say, and boundaries stay undecided."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from math import comb
from pathlib import Path

import numpy as np
import pytest
import scipy.optimize

import phasediagram as phd
from phasediagram.certified.candidates import lowest_of_few
from phasediagram.certified.planes import deciding
from phasediagram.certified.planes.cells import Corners, outweighed, polar_tables
from phasediagram.certified.planes.deciding import Cell, decide
from phasediagram.certified.problem import Problem, independent
from phasediagram.cli import main

CURVES = json.loads((Path(__file__).parent.parent / "reference" / "curves_2_1.json").read_text())


@pytest.fixture(scope="module")
def diagram():
    return phd.certified_diagram(undecided=0.1)


def test_most_of_the_area_is_decided(diagram):
    shares = diagram.shares()
    assert shares["undecided"] <= 0.1
    assert abs(sum(shares.values()) - 1) < 1e-12
    assert abs(shares["ignored"] - shares["dedicated"]) < 1e-9  # r -> 1/r


def test_cells_agree_with_minima_that_were_searched_for(diagram):
    rng = np.random.default_rng(1)
    for _ in range(60):
        p, r = 10 ** rng.uniform(-2, 0), 10 ** rng.uniform(-1, 1)
        inside = (
            (diagram.density[:, 0] <= p)
            & (p <= diagram.density[:, 1])
            & (diagram.other[:, 0] <= r)
            & (r <= diagram.other[:, 1])
        )
        (k,) = np.flatnonzero(inside)
        found = phd.solve(p, r)
        outcomes = {
            "ignored": {"ignored"},
            "dedicated": {"dedicated"},
            "superposed": {"superposition"},
            "undecided": {"ignored", "dedicated", "superposition"},
        }
        assert found.outcome in outcomes[diagram.phase[k]]
        if diagram.phase[k] == "superposed":
            ratio = abs(found.W[0, 1] / found.W[0, 0])
            assert diagram.ratio[k, 0] <= ratio <= diagram.ratio[k, 1]


def test_superposed_cells_are_divided_by_the_ratio(diagram):
    """Partial or antipodal, as a minimum searched for at the cell's centre is."""
    finer = np.array(diagram.finer_phase)
    assert (np.array(diagram.phase)[finer == "antipodal"] == "superposed").all()
    assert diagram.shares(finer=True)["antipodal"] > 0.5
    for k in np.flatnonzero(finer == "antipodal")[:20]:
        p, r = np.sqrt(diagram.density[k].prod()), np.sqrt(diagram.other[k].prod())
        W = phd.solve(float(p), float(r)).W
        assert 0.6 < abs(W[0, 1] / W[0, 0]) < 1 / 0.6
    partial = decide(Cell((0.6, 0.601), (0.74, 0.741))).ratio
    assert 0 < partial[0] < partial[1] < 0.6


def outcome_changes():
    """Points of traced curves on which the outcome, and not merely the phase, changes."""
    apart = {"ignored", "dedicated"}
    for curve in CURVES["boundaries"]:
        if curve["kind"] == "equilibrium" and apart & set(curve["phases"]):
            yield from zip(curve["density"], curve["relative_importance"], strict=True)


def test_traced_boundaries_lie_in_undecided_cells(diagram):
    decided = np.array(diagram.phase) != "undecided"
    density, other = diagram.density[decided], diagram.other[decided]
    points = list(outcome_changes())
    assert len(points) > 300
    near = 1e-9  # what is known of the curves' positions
    for p, r in points:
        inside = (density[:, 0] * (1 + near) < p) & (p < density[:, 1] * (1 - near))
        inside &= (other[:, 0] * (1 + near) < r) & (r < other[:, 1] * (1 - near))
        assert not inside.any()


@pytest.mark.parametrize("point", list(outcome_changes())[::40])
def test_small_cells_around_boundaries_are_never_decided(point):
    p, r = point
    width = 1e-3
    cell = Cell((p * (1 - width), min(p * (1 + width), 1.0)), (r * (1 - width), r * (1 + width)))
    assert decide(cell).phase == "undecided"


def test_small_cells_beside_boundaries_are_decided():
    """So that the tests above say something: r_c(0.6) is at 0.67, the first-order line further."""
    assert decide(Cell((0.599, 0.601), (0.61, 0.612))).phase == "ignored"
    assert decide(Cell((0.599, 0.601), (0.71, 0.712))).phase == "superposed"
    assert decide(Cell((0.599, 0.601), (1 / 0.612, 1 / 0.61))).phase == "dedicated"


def stability(p):
    """What says whether second weights up to a size are outweighed at density p, and r_c(p)."""
    tables = np.tile([(1 - p) ** 2, p * (1 - p), p * (1 - p), p**2], (1, 2, 1))
    corners = Corners(tables, np.ones((1, 2)), np.full((1, 2), p), np.zeros(1), np.ones(1))
    variance = p / 3 - p**2 / 4

    def holds(r, small, **more):
        reach, price = np.sqrt(18 * r) * 1.000001, np.array([r * variance])
        return outweighed(corners, small, reach, price, 4000, small * 2.0**-11, **more)

    return holds, float(phd.closed_forms.ignored_stability_limit(p))


@pytest.mark.parametrize("p", [0.5, 0.6])
def test_small_second_weights_are_not_outweighed_beyond_the_stability_limit(p):
    """The proof for small weights must fail just above r_c(p), where they lower the loss."""
    holds, limit = stability(p)
    assert holds(0.97 * limit, 0.02)
    assert not holds(1.001 * limit, 0.02)
    assert not holds(1.001 * limit, 0.001, inner=0.75)
    # those of the same sign do not
    assert holds(1.001 * limit, 0.02, signs=(1.0,))
    assert not holds(1.001 * limit, 0.02, signs=(-1.0,))


def test_rings_prove_what_a_whole_disc_does_not():
    holds, limit = stability(0.6)
    assert not holds(0.98 * limit, 0.1)
    assert holds(0.98 * limit, 0.1, inner=0.75)


@pytest.mark.parametrize("share", [0.9, 0.98])
def test_weights_in_a_ring_that_is_proved_cost_more_than_ignoring(share):
    """Second weights in the ring, first weights and biases searched: never below r V."""
    p, small, inner = 0.6, 0.1, 0.75
    holds, limit = stability(p)
    r = share * limit
    assert holds(r, small, inner=inner)
    rng = np.random.default_rng(1)
    for second in small * np.linspace(inner, 1, 4):

        def loss(x, second=second):
            W, b = np.array([[x[0], -second]]), x[1:]
            return float(phd.expected_loss(W, b, p, [1.0, r]))

        for _ in range(4):
            start = [1.0, 0.0, p / 2] + rng.normal(size=3) * 0.1
            least = scipy.optimize.minimize(loss, start, method="Nelder-Mead").fun
            assert least > r * (p / 3 - p**2 / 4)


@pytest.mark.parametrize("n", [2, 3])
def test_losses_in_a_cell_are_mixtures(n):
    low, high = Fraction(1, 5), Fraction(1, 2)
    tables = polar_tables(low, high, n)
    assert all(sum(table) == 1 for table in tables)
    assert min(min(table) for table in tables) > 0
    t = Fraction(1, 3)
    p = low + t * (high - low)
    weights = [comb(n, k) * t**k * (1 - t) ** (n - k) for k in range(n + 1)]
    for active in range(2**n):
        size = active.bit_count()
        mixed = sum(w * table[active] for w, table in zip(weights, tables, strict=True))
        assert mixed == p**size * (1 - p) ** (n - size)


def test_a_diagram_is_continued_from_its_directory(tmp_path, monkeypatch):
    window = {"density": (0.1, 0.4), "relative_importance": (0.3, 1.0), "undecided": 0.3}
    first = phd.certified_diagram(**window, directory=tmp_path)
    path = tmp_path / "cells.jsonl"
    path.write_text(path.read_text() + '[3, 1, 0, "supe')  # killed while writing
    monkeypatch.setattr("phasediagram.certified.planes.diagram.decide", None)
    again = phd.certified_diagram(**window, directory=tmp_path)
    assert sorted(zip(again.phase, again.density.tolist(), again.other.tolist(), strict=True)) == (
        sorted(zip(first.phase, first.density.tolist(), first.other.tolist(), strict=True))
    )
    with pytest.raises(ValueError, match="holds something else"):
        phd.certified_diagram(density=(0.1, 0.5), directory=tmp_path)


def test_a_penalty_may_be_the_second_axis():
    found = phd.certified_diagram(
        density=(0.1, 0.3), interference_penalty=(0.005, 0.2), undecided=0.15
    )
    shares = found.shares()
    assert shares["superposed"] > 0.2
    assert shares["not superposed"] > 0.2
    # known to end superposition at p = 0.2: 0.0376
    column = (found.density[:, 0] <= 0.2) & (found.density[:, 1] >= 0.2)
    at_end = column & (found.other[:, 0] <= 0.0376) & (found.other[:, 1] >= 0.0376)
    assert {found.phase[k] for k in np.flatnonzero(at_end)} == {"undecided"}


@pytest.mark.parametrize("density", [0.55, 0.6, 0.7])
def test_a_penalty_ends_superposition_where_the_closed_form_says(density):
    """Where the change is continuous, at V (1 - r_c)/2 for equal importances: within 1/1000."""
    end = end_of_superposition(density)
    phases = [
        decide(Cell((density, density), (1.0, 1.0), (end * share, end * share))).phase
        for share in (0.999, 1.0, 1.001)
    ]
    assert phases == ["superposed", "undecided", "not superposed"]


def end_of_superposition(density):
    limit = float(phd.closed_forms.ignored_stability_limit(density))
    return (density / 3 - density**2 / 4) * (1 - limit) / 2


@pytest.mark.parametrize("density", [0.52, 0.6, 0.7, 0.8, 0.86])
def test_cells_across_the_end_of_superposition_are_never_decided(density):
    end, width = end_of_superposition(density), 1e-3
    ranges = [(x * (1 - width), x * (1 + width)) for x in (density, end)]
    assert decide(Cell(ranges[0], (1.0, 1.0), ranges[1])).phase == "undecided"


def test_superposition_near_its_end_at_low_density_is_not_antipodal():
    """A minimum of unequal norms is the last one that superposes; equal norms lose before."""
    density, penalty = 0.05, 0.01469
    verdict = decide(Cell((density, density), (1.0, 1.0), (penalty, penalty)))
    assert verdict.phase == "superposed"
    model = phd.ToyModel(2, interference_penalty=penalty)
    found = phd.solve(density, model=model)
    ratio = abs(found.W[0, 1] / found.W[0, 0])
    assert min(ratio, 1 / ratio) < 0.5
    assert found.loss < density / 3 - density**2 / 4


def test_a_penalty_ends_superposition_once():
    """What is proved at the ends of a range of penalties is proved within it."""
    over = Cell((0.2, 0.2), (1.0, 1.0), (0.02, 0.037))
    assert decide(over).phase == "superposed"
    assert decide(replace(over, penalty=(0.0376, 0.1))).phase == "not superposed"


def test_a_range_of_penalties_is_proved_at_the_ends_that_cover_it(monkeypatch):
    """Others at the lowest penalty against a competitor at the highest: in all of the range."""
    seen = []

    def proved(m, corners, *rest):
        seen.append(corners)
        return 1

    monkeypatch.setattr(deciding, "excluded", proved)
    density, low, high = 0.2, 0.02, 0.03
    assert decide(Cell((density, density), (1.0, 1.0), (low, high))).phase == "superposed"
    (corners,) = seen[:1]
    assert (corners.penalty == low).all()
    least = phd.solve(density, model=phd.ToyModel(2, interference_penalty=high)).loss
    assert corners.threshold == pytest.approx([least], rel=1e-9)


@pytest.mark.parametrize(("density", "end"), [(0.1, 0.0256205), (0.4, 0.0333867), (0.8, 0.0071444)])
def test_superposition_is_proved_from_no_penalty_to_its_end(density, end):
    waiting = [(0.0, end)]
    while waiting:
        low, high = waiting.pop()
        if decide(Cell((density, density), (1.0, 1.0), (low, high))).phase != "superposed":
            assert high - low > end / 1000
            waiting += [(low, (low + high) / 2), ((low + high) / 2, high)]


def test_exchanging_features_divides_a_penalty_too():
    cell = Cell((0.2, 0.21), (2.0, 4.0), (0.01, 0.02))
    image = deciding._exchanged(cell)
    assert image.relative_importance == pytest.approx((0.25, 0.5))
    assert image.penalty == pytest.approx((0.0025, 0.01))
    assert image.penalty[0] < 0.0025 < 0.01 < image.penalty[1]


def test_few_starts_find_the_lowest_minimum():
    rng = np.random.default_rng(3)
    for _ in range(40):
        p, r = 10 ** rng.uniform(-2, 0), 10 ** rng.uniform(-1, 0)
        problem = Problem(2, 1, independent([Fraction(p)] * 2), (Fraction(1), Fraction(r)))
        assert lowest_of_few(problem)[2] == pytest.approx(phd.solve(p, r).loss, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_features": 3}, "must be 2 and 1, got 3"),
        ({"density": (0.5, 0.1)}, "density must be two ascending numbers"),
        ({"relative_importance": (0.0, 1.0)}, "relative_importance must be two ascending"),
        ({"undecided": 0.0}, r"undecided must lie in \(0, 1\), got 0.0"),
    ],
)
def test_bad_windows_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        phd.certified_diagram(**arguments)


def test_drawing(diagram, tmp_path, monkeypatch):
    from phasediagram.plotting import paper_figure

    with paper_figure() as figure:
        ax = phd.plot(diagram, figure.add_subplot())
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(labels) == len(diagram.shares(finer=True))
    monkeypatch.chdir(tmp_path)
    assert main(["certified-diagram", "--undecided", "0.4"]) == 0
    assert (tmp_path / "certified.png").stat().st_size > 5000
