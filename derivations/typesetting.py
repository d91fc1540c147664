"""Mathematics within prose: found in the plain text of derivations, set like displayed formulas.

The prose of derivations is plain text, ``"r_c(p) ~ p, since b_1 = c beta"``.  Here its formulas
are told from its words, and become LaTeX or Unicode.  A formula is a run of names, numbers,
brackets and operators; a single letter counts if it is no article, a number alone does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import sympy
from sympy.printing.pretty.pretty_symbology import pretty_symbol

_GREEK = "alpha|beta|gamma|eta|sigma|lambda|rho|mu|theta"
_FUNCTIONS = r"ReLU|diag|(?:sqrt|max|min)(?=[({])|sum(?=_)"
_NAME = rf"(?:{_FUNCTIONS}|{_GREEK}|pivot(?=_)|[A-Za-z])"
_PRIME = r"(?:'(?!s\b))?"
_SLOPE = r"d[A-Z](?:_[a-z])?/d[a-z](?:_[a-z])?"
_ENDS = r"(?![A-Za-z_]|'(?!s\b)[a-z])"
_INDEX = rf"(?:\+|(?:{_GREEK}|[a-z]{{1,2}}|\d+)(?![a-z]))"
_TOKEN = re.compile(
    "|".join(
        (
            r"(?P<quoted>'[a-z]+(?:-[a-z]+)*'(?![a-z]))",
            rf"(?P<name>{_SLOPE}|{_NAME}{_PRIME}(?:_{_INDEX})?{_ENDS}|Mw)",
            r"(?P<word>'s\b|derivations/\S+|[A-Za-z]+(?:[-/][a-z]+)+(?:'s)?)",
            r"(?P<number>\d+(?:\.\d+)?m?)",
            r"(?P<operator>\.\.\.|<=|>=|\+-|-\+| \. (?=[A-Z]_)|(?<=[a-z])\.(?=[(x]|Mw)"
            r"|[-+*/^=<>|~!])",
            r"(?P<open>[(\[{])",
            r"(?P<close>[)\]}](?:_\+)?)",
            r"(?P<comma>, ?)",
            r"(?P<space> +)",
            r"(?P<other>[A-Za-z]+(?:'[a-z]+)?|.)",
        )
    ),
    re.DOTALL,
)
_ATOMS = ("name", "number")
_AFTER_ARTICLE = re.compile(r" (?!(?:and|or|is|to|in|are|with)\b)(?:[a-z]{2,}|ReLU)")
_OPENING = ("-", "+-", "|")  # operators that a formula may begin with


_Setter = Callable[[str, str, str], str]  # of a letter or function, its prime, its index


class _Token(NamedTuple):
    kind: str
    text: str


def parts(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the text part by part: whether it is a formula, and what it is.

    Parameters
    ----------
    text : str
        Plain text, as `Step.text`.
    """
    tokens = [_Token(str(m.lastgroup), m.group()) for m in _TOKEN.finditer(text)]
    words = ""
    start = 0
    while start < len(tokens):
        stop = _end_of_formula(tokens, start)
        if stop is None:
            words += tokens[start].text
            start += 1
            continue
        if words:
            yield False, words
            words = ""
        yield True, "".join(token.text for token in tokens[start:stop])
        start = stop
    if words:
        yield False, words


def _end_of_formula(tokens: Sequence[_Token], start: int) -> int | None:
    """Return where the formula that begins at a token ends, None if none does."""
    kind, text = tokens[start]
    begins = kind in (*_ATOMS, "open") or text in _OPENING
    if not begins or _is_article(tokens, start):
        return None
    depth: list[str] = []
    end = None
    for index in range(start, len(tokens)):
        kind, text = tokens[index]
        if kind == "open":
            depth.append(text)
        elif kind == "close":
            if not depth:
                break
            depth.pop()
        elif (
            kind in ("word", "quoted", "other")
            or _is_article(tokens, index)
            or (kind == "comma" and not depth)
        ):
            break
        if not depth and (kind in (*_ATOMS, "close") or text in ("!", "...", "|")):
            end = index + 1
    return end if end is not None and _is_formula(tokens[start:end]) else None


