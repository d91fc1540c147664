"""Every Python block of the guide and of the README runs, and shows what it says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import numpy as np
import pytest

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


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_blocks_of_a_page_of_the_guide(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(page, {"__name__": "guide"})


def test_the_block_of_the_readme(tmp_path, monkeypatch):
    """On a grid of 8 x 8 points, without spinodals and with short training."""
    import phasediagram as phd
    from phasediagram import diagram

    full = phd.phase_boundaries, phd.train, phd.basin_probabilities
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(diagram, "GRID_POINTS", 8)
    monkeypatch.setattr(phd, "phase_boundaries", lambda **k: full[0](**k, spinodals=False))
    monkeypatch.setattr(phd, "train", lambda *a, **k: full[1](*a, **k, steps=200))
    monkeypatch.setattr(
        phd, "basin_probabilities", lambda *a, **k: full[2](*a, **k, runs=4, steps=200)
    )
    names = {}
    run(ROOT / "README.md", names)
    assert names["solution"].phase == "triangle"
    assert len(names["boundaries"].special_points) == 7
    assert names["loss"] == pytest.approx(0.12)
    assert np.isfinite(names["dW"]).all()
