"""Draw which interference penalty ends superposition, over density and over importance."""

import argparse

import phasediagram as phd
from phasediagram.plotting import PAGE_WIDTH, paper_figure, plot_phases, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=128, help="points along each axis")
parser.add_argument("--no-boundaries", action="store_true", help="which take a minute")
options = parser.parse_args()


def axis(name, start, stop):
    return phd.Axis(name, start, stop, points=options.grid)


penalty = axis("interference_penalty", 0.002, 0.1)
panels = [("r = 1", {"y": axis("density", 0.03, 1)})]
panels += [
    (f"p = {p}", {"y": axis("relative_importance", 0.2, 5), "density": p}) for p in (0.1, 0.4, 0.7)
]
with paper_figure(PAGE_WIDTH, height=7.2) as figure:
    for ax, (title, arguments) in zip(figure.subplots(2, 2).ravel(), panels, strict=True):
        diagram = phd.phase_diagram(x=penalty, **arguments)
        boundaries = None
        if not options.no_boundaries:
            boundaries = phd.phase_boundaries(x=penalty, spinodals=False, **arguments)
        plot_phases(diagram, ax, legend=None, show_weights=False, boundaries=boundaries)
        ax.set_title(title)
save_figure(figure, "penalty.pdf")
save_figure(figure, "penalty.svg")
print("density  lambda_c  order")
for p in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
    section = phd.loss_section(p, x=phd.Axis("interference_penalty", 1e-4, 0.2, points=60))
    last = max(section.transitions, key=lambda transition: transition.position)
    print(f"{p:7}  {last.position:.8f}  {last.order}")
