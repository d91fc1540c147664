"""Results as text: tables for people, CSV and JSON for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasediagram.comparison.agreement import OUTCOMES, Agreement
from phasediagram.files.assumptions import axis_names
from phasediagram.naming.geometry import interfering_pairs
from phasediagram.results import Minimum, PhaseBoundaries, Solution
from phasediagram.toymodel.records import model_record

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


def solution_json(solution: Solution) -> str:
    """Return a solution as JSON: its arguments, and every minimum, lowest first.

    Parameters
    ----------
    solution : Solution

    Returns
    -------
    str
    """
    document = {
        "density": np.asarray(solution.density).tolist(),
        "relative_importance": solution.relative_importance,
        "n_features": solution.n_features,
        "n_hidden": solution.n_hidden,
        "weights": solution.weights,
        "version": solution.version,
        "tolerance": solution.tolerance,
        **_assumed(solution),
        "minima": [
            {
                "phase": minimum.phase,
                "outcome": minimum.outcome,
                "loss": minimum.loss,
                "W": minimum.W.tolist(),
                "b": minimum.b.tolist(),
                "smallest_curvature": _or_none(minimum.smallest_curvature),
                "gradient_norm": _or_none(minimum.gradient_norm),
                "dimensionality": minimum.dimensionality.tolist(),
                "interference": [
                    {"features": [i + 1, j + 1], "angle": angle}
                    for i, j, angle in interfering_pairs(minimum.W)
                ],
                "description": minimum.description,
            }
            for minimum in solution.minima
        ],
    }
    return json.dumps(document, indent=2)


def _assumed(solution: Solution) -> dict[str, Any]:
    """Return what is not the paper's, if anything."""
    found: dict[str, Any] = {}
    if solution.importance is not None:
        found["importance"] = solution.importance.tolist()
    if solution.model is not None:
        found["model"] = model_record(solution.model)
    return found


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
    points = [
        [
            point.kind,
            f"{point.density:.{_DIGITS}f}",
            f"{point.relative_importance:.{_DIGITS}f}",
            ", ".join(point.phases),
        ]
        for point in boundaries.special_points
    ]
    names = _short_names(boundaries)
    return "\n".join(
        [
            f"n = {boundaries.n_features}, m = {boundaries.n_hidden}, {boundaries.weights} weights",
            "",
            _table(["boundary", "order", "points", *names, "slope jump"], rows),
            "",
            _table(["special point", *names, "phases"], points),
            *_open_ends(boundaries),
        ]
    )


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


def boundaries_csv(boundaries: PhaseBoundaries) -> str:
    """Return every point of every curve and every special point, a row each.

    Parameters
    ----------
    boundaries : PhaseBoundaries

    Returns
    -------
    str
        Columns: curve (a number; empty for a special point), kind, order, phases
        (separated by ``|``), density, relative_importance, loss, and the jumps of the
        derivatives of the lowest loss by density and by relative importance; and the version
        and the tolerance that made it, the same in every row.  On other axes these have their
        names.
    """
    by_row, by_column = axis_names(boundaries)
    jump_name = by_column if boundaries.x is not None else "importance"
    file = StringIO()
    made_by = boundaries.version, boundaries.tolerance
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        [
            "curve",
            "kind",
            "order",
            "phases",
            by_row,
            by_column,
            "loss",
            f"slope_jump_{by_row}",
            f"slope_jump_{jump_name}",
            "version",
            "tolerance",
        ]
    )
    for number, boundary in enumerate(boundaries.boundaries):
        for i in range(len(boundary.density)):
            jump = ("", "") if boundary.slope_jump is None else boundary.slope_jump[i].tolist()
            writer.writerow(
                [
                    number,
                    boundary.kind,
                    boundary.order or "",
                    "|".join(boundary.phases),
                    float(boundary.density[i]),
                    float(boundary.relative_importance[i]),
                    "" if boundary.loss is None else float(boundary.loss[i]),
                    *jump,
                    *made_by,
                ]
            )
    for point in boundaries.special_points:
        place = point.density, point.relative_importance
        writer.writerow(["", point.kind, "", "|".join(point.phases), *place, "", "", "", *made_by])
    return file.getvalue()


def boundaries_json(boundaries: PhaseBoundaries) -> str:
    """Return curves and special points as JSON.

    Parameters
    ----------
    boundaries : PhaseBoundaries

    Returns
    -------
    str
    """
    by_row, by_column = axis_names(boundaries)
    assumed = {} if boundaries.model is None else {"model": model_record(boundaries.model)}
    document = {
        "n_features": boundaries.n_features,
        "n_hidden": boundaries.n_hidden,
        "weights": boundaries.weights,
        "version": boundaries.version,
        "tolerance": boundaries.tolerance,
        **assumed,
        "boundaries": [
            {
                "kind": boundary.kind,
                "order": boundary.order,
                "phases": list(boundary.phases),
                by_row: boundary.density.tolist(),
                by_column: boundary.relative_importance.tolist(),
                "loss": None if boundary.loss is None else boundary.loss.tolist(),
                "slope_jump": None if boundary.slope_jump is None else boundary.slope_jump.tolist(),
                "ends": list(boundary.ends),
            }
            for boundary in boundaries.boundaries
        ],
        "special_points": special_point_records(boundaries),
        "unresolved": [
            {
                by_row: end.density,
                by_column: end.relative_importance,
                "reason": end.reason,
            }
            for end in boundaries.unresolved
        ],
    }
    return json.dumps(document, indent=1)


def special_point_records(boundaries: PhaseBoundaries) -> list[dict[str, Any]]:
    """Return special points as JSON has them.

    Parameters
    ----------
    boundaries : PhaseBoundaries

    Returns
    -------
    list of dict
    """
    by_row, by_column = axis_names(boundaries)
    return [
        {
            "kind": point.kind,
            "phases": list(point.phases),
            by_row: point.density,
            by_column: point.relative_importance,
        }
        for point in boundaries.special_points
    ]


def agreements_table(agreements: Sequence[Agreement]) -> str:
    """Return how trained models compare with theory, a row for each sweep.

    Parameters
    ----------
    agreements : sequence of Agreement

    Returns
    -------
    str
    """
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
    verdict = (
        "no run is below the theoretical minimum"
        if all(agreement.optimal for agreement in agreements)
        else "A RUN IS BELOW THE THEORETICAL MINIMUM"
    )
    return "\n".join([_table(header, rows), "", verdict])


def _minima_table(minima: Iterable[Minimum]) -> str:
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
    return _table(header, rows)


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


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value
