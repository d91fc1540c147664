"""Results as tables, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasediagram.comparison.agreement import OUTCOMES, Agreement
from phasediagram.comparison.basins import Basins
from phasediagram.files.assumptions import axis_names
from phasediagram.grouping.families import GroupCatalogue
from phasediagram.grouping.result import Geometry
from phasediagram.results import LossSection, Minimum, PhaseBoundaries, Solution

Array = NDArray[np.float64]

_DIGITS = 10


def solution_table(solution: Solution) -> str:
    """Return a solution for reading: the lowest minimum in full, then a row for each.

    Parameters
    ----------
    solution : Solution

    Returns
    -------
    str
    """
    header = (
        f"density {_listed(solution.density)}, {_importance(solution)}, "
        f"n = {solution.n_features}, m = {solution.n_hidden}, {solution.weights} weights"
    )
    lines = [
        header,
        f"phase    {solution.phase} (the extra feature: {solution.outcome})",
        f"loss     {solution.loss:.{_DIGITS + 2}g}",
        *_labelled("W", solution.W),
        *_labelled("b", solution.b[None]),
        "",
        _minima_table(solution.minima),
    ]
    return "\n".join(lines)


def _listed(values: float | Array) -> str:
    return ", ".join(f"{value:g}" for value in np.ravel(values))


def _importance(solution: Solution) -> str:
    if solution.importance is None:
        return f"relative importance {solution.relative_importance:g}"
    return f"importances {_listed(solution.importance)}"


def boundaries_table(boundaries: PhaseBoundaries) -> str:
    """Return the curves, a row each, and the special points with all digits.

    Parameters
    ----------
    boundaries : PhaseBoundaries

    Returns
    -------
    str
    """
    order = {1: "first order", 2: "continuous", None: "spinodal"}
    rows = [
        [
            " | ".join(boundary.phases),
            order[boundary.order],
            str(len(boundary.density)),
            _range(boundary.density),
            _range(boundary.relative_importance),
            _largest_jump(boundary.slope_jump),
        ]
        for boundary in boundaries.boundaries
    ]
    names = _short_names(boundaries)
    return "\n".join(
        [
            f"n = {boundaries.n_features}, m = {boundaries.n_hidden}, {boundaries.weights} weights",
            "",
            _table(["boundary", "order", "points", *names, "slope jump"], rows),
            "",
            _table(*special_point_rows(boundaries)),
            *_open_ends(boundaries),
        ]
    )


def special_point_rows(boundaries: PhaseBoundaries) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a table of special points."""
    rows = [
        [
            point.kind,
            f"{point.density:.{_DIGITS}f}",
            f"{point.relative_importance:.{_DIGITS}f}",
            ", ".join(point.phases),
        ]
        for point in boundaries.special_points
    ]
    return ["special point", *_short_names(boundaries), "phases"], rows


def transition_rows(section: LossSection) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a table of a section's transitions."""
    orders = {1: "first order", 2: "continuous"}
    rows = [
        [
            f"{transition.position:.{_DIGITS}g}",
            " | ".join(transition.phases),
            orders[transition.order],
            f"{transition.slope_jump:.3g}",
        ]
        for transition in section.transitions
    ]
    return ["at", "phases", "order", "slope jump"], rows


def basin_rows(basins: Basins) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a table of where training ends."""
    rows = [
        [
            basin.phase,
            f"{basin.loss:.{_DIGITS}g}" if basin.arrived else "",
            f"{100 * basin.share:.1f} %",
            f"{100 * basin.error:.1f} %",
        ]
        for basin in basins
    ]
    return ["ends in", "loss", "share", "error"], rows


def mixture_rows(geometry: Geometry) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a table of lowest mixtures, sparse features first."""
    changes = geometry.transitions
    ends = [float(geometry.density[0]), *(c.density for c in changes), float(geometry.density[-1])]
    mixtures = [geometry.mixture(0), *(change.above for change in changes)]
    rows = [
        [
            f"{low:.{_DIGITS}g}",
            f"{high:.{_DIGITS}g}",
            ", ".join(f"{count} {name}" for name, count in mixture.items()),
        ]
        for low, high, mixture in zip(ends[:-1], ends[1:], mixtures, strict=True)
    ]
    return ["density from", "to", "lowest mixture"], rows


