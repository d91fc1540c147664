"""What a derivation displays is what its checks look at: errors planted there are caught."""

from __future__ import annotations

import dataclasses
from importlib import import_module

import pytest
import sympy
from sympy import Eq, Integer, Rational, symbols

import derivations
from derivations import report
from derivations.cells import cells, sign_pattern
from derivations.configuration import active_set_formulas, block_outputs, simplex_derivation
from derivations.dedicated import b, dedicated_output_loss, s
from derivations.derivation import Check
from derivations.displayed import (
    displayed_in_every_cell,
    displayed_total_by_quadrature,
    displayed_total_exactly,
    value_of,
    written_out,
)
from derivations.simplex import SimplexBlock, a, c, p, u


def one_factor(formula):
    return Eq(formula.lhs, Rational(1001, 1000) * formula.rhs, evaluate=False)


def first_only(formulas):
    return (one_factor(formulas[0]), *formulas[1:])


def last_only(formulas):
    return (*formulas[:-1], one_factor(formulas[-1]))


DISPLAYED = [
    ("derivations.expectation", "_general_form", one_factor, "expectation"),
    ("derivations.expectation", "_mixture_example", one_factor, "expectation"),
    ("derivations.linear", "_general_loss", one_factor, "linear"),
    ("derivations.linear", "_paper_form", one_factor, "linear"),
    ("derivations.linear", "_two_features", lambda e: 2 * e, "linear-optimum"),
    ("derivations.configuration", "active_set_formulas", first_only, "antipodal"),
    ("derivations.configuration", "active_set_formulas", last_only, "antipodal"),
    ("derivations.configuration", "active_set_formulas", last_only, "antipodal-equal"),
    ("derivations.configuration", "active_set_formulas", last_only, "triangle"),
    ("derivations.antipodal", "active_set_formulas", last_only, "others-antipodal"),
    ("derivations.antipodal", "dedicated_output_loss", lambda e: 2 * e, "others-antipodal"),
    ("derivations.dedicated", "active_set_formulas", last_only, "dedicated-output"),
    ("derivations.dedicated", "dedicated_output_loss", lambda e: 2 * e, "dedicated-output"),
    ("derivations.dedicated", "dedicated_output_loss", lambda e: 2 * e, "dedicated"),
    ("derivations.dedicated", "ignored_output_loss", lambda e: 2 * e, "dedicated"),
    ("derivations.ignored", "dedicated_output_loss", lambda e: 2 * e, "ignored"),
    ("derivations.ignored", "ignored_output_loss", lambda e: 2 * e, "ignored"),
    ("derivations.simplices", "canonical_output_loss", lambda e: 2 * e, "simplices"),
    ("derivations.boundaries", "boundary", lambda e: None if e is None else 2 * e, "boundaries"),
]


@pytest.mark.parametrize(("module", "function", "plant", "name"), DISPLAYED)
def test_an_error_planted_in_a_displayed_formula_is_caught(
    monkeypatch, module, function, plant, name
):
    original = getattr(import_module(module), function)
    monkeypatch.setattr(
        f"{module}.{function}", lambda *args, **kwargs: plant(original(*args, **kwargs))
    )
    assert any(not result.passed for result in derivations.derive(name).check())


GAIN_SAMPLES = {s: [Rational(1, 2), Rational(1), Rational(3, 2)]}
OUTPUTS = ((Integer(1), b, (s**2,)),)


def draw(source):
    return {p: Rational(source.randint(1, 9), 9), s: Rational(3, 4), b: Rational(-1, 5)}


def planted(kind):
    right = Eq(sympy.Symbol("L"), dedicated_output_loss(), evaluate=False)
    slips = {
        "none": right,
        "factor": one_factor(right),
        "sign": Eq(right.lhs, right.rhs.subs(b, -b), evaluate=False),
        "small": Eq(right.lhs, right.rhs + Rational(1, 10**10), evaluate=False),
    }
    return (slips[kind],)


