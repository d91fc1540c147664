"""The verbs that draw: draw and losses."""

from __future__ import annotations

import argparse
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
from phasediagram.cli.options import (
    Parser,
    add_figure,
    add_json,
    add_size,
    add_spinodals,
    add_weights,
    answer,
    ascending,
    figure_path,
    hidden_dimensions,
    progress_bar,
    spinodals_of,
    will_write,
)

if TYPE_CHECKING:
    from phasediagram.regions.result import PhaseRegions
    from phasediagram.results import LossSection, PhaseBoundaries, PhaseDiagram


def add_draw(verbs: argparse._SubParsersAction[Parser]) -> None:
    draw = verbs.add_parser(
        "draw",
        help="draw a phase diagram",
        description="Draw a phase diagram and print what share of it each phase holds. With free "
        "weights and up to 5 features, the boundaries in its window are traced, solid first order, "
        "dashed continuous, and the regions are the polygons between them. Where special points "
        "crowd, a further panel magnifies them. Takes about 6 seconds for 2 features.",
    )
    add_size(draw)
    add_weights(draw)
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
    add_spinodals(draw)
    draw.add_argument(
        "--grid", type=int, default=128, metavar="K", help="points along each axis; default: 128"
    )
    add_axes(draw, ("x", "y"))
    add_model(draw)
    add_held(draw)
    add_figure(draw, "phase_diagram.png")
    add_json(draw)
    draw.set_defaults(run=_draw)


def _draw(options: argparse.Namespace) -> int:
    import numpy as np

    from phasediagram.atlas.diagram import phase_diagram
    from phasediagram.boundaries.tracing import phase_boundaries
    from phasediagram.model import MAX_TRACED_FEATURES
    from phasediagram.plotting import draw_comparison, draw_figure, save_figure

    path = figure_path(options.output)
    if not 2 <= options.grid <= 4096:
        raise ValueError(f"--grid must be between 2 and 4096, got {options.grid}")
    hidden = hidden_dimensions(options)
    if is_assumed(options):
        return _draw_assumed(options)
    grid = (
        np.geomspace(*ascending("--density-range", options.density_range)[::-1], options.grid),
        np.geomspace(*ascending("--importance-range", options.importance_range), options.grid),
    )
    with progress_bar("solving", will_write(path)) as progress:
        diagram = phase_diagram(*grid, options.features, hidden, options.weights, progress)
    boundaries = None
    traced = options.weights == "free" and options.features <= MAX_TRACED_FEATURES
    if traced and not options.no_boundaries:
        with progress_bar("tracing boundaries") as progress:
            boundaries = phase_boundaries(
                options.features,
                hidden,
                spinodals=options.spinodals is not None,
                progress=progress,
                density=ascending("--density-range", options.density_range),
                relative_importance=ascending("--importance-range", options.importance_range),
            )
    regions = _regions(boundaries, diagram)
    spinodals = spinodals_of(options)
    if options.compare:
        with progress_bar("comparing") as progress:
            other = phase_diagram(*grid, options.features, hidden, options.compare, progress)
        figure = draw_comparison(diagram, other, regions, spinodals=spinodals)
        excess = other.loss / diagram.loss - 1
    else:
        figure = draw_figure(diagram, regions, spinodals=spinodals)
    save_figure(figure, path)
    lines = [
        f"n = {diagram.n_features}, m = {diagram.n_hidden}, {diagram.weights} weights, "
        f"{options.grid} x {options.grid} points",
        *_said(_shares(diagram, regions), regions),
    ]
    document = _document(diagram, regions)
    if options.compare:
        row, column = np.unravel_index(excess.argmax(), excess.shape)
        place = diagram.density[row], diagram.relative_importance[column]
        lines.append(
            f"{options.compare} weights cost up to {100 * excess.max():.1f} % more loss, "
            f"at density {place[0]:.4g} and relative importance {place[1]:.4g}; "
            f"{100 * excess.mean():.1f} % on average"
        )
        document["excess"] = {
            "weights": options.compare,
            "largest": float(excess.max()),
            "density": float(place[0]),
            "relative_importance": float(place[1]),
            "mean": float(excess.mean()),
        }
    answer(options, "\n".join(lines), lambda: document, [path])
    return 0


