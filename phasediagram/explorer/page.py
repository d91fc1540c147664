"""The page: a template, its style and its program, and the data, in one file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import Executor
from importlib.resources import files
from os import PathLike
from pathlib import Path
from string import Template
from typing import Any

from phasediagram._version import __version__
from phasediagram.explorer.data import DEFAULT_GRID, ExploredModel, View, explore
from phasediagram.explorer.packing import pack
from phasediagram.files.documents import special_point_records
from phasediagram.model import PAPER_SIZES
from phasediagram.naming.phases import PHASES
from phasediagram.plotting import phase_style
from phasediagram.progress import Progress


def write_explorer(
    path: str | PathLike[str],
    sizes: Sequence[tuple[int, int]] = PAPER_SIZES,
    grid: int = DEFAULT_GRID,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> None:
    """Compute every minimum and every boundary, and write a page to look at them.

    The page is one file that needs nothing else, opened by any browser since 2023.

    Parameters
    ----------
    path : path
        An .html file.
    sizes : sequence of (n_features, n_hidden)
        Models on the page: (2, 1) and (3, 2), or one of them.
    grid : int
        Points along each axis of each view, 5 to 201.  An odd number has points on r = 1.
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.
    executor : concurrent.futures.Executor, optional
        Where boundaries are traced while grids are searched here; by default here, afterwards.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    OSError
        If the file cannot be written.
    """
    models = explore(sizes, grid, progress, executor)
    Path(path).write_text(explorer_page(models), encoding="utf-8")


def explorer_page(models: Sequence[ExploredModel]) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    models : sequence of ExploredModel
        At least one, in the order of the page's switch.

    Returns
    -------
    str
    """
    views = [view for model in models for view in model.views]
    found = {str(name) for view in views for name in view.minima.phase}
    phases = [*(name for name in PHASES if name in found), *sorted(found - set(PHASES))]
    header = {
        "version": __version__,
        "phases": [_phase(name) for name in phases],
        "models": [_model(model) for model in models],
    }
    return Template(_part("page.html")).substitute(
        style=_part("page.css"),
        program=_part("page.js"),
        header=_script_safe(json.dumps(header, allow_nan=False)),
        minima=pack((view.minima, phases) for view in views),
    )


def _part(name: str) -> str:
    return (files("phasediagram.explorer") / name).read_text(encoding="utf-8")


def _script_safe(text: str) -> str:
    """Escape JSON so that no string in it can end the script element that holds it."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _phase(name: str) -> dict[str, str]:
    style = phase_style(name)
    return {"name": name, "color": style.color, "meaning": style.meaning}


def _model(model: ExploredModel) -> dict[str, Any]:
    boundaries = model.boundaries
    return {
        "n_features": model.n_features,
        "n_hidden": model.n_hidden,
        "position_tolerance": boundaries.tolerance,
        "views": [_view(view) for view in model.views],
        "boundaries": [
            {
                "kind": _line_kind(boundary.kind, boundary.order),
                "phases": list(boundary.phases),
                "density": boundary.density.tolist(),
                "relative_importance": boundary.relative_importance.tolist(),
            }
            for boundary in boundaries.boundaries
        ],
        "special_points": special_point_records(boundaries),
    }


def _line_kind(kind: str, order: int | None) -> str:
    if kind == "spinodal":
        return "spinodal"
    return "first order" if order == 1 else "continuous"


def _view(view: View) -> dict[str, Any]:
    minima = view.minima
    return {
        "title": view.title,
        "density": minima.density.tolist(),
        "relative_importance": minima.relative_importance.tolist(),
        "minima": len(minima.loss),
        "tolerance": minima.tolerance,
        "arguments": f"phase_diagram(density, relative_importance, n_features="
        f"{minima.n_features}, n_hidden={minima.n_hidden}, weights='free')",
    }
