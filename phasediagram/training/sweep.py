"""Many runs at once: batches of models, block by block of steps, interruptible, resumable."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phasediagram.executors import Part, Workers
from phasediagram.progress import Progress
from phasediagram.training import checkpoints
from phasediagram.training.gradients import ExactGradient, Gradient, SampledGradient
from phasediagram.training.optimizers import OptimizerState
from phasediagram.training.settings import TrainingSettings

Array = NDArray[np.float64]
Models = NDArray[np.intp]

_MODELS_AT_ONCE = 128
_NUMBERS_AT_ONCE = 2**19  # of one step's samples of a batch of models
_SECONDS_BETWEEN_REPORTS = 0.1


@dataclass
class SweepState:
    """Where runs stand, and nothing else: what a checkpoint holds.

    Attributes
    ----------
    step : ndarray of int, shape (models,)
        Steps done.
    parameters, first, second : ndarray, shape (models, m * n + n)
        As in `OptimizerState`.
    recorded : ndarray, shape (models, records, m * n + n)
        Parameters at the recorded steps; NaN before they are reached.
    """

    step: NDArray[np.int64]
    parameters: Array
    first: Array
    second: Array
    recorded: Array

    @classmethod
    def start(cls, settings: TrainingSettings) -> SweepState:
        """Return the state before the first step."""
        parameters = settings.initial_parameters()
        recorded = np.full((settings.models, len(settings.record), settings.parameters), np.nan)
        if 0 in settings.record:
            recorded[:, 0] = parameters
        zeros = np.zeros_like(parameters)
        step = np.zeros(settings.models, np.int64)
        return cls(step, parameters, zeros, zeros.copy(), recorded)

    def arrays(self) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
        """Return the arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def of(self, models: Models) -> SweepState:
        """Return a copy of the state of some models."""
        return SweepState(
            self.step[models],
            self.parameters[models],
            self.first[models],
            self.second[models],
            self.recorded[models],
        )

    def put(self, models: Models, state: SweepState) -> None:
        """Replace the state of some models."""
        for name, values in state.arrays().items():
            self.arrays()[name][models] = values


class Sweep:
    """A sweep in progress.

    Parameters
    ----------
    settings : TrainingSettings
    state : SweepState
        Where to start; advanced in place, whole blocks of steps at a time.
    workers : Workers
        Where to train.  What is computed does not depend on it.
    batches : int
        Batches of models to make at least, where there are so many models.
    """

    def __init__(
        self, settings: TrainingSettings, state: SweepState, workers: Workers, batches: int
    ) -> None:
        self.settings = settings
        self.state = state
        self._workers = workers
        self._batches_at_least = batches

    def run(
        self, progress: Progress | None, checkpoint: Path | None, checkpoint_seconds: float
    ) -> None:
        """Train until every run is complete, or until a KeyboardInterrupt."""
        try:
            self._run(progress, checkpoint, checkpoint_seconds)
        except KeyboardInterrupt:
            pass
        finally:
            if checkpoint is not None:
                self.save(checkpoint)

    def save(self, checkpoint: Path) -> None:
        """Write the state to a checkpoint."""
        checkpoints.save(checkpoint, self.settings.as_record(), self.state.arrays())

    def _run(
        self, progress: Progress | None, checkpoint: Path | None, checkpoint_seconds: float
    ) -> None:
        saved = reported = time.monotonic()
        parts = deque(self._part(models) for models in self._batches())
        for models, state in self._workers.run(train_block, parts):
            self.state.put(models, state)
            if state.step[0] < self.settings.steps:
                parts.appendleft(self._part(models))  # first: finish what was begun
            now = time.monotonic()
            if checkpoint is not None and now - saved > checkpoint_seconds:
                self.save(checkpoint)
                saved = now
            if progress is not None and now - reported > _SECONDS_BETWEEN_REPORTS:
                progress(self._share())
                reported = now
        if progress is not None:
            progress(self._share())

    def _share(self) -> float:
        return float(self.state.step.mean() / self.settings.steps)

    def _part(self, models: Models) -> Part[Models]:
        return Part(models, (self.settings, models, self.state.of(models)))

    def _batches(self) -> list[Models]:
        """Split the unfinished models into batches of equal step, evenly for the workers."""
        numbers = self.settings.n_features * self.settings.batch_size
        limit = max(1, min(_MODELS_AT_ONCE, _NUMBERS_AT_ONCE // numbers))
        batches = []
        for step in np.unique(self.state.step[self.state.step < self.settings.steps]):
            models = np.flatnonzero(self.state.step == step)
            rounds = -(-len(models) // (limit * self._batches_at_least))
            count = min(len(models), rounds * self._batches_at_least)
            batches += np.array_split(models, count)
        return batches


def train_block(settings: TrainingSettings, models: Models, state: SweepState) -> SweepState:
    """Train a batch of models from where they stand to the end of a block of steps.

    Parameters
    ----------
    settings : TrainingSettings
    models : ndarray of int
        Their numbers.
    state : SweepState
        Of these models, all at the same step; changed in place.

    Returns
    -------
    SweepState
        The same one.
    """
    start = int(state.step[0])
    block = start // settings.block_steps
    end = min((block + 1) * settings.block_steps, settings.steps)
    gradient = _gradient(settings, models, block + 1)  # stream 0 made the initial weights
    at = OptimizerState(state.parameters, state.first, state.second)
    with np.errstate(all="ignore"):  # divergence is reported, not warned of
        for step in range(start, end):
            settings.rule.update(at, gradient(at.parameters), step, settings.rate(step))
            if step + 1 in settings.record:
                state.recorded[:, settings.record.index(step + 1)] = at.parameters
    state.step[:] = end
    return state


def _gradient(settings: TrainingSettings, models: Models, block: int) -> Gradient:
    densities, importance = settings.model_densities(models), settings.model_importance(models)
    if not settings.rule.sampled:
        return ExactGradient(densities, importance, settings.assumed)
    points, runs = np.divmod(models, settings.seeds)
    return SampledGradient(
        densities,
        importance,
        settings.assumed,
        settings.batch_size,
        settings.seed,
        points,
        runs,
        block,
    )
