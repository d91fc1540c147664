"""Seconds of whole commands and of the calls behind them.

    python benchmarks/whole_commands.py [part of a row's name ...]

Each row is a process of its own.  A command of the command line is timed from its start to
its exit; a call from Python within its process, after a first call that loads compiled code
from the cache.  Rows whose names contain none of the arguments are left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial

COMMAND = (sys.executable, "-m", "phasediagram")
COMPILE = (
    "import phasediagram as phd; phd.solve(0.5); phd.solve(0.5, 1.0, 3); phd.solve(0.5, 1.0, 4)"
)
# Prints the shortest of several durations of `call`, which `setup` makes.
TIMED = """
import time
import numpy as np
import phasediagram as phd
{setup}
call()
durations = []
for _ in range({repeats}):
    start = time.perf_counter()
    for _ in range({calls}):
        call()
    durations.append((time.perf_counter() - start) / {calls})
print(min(durations))
"""
GRID = "axes = np.geomspace(1, 0.01, {0}), np.geomspace(0.1, 10, {0})\n"
MILLION = """
rng = np.random.default_rng(0)
W, b = rng.normal(size=(1_000_000, 2, 3)), rng.normal(size=(1_000_000, 3))
"""


@dataclass(frozen=True)
class Row:
    """Something to time: a command's words, or a call in Python and what it needs."""

    name: str
    words: tuple[str, ...] = ()
    setup: str = ""
    call: str = ""
    calls: int = 1
    repeats: int = 3

    def seconds(self) -> float:
        """Return how long it takes."""
        if self.words:
            return command_seconds(self.words)
        setup = f"{self.setup}call = lambda: {self.call}"
        code = TIMED.format(setup=setup, repeats=self.repeats, calls=self.calls)
        return float(subprocess.check_output([sys.executable, "-c", code], env=environment()))


def solve_row(n: int, m: int) -> Row:
    """Return the row of one size of `solve`."""
    call = f"phd.solve(0.3, 1.5, {n}, {m})"
    return Row(f"solve, ({n}, {m})", call=call, repeats=3 if n > 5 else 5)


def boundaries_row(n: int, spinodals: bool) -> Row:
    """Return the row of the boundaries of n features."""
    without = "" if spinodals else ", without spinodals"
    call = f"phd.phase_boundaries({n}, spinodals={spinodals})"
    return Row(f"boundaries of ({n}, {n - 1}){without}", call=call, repeats=1)


ROWS = (
    Row("phasediagram draw", ("draw",)),
    Row("phasediagram draw --features 3", ("draw", "--features", "3")),
    Row("phasediagram explore", ("explore",)),
    Row("phasediagram --help", ("--help",)),
    *(boundaries_row(n, spinodals) for n in (2, 3) for spinodals in (True, False)),
    Row("diagram, (2, 1), 256 x 256", setup=GRID.format(256), call="phd.phase_diagram(*axes)"),
    Row("diagram, (3, 2), 128 x 128", setup=GRID.format(128), call="phd.phase_diagram(*axes, 3)"),
    *(
        Row(
            f"section, ({n}, {n - 1}), 200 points",
            setup="along = np.geomspace(0.5, 2, 200)\n",
            call=f"phd.loss_section(0.55, along, {n})",
        )
        for n in (2, 3)
    ),
    solve_row(3, 2),
    solve_row(5, 2),
    solve_row(6, 3),
    Row(
        "one loss, (2, 1)",
        setup="W, b = np.array([[1.0, -1.0]]), np.zeros(2)\n",
        call="phd.expected_loss(W, b, 0.6)",
        calls=2000,
    ),
    Row(
        "a million losses with gradient, (3, 2)",
        setup=MILLION,
        call="phd.expected_loss_and_gradient(W, b, 0.3)",
    ),
)


def environment() -> dict[str, str]:
    """Return an environment in which this copy of the package is found from anywhere."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "MPLBACKEND": "Agg"}


def command_seconds(words: tuple[str, ...]) -> float:
    """Return the duration of one command, which writes into an empty folder."""
    run = partial(subprocess.run, env=environment(), check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run([*COMMAND, *words], cwd=folder)
        return time.perf_counter() - start


def readable(seconds: float) -> str:
    """Return a duration in a unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= 0.1 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"


def main() -> None:
    """Compile, then print the table."""
    wanted = sys.argv[1:] or [""]
    subprocess.run([sys.executable, "-c", COMPILE], env=environment(), check=True)
    for row in ROWS:
        if any(part in row.name for part in wanted):
            print(f"{row.name:<40} {readable(row.seconds()):>9}", flush=True)


if __name__ == "__main__":
    main()
