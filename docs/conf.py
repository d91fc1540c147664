"""The user's guide: how Sphinx builds it.

python -m sphinx -W --keep-going -n docs build/guide
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))
sys.path.insert(0, str(HERE.parent))  # a copy that is not installed has the derivations too

import phasediagram  # noqa: E402

project = "phasediagram"
author = "The phasediagram authors"
copyright = author
version = release = phasediagram.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "derivation_pages",
    "mathml",
    "quiet_references",
    "reference_table",
]
exclude_patterns = ["_extensions"]

myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # the docstrings give types, with shapes
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # `api.md` says which
default_role = "py:obj"

html_theme = "furo"
html_title = f"phasediagram {release}"
html_static_path = ["_static"]
html_css_files = ["guide.css"]
html_math_renderer = "mathml"
html_copy_source = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
