"""Every number in the tables of `docs/phases.md`, and others that can be read off, as computed."""

from __future__ import annotations

import re
from pathlib import Path

import independent
import numpy as np
import polylines
import pytest
import sympy
from scipy.optimize import brentq, root
from sympy import parsing

import phasediagram as phd
from derivations import stability
from phasediagram.closed_forms import (
    aligned_limit,
    aligned_tricritical_point,
    canonical_meeting_point,
    ignored_stability_limit,
)

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "phases.md").read_text(encoding="utf-8")
FLAT = " ".join(TEXT.replace("$", "").split())  # formulas count as text
SIZES = re.compile(r"\| what \| sizes \|\n(?:\|.*\n)+")


def tables_of_points():
    """Return the rows of the tables of special points: [(kind, p, r, phases), ...] for each."""
    tables = []
    for table in re.findall(r"\| point \| p \| r \| phases \|\n\|[-|]+\|\n((?:\|.*\n)+)", TEXT):
        rows = [
            [cell.strip() for cell in line.strip("|\n ").split("|")] for line in table.split("\n")
        ]
        tables.append(
            [(kind, p, r, frozenset(names.split(", "))) for kind, p, r, names in filter(any, rows)]
        )
    return tables


def read_off(text):
    """Return the numbers of a statement of the document, each with one unit of its last digit."""
    assert text in FLAT, text
    numbers = re.findall(r"(?<![\w.])\d+(?:\.\d+)?", text)
    return [(float(s), 10.0 ** -len(s.partition(".")[2])) for s in numbers]


def assert_says(text, *computed, chords=0.0):
    """`chords` is the error of numbers that are read off between points of a curve."""
    stated = read_off(text)
    assert len(stated) == len(computed), (text, computed)
    for (number, unit), value in zip(stated, computed, strict=True):
        assert abs(number - value) <= unit + chords, (text, number, value)


@pytest.mark.parametrize("index", [0, 1])
def test_the_tables_of_special_points(index, two, three):
    """To ten digits; for n = 2 the mirror image, r > 1, is left out."""
    stated = tables_of_points()[index]
    points = [
        point
        for point in (two, three)[index].special_points
        if index == 1 or point.relative_importance < 1 + 1e-9
    ]
    left = list(points)
    for kind, p, r, phases in stated:
        same = [
            q
            for q in left
            if (q.kind, frozenset(q.phases)) == (kind, phases)
            and abs(q.density - float(p)) < 1e-10
            and abs(q.relative_importance - float(r)) < 1e-10
        ]
        assert len(same) == 1, (kind, p, r)
        left.remove(same[0])
    assert left == []


def lines(boundaries, kind, *phases):
    found = [
        b
        for b in boundaries.boundaries
        if b.kind == kind and {polylines.plain(phase) for phase in b.phases} == set(phases)
    ]
    assert found, phases
    return found


def densities(boundaries, kind, *phases):
    return np.concatenate([b.density for b in lines(boundaries, kind, *phases)])


def crossed(boundaries, phase, density):
    """Return the relative importances of the spinodals of a phase at a density."""
    curves = lines(boundaries, "spinodal", phase)
    return sorted(r for curve in curves for r in polylines.at_density(curve, density))


def softness_of_equal_pairs(density):
    """Return the smallest curvature of the pair w, -w that is stationary for n = 2, r = 1."""

    def state(y):
        return np.array([y[0], -y[0], y[1], y[1]])

    def slope(y):
        gradient = independent.loss_and_gradient(state(y), density, 1.0, 2, 1)[1]
        return np.array([gradient[0] - gradient[1], gradient[2] + gradient[3]])

    pair = root(slope, [0.75, 0.33], tol=1e-13).x
    return np.linalg.eigvalsh(independent.hessian(state(pair), density, 1.0, 2))[0]


def last_density_of_equal_pairs():
    return brentq(softness_of_equal_pairs, 0.6, 0.8, xtol=1e-9)


