"""Draw the lowest mixtures of two classes of importance over density and importance.

    python docs/make_two_classes_figure.py [FOLDER]

20 features of importance 1 and 20 of importance r in 15 dimensions, groups of up to 4 features in
up to 3 dimensions.  For each r of a grid the groups are searched (kept in FOLDER, if it is given,
so that a run that was interrupted goes on) and the transitions over density located; the figure
is filled between the located transitions.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

import phasediagram as phd
from phasediagram.plotting import COLUMN_WIDTH, paper_figure, save_figure

FIGURES = Path(__file__).parent / "figures"
EACH, HIDDEN = 20, 15
DENSITY = np.geomspace(0.1, 0.95, 13)
IMPORTANCE = np.geomspace(0.1, 1.0, 13)[:-1]
SEARCHED = (0.12, 0.25, 0.5, 0.8)
STARTS = 24


def lowest(r: float, folder: Path | None) -> phd.Geometry:
    """Return the lowest mixtures over density at one importance."""
    directory = None if folder is None else folder / f"{r:.6f}"
    groups = phd.find_groups(
        (float(DENSITY[0]), float(DENSITY[-1])),
        max_features=4,
        max_hidden=3,
        relative_importance=r,
        searched=SEARCHED,
        starts=STARTS,
        directory=directory,
    )
    return phd.geometry(
        DENSITY, 2 * EACH, HIDDEN, groups=groups, relative_importance=r, n_second=EACH
    )


def said(mixture: dict[str, int]) -> str:
    """Return a mixture as a line of text."""
    return ", ".join(f"{count} {name}" for name, count in sorted(mixture.items()))


def main() -> None:
    """Print every transition and draw the diagram."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if folder is not None:
        folder.mkdir(exist_ok=True)
    columns = []
    for r in IMPORTANCE.tolist():
        found = lowest(r, folder)
        edges = [float(DENSITY[0]), *(c.density for c in found.transitions), float(DENSITY[-1])]
        mixtures = [found.mixture(0), *(c.above for c in found.transitions)]
        columns.append((r, edges, [said(mixture) for mixture in mixtures]))
        print(f"r = {r:.4f}")
        for edge, mixture in zip(edges, mixtures, strict=False):
            print(f"    from {edge:.10f}: {said(mixture)}", flush=True)
    draw(columns)


def draw(columns: list[tuple[float, list[float], list[str]]]) -> None:
    """Fill between transitions, each mixture in its colour."""
    kinds = list(dict.fromkeys(name for *_, names in columns for name in names))
    colors = dict(zip(kinds, colormaps["tab20"].colors, strict=False))
    step = np.sqrt(columns[1][0] / columns[0][0])
    with paper_figure(2 * COLUMN_WIDTH, 4.2) as figure:
        ax = figure.add_subplot()
        for r, edges, names in columns:
            for (low, high), name in zip(pairwise(edges), names, strict=True):
                ax.fill_between([r / step, r * step], low, high, color=colors[name], linewidth=0)
            ax.plot(np.full(len(edges) - 2, r), edges[1:-1], ".", color="#222222", markersize=2)
        for name in kinds:
            ax.fill_between([], [], [], color=colors[name], label=name)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlim(columns[0][0] / step, columns[-1][0] * step)
        ax.set_ylim(DENSITY[0], DENSITY[-1])
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())
        ax.set_xlabel("Importance $r$ of the second class")
        ax.set_ylabel("Density $p$")
        ax.legend(
            frameon=False, fontsize=6, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2
        )
        save_figure(figure, FIGURES / "two_classes.png")


if __name__ == "__main__":
    main()
