"""Draw the linear model's diagram beside the ReLU model's: only the second has superposition."""

import argparse

import phasediagram as phd
from phasediagram.plotting import (
    PAGE_WIDTH,
    paper_figure,
    plot_phases,
    save_figure,
)

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=128, help="points along each axis")
options = parser.parse_args()

axes = {
    "x": phd.Axis("relative_importance", 0.1, 10, points=options.grid),
    "y": phd.Axis("density", 0.01, 1, points=options.grid),
}
with paper_figure(PAGE_WIDTH) as figure:
    for ax, activation in zip(figure.subplots(1, 2), ("linear", "relu"), strict=True):
        model = phd.ToyModel(2, activation=activation)
        diagram = phd.phase_diagram(model=model, **axes)
        boundaries = phd.phase_boundaries(model=model, spinodals=False, **axes)
        plot_phases(diagram, ax, legend=None, show_weights=False, boundaries=boundaries)
        ax.set(xlabel="Relative feature importance $r$", ylabel="Feature density $p$")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set_title({"linear": "linear", "relu": "ReLU"}[activation])
        shares = {phase: round(share, 3) for phase, share in diagram.shares().items()}
        print(f"{activation}: {shares}")
save_figure(figure, "linear.pdf")
save_figure(figure, "linear.svg")
