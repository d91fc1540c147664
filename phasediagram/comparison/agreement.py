"""Theory against training: which minimum each run ended in, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from phasediagram._version import __version__
from phasediagram.comparison.downhill import (
    SAME_LOSS,
    arrived,
    minima_below,
)
from phasediagram.comparison.placing import Places, places_of
from phasediagram.minima.symmetry import plane_space
from phasediagram.naming.phases import phases_of
from phasediagram.results import PhaseDiagram
from phasediagram.results.wording import counted, grid, shares
from phasediagram.toymodel.axes import Axis
from phasediagram.training.result import TrainingResult
from phasediagram.values import DrawnResult

Array = NDArray[np.float64]

GLOBAL, METASTABLE, UNFINISHED, DIVERGED = "global", "metastable", "unfinished", "diverged"
OUTCOMES = (GLOBAL, METASTABLE, UNFINISHED, DIVERGED)

OPTIMALITY_TOLERANCE = 1e-12  # a run below the theoretical minimum by more disproves it
_LONGEST_NAME = 64


@dataclass(frozen=True, eq=False, repr=False)
class Agreement(DrawnResult):
    """How trained models compare with the theoretical minima.

    Arrays of shape (..., seeds) have one entry for each run; NaN or "" if not completed.

    Attributes
    ----------
    outcome : ndarray of str, shape (..., seeds)
        ``"global"``: the run ended in a minimum with the lowest loss; ``"metastable"``: in
        another minimum; ``"unfinished"``: in none, still on its way; ``"diverged"``.
    phase : ndarray of str, shape (..., seeds)
        Phase of the minimum that the run's end leads to, downhill.
    excess : ndarray, shape (..., seeds)
        The run's exact loss less the theoretical minimum.
    minimum_excess : ndarray, shape (..., seeds)
        Loss of the minimum that the run's end leads to, less the theoretical minimum.
    theory_loss : ndarray, shape (...)
    theory_phase : ndarray of str, shape (...)
    density, relative_importance : ndarray, shape (...)
        On other axes than the paper's, the values of `y` and those of `x`.
    n_features, n_hidden : int
    version : str
        Version of the package that computed it.
    x, y : Axis or None
        Those of the diagram.
    """

    outcome: NDArray[np.str_]
    phase: NDArray[np.str_]
    excess: Array
    minimum_excess: Array
    theory_loss: Array
    theory_phase: NDArray[np.str_]
    density: Array
    relative_importance: Array
    n_features: int
    n_hidden: int
    version: str = field(default=__version__, compare=False)
    x: Axis | None = None
    y: Axis | None = None

    @property
    def runs(self) -> int:
        """Number of completed runs."""
        return int((self.outcome != "").sum())

    @property
    def lowest_excess(self) -> float:
        """The lowest excess of any run, and of any minimum that one leads to."""
        return float(min(np.nanmin(self.excess), np.nanmin(self.minimum_excess)))

    @property
    def optimal(self) -> bool:
        """Whether no run is below the theoretical minimum by more than 1e-12."""
        return self.lowest_excess >= -OPTIMALITY_TOLERANCE

    @property
    def best_seed_agrees(self) -> NDArray[np.bool_]:
        """Whether the lowest run of a point is in the global minimum, shape (...)."""
        return np.asarray((self.outcome == GLOBAL).any(axis=-1))

    def shares(self) -> dict[str, float]:
        """Return the share of completed runs with each outcome."""
        return {name: float((self.outcome == name).sum() / self.runs) for name in OUTCOMES}

    def _lines(self) -> list[str]:
        verdict = (
            "no run is below the theoretical minimum"
            if self.optimal
            else "A RUN IS BELOW THE THEORETICAL MINIMUM"
        )
        return [
            f"Agreement: {counted(self.runs, 'run')} at {grid(self.density.shape)}, "
            f"n = {self.n_features}, m = {self.n_hidden}",
            shares(self.shares()),
            f"the best run is global at {100 * self.best_seed_agrees.mean():.1f} % of the points",
            f"{verdict} (lowest excess {self.lowest_excess:.1e})",
        ]


def compare(diagram: PhaseDiagram, training: TrainingResult) -> Agreement:
    """Find the minimum that each run ended in, and compare it with the lowest.

    Each run's end is followed downhill by Newton's method on the exact loss, to the minimum
    in whose basin it lies.

    Parameters
    ----------
    diagram : PhaseDiagram
        Of free weights, on any axes; every trained point must be one of its points.
    training : TrainingResult
        Of the diagram's model: in a diagram over a penalty, for example, with one of the
        penalties that are in it.

    Returns
    -------
    Agreement

    Raises
    ------
    ValueError
        If the models differ, the diagram's weights are not free, or a trained point is not
        in the diagram.

    Examples
    --------
    >>> import phasediagram as phd
    >>> runs = phd.train([0.2, 0.3], 1.0, seeds=4, steps=3000, optimizer="exact")
    >>> agreement = phd.compare(phd.phase_diagram([0.2, 0.3], [1.0]), runs)
    >>> agreement.theory_phase.tolist(), agreement.best_seed_agrees.tolist()
    (['antipodal', 'antipodal'], [True, True])
    >>> agreement.optimal  # no run is below the minimum
    True
    """
    places = places_of(diagram, training)
    if not training.completed.any():
        raise ValueError("training must have at least one completed run")
    return compare_runs(diagram, places, training)


class Runs(NamedTuple):
    """What of a `TrainingResult` a comparison needs; the attributes are the same."""

    W: Array
    b: Array
    loss: Array
    diverged: NDArray[np.bool_]
    completed: NDArray[np.bool_]


def compare_runs(
    diagram: PhaseDiagram, places: Places, training: TrainingResult | Runs
) -> Agreement:
    """Compare runs with the points of a diagram that they are at, see `compare`."""
    n, m = diagram.n_features, diagram.n_hidden
    plane = places.plane
    theory_loss = diagram.loss[places.rows, places.columns]
    theory_phase = diagram.phase[places.rows, places.columns]
    # where a penalty leaves nothing represented, no output is right
    wrong = training.loss > theory_loss[..., None] * (1 + SAME_LOSS)
    usable = training.completed & ~(training.diverged & wrong)
    shape = usable.shape
    positions = np.broadcast_to(places.positions[..., None, :], (*shape, 2))[usable]
    ends = np.concatenate([training.W.reshape(*shape, -1), training.b], axis=-1)[usable]
    states, losses = minima_below(plane, m, positions, ends)
    lowest = np.broadcast_to(theory_loss[..., None], shape)[usable]
    there = arrived(plane_space(plane, m), ends, states, training.loss[usable], losses)
    best = losses <= lowest * (1 + SAME_LOSS)
    outcome = np.full(shape, "", dtype="U10")
    outcome[training.completed & ~usable] = DIVERGED
    outcome[usable] = np.where(there, np.where(best, GLOBAL, METASTABLE), UNFINISHED)
    phase = np.full(shape, "", dtype=f"U{_LONGEST_NAME}")
    naming = plane.naming_densities(positions)
    phase[usable] = phases_of(states[:, : m * n].reshape(-1, m, n), naming)
    minimum_excess = np.full(shape, np.nan)
    minimum_excess[usable] = losses - lowest
    return Agreement(
        outcome=outcome,
        phase=phase,
        excess=training.loss - theory_loss[..., None],
        minimum_excess=minimum_excess,
        theory_loss=np.asarray(theory_loss),
        theory_phase=np.asarray(theory_phase),
        density=places.by_row,
        relative_importance=places.by_column,
        n_features=n,
        n_hidden=m,
        x=diagram.x,
        y=diagram.y,
    )
