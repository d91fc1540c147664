"""Theory against training: which minimum each run ended in, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram._version import __version__
from phasediagram.branches import Model
from phasediagram.diagram import phase_diagram
from phasediagram.free_minimization import Progress, minimize_free
from phasediagram.model import (
    DENSITY_RANGE,
    RELATIVE_IMPORTANCE_RANGE,
    as_density,
    as_importance,
)
from phasediagram.phases import phases_of
from phasediagram.results import PhaseDiagram
from phasediagram.training.descent import train
from phasediagram.training.result import TrainingResult

Array = NDArray[np.float64]

GLOBAL, METASTABLE, UNFINISHED, DIVERGED = "global", "metastable", "unfinished", "diverged"
OUTCOMES = (GLOBAL, METASTABLE, UNFINISHED, DIVERGED)

OPTIMALITY_TOLERANCE = 1e-12  # a run below the theoretical minimum by more disproves it
_SAME_LOSS = 1e-8  # relative: minima with closer losses are one, or equally good
_ARRIVED_LOSS = 2e-3  # a run's relative excess over its minimum that noise explains
_ARRIVED_GRAM = 0.1  # and its distance from it in W^T W and b
_GRID_MATCH = 1e-9
_DIGITS = 8  # of the logarithm of the loss, by which ends of one point are one
_VERIFIED = (((2, 1), 8, 0.55), ((3, 2), 6, 0.45))  # size, points along each axis, work


@dataclass(frozen=True)
class Agreement:
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
    version: str = __version__

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
    states, losses = _minima_below(n, m, density, importance, ends)
    lowest = np.broadcast_to(theory_loss[..., None], shape)[usable]
    arrived = _arrived(Model(n, m), ends, states, training.loss[usable], losses)
    best = losses <= lowest * (1 + _SAME_LOSS)
    outcome = np.full(shape, "", dtype="U10")
    outcome[training.completed & training.diverged] = DIVERGED
    outcome[usable] = np.where(arrived, np.where(best, GLOBAL, METASTABLE), UNFINISHED)
    phase = np.full(shape, "", dtype="U24")
    phase[usable] = phases_of(states[:, : m * n].reshape(-1, m, n), density)
    minimum_excess = np.full(shape, np.nan)
    minimum_excess[usable] = losses - lowest
    return Agreement(
        outcome=outcome,
        phase=phase,
        excess=training.loss - theory_loss[..., None],
        minimum_excess=minimum_excess,
        theory_loss=theory_loss,
        theory_phase=theory_phase,
        density=training.density,
        relative_importance=training.relative_importance,
        n_features=n,
        n_hidden=m,
    )


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
    for (n, m), points, share in _VERIFIED:
        density = np.geomspace(*DENSITY_RANGE[::-1], points)
        importance = np.geomspace(*RELATIVE_IMPORTANCE_RANGE, points)
        training = train(
            density[:, None],
            importance[None, :],
            n,
            m,
            seeds=8,
            progress=progress and _part_of(progress, done, share),
        )
        agreements.append(compare(phase_diagram(density, importance, n, m), training))
        done += share
    return tuple(agreements)


def _part_of(progress: Progress, done: float, share: float) -> Progress:
    return lambda part: progress(done + share * part)


@dataclass(frozen=True)
class Basin:
    """A local minimum, and how often training from random weights ends in it.

    Attributes
    ----------
    phase : str
    loss : float
    share : float
        Share of the runs.
    error : float
        Binomial standard error of the share.
    """

    phase: str
    loss: float
    share: float
    error: float


def basin_probabilities(
    density: float,
    relative_importance: float,
    n_features: int = 2,
    n_hidden: int = 1,
    runs: int = 400,
    optimizer: str = "exact",
    rng: int | np.random.Generator = 0,
    steps: int = 10_000,
) -> tuple[Basin, ...]:
    """Return the minima that training ends in, lowest first, with their shares of the runs.

    Parameters
    ----------
    density, relative_importance : float
        One point: a density in (0, 1] and an importance r > 0 of the extra feature.
    n_features, n_hidden : int
        Numbers of features n (2 to 6) and hidden dimensions m < n.
    runs : int
        Initialisations.
    optimizer : {"exact", "adam", "sgd"}
        As in `train`; "exact" follows the gradient without sampling noise.
    rng : int or numpy.random.Generator
        Where random numbers come from.
    steps : int
        Updates.

    Returns
    -------
    tuple of Basin
        Shares add up to 1 less the share of runs that diverged or arrived nowhere.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> import phasediagram as phd
    >>> [basin.phase for basin in phd.basin_probabilities(0.5, 0.5, runs=40, steps=4000)]
    ['ignored', 'antipodal']
    """
    p, r = as_density(density), as_importance(relative_importance, "relative_importance")
    if p.ndim or r.ndim:
        raise ValueError("density and relative_importance must be numbers")
    result = train(
        p, r, n_features, n_hidden, seeds=runs, steps=steps, optimizer=optimizer, rng=rng
    )
    usable = result.completed & ~result.diverged
    ends = np.concatenate([result.W.reshape(runs, -1), result.b], axis=-1)[usable]
    points = np.full(len(ends), float(p)), np.full(len(ends), float(r))
    states, losses = _minima_below(n_features, n_hidden, *points, ends)
    model = Model(n_features, n_hidden)
    arrived = np.flatnonzero(_arrived(model, ends, states, result.loss[usable], losses))
    basins: list[Basin] = []
    order = arrived[np.argsort(losses[arrived], kind="stable")]
    breaks = np.flatnonzero(np.diff(losses[order]) > _SAME_LOSS * losses[order[:-1]]) + 1
    for group in np.split(order, breaks) if len(order) else []:
        share = len(group) / runs
        W = model.weights(states[group[:1]])
        basins.append(
            Basin(
                str(phases_of(W, np.array([float(p)]))[0]),
                float(losses[group[0]]),
                share,
                float(np.sqrt(share * (1 - share) / runs)),
            )
        )
    return tuple(basins)


def _minima_below(
    n: int, m: int, density: Array, importance: Array, ends: Array
) -> tuple[Array, Array]:
    """Return the minima, and their losses, that lie downhill of where runs ended.

    A run that lingers at a saddle leads there at first, so each distinct end is pushed.
    """
    points = np.stack([np.log(density), np.log(importance)], axis=1)
    reached = minimize_free(n, m, density, importance, ends[:, None])
    digits = np.round(np.log(reached.loss[:, 0]), _DIGITS)
    _, first, which = np.unique(
        np.column_stack([points, digits]), axis=0, return_index=True, return_inverse=True
    )
    firm, loss = Model(n, m).descend(reached.x[first, 0], *points[first].T)
    left = (loss < reached.loss[first, 0] * (1 - _SAME_LOSS))[which.ravel()]
    states = np.where(left[:, None], firm[which.ravel()], reached.x[:, 0])
    return states, np.where(left, loss[which.ravel()], reached.loss[:, 0])


def _arrived(
    model: Model, ends: Array, states: Array, loss: Array, minimum: Array
) -> NDArray[np.bool_]:
    """Whether runs ended so close to their minima that only noise is between."""
    gram = np.abs(model.gram(ends) - model.gram(states)).max(axis=(1, 2))
    bias = np.abs(ends[:, -model.n :] - states[:, -model.n :]).max(axis=1)
    close = np.maximum(gram, bias) <= _ARRIVED_GRAM
    return np.asarray(close & (loss <= minimum * (1 + _ARRIVED_LOSS)))


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
