"""How the page is written: its parts, its content, the command, and the copy that ships."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from shipped import SHIPPED

import phasediagram as phd
from derivations import page_kernels
from phasediagram.cli import main
from phasediagram.explorer import explorer_page, write_explorer
from phasediagram.explorer import page as page_module
from phasediagram.explorer.curves import RESOLUTION, content
from phasediagram.explorer.page import SOLVER_PARTS, VIEW_PARTS, rendered

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "phasediagram" / "explorer"
LARGEST = 500_000  # bytes


def traced(n=2, m=1, **changes):
    """One line of each kind and one point: only to be written."""
    lines = tuple(
        phd.Boundary(np.array(p), np.array(r), ("ignored", "antipodal"), order, kind)
        for p, r, order, kind in (
            ([0.2, 0.3, 0.5], [0.11, 0.2, 0.55], 1, "equilibrium"),
            ([0.6, 1.0], [0.65, 0.85], 2, "equilibrium"),
            ([0.01, 0.6], [0.1, 10.0], None, "spinodal"),
        )
    )
    point = phd.SpecialPoint(0.52, 0.57, "tricritical point", ("ignored", "</script>&\u2028"))
    return phd.PhaseBoundaries(lines, (point,), n, m, **{"weights": "free", **changes})


def test_the_shipped_page_has_the_present_program(request):
    text = SHIPPED.read_text(encoding="utf-8")
    assert text == rendered(request.getfixturevalue("content"))
    assert len(text.encode()) < LARGEST


def test_the_shipped_page_has_the_special_points_of_both_models(content):
    sizes = [(model["n_features"], model["n_hidden"]) for model in content["models"]]
    assert sizes == [(2, 1), (3, 2)]
    for model in content["models"]:
        kinds = {curve["kind"] for curve in model["curves"]}
        assert kinds == {"first order", "continuous", "spinodal"}
        assert len(model["special_points"]) >= 7


def test_straight_line_code_is_what_the_generator_writes(tmp_path):
    page_kernels.main([str(tmp_path)])
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert set(written) == {"rows_2.js", "rows_3.js", "rows_4.js"}
    for name, text in written.items():
        assert (FOLDER / "solver" / name).read_text(encoding="utf-8") == text


def test_every_part_is_on_the_page():
    solver, view = (
        {path.stem for path in (FOLDER / name).glob("*.js")} for name in ("solver", "view")
    )
    assert (set(SOLVER_PARTS), set(VIEW_PARTS)) == (solver, view)


def test_curves_are_kept_to_their_resolution():
    boundaries = traced()
    curves = content([boundaries])["models"][0]["curves"]
    assert [curve["kind"] for curve in curves] == ["first order", "continuous", "spinodal"]
    for curve, line in zip(curves, boundaries.boundaries, strict=True):
        numbers = np.frombuffer(base64.b64decode(curve["points"]), "<i4").reshape(-1, 2)
        found = 10.0 ** (numbers * RESOLUTION)
        np.testing.assert_allclose(
            found, np.stack([line.density, line.relative_importance], axis=1), rtol=2e-9
        )


def test_names_cannot_break_out_of_the_data():
    text = explorer_page([traced()])
    assert text.count("</script>") == 2
    assert "\\u003c/script\\u003e\\u0026" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": [(5, 4)]}, "n_features must be between 2 and 4 .* got 5 and 4"),
        ({"sizes": [(3, 3)]}, "n_hidden at least 1 and below n_features to explore, got 3 and 3"),
        ({"sizes": []}, "at least one"),
        ({"sizes": [(2, 1), (2, 1)]}, "different models"),
        ({"boundaries": [traced(), traced()]}, "different models"),
        ({"boundaries": []}, "at least one"),
        ({"boundaries": [traced(weights="canonical")]}, "free weights .* weights='canonical'"),
        ({"boundaries": [traced(6, 5)]}, "got 6 and 5"),
    ],
)
def test_bad_arguments(arguments, message, tmp_path, monkeypatch):
    monkeypatch.setattr(page_module, "phase_boundaries", None)
    with pytest.raises(ValueError, match=message):
        write_explorer(tmp_path / "page.html", **arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--features", "5"], "n_features must be between 2 and 4"),
        (["--features", "3", "--hidden", "3"], "n_hidden must be at least 1 and below n_features"),
        (["--features", "5", "--no-bias"], "n_features must be between 2 and 4"),
        (["--no-bias", "--boundaries", "b.npz"], "axes, models and what is held must be left out"),
        (["--x", "density", "0.1", "1"], "--x and --y must both be given"),
        (
            ["--x", "follow", "0", "1", "--y", "density", "0.1", "1"],
            "follow must be of a model with hierarchical groups",
        ),
        (["--correlated", "0", "1", "--correlated", "1", "0"], "groups must not overlap"),
        (["--hidden", "1"], "--hidden needs --features"),
        (["--features", "2", "--boundaries", "b.npz"], "--features must be left out"),
        (["-o", "page.png"], "output must end in one of .html, got 'page.png'"),
        (["-o", "nowhere/page.html"], "output must be in an existing directory"),
    ],
)
def test_the_command_refuses_before_any_work(arguments, message, capsys, monkeypatch):
    monkeypatch.setattr(page_module, "phase_boundaries", None)
    assert main(["explore", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("phasediagram explore: error: ")
    assert message in error


@pytest.mark.parametrize(
    ("arguments", "sizes"),
    [([], [(2, 1), (3, 2)]), (["--features", "3", "--hidden", "1"], [(3, 1)])],
)
def test_the_command_traces_and_says_what_it_wrote(arguments, sizes, tmp_path, monkeypatch, capsys):
    asked = []

    def canned(n, m, spinodals, progress):
        assert spinodals
        asked.append((n, m))
        return traced(n, m)

    monkeypatch.setattr(page_module, "phase_boundaries", canned)
    monkeypatch.chdir(tmp_path)
    assert main(["explore", *arguments]) == 0
    size = (tmp_path / "explorer.html").stat().st_size / 1e6
    assert capsys.readouterr().out == f"wrote explorer.html ({size:.2f} MB)\n"
    assert asked == sizes


def test_the_command_takes_boundaries_that_were_saved(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(page_module, "phase_boundaries", None)
    monkeypatch.chdir(tmp_path)
    phd.save("b.npz", traced())
    assert main(["explore", "--boundaries", "b.npz", "-o", "page.html"]) == 0
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == explorer_page([traced()])
    phd.save("s.npz", phd.solve(0.5))
    capsys.readouterr()
    assert main(["explore", "--boundaries", "s.npz"]) == 2
    assert "PhaseBoundaries" in capsys.readouterr().err


def test_the_program_is_plain_javascript():
    """No network, no evaluation of text, nothing stored."""
    program = rendered({"models": []})
    for word in ("fetch(", "XMLHttpRequest", "import(", "eval(", "new Function", "localStorage"):
        assert word not in program
    assert "http" not in program.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_an_installed_package_has_the_program(tmp_path):
    """As setuptools builds it for a wheel."""
    source, built = tmp_path / "source", tmp_path / "built"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    for folder in ("phasediagram", "derivations"):
        shutil.copytree(ROOT / folder, source / folder, ignore=ignored)
    for file in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    code = "import setuptools; setuptools.setup()"
    command = [sys.executable, "-c", code, "build_py", "--build-lib", str(built)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    folder = built / "phasediagram" / "explorer"
    held = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
    parts = {f"solver/{name}.js" for name in SOLVER_PARTS}
    parts |= {f"view/{name}.js" for name in VIEW_PARTS}
    assert held >= parts | {"page.html", "page.css"}


def test_the_content_is_json():
    text = explorer_page([traced(3, 2)])
    shown = json.loads(text.split('id="content">')[1].split("</script>")[0])
    assert shown["models"][0]["special_points"][0]["phases"][1] == "</script>&\u2028"