def test_where_phases_of_two_features_are_lowest(two):
    first = min(densities(two, "equilibrium", "ignored", "partial"))
    assert_says("between *ignored* and *antipodal*, p > 0.51 |", first)
    (flat,) = lines(two, "equilibrium", "partial", "partial-other")
    assert_says("jumps by up to 0.069", np.abs(flat.slope_jump[:, 1]).max())
    tricritical = sorted(
        p.density
        for p in two.special_points
        if p.kind == "tricritical point" and "ignored" in p.phases
    )
    triple = min(p.density for p in two.special_points if p.kind == "triple point")
    assert_says("for 0.5117 < p < 0.5202", triple, tricritical[0])
    assert_says("weakly so for p > 0.837", tricritical[1])
    assert_says("beyond p = 0.8787", float(aligned_tricritical_point()[0]))


def norm_of_partial(density, importance):
    rng = np.random.default_rng(0)
    minima = independent.all_minima(density, importance, 2, rng)
    short = [s for s in minima if 1e-6 < s.gram[1, 1] < 0.1 * s.gram[0, 0] and s.gram[0, 1] < 0]
    return np.sqrt(short[0].gram[1, 1])


def gap_to_ignored(importance, density):
    """Return the loss of *partial* less that of *ignored*, r V."""
    rng = np.random.default_rng(0)
    variance = density / 3 - density**2 / 4
    return independent.all_minima(density, importance, 2, rng)[0].loss - importance * variance


def test_by_how_much_the_norm_jumps(two):
    """Where the losses of another code's minima are equal, not where the line is said to be."""
    lines_at = [
        r
        for line in lines(two, "equilibrium", "ignored", "partial")
        for r in polylines.at_density(line, 0.9)
    ]
    low, high = lines_at[0] * (1 - 1e-5), lines_at[0] * (1 + 1e-4)
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if gap_to_ignored(middle, 0.9) < -1e-14 else (middle, high)
    beyond = norm_of_partial(0.9, float(ignored_stability_limit(0.9)) * (1 + 1e-9))
    assert_says(
        "where at p = 0.9 the norm jumps to 0.0486 (on r_c, beyond the boundary, it is 0.0740)",
        0.9,
        norm_of_partial(0.9, high),
        beyond,
    )
    (triple,) = [
        p for p in two.special_points if p.kind == "triple point" and "ignored" in p.phases
    ]
    assert_says("at most 0.0034", norm_of_partial(triple.density, triple.relative_importance))


def test_where_minima_of_two_features_end(two):
    assert_says("around r = 1, p < 0.7130 |", 1, last_density_of_equal_pairs())
    aligned = lines(two, "spinodal", "aligned")
    assert_says(
        "at r = 1.187 for p = 0.01 and 1.0757 for p = 0.5 |",
        max(
            curve.relative_importance[k]
            for curve in aligned
            for k in (0, -1)
            if abs(curve.density[k] - 0.01) < 1e-9 and curve.relative_importance[k] < 2
        ),
        0.01,
        min(r for r in crossed(two, "aligned", 0.5 * (1 + 1e-9)) if r > 1),
        0.5,
        chords=2e-4,
    )
    strong = [c for c in aligned if c.density.max() < 0.3 and c.relative_importance.max() < 1]
    assert_says("sparse features, r < 0.282;", max(c.relative_importance.max() for c in strong))
    assert_says("the two meet at p = 0.2270 |", max(c.density.max() for c in strong))
    partial = lines(two, "spinodal", "partial")
    assert_says(
        "r = 0.5504 to 0.6356 at p = 0.5, 0.3155 to 0.3195 at p = 0.3, and closes at p = 0.217",
        *crossed(two, "partial", 0.5 * (1 + 1e-9)),
        0.5,
        *crossed(two, "partial", 0.3 * (1 + 1e-9)),
        0.3,
        min(c.density.min() for c in partial),
        chords=2e-4,
    )


def test_where_phases_of_three_features_are_lowest(three):
    points = {
        (p.kind, frozenset(p.phases)): p.density
        for p in three.special_points
        if p.kind != "tricritical point"
    }
    tricritical = sorted(
        p.density
        for p in three.special_points
        if p.kind == "tricritical point" and "ignored" in p.phases
    )
    upper = points["triple point", frozenset({"ignored", "partial", "partial-triangle"})]
    lower = points["triple point", frozenset({"ignored", "partial", "antipodal"})]
    assert_says("0.837 < p < 0.904", tricritical[1], upper)
    assert_says("at p = 0.512 to 0.520 |", lower, tricritical[0])
    lens = points["triple point", frozenset({"antipodal", "others-antipodal", "triangle"})]
    assert_says("p > 0.52 |", lens)
    end = points["critical end point", frozenset({"triangle", "others-partial", "scalene"})]
    assert_says("r > 1, p > 0.751 |", 1, end)
    critical = [p.density for p in three.special_points if p.kind == "critical point"]
    assert_says("in **critical points**, at p = 0.7171 and 0.7464", *sorted(critical))
    flat = densities(three, "equilibrium", "others-antipodal", "others-partial")
    assert_says("Below p = 0.7064 *others-antipodal* is the lowest", flat[0])


