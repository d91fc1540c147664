"""The verb geometry, and the training of many features next to it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phasediagram.cli.options import (
    INTERRUPTED,
    Parser,
    add_json,
    answer,
    ascending,
    figure_path,
    hidden_dimensions,
    progress_bar,
    will_write,
    writable,
)

if TYPE_CHECKING:
    from phasediagram.comparison.plateaus import PlateauAgreement
    from phasediagram.grouping.families import GroupCatalogue
    from phasediagram.grouping.result import Geometry
    from phasediagram.training.result import TrainingResult

_POINTS = 81


def add_geometry(verbs: argparse._SubParsersAction[Parser]) -> None:
    verb = verbs.add_parser(
        "geometry",
        help="which groups of features cost least at which density",
        description="Find the lowest loss over orthogonal groups of features, digons, triangles, "
        "pentagons and others, and where it changes. Groups of up to 8 features take "
        "long, once; --directory goes on from what is done, --save keeps them.",
    )
    verb.add_argument("--features", type=int, default=400, metavar="N", help="default: 400")
    verb.add_argument("--hidden", type=int, default=30, metavar="M", help="default: 30")
    verb.add_argument(
        "--density-range", type=float, nargs=2, default=(0.01, 0.6), metavar=("FROM", "TO"),
        help="default: 0.01 0.6",
    )  # fmt: skip
    verb.add_argument(
        "--max-features", type=int, default=5, metavar="K",
        help="the largest group, up to 8; default: %(default)s",
    )  # fmt: skip
    verb.add_argument(
        "--max-hidden", type=int, default=4, metavar="D",
        help="the most dimensions of a group; default: %(default)s",
    )  # fmt: skip
    verb.add_argument(
        "--only", nargs="+", metavar="NAME", help="groups to choose from; default: all"
    )
    verb.add_argument(
        "--searched", type=float, nargs="+", metavar="P",
        help="densities at which groups are searched; default: 6, evenly in the logarithm",
    )  # fmt: skip
    verb.add_argument(
        "--starts", type=int, default=40, metavar="K",
        help="of the search at each density; default: %(default)s",
    )  # fmt: skip
    verb.add_argument(
        "--directory", type=Path, metavar="DIR",
        help="keep the groups of each size here, and go on from there if it exists",
    )  # fmt: skip
    verb.add_argument("--groups", type=Path, metavar="FILE", help="a file that --save wrote")
    verb.add_argument("--save", type=Path, metavar="FILE", help="a .npz file for the groups")
    verb.add_argument("-o", "--output", type=Path, metavar="FILE", help="a .png, .pdf or .svg file")
    add_json(verb)
    verb.set_defaults(run=_geometry)


def _geometry(options: argparse.Namespace) -> int:
    import numpy as np

    from phasediagram.files.documents import record
    from phasediagram.files.storing import load, save
    from phasediagram.grouping.families import GroupCatalogue
    from phasediagram.grouping.finding import find_groups
    from phasediagram.grouping.solving import geometry

    low, high = ascending("density range", options.density_range)
    path = None if options.output is None else figure_path(options.output)
    kept = None if options.save is None else writable(options.save, (".npz",))
    if options.groups is not None:
        groups = load(options.groups, GroupCatalogue)
    else:
        with progress_bar("searching", will_write(kept, path)) as progress:
            groups = find_groups(
                (low, high),
                max_features=options.max_features,
                max_hidden=options.max_hidden,
                searched=options.searched,
                starts=options.starts,
                progress=progress,
                directory=options.directory,
            )
    wrote = []
    if kept is not None:
        save(kept, groups)
        wrote.append(kept)
    found = geometry(
        np.geomspace(low, high, _POINTS),
        options.features,
        options.hidden,
        groups=groups,
        only=options.only,
    )
    if path is not None:
        from phasediagram.plotting import paper_figure, plot_geometry, save_figure

        with paper_figure() as figure:
            plot_geometry(found, figure.add_subplot())
            save_figure(figure, path)
        wrote.append(path)
    answer(options, "\n".join(_lines(found, len(groups.groups))), lambda: record(found), wrote)
    return 0


def _lines(found: Geometry, count: int) -> list[str]:
    density = found.density
    lines = [f"{count} groups; between densities {density[0]:g} and {density[-1]:g}:"]
    lines.append(f"  {_listed(found.mixture(0))}")
    for change in found.transitions:
        lines += [f"at {change.density:.10f}", f"  {_listed(change.above)}"]
    for name in sorted(set(found.stability) - {"minimum"}):
        where = density[[kind == name for kind in found.stability]]
        lines.append(
            f"{name} of the whole model at densities {where.min():.4g} to {where.max():.4g}"
        )
    return lines


def _listed(mixture: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in mixture.items())


def train_many(options: argparse.Namespace, densities: Sequence[float]) -> int:
    """Train models of more than 8 features, and say which groups they form."""
    from phasediagram.comparison.plateaus import compare_geometry
    from phasediagram.files.storing import load, save
    from phasediagram.grouping.families import GroupCatalogue
    from phasediagram.toymodel.models import ToyModel
    from phasediagram.training.descent import train

    path = writable(options.output, (".npz",))
    figure_file = None if options.figure is None else figure_path(options.figure)
    if figure_file is not None and options.groups is None:
        raise ValueError("--figure needs --groups with so many features")
    groups = None if options.groups is None else load(options.groups, GroupCatalogue)
    with progress_bar("training", will_write(path, options.checkpoint, figure_file)) as progress:
        training = train(
            densities,
            model=ToyModel(options.features, hidden_dimensions(options)),
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
    found = None if groups is None else compare_geometry(training, groups)
    if figure_file is not None and found is not None and groups is not None:
        _draw_trained(found, groups, training, figure_file)
        wrote.append(figure_file)
    rows = _trained_rows(training, found)
    answer(options, _trained_table(rows), lambda: {"networks": rows}, wrote)
    return 0 if training.completed.all() else INTERRUPTED


def _draw_trained(
    found: PlateauAgreement, groups: GroupCatalogue, training: TrainingResult, path: Path
) -> None:
    import numpy as np

    from phasediagram.grouping.solving import geometry
    from phasediagram.plotting import paper_figure, plot_plateaus, save_figure

    lowest = geometry(
        np.geomspace(*groups.density, _POINTS),
        training.n_features,
        training.n_hidden,
        groups=groups,
    )
    with paper_figure() as figure:
        plot_plateaus(found, lowest, figure.add_subplot())
        save_figure(figure, path)


def _trained_rows(training: TrainingResult, found: PlateauAgreement | None) -> list[dict[str, Any]]:
    """Return what is said of each network that was completed."""
    import numpy as np

    runs = training.completed.ravel() & np.isfinite(training.loss.ravel())
    density = np.repeat(training.density.ravel(), training.seeds)[runs]
    W = training.W.reshape(-1, training.n_hidden, training.n_features)[runs]
    errors = training.loss_error
    rows: list[dict[str, Any]] = []
    for k, p in enumerate(density.tolist()):
        row = {
            "density": p,
            "loss": float(training.loss.ravel()[runs][k]),
            "loss_error": None if errors is None else float(errors.ravel()[runs][k]),
            "norm_per_dimension": float((W[k] ** 2).sum() / training.n_hidden),
        }
        if found is not None:
            shares = [None if np.isnan(share) else share for share in found.shares()[k].tolist()]
            row |= {
                "lowest_groups": float(found.lowest[k]),
                "represented": int((found.by_group[k] != "ignored").sum()),
                "equilibrium": shares[0],
                "metastable": shares[1],
                "none": shares[2],
                "groups": found.groups_of(k),
            }
        rows.append(row)
    return rows


def _standings(row: dict[str, Any]) -> str:
    if not row["represented"]:
        return "no feature is represented"
    return (
        f"of {row['represented']} represented features {row['equilibrium']:.0%} in lowest groups, "
        f"{row['metastable']:.0%} in metastable ones, {row['none']:.0%} in none"
    )


def _trained_table(rows: list[dict[str, Any]]) -> str:
    lines = []
    for row in rows:
        error = "" if row["loss_error"] is None else f" ± {row['loss_error']:.4f}"
        line = f"density {row['density']:.4g}: loss {row['loss']:.5g}{error}, "
        line += f"|W|^2/m {row['norm_per_dimension']:.3f}"
        if "groups" in row:
            line += f", lowest sum of groups {row['lowest_groups']:.5g}; " + _standings(row)
        lines.append(line)
    return "\n".join(lines)
