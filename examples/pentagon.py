"""Draw how a pentagon collapses as one of five features gets sparser, or less important."""

import argparse

import numpy as np

import phasediagram as phd
from phasediagram.plotting import PAGE_WIDTH, paper_figure, plot_losses, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=40, help="points along each line")
parser.add_argument("--quick", action="store_true", help="only the relative density")
options = parser.parse_args()

names = ["relative_density", "relative_importance"][: 1 if options.quick else 2]
with paper_figure(PAGE_WIDTH) as figure:
    for ax, name in zip(np.atleast_1d(figure.subplots(1, len(names))), names, strict=True):
        axis = phd.Axis(name, 0.15, 1, points=options.grid)
        section = phd.loss_section(0.05, n_features=5, n_hidden=2, x=axis)
        plot_losses(section, ax, relative_to_lowest=False, legend_columns=1)
        ax.set_ylim(0, 0.026)
        ax.set_box_aspect(1)
        print(f"along {name} at density 0.05:")
        for transition in section.transitions:
            before, after = transition.phases
            times = 1 / transition.position
            print(f"  {before} | {after} at {transition.position:.10f}, {times:.3f} times less")
        for branch in section.branches:
            exists = np.isfinite(branch.loss)
            low, high = section.values[exists][[0, -1]]
            phase = next(filter(None, branch.phases))
            print(f"  {phase}: a minimum from {low:.3f} to {high:.3f}")
sparser = phd.solve([0.05] * 4 + [0.05 / 2.5], n_features=5, n_hidden=2)
print(f"2.5 times sparser: {sparser.phase}, the next minimum {sparser.excess[1]:.0%} higher")
save_figure(figure, "pentagon.pdf")
save_figure(figure, "pentagon.svg")
