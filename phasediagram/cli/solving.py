"""The verbs that solve and print: solve and boundaries."""

from __future__ import annotations

import argparse
from pathlib import Path

from phasediagram.cli.assuming import add_model, model_of
from phasediagram.cli.options import (
    Parser,
    add_json,
    add_size,
    add_weights,
    answer,
    hidden_dimensions,
    progress_bar,
    will_write,
    writable,
)


def add_solve(verbs: argparse._SubParsersAction[Parser]) -> None:
    solve = verbs.add_parser(
        "solve",
        help="solve one point: phase, loss, W, b, all local minima",
        description="Print the lowest minimum at one density and relative importance, and "
        "every other local minimum.",
    )
    solve.add_argument(
        "--density",
        type=float,
        required=True,
        nargs="+",
        metavar="P",
        help="in (0, 1]; one, or one for each feature",
    )
    solve.add_argument("--relative-importance", type=float, metavar="R", help="above 0")
    solve.add_argument(
        "--importance", type=float, nargs="+", metavar="I", help="instead, one for each feature"
    )
    add_size(solve)
    add_weights(solve)
    add_model(solve)
    add_json(solve)
    solve.set_defaults(run=_solve)


def _solve(options: argparse.Namespace) -> int:
    from phasediagram.files.documents import record
    from phasediagram.files.tables import solution_table
    from phasediagram.minima.solving import solve

    if (options.relative_importance is None) == (options.importance is None):
        raise ValueError("one of --relative-importance and --importance must be given")
    several = len(options.density) > 1
    model = model_of(options)
    with progress_bar("solving") as progress:
        solution = solve(
            options.density if several else options.density[0],
            1.0 if options.relative_importance is None else options.relative_importance,
            options.features,
            hidden_dimensions(options),
            options.weights,
            importance=options.importance,
            model=None if model.is_standard else model,
            progress=progress,
        )
    answer(options, solution_table(solution), lambda: record(solution))
    return 0


def add_boundaries(verbs: argparse._SubParsersAction[Parser]) -> None:
    boundaries = verbs.add_parser(
        "boundaries",
        help="trace every boundary and special point",
        description="Trace boundaries, spinodals and special points of free weights, print a "
        "table and save all points. Takes seconds for 2 features, a minute or two for 3, less "
        "than half of it without spinodals.",
    )
    add_size(boundaries)
    boundaries.add_argument(
        "--no-spinodals", action="store_true", help="leave out limits of metastability"
    )
    boundaries.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="a .csv or .json file for every point of every curve, or a .tex file of pgfplots "
        "coordinates, to be \\input",
    )
    add_json(boundaries)
    boundaries.set_defaults(run=_boundaries)


def _boundaries(options: argparse.Namespace) -> int:
    from phasediagram.boundaries.tracing import phase_boundaries
    from phasediagram.files.documents import record, result_json
    from phasediagram.files.pgfplots import boundaries_pgfplots
    from phasediagram.files.spreadsheets import boundaries_csv
    from phasediagram.files.tables import boundaries_table

    formats = {".csv": boundaries_csv, ".json": result_json, ".tex": boundaries_pgfplots}
    path = None if options.output is None else writable(options.output, tuple(formats))
    with progress_bar("tracing boundaries", will_write(path)) as progress:
        boundaries = phase_boundaries(
            options.features,
            hidden_dimensions(options),
            spinodals=not options.no_spinodals,
            progress=progress,
        )
    if path is not None:
        path.write_text(formats[path.suffix.lower()](boundaries), encoding="utf-8")
    wrote = [] if path is None else [path]
    answer(options, boundaries_table(boundaries), lambda: record(boundaries), wrote)
    return 0
