"""A page for each derivation, written anew at every build from `derivations/`."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from derivations import all_derivations
from derivations.report import to_markdown

_INDEX = """\
# Derivations

Every closed form of the package, derived in `derivations/` with sympy, in the order in which
they build on each other. Each step names the checks that hold it, exact ones in every cell of
the piecewise loss where that is possible, else by quadrature. These pages are written by the
derivations themselves when the guide is built;

```bash
phasediagram derive antipodal          # one of them, as text
phasediagram derive antipodal --latex  # as a LaTeX document
phasediagram verify                    # run every check of every derivation
```

A positive part is written as $(z)_+ = \\max(z, 0)$.

```{{toctree}}
:maxdepth: 1

{names}
```
"""


def write_pages(app: Sphinx) -> None:
    """Write pages that are new or have changed."""
    directory = Path(app.srcdir) / "derivations"
    directory.mkdir(exist_ok=True)
    derivations = all_derivations()
    names = [derivation.name for derivation in derivations]
    pages = {derivation.name: to_markdown(derivation, names) for derivation in derivations}
    pages["index"] = _INDEX.format(names="\n".join(pages))
    for name, text in pages.items():
        path = directory / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Write the pages before the sources are read."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
