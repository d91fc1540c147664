"""Figures at the widths of a printed page, and writing them to files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from phasediagram.plotting.elements.layout import PAGE
from phasediagram.plotting.elements.styles import figure_style

FIGURE_FORMATS = (".pdf", ".png", ".svg")

COLUMN_WIDTH = 3.4  # inches: one column of a two-column page
PAGE_WIDTH = PAGE  # both columns

_HEIGHT = 0.75  # of the width, where nothing fixes the shape of the axes
_TALLEST = 3.0  # of the width, to see how much of it the contents need
_MARGIN = 0.03  # inches


@contextmanager
def paper_figure(width: float = COLUMN_WIDTH, height: float | None = None) -> Iterator[Figure]:
    """Give a figure of a printed width, with text and lines to match, to draw into.

    What is drawn within the ``with`` block has text of 6 to 9 points and thin lines; settings
    of matplotlib outside are not touched.

    Parameters
    ----------
    width : float
        Inches: `COLUMN_WIDTH` (3.4), `PAGE_WIDTH` (7.0), or another.
    height : float, optional
        Inches; by default just what a row of phase diagrams and their legends needs, or three
        quarters of the width if there is nothing of fixed shape.

    Yields
    ------
    matplotlib.figure.Figure
        Empty, with constrained layout.

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_phases
    >>> diagram = phd.phase_diagram(weights="canonical")
    >>> with paper_figure() as figure:
    ...     ax = plot_phases(diagram, figure.add_subplot())
    >>> print(figure.get_size_inches()[0])
    3.4
    """
    with figure_style():
        start = _TALLEST * width if height is None else height
        layout = ConstrainedLayoutEngine(w_pad=_MARGIN, h_pad=_MARGIN)
        figure = Figure(figsize=(width, start), layout=layout)
        yield figure
        if height is None:
            _fit_height(figure, width)


def _fit_height(figure: Figure, width: float) -> None:
    """Cut off what is empty above and below, and fix the axes where they are."""
    if all(ax.get_box_aspect() is None for ax in figure.axes):
        figure.set_figheight(_HEIGHT * width)
        return
    figure.draw_without_rendering()
    drawn = figure.get_tightbbox()
    before = figure.get_figheight()
    after = float(drawn.height) + 2 * _MARGIN
    figure.set_layout_engine("none")
    figure.set_figheight(after)
    for ax in figure.axes:
        left, bottom, across, up = ax.get_position().bounds
        moved = (bottom * before - drawn.y0 + _MARGIN) / after
        ax.set_position((left, moved, across, up * before / after))


def save_figure(figure: Figure, path: str | PathLike[str], editable_text: bool = False) -> None:
    """Write a figure as PNG, PDF or SVG, by the suffix of `path`.

    The same figure makes the same file: no date is written.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path
        Ends in ``.pdf``, ``.png`` or ``.svg``.  PDF embeds its fonts as TrueType, which
        journals ask for; PNG has 200 dots per inch.
    editable_text : bool
        Whether text in SVG stays text, to be edited and searched, which needs matplotlib's
        font wherever it is shown; by default it becomes outlines, which always look the same.

    Raises
    ------
    ValueError
        If the suffix is another.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, phasediagram as phd
    >>> from phasediagram.plotting import draw_figure, save_figure
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     save_figure(draw_figure(phd.phase_diagram(weights="canonical")), f"{directory}/f.pdf")
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FIGURE_FORMATS:
        raise ValueError(f"path must end in {', '.join(FIGURE_FORMATS)}, got {str(path)!r}")
    dates = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
    settings: dict[Any, str | int] = {
        "pdf.fonttype": 42,
        "svg.fonttype": "none" if editable_text else "path",
        "svg.hashsalt": "phasediagram",
    }
    with mpl.rc_context(settings):
        figure.savefig(path, dpi=200, metadata=dates.get(suffix))
