"""Results in a notebook or a report: what `print` shows, with a small figure or a table."""

from __future__ import annotations

import base64
from collections.abc import Callable
from html import escape
from io import BytesIO
from typing import Any

from phasediagram.catalogue.configurations import ConfigurationMinimum
from phasediagram.certified.certificate import Certificate
from phasediagram.certified.planes.diagram import CertifiedDiagram
from phasediagram.comparison.agreement import Agreement
from phasediagram.comparison.basins import Basins
from phasediagram.comparison.edges import EdgeDistances
from phasediagram.comparison.plateaus import PlateauAgreement
from phasediagram.files.pointwise import (
    certificate_rows,
    configuration_rows,
    edge_rows,
    loss_rows,
    plateau_rows,
    training_rows,
)
from phasediagram.files.tables import (
    agreement_rows,
    basin_rows,
    group_rows,
    minima_rows,
    mixture_rows,
    special_point_rows,
    transition_rows,
)
from phasediagram.grouping.families import GroupCatalogue
from phasediagram.grouping.result import Geometry
from phasediagram.large.loss import LossWithError
from phasediagram.plotting.dispatch import plot
from phasediagram.plotting.paper import paper_figure
from phasediagram.regions.result import PhaseRegions
from phasediagram.results import LossSection, PhaseBoundaries, PhaseDiagram, Solution
from phasediagram.training.result import TrainingResult, grid_axes
from phasediagram.values import DrawnResult, Result

_WIDTH = 4.6  # inches
_DOTS = 110  # per inch
_CELL = 'style="text-align:left;padding:0.1em 0.7em"'

Rows = tuple[list[str], list[list[str]]]


def to_html(result: Result) -> str:
    """Return a result as HTML, as notebooks show it: a summary, with a figure or a table.

    Parameters
    ----------
    result : Solution, PhaseDiagram, PhaseBoundaries, PhaseRegions, LossSection, TrainingResult, \
            Agreement, Basins, EdgeDistances, Certificate, CertifiedDiagram, \
            ConfigurationMinimum, Geometry, GroupCatalogue, LossWithError or PlateauAgreement

    Returns
    -------
    str
        To be put into a page; figures are in it.

    Examples
    --------
    >>> import phasediagram as phd
    >>> "<td" in phd.to_html(phd.solve(0.55, 0.66))
    True
    """
    answer, *details = repr(result).split("\n")
    lines = [f"<b>{escape(answer)}</b>", *map(escape, details)]
    table, figure = _rows(result), _figure(result)
    parts = [
        f"<div>{'<br>'.join(lines)}</div>",
        "" if table is None or not table[1] else _table(*table),
        "" if figure is None else figure,
    ]
    return f"<div>{''.join(parts)}</div>"


def _share_rows(result: PhaseDiagram | PhaseRegions | CertifiedDiagram) -> Rows:
    shares = [[name, f"{100 * share:.2f} %"] for name, share in result.shares().items()]
    return ["phase", "share"], shares


# the tables that go with results
_TABLES: dict[type[Result], Callable[[Any], Rows]] = {
    Solution: lambda solution: minima_rows(solution.minima),
    PhaseDiagram: _share_rows,
    PhaseRegions: _share_rows,
    CertifiedDiagram: _share_rows,
    TrainingResult: training_rows,
    PhaseBoundaries: special_point_rows,
    LossSection: transition_rows,
    Agreement: lambda agreement: agreement_rows([agreement]),
    Basins: basin_rows,
    Geometry: mixture_rows,
    GroupCatalogue: group_rows,
    EdgeDistances: edge_rows,
    ConfigurationMinimum: configuration_rows,
    LossWithError: loss_rows,
    PlateauAgreement: plateau_rows,
    Certificate: certificate_rows,
}


def _rows(result: Result) -> Rows | None:
    """Return the header and the rows of the table that goes with a result."""
    make = _TABLES.get(type(result))
    return None if make is None else make(result)


def _figure(result: Any) -> str | None:
    """Return the figure that goes with a result, None if it has none."""
    if not isinstance(result, DrawnResult) or not _is_drawable(result):
        return None
    with paper_figure(_WIDTH) as figure:
        plot(result, figure.add_subplot())  # type: ignore[arg-type]
    file = BytesIO()
    figure.savefig(file, format="png", dpi=_DOTS)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img alt="" src="data:image/png;base64,{data}">'


def _is_drawable(result: DrawnResult) -> bool:
    """Whether a figure says something: of training only if it is on a grid."""
    if not isinstance(result, TrainingResult | Agreement):
        return True
    axes = grid_axes(result.density, result.relative_importance)
    return axes is not None and min(map(len, axes)) > 1


def _table(header: list[str], rows: list[list[str]]) -> str:
    def line(cells: list[str], tag: str) -> str:
        inside = "".join(f"<{tag} {_CELL}>{escape(cell)}</{tag}>" for cell in cells)
        return f"<tr>{inside}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table><thead>{line(header, 'th')}</thead><tbody>{body}</tbody></table>"
