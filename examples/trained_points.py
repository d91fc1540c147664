"""Train models over a grid and draw them over the theoretical phases, for one column."""

import argparse
from pathlib import Path

import numpy as np

import phasediagram as phd
from phasediagram.plotting import paper_figure, plot_agreement, plot_regions, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=16, help="trained points along each axis")
parser.add_argument("--steps", type=int, default=10_000, help="of gradient descent")
parser.add_argument("--boundaries", type=Path, help="saved ones, which take seconds to trace")
options = parser.parse_args()

density = np.geomspace(1, 0.02, options.grid)
relative_importance = np.geomspace(0.1, 10, options.grid)
runs = phd.train(
    density[:, None], relative_importance, seeds=8, steps=options.steps, optimizer="exact"
)
agreement = phd.compare(phd.phase_diagram(density, relative_importance), runs)
kept = options.boundaries
boundaries = phd.load(kept) if kept else phd.phase_boundaries(2, spinodals=False)
regions = phd.phase_regions(boundaries)
with paper_figure() as figure:
    ax = figure.add_subplot()
    window = {"density": (0.02, 1)}
    plot_regions(regions, ax, label_size=None, legend="names", legend_columns=3, **window)
    plot_agreement(agreement, ax, size=14)
save_figure(figure, "trained_points.pdf")
save_figure(figure, "trained_points.svg")
print({outcome: round(share, 3) for outcome, share in agreement.shares().items()})
print("lowest excess over theory:", agreement.lowest_excess)
