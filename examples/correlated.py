"""Draw when correlated pairs collapse to their sum, for two pairs in two dimensions."""

import argparse

import numpy as np

import phasediagram as phd
from phasediagram.plotting import (
    PAGE_WIDTH,
    paper_figure,
    plot_boundaries,
    plot_losses,
    plot_phases,
    save_figure,
)

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=160, help="points along each axis")
parser.add_argument("--three-pairs", action="store_true", help="solve (6, 2) too: two minutes")
parser.add_argument("--boundaries", action="store_true", help="trace them: three minutes")
options = parser.parse_args()

pairs = [phd.correlated(0, 1), phd.correlated(2, 3)]
model = phd.ToyModel(4, 2, groups=pairs)
density = phd.Axis("density", 0.02, 0.9, points=options.grid)
section = phd.loss_section(x=density, model=model)
correlation = phd.Axis("correlation", 0, 1, scale="linear", points=options.grid)
diagram = phd.phase_diagram(x=correlation, y=density, model=model)


def collapsed(W):
    """How many of the pairs have one direction."""
    first, second = W[..., 0::2], W[..., 1::2]
    return (np.linalg.norm(first - second, axis=-2) < 1e-6).sum(axis=-1)


with paper_figure(PAGE_WIDTH) as figure:
    left, right = figure.subplots(1, 2)
    plot_phases(diagram, left, legend="names", show_weights=False, label_size=None)
    if options.boundaries:
        boundaries = phd.phase_boundaries(x=correlation, y=density, model=model, spinodals=False)
        plot_boundaries(boundaries, left, legend=False)
    plot_losses(section, right, relative_to_lowest=False, legend_columns=1)
    right.set_box_aspect(1)
    right.set_ylim(0, 0.16)
save_figure(figure, "correlated.pdf")
save_figure(figure, "correlated.svg")
for transition in section.transitions:
    print(f"{' | '.join(transition.phases)} at p = {transition.position:.10f}")
opposite = phd.ToyModel(4, 2, groups=[phd.anticorrelated(0, 1), phd.anticorrelated(2, 3)])
solution = phd.solve(0.3, model=opposite)
print(f"anticorrelated: {solution.minima[0].description}; loss {abs(solution.loss):.1g}")
if options.three_pairs:
    three = phd.ToyModel(6, 2, groups=[*pairs, phd.correlated(4, 5)])
    for p in (0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6):
        print(f"three pairs, p = {p}: {collapsed(phd.solve(p, model=three).W)} have collapsed")
