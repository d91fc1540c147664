"""Make the figures of training.md anew, and print its numbers.

phasediagram train --grid 24 --seeds 8 -o training_2.npz
phasediagram train --features 3 --grid 20 --seeds 8 -o training_3.npz
python docs/make_training_figures.py training_2.npz training_3.npz
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import phasediagram as phd
from phasediagram.files.tables import agreements_table
from phasediagram.plotting import draw_training, save_figure

FIGURES = Path(__file__).parent / "figures"


def by_phase(agreement: phd.Agreement) -> None:
    """Print the outcomes of the points of each phase."""
    for phase in sorted(set(agreement.theory_phase.ravel())):
        here = agreement.outcome[agreement.theory_phase == phase]
        ends = agreement.phase[agreement.theory_phase == phase]
        names, counts = np.unique(ends[here == "metastable"], return_counts=True)
        metastable = ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True))
        shares = " ".join(f"{name} {(here == name).mean():.3f}" for name in np.unique(here))
        print(f"  {phase}: {here.shape[0]} points, {shares}; metastable: {metastable or 'none'}")


def main() -> None:
    """Compare each file with theory."""
    for argument in sys.argv[1:]:
        training = phd.load(argument, phd.TrainingResult)
        n, m = training.n_features, training.n_hidden
        density, importance = training.density[:, 0], training.relative_importance[0]
        diagram = phd.phase_diagram(density, importance, n, m)
        agreement = phd.compare(diagram, training)
        boundaries = phd.phase_boundaries(n, m)
        figure = draw_training(training, agreement, diagram, boundaries)
        save_figure(figure, FIGURES / f"training{'' if n == 2 else '_3'}.png")
        print(agreements_table([agreement]))
        by_phase(agreement)
        best = np.nanmin(agreement.excess, axis=-1) / agreement.theory_loss
        print(
            f"  best seed: median relative excess {np.median(best):.2e}, largest {best.max():.2e}"
        )
        edges = phd.edge_distances(training, boundaries)
        nearest = np.minimum(edges.to_boundary, edges.to_spinodal)
        print(
            f"  {len(edges.edges)} edges; median distance in grid steps: to a boundary "
            f"{np.median(edges.to_boundary):.2f} (all gaps {edges.everywhere_to_boundary:.2f}), "
            f"to a spinodal {np.median(edges.to_spinodal):.2f} "
            f"(all gaps {edges.everywhere_to_spinodal:.2f}); within one step of a boundary "
            f"{(edges.to_boundary <= 1).mean():.2f}, of a spinodal "
            f"{(edges.to_spinodal <= 1).mean():.2f}, of neither {(nearest > 1).mean():.2f}"
        )


if __name__ == "__main__":
    main()