def group_rows(catalogue: GroupCatalogue) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a table of groups."""
    rows = [
        [
            group.name,
            str(group.n_features),
            str(group.n_hidden),
            _range(group.density),
            " .. ".join(group.ends),
        ]
        for group in catalogue.groups
    ]
    return ["group", "features", "dimensions", "density", "ends"], rows


def _open_ends(boundaries: PhaseBoundaries) -> list[str]:
    """Return the lines about what could not be closed, if anything."""
    rows = [
        [f"{end.density:.4f}", f"{end.relative_importance:.4f}", end.reason]
        for end in boundaries.unresolved
    ]
    by_row, by_column = _short_names(boundaries)
    return ["", _table([f"unresolved at {by_row}", by_column, "why"], rows)] if rows else []


def _short_names(boundaries: PhaseBoundaries) -> tuple[str, str]:
    by_row, by_column = axis_names(boundaries)
    return (by_row, by_column) if boundaries.x is not None else (by_row, "importance")


def agreements_table(agreements: Sequence[Agreement]) -> str:
    """Return how trained models compare with theory, a row for each sweep.

    Parameters
    ----------
    agreements : sequence of Agreement

    Returns
    -------
    str
    """
    verdict = (
        "no run is below the theoretical minimum"
        if all(agreement.optimal for agreement in agreements)
        else "A RUN IS BELOW THE THEORETICAL MINIMUM"
    )
    return "\n".join([_table(*agreement_rows(agreements)), "", verdict])


def agreement_rows(agreements: Sequence[Agreement]) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a table of comparisons with theory."""
    header = ["model", "points", "runs", *OUTCOMES, "best seed global", "lowest excess"]
    rows = [
        [
            f"n = {agreement.n_features}, m = {agreement.n_hidden}",
            str(agreement.density.size),
            str(agreement.runs),
            *(f"{100 * share:.1f} %" for share in agreement.shares().values()),
            f"{100 * agreement.best_seed_agrees.mean():.1f} %",
            f"{agreement.lowest_excess:.1e}",
        ]
        for agreement in agreements
    ]
    return header, rows


def _minima_table(minima: Iterable[Minimum]) -> str:
    return _table(*minima_rows(minima))


def minima_rows(minima: Iterable[Minimum]) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a table of minima."""
    rows = [
        [
            minimum.phase,
            f"{minimum.loss:.{_DIGITS}f}",
            " ".join(f"{norm:.4f}" for norm in np.linalg.norm(minimum.W, axis=0)),
            " ".join(f"{_rounded(bias, 4):.4f}" for bias in minimum.b),
            " ".join(f"{dimensions:.2f}" for dimensions in minimum.dimensionality),
            minimum.description,
            "" if np.isnan(minimum.smallest_curvature) else f"{minimum.smallest_curvature:.3g}",
        ]
        for minimum in minima
    ]
    header = ["minimum", "loss", "norms", "biases", "dimensions", "interference", "curvature"]
    return header, rows


def _table(header: list[str], rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [header, *rows]
    )


def _labelled(name: str, rows: Any) -> list[str]:
    return [
        f"{name if i == 0 else '':<8} "
        + " ".join(f"{_rounded(value, _DIGITS - 2):{_DIGITS + 3}.{_DIGITS - 2}f}" for value in row)
        for i, row in enumerate(rows)
    ]


def _rounded(value: float, digits: int) -> float:
    """Round, without the sign of zero."""
    return round(float(value), digits) + 0.0


def _range(values: Any) -> str:
    return f"{values[0]:.6g} .. {values[-1]:.6g}"


def _largest_jump(jump: Any) -> str:
    return "" if jump is None else f"{np.abs(jump).max():.2g}"
