"""The paper's first demonstration: what many features in few dimensions are trained to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from phasediagram.naming.geometry import superposition_of_each
from phasediagram.plotting.elements.styles import figure_style

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = NDArray[np.float64]


def draw_demonstration(
    weights: Sequence[Array], biases: Sequence[Array], titles: Sequence[str]
) -> Figure:
    """Return a figure of several models: W^T W and b, and below each feature's norm.

    Bars are coloured by how much others share a feature's direction: dark not at all, yellow as
    much as a whole dimension.

    Parameters
    ----------
    weights : sequence of ndarray, shape (m, n)
    biases : sequence of ndarray, shape (n,)
    titles : sequence of str

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> from phasediagram.plotting import draw_demonstration
    >>> figure = draw_demonstration([np.eye(2, 4)], [np.zeros(4)], ["identity"])
    >>> [ax.get_title() for ax in figure.axes[:1]]
    ['identity']
    """
    with figure_style():
        return _drawn(weights, biases, titles)


def _drawn(weights: Sequence[Array], biases: Sequence[Array], titles: Sequence[str]) -> Figure:
    figure = Figure(figsize=(1.55 * len(weights) + 0.4, 5.2), layout="constrained")
    axes = figure.subplots(2, len(weights), squeeze=False, height_ratios=(1, 1.6))
    for column, (W, b, title) in enumerate(zip(weights, biases, titles, strict=True)):
        above, below = axes[:, column]
        n = W.shape[1]
        picture = np.concatenate([W.T @ W, np.full((n, 1), np.nan), b[:, None]], axis=1)
        above.imshow(picture, cmap="RdBu", norm=Normalize(-1, 1))
        above.set_title(title, fontsize="small")
        above.set_xticks([])
        above.set_yticks([])
        norm, shared = superposition_of_each(W)
        colors = _colors(shared)
        below.barh(np.arange(n), norm, color=colors, height=0.9)
        below.set_ylim(n - 0.5, -0.5)
        below.set_xlim(0, 1.35)
        below.set_yticks([])
        below.set_xlabel(r"$\|W_i\|$", fontsize="small")
        below.tick_params(labelsize="x-small")
    axes[0, 0].set_ylabel(r"$W^TW$ and $b$", fontsize="small")
    axes[1, 0].set_ylabel("feature", fontsize="small")
    return figure


def _colors(shared: Array) -> Array:
    return np.asarray(mpl.colormaps["viridis"](np.clip(shared, 0, 1)))
