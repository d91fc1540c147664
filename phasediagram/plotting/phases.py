"""Pictures of a phase diagram: its regions, and the paper's continuous colouring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, Locator, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from phasediagram.orientation import upright
from phasediagram.phases import norm_and_superposition

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

    from phasediagram.results import PhaseDiagram

Array = NDArray[np.float64]

_SMALLEST_LABELLED_SHARE = 0.02
_SMALLEST_DRAWN_SHARE = 0.04
_KEY_RESOLUTION = 64

# the corners of the two-dimensional colour key: lightness tells them apart in print
_NOT_REPRESENTED = np.array(to_rgb("#e3e3e3"))
_ORTHOGONAL = np.array(to_rgb("#14366b"))
_SUPERPOSED = np.array(to_rgb("#f08a24"))


@dataclass(frozen=True)
class PhaseStyle:
    """How a phase is drawn and explained."""

    color: str
    meaning: str


PHASE_STYLES = {
    "ignored": PhaseStyle("#e3e3e3", "the extra feature is not represented"),
    "dedicated": PhaseStyle("#14366b", "it has a dimension, another feature is ignored"),
    "antipodal": PhaseStyle("#f08a24", "it shares a dimension with another feature"),
    "partial": PhaseStyle("#f9cf9c", "as antipodal, but with a much smaller norm"),
    "partial-other": PhaseStyle("#7a5a3a", "as antipodal, the other's norm much smaller"),
    "others-antipodal": PhaseStyle("#6fa8d6", "it has a dimension, two others share one"),
    "others-partial": PhaseStyle("#2f6aa3", "as others-antipodal, one norm much smaller"),
    "triangle": PhaseStyle("#9b2d6f", "three features share two dimensions"),
    "partial-triangle": PhaseStyle("#f4c3d7", "as triangle, but with a much smaller norm"),
    "scalene": PhaseStyle("#5d2a8c", "as triangle, the two others unequal"),
    "others-triangle": PhaseStyle("#3f7f93", "it has a dimension, three others share two"),
    "aligned": PhaseStyle("#c9b458", "it shares a dimension with another, in the same direction"),
    "others-aligned": PhaseStyle("#8fae5d", "it has a dimension, two others point the same way"),
    "aligned-triangle": PhaseStyle("#4f9a8b", "three share two dimensions, it is on their side"),
    "tetrahedron": PhaseStyle("#5b8c3a", "four features share three dimensions"),
}
_OTHER_STYLE = PhaseStyle("#c9b458", "")


def plot_phases(
    diagram: PhaseDiagram,
    ax: Axes | None = None,
    legend_columns: int = 1,
    show_weights: bool = True,
    legend: Literal["meanings", "names"] | None = "meanings",
    label_size: float | str | None = "small",
) -> Axes:
    """Draw which phase has the lowest loss, with a legend.

    Parameters
    ----------
    diagram : PhaseDiagram
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    legend_columns : int
        Columns of the legend, which is below the axes.
    show_weights : bool
        Whether to draw the features' directions in each large labelled region.
    legend : {"meanings", "names"} or None
        Whether the legend explains the phases, which takes five inches; only names them; or
        is left out.
    label_size : float, str or None
        Size of the names in the regions, as matplotlib takes it; None for no names.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_phases
    >>> diagram = phd.phase_diagram(weights="canonical")
    >>> with paper_figure() as figure:
    ...     ax = plot_phases(diagram, figure.add_subplot(), legend="names")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['ignored', 'dedicated', 'antipodal']
    """
    ax = ax or new_axes()
    names = list(diagram.shares())
    colors = np.array([to_rgb(phase_style(name).color) for name in names])
    index = np.select([diagram.phase == name for name in names], list(range(len(names))))
    paint(ax, diagram, colors[index])
    if label_size is not None:
        _label_regions(ax, diagram, names, show_weights and diagram.n_hidden <= 2, label_size)
    if legend is not None:
        _add_legend(ax, names, legend == "meanings", legend_columns)
    return ax


def plot_superposition(
    diagram: PhaseDiagram, ax: Axes | None = None, key_ax: Axes | None = None
) -> Axes:
    r"""Draw the paper's continuous colouring of the extra feature, with its colour key.

    Colour is mixed from the norm of the feature's direction and from how much of that
    direction other features share, ``sum_j (W_n/|W_n| . W_j)^2``, both clipped to [0, 1]
    (Elhage et al. 2022, section "Superposition as a Phase Change").

    Parameters
    ----------
    diagram : PhaseDiagram
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    key_ax : matplotlib.axes.Axes, optional
        Where to draw the colour key; below `ax` by default.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_superposition
    >>> with paper_figure() as figure:
    ...     ax = plot_superposition(phd.phase_diagram(weights="canonical"), figure.add_subplot())
    >>> ax.child_axes[0].get_xlabel()  # the colour key
    'norm $\\|W_n\\|$'
    """
    ax = ax or new_axes()
    paint(ax, diagram, superposition_color(*norm_and_superposition(diagram.W)))
    plot_color_key(key_ax or ax.inset_axes((0.32, -0.56, 0.36, 0.36)))
    return ax


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


def superposition_color(norm: ArrayLike, superposition: ArrayLike) -> Array:
    """Return the colour of a norm and a superposition.

    Parameters
    ----------
    norm, superposition : array_like, shape (...)
        As `phasediagram.phases.norm_and_superposition` returns them; clipped to [0, 1].

    Returns
    -------
    ndarray, shape (..., 3)
        Red, green and blue, 0 to 1.

    Examples
    --------
    >>> from phasediagram.plotting import superposition_color
    >>> superposition_color([0.0, 1.0], [0.0, 1.0]).round(2)  # not represented; shared
    array([[0.89, 0.89, 0.89],
           [0.94, 0.54, 0.14]])
    """
    clipped = np.clip(np.asarray(norm, dtype=np.float64), 0.0, 1.0)[..., None]
    shared = np.clip(np.asarray(superposition, dtype=np.float64), 0.0, 1.0)[..., None]
    represented = (1 - shared) * _ORTHOGONAL + shared * _SUPERPOSED
    return np.asarray((1 - clipped) * _NOT_REPRESENTED + clipped * represented)


def new_axes() -> Axes:
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(5.2, 5.8), layout="constrained")[1]


def _add_legend(ax: Axes, names: list[str], explain: bool, columns: int) -> None:
    """Explain the colours below the label of the x axis."""
    handles = [
        Patch(
            facecolor=phase_style(name).color,
            edgecolor="#555555",
            linewidth=0.6,
            label=_legend_text(name) if explain else name,
        )
        for name in names
    ]
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(-0.1, 0.0),
        bbox_transform=below_label(ax),
        borderpad=0.0,
        ncols=columns,
        frameon=False,
        fontsize="small",
    )


def below_label(ax: Axes) -> Transform:
    """Return coordinates of the axes, moved down below ticks and label, whatever their size."""
    points = 2.5 * float(ax.xaxis.label.get_fontsize()) + 9
    return ax.transAxes + ScaledTranslation(0, -points / 72, ax.figure.dpi_scale_trans)


def _legend_text(name: str) -> str:
    meaning = phase_style(name).meaning
    return f"{name}: {meaning}" if meaning else name


def paint(ax: Axes, diagram: PhaseDiagram, values: Array, **options: Any) -> QuadMesh:
    """Colour one cell for each point of the grid, by value or RGB, on the paper's axes."""
    rows, columns = np.argsort(diagram.density), np.argsort(diagram.relative_importance)
    x, y = diagram.relative_importance[columns], diagram.density[rows]
    ax.set_xscale("log")
    ax.set_yscale("log")
    mesh = ax.pcolormesh(
        _cell_edges(x), _cell_edges(y), values[rows][:, columns], rasterized=True, **options
    )
    ax.set_xlim(_limits(x))
    ax.set_ylim(_limits(y))
    ax.set_xlabel("Relative feature importance $r$")
    ax.set_ylabel("Feature density $1 - S$")
    for axis, values in ((ax.xaxis, x), (ax.yaxis, y)):
        axis.set_major_locator(_locator(values))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    ax.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: "1.0" if np.isclose(value, 1) else f"{value:g}")
    )
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_box_aspect(1)
    return mesh


