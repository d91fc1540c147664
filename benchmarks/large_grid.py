"""Time, memory and disk of diagrams that stream to disk, computed by a pool of processes.

    python benchmarks/large_grid.py 512 1024 2048

n = 2, m = 1, free weights.  The last line plans a 4096 x 4096 grid from the two largest that were
measured: time and disk grow with the points, the main process's memory with the tiles' edges.
Memory is the largest that a process held that
is not a mapped file: pages of files can be given back at any time.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

import phasediagram as phd

WORKERS = 2
PLANNED = 4096
SECONDS_BETWEEN_LOOKS = 0.2
HEADER = "         grid   seconds  us a point  MiB, main  MiB, worker  MiB, disk"


@dataclass(frozen=True)
class Measured:
    """What one grid took."""

    steps: int
    seconds: float
    main_memory: float
    worker_memory: float
    disk: float

    def row(self) -> str:
        """Return a line of the table."""
        return (
            f"{self.steps:>5} x {self.steps:<5}  {self.seconds:8.0f}  "
            f"{1e6 * self.seconds / self.steps**2:10.1f}  {self.main_memory:9.0f}  "
            f"{self.worker_memory:11.0f}  {self.disk:9.0f}"
        )


class Memory(threading.Thread):
    """Watches how much memory processes hold, files that they map left out."""

    def __init__(self, pids) -> None:
        super().__init__(daemon=True)
        self.pids = pids
        self.largest: dict[int, float] = {}
        self.stopped = threading.Event()

    def run(self) -> None:
        """Look until stopped."""
        while not self.stopped.wait(SECONDS_BETWEEN_LOOKS):
            for pid in [os.getpid(), *self.pids()]:
                self.largest[pid] = max(self.largest.get(pid, 0.0), anonymous_memory(pid))


def anonymous_memory(pid: int) -> float:
    """MiB that a process holds."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return float(fields["RssAnon"].split()[0]) / 1024


def measure(steps: int) -> Measured:
    """Compute one grid."""
    axes = np.geomspace(1, 0.01, steps), np.geomspace(0.1, 10, steps)
    context = get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as directory,
        ProcessPoolExecutor(WORKERS, mp_context=context) as pool,
    ):
        memory = Memory(lambda: [child.pid for child in context.active_children()])
        memory.start()
        start = time.perf_counter()
        phd.phase_diagram(*axes, executor=pool, directory=directory)
        seconds = time.perf_counter() - start
        memory.stopped.set()
        disk = sum(path.stat().st_size for path in Path(directory).iterdir()) / 2**20
    main = memory.largest.pop(os.getpid())
    return Measured(steps, seconds, main, max(memory.largest.values()), disk)


def main() -> None:
    """Print the table."""
    print(f"{WORKERS} worker processes\n{HEADER}")
    measured = []
    for steps in map(int, sys.argv[1:] or ["512", "1024", "2048"]):
        measured.append(measure(steps))
        print(measured[-1].row(), flush=True)
    if len(measured) > 1:
        print(f"{planned(*measured[-2:]).row()}  planned")


def planned(smaller: Measured, larger: Measured) -> Measured:
    """Return what a larger grid would take."""
    times = PLANNED**2 / larger.steps**2
    growth = (larger.main_memory - smaller.main_memory) / (larger.steps - smaller.steps)
    return Measured(
        PLANNED,
        larger.seconds * times,
        larger.main_memory + growth * (PLANNED - larger.steps),
        larger.worker_memory,
        larger.disk * times,
    )


if __name__ == "__main__":
    main()
