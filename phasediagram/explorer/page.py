"""The page: a template, its style and its program, and the traced curves, in one file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from os import PathLike
from pathlib import Path
from string import Template
from typing import Any

from phasediagram.boundaries.tracing import phase_boundaries
from phasediagram.explorer.curves import content
from phasediagram.model import PAPER_SIZES
from phasediagram.progress import Progress, part_of
from phasediagram.results import PhaseBoundaries

MOST_FEATURES = 4

#: The program's parts, in the order in which they stand on the page.
SOLVER_PARTS = (
    "rows_2", "rows_3", "rows_any", "loss", "linear", "newton", "curvature", "state", "starts",
    "search", "shapes", "naming", "solver", "following", "flow", "special",
)  # fmt: skip
VIEW_PARTS = (
    "elements", "plane", "regions", "spreading", "overlay", "pointing", "turning", "minima",
    "arrows", "tables", "motion", "sections", "basins", "exchange", "legend", "main",
)  # fmt: skip


def write_explorer(
    path: str | PathLike[str],
    sizes: Sequence[tuple[int, int]] = PAPER_SIZES,
    progress: Progress | None = None,
    *,
    boundaries: Sequence[PhaseBoundaries] | None = None,
) -> None:
    """Trace every boundary, and write a page that solves the model at any point among them.

    The page is one file that needs nothing else, opened by any browser since 2023.

    Parameters
    ----------
    path : path
        An .html file.
    sizes : sequence of (n_features, n_hidden)
        Models on the page, of 2 to 4 features; (2, 1) and (3, 2) by default.
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.
    boundaries : sequence of PhaseBoundaries, optional
        If they were traced already: the page's models, instead of `sizes`.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.explorer import write_explorer
    >>> traced = phd.phase_boundaries(2, 1)  # doctest: +SKIP
    >>> write_explorer("explorer.html", boundaries=[traced])  # doctest: +SKIP
    """
    if boundaries is None:
        require_explorable(sizes)
        share = 1 / len(sizes)
        boundaries = [
            phase_boundaries(n, m, progress=part_of(progress, k * share, share))
            for k, (n, m) in enumerate(sizes)
        ]
    Path(path).write_text(explorer_page(boundaries), encoding="utf-8")


def explorer_page(boundaries: Sequence[PhaseBoundaries]) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    boundaries : sequence of PhaseBoundaries
        Of the models on the page, in the order of its switch: different sizes, on the paper's
        axes, at least one.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If these are not such boundaries.
    """
    require_explorable([(one.n_features, one.n_hidden) for one in boundaries])
    for one in boundaries:
        if one.model is not None or one.x is not None or one.weights != "free":
            raise ValueError(
                "boundaries must be of the paper's model on the paper's axes with free weights, "
                f"got weights={one.weights!r}, model={one.model!r}, x={one.x!r}, y={one.y!r}"
            )
    return rendered(content(boundaries))


def rendered(shown: dict[str, Any]) -> str:
    """Return the page that shows some content, see `phasediagram.explorer.curves.content`."""
    parts = [
        *(f"solver/{name}.js" for name in SOLVER_PARTS),
        *(f"view/{name}.js" for name in VIEW_PARTS),
    ]
    return Template(_part("page.html")).substitute(
        style=_part("page.css"),
        program="\n".join(map(_part, parts)),
        content=_script_safe(json.dumps(shown, allow_nan=False)),
    )


def require_explorable(sizes: Sequence[tuple[int, int]]) -> None:
    """Raise ValueError unless these can be the models of one page."""
    for n, m in sizes:
        if not 2 <= n <= MOST_FEATURES or not 1 <= m < n:
            raise ValueError(
                f"n_features must be between 2 and {MOST_FEATURES} and n_hidden at least 1 and "
                f"below n_features to explore, got {n} and {m}"
            )
    if not sizes or len(set(sizes)) < len(sizes):
        raise ValueError(f"sizes must be different models, at least one, got {list(sizes)!r}")


def _part(name: str) -> str:
    return (files("phasediagram.explorer") / name).read_text(encoding="utf-8")


def _script_safe(text: str) -> str:
    """Escape JSON so that no string in it can end the script element that holds it."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
