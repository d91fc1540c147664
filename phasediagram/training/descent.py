"""Training by gradient descent, many models at once, to set against the theory."""

from __future__ import annotations

from concurrent.futures import Executor
from os import PathLike, cpu_count
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.executors import Workers, require_executor
from phasediagram.kernel.loss import expected_loss
from phasediagram.kernel.tables import marginals
from phasediagram.model import MAX_FEATURES
from phasediagram.progress import Progress
from phasediagram.toymodel.models import ToyModel
from phasediagram.training import checkpoints
from phasediagram.training.assumptions import estimated_losses, linear_loss, penalties
from phasediagram.training.gradients import unpack, within_bounds
from phasediagram.training.result import TrainingHistory, TrainingResult
from phasediagram.training.settings import TrainingSettings, as_settings, at_least_one, positive
from phasediagram.training.sweep import Sweep, SweepState

Array = NDArray[np.float64]

_LONGEST_WAIT = 1e6  # seconds
_BATCHES_FOR_EXECUTOR = 16  # at least, since it does not tell how many workers it has
_SAME_LOSS = 1e-9  # relative


def train(
    density: ArrayLike | None = None,
    relative_importance: ArrayLike = 1.0,
    n_features: int = 2,
    n_hidden: int | None = None,
    seeds: int = 1,
    steps: int = 10_000,
    batch_size: int = 1024,
    optimizer: str = "adam",
    rng: int | np.random.Generator = 0,
    *,
    learning_rate: float | None = None,
    schedule: str = "cosine",
    record: ArrayLike = (),
    progress: Progress | None = None,
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_seconds: float = 10.0,
    workers: int | None = None,
    executor: Executor | None = None,
    model: ToyModel | None = None,
    importance: ArrayLike | None = None,
    relative_density: float = 1.0,
) -> TrainingResult:
    """Train `seeds` models at every point, and return the exact loss of where each ends.

    Weights start Xavier-normal, with variance 2 / (m + n), and biases at zero.  The
    defaults are the literature's setting: Adam at learning rate 1e-3, 10 000 steps with
    fresh batches of 1024, but for the learning rate, which falls to zero along a cosine,
    so that a run ends in a minimum and not in the noise around it.

    Parameters
    ----------
    density : array_like
        Densities p in (0, 1], at least 1e-4 where batches are sampled.
    relative_importance : array_like
        Importances r > 0 of the extra (last) feature; broadcasts against `density`.
    n_features, n_hidden : int
        Numbers of features n (2 to 8; more with `model`) and hidden dimensions m < n, by default
        n - 1.
    seeds : int
        Models per point.  Those of a smaller number are the first of a larger one.
    steps, batch_size : int
        Updates, and samples in each one's batch.
    optimizer : {"adam", "sgd", "exact"}
        Adam or plain gradient descent on sampled batches; or Adam on the exact gradient
        of the expected loss, without noise, which makes `batch_size` irrelevant.
    rng : int or numpy.random.Generator
        Where random numbers come from.  The same seed gives the same result bitwise,
        whatever `workers` and `executor`, and each run has its own random stream.
    learning_rate : float, optional
        By default 1e-3, for "sgd" 1e-2.  Plain descent diverges above some 0.2 / max(1, r),
        and at densities below some 0.1 its default steps end far from any minimum.
    schedule : {"cosine", "linear", "constant"}
        How the learning rate goes to zero, or that it stays.
    record : sequence of int
        Steps, increasing, from 0 to `steps`, to keep in the result's `history`.
    progress : callable, optional
        Called several times a second with the share of the work that is done, 0 to 1.
    checkpoint : path, optional
        File to keep the state of the sweep in, rewritten every `checkpoint_seconds`.  If
        it exists, the sweep goes on from there, to the same result as if it had never
        stopped; the file must come from a call with the same arguments.
    checkpoint_seconds : float
    workers : int, optional
        Threads; by default one per processor.
    executor : concurrent.futures.Executor, optional
        Where to train instead of on threads: a `ProcessPoolExecutor`, the executor of a
        `dask.distributed` client, or another.  Checkpoints are written here.
    model : ToyModel, optional
        What is assumed besides the paper's model, and its size: up to 1000 features.  Beyond 8 the
        loss of what is no linear model of independent features is estimated on a large sample.
    importance : float or array_like, shape (n,), optional
        Importances at all points, instead of `relative_importance`.
    relative_density : float
        The last feature's density over that of the others.

    Returns
    -------
    TrainingResult
        After an interruption (KeyboardInterrupt) the runs that are finished, with
        `completed` False for the others.

    Raises
    ------
    ValueError
        If an argument is outside its range, or `checkpoint` does not belong to these
        arguments; before any work is done.
    OSError
        If `checkpoint` cannot be read or written.

    Warns
    -----
    RuntimeWarning
        If the executor fails, because a worker was killed: the rest is trained here.

    Notes
    -----
    Batches are sampled and summed in single precision, whose rounding is far below
    their noise; parameters and updates are in double precision.

    Examples
    --------
    >>> import phasediagram as phd
    >>> result = phd.train([0.1, 0.2], 1.0, seeds=3, steps=3000, optimizer="exact")
    >>> result.W.shape, result.loss.shape
    ((2, 3, 1, 2), (2, 3))
    >>> bool(abs(result.loss[1].min() - phd.solve(0.2, 1.0).loss) < 1e-6)
    True
    """
    settings = as_settings(
        density,
        relative_importance,
        n_features,
        n_hidden,
        model=model,
        importance=importance,
        relative_density=relative_density,
        seeds=seeds,
        steps=steps,
        batch_size=batch_size,
        optimizer=optimizer,
        learning_rate=learning_rate,
        schedule=schedule,
        record=record,
        rng=rng,
    )
    threads = at_least_one("workers", (cpu_count() or 1) if workers is None else workers)
    seconds = positive("checkpoint_seconds", checkpoint_seconds, _LONGEST_WAIT)
    if progress is not None and not callable(progress):
        raise ValueError(f"progress must be callable, got {progress!r}")
    path = None if checkpoint is None else Path(checkpoint)
    require_executor(executor)
    batches = threads if executor is None else _BATCHES_FOR_EXECUTOR
    sweep = Sweep(settings, _first_state(settings, path), Workers(executor, threads), batches)
    if path is not None:
        sweep.save(path)  # a path that cannot be written is found out now
    sweep.run(progress, path, seconds)
    return _result(settings, sweep.state)


