"""What the verbs share: options, checks of input, progress, exit statuses."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

_SILENT_SECONDS = 2  # shorter work needs no progress
CHECK_FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """Says in one line on stderr what is wrong; `--help` shows the rest."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(BAD_INPUT, f"{self.prog}: error: {message}\n")


def add_size(verb: argparse.ArgumentParser) -> None:
    """Add the numbers of features and hidden dimensions."""
    verb.add_argument("--features", type=int, default=2, metavar="N", help="default: 2")
    verb.add_argument("--hidden", type=int, metavar="M", help="default: one less than features")


def hidden_dimensions(options: argparse.Namespace) -> int:
    """Return the number of hidden dimensions, by default one less than features."""
    return int(options.features - 1 if options.hidden is None else options.hidden)


def add_weights(verb: argparse.ArgumentParser) -> None:
    """Add what may vary."""
    verb.add_argument(
        "--weights",
        default="free",
        choices=["free", "optimized", "canonical"],
        help="what may vary: everything, each configuration's scales and biases, or nothing "
        "(the literature's weights); default: %(default)s",
    )


def add_spinodals(verb: argparse.ArgumentParser) -> None:
    """Add which limits of metastability are drawn."""
    verb.add_argument(
        "--spinodals",
        nargs="?",
        const="lowest",
        choices=["lowest", "all"],
        help="also limits of metastability, dotted, in the colour of the phase that ends: of "
        "phases that are the lowest somewhere, or of all; for 3 features it takes minutes",
    )


def spinodals_of(options: argparse.Namespace) -> bool | Literal["all"]:
    """Return which limits of metastability are asked for."""
    return "all" if options.spinodals == "all" else options.spinodals is not None


def add_figure(verb: argparse.ArgumentParser, default: str) -> None:
    """Add the file of a figure."""
    verb.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path(default),
        metavar="FILE",
        help="a .png, .pdf or .svg file; default: %(default)s",
    )


def add_json(verb: argparse.ArgumentParser) -> None:
    """Add the choice of JSON."""
    verb.add_argument(
        "--json", action="store_true", help="print JSON with all digits, and nothing else"
    )


def answer(
    options: argparse.Namespace,
    text: str,
    document: Callable[[], Any],
    wrote: Sequence[Path] = (),
) -> None:
    """Print what a verb found, for people or as JSON, and which files it wrote."""
    if not options.json:
        print("\n".join([text, *(f"wrote {path}" for path in wrote)]))
        return
    from phasediagram.files.documents import as_json

    found = document()
    print(as_json({**found, "wrote": [str(path) for path in wrote]} if wrote else found))


def ascending(name: str, values: Sequence[float]) -> tuple[float, float]:
    """Return a range, or refuse one that does not ascend."""
    low, high = values
    if not 0 < low < high:
        raise ValueError(f"{name} must be two ascending positive numbers, got {low:g} {high:g}")
    return low, high


@contextmanager
def progress_bar(what: str, says: str = "") -> Iterator[Callable[[float], None] | None]:
    """Say on stderr what work of over two seconds writes, and show how far it is on a terminal.

    A bar if tqdm is installed, else a line.

    Parameters
    ----------
    what : str
        The work, in a word.
    says : str
        Said once, also where there is no terminal, such as `will_write` returns.
    """
    say = _once(f"{what}: {says}" if says else "")
    if not sys.stderr.isatty():
        yield say if says else None
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield from _progress_line(what, say)
        return
    with tqdm(total=100, desc=what, unit="%", leave=False, delay=_SILENT_SECONDS) as bar:

        def show(share: float) -> None:
            with tqdm.external_write_mode(file=sys.stderr):
                say(share)
            bar.update(round(100 * share) - bar.n)

        yield show


def will_write(*paths: Path | None) -> str:
    """Return what is said of files while work goes on that they wait for."""
    known = [str(path) for path in paths if path is not None]
    return f"will write {', '.join(known)}" if known else ""


def _once(line: str) -> Callable[[float], None]:
    """Return what says a line when it is first called after two seconds, if there is one."""
    start, waiting = time.monotonic(), bool(line)

    def say(_share: float) -> None:
        nonlocal waiting
        if waiting and time.monotonic() - start > _SILENT_SECONDS:
            waiting = False
            print(line, file=sys.stderr, flush=True)

    return say


def _progress_line(what: str, say: Callable[[float], None]) -> Iterator[Callable[[float], None]]:
    start = time.monotonic()
    width = 0

    def show(share: float) -> None:
        nonlocal width
        say(share)
        elapsed = time.monotonic() - start
        if elapsed > _SILENT_SECONDS and share > 0:
            left = elapsed * (1 - share) / share
            line = f"{what}: {share:.0%}, about {left:.0f} s left"
            sys.stderr.write("\r" + line.ljust(width))
            sys.stderr.flush()
            width = len(line)

    try:
        yield show
    finally:
        if width:
            sys.stderr.write("\r" + " " * width + "\r")
            sys.stderr.flush()


def figure_path(path: Path) -> Path:
    from phasediagram.plotting import FIGURE_FORMATS

    return writable(path, FIGURE_FORMATS)


def writable(path: Path, formats: tuple[str, ...]) -> Path:
    """Refuse before any work what could not be written after it."""
    if path.suffix.lower() not in formats:
        allowed = ", ".join(formats)
        raise ValueError(f"output must end in one of {allowed}, got {str(path)!r}")
    if path.is_dir():
        raise ValueError(f"output must be a file, got the directory {str(path)!r}")
    if not path.parent.is_dir():
        raise ValueError(f"output must be in an existing directory, got {str(path)!r}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ValueError(f"output must be writable, got {str(path)!r}")
    return path
