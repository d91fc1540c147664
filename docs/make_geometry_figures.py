"""Make the figures of geometry.md anew, and print its numbers.

phasediagram geometry --max-features 8 --density-range 0.01 1 --save groups.npz
python docs/make_geometry_figures.py groups.npz
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.optimize import brentq

import phasediagram as phd
from phasediagram.grouping.stability import pair_curvature, response
from phasediagram.plotting import (
    PAGE_WIDTH,
    paper_figure,
    plot_geometry,
    plot_norm_per_dimension,
    save_figure,
)

FIGURES = Path(__file__).parent / "figures"
DENSITY = np.geomspace(0.0101, 0.99, 121)
SIZES = ((400, 30), (75, 30), (60, 30), (45, 30), (40, 30), (36, 30))
TABLE = np.geomspace(0.0101, 0.99, 25)


def tilt(one: phd.FeatureGroup, other: phd.FeatureGroup, density: float) -> float:
    """Return the smallest curvature against tilting of one group into the other."""
    parts = [response(g.space, *g.state(density)[1:], density) for g in (one, other)]
    return pair_curvature(*parts)[0]


def changes_of_sign(one: phd.FeatureGroup, other: phd.FeatureGroup) -> str:
    """Return where two groups are a minimum together, in words."""
    inside = TABLE[(one.density[0] <= TABLE) & (one.density[-1] >= TABLE)]
    stable = [tilt(one, other, float(p)) > -1e-10 * p for p in inside]
    found = []
    for k in range(len(inside) - 1):
        if stable[k] != stable[k + 1]:
            root = brentq(lambda p: tilt(one, other, p), inside[k], inside[k + 1], xtol=1e-11)
            found.append(f"{'above' if stable[k + 1] else 'below'} {root:.10f}")
    return ", ".join(found) or ("everywhere" if stable[0] else "nowhere")


def table(catalogue: phd.GroupCatalogue) -> None:
    """Print every group: size, dimensionalities, where it exists and where copies are stable."""
    for group in catalogue.groups:
        if group.n_features == 1:
            continue
        values = np.unique(group.dimensionality()[0].round(3))[::-1]
        row = [
            group.name,
            f"({group.n_features}, {group.n_hidden})",
            ", ".join(f"{value:g}" for value in values),
            f"{group.saved()[0]:.4f}",
            f"{group.density[0]:.6f} to {group.density[-1]:.6f}",
            changes_of_sign(group, group),
        ]
        print("| " + " | ".join(row) + " |", flush=True)


def main() -> None:
    """Draw (400, 30), print transitions of several sizes, then the table of groups."""
    catalogue = phd.load(sys.argv[1], phd.GroupCatalogue)
    for n, m in SIZES:
        found = phd.geometry(DENSITY if (n, m) == SIZES[0] else TABLE, n, m, groups=catalogue)
        print(n, m, found.mixture(0))
        for change in found.transitions:
            print(f"    {change.density:.12f} {change.above}", flush=True)
        if (n, m) != SIZES[0]:
            continue
        with paper_figure(PAGE_WIDTH, 5.5) as figure:
            upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[1, 2])
            plot_norm_per_dimension(found, upper)
            upper.set_xlabel("")
            plot_geometry(found, lower)
            save_figure(figure, FIGURES / "geometry.png")
    table(catalogue)


if __name__ == "__main__":
    main()
