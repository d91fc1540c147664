"""Diagrams that stream to disk in blocks: the same result, resumed, refused, small in memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import phasediagram as phd
from phasediagram.atlas import gridding, tiles

AXES = np.geomspace(1, 0.05, 30), np.geomspace(0.2, 8, 26)


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setitem(tiles._EDGES, 2, 8)


def assert_same(found, expected):
    for name in ("density", "relative_importance", "loss", "phase", "outcome", "W", "b"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert found.shares() == expected.shares()
    assert found.tolerance == expected.tolerance
    assert found.version == expected.version


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("symmetric", [False, True])
def test_a_streamed_diagram_is_the_same(small_tiles, tmp_path, turned, symmetric):
    density, importance = AXES
    if symmetric:
        importance = np.geomspace(1 / 8, 8, 26)
    if turned:
        density, importance = density[::-1], importance[::-1]
    expected = phd.phase_diagram(density, importance)
    found = phd.phase_diagram(density, importance, directory=tmp_path / "diagram")
    assert_same(found, expected)
    assert isinstance(found.loss.base, np.memmap)
    assert_same(phd.load(tmp_path / "diagram"), expected)


def test_a_finished_diagram_is_only_loaded(tmp_path, monkeypatch):
    axes = [0.3, 0.5], [0.5, 1.0]
    expected = phd.phase_diagram(*axes, directory=tmp_path)
    monkeypatch.setattr(gridding, "solve_tile", None)
    assert_same(phd.phase_diagram(*axes, directory=tmp_path), expected)


def interrupt_late(directory):
    """Begin the diagram, and stop it when some tiles are done."""

    def interrupt(share):
        if share > 0.9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        phd.phase_diagram(*AXES, directory=directory, progress=interrupt)


def test_an_interrupted_diagram_goes_on(small_tiles, tmp_path, monkeypatch):
    expected = phd.phase_diagram(*AXES)

    interrupt_late(tmp_path)
    with pytest.raises(ValueError, match="is unfinished: compute it again"):
        phd.load(tmp_path)
    solved = []
    solve_tile = tiles.solve_tile
    monkeypatch.setattr(
        gridding, "solve_tile", lambda *a: (solved.append(a[-1]), solve_tile(*a))[1]
    )
    assert_same(phd.phase_diagram(*AXES, directory=tmp_path), expected)
    assert 0 < len(solved) < len(tiles.cut_into_tiles(2, 30, 26))


def test_a_torn_tile_is_computed_again(small_tiles, tmp_path):
    """As if the machine had stopped when a tile was marked as done, but not yet written."""
    expected = phd.phase_diagram(*AXES)

    interrupt_late(tmp_path)
    done = np.load(tmp_path / "done.npy")
    first = tiles.cut_into_tiles(2, 30, 26)[np.flatnonzero(done)[0]]
    loss = np.load(tmp_path / "loss.npy", mmap_mode="r+")
    loss[first] = 0.0
    loss.flush()
    assert_same(phd.phase_diagram(*AXES, directory=tmp_path), expected)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_diagram_goes_on(tmp_path):
    axes = "np.geomspace(1, 0.01, 200), np.geomspace(0.11, 10, 200)"
    program = textwrap.dedent(f"""
        import numpy as np, phasediagram as phd
        phd.phase_diagram({axes}, directory={str(tmp_path / "diagram")!r})
    """)
    environment = os.environ | {"PYTHONPATH": str(Path(phd.__file__).parent.parent)}
    child = subprocess.Popen([sys.executable, "-c", program], env=environment)
    done = tmp_path / "diagram" / "done.npy"
    deadline = time.monotonic() + 60
    while not (done.exists() and done.stat().st_size > 128 and np.load(done).any()):
        assert time.monotonic() < deadline
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    density, importance = np.geomspace(1, 0.01, 200), np.geomspace(0.11, 10, 200)
    shares = []
    found = phd.phase_diagram(
        density, importance, directory=tmp_path / "diagram", progress=shares.append
    )
    assert_same(found, phd.phase_diagram(density, importance))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"density": [0.3, 0.6]}, "holds a diagram of another density"),
        ({"relative_importance": [0.5, 2.0]}, "holds a diagram of another relative_importance"),
        ({"n_features": 3, "n_hidden": 2}, "holds a diagram of other arguments"),
        ({"density": [0.5, 0.3]}, "holds a diagram of other arguments"),
        ({"density": [0.3, 0.3]}, "density must ascend or descend to be kept in a directory"),
        ({"weights": "canonical"}, "directory is for weights='free' only, got weights='canonical'"),
    ],
)
def test_a_directory_of_other_arguments_is_refused(tmp_path, changed, message):
    arguments = {"density": [0.3, 0.5], "relative_importance": [0.5, 1.0], "directory": tmp_path}
    phd.phase_diagram(**arguments)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=message):
        phd.phase_diagram(**arguments | changed)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_directory_with_something_else_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="directory must be empty or hold a diagram"):
        phd.phase_diagram([0.3], [1.0], directory=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(FileNotFoundError):
        phd.load(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": "other", "kind": "other"}'])
def test_a_foreign_header_is_refused(tmp_path, content):
    (tmp_path / "header.json").write_text(content)
    with pytest.raises(ValueError, match="is truncated or foreign"):
        phd.load(tmp_path)
    with pytest.raises(ValueError, match="is truncated or foreign"):
        phd.phase_diagram([0.3], [1.0], directory=tmp_path)


def test_a_newer_format_is_refused(tmp_path):
    phd.phase_diagram([0.3], [1.0], directory=tmp_path)
    header = json.loads((tmp_path / "header.json").read_text())
    (tmp_path / "header.json").write_text(json.dumps(header | {"format_version": 99}))
    with pytest.raises(ValueError, match="has format 99, but this version of phasediagram reads"):
        phd.load(tmp_path)


@pytest.mark.parametrize("name", ["density", "parameters", "loss", "phase"])
@pytest.mark.parametrize("share", [None, 0.0, 0.5])
def test_a_truncated_block_is_refused(tmp_path, name, share):
    phd.phase_diagram([0.3, 0.5], [1.0, 2.0], directory=tmp_path)
    path = tmp_path / f"{name}.npy"
    content = path.read_bytes()
    path.unlink()
    if share is not None:
        path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=f"{name}.npy' is truncated or foreign"):
        phd.load(tmp_path)
