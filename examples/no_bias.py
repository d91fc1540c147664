"""Draw two features in one dimension without biases, and the losses at equal importance."""

import argparse

import numpy as np

import phasediagram as phd
from phasediagram.plotting import (
    PAGE_WIDTH,
    paper_figure,
    plot_losses,
    plot_phases,
    save_figure,
)

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=128, help="points along each axis")
parser.add_argument("--no-boundaries", action="store_true", help="only the grid")
options = parser.parse_args()

model = phd.ToyModel(2, bias=False)
density = phd.Axis("density", 0.01, 1, points=options.grid)
importance = phd.Axis("relative_importance", 0.1, 10, points=options.grid)
diagram = phd.phase_diagram(x=importance, y=density, model=model)
boundaries = None
if not options.no_boundaries:
    boundaries = phd.phase_boundaries(x=importance, y=density, model=model, spinodals=False)
section = phd.loss_section(x=phd.Axis("density", 0.4, 0.8, points=options.grid), model=model)
with paper_figure(PAGE_WIDTH) as figure:
    left, right = figure.subplots(1, 2)
    plot_phases(diagram, left, legend="names", legend_columns=2, boundaries=boundaries)
    plot_losses(section, right, relative_to_lowest=False)
    right.set_box_aspect(1)
save_figure(figure, "no_bias.pdf")
save_figure(figure, "no_bias.svg")
for boundary in boundaries.boundaries if boundaries else ():
    print(f"{' | '.join(boundary.phases)}: order {boundary.order}")
for transition in section.transitions:
    print(f"{' | '.join(transition.phases)} at p = {transition.position:.10f}, r = 1")
confused = phd.solve(0.7, model=model)
print(f"confused: W = {np.abs(confused.W[0]).round(6)}, loss {confused.loss:.10f}")
