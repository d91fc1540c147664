"""Draw the phases of three features in two dimensions, and their dense corner, for a page."""

import argparse
from pathlib import Path

import numpy as np

import phasediagram as phd
from phasediagram.plotting import (
    PAGE_WIDTH,
    paper_figure,
    plot_boundaries,
    plot_phases,
    save_figure,
)

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=160, help="points along each axis")
parser.add_argument("--no-boundaries", action="store_true", help="which take a minute")
options = parser.parse_args()


def diagram(lowest_density, importances):
    density = np.geomspace(1, lowest_density, options.grid)
    return phd.phase_diagram(density, np.geomspace(*importances, options.grid), 3, 2)


whole, corner = diagram(0.01, (0.1, 10)), diagram(0.45, (0.5, 2))
with paper_figure(PAGE_WIDTH) as figure:
    left, right = figure.subplots(1, 2)
    plot_phases(whole, left, legend="names", legend_columns=3)
    plot_phases(corner, right, legend=None)
    if not options.no_boundaries:
        kept = Path("boundaries_3.npz")
        boundaries = phd.load(kept) if kept.exists() else phd.phase_boundaries(3, 2)
        phd.save(kept, boundaries)
        plot_boundaries(boundaries, left, legend=None)
        plot_boundaries(boundaries, right, legend="lower right")
save_figure(figure, "three_features.pdf")
save_figure(figure, "three_features.svg")
print({phase: round(share, 3) for phase, share in whole.shares().items()})
