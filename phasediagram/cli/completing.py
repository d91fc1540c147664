"""The verb that prints a script for a shell: completion."""

from __future__ import annotations

import argparse
from pathlib import Path

from phasediagram.cli.options import Parser

_SHELLS = ("bash", "zsh", "tcsh", "fish")


def add_completion(verbs: argparse._SubParsersAction[Parser], parser: Parser) -> None:
    """Add the verb, for all verbs that `parser` has by the time it runs."""
    completion = verbs.add_parser(
        "completion",
        help="print a script with which a shell completes verbs and options",
        description="Print a script for your shell, to be read where it starts: for bash, "
        "'phasediagram completion bash > ~/.local/share/bash-completion/completions/phasediagram'. "
        "Needs the extra [completion].",
    )
    completion.add_argument("shell", choices=_SHELLS)
    completion.set_defaults(run=lambda options: _completion(options, parser))


def _completion(options: argparse.Namespace, parser: Parser) -> int:
    try:
        import shtab
    except ImportError:
        raise ValueError("completion needs shtab: install the extra [completion]") from None
    _mark_files(parser, shtab.FILE)
    print(shtab.complete(parser, options.shell))
    return 0


def _mark_files(parser: argparse.ArgumentParser, complete: object) -> None:
    """Let names of files be completed where an option takes one."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                _mark_files(verb, complete)
        elif action.type is Path:
            action.complete = complete  # type: ignore[attr-defined]
