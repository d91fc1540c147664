"""What the page is given: traced curves and special points, and how phases are drawn."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from phasediagram._version import __version__
from phasediagram.files.documents import special_point_records
from phasediagram.naming.phases import PHASES
from phasediagram.plotting import PHASE_STYLES, phase_style
from phasediagram.results import Boundary, PhaseBoundaries

RESOLUTION = 1e-9  # of log10 p and log10 r of the points of curves


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
        "resolution": RESOLUTION,
        "phases": {name: _style(name) for name in _in_order(named | set(PHASE_STYLES))},
        "models": [_model(model) for model in models],
    }


def _in_order(names: Iterable[str]) -> list[str]:
    found = set(names)
    return [*(name for name in PHASES if name in found), *sorted(found - set(PHASES))]


def _style(name: str) -> dict[str, str]:
    style = phase_style(name)
    return {"color": style.color, "meaning": style.meaning}


def _model(model: PhaseBoundaries) -> dict[str, Any]:
    return {
        "n_features": model.n_features,
        "n_hidden": model.n_hidden,
        "tolerance": model.tolerance,
        "unresolved": len(model.unresolved),
        "curves": [_curve(boundary) for boundary in model.boundaries],
        "special_points": special_point_records(model),
    }


def _curve(boundary: Boundary) -> dict[str, Any]:
    return {
        "kind": _kind(boundary),
        "phases": list(boundary.phases),
        "points": _packed(boundary),
    }


def _kind(boundary: Boundary) -> str:
    if boundary.kind == "spinodal":
        return "spinodal"
    return "first order" if boundary.order == 1 else "continuous"


def _packed(boundary: Boundary) -> str:
    """Return log10 p and log10 r of every point, as base64 of 32-bit integers."""
    logs = np.log10(np.stack([boundary.density, boundary.relative_importance], axis=1))
    return base64.b64encode((logs / RESOLUTION).round().astype("<i4").tobytes()).decode("ascii")
