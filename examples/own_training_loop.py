"""Train two features in one dimension with a loop of your own, and measure the exact loss."""

import argparse

import numpy as np

import phasediagram as phd
from phasediagram.plotting import paper_figure, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--steps", type=int, default=3000, help="of gradient descent")
options = parser.parse_args()

density, importance = 0.3, np.array([1.0, 0.7])
rng = np.random.default_rng(5)
W, b = np.array([[0.5, -0.3]]), np.zeros(2)
checkpoints_W, checkpoints_b, batch_losses = [], [], []
for _ in range(options.steps):
    x = rng.random((256, 2)) * (rng.random((256, 2)) < density)
    hidden = x @ W.T
    output = np.maximum(hidden @ W + b, 0)
    checkpoints_W.append(W)
    checkpoints_b.append(b)
    batch_losses.append((importance * (output - x) ** 2).sum(axis=1).mean())
    error = 2 * importance * (output - x) * (output > 0) / len(x)
    W = W - 0.02 * (hidden.T @ error + (error @ W.T).T @ x)
    b = b - 0.02 * error.sum(axis=0)

# every step at once: W has shape (steps, 1, 2), b (steps, 2)
exact = phd.expected_loss(np.array(checkpoints_W), np.array(checkpoints_b), density, importance)
lowest = phd.solve(density, importance[1]).loss

with paper_figure() as figure:
    ax = figure.add_subplot()
    ax.plot(batch_losses, color="#bbbbbb", lw=0.4, label="loss of each batch")
    ax.plot(exact, color="#14366b", label="exact loss of the same weights")
    ax.axhline(lowest, color="#f08a24", lw=1, ls="--", label="theoretical minimum")
    ax.set_ylim(0, 0.12)
    ax.set_xlabel("Step")
    ax.set_ylabel("Loss")
    ax.legend(frameon=False, fontsize="small")
save_figure(figure, "own_training_loop.pdf")
save_figure(figure, "own_training_loop.svg")
print(f"excess over the theoretical minimum: {exact[-1] / lowest - 1:.2%}, never below it:")
print(bool((exact >= lowest).all()))
