"""Curves as CSV, for spreadsheets and other programs."""

from __future__ import annotations

import csv
from io import StringIO

from phasediagram.files.assumptions import axis_names
from phasediagram.results import PhaseBoundaries


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