def ends_of(boundaries, phase):
    return [
        (float(c.density[k]), float(c.relative_importance[k]))
        for c in lines(boundaries, "spinodal", phase)
        for k in (0, -1)
    ]


def nearest_end(boundaries, phase, p, r):
    return min(ends_of(boundaries, phase), key=lambda e: abs(e[0] - p) + abs(np.log(e[1] / r)))


def test_where_minima_of_three_features_end(three):
    assert_says(
        "p < 0.209; a sliver at p > 0.92 |",
        max(c.density.max() for c in lines(three, "spinodal", "aligned") if c.density.max() < 0.5),
        min(c.density.min() for c in lines(three, "spinodal", "aligned") if c.density.max() > 0.5),
    )
    assert_says("| others-antipodal | p < 0.7130 |", last_density_of_equal_pairs())
    assert_says("for small r (p > 0.417) |", densities(three, "spinodal", "others-antipodal").min())
    first = densities(three, "spinodal", "others-partial").min()
    tilt = first, 1.342  # a corner of the curve
    curves = [polylines.of(c) for c in lines(three, "spinodal", "others-partial")]
    assert polylines.nearest(np.log([tilt]), curves).max() < 3e-3
    last = nearest_end(three, "others-partial", 1.0, 1.0)
    assert_says("| others-partial | p > 0.7023 |", first)
    assert_says(
        "below r = 1.342 at p = 0.7023 to 1.0028 at p = 1 |", tilt[1], tilt[0], last[1], last[0]
    )
    start = nearest_end(three, "others-aligned", 0.07, 10)
    assert_says("| others-aligned | p > 0.0719, large r;", start[0])
    (middle,) = crossed(three, "others-aligned", 0.5 * (1 + 1e-9))
    assert_says(
        "by tilting below r = 10 at p = 0.0719, 1.752 at p = 0.5 |", start[1], start[0], middle, 0.5
    )


def test_where_the_fold_of_two_features_gives_way_to_tilting(two, three):
    """Below r = 0.581 the two curves are one; above they part, at first slowly."""
    assert_says("by tilting for r > 0.581, in the fold of n = 2 for r < 0.581 |", 0.581, 2, 0.581)
    (curve,) = (polylines.of(c) for c in lines(three, "spinodal", "antipodal"))
    off = polylines.nearest(curve, [polylines.of(c) for c in lines(two, "spinodal", "antipodal")])
    r = np.exp(curve[:, 1])
    assert off[r < 0.581].max() < 5e-4
    assert off[(r > 0.66) & (r < 0.9)].min() > 1e-3


def test_where_all_three_begin_to_couple_beside_pairs(three):
    for text, phase, places in (
        (
            "from (0.4205, 0.1) to (0.713, 1.357)",
            "aligned-triangle",
            [(0.4205, 0.1), (0.713, 1.357)],
        ),
        ("from (0.1843, 10) to (0.56, 0.66)", "scalene", [(0.1843, 10), (0.56, 0.66)]),
    ):
        assert_says(text, *[number for place in places for number in place])
        curves = [polylines.of(c) for c in lines(three, "spinodal", phase)]
        assert polylines.nearest(np.log(places), curves).max() < 1e-2
    sparse = [end[1] for end in ends_of(three, "triangle") if abs(end[0] - 0.01) < 1e-9]
    assert_says("0.979 < r < 1.007 at p = 0.01", *sorted(sparse), 0.01)


def excess(n):
    """Return by how much the paper's solutions cost more than free weights, where most."""
    p, r = canonical_meeting_point()
    around = p * np.exp(np.linspace(-0.1, 0.1, 11)), r * np.exp(np.linspace(-0.1, 0.1, 11))
    free = phd.phase_diagram(*around, n, n - 1)
    picked = phd.phase_diagram(*around, n, n - 1, weights="canonical")
    more = picked.loss / free.loss - 1
    assert np.unravel_index(more.argmax(), more.shape) == (5, 5)
    return 100 * more.max()


