"""The verbs that derive, train and check: derive, train and verify."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from phasediagram.cli.grouping import train_many
from phasediagram.cli.options import (
    CHECK_FAILED,
    INTERRUPTED,
    Parser,
    add_json,
    add_size,
    add_spinodals,
    answer,
    figure_path,
    hidden_dimensions,
    progress_bar,
    spinodals_of,
    will_write,
    writable,
)


def add_derive(verbs: argparse._SubParsersAction[Parser]) -> None:
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


def add_train(verbs: argparse._SubParsersAction[Parser]) -> None:
    train = verbs.add_parser(
        "train",
        help="train models by gradient descent and compare them with theory",
        description="Train models over a grid of densities and relative importances, save them, "
        "and print which minima they ended in. Ctrl-C keeps what is finished. Models of more than "
        "8 features are trained over densities alone, and next to the lowest groups of features.",
    )
    add_size(train)
    train.add_argument(
        "--grid", type=int, default=32, metavar="K", help="points along each axis; default: 32"
    )
    train.add_argument(
        "--densities", type=float, nargs="+", metavar="P",
        help="with more than 8 features; default: as many as --grid says, from 1 to 0.01",
    )  # fmt: skip
    train.add_argument(
        "--groups", type=Path, metavar="FILE",
        help="with more than 8 features, groups to compare with, a file of geometry --save",
    )  # fmt: skip
    train.add_argument("--seeds", type=int, default=8, metavar="S", help="per point; default: 8")
    train.add_argument("--steps", type=int, default=10_000, metavar="N", help="default: 10000")
    train.add_argument(
        "--learning-rate", type=float, metavar="RATE", help="default: 0.001, for sgd 0.01"
    )
    train.add_argument(
        "--optimizer",
        choices=["adam", "sgd", "exact"],
        default="adam",
        help="exact follows the gradient without sampling noise; default: %(default)s",
    )
    train.add_argument("--rng", type=int, default=0, metavar="SEED", help="default: 0")
    train.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("training.npz"),
        metavar="FILE",
        help="an .npz file; default: %(default)s",
    )
    train.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="keep the sweep's state here, and go on from it if the file exists",
    )
    train.add_argument(
        "--figure", type=Path, metavar="FILE", help="draw the runs: a .png, .pdf or .svg file"
    )
    add_spinodals(train)
    add_json(train)
    train.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> int:
    import numpy as np

    from phasediagram.atlas.diagram import phase_diagram
    from phasediagram.boundaries.tracing import phase_boundaries
    from phasediagram.comparison.agreement import compare
    from phasediagram.files.documents import record
    from phasediagram.files.storing import save
    from phasediagram.files.tables import agreements_table
    from phasediagram.model import (
        DENSITY_RANGE,
        MAX_FEATURES,
        MAX_TRACED_FEATURES,
        RELATIVE_IMPORTANCE_RANGE,
    )
    from phasediagram.plotting import draw_training, save_figure
    from phasediagram.training.descent import train

    path = writable(options.output, (".npz",))
    figure_file = None if options.figure is None else figure_path(options.figure)
    if not 2 <= options.grid <= 1024:
        raise ValueError(f"--grid must be between 2 and 1024, got {options.grid}")
    density = np.geomspace(*DENSITY_RANGE[::-1], options.grid)
    if options.features > MAX_FEATURES:
        return train_many(options, options.densities or density.tolist())
    if (options.densities, options.groups) != (None, None):
        raise ValueError(
            f"--densities and --groups go with more than {MAX_FEATURES} features, "
            f"got {options.features}"
        )
    importance = np.geomspace(*RELATIVE_IMPORTANCE_RANGE, options.grid)
    size = options.features, hidden_dimensions(options)
    with progress_bar("training", will_write(path, options.checkpoint, figure_file)) as progress:
        training = train(
            density[:, None],
            importance[None, :],
            *size,
            seeds=options.seeds,
            steps=options.steps,
            optimizer=options.optimizer,
            learning_rate=options.learning_rate,
            rng=options.rng,
            progress=progress,
            checkpoint=options.checkpoint,
        )
    save(path, training)
    wrote = [path]
    if not training.completed.any():
        print(f"wrote {path}, interrupted before any run was finished", file=sys.stderr)
        return INTERRUPTED
    with progress_bar("solving", f"wrote {path}") as progress:
        diagram = phase_diagram(density, importance, *size, progress=progress)
    agreement = compare(diagram, training)
    if figure_file is not None:
        boundaries = None
        if options.features <= MAX_TRACED_FEATURES:
            with progress_bar("tracing boundaries", will_write(figure_file)) as progress:
                boundaries = phase_boundaries(
                    *size, spinodals=options.spinodals is not None, progress=progress
                )
        figure = draw_training(
            training, agreement, diagram, boundaries, spinodals=spinodals_of(options)
        )
        save_figure(figure, figure_file)
        wrote.append(figure_file)
    answer(options, agreements_table([agreement]), lambda: record(agreement), wrote)
    if not training.completed.all():
        return INTERRUPTED
    return 0 if agreement.optimal else CHECK_FAILED


def add_verify(verbs: argparse._SubParsersAction[Parser]) -> None:
    verify = verbs.add_parser(
        "verify",
        help="check every derivation",
        description="Run every check of every derivation and print a table; "
        "exit status 1 if any fails.",
    )
    verify.add_argument(
        "--training",
        action="store_true",
        help="check theory against training instead: about a minute; exit status 1 if any "
        "trained model is below the theoretical minimum",
    )
    add_json(verify)
    verify.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    if options.training:
        return _verify_training(options)
    if options.json:
        return _verify_as_json()
    from derivations.__main__ import check_all

    return 0 if check_all() else CHECK_FAILED


def _verify_as_json() -> int:
    import derivations
    from phasediagram.files.documents import as_json

    results = [check for name in derivations.names() for check in derivations.derive(name).check()]
    print(as_json([asdict(result) for result in results]))
    return 0 if all(result.passed for result in results) else CHECK_FAILED


def _verify_training(options: argparse.Namespace) -> int:
    from phasediagram.comparison.verification import verify_training
    from phasediagram.files.documents import record
    from phasediagram.files.tables import agreements_table

    with progress_bar("training") as progress:
        agreements = verify_training(progress)
    answer(options, agreements_table(agreements), lambda: list(map(record, agreements)))
    return 0 if all(agreement.optimal for agreement in agreements) else CHECK_FAILED
