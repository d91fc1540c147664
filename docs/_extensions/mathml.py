"""Mathematics as MathML, written when the guide is built: pages need no script and no network.

Brackets only grow with what they hold in a font for mathematics, so STIX Two Math goes with the
pages, from the package ziamath.
"""

from __future__ import annotations

import re
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

_FONT = "STIXTwoMath-Regular.ttf"


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    self.body.append(_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_displayed(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a displayed formula; a wide one scrolls."""
    self.body.append(f'<div class="math">{_mathml(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode


def _mathml(formula: str, display: str) -> str:
    return convert(_upright_words(formula), display=display)


def _upright_words(formula: str) -> str:
    """Set words in indices upright, such as "none" in l_{o,none}: they are no products."""
    return re.sub(
        r"_\{[^{}]*\}",
        lambda index: re.sub(r"(?<!\\)\b[a-z]{3,}\b", r"\\mathrm{\g<0>}", index.group()),
        formula,
    )


def add_font(app: Sphinx, error: Exception | None) -> None:
    """Put the font where `guide.css` looks for it."""
    static = Path(app.outdir) / "_static"
    if error is None and static.exists():
        with as_file(files("ziamath.fonts") / _FONT) as font:
            shutil.copyfile(font, static / _FONT)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Offer the renderer to `html_math_renderer`."""
    app.connect("build-finished", add_font)
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_displayed, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
