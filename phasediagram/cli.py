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
    _add_solve(verbs)
    _add_boundaries(verbs)
    _add_losses(verbs)
    _add_derive(verbs)
    _add_verify(verbs)
    return parser


def _add_draw(verbs: argparse._SubParsersAction[_Parser]) -> None:
    draw = verbs.add_parser(
        "draw",
        help="draw a phase diagram",
        description="Draw a phase diagram and print what share of it each phase holds. With free "
        "weights, for 2 features or 3 in 2 dimensions, the boundaries are traced on top: solid "
        "first order, dashed continuous, dotted spinodal.",
    )
    _add_size(draw)
    _add_weights(draw)
    draw.add_argument(
        "--compare",
        choices=["canonical", "optimized"],
        help="draw the diagram of these weights beside it, and their excess loss",
    )
    draw.add_argument(
        "--density-range",
        type=float,
        nargs=2,
        default=(0.01, 1.0),
        metavar=("FROM", "TO"),
        help="default: 0.01 1",
    )
    draw.add_argument(
        "--importance-range",
        type=float,
        nargs=2,
        default=(0.1, 10.0),
        metavar=("FROM", "TO"),
        help="of the relative importance; default: 0.1 10",
    )
    draw.add_argument("--no-boundaries", action="store_true", help="only the grid, which is faster")
    draw.add_argument(
        "--no-spinodals", action="store_true", help="leave out limits of metastability"
    )
    draw.add_argument(
        "--grid", type=int, default=128, metavar="K", help="points along each axis; default: 128"
    )
    _add_figure(draw, "phase_diagram.png")
    draw.set_defaults(run=_draw)


def _add_size(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--features", type=int, default=2, metavar="N", help="default: 2")
    verb.add_argument("--hidden", type=int, metavar="M", help="default: one less than features")


def _hidden(options: argparse.Namespace) -> int:
    return int(options.features - 1 if options.hidden is None else options.hidden)


def _add_weights(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--weights",
        default="free",
        choices=["free", "optimized", "canonical"],
        help="what may vary: everything, each configuration's scales and biases, or nothing "
        "(the literature's weights); default: %(default)s",
    )


def _add_figure(verb: argparse.ArgumentParser, default: str) -> None:
    verb.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path(default),
        metavar="FILE",
        help="a .png, .pdf or .svg file; default: %(default)s",
    )


def _draw(options: argparse.Namespace) -> int:
    import numpy as np

    from phasediagram.boundaries import TRACED_SIZES, phase_boundaries
    from phasediagram.diagram import phase_diagram
    from phasediagram.plotting import draw_comparison, draw_figure, save_figure

    path = _figure_path(options.output)
    if not 2 <= options.grid <= 4096:
        raise ValueError(f"--grid must be between 2 and 4096, got {options.grid}")
    hidden = _hidden(options)
    grid = (
        np.geomspace(*_ascending("--density-range", options.density_range)[::-1], options.grid),
        np.geomspace(*_ascending("--importance-range", options.importance_range), options.grid),
    )
    with _progress("solving") as progress:
        diagram = phase_diagram(*grid, options.features, hidden, options.weights, progress)
    boundaries = None
    traced = options.weights == "free" and (options.features, hidden) in TRACED_SIZES
    if traced and not options.no_boundaries:
        with _progress("tracing boundaries") as progress:
            boundaries = phase_boundaries(
                options.features, hidden, spinodals=not options.no_spinodals, progress=progress
            )
    if options.compare:
        other = phase_diagram(*grid, options.features, hidden, options.compare)
        figure = draw_comparison(diagram, other, boundaries)
        excess = other.loss / diagram.loss - 1
    else:
        figure = draw_figure(diagram, boundaries)
    save_figure(figure, path)
    print(
        f"n = {diagram.n_features}, m = {diagram.n_hidden}, {diagram.weights} weights, "
        f"{options.grid} x {options.grid} points"
    )
    shares = diagram.shares()
    width = max(map(len, shares))
    for name, share in shares.items():
        print(f"  {name:<{width}}  {100 * share:5.1f} %")
    if options.compare:
        row, column = np.unravel_index(excess.argmax(), excess.shape)
        print(
            f"{options.compare} weights cost up to {100 * excess.max():.1f} % more loss, "
            f"at density {diagram.density[row]:.4g} and relative importance "
            f"{diagram.relative_importance[column]:.4g}; {100 * excess.mean():.1f} % on average"
        )
    print(f"wrote {path}")
    return 0