def _is_article(tokens: Sequence[_Token], index: int) -> bool:
    """Whether a letter a is the word."""
    if tokens[index].text not in ("a", "A"):
        return False
    spaced = index > 1 and tokens[index - 1].kind == "space"
    before, kind = (tokens[index - 2].text, tokens[index - 2].kind) if spaced else (".", "")
    if tokens[index].text == "A" and before != ".":
        return False
    following = "".join(token.text for token in tokens[index + 1 : index + 4])
    return kind != "operator" and _AFTER_ARTICLE.match(following) is not None


def _is_formula(tokens: Sequence[_Token]) -> bool:
    """Whether a run is more than a number, a lone operator, or words in brackets."""
    kinds = [token.kind for token in tokens]
    joined = "".join(token.text for token in tokens)
    if joined.count("|") % 2:
        return False
    if "name" in kinds:
        return True
    return (kinds.count("number") > 1 and kinds[0] != "operator") or joined.startswith("+-")


def to_latex(formula: str) -> str:
    """Return the LaTeX of a formula in plain text."""
    formula = re.sub(r"sqrt\(((?:[^()]|\([^()]*\))*)\)", r"sqrt{\1}", formula)
    formula = re.sub(r"\^\(((?:[^()]|\([^()]*\))*)\)", r"^{\1}", formula)
    formula = re.sub(r"\^(-?\w+)", r"^{\1}", formula)
    formula = re.sub(rf"{_SLOPE}|Mw", lambda m: re.sub(r"([dM])(\w)", r"\1 \2", m[0]), formula)
    if formula.startswith("min{"):
        formula = r"\min\{" + formula[4:-1] + r"\}"
    return _each_name(formula, _latex_name, _LATEX_OPERATORS)


def to_unicode(formula: str) -> str:
    """Return a formula in plain text with the names that terminals show for its symbols."""
    formula = re.sub(r"\^(-?\d+)(?!\w)", lambda m: m[1].translate(_SUPERSCRIPTS), formula)
    return _each_name(formula, _unicode_name, _UNICODE_OPERATORS)


_LATEX_OPERATORS = {
    "...": r"\dots ", "<=": r"\le ", ">=": r"\ge ", "+-": r"\pm ", "-+": r"\mp ", "~": r"\sim ",
    " . ": r" \cdot ", ".": r" \cdot ", "*": r" \cdot ",
}  # fmt: skip
_UNICODE_OPERATORS = {
    "...": "…", "<=": "≤", ">=": "≥", "+-": "±", "-+": "∓", " . ": " · ", ".": "·",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PIECE = re.compile(
    rf"(?P<name>(?<![A-Za-z\\]){_NAME}'?(?:_{_INDEX})?(?![A-Za-z_]))|(?P<bracket>[)\]]_\+)"
    r"|(?P<number>\d+\.\d+)|(?P<operator>\.\.\.|<=|>=|\+-|-\+| \. |[.~*])"
)


def _each_name(
    formula: str, name: Callable[[str, str, str], str], operators: dict[str, str]
) -> str:
    """Return a formula with its names and operators replaced."""

    def replaced(found: re.Match[str]) -> str:
        text = found.group()
        if found["operator"]:
            return operators.get(text, text)
        if found["number"]:
            return text
        if found["bracket"]:
            return text[0] + name("", "", "+")
        base, _, index = text.partition("_")
        prime = "'" if base.endswith("'") else ""
        return name(base.removesuffix("'"), prime, index)

    return _PIECE.sub(replaced, formula)


def _latex_name(base: str, prime: str, index: str) -> str:
    if base in ("ReLU", "diag", "pivot"):
        base = rf"\mathrm{{{base}}}"
    elif base in ("sqrt", "max", "min", "sum") or re.fullmatch(_GREEK, base):
        base = rf"\{base}" + ("" if base == "sqrt" else " ")
    if re.fullmatch(_GREEK, index):
        index = rf"\{index}"
    return base.rstrip() + prime + (f"_{{{index}}}" if index else " " if base[-1:] == " " else "")


def _unicode_name(base: str, prime: str, index: str) -> str:
    if len(base) != 1 and not re.fullmatch(_GREEK, base):  # a function, or a bracket
        return f"{base}{'₊' if index == '+' else f'_{index}' if index else ''}"
    if index == "+":
        return f"{_shown(base)}{prime}₊"
    return _shown(f"{base}_{index}" if index else base) + prime


def _shown(name: str) -> str:
    return str(pretty_symbol(str(sympy.Symbol(name))))
