"""Draw the phases of three features in two dimensions, and their dense corner, for a page."""

import argparse
from pathlib import Path

import numpy as np

import phasediagram as phd
from phasediagram.plotting import PAGE_WIDTH, paper_figure, plot_phases, plot_regions, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=160, help="points along each axis")
parser.add_argument("--boundaries", type=Path, help="saved ones, which take minutes to trace")
parser.add_argument("--no-boundaries", action="store_true", help="only the grid")
options = parser.parse_args()

CORNER = {"density": (0.45, 1), "relative_importance": (0.5, 2)}

density = np.geomspace(1, 0.01, options.grid)
relative_importance = np.geomspace(0.1, 10, options.grid)
whole = phd.phase_diagram(density, relative_importance, 3, 2)
with paper_figure(PAGE_WIDTH) as figure:
    left, right = figure.subplots(1, 2)
    if options.no_boundaries:
        ranges = {name: np.geomspace(*ends, options.grid) for name, ends in CORNER.items()}
        plot_phases(whole, left, legend="names", legend_columns=3)
        plot_phases(phd.phase_diagram(**ranges, n_features=3), right, legend=None)
    else:
        kept = options.boundaries
        boundaries = phd.load(kept) if kept else phd.phase_boundaries(3, 2, spinodals=False)
        regions = phd.phase_regions(boundaries)
        plot_regions(regions, left, legend="names", legend_columns=2)
        plot_regions(regions, right, legend=None, **CORNER)
save_figure(figure, "three_features.pdf")
save_figure(figure, "three_features.svg")
print({phase: round(share, 3) for phase, share in whole.shares().items()})