def _locator(values: Array) -> Locator:
    """Return ticks at powers of ten, and more of them in a close-up."""
    if values[-1] > 30 * values[0]:
        return LogLocator()
    return MaxNLocator(6) if values[-1] < 4 * values[0] else LogLocator(subs=(1, 2, 3, 5))


def _cell_edges(centres: Array) -> Array:
    """Return the edges of cells around points, halfway in the logarithm."""
    if centres.size == 1:
        return np.asarray(centres[0] * np.array([0.9, 1.1]))
    logs = np.log(centres)
    middle = (logs[1:] + logs[:-1]) / 2
    first, last = 2 * logs[0] - middle[0], 2 * logs[-1] - middle[-1]
    return np.asarray(np.exp(np.concatenate([[first], middle, [last]])))


def _limits(values: Array) -> tuple[float, float]:
    if values.size == 1:
        edges = _cell_edges(values)
        return float(edges[0]), float(edges[-1])
    return float(values[0]), float(values[-1])


def _label_regions(
    ax: Axes, diagram: PhaseDiagram, names: list[str], show_weights: bool, size: float | str
) -> None:
    """Write each phase's name, and draw its weights, where its region is widest."""
    for name in names:
        regions, count = ndimage.label(diagram.phase == name)
        for region in range(1, count + 1):
            inside = regions == region
            if inside.mean() < _SMALLEST_LABELLED_SHARE:
                continue
            row, column = _middle(inside)
            ground = phase_style(name).color
            lightness = np.dot(to_rgb(ground), [0.299, 0.587, 0.114])
            color = "white" if lightness < 0.5 else "black"
            place = (
                float(diagram.relative_importance[column]),
                float(diagram.density[row]),
            )
            drawn = show_weights and inside.mean() >= _SMALLEST_DRAWN_SHARE
            ax.annotate(
                name,
                place,
                xytext=(0, -9 if drawn else 0),
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=size,
                color=color,
                bbox={"boxstyle": "square,pad=0.1", "facecolor": ground, "edgecolor": "none"},
            )
            if drawn:
                _draw_weights_at(ax, place, diagram.W[row, column], color)


