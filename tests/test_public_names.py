"""Public names: listed in the guide, documented, and typed for those who use them."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import phasediagram as phd
from phasediagram import closed_forms, explorer, plotting

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs" / "reference").glob("*.md"))
API = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (phd, plotting, closed_forms)
    for name in module.__all__
    if name != "__version__"
}
FUNCTIONS = {name: value for name, value in PUBLIC.items() if inspect.isfunction(value)}


@pytest.mark.parametrize("name", PUBLIC)
def test_the_reference_lists_every_public_name(name):
    documented = rf"auto(function|class):: {re.escape(name)}$"
    constant = rf"py:data:: {name.rpartition('.')[2]}$"
    assert re.search(documented, API, re.MULTILINE) or re.search(constant, API, re.MULTILINE)


@pytest.mark.parametrize("name", re.findall(r"autofunction:: (phasediagram\.\S+)", API))
def test_the_reference_lists_nothing_else(name):
    listed_there = ("phasediagram.naming.", "phasediagram.explorer.")
    assert name in PUBLIC or name.startswith(listed_there)


def test_the_page_of_the_reference_leads_to_all_its_pages():
    index = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^reference/(\w+)$", index, re.MULTILINE)) == [p.stem for p in PAGES]


@pytest.mark.parametrize("name", re.findall(r"auto(?:function|class):: (phasediagram\.\S+)", API))
def test_the_first_line_of_a_docstring_says_what_it_is(name):
    """In the table of public names: one sentence, and no markup that is left over."""
    sys.path.insert(0, str(ROOT / "docs" / "_extensions"))
    from reference_table import first_line

    line = first_line(name)
    assert line.endswith((".", ":")) or "." in line
    assert "``" not in line
    assert 8 < len(line) < 160


@pytest.mark.parametrize("name", explorer.__all__)
def test_the_reference_lists_the_explorer(name):
    assert re.search(rf"auto(function|class):: phasediagram\.explorer\.{name}$", API, re.MULTILINE)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_docstring_is_a_contract(name):
    """It says what comes back, describes every parameter, and has an example that runs."""
    function = FUNCTIONS[name]
    text = inspect.getdoc(function)
    if inspect.signature(function).return_annotation != "None":
        assert re.search(r"^(Returns|Yields)\n---", text, re.MULTILINE)
    if name.startswith("phasediagram.closed_forms."):
        assert "Source: derivation" in text
    else:
        assert ">>>" in text
    if not text.partition("Parameters are those of")[1]:
        for parameter in inspect.signature(function).parameters:
            assert re.search(rf"^(\w+, )*{parameter}(, \w+)* : ", text, re.MULTILINE), parameter


@pytest.mark.parametrize(
    "name",
    [n for n in plotting.__all__ if n.startswith("plot_")],
)
def test_what_draws_into_axes_can_make_them(name):
    parameter = inspect.signature(getattr(plotting, name)).parameters["ax"]
    assert parameter.default is None
    assert inspect.signature(getattr(plotting, name)).return_annotation == "Axes"


USER_SCRIPT = """
import numpy as np

import phasediagram as phd
from phasediagram.plotting import paper_figure, plot_phases, save_figure

loss, dW, db = phd.expected_loss_and_gradient(np.ones((1, 2)), [0.0, 0.0], 0.5)
reveal_type(dW)
solution = phd.solve(0.5, 1.0)
reveal_type(solution.minima[0].loss)
diagram = phd.phase_diagram([0.5, 0.2], [1.0, 2.0])
reveal_type(diagram.shares())
reveal_type(phd.load("file.npz", phd.PhaseDiagram))
reveal_type(phd.phase_boundaries().special_points[0].kind)
reveal_type(phd.compare_weights(dW[None], db[None], 0.5, 1.0).optimal)
with paper_figure() as figure:
    reveal_type(plot_phases(diagram, figure.add_subplot()))
save_figure(figure, "figure.pdf")
"""
REVEALED = [
    "float",
    "dict[str, float]",
    "phasediagram.results.grids.PhaseDiagram",
    "str",
    "bool",
    "matplotlib.axes._axes.Axes",
]


def test_a_users_script_is_typed_completely(tmp_path):
    """mypy --strict finds the types of the public names, none of them Any."""
    pytest.importorskip("mypy")
    script = tmp_path / "script.py"
    script.write_text(USER_SCRIPT)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", script],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    array, *others = re.findall(r'Revealed type is "(.*)"', done.stdout)
    assert re.fullmatch(r"numpy\.ndarray\[.*numpy\.dtype\[numpy\.float.*", array)
    assert [name.replace("builtins.", "") for name in others] == REVEALED


@pytest.mark.parametrize(
    ("words", "page"),
    [
        (("pentagon",), "gallery"),
        (("correlated",), "assumptions"),
        (("weight", "decay"), "assumptions"),
        (("bias",), "assumptions"),
        (("limits",), "limits"),
    ],
)
def test_a_search_of_the_guide_finds_an_answer(words, page):
    """In the index that the built guide searches, whose terms are stems of words."""
    built = ROOT / "build" / "guide" / "searchindex.js"
    if not built.exists():
        pytest.skip("needs the guide, python -m sphinx docs build/guide")
    index = json.loads(re.fullmatch(r"Search\.setIndex\((.*)\)", built.read_text(), re.DOTALL)[1])
    for word in words:
        found = set()
        for terms in (index["terms"], index["titleterms"]):
            for stem, pages in terms.items():
                if word.startswith(stem) and len(stem) >= min(len(word), 4):
                    found |= {pages} if isinstance(pages, int) else set(pages)
        assert page in {index["docnames"][number] for number in found}, word