def _draw_assumed(options: argparse.Namespace) -> int:
    """Draw the diagram of another model, or on other axes."""
    from phasediagram.atlas.diagram import phase_diagram
    from phasediagram.boundaries.tracing import phase_boundaries
    from phasediagram.model import MAX_TRACED_FEATURES
    from phasediagram.plotting import draw_figure, save_figure

    if options.compare or options.weights != "free":
        raise ValueError("--weights and --compare are for the paper's model on its own axes")
    if (options.x is None) != (options.y is None):
        raise ValueError("--x and --y must both be given or both be left out")
    ends = {
        "x": ["relative_importance", *map(str, options.importance_range)],
        "y": ["density", *map(str, options.density_range)],
    }
    axes = {
        name: axis_of(name, getattr(options, name) or ends[name], options.grid) for name in ends
    }
    arguments = {**axes, **held_of(options), "model": model_of(options)}
    with progress_bar("solving", will_write(options.output)) as progress:
        diagram = phase_diagram(progress=progress, **arguments)
    boundaries = None
    traced = options.features <= MAX_TRACED_FEATURES and options.activation == "relu"
    if traced and not options.no_boundaries:
        with progress_bar("tracing boundaries") as progress:
            boundaries = phase_boundaries(
                spinodals=options.spinodals is not None, progress=progress, **arguments
            )
    regions = _regions(boundaries, diagram)
    save_figure(draw_figure(diagram, regions, spinodals=spinodals_of(options)), options.output)
    title = f"{diagram.model or model_of(options)!r}, {options.grid} x {options.grid} points"
    lines = "\n".join([title, *_said(_shares(diagram, regions), regions)])
    answer(options, lines, lambda: _document(diagram, regions), [options.output])
    return 0


def _regions(boundaries: PhaseBoundaries | None, diagram: PhaseDiagram) -> PhaseRegions | None:
    from phasediagram.plotting.phases import regions_for

    with progress_bar("filling regions"):
        return regions_for(diagram, boundaries)


def _shares(diagram: PhaseDiagram, regions: PhaseRegions | None) -> dict[str, Any]:
    """Return what share each phase holds: of the area, if its regions are known, or of the grid."""
    if regions is not None and regions.is_closed:
        return {"shares_of": "area", "shares": regions.shares()}
    return {"shares_of": "grid", "shares": diagram.shares()}


def _said(shares: dict[str, Any], regions: PhaseRegions | None) -> list[str]:
    """Say what share each phase holds, and what is amiss with the regions."""
    width = max(map(len, shares["shares"]))
    what = "the window's area" if shares["shares_of"] == "area" else "the grid's points"
    lines = [f"shares of {what}:"]
    lines += [f"  {name:<{width}}  {_percent(x)}" for name, x in shares["shares"].items()]
    return [*lines, *_amiss(regions)]


def _amiss(regions: PhaseRegions | None) -> list[str]:
    """Return what keeps regions from being closed, and where they contradict the solver."""
    if regions is None:
        return []
    return [
        *(
            f"the regions are the grid's: {end.reason}, at {end.density:g}, "
            f"{end.relative_importance:g}"
            for end in regions.open_ends
        ),
        *(
            f"the lowest minimum and the boundaries disagree: {disagreement}"
            for disagreement in regions.disagreements
        ),
    ]


def _document(diagram: PhaseDiagram, regions: PhaseRegions | None) -> dict[str, Any]:
    """Return what is printed as JSON has it."""
    from phasediagram.files.documents import record

    return {**record(diagram), **_shares(diagram, regions), "amiss": _amiss(regions)}


def _percent(share: float) -> str:
    return f"{100 * share:5.1f} %" if share >= 0.0005 else f"{100 * share:.1g} %"


def add_losses(verbs: argparse._SubParsersAction[Parser]) -> None:
    losses = verbs.add_parser(
        "losses",
        help="draw the losses of all minima along a line",
        description="Draw the losses of all minima against relative importance at one density, "
        "or against density at one relative importance: the lowest solid, others dashed.",
    )
    line = losses.add_mutually_exclusive_group()
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
    add_size(losses)
    add_axes(losses, ("x",))
    add_model(losses)
    add_held(losses)
    add_figure(losses, "losses.png")
    add_json(losses)
    losses.set_defaults(run=_losses)


def _losses(options: argparse.Namespace) -> int:
    from phasediagram.files.documents import record
    from phasediagram.plotting import PAGE_WIDTH, paper_figure, plot_losses, save_figure

    path = figure_path(options.output)
    if not 2 <= options.points <= 10000:
        raise ValueError(f"--points must be between 2 and 10000, got {options.points}")
    section = _section(options)
    with paper_figure(0.75 * PAGE_WIDTH) as figure:
        plot_losses(section, figure.add_subplot(), legend_columns=4)
    save_figure(figure, path)
    found = "\n".join(transition.description for transition in section.transitions)
    answer(options, found or "the lowest minimum does not change", lambda: record(section), [path])
    return 0


def _section(options: argparse.Namespace) -> LossSection:
    import numpy as np

    from phasediagram.sections.loss import loss_section

    if options.x is not None:
        if options.density is not None or options.relative_importance is not None or options.range:
            raise ValueError("--x excludes --density, --relative-importance and --range")
        axis = axis_of("x", options.x, options.points)
        return loss_section(x=axis, model=model_of(options), **held_of(options))
    if (options.density is None) == (options.relative_importance is None):
        raise ValueError("one of --density, --relative-importance and --x must be given")
    low, high = ascending(
        "--range", options.range or ((0.5, 2.0) if options.density else (0.3, 1.0))
    )
    along = np.geomspace(low, high, options.points)
    held = {"model": model_of(options), **held_of(options)}
    if options.density is not None:
        return loss_section(options.density, along, **held)
    return loss_section(along, options.relative_importance, **held)
