"""Derivations as text, as LaTeX and as Markdown, and the table of their checks."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

import sympy
from sympy.printing.latex import latex, multiline_latex

from derivations import typesetting
from derivations.derivation import Check, CheckResult, Derivation, Step

_WIDTH = 96
_LONG_LATEX = 110
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def to_text(derivation: Derivation) -> str:
    """Return a derivation as a readable chain of steps, in Unicode."""
    parts = [_headline(derivation.title), _wrap(_shown(derivation.statement))]
    parts.append("\n".join(_symbol_lines(derivation)))
    for number, step in enumerate(derivation.steps, start=1):
        parts.append(_wrap(f"{number}. {_shown(step.text)}", indent="   "))
        parts.extend(_pretty(formula) for formula in step.formulas)
        parts.append(_checked_lines(step.checks))
    parts.append("Result")
    parts.extend(_pretty(formula) for formula in derivation.result)
    if derivation.checks:
        parts.append(_checked_lines(derivation.checks))
    parts.append(_wrap(f"Source: {derivation.source}"))
    return "\n\n".join(parts)


def to_latex(derivation: Derivation) -> str:
    """Return a derivation as a complete LaTeX document."""
    body = [
        r"\documentclass[a4paper]{article}",
        r"\usepackage[T1]{fontenc}",
        r"\usepackage{amsmath,amssymb}",
        r"\usepackage[margin=20mm]{geometry}",
        r"\allowdisplaybreaks",
        rf"\title{{{_escape(derivation.title)}}}",
        r"\author{}\date{}",
        r"\begin{document}",
        r"\maketitle",
        _prose(derivation.statement),
        r"\section*{Symbols}",
        r"\begin{description}",
        *(rf"\item[${latex(s.symbol)}$] {_prose(s.meaning)}" for s in derivation.symbols),
        r"\end{description}",
        r"\section*{Steps}",
        r"\begin{enumerate}",
        *(_latex_step(step) for step in derivation.steps),
        r"\end{enumerate}",
        r"\section*{Result}",
        *(_display(formula) for formula in derivation.result),
        _checked(derivation.checks),
        rf"\paragraph{{Source}} {_escape(derivation.source)}",
        r"\end{document}",
    ]
    return "\n".join(part for part in body if part)


def to_markdown(derivation: Derivation, names: Sequence[str] = ()) -> str:
    """Return a derivation as a page of Markdown with LaTeX between dollars.

    Parameters
    ----------
    derivation : Derivation
    names : sequence of str
        Of derivations that have a page beside this one, to be linked to.
    """
    parts = [
        f"# {_plain(derivation.title)}",
        _marked(derivation.statement),
        "## Symbols",
        "\n".join(f"- ${latex(s.symbol)}$: {_marked(s.meaning)}" for s in derivation.symbols),
        "## Steps",
        *(_markdown_step(number, step) for number, step in enumerate(derivation.steps, start=1)),
        "## Result",
        *map(_dollars, derivation.result),
        *_markdown_checks(derivation.checks),
        f"**Source:** {_plain(derivation.source)}",
    ]
    return _linked("\n\n".join(parts), names) + "\n"


def check_lines(derivation: str, results: Sequence[CheckResult]) -> str:
    """Return the checks of one derivation, a line each under its name."""
    lines = [derivation]
    for result in results:
        mark = "pass" if result.passed else "FAIL"
        lines.append(f"  {mark}  {result.name}  [{result.detail}; {result.seconds:.2f} s]")
    return "\n".join(lines)


def summary(results: Sequence[CheckResult]) -> str:
    """Return how many checks passed, and name those that did not."""
    failed = [f"{result.derivation}, {result.name}" for result in results if not result.passed]
    seconds = sum(result.seconds for result in results)
    line = f"{len(results) - len(failed)} of {len(results)} checks passed in {seconds:.1f} s"
    return "\n".join([line, *(f"failed: {name}" for name in failed)])


def _headline(title: str) -> str:
    return f"{title}\n{'=' * len(title)}"


def _wrap(text: str, indent: str = "") -> str:
    return textwrap.fill(text, _WIDTH, subsequent_indent=indent)


def _symbol_lines(derivation: Derivation) -> list[str]:
    names = [sympy.pretty(s.symbol, use_unicode=True) for s in derivation.symbols]
    width = max(map(len, names), default=0)
    return [
        textwrap.fill(
            f"   {name:<{width}}  {_shown(s.meaning)}", _WIDTH, subsequent_indent=" " * (width + 5)
        )
        for name, s in zip(names, derivation.symbols, strict=True)
    ]


def _pretty(formula: sympy.Basic) -> str:
    drawn = _draw(formula)
    if _columns(drawn) > _WIDTH and isinstance(formula, sympy.Eq) and formula.rhs.is_Add:
        drawn = "\n\n".join(_broken_sum(formula))
    return textwrap.indent(drawn, "      ")


def _draw(formula: sympy.Basic) -> str:
    return str(sympy.pretty(formula, use_unicode=True, order="none", wrap_line=False))


def _checked_lines(checks: Sequence[Check]) -> str:
    return "\n".join(_wrap(f"   checked: {_shown(check.name)}", "   ") for check in checks)


def _columns(drawn: str) -> int:
    return max(map(len, drawn.splitlines()))


def _broken_sum(formula: sympy.Eq) -> Iterator[str]:
    """Draw lhs = a + b + ... over several lines, as many terms on each as fit."""

    def drawn(terms: list[sympy.Expr], first: bool) -> str:
        continued = terms if first else [sympy.Symbol("…"), *terms]
        total = sympy.Add(*continued, evaluate=False)
        return _draw(sympy.Eq(formula.lhs, total, evaluate=False) if first else total)

    line: list[sympy.Expr] = []
    first = True
    for term in formula.rhs.as_ordered_terms():
        if line and _columns(drawn([*line, term], first)) > _WIDTH:
            yield drawn(line, first)
            line, first = [], False
        line.append(term)
    yield drawn(line, first)


def _escape(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text)


def _latex_step(step: Step) -> str:
    return "\n".join(
        [rf"\item {_prose(step.text)}", *map(_display, step.formulas), _checked(step.checks)]
    )


def _display(formula: sympy.Basic) -> str:
    """Return a displayed formula; a long sum is broken over lines."""
    drawn = latex(formula)
    if len(drawn) <= _LONG_LATEX or not isinstance(formula, sympy.Eq) or not formula.rhs.is_Add:
        return f"\\[\n{drawn}\n\\]"
    terms = [len(latex(term)) for term in formula.rhs.as_ordered_terms()]
    return multiline_latex(formula.lhs, formula.rhs, 1 if max(terms) > _LONG_LATEX / 2 else 2)


def _markdown_step(number: int, step: Step) -> str:
    mark = f"{number}. "
    parts = [_marked(step.text), *map(_dollars, step.formulas), *_markdown_checks(step.checks)]
    return mark + textwrap.indent("\n\n".join(parts), " " * len(mark)).lstrip()


def _markdown_checks(checks: Sequence[Check]) -> list[str]:
    return [f"*Checked:* {_marked('; '.join(check.name for check in checks))}."] if checks else []


def _dollars(formula: sympy.Basic) -> str:
    r"""Return a displayed formula between dollars instead of \[ and \]."""
    displayed = _display(formula)
    return "$$\n" + displayed.removeprefix("\\[").removesuffix("\\]").strip() + "\n$$"


def _shown(text: str) -> str:
    """Return prose as terminals show it, its names like those of the formulas."""
    return "".join(
        typesetting.to_unicode(part) if is_formula else part
        for is_formula, part in typesetting.parts(text)
    )


def _prose(text: str) -> str:
    """Return prose in LaTeX."""
    return "".join(
        f"${typesetting.to_latex(part)}$" if is_formula else _escape(part)
        for is_formula, part in typesetting.parts(text)
    )


def _marked(text: str) -> str:
    """Return prose in Markdown, its formulas between dollars."""
    return "".join(
        f"${typesetting.to_latex(part).strip()}$" if is_formula else _plain(part)
        for is_formula, part in typesetting.parts(text)
    )


def _linked(page: str, names: Sequence[str]) -> str:
    """Turn quoted names of other derivations into links to their pages."""
    for name in names:
        page = page.replace(f"'{name}'", f"[{name}]({name}.md)")
    return page


def _plain(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|$~])", r"\\\1", text)


def _checked(checks: Sequence[Check]) -> str:
    if not checks:
        return ""
    return r"\emph{Checked:} " + _prose("; ".join(check.name for check in checks)) + "."
