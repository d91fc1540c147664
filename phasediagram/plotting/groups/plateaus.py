"""Where trained features settled, over the lowest mixtures of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from phasediagram.comparison.plateaus import (
    EQUILIBRIUM,
    IGNORED,
    METASTABLE,
    NONE,
    PlateauAgreement,
)
from phasediagram.grouping.result import Geometry
from phasediagram.plotting.groups.geometry import plot_geometry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = {
    NONE: ("trained: no group", "#222222", "."),
    METASTABLE: ("trained: metastable group", "#d95f02", "^"),
    EQUILIBRIUM: ("trained: lowest group", "#ffffff", "o"),
}
_SPREAD = 0.012  # of the logarithm of the density, so that equal features are seen


def plot_plateaus(agreement: PlateauAgreement, geometry: Geometry, ax: Axes | None = None) -> Axes:
    """Draw each represented trained feature's dimensionality over those of the lowest mixtures.

    Parameters
    ----------
    agreement : PlateauAgreement
    geometry : Geometry
        Of as many features and dimensions, over the densities to be drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_plateaus
    >>> groups = phd.find_groups((0.3, 0.5), max_features=3, searched=[0.4], starts=10)
    >>> runs = phd.train(0.4, model=phd.ToyModel(4, 2), steps=1000, optimizer="exact")
    >>> lowest = phd.geometry([0.3, 0.4, 0.5], 4, 2, groups=groups)
    >>> with paper_figure() as figure:
    ...     ax = plot_plateaus(phd.compare_geometry(runs, groups), lowest, figure.add_subplot())
    >>> ax.get_ylabel()
    'Dimensionality $D_i$'
    """
    ax = plot_geometry(geometry, ax)
    n = agreement.norm.shape[1]
    spread = np.exp(_SPREAD * np.linspace(-1, 1, n))
    where = np.broadcast_to(spread / agreement.density[:, None], agreement.norm.shape)
    for standing, (label, color, marker) in _MARKS.items():
        chosen = agreement.by_group == standing
        if not chosen.any() or standing == IGNORED:
            continue
        ax.scatter(
            where[chosen],
            agreement.dimensionality[chosen],
            s=9,
            marker=marker,
            facecolor=color,
            edgecolor="#222222",
            linewidth=0.3,
            label=label,
            zorder=4,
        )
    ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax
