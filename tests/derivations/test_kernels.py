"""The generated kernels are what the faces of the cube give, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from derivations import kernels


@pytest.mark.parametrize("n", kernels.SIZES)
def test_kernels_are_regenerated_byte_for_byte(n):
    assert kernels.generate(n).encode() == (kernels.TARGET / f"rows_{n}.py").read_bytes()


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_the_text_does_not_depend_on_the_hash_seed(tmp_path, hash_seed):
    subprocess.run(
        [sys.executable, "-m", "derivations.kernels", str(tmp_path)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=True,
        cwd=kernels.TARGET.parent.parent.parent,
    )
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == sorted(path.name for path in kernels.TARGET.glob("rows_*.py"))
    for name in written:
        assert (tmp_path / name).read_bytes() == (kernels.TARGET / name).read_bytes()


def test_the_lanes_are_those_of_the_package():
    text = (kernels.TARGET / "lanes.py").read_text(encoding="utf-8")
    assert f"\nLANES = {kernels.LANES}\n" in text
