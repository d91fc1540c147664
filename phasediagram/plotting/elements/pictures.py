"""Small pictures of W: the features' directions in the hidden space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.legend_handler import HandlerPatch
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from numpy.typing import ArrayLike, NDArray

from phasediagram.naming.orientation import upright
from phasediagram.plotting.elements.canvas import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

_LEGEND_SCALE = 0.38  # of the height of a legend's patch, for a direction of norm 1
_LEGEND_WIDTH = 0.6
_NOTHING = 1e-9  # norm of a feature that is ignored
_CIRCLE = 0.35  # opacity of the circle of norm 1


def plot_weights(
    W: ArrayLike, ax: Axes | None = None, color: str = "black", circle: bool = True
) -> Axes:
    """Draw the features' directions in one or two hidden dimensions, the extra one dashed.

    Each ends in a dot, the extra one in a ring; a feature without a direction is a cross at the
    origin.

    Parameters
    ----------
    W : array_like, shape (m, n)
        m is 1 or 2.  Turned so that the directions of one phase always look alike.
    ax : matplotlib.axes.Axes, optional
        Where to draw, its frame removed; a new figure by default.
    color : str
    circle : bool
        Whether to draw the circle of norm 1.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If W has another shape.

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_weights
    >>> with paper_figure(width=1.0) as figure:
    ...     ax = plot_weights([[1.0, -0.8]], figure.add_subplot())
    >>> len(ax.lines)  # a line and its tip for each feature
    4
    """
    weights = np.asarray(W, dtype=np.float64)
    if weights.ndim != 2 or weights.shape[0] not in (1, 2):
        raise ValueError(f"W must have shape (1, n) or (2, n), got {weights.shape}")
    ax = ax or new_axes()
    if circle:
        ax.add_patch(Circle((0, 0), 1, fill=False, ec=color, lw=0.5, alpha=_CIRCLE))
    for line in _lines(weights, np.zeros(2), 1.0, color):
        ax.add_line(line)
    ax.set_xlim(-1.3, 1.3)
    ax.set_ylim(-1.3, 1.3)
    ax.set_aspect("equal")
    ax.axis("off")
    return ax


def picture_lines(W: Array, length: float, color: str) -> list[Line2D]:
    """Return the lines and tips of a picture around the origin, a norm of 1 that long."""
    return _lines(W, np.zeros(2), length, color)


class WeightsHandler(HandlerPatch):
    """Draws the patch of a phase in a legend, and its features' directions inside.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        m is 1 or 2.
    color : str
        Of the directions.
    """

    def __init__(self, W: Array, color: str) -> None:
        super().__init__()
        self._W, self._color = W, color

    def create_artists(
        self, legend: Any, orig_handle: Any, *box_and_transform: Any
    ) -> list[Artist]:
        """Return the artists, as matplotlib asks for them."""
        patch = list(super().create_artists(legend, orig_handle, *box_and_transform))
        left, bottom, width, height, _, transform = box_and_transform
        centre = np.array([width / 2 - left, height / 2 - bottom])
        lines = _lines(self._W, centre, _LEGEND_SCALE * height, self._color, _LEGEND_WIDTH)
        for line in lines:
            line.set_transform(transform)
        return [*patch, *lines]


def _lines(W: Array, centre: Array, length: float, color: str, width: float = 1.0) -> list[Line2D]:
    """Return a line and its tip for each feature, turned as all pictures are."""
    directions = np.pad(upright(W), ((0, 2 - len(W)), (0, 0)))
    lines = []
    for i, direction in enumerate(directions.T):
        x, y = np.transpose([centre, centre + length * direction])
        extra = i == W.shape[1] - 1
        nothing = np.linalg.norm(direction) < _NOTHING
        line = Line2D(x, y, color=color, linewidth=1.2 * width)
        if extra:
            line.set_linestyle((0, (2, 1)))
        lines.append(line)
        lines.append(
            Line2D(
                x[1:],
                y[1:],
                color=color,
                marker="x" if nothing else "o",
                markersize=(4.4 if nothing else 3.0) * width,
                markerfacecolor="none" if extra else color,
                markeredgewidth=0.9 * width,
                zorder=3 if nothing else 2,
            )
        )
    return lines
