"""The command line: parsing and printing, nothing else."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence

from phasediagram._version import __version__
from phasediagram.cli.certifying import add_certified_diagram, add_certify
from phasediagram.cli.checking import add_derive, add_train, add_verify
from phasediagram.cli.completing import add_completion
from phasediagram.cli.demonstrating import add_demonstrate
from phasediagram.cli.drawing import add_draw, add_losses
from phasediagram.cli.exploring import add_explore
from phasediagram.cli.grouping import add_geometry
from phasediagram.cli.options import BAD_INPUT, INTERRUPTED, Parser
from phasediagram.cli.solving import add_boundaries, add_solve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status.

    0 means done, 1 that a check failed, 2 bad input (one line on stderr), 130 interrupted.
    """
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _one_line
            return run(options)
    except BrokenPipeError:  # whoever read the output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        print(f"phasediagram {options.verb}: error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print(f"phasediagram {options.verb}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _one_line(message: Warning | str, *_where: object, **_what: object) -> None:
    """Show a warning as the sentence that it is."""
    print(f"phasediagram: warning: {message}", file=sys.stderr)


def _parser() -> Parser:
    parser = Parser(
        prog="phasediagram",
        description="Phase diagrams of superposition in toy models, from exact losses.",
    )
    parser.add_argument("--version", action="version", version=f"phasediagram {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    add_draw(verbs)
    add_solve(verbs)
    add_boundaries(verbs)
    add_losses(verbs)
    add_explore(verbs)
    add_geometry(verbs)
    add_certify(verbs)
    add_certified_diagram(verbs)
    add_train(verbs)
    add_demonstrate(verbs)
    add_derive(verbs)
    add_verify(verbs)
    add_completion(verbs, parser)
    return parser
