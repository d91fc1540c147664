"""Lay networks that you trained yourself over the theory: where each ended, and what it cost."""

import argparse
from pathlib import Path

import numpy as np

import phasediagram as phd
from phasediagram.plotting import paper_figure, plot_agreement, plot_regions, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=8, help="points along each axis")
parser.add_argument("--steps", type=int, default=20_000, help="of gradient descent")
parser.add_argument("--boundaries", type=Path, help="saved ones, which take seconds to trace")
options = parser.parse_args()


def your_networks(density, importance, count):
    """Stand for your own training: plain descent from `count` random weights at each point."""
    rng = np.random.default_rng(0)
    shape = (*np.broadcast_shapes(density.shape, importance.shape[:-1]), count)
    W, b = rng.normal(scale=0.5, size=(*shape, 1, 2)), np.zeros((*shape, 2))
    step = 0.1 / importance.max(axis=-1, keepdims=True)[..., None, :]
    for _ in range(options.steps):
        _, gradient_W, gradient_b = phd.expected_loss_and_gradient(
            W, b, density[..., None, None], importance[..., None, :]
        )
        W, b = W - step[..., None] * gradient_W, b - step * gradient_b
    return W, b


density = np.geomspace(1, 0.2, options.grid)[:, None]
relative_importance = np.geomspace(0.2, 5, options.grid)
importance = np.stack([np.ones_like(relative_importance), relative_importance], axis=-1)
W, b = your_networks(density, importance, count=6)  # (grid, grid, 6, 1, 2) and (grid, grid, 6, 2)

agreement = phd.compare_weights(W, b, density, relative_importance)
kept = options.boundaries
boundaries = phd.load(kept) if kept else phd.phase_boundaries(2, spinodals=False)
regions = phd.phase_regions(boundaries)
with paper_figure() as figure:
    ax = figure.add_subplot()
    window = {"density": (0.2, 1), "relative_importance": (0.2, 5)}
    plot_regions(regions, ax, label_size=None, legend="names", legend_columns=3, **window)
    plot_agreement(agreement, ax, size=25)
save_figure(figure, "own_networks.pdf")
save_figure(figure, "own_networks.svg")
for phase in np.unique(agreement.phase):
    here = agreement.phase == phase
    excess = (agreement.excess / agreement.theory_loss[..., None])[here]
    print(f"{here.sum():4d} networks lead to {phase}, median excess loss {np.median(excess):.2%}")
