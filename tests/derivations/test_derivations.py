"""Every derivation proves itself, and its checks notice planted errors."""

from __future__ import annotations

import dataclasses
import os
import random
import subprocess
import sys

import pytest
import sympy
from sympy import Integer, Rational, symbols

import derivations
from derivations import boundaries, configuration, linear, report, simplex
from derivations.cells import cells, sign_pattern
from derivations.derivation import Check, Derivation, Step, identity
from derivations.direct_integral import (
    exact_output_loss,
    exact_product,
    exact_square,
    quadrature_output_loss,
)
from derivations.oracles import exact_in_every_cell, quadrature_at_random_points
from derivations.simplex import SimplexBlock, canonical_loss, canonical_output_loss, p, r
from derivations.truncated_power import PositivePart, output_loss, truncated_moment

NAMES = derivations.names()


@pytest.mark.parametrize("name", NAMES)
def test_every_check_of_every_derivation_passes(name):
    results = derivations.derive(name).check()
    assert results
    assert [result for result in results if not result.passed] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_step_is_checked(name):
    derivation = derivations.derive(name)
    assert derivation.name == name
    assert derivation.steps
    assert all(step.checks for step in derivation.steps)
    assert derivation.statement
    assert derivation.symbols
    assert derivation.result
    assert derivation.source


def test_the_catalogue_of_derivations():
    expected = {
        "expectation",
        "output-loss",
        "linear",
        "linear-optimum",
        "relu-interference",
        "ignored",
        "dedicated",
        "antipodal",
        "antipodal-equal",
        "others-antipodal",
        "triangle",
        "boundaries",
    }
    assert expected <= set(NAMES)


def test_an_unknown_derivation_is_refused():
    with pytest.raises(ValueError, match=r"name must be one of 'expectation', .* got 'pentagon'"):
        derivations.derive("pentagon")


GAINS = [(Rational(1, 2), Rational(-2, 3)), (Rational(4, 3), Rational(-2, 5))]


def wrong_factor(density, bias, gains):
    return output_loss(density, bias, gains) * Rational(1001, 1000)


def wrong_sign_in_one_cell(density, bias, gains):
    """Right everywhere but where one corner value is positive."""
    slip = PositivePart(bias + gains[0] + sum(gains[1:])) * Rational(1, 10**6)
    return output_loss(density, bias, gains) + slip


@pytest.mark.parametrize("planted", [wrong_factor, wrong_sign_in_one_cell])
def test_planted_errors_in_a_closed_form_are_caught(planted):
    assert exact_in_every_cell(output_loss, GAINS).run()[0]
    assert not exact_in_every_cell(planted, GAINS).run()[0]
    row = [0.7, -0.5]
    assert quadrature_at_random_points(output_loss, lambda source: row, 5).run()[0]
    assert not quadrature_at_random_points(planted, lambda source: row, 5).run()[0]


def test_a_check_without_any_cell_fails():
    assert not exact_in_every_cell(output_loss, []).run()[0]


def test_a_wrong_identity_and_a_division_by_zero_fail():
    x = symbols("x")
    assert not identity("wrong", lambda: (x + 1) ** 2 - x**2 - 1).run()[0]

    def divide():
        return 1 // 0 == 0, ""

    step = Step("", (), (Check("divides", divide),))
    broken = Derivation("broken", "", "", (), (step,), (), "")
    (result,) = broken.check()
    assert not result.passed
    assert "ZeroDivisionError" in result.detail


@pytest.mark.parametrize(
    ("module", "name", "planted", "derivation"),
    [
        (simplex, "canonical_output_loss", lambda k: p**k / 7, "simplices"),
        (linear, "split_loss", lambda *_: Integer(1), "linear"),
        (linear, "_two_features", lambda a, b, r: a**2 + r * b**2, "linear-optimum"),
        (
            boundaries,
            "canonical_loss",
            lambda k, extra: (k + r * int(extra)) * p**k / 5,
            "boundaries",
        ),
        (configuration, "canonical_output_loss", lambda k: p**2 / 5, "antipodal"),
    ],
)
def test_planted_errors_in_a_derivation_are_caught(monkeypatch, module, name, planted, derivation):
    monkeypatch.setattr(module, name, planted)
    if module is simplex:
        from derivations import simplices

        monkeypatch.setattr(simplices, name, planted)
    try:
        results = derivations.derive(derivation).check()
    except ValueError:  # no solution where there should be one: noticed even earlier
        return
    assert any(not result.passed for result in results)


