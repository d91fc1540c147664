"""Colours and words of phases, and the type of every figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_rgb

DARK = "#111111"  # lines and text
LIGHT = "#ffffff"

# of every figure; "small" and "x-small", the sizes of legends and labels, are 7.2 and 6 points
TYPE: dict[Any, float] = {  # Any: matplotlib lists every key as a literal type
    "font.size": 8.7,
    "axes.titlesize": 8.5,
    "axes.titlepad": 4.0,
    "axes.labelsize": 8.0,
    "axes.linewidth": 0.6,
    "axes.labelpad": 2.5,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "legend.handlelength": 1.8,
    "legend.handletextpad": 0.5,
    "legend.labelspacing": 0.3,
    "legend.borderpad": 0.3,
    "legend.columnspacing": 1.2,
}


@dataclass(frozen=True)
class PhaseStyle:
    """How a phase is drawn and explained."""

    color: str
    meaning: str


# neighbours differ in lightness, and in colour also without red or green cones
PHASE_STYLES = {
    "ignored": PhaseStyle("#ececec", "the extra feature is not represented"),
    "dedicated": PhaseStyle("#14366b", "it has a dimension, another feature is ignored"),
    "antipodal": PhaseStyle("#ea8220", "it shares a dimension with another feature"),
    "partial": PhaseStyle("#fbc67e", "as antipodal, but with a much smaller norm"),
    "partial-other": PhaseStyle("#8a5a2b", "as antipodal, the other's norm much smaller"),
    "others-antipodal": PhaseStyle("#a3cdf0", "it has a dimension, two others share one"),
    "others-partial": PhaseStyle("#3f7fbf", "as others-antipodal, one norm much smaller"),
    "triangle": PhaseStyle("#7d1d5b", "three features share two dimensions"),
    "partial-triangle": PhaseStyle("#efa3c8", "as triangle, but with a much smaller norm"),
    "scalene": PhaseStyle("#cdb4f0", "as triangle, the two others unequal"),
    "others-triangle": PhaseStyle("#2f7f86", "it has a dimension, three others share two"),
    "aligned": PhaseStyle("#e2d57c", "it shares a dimension with another, in the same direction"),
    "others-aligned": PhaseStyle("#8fae5d", "it has a dimension, two others point the same way"),
    "aligned-triangle": PhaseStyle("#4f9a8b", "three share two dimensions, it is on their side"),
    "tetrahedron": PhaseStyle("#3d6b25", "four features share three dimensions"),
}
_OTHER_STYLE = PhaseStyle("#c9b458", "")
# of phases without a style of their own, where there are several: mostly of Tol's muted scheme
_FURTHER_COLORS = (
    "#c9b458", "#44aa99", "#cc6677", "#88ccee", "#117733", "#aa4499", "#b15928", "#882255",
    "#6b5bb5", "#666666", "#1f78b4", "#e31a8c",
)  # fmt: skip
# of the figure that is being drawn, so that its panels, lines and legends have them in common
_ASSIGNED: ContextVar[dict[str, str] | None] = ContextVar("assigned", default=None)
_LINE_DARKENED = 0.72  # of light colours, for lines on white
_TOO_LIGHT = 0.7


def phase_style(name: str) -> PhaseStyle:
    """Return colour and meaning of a phase.

    Parameters
    ----------
    name : str
        Any; names that are not in `PHASE_STYLES` share one style.

    Returns
    -------
    PhaseStyle

    Examples
    --------
    >>> from phasediagram.plotting import phase_style
    >>> phase_style("antipodal").meaning
    'it shares a dimension with another feature'
    """
    return PHASE_STYLES.get(name, _OTHER_STYLE)


@contextmanager
def figure_style() -> Iterator[None]:
    """Have the type of every figure, and one colour for each phase, within a ``with`` block."""
    token = _ASSIGNED.set({} if _ASSIGNED.get() is None else _ASSIGNED.get())
    try:
        with mpl.rc_context(TYPE):
            yield
    finally:
        _ASSIGNED.reset(token)


def phase_colors(names: Iterable[str]) -> dict[str, str]:
    """Return the colour of each of several phases; those without a style differ, as far as 12.

    Within `figure_style` a name has the same colour whenever it is asked for.
    """
    shared = _ASSIGNED.get()
    assigned = {} if shared is None else shared
    found: dict[str, str] = {}
    for name in names:
        if name in PHASE_STYLES:
            found[name] = PHASE_STYLES[name].color
        else:
            following = _FURTHER_COLORS[len(assigned) % len(_FURTHER_COLORS)]
            found[name] = assigned.setdefault(name, following)
    return found


def catalogue_order(names: Iterable[str]) -> list[str]:
    """Return phases as legends list them: those with a style first, in its order.

    A name may be followed by a colon and words.
    """
    known = {name: place for place, name in enumerate(PHASE_STYLES)}
    return sorted(
        dict.fromkeys(names), key=lambda name: known.get(name.partition(":")[0], len(known))
    )


def luminance(color: Any) -> float:
    """Return how light a colour is, 0 to 1."""
    return float(np.dot(to_rgb(color), [0.299, 0.587, 0.114]))


def readable_on(ground: Any) -> str:
    """Return the colour of text on a ground."""
    return LIGHT if luminance(ground) < 0.5 else DARK


def line_color(color: Any) -> tuple[float, float, float]:
    """Return the colour of a line on white for a phase's colour, darker if that is light."""
    share = _LINE_DARKENED if luminance(color) > _TOO_LIGHT else 1.0
    red, green, blue = to_rgb(color)
    return share * red, share * green, share * blue
