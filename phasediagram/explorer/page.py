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
    "rows_any", "rows_linear", "rows_2", "rows_3", "rows_4", "axes", "assumptions", "loss",
    "linear", "newton", "curvature", "state", "starts", "search", "shapes", "naming", "solver",
    "following", "flow", "special",
)  # fmt: skip
_OF_SIZE = ("rows_2", "rows_3", "rows_4")  # straight-line code that only one size needs
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
    spinodals: bool = True,
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
        If they were traced already: the page's models, instead of `sizes`; of any model of up to
        4 features, on any axes.
    spinodals : bool
        Whether to trace the limits of metastability too.

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

    Another model, on other axes:

    >>> axes = {"x": phd.Axis("weight_decay", 0.001, 0.1), "y": phd.Axis("density", 0.03, 1)}
    >>> traced = phd.phase_boundaries(2, spinodals=False, **axes)  # doctest: +SKIP
    >>> write_explorer("decay.html", boundaries=[traced])  # doctest: +SKIP
    """
    if boundaries is None:
        require_explorable(sizes)
        share = 1 / len(sizes)
        boundaries = [
            phase_boundaries(
                n, m, spinodals=spinodals, progress=part_of(progress, k * share, share)
            )
            for k, (n, m) in enumerate(sizes)
        ]
    Path(path).write_text(explorer_page(boundaries), encoding="utf-8")


def explorer_page(boundaries: Sequence[PhaseBoundaries]) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    boundaries : sequence of PhaseBoundaries
        Of the models on the page, in the order of its switch, at least one; different sizes, or
        different models or axes.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If these are not such boundaries.
    """
    for one in boundaries:
        require_size(one.n_features, one.n_hidden)
        if one.weights != "free":
            raise ValueError(
                f"boundaries must be of free weights to explore, got weights={one.weights!r}"
            )
    shown = content(boundaries)
    kinds = [_kind(model) for model in shown["models"]]
    if not kinds or len(set(kinds)) < len(kinds):
        raise ValueError(
            "boundaries must be of different models or axes, at least one, "
            f"got {[(one.n_features, one.n_hidden) for one in boundaries]!r}"
        )
    return rendered(shown)


def _kind(model: dict[str, Any]) -> str:
    """Return what tells a model of the page's content from others."""
    names = ("n_features", "n_hidden", "model", "held", "x", "y")
    return json.dumps([model.get(name) for name in names])


def rendered(shown: dict[str, Any]) -> str:
    """Return the page that shows some content, see `phasediagram.explorer.curves.content`."""
    sizes = {f"rows_{model['n_features']}" for model in shown["models"]}
    parts = [
        *(f"solver/{name}.js" for name in SOLVER_PARTS if name in sizes or name not in _OF_SIZE),
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
        require_size(n, m)
    if not sizes or len(set(sizes)) < len(sizes):
        raise ValueError(f"sizes must be different models, at least one, got {list(sizes)!r}")


def require_size(n: int, m: int) -> None:
    """Raise ValueError unless the page's solver takes this size."""
    if not 2 <= n <= MOST_FEATURES or not 1 <= m < n:
        raise ValueError(
            f"n_features must be between 2 and {MOST_FEATURES} and n_hidden at least 1 and "
            f"below n_features to explore, got {n} and {m}"
        )


def _part(name: str) -> str:
    return (files("phasediagram.explorer") / name).read_text(encoding="utf-8")


def _script_safe(text: str) -> str:
    """Escape JSON so that no string in it can end the script element that holds it."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
