"""Pictures of a phase diagram: its regions, and the paper's continuous colouring."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from phasediagram.naming.geometry import norm_and_superposition
from phasediagram.plotting.canvas import axes_of, below_label, new_axes, paint
from phasediagram.plotting.weights import WeightsHandler, draw_weights_at
from phasediagram.results import PhaseDiagram

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
# of phases without a style of their own, where there are several: Tol's muted scheme
_FURTHER_COLORS = (
    "#c9b458", "#44aa99", "#cc6677", "#88ccee", "#117733", "#ddcc77", "#882255", "#aa4499",
    "#999933", "#6b5bb5",
)  # fmt: skip


def phase_colors(names: Iterable[str]) -> dict[str, str]:
    """Return the colour of each of several phases; those without a style differ, as far as 10."""
    found: dict[str, str] = {}
    further = 0
    for name in names:
        if name in PHASE_STYLES:
            found[name] = PHASE_STYLES[name].color
        elif name not in found:
            found[name] = _FURTHER_COLORS[further % len(_FURTHER_COLORS)]
            further += 1
    return found


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
    named = phase_colors(diagram.candidates)
    colors = np.array([to_rgb(named[name]) for name in diagram.candidates])
    values = colors[diagram.lowest]
    paint(ax, diagram.density, diagram.relative_importance, values, axes_of(diagram))
    show_weights = show_weights and diagram.n_hidden <= 2
    if label_size is not None:
        _label_regions(ax, diagram, show_weights, label_size)
    if legend is not None:
        _add_legend(ax, diagram, legend == "meanings", legend_columns, show_weights)
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
    colors = superposition_color(*norm_and_superposition(diagram.W))
    paint(ax, diagram.density, diagram.relative_importance, colors, axes_of(diagram))
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
        As `phasediagram.naming.norm_and_superposition` returns them; clipped to [0, 1].

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


def _add_legend(
    ax: Axes, diagram: PhaseDiagram, explain: bool, columns: int, show_weights: bool
) -> None:
    """Explain the colours below the label of the x axis, with a picture of each phase's W."""
    handles: list[Patch] = []
    handlers: dict[Patch, WeightsHandler] = {}
    named = phase_colors(diagram.candidates)
    for name in diagram.shares():
        patch = Patch(
            facecolor=named[name],
            edgecolor="#555555",
            linewidth=0.6,
            label=_legend_text(name) if explain else name,
        )
        handles.append(patch)
        if show_weights:
            middle = _middle(diagram.lowest == diagram.candidates.index(name))
            color = _readable_on(named[name])
            handlers[patch] = WeightsHandler(diagram.W[middle], color)
    ax.legend(
        handles=handles,
        handler_map=handlers,
        handlelength=2.2,
        handleheight=1.8 if show_weights else 0.7,
        loc="upper left",
        bbox_to_anchor=(-0.1, 0.0),
        bbox_transform=below_label(ax),
        borderpad=0.0,
        ncols=columns,
        frameon=False,
        fontsize="small",
    )


def _legend_text(name: str) -> str:
    meaning = phase_style(name).meaning
    return f"{name}: {meaning}" if meaning else name


def _readable_on(ground: str) -> str:
    lightness = np.dot(to_rgb(ground), [0.299, 0.587, 0.114])
    return "white" if lightness < 0.5 else "black"


def _label_regions(ax: Axes, diagram: PhaseDiagram, show_weights: bool, size: float | str) -> None:
    """Write each phase's name, and draw its weights, where its region is widest."""
    named = phase_colors(diagram.candidates)
    for name in diagram.shares():
        regions, count = ndimage.label(diagram.lowest == diagram.candidates.index(name))
        for region in range(1, count + 1):
            inside = regions == region
            if inside.mean() < _SMALLEST_LABELLED_SHARE:
                continue
            row, column = _middle(inside)
            ground = named[name]
            color = _readable_on(ground)
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
                draw_weights_at(ax, place, diagram.W[row, column], color)


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
