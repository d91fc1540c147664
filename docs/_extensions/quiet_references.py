"""Names in single backticks link to what the guide documents; others are just set as code.

Docstrings name arguments, attributes and internal modules in this way.  References with an
explicit role, as the pages of the guide use, must still resolve.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata


def set_as_code(
    _app: Sphinx, _env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.TextElement | None:
    """Return the text of an unresolved name of the default role."""
    return content if node.get("reftype") == "obj" else None


def setup(app: Sphinx) -> ExtensionMetadata:
    """Look at references that nothing else has resolved."""
    app.connect("missing-reference", set_as_code, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
