"""What the page is given: traced curves and special points, and how phases are drawn."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from phasediagram._version import __version__
from phasediagram.explorer.assumed import (
    RESOLUTION,
    assumed,
    axes_of,
    axis_shown,
    coordinates,
    resolution,
)
from phasediagram.files.documents import special_point_records
from phasediagram.naming.phases import PHASES
from phasediagram.plotting import PHASE_STYLES, phase_style
from phasediagram.plotting.elements.styles import phase_colors
from phasediagram.results import Boundary, PhaseBoundaries
from phasediagram.toymodel.axes import Axis

__all__ = ["RESOLUTION", "content"]


def content(models: Sequence[PhaseBoundaries]) -> dict[str, Any]:
    """Return everything that the page's program reads, ready for JSON.

    Parameters
    ----------
    models : sequence of PhaseBoundaries

    Returns
    -------
    dict
    """
    named = {name for model in models for line in model.boundaries for name in line.phases}
    return {
        "version": __version__,
        "phases": _styles(_in_order(named | set(PHASE_STYLES))),
        "models": [_model(model) for model in models],
    }


def _in_order(names: Iterable[str]) -> list[str]:
    found = set(names)
    return [*(name for name in PHASES if name in found), *sorted(found - set(PHASES))]


def _styles(names: list[str]) -> dict[str, dict[str, str]]:
    colors = phase_colors(names)
    return {name: {"color": colors[name], "meaning": phase_style(name).meaning} for name in names}


def _model(model: PhaseBoundaries) -> dict[str, Any]:
    axes = axes_of(model)
    return {
        "n_features": model.n_features,
        "n_hidden": model.n_hidden,
        "y": axis_shown(axes[0]),
        "x": axis_shown(axes[1]),
        **assumed(model),
        "tolerance": model.tolerance,
        "unresolved": len(model.unresolved),
        "curves": [_curve(boundary, axes) for boundary in model.boundaries],
        "special_points": special_point_records(model),
    }


def _curve(boundary: Boundary, axes: tuple[Axis, Axis]) -> dict[str, Any]:
    return {
        "kind": _kind(boundary),
        "phases": list(boundary.phases),
        "points": _packed(boundary, axes),
    }


def _kind(boundary: Boundary) -> str:
    if boundary.kind == "spinodal":
        return "spinodal"
    return "first order" if boundary.order == 1 else "continuous"


def _packed(boundary: Boundary, axes: tuple[Axis, Axis]) -> str:
    """Return the coordinates of every point, vertical ones first, as base64 of 32-bit integers."""
    values = boundary.density, boundary.relative_importance
    units = [
        coordinates(axis, of_axis) / resolution(axis)
        for axis, of_axis in zip(axes, values, strict=True)
    ]
    numbers = np.stack(units, axis=1).round().astype("<i4")
    return base64.b64encode(numbers.tobytes()).decode("ascii")
