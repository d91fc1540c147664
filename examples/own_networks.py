"""Lay networks that you trained yourself over the theory: where each ended, and what it cost."""

import argparse

import numpy as np

import phasediagram as phd
from phasediagram.plotting import paper_figure, plot_agreement, plot_phases, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=8, help="points along each axis")
parser.add_argument("--steps", type=int, default=20_000, help="of gradient descent")
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
background = phd.phase_diagram(np.geomspace(1, 0.2, 200), np.geomspace(0.2, 5, 200))
with paper_figure() as figure:
    ax = plot_phases(
        background, figure.add_subplot(), label_size=None, legend="names", legend_columns=3
    )
    plot_agreement(agreement, ax, size=25)
save_figure(figure, "own_networks.pdf")
save_figure(figure, "own_networks.svg")
for phase in np.unique(agreement.phase):
    here = agreement.phase == phase
    excess = (agreement.excess / agreement.theory_loss[..., None])[here]
    print(f"{here.sum():4d} networks lead to {phase}, median excess loss {np.median(excess):.2%}")
