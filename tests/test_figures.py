"""The command that makes every figure runs, on coarse settings, and writes each that is shown."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import phasediagram as phd

ROOT = Path(__file__).parent.parent
# by docs/make_geometry_figures.py and the like, from groups and training that take half an hour
MADE_ELSEWHERE = {"geometry", "trained_geometry", "training_jumps", "two_classes"}


def test_every_figure_is_made_by_one_command(two, three, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    for n, boundaries in ((2, two), (3, three)):
        phd.save(kept / f"boundaries_{n}_{n - 1}.npz", boundaries)
    done = subprocess.run(
        [
            sys.executable,
            ROOT / "docs/make_figures.py",
            "--coarse",
            "--output",
            tmp_path,
            "--keep",
            kept,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    left_out = set(re.findall(r"left out: (\w+), which needs", done.stdout)) | MADE_ELSEWHERE
    for folder in ("figures", "gallery"):
        made = {path.name for path in (tmp_path / folder).iterdir()}
        shown = {path.name for path in (ROOT / "docs" / folder).iterdir()}
        assert made == {name for name in shown if name.split(".")[0] not in left_out}


def test_every_figure_that_a_page_shows_exists():
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for name in re.findall(r"(?:docs/)?((?:figures|gallery)/\w+\.\w+)", text):
            assert (ROOT / "docs" / name).exists(), (page.name, name)
