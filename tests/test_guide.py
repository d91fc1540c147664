"""Every Python block of the guide and of the README runs, and shows what it says."""

from __future__ import annotations

import doctest
import functools
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import phasediagram as phd
from phasediagram.atlas import diagram
from phasediagram.boundaries.tracing import phase_boundaries
from phasediagram.cli import _parser

ROOT = Path(__file__).parent.parent
PAGES = [path for path in sorted((ROOT / "docs").glob("*.md")) if "```python" in path.read_text()]


def python_blocks(path):
    """The fenced Python blocks of a page, each as its first line's number and its text."""
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield text[: match.start(1)].count("\n"), match.group(1)


def run(path, names):
    """Run the blocks of a page one after the other, prompts with the output that is shown."""
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    for line, block in python_blocks(path):
        if ">>>" in block:
            test = parser.get_doctest(block, names, path.name, str(path), line)
            report = []
            runner.run(test, out=report.append, clear_globs=False)
            assert not report, "".join(report)
            names.update(test.globs)
        else:
            exec(compile("\n" * line + block, str(path), "exec"), names)


@functools.cache
def boundaries(n_features, n_hidden):
    """Without spinodals, and traced once for all pages: it takes seconds."""
    return phase_boundaries(n_features, n_hidden, spinodals=False)


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        phd,
        "phase_boundaries",
        lambda n_features=2, n_hidden=1, spinodals=False, **axes: (
            phase_boundaries(spinodals=False, **axes) if axes else boundaries(n_features, n_hidden)
        ),
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_blocks_of_a_page_of_the_guide(page):
    run(page, {"__name__": "__main__"})


def test_the_block_of_the_readme(monkeypatch):
    """On a grid of 8 x 8 points, and with short training."""
    train, basin_probabilities = phd.train, phd.basin_probabilities
    monkeypatch.setattr(diagram, "GRID_POINTS", 8)
    monkeypatch.setattr(phd, "train", lambda *a, **k: train(*a, **k, steps=200))
    monkeypatch.setattr(
        phd, "basin_probabilities", lambda *a: basin_probabilities(*a, runs=4, steps=200)
    )
    names = {}
    run(ROOT / "README.md", names)
    assert names["solution"].phase == "triangle"
    assert len(names["boundaries"].special_points) == 7
    assert names["loss"] == pytest.approx(0.12)
    assert np.isfinite(names["dW"]).all()


EVERY_PAGE = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TIMES = re.compile(r"\d (s|ms|µs|seconds|minutes)\b(?! a point, before)")


def commands(path):
    """The commands of a page: lines of its shell blocks, and code within its text."""
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    joined = [re.sub(r"\\\n\s*", " ", block) for block in blocks]
    lines = [line for block in joined for line in block.splitlines()]
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [command.partition("#")[0].strip() for command in [*lines, *inline]]


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda path: path.stem)
def test_every_command_of_a_page_can_be_given(page):
    """Verbs and options exist, and so do scripts and derivations."""
    from derivations import names

    (verbs,) = (action.choices for action in _parser()._actions if isinstance(action.choices, dict))
    for command in commands(page):
        words = shlex.split(command.partition(">")[0].partition("|")[0])
        if words[:1] == ["phasediagram"] and len(words) == 2:  # a verb is spoken of
            assert words[1] in (*verbs, "--help", "--version"), command
        elif words[:1] == ["phasediagram"] and len(words) > 2:
            options = _parser().parse_args(words[1:])
            assert options.verb != "derive" or options.name in (*names(), None), command
        if words[:1] in (["python"], ["python3"]) and words[1:] and words[1].endswith(".py"):
            assert (ROOT / words[1]).exists(), command


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda path: path.stem)
def test_a_page_with_times_names_what_measures_them(page):
    if TIMES.search(page.read_text(encoding="utf-8")):
        given = " ".join(commands(page))
        scripts = r"(benchmarks|docs)/\w+\.py"
        assert re.search(rf"{scripts}|phasediagram (train|draw|certif|explore)", given)
