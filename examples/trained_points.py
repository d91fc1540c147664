"""Train models over a grid and draw them over the theoretical phases, for one column."""

import argparse

import numpy as np

import phasediagram as phd
from phasediagram.plotting import paper_figure, plot_agreement, plot_phases, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=16, help="trained points along each axis")
parser.add_argument("--steps", type=int, default=10_000, help="of gradient descent")
options = parser.parse_args()

density = np.geomspace(1, 0.02, options.grid)
relative_importance = np.geomspace(0.1, 10, options.grid)
runs = phd.train(
    density[:, None], relative_importance, seeds=8, steps=options.steps, optimizer="exact"
)
agreement = phd.compare(phd.phase_diagram(density, relative_importance), runs)
background = phd.phase_diagram(np.geomspace(1, 0.02, 256), np.geomspace(0.1, 10, 256))
with paper_figure() as figure:
    ax = plot_phases(
        background, figure.add_subplot(), label_size=None, legend="names", legend_columns=3
    )
    plot_agreement(agreement, ax, size=14)
save_figure(figure, "trained_points.pdf")
save_figure(figure, "trained_points.svg")
print({outcome: round(share, 3) for outcome, share in agreement.shares().items()})
print("lowest excess over theory:", agreement.lowest_excess)
