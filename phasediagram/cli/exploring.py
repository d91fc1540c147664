"""The verb that makes a page: explore."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phasediagram.cli.assuming import (
    add_axes,
    add_held,
    add_model,
    axis_of,
    held_of,
    is_assumed,
    model_of,
)
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
        "for two features, minutes for three. With other assumptions or axes, the page is of that "
        "one model, as draw takes it.",
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
        "--no-spinodals",
        action="store_true",
        help="without limits of metastability, whose tracing takes longest",
    )
    add_axes(explore, ("x", "y"))
    add_model(explore)
    add_held(explore)
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
    if not one_model:
        options.features = PAPER_SIZES[0][0]  # of a model of one's own, as draw has it
    if is_assumed(options):
        if options.boundaries:
            raise ValueError(
                "--boundaries says what the page is of, so axes, models and what is held must be "
                "left out"
            )
        traced = [_traced(options)]
    elif options.boundaries:
        traced = [_load(file) for file in options.boundaries]
    else:
        traced = None
    sizes = [(options.features, hidden_dimensions(options))] if one_model else PAPER_SIZES
    if traced is None:
        require_explorable(sizes)
    with progress_bar("tracing", will_write(path)) as progress:
        write_explorer(path, sizes, progress, boundaries=traced, spinodals=not options.no_spinodals)
    print(f"wrote {path} ({path.stat().st_size / 1e6:.2f} MB)")
    return 0


def _traced(options: argparse.Namespace) -> PhaseBoundaries:
    """Trace the boundaries of another model, or on other axes."""
    from phasediagram.boundaries.tracing import phase_boundaries
    from phasediagram.explorer.page import require_size

    if (options.x is None) != (options.y is None):
        raise ValueError("--x and --y must both be given or both be left out")
    model = model_of(options)
    require_size(model.n_features, model.hidden)
    arguments: dict[str, Any] = {"model": model, **held_of(options)}
    if options.x is not None:
        arguments |= {name: axis_of(name, getattr(options, name), 2) for name in ("x", "y")}
    with progress_bar("tracing") as progress:
        return phase_boundaries(spinodals=not options.no_spinodals, progress=progress, **arguments)
