"""Training interrupted: by Ctrl-C, by SIGKILL, by errors; and what checkpoints refuse."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from training_results import assert_same_result

import phasediagram as phd
from phasediagram.training import sweep as training_sweep

ARGUMENTS = {
    "density": [[1.0], [0.3], [0.05]],
    "relative_importance": [0.5, 1.0],
    "seeds": 3,
    "steps": 4000,
    "batch_size": 256,
    "record": [0, 2000, 4000],
}


class Interrupt:
    """A progress callback that stands in for Ctrl-C after a share of the work."""

    def __init__(self, share):
        self.share = share

    def __call__(self, share):
        if share >= self.share:
            raise KeyboardInterrupt


def test_an_interruption_keeps_what_is_finished(monkeypatch):
    monkeypatch.setattr(training_sweep, "_MODELS_AT_ONCE", 4)
    monkeypatch.setattr(training_sweep, "_SECONDS_BETWEEN_REPORTS", 0.0)
    expected = phd.train(**ARGUMENTS)
    result = phd.train(**ARGUMENTS, progress=Interrupt(0.4), workers=1)
    assert result.completed.any()
    assert not result.completed.all()
    np.testing.assert_array_equal(result.loss[result.completed], expected.loss[result.completed])
    np.testing.assert_array_equal(result.W[result.completed], expected.W[result.completed])
    assert np.isnan(result.loss[~result.completed]).all()
    assert np.isnan(result.W[~result.completed]).all()
    assert not result.diverged[~result.completed].any()


@pytest.mark.parametrize("optimizer", ["adam", "exact"])
def test_an_interrupted_sweep_resumes_to_the_same_result(monkeypatch, tmp_path, optimizer):
    monkeypatch.setattr(training_sweep, "_SECONDS_BETWEEN_REPORTS", 0.0)
    arguments = ARGUMENTS | {"optimizer": optimizer, "checkpoint": tmp_path / "sweep.npz"}
    if optimizer == "exact":
        arguments |= {"steps": 1500, "record": [0, 700]}
    expected = phd.train(**{**arguments, "checkpoint": None})
    for share in (0.2, 0.6):
        result = phd.train(**arguments, progress=Interrupt(share), workers=2)
        assert not result.completed.all()
    shares = []
    result = phd.train(**arguments, progress=shares.append, workers=1)
    assert shares[0] >= 0.6
    assert_same_result(result, expected)
    monkeypatch.setattr(training_sweep, "train_block", None)  # nothing is left to train
    assert_same_result(phd.train(**arguments), expected)
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.npz"]


def test_other_errors_reach_the_caller(monkeypatch):
    def fail(share):
        raise RuntimeError("from the callback")

    with pytest.raises(RuntimeError, match="from the callback"):
        phd.train(**ARGUMENTS, progress=fail)
    monkeypatch.setattr(training_sweep, "SampledGradient", None)
    with pytest.raises(TypeError):
        phd.train(**ARGUMENTS)


KILLED = ARGUMENTS | {"steps": 12_000, "record": [6_000]}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_sweep_resumes_to_the_same_result(tmp_path):
    """SIGKILL at several moments, in the middle of runs, then the rest in this process."""
    checkpoint = tmp_path / "sweep.npz"
    program = f"""
        import phasediagram as phd
        phd.train(**{KILLED}, checkpoint={str(checkpoint)!r}, checkpoint_seconds=0.01)
    """
    reached = [0]
    for _ in range(3):
        child = start(program)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and child.poll() is None:
            time.sleep(0.02)
            if checkpoint.exists() and steps_done(checkpoint).max() > reached[-1]:
                break
        time.sleep(0.1)  # into the next blocks, perhaps into a checkpoint
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        reached.append(steps_done(checkpoint).max())
    assert reached == sorted(set(reached))  # every attempt went on from the last
    assert reached[-1] < KILLED["steps"]
    shares = []
    result = phd.train(**KILLED, checkpoint=checkpoint, progress=shares.append)
    assert_same_result(result, phd.train(**KILLED))


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_ctrl_c_returns_and_leaves_a_checkpoint(tmp_path):
    checkpoint = tmp_path / "sweep.npz"
    child = start(f"""
        import phasediagram as phd
        result = phd.train(**{KILLED}, checkpoint={str(checkpoint)!r}, checkpoint_seconds=0.01)
        assert not result.completed.any()
        print("returned")
    """)
    while child.poll() is None and not (checkpoint.exists() and steps_done(checkpoint).any()):
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    output, _ = child.communicate(timeout=20)
    assert (child.returncode, output) == (0, "returned\n")
    assert 0 < steps_done(checkpoint).max() < KILLED["steps"]


def start(program):
    environment = os.environ | {"PYTHONPATH": str(Path(phd.__file__).parent.parent)}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def steps_done(checkpoint):
    with np.load(checkpoint) as file:
        return file["step"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rng": 1}, "was made with seed = 0, not 1"),
        ({"density": 0.2}, "was made with density = 0.3, not 0.2"),
        ({"steps": 30}, "was made with steps = 20, not 30"),
        ({"optimizer": "exact"}, "was made with optimizer = 'adam', not 'exact'"),
        ({"learning_rate": 0.1}, "was made with learning_rate = 0.001, not 0.1"),
    ],
)
def test_a_checkpoint_of_other_arguments_is_refused(tmp_path, changed, message):
    arguments = {"density": 0.3, "relative_importance": 1.0, "steps": 20, "batch_size": 8}
    arguments["checkpoint"] = tmp_path / "sweep.npz"
    phd.train(**arguments)
    before = arguments["checkpoint"].read_bytes()
    with pytest.raises(ValueError, match=message):
        phd.train(**arguments | changed)
    assert arguments["checkpoint"].read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"not an archive", "npz", "npy"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "other"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with open(path, "wb") as file:
            (np.savez if content == "npz" else np.save)(file, np.zeros(3))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="other' is not a training checkpoint"):
        phd.train(0.3, 1.0, steps=20, checkpoint=path)
    assert path.read_bytes() == before


def test_a_checkpoint_that_cannot_be_written_stops_before_training(tmp_path):
    with pytest.raises(FileNotFoundError):
        phd.train(0.3, 1.0, checkpoint=tmp_path / "missing" / "sweep.npz")
