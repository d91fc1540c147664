"""The verb that makes a page: explore."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from phasediagram.cli.options import Parser, hidden_dimensions, progress_bar, will_write, writable

if TYPE_CHECKING:
    from phasediagram.results import PhaseBoundaries


def add_explore(verbs: argparse._SubParsersAction[Parser]) -> None:
    explore = verbs.add_parser(
        "explore",
        help="write an HTML page that solves the model under the pointer",
        description="Write one HTML file, for any browser and without a network, that carries the "
        "solver: wherever one points at the diagram it finds every minimum, and its weights can be "
        "dragged, trained and pasted. Tracing the boundaries takes nearly all of the time, seconds "
        "for two features, minutes for three.",
    )
    explore.add_argument(
        "--features",
        type=int,
        metavar="N",
        help="2 to 4; default: 2 and 3, with a switch on the page",
    )
    explore.add_argument("--hidden", type=int, metavar="M", help="default: one less than features")
    explore.add_argument(
        "--boundaries",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="boundaries that were traced already and saved with phasediagram.save",
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


def _load(file: Path) -> PhaseBoundaries:
    from phasediagram.files.storing import load
    from phasediagram.results import PhaseBoundaries

    return load(file, PhaseBoundaries)


def _explore(options: argparse.Namespace) -> int:
    from phasediagram.explorer.page import require_explorable, write_explorer
    from phasediagram.model import PAPER_SIZES

    path = writable(options.output, (".html",))
    if options.features is None and options.hidden is not None:
        raise ValueError("--hidden needs --features")
    if options.boundaries and options.features is not None:
        raise ValueError(
            "--boundaries says which models the page has, so --features must be left out"
        )
    one_model = options.features is not None
    sizes = [(options.features, hidden_dimensions(options))] if one_model else PAPER_SIZES
    require_explorable(sizes)
    traced = [_load(file) for file in options.boundaries] if options.boundaries else None
    with progress_bar("tracing", will_write(path)) as progress:
        write_explorer(path, sizes, progress, boundaries=traced)
    print(f"wrote {path} ({path.stat().st_size / 1e6:.2f} MB)")
    return 0
