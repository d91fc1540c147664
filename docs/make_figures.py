"""Make the figures of these documents anew.

python docs/make_figures.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import phasediagram as phd
from phasediagram.plotting import (
    draw_comparison,
    draw_figure,
    plot_boundaries,
    plot_certified,
    plot_losses,
    plot_phases,
    plot_weights,
    save_figure,
)

FIGURES = Path(__file__).parent / "figures"
PAPER = (np.geomspace(1, 0.01, 128), np.geomspace(0.1, 10, 128))
CLOSE_UP = (np.geomspace(1, 0.45, 128), np.geomspace(0.5, 2, 128))
# a point inside every phase
EXAMPLES = {
    2: {
        "ignored": (0.8, 0.5),
        "partial": (0.75, 0.95),
        "antipodal": (0.3, 1.0),
        "partial-other": (0.75, 1.06),
        "dedicated": (0.8, 2.0),
    },
    3: {
        "ignored": (0.8, 0.5),
        "partial": (0.89, 0.9345),
        "partial-triangle": (0.7, 0.82),
        "triangle": (0.65, 1.0),
        "antipodal": (0.3, 0.7),
        "others-antipodal": (0.3, 2.0),
        "others-partial": (0.9, 2.0),
        "scalene": (0.9, 1.04),
    },
}


def gallery(n: int) -> Figure:
    """Draw the directions of every phase at its example."""
    examples = EXAMPLES[n]
    figure = Figure(figsize=(1.6 * len(examples), 2.1))
    for ax, (phase, (density, importance)) in zip(
        figure.subplots(1, len(examples)), examples.items(), strict=True
    ):
        solution = phd.solve(density, importance, n, n - 1)
        assert solution.phase == phase, (phase, solution.phase)
        plot_weights(solution.W, ax)
        ax.set_title(f"{phase}\np = {density:g}, r = {importance:g}", fontsize=8)
    return figure


def close_up(n: int, boundaries: phd.PhaseBoundaries) -> Figure:
    """Draw the dense corner, where most phases are."""
    figure = Figure(figsize=(6.4, 7.9))
    ax = figure.add_axes((0.12, 0.28, 0.84, 0.7))
    plot_phases(phd.phase_diagram(*CLOSE_UP, n, n - 1), ax)
    plot_boundaries(boundaries, ax, legend="lower right")
    return figure


def losses() -> Figure:
    """Draw four sections."""
    figure = Figure(figsize=(10, 7), layout="constrained")
    axes = figure.subplots(2, 2)
    sections = (
        (0.55, np.geomspace(0.55, 0.85, 160), 2),
        (0.7, np.geomspace(0.85, 1.18, 160), 2),
        (np.linspace(0.45, 0.62, 160), 0.65, 3),
        (0.9, np.geomspace(0.92, 1.12, 160), 3),
    )
    for ax, (density, importance, n) in zip(axes.flat, sections, strict=True):
        plot_losses(phd.loss_section(density, importance, n, n - 1), ax)
    return figure


def certified(**window: Any) -> Figure:
    """Draw what is proved, with ten minutes of computing at most."""
    figure = Figure(figsize=(5.2, 5.8), layout="constrained")
    plot_certified(phd.certified_diagram(**window), figure.add_subplot())
    return figure


def main() -> None:
    """Write every figure."""
    for n in (2, 3):
        suffix = "" if n == 2 else "_3"
        boundaries = phd.phase_boundaries(n, n - 1)
        diagram = phd.phase_diagram(*PAPER, n, n - 1)
        canonical = phd.phase_diagram(*PAPER, n, n - 1, weights="canonical")
        save_figure(draw_figure(diagram, boundaries), FIGURES / f"phase_diagram{suffix}.png")
        compared = draw_comparison(diagram, canonical, boundaries)
        save_figure(compared, FIGURES / f"comparison{suffix}.png")
        save_figure(close_up(n, boundaries), FIGURES / f"close_up{suffix}.png")
        save_figure(gallery(n), FIGURES / f"phases{suffix}.png")
    save_figure(losses(), FIGURES / "losses.png")
    save_figure(certified(), FIGURES / "certified.png")
    penalised = certified(interference_penalty=(0.001, 0.1), undecided=0.02)
    save_figure(penalised, FIGURES / "certified_penalty.png")


if __name__ == "__main__":
    main()
