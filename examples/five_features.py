"""Draw the paper's opening figure: five features of falling importance in two dimensions."""

import argparse

import numpy as np

import phasediagram as phd
from phasediagram.plotting import PAGE_WIDTH, paper_figure, save_figure

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--densities", type=float, nargs=3, default=(1.0, 0.2, 0.1), metavar="P")
options = parser.parse_args()

importance = 0.9 ** np.arange(5)
shades = [str(shade) for shade in np.linspace(0.0, 0.65, 5)]  # black: the most important
with paper_figure(PAGE_WIDTH) as figure:
    for ax, p in zip(figure.subplots(1, 3), options.densities, strict=True):
        solution = phd.solve(p, importance=importance, n_features=5, n_hidden=2)
        first = solution.W[:, 0] / np.linalg.norm(solution.W[:, 0])  # is turned to the right
        turned = np.array([[first[0], first[1]], [-first[1], first[0]]]) @ solution.W
        kept = np.linalg.norm(turned, axis=0) > 1e-6
        for i in np.flatnonzero(kept):
            ax.plot(*np.outer(turned[:, i], [0, 1]), "o-", ms=4, color=shades[i], markevery=[1])
            place = 1.2 * turned[:, i]
            ax.annotate(f"{i + 1}", place, ha="center", va="center", fontsize="small")
        if not kept.all():
            ignored = ", ".join(str(i + 1) for i in np.flatnonzero(~kept))
            ax.text(-1.4, -1.4, f"ignored: {ignored}", fontsize="small")
        ax.set_xlim(-1.5, 1.5)
        ax.set_ylim(-1.5, 1.5)
        ax.set_box_aspect(1)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_title(f"$p$ = {p:g}")
        print(f"p = {p}: loss {solution.loss:.10f}, {kept.sum()} features represented")
        print(f"  {solution.minima[0].description}")
save_figure(figure, "five_features.pdf")
save_figure(figure, "five_features.svg")
