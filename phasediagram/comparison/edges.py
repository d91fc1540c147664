"""Edges in the picture that training draws, and how far they are from theory's lines.

The empirical picture of Elhage et al. (2022) averages the extra feature's norm and
superposition over trained models, the one with the highest loss left out.  Where neighbouring
points differ much, there is an edge: on a boundary, on a spinodal, or on neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.naming.geometry import norm_and_superposition
from phasediagram.results import Boundary, PhaseBoundaries
from phasediagram.results.wording import counted
from phasediagram.training.result import TrainingResult
from phasediagram.values import Result

Array = NDArray[np.float64]

# difference of norm or superposition between neighbours: twice the standard error of a mean
# over seven runs of which half are in another minimum
_EDGE = 0.4


@dataclass(frozen=True, eq=False, repr=False)
class EdgeDistances(Result):
    """How far the edges of the empirical picture are from theory's lines.

    Distances are in steps of the trained grid.

    Attributes
    ----------
    edges : ndarray, shape (k, 2)
        Densities and relative importances of the edges.
    to_boundary, to_spinodal : ndarray, shape (k,)
        Distance to the nearest boundary and to the nearest spinodal.
    everywhere_to_boundary, everywhere_to_spinodal : float
        Median distance of all the gaps between neighbours, edges or not, for comparison.
    """

    edges: Array
    to_boundary: Array
    to_spinodal: Array
    everywhere_to_boundary: float
    everywhere_to_spinodal: float

    def _lines(self) -> list[str]:
        lines = [f"EdgeDistances: {counted(len(self.edges), 'edge')}; in steps of the trained grid"]
        for name in ("boundary", "spinodal"):
            distances = getattr(self, f"to_{name}")
            if len(distances):
                lines.append(
                    f"to the nearest {name}: median {np.median(distances):.3g} "
                    f"({getattr(self, f'everywhere_to_{name}'):.3g} of all gaps), "
                    f"{100 * (distances <= 1).mean():.0f} % within one"
                )
        return lines


def mean_norm_and_superposition(training: TrainingResult) -> tuple[Array, Array]:
    """Return the paper's two quantities, averaged over the seeds but the one of highest loss.

    Parameters
    ----------
    training : TrainingResult
        On a grid, shape (D, R).

    Returns
    -------
    norm, superposition : ndarray, shape (D, R)
        Each run's values are clipped to [0, 1], as they are drawn.
    """
    norm, superposition = (
        np.clip(values, 0.0, 1.0) for values in norm_and_superposition(training.W)
    )
    counted = training.completed & ~training.diverged
    if training.seeds > 1:
        worst = np.where(counted, training.loss, np.inf).argmax(axis=-1)
        counted &= np.arange(training.seeds) != worst[..., None]
    weights = counted / np.maximum(counted.sum(axis=-1, keepdims=True), 1)
    return tuple(
        np.asarray((np.where(counted, values, 0.0) * weights).sum(axis=-1))
        for values in (norm, superposition)
    )  # type: ignore[return-value]


def edge_distances(training: TrainingResult, boundaries: PhaseBoundaries) -> EdgeDistances:
    """Measure how far the edges of the empirical picture are from boundaries and spinodals.

    Parameters
    ----------
    training : TrainingResult
        On a grid of densities (D, 1) by importances (1, R), logarithmically spaced.
    boundaries : PhaseBoundaries

    Returns
    -------
    EdgeDistances

    Raises
    ------
    ValueError
        If the runs are not on a grid of at least 2 by 2 points.

    Examples
    --------
    >>> import numpy as np, phasediagram as phd
    >>> p, r = np.geomspace(0.8, 0.2, 4)[:, None], np.geomspace(0.2, 2.0, 4)
    >>> runs = phd.train(p, r, seeds=2, steps=500, optimizer="exact")
    >>> curve = np.geomspace(0.2, 0.5, 9), np.geomspace(0.1, 0.56, 9)  # roughly
    >>> lines = [phd.Boundary(*curve, ("ignored",), None, "spinodal")]
    >>> lines.append(phd.Boundary(*curve, ("ignored", "antipodal"), 1, "equilibrium"))
    >>> edges = phd.edge_distances(runs, phd.PhaseBoundaries(tuple(lines), (), 2, 1, "free"))
    >>> edges.edges.shape[1], edges.to_boundary.shape == edges.to_spinodal.shape
    (2, True)
    """
    if training.density.ndim != 2 or min(training.density.shape) < 2:
        raise ValueError(
            f"training must be on a grid of at least 2 x 2 points, got {training.density.shape}"
        )
    logs = np.stack([np.log(training.density), np.log(training.relative_importance)], axis=-1)
    spacing = np.array([abs(logs[1, 0, 0] - logs[0, 0, 0]), abs(logs[0, 1, 1] - logs[0, 0, 1])])
    norm, superposition = mean_norm_and_superposition(training)
    middles, jumps = [], []
    for axis in (0, 1):
        first, second = (np.take(logs, _but(axis, end, logs), axis) for end in (-1, 0))
        middles.append(((first + second) / 2).reshape(-1, 2))
        change = [np.abs(np.diff(values, axis=axis)).ravel() for values in (norm, superposition)]
        jumps.append(np.maximum(*change))
    positions, jump = np.concatenate(middles), np.concatenate(jumps)
    is_edge = jump > _EDGE
    to_boundary, to_spinodal = (
        _distances(positions / spacing, _lines(boundaries, kind, spacing))
        for kind in ("equilibrium", "spinodal")
    )
    return EdgeDistances(
        np.exp(positions[is_edge]),
        to_boundary[is_edge],
        to_spinodal[is_edge],
        float(np.median(to_boundary)),
        float(np.median(to_spinodal)),
    )


def _but(axis: int, end: int, values: Array) -> NDArray[np.intp]:
    """Return the indices along an axis without the first (0) or the last (-1)."""
    indices = np.arange(values.shape[axis])
    return indices[1:] if end == 0 else indices[:-1]


def _lines(boundaries: PhaseBoundaries, kind: str, spacing: Array) -> list[Array]:
    def scaled(boundary: Boundary) -> Array:
        logs = np.log([boundary.density, boundary.relative_importance])
        return np.asarray(logs.T / spacing)

    return [scaled(boundary) for boundary in boundaries.boundaries if boundary.kind == kind]


def _distances(points: Array, lines: list[Array]) -> Array:
    """Return the distance of each point (k, 2) to the nearest of the polylines."""
    nearest = np.full(len(points), np.inf)
    for line in lines:
        line = np.concatenate([line, line[-1:]])  # one point is a line too
        along = np.diff(line, axis=0)
        offset = points[:, None] - line[None, :-1]
        length = np.maximum((along**2).sum(axis=1), 1e-300)
        share = np.clip((offset * along).sum(axis=2) / length, 0, 1)
        distance = np.linalg.norm(offset - share[..., None] * along, axis=2)
        nearest = np.minimum(nearest, distance.min(axis=1))
    return nearest
