"""The verb that makes a page: explore."""

from __future__ import annotations

import argparse
from pathlib import Path

from phasediagram.cli.options import Parser, hidden_dimensions, progress_bar, writable


def add_explore(verbs: argparse._SubParsersAction[Parser]) -> None:
    explore = verbs.add_parser(
        "explore",
        help="write an HTML page to look at every minimum",
        description="Write one HTML file, for any browser and without a network, that shows the "
        "phase, the loss of every local minimum, its weights and its interference wherever the "
        "mouse points at the diagrams, over the paper's axes and over their dense corner. Takes "
        "about two minutes on two cores.",
    )
    explore.add_argument(
        "--features",
        type=int,
        metavar="N",
        help="2 or 3; default: both, with a switch on the page",
    )
    explore.add_argument("--hidden", type=int, metavar="M", help="default: one less than features")
    explore.add_argument(
        "--grid",
        type=int,
        default=65,
        metavar="K",
        help="points along each axis, of each view; default: 65",
    )
    explore.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("explorer.html"),
        metavar="FILE",
        help="an .html file; default: %(default)s",
    )
    explore.set_defaults(run=_explore)


def _explore(options: argparse.Namespace) -> int:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from phasediagram.explorer import write_explorer
    from phasediagram.explorer.data import require_explorable
    from phasediagram.model import PAPER_SIZES

    path = writable(options.output, (".html",))
    if options.features is None and options.hidden is not None:
        raise ValueError("--hidden needs --features")
    one_model = options.features is not None
    sizes = [(options.features, hidden_dimensions(options))] if one_model else PAPER_SIZES
    require_explorable(sizes, options.grid)
    # spawned: a forked copy of a process with threads, such as the bar's, can hang
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as executor,
        progress_bar("exploring") as progress,
    ):
        write_explorer(path, sizes, options.grid, progress, executor)
    print(f"wrote {path} ({path.stat().st_size / 1e6:.2f} MB)")
    return 0
