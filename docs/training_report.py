"""What docs/training.md says of trained models, from the runs and the traced boundaries."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

import phasediagram as phd
from phasediagram.comparison.edges import mean_norm_and_superposition
from phasediagram.files.tables import agreements_table

Array = NDArray[np.float64]

_IN_A_MINIMUM = ("global", "metastable")
_TILTED = "antipodal"  # the phase whose spinodal the picture of three features shows
_FROM = 1.2  # relative importance, from which on that is looked at
_STEPS = ((-4, -2), (-2, -1), (-1, 0), (0, 1), (1, 2), (2, np.inf))  # of density, from it
_SETS_IN = 0.15  # superposition


def report(
    runs: phd.TrainingResult, agreement: phd.Agreement, boundaries: phd.PhaseBoundaries
) -> list[str]:
    """Return the lines: outcomes, of each phase, of signs, and of edges against lines.

    Parameters
    ----------
    runs : TrainingResult
        On a grid, densities falling; step 0 recorded.
    agreement : Agreement
        Of `runs` with theory.
    boundaries : PhaseBoundaries
        With spinodals.
    """
    lines = [agreements_table([agreement]), *_of_phases(agreement), *_of_best(agreement)]
    if runs.n_features == 2 and len(runs.history.steps):
        lines += _of_signs(runs, agreement)
    lines += _of_edges(phd.edge_distances(runs, boundaries))
    if runs.n_features > 2:
        lines += _of_spinodal(runs, agreement, boundaries)
    return lines


def _of_phases(agreement: phd.Agreement) -> Iterator[str]:
    for phase in sorted(set(agreement.theory_phase.ravel())):
        of_it = agreement.theory_phase == phase
        outcomes, ends = agreement.outcome[of_it], agreement.phase[of_it]
        names, counts = np.unique(ends[outcomes == "metastable"], return_counts=True)
        others = ", ".join(
            f"{names[k]} {counts[k]}" for k in sorted(range(len(names)), key=lambda k: -counts[k])
        )
        yield (
            f"  {phase}: {len(outcomes)} points, {_shares(outcomes)}; "
            f"metastable: {others or 'none'}"
        )


def _of_best(agreement: phd.Agreement) -> Iterator[str]:
    best = np.nanmin(agreement.excess, axis=-1) / agreement.theory_loss
    yield f"  best seed: median relative excess {np.median(best):.1e}, largest {best.max():.1e}"


def _of_signs(runs: phd.TrainingResult, agreement: phd.Agreement) -> Iterator[str]:
    """Compare initial weights of equal signs with those of opposite ones."""
    equal = np.prod(np.sign(runs.history.W[0][..., 0, :]), axis=-1) > 0
    middle = (runs.density > 0.3) & (runs.density < 0.7) & (agreement.theory_phase == "antipodal")
    for name, chosen in (("equal", equal), ("opposite", ~equal)):
        ended = agreement.outcome[chosen]
        found = agreement.outcome[chosen & middle[..., None]] == "global"
        found_share = f"{found.mean():.3f}" if found.size else "none"
        yield (
            f"  initial signs {name}: {len(ended)} runs, {_shares(ended)}; "
            f"global where antipodal is the lowest and 0.3 < p < 0.7: {found_share}"
        )


def _of_edges(edges: phd.EdgeDistances) -> Iterator[str]:
    if len(edges.edges) == 0:
        return
    nearest = np.minimum(edges.to_boundary, edges.to_spinodal)
    yield (
        f"  {len(edges.edges)} edges; median distance in grid steps: to a boundary "
        f"{np.median(edges.to_boundary):.1f} (all gaps {edges.everywhere_to_boundary:.1f}), "
        f"to a spinodal {np.median(edges.to_spinodal):.1f} "
        f"(all gaps {edges.everywhere_to_spinodal:.1f}); within one step of a boundary "
        f"{(edges.to_boundary <= 1).mean():.2f}, of a spinodal "
        f"{(edges.to_spinodal <= 1).mean():.2f}, of neither {(nearest > 1).mean():.2f}"
    )


def _of_spinodal(
    runs: phd.TrainingResult, agreement: phd.Agreement, boundaries: phd.PhaseBoundaries
) -> Iterator[str]:
    """Count runs that ended in the phase that tilts, by distance from where it does."""
    importance = runs.relative_importance[0]
    limits = np.array([_highest(boundaries, r) for r in importance])
    step = float(np.abs(np.diff(np.log(runs.density[:, 0]))).mean())
    away = (np.log(runs.density) - np.log(limits)) / step
    there = np.isin(agreement.outcome, _IN_A_MINIMUM)
    chosen = (importance > _FROM) & np.isfinite(limits)
    for low, high in _STEPS:
        of_them = ((away > low) & (away <= high) & chosen)[..., None] & there
        ended = agreement.phase[of_them] == _TILTED
        share = f"{ended.mean():.2f}" if ended.size else "none"
        yield (
            f"  {low} to {high} steps above the spinodal of {_TILTED}, r > {_FROM}: "
            f"{ended.size} runs, ended in {_TILTED}: {share}"
        )
    superposition = mean_norm_and_superposition(runs)[1] > _SETS_IN
    first = superposition.argmax(axis=0)
    sets_in = [
        f"{away[first[k], k]:.1f}" for k in np.flatnonzero(chosen & superposition.any(axis=0))
    ]
    yield f"  superposition exceeds {_SETS_IN} at these steps above it: {', '.join(sets_in)}"


def _highest(boundaries: phd.PhaseBoundaries, r: float) -> float:
    """Return the highest density at which the phase ends at a relative importance; NaN if none."""
    found = [np.nan]
    for curve in boundaries.boundaries:
        if curve.kind != "spinodal" or curve.phases != (_TILTED,):
            continue
        x, y = np.log(curve.relative_importance / r), np.log(curve.density)
        for k in np.flatnonzero((x[:-1] <= 0) != (x[1:] <= 0)):
            share = x[k] / (x[k] - x[k + 1])
            found.append(float(np.exp(y[k] + share * (y[k + 1] - y[k]))))
    return float(np.nanmax(found)) if len(found) > 1 else np.nan


def _shares(outcomes: NDArray[np.str_]) -> str:
    return " ".join(f"{name} {(outcomes == name).mean():.3f}" for name in np.unique(outcomes))
