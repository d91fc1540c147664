r"""Boundaries as coordinates for pgfplots, ready to ``\input`` into a LaTeX document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from phasediagram.files.assumptions import axis_names
from phasediagram.results import Boundary, PhaseBoundaries

Array = NDArray[np.float64]

_MARKS = {
    "triple point": "triangle*",
    "tricritical point": "square*",
    "critical point": "*",
    "critical end point": "diamond*",
}
_STYLES = {
    (1, "equilibrium"): "first order",
    (2, "equilibrium"): "continuous",
    (None, "spinodal"): "spinodal",
}
_DIGITS = 12
_LABELS = {
    "density": "feature density $p$",
    "relative_importance": "relative importance $r$",
}


def boundaries_pgfplots(boundaries: PhaseBoundaries) -> str:
    r"""Return boundaries and special points as an axis of pgfplots.

    Every curve is an ``\addplot`` with the style of its kind, and every kind of special point one
    with its marks.  The styles, ``phase diagram`` of the axis, ``first order``, ``continuous``,
    ``spinodal`` and ``special point``, are defined with ``\pgfplotsset`` unless they are defined
    already, and can so be changed before the file is read.

    Parameters
    ----------
    boundaries : PhaseBoundaries

    Returns
    -------
    str
        A ``tikzpicture``; needs ``\usepackage{pgfplots}``.  Relative importance (or the quantity
        of `x`) is to the right; coordinates have 12 digits.
    """
    by_row, by_column = axis_names(boundaries)
    logarithmic = [axis is None or axis.scale == "log" for axis in (boundaries.x, boundaries.y)]
    kind = {
        (True, True): "loglogaxis",
        (True, False): "semilogxaxis",
        (False, True): "semilogyaxis",
        (False, False): "axis",
    }[logarithmic[0], logarithmic[1]]
    lines = [
        f"% Phase boundaries of {boundaries.n_features} features in {boundaries.n_hidden} hidden "
        f"dimensions, {boundaries.weights} weights; phasediagram {boundaries.version}.",
        "% Needs \\usepackage{pgfplots}.  Define the styles before this file to change them.",
        *_styles(),
        "\\begin{tikzpicture}",
        f"\\begin{{{kind}}}[phase diagram, xlabel={{{_label(by_column)}}}, "
        f"ylabel={{{_label(by_row)}}}]",
        *_plots(boundaries),
        f"\\end{{{kind}}}",
        "\\end{tikzpicture}",
    ]
    return "\n".join(lines) + "\n"


def _styles() -> Iterator[str]:
    """Yield definitions of the styles that are not defined yet."""
    styles = {
        "phase diagram": "width=8cm, height=8cm, enlargelimits=false, clip mode=individual",
        "first order": "black, solid, no marks",
        "continuous": "black, dashed, no marks",
        "spinodal": "gray, densely dotted, no marks",
        "special point": "black, only marks, mark options={fill=white}, mark size=1.5pt",
    }
    for name, style in styles.items():
        yield (
            f"\\pgfkeysifdefined{{/pgfplots/{name}/.@cmd}}{{}}"
            f"{{\\pgfplotsset{{{name}/.style={{{style}}}}}}}"
        )


def _plots(boundaries: PhaseBoundaries) -> Iterator[str]:
    for boundary in boundaries.boundaries:
        yield f"% {_escaped(' | '.join(boundary.phases))}"
        style = _STYLES[boundary.order, boundary.kind]
        yield f"\\addplot[{style}] coordinates {{"
        yield from _coordinates(boundary)
        yield "};"
    for kind, mark in _MARKS.items():
        points = [point for point in boundaries.special_points if point.kind == kind]
        if points:
            yield f"\\addplot[special point, mark={mark}] coordinates {{"
            for point in points:
                yield f"{_pair(point.relative_importance, point.density)} % {kind}: " + _escaped(
                    ", ".join(point.phases)
                )
            yield "};"


def _coordinates(boundary: Boundary) -> Iterator[str]:
    """Yield the points of a curve, three on a line, each once."""
    pairs = [
        _pair(x, y)
        for x, y in zip(
            boundary.relative_importance.tolist(), boundary.density.tolist(), strict=True
        )
    ]
    kept = [pairs[0], *(after for before, after in pairwise(pairs) if after != before)]
    for start in range(0, len(kept), 3):
        yield " ".join(kept[start : start + 3])


def _pair(x: float, y: float) -> str:
    return f"({x:.{_DIGITS}g},{y:.{_DIGITS}g})"


def _label(name: str) -> str:
    """Return what to write at an axis, for LaTeX."""
    return _LABELS.get(name, _escaped(name.replace("_", " ")))


def _escaped(text: str) -> str:
    return re.sub(r"([#$%&_{}])", r"\\\1", text)
