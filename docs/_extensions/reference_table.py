"""The table of public names: every name that a page of the reference documents, with one line."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the test suite reads first lines where there is no sphinx
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

_MARK = "<!-- the table of public names -->"
_DOCUMENTED = re.compile(r"^\.\. auto(function|class):: (\S+)$", re.MULTILINE)
_PAGES = re.compile(r"^reference/\w+$", re.MULTILINE)
_ROLES = {"function": "func", "class": "class"}


def add_table(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the table where the page of the reference asks for it."""
    if docname == "api" and _MARK in source[0]:
        pages = _PAGES.findall(source[0])
        tables = (_table(Path(app.srcdir), page) for page in pages)
        source[0] = source[0].replace(_MARK, "\n\n".join(tables))


def _table(sources: Path, page: str) -> str:
    text = (sources / f"{page}.md").read_text(encoding="utf-8")
    title = text.split("\n", 1)[0].removeprefix("# ")
    rows = "\n".join(f"| {name} | {line} |" for name, line in rows_of(text))
    return f"## [{title}]({page}.md)\n\n| name | what it is |\n|---|---|\n{rows}"


def rows_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield a link to each name that a page documents, and the first line of its docstring."""
    for kind, name in _DOCUMENTED.findall(text):
        short = name.removeprefix("phasediagram.")
        yield f"{{py:{_ROLES[kind]}}}`{short} <{name}>`", first_line(name)


def first_line(name: str) -> str:
    """Return the first line of the docstring of a name, as Markdown."""
    module, _, attribute = name.rpartition(".")
    documented = inspect.getdoc(getattr(import_module(module), attribute)) or ""
    line = documented.split("\n\n", 1)[0].replace("\n", " ")
    return line.replace("``", "`").replace("|", "\\|").replace("*", "\\*")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Look at sources as they are read."""
    app.connect("source-read", add_table)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
