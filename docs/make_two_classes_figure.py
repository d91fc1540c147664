"""Draw the lowest mixtures of two classes of importance over density and importance.

    python docs/make_two_classes_figure.py [FOLDER]

20 features of importance 1 and 20 of importance r in 15 dimensions, groups of up to 4 features in
up to 3 dimensions.  For each r of a grid the groups are searched (kept in FOLDER, if it is given,
so that a run that was interrupted goes on).  Changes are located along the density for each r, and
along r for each density; lines join those that are between the same mixtures.
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
ACROSS = np.geomspace(0.1, 0.95, 25)  # densities at which changes along r are located
REACH = 0.25  # of the logarithms of r and p: the farthest points that a line joins
SEARCHED = (0.12, 0.25, 0.5, 0.8)
STARTS = 24


def searched(r: float, folder: Path | None) -> phd.GroupCatalogue:
    """Return the groups at one importance."""
    return phd.find_groups(
        (float(DENSITY[0]), float(DENSITY[-1])),
        max_features=4,
        max_hidden=3,
        relative_importance=r,
        searched=SEARCHED,
        starts=STARTS,
        directory=None if folder is None else folder / f"{r:.6f}",
    )


def said(mixture: dict[str, int]) -> str:
    """Return a mixture as a line of text."""
    return ", ".join(f"{count} {name}" for name, count in sorted(mixture.items()))


def main() -> None:
    """Print every transition and draw the diagram."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if folder is not None:
        folder.mkdir(exist_ok=True)
    catalogues = [searched(r, folder) for r in IMPORTANCE.tolist()]
    lines, columns = [], []
    for r, groups in zip(IMPORTANCE.tolist(), catalogues, strict=True):
        found = phd.geometry(
            DENSITY, 2 * EACH, HIDDEN, groups=groups, relative_importance=r, n_second=EACH
        )
        edges = [float(DENSITY[0]), *(c.density for c in found.transitions), float(DENSITY[-1])]
        mixtures = [found.mixture(0), *(c.above for c in found.transitions)]
        columns.append((r, edges, [said(mixture) for mixture in mixtures]))
        print(f"r = {r:.4f}")
        for edge, mixture in zip(edges, mixtures, strict=False):
            print(f"    from {edge:.10f}: {said(mixture)}", flush=True)
        lines += [(pair(c), r, c.density) for c in found.transitions]
    along = phd.geometry_over_importance(ACROSS, 2 * EACH, HIDDEN, EACH, catalogues)
    for change in along:
        print(change.description, f"{change.relative_importance:.10f}", flush=True)
    lines += [(pair(c), c.relative_importance, c.density) for c in along]
    draw(columns, lines)


Column = tuple[float, list[float], list[str]]  # r, the edges in density, the mixtures
Located = tuple[frozenset[str], float, float]  # two mixtures, r, p


def slanted(left: Column, right: Column) -> list[tuple[list[float], list[list[float]], list[str]]]:
    """Return what to fill between two importances: (r, edges at each r, mixtures).

    Edges lead from one to the other.  A mixture that is at one of them only narrows to nothing at
    the other; where neither has all mixtures, there is a step in the middle.
    """
    for names in (left[2], right[2]):
        both = [widened(column, names) for column in (left, right)]
        if both[0] and both[1]:
            edges = [list(ends) for ends in zip(*both, strict=True)]
            return [([left[0], right[0]], edges, names)]
    middle = float(np.sqrt(left[0] * right[0]))
    return [
        ([left[0], middle], [[edge, edge] for edge in left[1]], left[2]),
        ([middle, right[0]], [[edge, edge] for edge in right[1]], right[2]),
    ]


def widened(column: Column, names: list[str]) -> list[float]:
    """Return the edges with mixtures of no width added; none if the column has others besides."""
    _, edges, own = column
    made, k = [edges[0]], 0
    for name in names:
        k += k < len(own) and own[k] == name
        made.append(edges[k])
    return made if k == len(own) else []


def pair(change: phd.GeometryTransition) -> frozenset[str]:
    """Return the two mixtures of a change."""
    return frozenset((said(change.below), said(change.above)))


def chains(points: np.ndarray) -> list[np.ndarray]:
    """Join points (q, 2), of the logarithms of r and p, each to the nearest that is left."""
    left, found = list(range(len(points))), []
    while left:
        chain = [left.pop(int(np.argmin(points[left][:, 0])))]
        while left:
            away = np.abs(points[left] - points[chain[-1]]).max(axis=1)
            if away.min() > REACH:
                break
            chain.append(left.pop(int(away.argmin())))
        found.append(points[chain])
    return found


def draw(
    columns: list[Column],
    lines: list[Located],
) -> None:
    """Fill between changes, and draw the lines on which all were located."""
    kinds = list(dict.fromkeys(name for *_, names in columns for name in names))
    shades = (np.array(colormaps["tab20"].colors) + 0.6) / 1.6
    colors = dict(zip(kinds, shades.tolist(), strict=False))
    with paper_figure(2 * COLUMN_WIDTH, 4.2) as figure:
        ax = figure.add_subplot()
        for left, right in pairwise(columns):
            for r, edges, names in slanted(left, right):
                for k, name in enumerate(names):
                    ax.fill_between(r, edges[k], edges[k + 1], color=colors[name], linewidth=0.3)
        for mixtures in dict.fromkeys(names for names, *_ in lines):
            points = np.log([(r, p) for names, r, p in lines if names == mixtures])
            for chain in chains(points):
                ax.plot(*np.exp(chain.T), "-", color="#222222", linewidth=0.9)
                ax.plot(*np.exp(chain.T), ".", color="#222222", markersize=2)
        for name in kinds:
            ax.fill_between([], [], [], color=colors[name], label=name)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlim(columns[0][0], columns[-1][0])
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
