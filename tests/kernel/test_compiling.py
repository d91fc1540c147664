"""What is compiled is kept on disk, and waiting for it is announced once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import phasediagram

MODULE = """
from phasediagram.kernel.compiling import compiled

@compiled("float64(float64)")
def double(x):
    return 2 * x

@compiled("float64(float64)")
def quadruple(x):
    return double(double(x))

print(quadruple(1.5))
"""


def run(folder, **variables):
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment["PYTHONPATH"] = str(Path(phasediagram.__file__).parent.parent)
    return subprocess.run(
        [sys.executable, str(folder / "module_to_compile.py")],
        env=environment | variables,
        check=True,
        capture_output=True,
        text=True,
    )


def test_compiling_is_announced_once_and_not_when_it_comes_from_the_cache(tmp_path):
    (tmp_path / "module_to_compile.py").write_text(MODULE, encoding="utf-8")
    cold, warm = run(tmp_path), run(tmp_path)
    assert cold.stdout == warm.stdout == "6.0\n"
    assert cold.stderr.count("\n") == 1
    assert cold.stderr.startswith("phasediagram: compiling for this machine")
    assert warm.stderr == ""


def test_the_cache_is_the_users_where_the_packages_folder_is_not_writable(tmp_path):
    package, cache = tmp_path / "package", tmp_path / "cache"
    package.mkdir()
    (package / "module_to_compile.py").write_text(MODULE, encoding="utf-8")
    (package / "__pycache__").write_text("not a folder: nobody can write into it")
    variables = {"XDG_CACHE_HOME": str(cache), "HOME": str(tmp_path), "LOCALAPPDATA": str(cache)}
    assert "compiling" in run(package, **variables).stderr
    assert [path.name for path in tmp_path.rglob("module_to_compile.quadruple*.nbi")]
    assert run(package, **variables).stderr == ""


CALLED = """
from phasediagram.kernel.compiling import compiled

FACTOR = 2.0

@compiled("float64(float64)")
def scaled(x):
    return FACTOR * x
"""

CALLING = """
from module_called import scaled
from phasediagram.kernel.compiling import compiled

@compiled("float64(float64)")
def twice_scaled(x):
    return 2.0 * scaled(x)

print(twice_scaled(1.5))
"""


def test_a_change_in_a_called_function_of_another_file_is_compiled_anew(tmp_path):
    (tmp_path / "module_to_compile.py").write_text(CALLING, encoding="utf-8")
    (tmp_path / "module_called.py").write_text(CALLED, encoding="utf-8")
    assert run(tmp_path).stdout == "6.0\n"
    assert run(tmp_path).stderr == ""
    changed = CALLED.replace("2.0", "10.0")
    (tmp_path / "module_called.py").write_text(changed, encoding="utf-8")
    assert run(tmp_path).stdout == "30.0\n"


def test_without_any_writable_folder_it_still_compiles(tmp_path):
    (tmp_path / "module_to_compile.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "__pycache__").write_text("not a folder")
    nowhere = str(tmp_path / "__pycache__")
    variables = {"XDG_CACHE_HOME": nowhere, "HOME": nowhere, "LOCALAPPDATA": nowhere}
    assert run(tmp_path, **variables).stdout == "6.0\n"


def test_importing_the_room_compiles_nothing():
    """Modules are compiled when imported: the room itself must not import them."""
    program = "import sys, phasediagram.kernel; print('phasediagram.kernel.packing' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert result.stdout == "False\n"
