"""What tests let workers do; in a module of its own so that other processes can import it."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def square(number):
    return number**2


def fail(number):
    raise ZeroDivisionError(f"of {number}")


def die_once(directory, number):
    """Kill the worker that computes 3, the first time."""
    flag = Path(directory) / "died"
    if number == 3 and not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def log_and_square(directory, number):
    """Leave a trace of each call."""
    with open(Path(directory) / "calls", "a") as file:
        file.write(f"{number}\n")
    return number**2
