"""Every script in `examples/` runs, small, and writes and prints what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
ARGUMENTS = {
    "boundary_table": [],
    "branch_losses": ["--grid", "24"],
    "canonical_and_free": ["--grid", "16", "--no-boundaries"],
    "correlated": ["--grid", "8"],
    "five_features": ["--densities", "1", "0.8", "0.2"],
    "linear": ["--grid", "12"],
    "no_bias": ["--grid", "12"],
    "occhio_networks": ["--grid", "6", "--points", "2", "--networks", "2", "--steps", "300"],
    "own_networks": ["--grid", "3", "--steps", "4000"],
    "own_training_loop": ["--steps", "1500"],
    "penalty": ["--grid", "12", "--no-boundaries"],
    "pentagon": ["--grid", "4", "--quick"],
    "phase_weights": ["--phases", "triangle", "antipodal"],
    "superposition": ["--grid", "16", "--no-boundaries"],
    "three_features": ["--grid", "16", "--no-boundaries"],
    "trained_points": ["--grid", "3", "--steps", "2000"],
    "two_features": ["--grid", "16", "--no-boundaries"],
    "unequal_densities": ["--grid", "8", "--no-boundaries"],
}
OF_A_PAGE = (
    "canonical_and_free",
    "correlated",
    "five_features",
    "linear",
    "no_bias",
    "occhio_networks",
    "penalty",
    "pentagon",
    "phase_weights",
    "three_features",
    "unequal_densities",
)
WIDTHS = dict.fromkeys(OF_A_PAGE, 7.0)
PRINTED = {
    "boundary_table": r"tricritical point & 0\.520248 & 0\.574042 & ignored, partial \\\\",
    "branch_losses": r"ignored then partial: a minimum for r from 0\.550 to 0\.7",
    "canonical_and_free": r"hand-picked weights cost up to (1\d|20)\.\d % more loss",
    "correlated": r"scalene-quadrilateral \| aligned-others-aligned at p = 0\.25787067\d+",
    "five_features": r"p = 1\.0: loss 0\.1829250000, 2 features(.|\n)*p = 0\.2: .* 4 features",
    "linear": r"linear: \{'ignored': 0.5, 'dedicated': 0.5\}\nrelu: \{'ignored': 0\.1",
    "no_bias": r"antipodal \| aligned at p = 0\.582171405\d, r = 1",
    "occhio_networks": r"independent: 8 networks(.|\n)*correlated: 8 (.|\n)*hierarchical: 8 ",
    "own_networks": r"lead to ignored, median excess loss 0\.00%",
    "own_training_loop": r"never below it:\nTrue",
    "penalty": r"0\.2  0\.0375539\d  1\n(.|\n)* 0\.6  0\.0184030\d  2\n",
    "pentagon": r"ignored-others-2-antipodal \| pentagon at 0\.26908115\d\d",
    "phase_weights": r"triangle\nantipodal",
    "superposition": r"in superposition at (39|4\d)% of the points",
    "three_features": r"'ignored': 0\.1\d+, 'antipodal': 0\.\d+, 'others-antipodal'",
    "trained_points": r"lowest excess over theory: (-\d\.\d+e-1[5-9]|\d)",
    "two_features": r"'ignored': 0\.\d+, 'dedicated': 0\.\d+, 'antipodal': 0\.[78]",
    "unequal_densities": r"half as dense: \{'ignored': 0\.\d+, 'antipodal': 0\.[56]",
}


NEEDS = {"occhio_networks": "occhio"}


def test_every_script_is_tried():
    assert sorted(ARGUMENTS) == sorted(path.stem for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_example(name, tmp_path):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason="needs the extra [interop]")
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py", *ARGUMENTS[name]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert re.search(PRINTED[name], done.stdout), done.stdout
    if name != "boundary_table":
        require_printable(tmp_path / f"{name}.pdf", WIDTHS.get(name, 3.4))
        assert "<svg" in (tmp_path / f"{name}.svg").read_text()[:1000]


def require_printable(path, width):
    """The figure has exactly the width of a column or page, and its fonts within."""
    content = path.read_bytes()
    box = re.search(rb"/MediaBox \[ *0 0 ([\d.]+) ([\d.]+) *\]", content)
    assert float(box[1]) / 72 == pytest.approx(width)
    assert b"/Type3" not in content
    assert b"/FontFile2" in content


@pytest.mark.parametrize("name", sorted(ARGUMENTS.keys() - {"boundary_table"}))
def test_the_guide_has_the_figure(name):
    for suffix in (".pdf", ".svg"):
        assert (EXAMPLES.parent / "docs/gallery" / f"{name}{suffix}").exists()
    gallery = (EXAMPLES.parent / "docs/gallery.md").read_text(encoding="utf-8")
    assert f"../examples/{name}.py" in gallery
