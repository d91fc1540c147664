"""Boundaries for pgfplots: the numbers, and the syntax, compiled where there is a LaTeX."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest

import phasediagram as phd
from phasediagram.files.pgfplots import boundaries_pgfplots

PAIR = re.compile(r"\(([-+.\de]+),([-+.\de]+)\)")


def test_coordinates_are_those_of_the_curves(boundaries):
    text = boundaries_pgfplots(boundaries)
    plots = re.findall(r"\\addplot\[([^]]*)\] coordinates \{\n(.*?)\n\};", text, re.DOTALL)
    assert len(plots) == len(boundaries.boundaries) + len(
        {point.kind for point in boundaries.special_points}
    )
    styles = {(1, "equilibrium"): "first order", (2, "equilibrium"): "continuous"}
    for (style, body), curve in zip(plots, boundaries.boundaries, strict=False):
        assert style == styles.get((curve.order, curve.kind), "spinodal")
        points = np.array(PAIR.findall(body), dtype=float)
        for k, values in enumerate((curve.relative_importance, curve.density)):
            np.testing.assert_allclose(points[[0, -1], k], values[[0, -1]], rtol=1e-11)
        assert len(points) <= len(curve.density)
    special = np.array(
        [
            pair
            for style, body in plots
            if style.startswith("special")
            for pair in PAIR.findall(body)
        ],
        dtype=float,
    )
    expected = [(p.relative_importance, p.density) for p in boundaries.special_points]
    np.testing.assert_allclose(np.sort(special, axis=0), np.sort(expected, axis=0), rtol=1e-11)


def test_braces_and_environments_close(boundaries):
    text = boundaries_pgfplots(boundaries)
    code = "\n".join(line.partition("%")[0] for line in text.splitlines())
    assert code.count("{") == code.count("}")
    assert code.count("[") == code.count("]")
    begun = re.findall(r"\\begin\{(\w+)\}", code)
    assert begun == ["tikzpicture", "loglogaxis"]
    assert re.findall(r"\\end\{(\w+)\}", code) == begun[::-1]


def test_other_axes_have_their_scales_and_names():
    line = phd.Boundary(np.array([0.2, 0.3]), np.array([0.1, 0.4]), ("a", "b_c"), 1, "equilibrium")
    model = phd.ToyModel(2, groups=[phd.correlated(0, 1)])
    boundaries = phd.PhaseBoundaries(
        (line,),
        (),
        2,
        1,
        "free",
        model=model,
        x=phd.Axis("correlation", 0, 1, scale="linear"),
        y=phd.Axis("density", 0.1, 1),
    )
    text = boundaries_pgfplots(boundaries)
    assert "\\begin{semilogyaxis}[phase diagram, xlabel={correlation}" in text
    assert "% a | b\\_c" in text


def test_it_compiles(boundaries, tmp_path):
    if shutil.which("pdflatex") is None or shutil.which("kpsewhich") is None:
        pytest.skip("needs a LaTeX")
    if not subprocess.run(["kpsewhich", "pgfplots.sty"], capture_output=True).stdout:
        pytest.skip("needs pgfplots")
    (tmp_path / "boundaries.tex").write_text(boundaries_pgfplots(boundaries), encoding="utf-8")
    (tmp_path / "main.tex").write_text(
        "\\documentclass{article}\\usepackage{pgfplots}\\pgfplotsset{compat=1.17}"
        "\\begin{document}\\input{boundaries.tex}\\end{document}",
        encoding="utf-8",
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "main.pdf").stat().st_size > 5000