def _add_solve(verbs: argparse._SubParsersAction[_Parser]) -> None:
    solve = verbs.add_parser(
        "solve",
        help="solve one point: phase, loss, W, b, all local minima",
        description="Print the lowest minimum at one density and relative importance, and "
        "every other local minimum.",
    )
    solve.add_argument("--density", type=float, required=True, metavar="P", help="in (0, 1]")
    solve.add_argument(
        "--relative-importance", type=float, required=True, metavar="R", help="above 0"
    )
    _add_size(solve)
    _add_weights(solve)
    solve.add_argument("--json", action="store_true", help="JSON with all digits")
    solve.set_defaults(run=_solve)


def _solve(options: argparse.Namespace) -> int:
    from phasediagram.diagram import solve
    from phasediagram.tables import solution_json, solution_table

    solution = solve(
        options.density,
        options.relative_importance,
        options.features,
        _hidden(options),
        options.weights,
    )
    print(solution_json(solution) if options.json else solution_table(solution))
    return 0


def _add_boundaries(verbs: argparse._SubParsersAction[_Parser]) -> None:
    boundaries = verbs.add_parser(
        "boundaries",
        help="trace every boundary and special point",
        description="Trace boundaries, spinodals and special points of free weights, print a "
        "table and save all points.",
    )
    _add_size(boundaries)
    boundaries.add_argument(
        "--no-spinodals", action="store_true", help="leave out limits of metastability"
    )
    boundaries.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="a .csv or .json file for every point of every curve",
    )
    boundaries.set_defaults(run=_boundaries)


def _boundaries(options: argparse.Namespace) -> int:
    from phasediagram.boundaries import phase_boundaries
    from phasediagram.tables import boundaries_csv, boundaries_json, boundaries_table

    formats = {".csv": boundaries_csv, ".json": boundaries_json}
    path = None if options.output is None else _writable(options.output, tuple(formats))
    with _progress("tracing boundaries") as progress:
        boundaries = phase_boundaries(
            options.features,
            _hidden(options),
            spinodals=not options.no_spinodals,
            progress=progress,
        )
    print(boundaries_table(boundaries))
    if path is not None:
        path.write_text(formats[path.suffix.lower()](boundaries), encoding="utf-8")
        print(f"wrote {path}")
    return 0


def _add_losses(verbs: argparse._SubParsersAction[_Parser]) -> None:
    losses = verbs.add_parser(
        "losses",
        help="draw the losses of all minima along a line",
        description="Draw the losses of all minima against relative importance at one density, "
        "or against density at one relative importance: the lowest solid, others dashed.",
    )
    line = losses.add_mutually_exclusive_group(required=True)
    line.add_argument("--density", type=float, metavar="P", help="in (0, 1]")
    line.add_argument("--relative-importance", type=float, metavar="R", help="above 0")
    losses.add_argument(
        "--range",
        type=float,
        nargs=2,
        metavar=("FROM", "TO"),
        help="of the other quantity; default: 0.5 to 2 times, or densities 0.3 to 1",
    )
    losses.add_argument("--points", type=int, default=200, metavar="K", help="default: 200")
    _add_size(losses)
    _add_figure(losses, "losses.png")
    losses.set_defaults(run=_losses)


def _losses(options: argparse.Namespace) -> int:
    import numpy as np
    from matplotlib.figure import Figure

    from phasediagram.plotting import plot_losses, save_figure
    from phasediagram.sections import loss_section

    path = _figure_path(options.output)
    if not 2 <= options.points <= 10000:
        raise ValueError(f"--points must be between 2 and 10000, got {options.points}")
    low, high = _ascending(
        "--range", options.range or ((0.5, 2.0) if options.density else (0.3, 1.0))
    )
    along = np.geomspace(low, high, options.points)
    if options.density is not None:
        section = loss_section(options.density, along, options.features, _hidden(options))
    else:
        section = loss_section(
            along, options.relative_importance, options.features, _hidden(options)
        )
    figure = Figure(figsize=(6.0, 4.2), layout="constrained")
    plot_losses(section, figure.add_subplot())
    save_figure(figure, path)
    print(f"wrote {path}")
    return 0


def _ascending(name: str, values: Sequence[float]) -> tuple[float, float]:
    low, high = values
    if not 0 < low < high:
        raise ValueError(f"{name} must be two ascending positive numbers, got {low:g} {high:g}")
    return low, high


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
    from phasediagram.plotting import FIGURE_FORMATS

    return _writable(path, FIGURE_FORMATS)


def _writable(path: Path, formats: tuple[str, ...]) -> Path:
    """Refuse before any work what could not be written after it."""
    if path.suffix.lower() not in formats:
        allowed = ", ".join(formats)
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
