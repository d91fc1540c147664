"""Set the diagram of hand-picked weights beside that of free ones, for a page."""

import argparse
from pathlib import Path

import numpy as np

import phasediagram as phd
from phasediagram.plotting import PAGE_WIDTH, paper_figure, plot_excess, plot_phases, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=256, help="points along each axis")
parser.add_argument("--boundaries", type=Path, help="saved ones, which take minutes to trace")
parser.add_argument("--no-boundaries", action="store_true", help="only the grid")
options = parser.parse_args()

density = np.geomspace(1, 0.01, options.grid)
relative_importance = np.geomspace(0.1, 10, options.grid)
canonical = phd.phase_diagram(density, relative_importance, 3, 2, weights="canonical")
free = phd.phase_diagram(density, relative_importance, 3, 2)
boundaries = None
if not options.no_boundaries:
    kept = options.boundaries
    boundaries = phd.load(kept) if kept else phd.phase_boundaries(3, 2, spinodals=False)

small = {"show_weights": False, "label_size": "x-small"}
with paper_figure(PAGE_WIDTH) as figure:
    left, middle, right = figure.subplots(1, 3)
    plot_phases(canonical, left, legend=None, **small)
    plot_phases(free, middle, legend="names", legend_columns=2, boundaries=boundaries, **small)
    plot_excess(free, canonical, right)
    left.set_title("Canonical weights")
    middle.set_title("Free weights")
    right.set_title("Excess loss, %")
    for ax in (middle, right):
        ax.set_ylabel("")
save_figure(figure, "canonical_and_free.pdf")
save_figure(figure, "canonical_and_free.svg")
excess = canonical.loss / free.loss - 1
print(f"hand-picked weights cost up to {100 * excess.max():.1f} % more loss")