@pytest.mark.parametrize("kind", ["none", "factor", "sign", "small"])
def test_each_route_notices_a_wrong_formula(kind):
    formulas = planted(kind)
    routes = (
        displayed_in_every_cell(formulas, p, b, (s**2,), GAIN_SAMPLES),
        displayed_total_exactly(formulas, p, OUTPUTS, 3, draw),
        displayed_total_by_quadrature(formulas, p, OUTPUTS, 3, draw),
    )
    assert [check.run()[0] for check in routes] == [kind == "none"] * 3


def test_a_check_that_looks_at_nothing_fails():
    formulas = planted("none")
    assert not displayed_in_every_cell(formulas, p, b, (s**2,), {s: []}).run()[0]
    assert not displayed_total_exactly(formulas, p, OUTPUTS, 0, draw).run()[0]
    assert not displayed_total_by_quadrature(formulas, p, OUTPUTS, 0, draw).run()[0]


@pytest.mark.parametrize("error", [ZeroDivisionError, ValueError, KeyError])
def test_a_check_that_raises_has_failed(error):
    def run():
        raise error("planted")

    good = derivations.derive("dedicated-output")
    bad = dataclasses.replace(good, checks=(Check("raises", run),))
    *_, result = bad.check()
    assert not result.passed
    assert error.__name__ in result.detail


def test_formulas_refer_to_those_after_them():
    total, part, x = symbols("total part x")
    formulas = (Eq(total, 2 * part + 1), Eq(part, x**2))
    assert value_of(formulas, {x: Integer(3)}) == 19


def test_a_sum_over_symbolic_limits_is_written_out():
    i, n = symbols("i n", integer=True)
    base = sympy.IndexedBase("V")
    assert (
        written_out(sympy.Sum(i * base[i], (i, 1, n)), {n: 3, "V": lambda a: Integer(a**2)}) == 36
    )


@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_the_gains_of_a_block_are_those_of_an_explicit_weight_matrix(k):
    for i, (_, _, gains) in enumerate(block_outputs(k, {})):
        row = SimplexBlock(k).row(i)
        assert all(sympy.simplify(x - y) == 0 for x, y in zip(gains, row, strict=True))


def test_terms_of_different_outputs_have_different_names():
    row = SimplexBlock(2).row(0)
    first = {f.lhs for f in active_set_formulas("l_o", b, row)}
    second = {f.lhs for f in active_set_formulas("l_e", b, row)}
    assert not first & second


@pytest.mark.parametrize(("output", "expected"), [(0, 24), (2, 10)])
def test_the_samples_of_a_triangle_meet_every_cell_that_a_finer_grid_meets(output, expected):
    row = SimplexBlock(3).row(output)
    scales = [Rational(i, 15) for i in (2, 5, 8, 11, 14, 17, 20, 25)]
    cosines = [Rational(i, 23) for i in (1, 4, 7, 10, 13, 16, 17, 19, 22)]
    rows = {
        tuple(g.subs({a: x, c: y, u: z}) for g in row)
        for x in scales
        for y in scales
        for z in cosines
    }
    assert len({sign_pattern(bias, gains) for bias, gains in cells(rows)}) == expected


def test_four_features_in_three_dimensions_come_from_the_same_code():
    tetrahedron = simplex_derivation("tetrahedron", "Tetrahedron", "Four features.", k=4)
    geometry, separation, _, _, canonical = tetrahedron.steps
    for step in (geometry, separation, canonical):
        assert all(check.run()[0] for check in step.checks)


def test_latex_subscripts_hold_single_names():
    """A spoken formula as a symbol's name would be split at its underscores and carets."""
    for derivation in derivations.all_derivations():
        latex = report.to_latex(derivation)
        for wrong in ("x_{i ", "x^{2]}", "ReLU(Z))}"):
            assert wrong not in latex, derivation.name
