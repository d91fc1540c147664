"""Draw the directions of the features in every phase of three features, for a page."""

import argparse

import phasediagram as phd
from phasediagram.plotting import PAGE_WIDTH, paper_figure, plot_weights, save_figure

POINTS = {  # density and relative importance, one in each phase
    "ignored": (0.8, 0.5),
    "partial": (0.89, 0.9345),
    "partial-triangle": (0.7, 0.82),
    "triangle": (0.65, 1.0),
    "scalene": (0.9, 1.04),
    "antipodal": (0.3, 0.7),
    "others-antipodal": (0.3, 2.0),
    "others-partial": (0.9, 2.0),
}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--phases", nargs="+", choices=list(POINTS), default=list(POINTS))
options = parser.parse_args()

with paper_figure(PAGE_WIDTH, height=1.25 * (1 + len(options.phases) // 5)) as figure:
    columns = min(4, len(options.phases))
    axes = figure.subplots(-(-len(options.phases) // columns), columns, squeeze=False)
    for ax, phase in zip(axes.flat, options.phases, strict=False):
        density, relative_importance = POINTS[phase]
        solution = phd.solve(density, relative_importance, n_features=3, n_hidden=2)
        plot_weights(solution.W, ax)
        ax.set_title(f"{solution.phase}\n$p$ = {density}, $r$ = {relative_importance}", fontsize=8)
        print(solution.phase)
save_figure(figure, "phase_weights.pdf")
save_figure(figure, "phase_weights.svg")
