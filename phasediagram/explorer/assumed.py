"""What the page is told of a model and of its axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from phasediagram.parameters import PAPER_AXES
from phasediagram.results import PhaseBoundaries
from phasediagram.toymodel.axes import (
    CORRELATION,
    DENSITY,
    FOLLOW,
    INTERFERENCE_PENALTY,
    RELATIVE_DENSITY,
    RELATIVE_IMPORTANCE,
    WEIGHT_DECAY,
    Axis,
)
from phasediagram.toymodel.records import axis_record, model_record, setting_record
from phasediagram.toymodel.settings import Setting

RESOLUTION = 1e-9  # of coordinates of curves' points, where 32 bits hold it
_MOST = 2.0**31 - 1
# the axis' name at a slider and in a sentence, its symbol, and what stands beside the diagram
_WORDS = {
    DENSITY: ("Density", "density", "p", "density p = 1 − S"),
    RELATIVE_IMPORTANCE: (
        "Importance",
        "relative importance",
        "r",
        "relative importance r of the extra feature",
    ),
    RELATIVE_DENSITY: (
        "Relative density",
        "relative density",
        "d",
        "density d of the extra feature over that of the others",
    ),
    INTERFERENCE_PENALTY: ("Penalty", "interference penalty", "λ", "interference penalty λ"),
    WEIGHT_DECAY: ("Weight decay", "weight decay", "μ", "weight decay μ"),
    CORRELATION: ("Correlation", "correlation", "c", "correlation c"),
    FOLLOW: ("Follow", "probability to follow", "f", "probability f that the secondary follows"),
}


def axes_of(boundaries: PhaseBoundaries) -> tuple[Axis, Axis]:
    """Return the axes of the rows and of the columns."""
    if boundaries.x is None or boundaries.y is None:
        return PAPER_AXES
    return boundaries.y, boundaries.x


def coordinates(axis: Axis, values: Any) -> Any:
    """Return where values are drawn: at their decimal logarithm, or at themselves."""
    return np.log10(values) if axis.scale == "log" else np.asarray(values, dtype=np.float64)


def resolution(axis: Axis) -> float:
    """Return the unit of an axis' coordinates."""
    largest = float(np.abs(coordinates(axis, [axis.start, axis.stop])).max())
    return max(RESOLUTION, 1.01 * largest / _MOST)


def axis_shown(axis: Axis) -> dict[str, Any]:
    """Return an axis as the page has it."""
    if axis.feature is None:
        short, phrase, symbol, title = _WORDS[axis.name]
    else:
        short = phrase = f"{axis.quantity} of feature {axis.feature + 1}"
        symbol = f"{'p' if axis.quantity == DENSITY else 'I'}{axis.feature + 1}"
        short, title = short.capitalize(), f"{phrase}, {symbol}"
    words = {"short": short, "phrase": f"{phrase} {symbol}", "symbol": symbol, "title": title}
    kept = {name: value for name, value in axis_record(axis).items() if name != "points"}
    return {**kept, "resolution": resolution(axis), **words}


def assumed(boundaries: PhaseBoundaries) -> dict[str, Any]:
    """Return model, held numbers and what is said of them; nothing for the paper's model."""
    if boundaries.model is None:
        return {}
    assert boundaries.held is not None
    held, names = boundaries.held, {axis.name for axis in axes_of(boundaries)}
    return {
        "model": model_record(boundaries.model),
        "held": setting_record(held),
        "title": repr(boundaries.model),
        "assumed": f"{boundaries.model!r}; {_held_text(boundaries, names)}.",
        "penalties": {
            "interference": bool(held.interference_penalty) or INTERFERENCE_PENALTY in names,
            "decay": bool(held.weight_decay) or WEIGHT_DECAY in names,
        },
    }


def _held_text(boundaries: PhaseBoundaries, names: set[str]) -> str:
    """Return what the axes do not change, in words."""
    assert boundaries.held is not None
    assert boundaries.model is not None
    held: Setting = boundaries.held
    parts = [f"axes {' and '.join(axis.name for axis in axes_of(boundaries))}"]
    if DENSITY not in names and boundaries.model.activity is None:
        parts.append(f"density {_numbers(held.density)}")
    parts.append(f"importance {_numbers(held.importance)}")
    if held.relative_density != 1 and RELATIVE_DENSITY not in names:
        parts.append(f"relative density {held.relative_density:g}")
    return ", ".join(parts) + ", what an axis gives aside"


def _numbers(values: Any) -> str:
    found = [f"{value:g}" for value in np.asarray(values)]
    return found[0] if len(set(found)) == 1 else f"({', '.join(found)})"
