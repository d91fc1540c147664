"""What training returns: where the runs ended, and how they got there."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phasediagram._version import __version__
from phasediagram.results.wording import counted, grid, size, span
from phasediagram.toymodel.models import ToyModel
from phasediagram.values import DrawnResult, Value

Array = NDArray[np.float64]

LOSS_TOLERANCE = 1e-12  # relative error of the exact loss, at most


@dataclass(frozen=True, eq=False, repr=False)
class TrainingHistory(Value):
    """Where the runs were at chosen steps.

    Attributes
    ----------
    steps : ndarray of int, shape (K,)
        Numbers of updates done; 0 is the initial state.
    W : ndarray, shape (K, ..., seeds, m, n)
    b : ndarray, shape (K, ..., seeds, n)
    loss : ndarray, shape (K, ..., seeds)
        The exact expected loss; infinite where W or b had left all bounds.
    """

    steps: NDArray[np.int64]
    W: Array
    b: Array
    loss: Array

    @property
    def norms(self) -> Array:
        """Norms of the features' directions, shape (K, ..., seeds, n)."""
        return np.asarray(np.linalg.norm(self.W, axis=-2))

    def _lines(self) -> list[str]:
        return [
            f"TrainingHistory: {counted(len(self.steps), 'step')}"
            + (f", {span(self.steps)}" if len(self.steps) else "")
        ]


@dataclass(frozen=True, eq=False, repr=False)
class TrainingResult(DrawnResult):
    """Where the runs of a sweep ended.

    Attributes
    ----------
    W : ndarray, shape (..., seeds, m, n)
    b : ndarray, shape (..., seeds, n)
        NaN where a run was not completed.
    loss : ndarray, shape (..., seeds)
        The exact expected loss at W and b, not the training loss; infinite where these
        left all bounds, NaN where a run was not completed.
    diverged : ndarray of bool, shape (..., seeds)
        Runs that left all bounds, or ended no better than a model that outputs zero:
        exactly as bad (every output is off for good), or also worse than they started.
    completed : ndarray of bool, shape (..., seeds)
        False for runs that an interruption cut short.
    history : TrainingHistory
        NaN at the steps that an interrupted run did not reach.
    density, relative_importance : ndarray, shape (...)
        The points, broadcast against each other; the latter is the last feature's importance.
    n_features, n_hidden, seeds, steps, batch_size : int
    optimizer : str
    learning_rate : float
    schedule : str
    seed : int
        What the random numbers came from: ``rng=seed`` gives the same result.
    tolerance : float
        Relative error of `loss`.
    version : str
        Version of the package that computed it.
    loss_error : ndarray, shape (..., seeds), or None
        Standard error of `loss` where that is an estimate on a large sample: for more than 8
        features, unless the model is linear.
    model : ToyModel or None
        None for the paper's.
    importance : tuple of float or None
        Of each feature, if given.
    relative_density : float
    """

    W: Array
    b: Array
    loss: Array
    diverged: NDArray[np.bool_]
    completed: NDArray[np.bool_]
    history: TrainingHistory
    density: Array
    relative_importance: Array
    n_features: int
    n_hidden: int
    seeds: int
    steps: int
    batch_size: int
    optimizer: str
    learning_rate: float
    schedule: str
    seed: int
    tolerance: float = LOSS_TOLERANCE
    version: str = field(default=__version__, compare=False)
    loss_error: Array | None = None
    model: ToyModel | None = None
    importance: tuple[float, ...] | None = None
    relative_density: float = 1.0

    def _lines(self) -> list[str]:
        ended = int(self.completed.sum())
        model = size(self.n_features, self.n_hidden, self.model)
        return [
            f"TrainingResult: {counted(self.loss.size, 'run')}, {self.seeds} at each of "
            f"{grid(self.density.shape)}, {model}",
            f"density {span(self.density)}, relative importance {span(self.relative_importance)}",
            f"{self.optimizer}, {self.steps} steps, learning rate {self.learning_rate:g}"
            + ("" if self.optimizer == "exact" else f", batches of {self.batch_size}")
            + f", rng {self.seed}",
            f"loss {span(self.loss)}; {ended} completed, {int(self.diverged.sum())} diverged",
        ]


def grid_axes(density: Array, relative_importance: Array) -> tuple[Array, Array] | None:
    """Return the axes of points that are on a grid, densities by relative importances.

    Parameters
    ----------
    density, relative_importance : ndarray, shape (...)
        The points, as `TrainingResult` has them.

    Returns
    -------
    tuple of ndarray, shapes (D,) and (R,), or None
        None if the points are on no grid.
    """
    p, r = density, relative_importance
    if p.ndim != 2 or not p.size or (p != p[:, :1]).any() or (r != r[:1]).any():
        return None
    return p[:, 0], r[0]
