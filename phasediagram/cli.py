"""The command line: parsing and printing, nothing else."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from phasediagram._version import __version__

_CHECK_FAILED = 1
_BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status.

    0 means done, 1 that a check failed, 2 bad input (one line on stderr).
    """
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (ValueError, OSError) as error:
        print(f"phasediagram {options.verb}: error: {error}", file=sys.stderr)
        return _BAD_INPUT


class _Parser(argparse.ArgumentParser):
    """Says in one line on stderr what is wrong; `--help` shows the rest."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(_BAD_INPUT, f"{self.prog}: error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="phasediagram",
        description="Phase diagrams of superposition in toy models, from exact losses.",
    )
    parser.add_argument("--version", action="version", version=f"phasediagram {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_draw(verbs)
    _add_derive(verbs)
    _add_verify(verbs)
    return parser


def _add_draw(verbs: argparse._SubParsersAction[_Parser]) -> None:
    draw = verbs.add_parser(
        "draw",
        help="draw a phase diagram",
        description="Draw a phase diagram and print what share of it each phase holds.",
    )
    draw.add_argument("--features", type=int, default=2, metavar="N", help="default: 2")
    draw.add_argument("--hidden", type=int, metavar="M", help="default: one less than features")
    draw.add_argument(
        "--weights",
        default="free",
        choices=["free", "optimized", "canonical"],
        help="what may vary: everything, each configuration's scales and biases, or nothing "
        "(the literature's weights); default: %(default)s",
    )
    draw.add_argument(
        "--grid", type=int, default=128, metavar="K", help="points along each axis; default: 128"
    )
    draw.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("phase_diagram.png"),
        metavar="FILE",
        help="a .png, .pdf or .svg file; default: %(default)s",
    )
    draw.set_defaults(run=_draw)


def _draw(options: argparse.Namespace) -> int:
    import numpy as np

    from phasediagram.diagram import phase_diagram
    from phasediagram.model import DENSITY_RANGE, RELATIVE_IMPORTANCE_RANGE
    from phasediagram.plotting import draw_figure, save_figure

    path = _figure_path(options.output)
    if not 2 <= options.grid <= 4096:
        raise ValueError(f"--grid must be between 2 and 4096, got {options.grid}")
    hidden = options.features - 1 if options.hidden is None else options.hidden
    with _progress("solving") as progress:
        diagram = phase_diagram(
            np.geomspace(*DENSITY_RANGE[::-1], options.grid),
            np.geomspace(*RELATIVE_IMPORTANCE_RANGE, options.grid),
            options.features,
            hidden,
            options.weights,
            progress,
        )
    save_figure(draw_figure(diagram), path)
    print(
        f"n = {diagram.n_features}, m = {diagram.n_hidden}, {diagram.weights} weights, "
        f"{options.grid} x {options.grid} points"
    )
    shares = diagram.shares()
    width = max(map(len, shares))
    for name, share in shares.items():
        print(f"  {name:<{width}}  {100 * share:5.1f} %")
    print(f"wrote {path}")
    return 0


@contextmanager
def _progress(what: str) -> Iterator[Callable[[float], None] | None]:
    """Show a bar on stderr if it is a terminal and tqdm is installed."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield None
        return
    with tqdm(total=100, desc=what, unit="%", leave=False, delay=2) as bar:

        def show(share: float) -> None:
            bar.update(round(100 * share) - bar.n)

        yield show


def _figure_path(path: Path) -> Path:
    """Refuse before any work what could not be written after it."""
    from phasediagram.plotting import FIGURE_FORMATS

    if path.suffix.lower() not in FIGURE_FORMATS:
        allowed = ", ".join(FIGURE_FORMATS)
        raise ValueError(f"output must end in one of {allowed}, got {str(path)!r}")
    if path.is_dir():
        raise ValueError(f"output must be a file, got the directory {str(path)!r}")
    if not path.parent.is_dir():
        raise ValueError(f"output must be in an existing directory, got {str(path)!r}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ValueError(f"output must be writable, got {str(path)!r}")
    return path


def _add_derive(verbs: argparse._SubParsersAction[_Parser]) -> None:
    derive = verbs.add_parser(
        "derive",
        help="print a derivation",
        description="Print a derivation as a chain of steps; without a name, list them.",
    )
    derive.add_argument("name", nargs="?", help="which derivation; default: list their names")
    derive.add_argument("--latex", action="store_true", help="a LaTeX document instead of text")
    derive.set_defaults(run=_derive)


def _derive(options: argparse.Namespace) -> int:
    import derivations
    from derivations import report

    if options.name is None:
        print("\n".join(derivations.names()))
        return 0
    derivation = derivations.derive(options.name)
    print(report.to_latex(derivation) if options.latex else report.to_text(derivation))
    return 0


def _add_verify(verbs: argparse._SubParsersAction[_Parser]) -> None:
    verify = verbs.add_parser(
        "verify",
        help="check every derivation",
        description="Run every check of every derivation and print a table; "
        "exit status 1 if any fails.",
    )
    verify.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    from derivations.__main__ import check_all

    return 0 if check_all() else _CHECK_FAILED