def _first_state(settings: TrainingSettings, checkpoint: Path | None) -> SweepState:
    """Return the state to start from: the checkpoint's if there is one."""
    arrays = None if checkpoint is None else checkpoints.load(checkpoint, settings.as_record())
    return SweepState.start(settings) if arrays is None else SweepState(**arrays)


def _result(settings: TrainingSettings, state: SweepState) -> TrainingResult:
    completed = state.step == settings.steps
    parameters = np.where(completed[:, None], state.parameters, np.nan)
    (loss,), error = _losses(settings, parameters[None], completed[None])
    shape = (*settings.density.shape, settings.seeds)
    W, b = unpack(parameters.reshape(*shape, -1), settings.n_features)
    return TrainingResult(
        W=W,
        b=b,
        loss=loss.reshape(shape),
        diverged=_diverged(settings, loss).reshape(shape),
        completed=completed.reshape(shape),
        history=_history(settings, state),
        density=settings.density,
        relative_importance=settings.relative_importance,
        n_features=settings.n_features,
        n_hidden=settings.n_hidden,
        seeds=settings.seeds,
        steps=settings.steps,
        batch_size=settings.batch_size,
        optimizer=settings.optimizer,
        learning_rate=settings.learning_rate,
        schedule=settings.schedule,
        seed=settings.seed,
        loss_error=None if error is None else error.reshape(shape),
        model=settings.model,
        importance=settings.importance,
        relative_density=settings.relative_density,
    )


def _history(settings: TrainingSettings, state: SweepState) -> TrainingHistory:
    shape = (len(settings.record), *settings.density.shape, settings.seeds)
    parameters = np.ascontiguousarray(state.recorded.swapaxes(0, 1))
    steps = np.array(settings.record, np.int64)
    loss, _ = _losses(settings, parameters, state.step >= steps[:, None])
    W, b = unpack(parameters.reshape(*shape, settings.parameters), settings.n_features)
    return TrainingHistory(steps, W, b, loss.reshape(shape))


def _losses(
    settings: TrainingSettings, parameters: Array, reached: NDArray[np.bool_]
) -> tuple[Array, Array | None]:
    """Return losses (s, models) at s steps, and their standard errors if they are estimated.

    Infinite out of bounds, NaN where not `reached`.
    """
    is_within = within_bounds(parameters)
    usable = is_within & reached
    W, b = unpack(np.where(usable[..., None], parameters, 0.0), settings.n_features)
    loss, error = np.empty(usable.shape), None
    if not loss.size:
        return loss, None
    if settings.has_exact_loss:
        for step in range(len(loss)):
            loss[step] = _exact_losses(settings, W[step], b[step])
    else:
        error = np.empty(usable.shape)
        for k in range(settings.models):
            loss[:, k], error[:, k] = _estimated_losses(settings, k, W[:, k], b[:, k])
    return np.where(reached, np.where(is_within, loss, np.inf), np.nan), error


def _exact_losses(settings: TrainingSettings, W: Array, b: Array) -> Array:
    """Return the losses of all models, shape (models,)."""
    models = np.arange(settings.models)
    densities, importance = settings.model_densities(models), settings.model_importance(models)
    if settings.n_features <= MAX_FEATURES:
        given = None if settings.assumed.activity is not None else densities
        return np.asarray(expected_loss(W, b, given, importance, model=settings.assumed))
    return linear_loss(W, b, densities, importance) + penalties(settings.assumed, W)


def _estimated_losses(
    settings: TrainingSettings, k: int, W: Array, b: Array
) -> tuple[Array, Array]:
    """Return the losses of the k-th model at several steps, and their standard errors."""
    (density,), (importance,) = (
        of(np.array([k])) for of in (settings.model_densities, settings.model_importance)
    )
    return estimated_losses(settings.assumed, W, b, density, importance, settings.seed)


def _diverged(settings: TrainingSettings, loss: Array) -> NDArray[np.bool_]:
    models = np.arange(settings.models)
    densities = marginals(settings.assumed, settings.model_densities(models))
    silent = (settings.model_importance(models) * densities).sum(axis=1) / 3
    worthless: NDArray[np.bool_] = loss >= (1 - _SAME_LOSS) * silent
    if not worthless.any():
        return worthless
    every = np.ones((1, settings.models), bool)
    (start,), _ = _losses(settings, settings.initial_parameters()[None], every)
    return np.asarray(worthless & ((loss > start) | (loss <= (1 + _SAME_LOSS) * silent)))
