"""A certified diagram: what is proved, cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from phasediagram.plotting.elements.canvas import new_axes
from phasediagram.plotting.elements.styles import phase_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from phasediagram.certified.planes.diagram import CertifiedDiagram

_STYLES = {
    "ignored": (phase_style("ignored").color, "ignored: $W_2 = 0$"),
    "dedicated": (phase_style("dedicated").color, "dedicated: $W_1 = 0$"),
    "not superposed": (phase_style("ignored").color, "not superposed: $W_1 = 0$ or $W_2 = 0$"),
    "antipodal": (
        phase_style("antipodal").color,
        "antipodal: $W_1 W_2 < 0$, $0.6 < |W_2/W_1| < 1/0.6$",
    ),
    "partial": (phase_style("partial").color, "partial: $W_1 W_2 < 0$, $|W_2/W_1| < 0.6$"),
    "partial-other": (
        phase_style("partial-other").color,
        "partial-other: $W_1 W_2 < 0$, $|W_2/W_1| > 1/0.6$",
    ),
    "superposed": ("#d9534f", "superposed: $W_1 W_2 < 0$"),
    "undecided": ("#111111", "undecided"),
}
_LABELS = {
    "relative_importance": "Relative feature importance $r$",
    "interference_penalty": "Interference penalty $\\lambda$",
}


def plot_certified(diagram: CertifiedDiagram, ax: Axes | None = None) -> Axes:
    """Draw what is proved of every global minimiser, cell by cell.

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
    colors = [_STYLES[phase][0] for phase in diagram.finer_phase]
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
    shares = diagram.shares(finer=True)
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
