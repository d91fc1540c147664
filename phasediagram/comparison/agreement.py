"""Theory against training: which minimum each run ended in, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram._version import __version__
from phasediagram.comparison.downhill import (
    SAME_LOSS,
    arrived,
    minima_below,
    plane_for,
    positions_of,
)
from phasediagram.minima.symmetry import plane_space
from phasediagram.naming.phases import phases_of
from phasediagram.results import PhaseDiagram
from phasediagram.results.wording import counted, grid, shares
from phasediagram.toymodel.axes import DENSITY, RELATIVE_IMPORTANCE
from phasediagram.toymodel.models import ToyModel
from phasediagram.training.result import TrainingResult
from phasediagram.values import DrawnResult

Array = NDArray[np.float64]

GLOBAL, METASTABLE, UNFINISHED, DIVERGED = "global", "metastable", "unfinished", "diverged"
OUTCOMES = (GLOBAL, METASTABLE, UNFINISHED, DIVERGED)

OPTIMALITY_TOLERANCE = 1e-12  # a run below the theoretical minimum by more disproves it
_GRID_MATCH = 1e-9
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
    n_features, n_hidden : int
    version : str
        Version of the package that computed it.
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
        Of free weights; every trained point must be one of its points.
    training : TrainingResult

    Returns
    -------
    Agreement

    Raises
    ------
    ValueError
        If the sizes differ, the diagram's weights are not free, or a trained point is not
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
    require_comparable(diagram, training)
    if not training.completed.any():
        raise ValueError("training must have at least one completed run")
    return compare_runs(diagram, training)


class Runs(NamedTuple):
    """What of a `TrainingResult` a comparison needs; the attributes are the same."""

    W: Array
    b: Array
    loss: Array
    diverged: NDArray[np.bool_]
    completed: NDArray[np.bool_]
    density: Array
    relative_importance: Array
    n_features: int
    n_hidden: int
    model: ToyModel | None = None
    importance: tuple[float, ...] | None = None
    relative_density: float = 1.0


def compare_runs(diagram: PhaseDiagram, training: TrainingResult | Runs) -> Agreement:
    """Compare runs with a diagram that fits them, see `compare`."""
    rows = _indices("density", diagram.density, training.density)
    columns = _indices(
        "relative_importance", diagram.relative_importance, training.relative_importance
    )
    theory_loss = diagram.loss[rows, columns]
    theory_phase = diagram.phase[rows, columns]
    n, m = training.n_features, training.n_hidden
    usable = training.completed & ~training.diverged
    shape = usable.shape
    density, importance = (
        np.broadcast_to(values[..., None], shape)[usable]
        for values in (training.density, training.relative_importance)
    )
    ends = np.concatenate([training.W.reshape(*shape, -1), training.b], axis=-1)[usable]
    plane = plane_for(n, m, training.model, training.importance, training.relative_density)
    states, losses = minima_below(plane, m, density, importance, ends)
    lowest = np.broadcast_to(theory_loss[..., None], shape)[usable]
    there = arrived(plane_space(plane, m), ends, states, training.loss[usable], losses)
    best = losses <= lowest * (1 + SAME_LOSS)
    outcome = np.full(shape, "", dtype="U10")
    outcome[training.completed & training.diverged] = DIVERGED
    outcome[usable] = np.where(there, np.where(best, GLOBAL, METASTABLE), UNFINISHED)
    phase = np.full(shape, "", dtype=f"U{_LONGEST_NAME}")
    naming = plane.naming_densities(positions_of(plane, density, importance))
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
        density=training.density,
        relative_importance=training.relative_importance,
        n_features=n,
        n_hidden=m,
    )


def require_comparable(diagram: PhaseDiagram, training: TrainingResult | Runs) -> None:
    """Raise ValueError unless the diagram has free weights and is of the same size."""
    if diagram.weights != "free":
        raise ValueError(f"diagram must have free weights, got {diagram.weights!r}")
    sizes = [(result.n_features, result.n_hidden) for result in (diagram, training)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            "diagram and training must have the same n_features and n_hidden, "
            f"got {sizes[0]} and {sizes[1]}"
        )
    models = [ToyModel(*sizes[0]) if r.model is None else r.model for r in (diagram, training)]
    if models[0] != models[1]:
        raise ValueError(
            f"diagram and training must be of the same model, got {models[0]!r} and {models[1]!r}"
        )
    _require_same_numbers(diagram, training)


def _require_same_numbers(diagram: PhaseDiagram, training: TrainingResult | Runs) -> None:
    """Raise ValueError unless importances and densities can be those of the diagram."""
    if diagram.x is not None and diagram.y is not None:
        names = diagram.y.name, diagram.x.name
        if names != (DENSITY, RELATIVE_IMPORTANCE):
            raise ValueError(
                "diagram must be over density and relative importance to be compared with "
                f"training, got {names[0]} and {names[1]}"
            )
    held = diagram.held
    n = training.n_features
    ones = np.ones(n - 1)
    others = ones if held is None else held.importance[:-1]
    trained = ones if training.importance is None else np.array(training.importance[:-1])
    ratio = 1.0 if held is None else float(held.relative_density)
    if (others != trained).any() or ratio != training.relative_density:
        raise ValueError(
            "diagram and training must have the same importances and relative_density, "
            f"got {others.tolist()} with {ratio:g}, and {trained.tolist()} with "
            f"{training.relative_density:g}"
        )


def _indices(name: str, axis: Array, values: ArrayLike) -> NDArray[np.intp]:
    """Return where values lie on an axis of the diagram."""
    values = np.asarray(values)
    index = np.abs(np.log(values[..., None] / axis)).argmin(axis=-1)
    missing = np.abs(axis[index] / values - 1) > _GRID_MATCH
    if missing.any():
        raise ValueError(
            f"every {name} of training must be in the diagram, got {values[missing].flat[0]!r}"
        )
    return np.asarray(index)