def plot_weights(W: ArrayLike, ax: Axes | None = None, color: str = "black") -> Axes:
    """Draw the features' directions in one or two hidden dimensions, the extra one dashed.

    Parameters
    ----------
    W : array_like, shape (m, n)
        m is 1 or 2.  Turned so that the directions of one phase always look alike.
    ax : matplotlib.axes.Axes, optional
        Where to draw, its frame removed; a new figure by default.
    color : str

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
    directions = np.pad(upright(weights), ((0, 2 - len(weights)), (0, 0)))
    for i, (x, y) in enumerate(directions.T):
        extra = i == weights.shape[1] - 1
        ax.plot([0, x], [0, y], color=color, lw=1.3, ls=(0, (2, 1)) if extra else "-")
        ax.plot([x], [y], "o", ms=3.2, color=color, mfc="none" if extra else color, mew=0.9)
    ax.set_xlim(-1.3, 1.3)
    ax.set_ylim(-1.3, 1.3)
    ax.set_aspect("equal")
    ax.axis("off")
    return ax


def _draw_weights_at(ax: Axes, place: tuple[float, float], W: Array, color: str) -> None:
    size = 0.11
    x, y = ax.transLimits.transform(np.log10(place))
    inset = ax.inset_axes((x - size / 2, min(y - 0.01, 1 - size), size, size))
    inset.patch.set_alpha(0)
    plot_weights(W, inset, color)


def _middle(inside: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the point of a region that is deepest inside it, central among equals."""
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    deepest = np.argwhere(depth >= 0.95 * depth.max())
    row, column = deepest[((deepest - deepest.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    return int(row), int(column)


def plot_color_key(ax: Axes | None = None) -> Axes:
    """Draw the two-dimensional key of `superposition_color`: norm to the right, shared upwards.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from phasediagram.plotting import paper_figure, plot_color_key
    >>> with paper_figure(width=1.5) as figure:
    ...     ax = plot_color_key(figure.add_subplot())
    >>> ax.images[0].get_array().shape
    (64, 64, 3)
    """
    ax = ax or new_axes()
    axis = np.linspace(0, 1, _KEY_RESOLUTION)
    norm, superposition = np.meshgrid(axis, axis)
    ax.imshow(superposition_color(norm, superposition), origin="lower", extent=(0, 1, 0, 1))
    ax.set_xticks([0, 1])
    ax.set_yticks([0, 1])
    ax.tick_params(labelsize="x-small")
    ax.set_xlabel("norm $\\|W_n\\|$", fontsize="x-small", labelpad=-4)
    ax.set_ylabel("superposition\n$\\sum_j (\\hat W_n \\cdot W_j)^2$", fontsize="x-small")
    return ax
