"""A certified diagram: what is proved, cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from phasediagram.certified.diagram import CertifiedDiagram
from phasediagram.plotting.canvas import new_axes
from phasediagram.plotting.phases import phase_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

_STYLES = {
    "ignored": (phase_style("ignored").color, "ignored: every minimiser has $W_2 = 0$"),
    "dedicated": (phase_style("dedicated").color, "dedicated: every minimiser has $W_1 = 0$"),
    "not superposed": (phase_style("ignored").color, "no superposition: $W_1 = 0$ or $W_2 = 0$"),
    "superposed": (phase_style("antipodal").color, "superposed: every minimiser has $W_1 W_2 < 0$"),
    "undecided": ("#111111", "undecided"),
}
_LABELS = {
    "relative_importance": "Relative feature importance $r$",
    "interference_penalty": "Interference penalty $\\lambda$",
}
_WHITE = np.ones(3)


def plot_certified(diagram: CertifiedDiagram, ax: Axes | None = None) -> Axes:
    """Draw what is proved in each cell; superposed ones lighter, the less equal both norms are.

    Parameters
    ----------
    diagram : CertifiedDiagram
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import phasediagram as phd
    >>> from phasediagram.plotting import paper_figure, plot_certified
    >>> diagram = phd.certified_diagram(
    ...     density=(0.02, 0.1), relative_importance=(0.5, 2.0), undecided=0.5
    ... )
    >>> with paper_figure() as figure:
    ...     ax = plot_certified(diagram, figure.add_subplot())
    >>> ax.get_ylabel()
    'Feature density $1 - S$'
    """
    ax = ax or new_axes()
    corners = [
        [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]
        for x, y in zip(diagram.other.tolist(), diagram.density.tolist(), strict=True)
    ]
    colors = _colors(diagram)
    ax.add_collection(PolyCollection(corners, facecolors=colors, edgecolors=colors, linewidths=0.2))
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(diagram.other.min(), diagram.other.max())
    ax.set_ylim(diagram.density.min(), diagram.density.max())
    ax.set_xlabel(_LABELS[diagram.name])
    ax.set_ylabel("Feature density $1 - S$")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    ax.set_box_aspect(1)
    shares = diagram.shares()
    ax.legend(
        handles=[
            Patch(facecolor=color, edgecolor="#555555", label=f"{meaning} ({shares[phase]:.2%})")
            for phase, (color, meaning) in _STYLES.items()
            if phase in shares
        ],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.14),
        frameon=False,
        fontsize="small",
    )
    return ax


def _colors(diagram: CertifiedDiagram) -> Array:
    """Return each cell's colour: of superposed cells mixed with white, by the smaller norm."""
    colors = np.array([to_rgb(_STYLES[phase][0]) for phase in diagram.phase])
    for k in np.flatnonzero(np.array(diagram.phase) == "superposed"):
        low, high = diagram.ratio[k]
        if 0 < low <= high < np.inf:
            ratio = np.sqrt(low * high)
            strength = 0.25 + 0.75 * min(ratio, 1 / ratio)
            colors[k] = strength * colors[k] + (1 - strength) * _WHITE
    return colors
