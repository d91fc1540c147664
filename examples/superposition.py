"""Draw the paper's colouring, norm and superposition of the extra feature, for one column."""

import argparse

import numpy as np

import phasediagram as phd
from phasediagram.naming import norm_and_superposition
from phasediagram.plotting import paper_figure, plot_superposition, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=160, help="points along each axis")
options = parser.parse_args()

density = np.geomspace(1, 0.01, options.grid)
relative_importance = np.geomspace(0.1, 10, options.grid)
diagram = phd.phase_diagram(density, relative_importance, n_features=3, n_hidden=2)
with paper_figure() as figure:
    plot_superposition(diagram, figure.add_subplot())
save_figure(figure, "superposition.pdf")
save_figure(figure, "superposition.svg")
norm, superposition = norm_and_superposition(diagram.W)
print(f"in superposition at {(superposition > 0.5).mean():.0%} of the points")
