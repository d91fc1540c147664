"""Square panels on a page, with room for what explains them, all in inches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.legend import Legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAGE = 7.0  # width
_LEFT, _RIGHT = 0.5, 0.2  # of the panels
_TITLE, _LABEL = 0.24, 0.4  # above and below each
LINE = 0.172  # of a legend
TALL_LINE = 0.182  # of one with pictures


class Page:
    """A figure of rows of square panels; `side` is theirs.

    Parameters
    ----------
    rows, columns : int
    gap : float
        Between columns.
    right : float
        Right of the last one, besides a margin.
    """

    def __init__(self, rows: int, columns: int, gap: float = 0.5, right: float = 0.0) -> None:
        room = PAGE - _LEFT - _RIGHT - right - (columns - 1) * gap
        self.side, self._gap = room / columns, gap
        self._row = _TITLE + self.side + _LABEL
        self._rows = rows
        self._height = rows * self._row
        self._placed: list[tuple[Axes, tuple[float, float, float, float]]] = []
        self._legends: list[tuple[Legend, float, float]] = []
        self.figure = Figure(figsize=(PAGE, self._height))

    def panel(self, row: int, column: int) -> Axes:
        """Add a panel, rows counted from the top."""
        left, top = self.corner(row, column)
        return self.axes(left, top, self.side, self.side)

    def corner(self, row: int, column: int) -> tuple[float, float]:
        """Return where a panel's upper left corner is, from the left and from the top."""
        return _LEFT + column * (self.side + self._gap), row * self._row + _TITLE

    @property
    def below(self) -> float:
        """Where what is below the panels begins, from the top."""
        return self._rows * self._row + 0.06

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add axes anywhere, their place from the left and from the top."""
        ax = self.figure.add_axes((0.1, 0.1, 0.8, 0.8))
        self._placed.append((ax, (left, top, width, height)))
        self._arrange()
        return ax

    def explain(
        self,
        left: float,
        top: float,
        handles: Sequence[Artist],
        handlers: Mapping[Any, Any] | None = None,
        columns: int = 1,
    ) -> float:
        """Add a legend, its upper left corner from the left and from the top; return its end."""
        if not handles:
            return top
        legend = self.figure.legend(
            handles=list(handles),
            handler_map=dict(handlers or {}),
            loc="upper left",
            **legend_shape(columns, bool(handlers)),
        )
        self._legends.append((legend, left, top))
        line = TALL_LINE if handlers else LINE
        return top + -(-len(handles) // columns) * line

    def end(self, height: float) -> Figure:
        """Return the figure, that high."""
        self._height = height
        self.figure.set_size_inches(PAGE, height)
        self._arrange()
        for legend, left, top in self._legends:
            legend.set_bbox_to_anchor((left / PAGE, 1 - top / height))
        return self.figure

    def _arrange(self) -> None:
        for ax, (left, top, width, height) in self._placed:
            bottom = self._height - top - height
            ax.set_position(
                (left / PAGE, bottom / self._height, width / PAGE, height / self._height)
            )


def legend_shape(columns: int, tall: bool) -> dict[str, Any]:
    """Return how legends look, with pictures or without."""
    return {
        "ncols": columns,
        "handlelength": 2.2,
        "handleheight": 1.8 if tall else 0.9,
        "borderpad": 0.0,
        "borderaxespad": 0.0,
        "frameon": False,
        "fontsize": "small",
    }
