"""The verbs that solve and print: solve and boundaries."""

from __future__ import annotations

import argparse
from pathlib import Path

from phasediagram.cli.assuming import add_model, model_of
from phasediagram.cli.options import (
    Parser,
    add_size,
    add_weights,
    hidden_dimensions,
    progress_bar,
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
    solve.add_argument("--json", action="store_true", help="JSON with all digits")
    solve.set_defaults(run=_solve)


def _solve(options: argparse.Namespace) -> int:
    from phasediagram.files.tables import solution_json, solution_table
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
    print(solution_json(solution) if options.json else solution_table(solution))
    return 0


def add_boundaries(verbs: argparse._SubParsersAction[Parser]) -> None:
    boundaries = verbs.add_parser(
        "boundaries",
        help="trace every boundary and special point",
        description="Trace boundaries, spinodals and special points of free weights, print a "
        "table and save all points. Takes about 12 seconds for 2 features, 75 for 3; without "
        "spinodals 8 and 43.",
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
    boundaries.set_defaults(run=_boundaries)


def _boundaries(options: argparse.Namespace) -> int:
    from phasediagram.boundaries.tracing import phase_boundaries
    from phasediagram.files.pgfplots import boundaries_pgfplots
    from phasediagram.files.tables import boundaries_csv, boundaries_json, boundaries_table

    formats = {
        ".csv": boundaries_csv,
        ".json": boundaries_json,
        ".tex": boundaries_pgfplots,
    }
    path = None if options.output is None else writable(options.output, tuple(formats))
    with progress_bar("tracing boundaries") as progress:
        boundaries = phase_boundaries(
            options.features,
            hidden_dimensions(options),
            spinodals=not options.no_spinodals,
            progress=progress,
        )
    print(boundaries_table(boundaries))
    if path is not None:
        path.write_text(formats[path.suffix.lower()](boundaries), encoding="utf-8")
        print(f"wrote {path}")
    return 0
