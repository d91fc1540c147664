"""A small sweep of each model, trained and compared with theory: `phasediagram verify`."""

from __future__ import annotations

import numpy as np

from phasediagram.atlas.diagram import phase_diagram
from phasediagram.comparison.agreement import Agreement, compare
from phasediagram.model import DENSITY_RANGE, RELATIVE_IMPORTANCE_RANGE
from phasediagram.progress import Progress, part_of
from phasediagram.training.descent import train

_SWEEPS = (((2, 1), 8, 0.55), ((3, 2), 6, 0.45))  # size, points along each axis, work


def verify_training(progress: Progress | None = None) -> tuple[Agreement, ...]:
    """Train a small default sweep of each model, and compare it with theory.

    Parameters
    ----------
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.

    Returns
    -------
    tuple of Agreement
        For n = 2, m = 1 and n = 3, m = 2, on the paper's axes, 8 seeds a point, with the
        literature's optimizer.
    """
    agreements = []
    done = 0.0
    for (n, m), points, share in _SWEEPS:
        density = np.geomspace(*DENSITY_RANGE[::-1], points)
        importance = np.geomspace(*RELATIVE_IMPORTANCE_RANGE, points)
        training = train(
            density[:, None],
            importance[None, :],
            n,
            m,
            seeds=8,
            progress=part_of(progress, done, share),
        )
        agreements.append(compare(phase_diagram(density, importance, n, m), training))
        done += share
    return tuple(agreements)
