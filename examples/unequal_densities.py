"""Draw three features in two dimensions with the extra feature twice as sparse as the others."""

import argparse

import phasediagram as phd
from phasediagram.plotting import PAGE_WIDTH, paper_figure, plot_phases, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=128, help="points along each axis")
parser.add_argument("--no-boundaries", action="store_true", help="which take two minutes")
options = parser.parse_args()


def axis(name, start, stop):
    return phd.Axis(name, start, stop, points=options.grid)


density, importance = axis("density", 0.1, 1), axis("relative_importance", 0.3, 6)
panels = {
    "extra feature half as dense": {"x": importance, "relative_density": 0.5},
    "equal importances": {"x": axis("relative_density", 0.2, 1)},
}
with paper_figure(PAGE_WIDTH) as figure:
    for ax, (title, arguments) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        diagram = phd.phase_diagram(n_features=3, n_hidden=2, y=density, **arguments)
        boundaries = None
        if not options.no_boundaries:
            boundaries = phd.phase_boundaries(3, 2, spinodals=False, y=density, **arguments)
        names = {"legend": "names", "legend_columns": 2, "show_weights": False}
        plot_phases(diagram, ax, boundaries=boundaries, **names)
        ax.set_title(title)
        for point in boundaries.special_points if boundaries else ():
            print(f"{point.kind}: p = {point.density:.10f}, x = {point.relative_importance:.10f}")
        shares = {phase: round(share, 3) for phase, share in diagram.shares().items()}
        print(f"{title}: {shares}")
save_figure(figure, "unequal_densities.pdf")
save_figure(figure, "unequal_densities.svg")
