"""Draw the paper's colouring, norm and superposition of the extra feature, for one column."""

import argparse
from pathlib import Path

import numpy as np

import phasediagram as phd
from phasediagram.naming import norm_and_superposition
from phasediagram.plotting import paper_figure, plot_superposition, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=256, help="points along each axis")
parser.add_argument("--boundaries", type=Path, help="saved ones, which take minutes to trace")
parser.add_argument("--no-boundaries", action="store_true", help="only the grid")
options = parser.parse_args()

density = np.geomspace(1, 0.01, options.grid)
relative_importance = np.geomspace(0.1, 10, options.grid)
diagram = phd.phase_diagram(density, relative_importance, n_features=3, n_hidden=2)
boundaries = None
if not options.no_boundaries:
    kept = options.boundaries
    boundaries = phd.load(kept) if kept else phd.phase_boundaries(3, 2, spinodals=False)
with paper_figure() as figure:
    plot_superposition(diagram, figure.add_subplot(), boundaries=boundaries)
save_figure(figure, "superposition.pdf")
save_figure(figure, "superposition.svg")
norm, superposition = norm_and_superposition(diagram.W)
print(f"in superposition at {(superposition > 0.5).mean():.0%} of the points")
