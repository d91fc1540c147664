"""Draw the losses of all minima along a line of constant density, for one column."""

import argparse

import numpy as np

import phasediagram as phd
from phasediagram.plotting import paper_figure, plot_losses, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=200, help="points along the line")
options = parser.parse_args()

section = phd.loss_section(0.55, np.geomspace(0.55, 0.85, options.grid))
with paper_figure() as figure:
    plot_losses(section, figure.add_subplot())
save_figure(figure, "branch_losses.pdf")
save_figure(figure, "branch_losses.svg")
for branch in section.branches:
    exists = np.isfinite(branch.loss)
    phases = " then ".join(dict.fromkeys(filter(None, branch.phases)))
    low, high = section.relative_importance[exists][[0, -1]]
    print(f"{phases}: a minimum for r from {low:.3f} to {high:.3f}")
