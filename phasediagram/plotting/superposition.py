"""The paper's continuous colouring of the extra feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.path import Path
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from phasediagram.naming.geometry import norm_and_superposition
from phasediagram.plotting.elements.areas import path_of
from phasediagram.plotting.elements.canvas import (
    are_evenly_spaced,
    axes_of,
    new_axes,
    paint,
    shade,
)
from phasediagram.plotting.elements.styles import PHASE_STYLES
from phasediagram.plotting.phases import regions_for
from phasediagram.regions.result import PhaseRegion, PhaseRegions
from phasediagram.results import PhaseBoundaries, PhaseDiagram

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

_KEY_RESOLUTION = 64

# the corners of the two-dimensional colour key: lightness tells them apart in print
_NOT_REPRESENTED = np.array(to_rgb(PHASE_STYLES["ignored"].color))
_ORTHOGONAL = np.array(to_rgb(PHASE_STYLES["dedicated"].color))
_SUPERPOSED = np.array(to_rgb(PHASE_STYLES["antipodal"].color))


def plot_superposition(
    diagram: PhaseDiagram,
    ax: Axes | None = None,
    key_ax: Axes | None = None,
    *,
    boundaries: PhaseBoundaries | PhaseRegions | None = None,
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
    boundaries : PhaseBoundaries or PhaseRegions, optional
        Where colours may jump: between them, if they close, colours run evenly from point to
        point of the grid.  Without them each point has its cell.

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
    axes = axes_of(diagram)
    grid = diagram.density, diagram.relative_importance
    regions = regions_for(diagram, boundaries)
    even = all(
        are_evenly_spaced(values, axis)
        for values, axis in zip(grid, axes or (None, None), strict=True)
    )
    if regions is not None and regions.is_closed and even:
        shade(ax, *grid, colors, axes)  # under the seams
        for region in regions.regions:
            own = _colors_within(region, diagram, colors)
            shade(ax, *grid, own, axes, within=path_of(region))
    else:
        paint(ax, *grid, colors, axes)
    plot_color_key(key_ax or ax.inset_axes((0.32, -0.56, 0.36, 0.36)))
    return ax


def _colors_within(region: PhaseRegion, diagram: PhaseDiagram, colors: Array) -> Array:
    """Return the colours of a grid with those outside a region replaced by the nearest inside."""
    y, x = np.meshgrid(diagram.density, diagram.relative_importance, indexing="ij")
    points = np.stack([np.log(x).ravel(), np.log(y).ravel()], axis=1)
    if diagram.x is not None and diagram.y is not None:
        points = np.stack(
            [diagram.x.coordinates(x).ravel(), diagram.y.coordinates(y).ravel()], axis=1
        )
    mask = np.zeros(len(points), dtype=bool)
    for loop in (region.outline, *region.holes):
        scaled = np.log(loop[:, ::-1])
        if diagram.x is not None and diagram.y is not None:
            scaled = np.stack(
                [diagram.x.coordinates(loop[:, 1]), diagram.y.coordinates(loop[:, 0])], axis=1
            )
        mask ^= Path(scaled).contains_points(points)
    mask = mask.reshape(x.shape)
    if not mask.any():
        inside = superposition_color(*norm_and_superposition(region.W[None]))[0]
        return np.broadcast_to(inside, colors.shape)
    nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    return np.asarray(colors[tuple(nearest)])


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
    array([[0.93, 0.93, 0.93],
           [0.92, 0.51, 0.13]])
    """
    clipped = np.clip(np.asarray(norm, dtype=np.float64), 0.0, 1.0)[..., None]
    shared = np.clip(np.asarray(superposition, dtype=np.float64), 0.0, 1.0)[..., None]
    represented = (1 - shared) * _ORTHOGONAL + shared * _SUPERPOSED
    return np.asarray((1 - clipped) * _NOT_REPRESENTED + clipped * represented)


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