def test_a_failing_check_gives_a_failing_exit_status(monkeypatch, capsys):
    from derivations.__main__ import check_all

    good = derivations.derive("dedicated-output")
    bad = dataclasses.replace(good, checks=(Check("planted", lambda: (False, "planted")),))
    monkeypatch.setattr("derivations.__main__.names", lambda: ("dedicated-output",))
    monkeypatch.setattr("derivations.__main__.derive", lambda name: bad)
    assert not check_all()
    printed = capsys.readouterr().out
    assert "FAIL  result: planted" in printed
    assert "failed: dedicated-output, result: planted" in printed


def test_exact_integrals_agree_with_sympy_s_own_integration():
    """Two features, by `sympy.integrate` of a piecewise function."""
    x, y = symbols("x y", real=True)
    source = random.Random(0)
    for _ in range(3):
        bias, g, h = (Rational(source.randint(-7, 7) or 1, 5) for _ in range(3))
        z = bias + g * x + h * y
        kinked = sympy.Piecewise((z, z > 0), (0, True))
        inner = sympy.integrate(sympy.piecewise_fold(kinked**2), (y, 0, 1))
        assert sympy.nsimplify(_numeric(inner, x)) == pytest.approx(
            float(exact_square(bias, [g, h])), abs=1e-12
        )


def _numeric(expression, x):
    import mpmath

    function = sympy.lambdify(x, expression, "mpmath")
    return mpmath.quad(function, mpmath.linspace(0, 1, 41))


def test_exact_integrals_at_known_values():
    """E[(x - ReLU(x - y))^2] = E[min(x, y)^2] = 1/6; E[x ReLU(x)] = 1/3."""
    assert exact_output_loss(Rational(1), Integer(0), [Integer(1), Integer(-1)]) == Rational(1, 6)
    assert exact_output_loss(Rational(1), Integer(-2), [Integer(1)]) == Rational(1, 3)
    assert exact_product(Integer(0), [Integer(1)], 0) == Rational(1, 3)
    assert exact_square(Rational(1, 2), [Integer(0)]) == Rational(1, 4)


def test_quadrature_agrees_with_the_exact_integral():
    source = random.Random(3)
    for size in (1, 2, 3):
        gains = [Rational(source.randint(-9, 9) or 2, 8) for _ in range(size)]
        exact = exact_output_loss(Rational(2, 5), Rational(-1, 7), gains)
        numeric = quadrature_output_loss(0.4, -1 / 7, [float(g) for g in gains])
        assert float(numeric) == pytest.approx(float(exact), abs=1e-14)


def test_cells_of_the_antipodal_rows_are_complete():
    """b, b + a^2, b - ac, b + a^2 - ac: 6 sign patterns, found by dense sampling too."""
    row = SimplexBlock(2).row(0)
    scales = [Rational(n, 10) for n in range(1, 20)]
    samples = [
        tuple(g.subs({simplex.a: s, simplex.c: t}) for g in row)
        for s in scales
        for t in scales[::3]
    ]
    found = {sign_pattern(bias, gains) for bias, gains in cells(samples)}
    source = random.Random(5)
    dense = set()
    for _ in range(4000):
        a, c, b = source.uniform(0.05, 2), source.uniform(0.05, 2), source.uniform(-3, 3)
        dense.add((b > 0, b + a * a > 0, b - a * c > 0, b + a * a - a * c > 0))
    assert found == dense
    assert len(found) == 6


