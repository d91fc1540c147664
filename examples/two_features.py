"""Draw the phases of two features in one dimension with their boundaries, for one column."""

import argparse
from pathlib import Path

import numpy as np

import phasediagram as phd
from phasediagram.plotting import paper_figure, plot_phases, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=256, help="points along each axis")
parser.add_argument("--boundaries", type=Path, help="saved ones, which take seconds to trace")
parser.add_argument("--no-boundaries", action="store_true", help="only the grid")
options = parser.parse_args()

density = np.geomspace(1, 0.01, options.grid)
relative_importance = np.geomspace(0.1, 10, options.grid)
diagram = phd.phase_diagram(density, relative_importance, n_features=2, n_hidden=1)
boundaries = None
if not options.no_boundaries:
    boundaries = phd.load(options.boundaries) if options.boundaries else phd.phase_boundaries(2, 1)

with paper_figure() as figure:
    ax = figure.add_subplot()
    plot_phases(
        diagram, ax, legend="names", legend_columns=3, boundaries=boundaries, spinodals=True
    )
save_figure(figure, "two_features.pdf")
save_figure(figure, "two_features.svg")
print({phase: round(share, 3) for phase, share in diagram.shares().items()})
