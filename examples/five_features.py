"""Draw the paper's opening figure: five features of falling importance in two dimensions."""

import argparse

import numpy as np

import phasediagram as phd
from phasediagram.plotting import PAGE_WIDTH, paper_figure, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--densities", type=float, nargs=3, default=(1.0, 0.2, 0.1), metavar="P")
options = parser.parse_args()

importance = 0.9 ** np.arange(5)
with paper_figure(PAGE_WIDTH, height=2.6) as figure:
    for ax, p in zip(figure.subplots(1, 3), options.densities, strict=True):
        solution = phd.solve(p, importance=importance, n_features=5, n_hidden=2)
        for i, (x, y) in enumerate(solution.W.T):
            ax.plot([0, x], [0, y], "o-", ms=4, color=f"C{i}", markevery=[1])
            if np.hypot(x, y) < 1e-6:
                continue
            ax.annotate(f"{i + 1}", 1.18 * np.array([x, y]), ha="center", va="center")
        ax.set_xlim(-1.4, 1.4)
        ax.set_ylim(-1.4, 1.4)
        ax.set_box_aspect(1)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_title(f"density {p:g}")
        kept = (np.linalg.norm(solution.W, axis=0) > 1e-6).sum()
        print(f"p = {p}: loss {solution.loss:.10f}, {kept} features represented")
        print(f"  {solution.minima[0].description}")
save_figure(figure, "five_features.pdf")
save_figure(figure, "five_features.svg")
