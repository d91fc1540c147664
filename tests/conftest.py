"""What several modules of tests share: the default boundaries, computed once a session."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

import phasediagram as phd

_PATIENCE = 1800.0  # seconds to wait for the process that computes them
_POLL = 0.2
_COMPILE = """
import phasediagram as phd
for n in (2, 3, 4):
    phd.solve(0.5, n_features=n)
phd.phase_diagram([0.5], [1.0])
phd.expected_loss_hessian([[1.0, -1.0]], [0.0, 0.0], 0.5)
phd.certified_diagram(density=(0.02, 0.1), relative_importance=(0.5, 2.0), undecided=0.5)
"""


def pytest_configure(config):
    """Compile before there are workers: each would compile everything, at the same time."""
    if not hasattr(config, "workerinput"):
        root = Path(__file__).parent.parent
        subprocess.run([sys.executable, "-c", _COMPILE], cwd=root, check=True)


def once(folder: Path, name: str, compute):
    """Return what `compute` returns, computed by the first process that asks for it."""
    done, claimed = folder / f"{name}.pickle", folder / f"{name}.claimed"
    try:
        claimed.touch(exist_ok=False)
    except FileExistsError:
        deadline = time.monotonic() + _PATIENCE
        while not done.exists():
            assert time.monotonic() < deadline, f"{name} was not computed"
            time.sleep(_POLL)
        return pickle.loads(done.read_bytes())
    try:
        result = pickle.dumps(compute())
    except BaseException:
        claimed.unlink()
        raise
    partial = done.with_suffix(".partial")
    partial.write_bytes(result)
    partial.replace(done)
    return pickle.loads(result)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def two(shared_folder):
    """Every boundary of two features in one dimension, by the default call."""
    return once(shared_folder, "boundaries-2-1", lambda: phd.phase_boundaries(2, 1))


@pytest.fixture(scope="session")
def three(shared_folder):
    """Every boundary of three features in two dimensions, by the default call."""
    return once(shared_folder, "boundaries-3-2", lambda: phd.phase_boundaries(3, 2))


@pytest.fixture(params=["two", "three"])
def boundaries(request):
    return request.getfixturevalue(request.param)
