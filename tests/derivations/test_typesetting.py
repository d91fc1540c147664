"""Formulas within prose: found, told from words, and set like the displayed ones."""

from __future__ import annotations

import re

import pytest

import derivations
from derivations import report, typesetting

GREEK = r"\b(alpha|beta|gamma|eta|sigma|lambda|rho|mu|theta)(_\w+)?\b"


def formulas(text):
    return [part for is_formula, part in typesetting.parts(text) if is_formula]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a minimum for r < r_c(p), a saddle for r > r_c(p).", ["r < r_c(p)", "r > r_c(p)"]),
        ("For n features in n - 1 dimensions", ["n", "n - 1"]),
        ("A configuration costs S_k times a quarter of mu^2", ["S_k", "mu^2"]),
        ("W = (a, c) with a, c > 0 and a closed form", ["W = (a, c)", "a", "c > 0"]),
        ("closer to A than the sum of the squares", ["A"]),
        ("norm 1, bias 0, in 2022; densities of 0.8787", []),
        ("uniform on [0, 1], W_1 . W_2, and w.Mw", ["[0, 1]", "W_1 . W_2", "w.Mw"]),
        ("others-antipodal, 'tilt' and second-order terms do not", []),
        ("output i's loss is p_i/3 - dR/dg_i + R", ["i", "p_i/3 - dR/dg_i + R"]),
        ("F' = 0, but the pair's loss", ["F' = 0"]),
        ("for k = 1 ... 4, n = 2, 3", ["k = 1 ... 4", "n = 2"]),
    ],
)
def test_formulas_are_told_from_words(text, expected):
    assert formulas(text) == expected
    assert "".join(part for _, part in typesetting.parts(text)) == text


@pytest.mark.parametrize(
    ("formula", "latex", "shown"),
    [
        ("b_1 = c beta", r"b_{1} = c \beta", "b₁ = c β"),
        ("2^-40 <= x", r"2^{-40} \le x", "2⁻⁴⁰ ≤ x"),
        ("(z + g x)_+^d", "(z + g x)_{+}^{d}", "(z + g x)₊^d"),
        ("E[ReLU(Z)^2]", r"E[\mathrm{ReLU}(Z)^{2}]", "E[ReLU(Z)²]"),
        ("(1, 1) / sqrt(2)", r"(1, 1) / \sqrt{2}", "(1, 1) / sqrt(2)"),
        ("(-1)^(k-|v|)", "(-1)^{k-|v|}", "(-1)^(k-|v|)"),
        ("2 sigma' rho", r"2 \sigma' \rho", "2 σ' ρ"),
        ("r_+ > r_c", "r_{+} > r_{c}", "r₊ > r_c"),
        ("beta_2", r"\beta_{2}", "β₂"),
        ("W = (w, +-c)", r"W = (w, \pm c)", "W = (w, ±c)"),
        ("sum_j g_j x_j", r"\sum_{j} g_{j} x_{j}", "sum_j g_j x_j"),
    ],
)
def test_formulas_are_set(formula, latex, shown):
    assert " ".join(typesetting.to_latex(formula).split()) == latex
    assert typesetting.to_unicode(formula) == shown


def page(derivation):
    """Return the page of a derivation without its source, which is a citation."""
    return report.to_markdown(derivation).partition("**Source:**")[0]


def prose(derivation):
    yield derivation.statement
    yield from (symbol.meaning for symbol in derivation.symbols)
    for step in derivation.steps:
        yield step.text
        yield from (check.name for check in step.checks)
    yield from (check.name for check in derivation.checks)


@pytest.mark.parametrize("name", derivations.names())
def test_no_name_in_ascii_is_left_beside_symbols(name):
    """In no prose of any derivation, in none of the three forms; brackets close."""
    derivation = derivations.derive(name)
    for text in prose(derivation):
        words = "".join(part for is_formula, part in typesetting.parts(text) if not is_formula)
        assert not re.search(rf"{GREEK}|\^|\b[A-Za-z]_[\w+]|<=|>=", words), words
        for formula in formulas(text):
            latex = typesetting.to_latex(formula)
            assert not re.search(r"(?<![\\A-Za-z])(beta|gamma|sigma|lambda|sqrt)", latex)
            assert latex.count("{") == latex.count("}"), latex
    without_formulas = re.sub(r"\$\$.*?\$\$|\$[^$]*\$", "", page(derivation), flags=re.DOTALL)
    assert not re.search(rf"{GREEK}|\\_|\\\^", without_formulas)
    shown = report.to_text(derivation)
    for text in prose(derivation):
        for formula in formulas(text):
            assert not re.search(GREEK, typesetting.to_unicode(formula))
            assert typesetting.to_unicode(formula).split()[0] in shown


@pytest.mark.parametrize("name", derivations.names())
def test_every_formula_of_a_page_becomes_mathml(name):
    """Without a command that the converter does not know, which it would show as text."""
    converter = pytest.importorskip("latex2mathml.converter", reason="needs the extra [docs]")
    found = re.findall(
        r"\$\$(.+?)\$\$|\$([^$]+)\$", page(derivations.derive(name)), flags=re.DOTALL
    )
    assert found
    for formula in map("".join, found):
        shown = re.sub(r"<[^>]*>", "", converter.convert(formula))
        assert "\\" not in shown, formula


def test_other_derivations_are_links():
    linked = report.to_markdown(derivations.derive("antipodal"), derivations.names())
    assert "(derivation [dedicated-output](dedicated-output.md))" in linked