def test_what_hand_picked_weights_cost():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    two, three = excess(2), excess(3)
    assert_says("hand-picked weights cost up to 16.5 % more loss for n = 2", two, 2)
    assert_says("and up to 20.8 % for n = 3", three, 3)
    assert f"cost up to {two:.1f} % more loss for n = 2, {three:.1f} % for n = 3" in readme


def test_the_table_of_sizes_is_the_same_everywhere():
    """And true where something is refused."""
    tables = [
        SIZES.search((ROOT / page).read_text(encoding="utf-8")).group()
        for page in ("README.md", "docs/conventions.md")
    ]
    assert tables[0] == tables[1]
    phd.expected_loss(np.ones((9, 8)), np.zeros(8), 0.5)
    with pytest.raises(ValueError, match="8"):
        phd.expected_loss_hessian(np.ones((1, 9)), np.zeros(9), 0.5)
    with pytest.raises(ValueError, match="1000"):
        phd.expected_loss(np.ones((1, 1001)), np.zeros(1001), 0.5)
    for n, m in ((7, 6), (3, 3)):
        with pytest.raises(ValueError, match=r"n_features|n_hidden"):
            phd.solve(0.5, 1.0, n, m)
    with pytest.raises(ValueError, match=r"n_features|n_hidden"):
        phd.phase_boundaries(6, 5)
    for n in range(2, 7):
        assert phd.configurations(n, n - 1)


def formulas_after(words):
    """Return the right sides of the first display after some words of the document, in LaTeX."""
    display = re.search(r"\$\$\n(.*?)\$\$", TEXT[TEXT.index(words) :], re.DOTALL)[1]
    rows = re.split(
        r"(?<=[,.])\s*\\\\\s*\n", re.sub(r"\\(begin|end)\{align\*\}|\{\}&", "", display)
    )
    return dict(re.split(r"\s*(?:&=|= \{\}&|=)\s*", row.strip(" ,.\n"), maxsplit=1) for row in rows)


def value_of(latex, **values):
    """Return the value of a displayed formula: sums, products, powers, fractions and roots."""
    text = latex.replace("\\\\\n", " ").replace("&", "").replace("\\,", " ")
    text = text.replace("\\left", "").replace("\\right", "")
    while "\\frac" in text:
        text = re.sub(
            r"\\frac\{((?:[^{}]|\{[^{}]*\})*)\}\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}",
            r"((\1)/(\2))",
            text,
        )
    text = re.sub(r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)", text).replace("\\beta", "beta")
    text = " ".join(text.split())
    tree = sympy.sympify(
        parsing.sympy_parser.parse_expr(
            text.replace("^", "**"),
            local_dict={name: sympy.Symbol(name) for name in ("p", "beta", "F")},
            transformations=(
                *parsing.sympy_parser.standard_transformations,
                parsing.sympy_parser.implicit_multiplication,
            ),
        )
    )
    return float(tree.subs(values))


def test_displayed_formulas_are_those_of_the_derivations():
    """beta, F, r_c and K as printed, at many densities, against the derivation and closed form."""
    line = formulas_after("**Ignoring loses stability**")
    cubic = formulas_after("where S vanishes on the line")
    plus = formulas_after("It begins with an extra feature of norm 0")
    for p in (0.01, 0.3, 0.51, 0.8, 1.0):
        beta = value_of(line["\\beta"], p=p)
        F = value_of(line["F"], p=p, beta=beta)
        at = {stability.p: p, stability.beta: beta}
        assert beta == pytest.approx(float(stability.best_bias().subs(at)), rel=1e-12)
        assert pytest.approx(float(stability.reduced_cost().subs(at)), rel=1e-12) == F
        r_c = value_of(line["r_c"], p=p, F=F)
        assert r_c == pytest.approx(ignored_stability_limit(p), rel=1e-12)
        K = value_of(cubic["K"], p=p, beta=beta)
        assert pytest.approx(float(stability.cubic_coefficient().subs(at)), rel=1e-9) == K
        assert value_of(plus["r_+"], p=p) == pytest.approx(aligned_limit(p), rel=1e-12)