def test_canonical_losses_are_the_published_formulas():
    """rV, V, (1 + r) p^2/6, p^2/3 of Wattenberg's notebook."""
    variance = p / 3 - p**2 / 4
    published = {
        (1, True): r * variance,
        (1, False): variance,
        (2, True): (1 + r) * p**2 / 6,
        (2, False): p**2 / 3,
    }
    for (k, includes_extra), formula in published.items():
        assert sympy.expand(canonical_loss(k, includes_extra) - formula) == 0


def test_canonical_boundaries_and_triple_point_are_the_known_ones():
    known = {
        (boundaries.IGNORED, boundaries.ANTIPODAL): 2 * p / (4 - 5 * p),
        (boundaries.DEDICATED, boundaries.ANTIPODAL): (4 - 5 * p) / (2 * p),
        (boundaries.IGNORED, boundaries.DEDICATED): Integer(1),
        (boundaries.ANTIPODAL, boundaries.OTHERS_ANTIPODAL): Integer(1),
    }
    for pair, formula in known.items():
        assert sympy.simplify(boundaries.boundary(*pair) - formula) == 0
    for configurations in (boundaries.TWO_FEATURES, boundaries.LITERATURE):
        assert boundaries.meeting_points(configurations) == [(Rational(4, 7), 1)]


def test_low_density_limits_of_the_canonical_simplices():
    """Pairs of active features alone matter: S_k ~ p^2 (k - 1) E[min(x, y/(k-1))^2]."""
    for k in range(2, simplex.MAX_BLOCK + 1):
        level = Rational(1, k - 1)
        x = symbols("x", positive=True)
        # E[min(x, s)^2] for s uniform on [0, level]
        pair = sympy.integrate((x**2 * (1 - x) + x**3 / 3) / level, (x, 0, level))
        leading = sympy.Poly(canonical_output_loss(k), p).coeff_monomial(p**2)
        assert leading == (k - 1) * pair


def test_truncated_moment_at_a_hand_computed_value():
    """E[(x - 1/2)_+^2] = 1/24."""
    assert truncated_moment(2, Rational(-1, 2), [Integer(1)]) == Rational(1, 24)


@pytest.mark.parametrize("name", NAMES)
def test_text_and_latex_are_complete(name):
    derivation = derivations.derive(name)
    text = report.to_text(derivation)
    assert text.startswith(derivation.title)
    assert text.count("checked:") == sum(len(s.checks) for s in derivation.steps) + len(
        derivation.checks
    )
    latex = report.to_latex(derivation)
    assert latex.count(r"\begin{") == latex.count(r"\end{")
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\item ") == len(derivation.steps)
    assert latex.rstrip().endswith(r"\end{document}")
    latex.encode("ascii")  # nothing that plain LaTeX could not read


@pytest.mark.parametrize("name", derivations.names())
def test_markdown_has_every_step_formula_and_check(name):
    derivation = derivations.derive(name)
    page = report.to_markdown(derivation)
    formulas = [*(f for step in derivation.steps for f in step.formulas), *derivation.result]
    assert page.count("$$") == 2 * len(formulas)
    for number in range(1, len(derivation.steps) + 1):
        assert f"\n{number}. " in page
    checked = sum(1 for step in derivation.steps if step.checks) + bool(derivation.checks)
    assert page.count("*Checked:*") == checked


def test_markdown_leaves_nothing_of_a_sentence_to_be_read_as_markup():
    step = Step("first * [second](third) | `fourth` $fifth$ <sixth> seventh_", (), ())
    page = report.to_markdown(Derivation("n", "A *title*", "s", (), (step,), (), "source"))
    expected = r"first \* \[second\](third) \| \`fourth\` \$fifth\$ \<sixth\> seventh\_"
    assert expected in page
    assert page.startswith(r"# A \*title\*")


def test_importing_derivations_does_not_load_sympy():
    code = "import sys, derivations; print('sympy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_ground_types_are_those_asked_for():
    from sympy.external.gmpy import GROUND_TYPES

    wanted = os.environ.get("SYMPY_GROUND_TYPES")
    if wanted not in (None, "auto"):
        assert wanted == GROUND_TYPES
