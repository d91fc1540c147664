"""Many runs at once: batches of models on threads, interruptible, resumable."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phasediagram import checkpoints
from phasediagram.optimizers import OptimizerState
from phasediagram.training_gradients import ExactGradient, Gradient, SampledGradient
from phasediagram.training_settings import TrainingSettings

Array = NDArray[np.float64]
Progress = Callable[[float], None]

_MODELS_AT_ONCE = 128
_NUMBERS_AT_ONCE = 2**19  # of one step's samples of a batch of models
_SECONDS_BETWEEN_LOOKS = 0.1


@dataclass
class SweepState:
    """Where every run stands, and nothing else: what a checkpoint holds.

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


class Sweep:
    """A sweep in progress.

    Parameters
    ----------
    settings : TrainingSettings
    state : SweepState
        Where to start; advanced in place.
    workers : int
        Threads.  What is computed does not depend on it.
    """

    def __init__(self, settings: TrainingSettings, state: SweepState, workers: int) -> None:
        self.settings = settings
        self.state = state
        self._workers = workers
        self._lock = threading.Lock()  # held while the state is not that of whole blocks
        self._stop = threading.Event()

    def run(
        self, progress: Progress | None, checkpoint: Path | None, checkpoint_seconds: float
    ) -> None:
        """Train until every run is complete, or until a KeyboardInterrupt.

        Work happens on threads, so that an interrupt, which reaches the main thread
        only, finds the state of whole blocks.
        """
        try:
            with ThreadPoolExecutor(self._workers) as pool:
                try:
                    running = [pool.submit(self._advance, models) for models in self._batches()]
                    self._watch(running, progress, checkpoint, checkpoint_seconds)
                finally:
                    self._stop.set()
                    pool.shutdown(wait=True, cancel_futures=True)
        except KeyboardInterrupt:
            pass
        finally:
            if checkpoint is not None:
                self.save(checkpoint)

    def save(self, checkpoint: Path) -> None:
        """Write the state to a checkpoint."""
        with self._lock:
            snapshot = {name: values.copy() for name, values in self.state.arrays().items()}
        checkpoints.save(checkpoint, self.settings.as_record(), snapshot)

    def _watch(
        self,
        running: list[Future[None]],
        progress: Progress | None,
        checkpoint: Path | None,
        checkpoint_seconds: float,
    ) -> None:
        saved = time.monotonic()
        pending = set(running)
        while pending:
            done, pending = wait(pending, _SECONDS_BETWEEN_LOOKS, FIRST_EXCEPTION)
            for future in done:
                future.result()
            if progress is not None:
                progress(float(self.state.step.mean() / self.settings.steps))
            if checkpoint is not None and time.monotonic() - saved > checkpoint_seconds:
                self.save(checkpoint)
                saved = time.monotonic()

    def _batches(self) -> list[NDArray[np.intp]]:
        """Split the unfinished models into batches of equal step, one round of work or more."""
        numbers = self.settings.n_features * self.settings.batch_size
        limit = max(1, min(_MODELS_AT_ONCE, _NUMBERS_AT_ONCE // numbers))
        batches = []
        for step in np.unique(self.state.step[self.state.step < self.settings.steps]):
            models = np.flatnonzero(self.state.step == step)
            rounds = -(-len(models) // (limit * self._workers))
            count = min(len(models), rounds * self._workers)
            batches += np.array_split(models, count)
        return batches

    def _advance(self, models: NDArray[np.intp]) -> None:
        """Train a batch of models to the end, block by block."""
        settings, state = self.settings, self.state
        gradient = self._gradient(models)
        at = OptimizerState(state.parameters[models], state.first[models], state.second[models])
        step = int(state.step[models[0]])
        while step < settings.steps and not self._stop.is_set():
            block, _ = divmod(step, settings.block_steps)
            end = min((block + 1) * settings.block_steps, settings.steps)
            with np.errstate(all="ignore"):  # divergence is reported, not warned of
                recorded = self._advance_block(gradient, at, block, step, end)
            with self._lock:
                state.parameters[models] = at.parameters
                state.first[models] = at.first
                state.second[models] = at.second
                for index, parameters in recorded.items():
                    state.recorded[models, index] = parameters
                state.step[models] = end
            step = end

    def _advance_block(
        self, gradient: Gradient, at: OptimizerState, block: int, start: int, end: int
    ) -> dict[int, Array]:
        """Train from step `start` to `end`; return what is to be recorded, by its index."""
        settings = self.settings
        recorded = {}
        gradient.start_block(block + 1)  # stream 0 made the initial weights
        for step in range(start, end):
            settings.rule.update(at, gradient(at.parameters), step, settings.rate(step))
            if step + 1 in settings.record:
                recorded[settings.record.index(step + 1)] = at.parameters.copy()
        return recorded

    def _gradient(self, models: NDArray[np.intp]) -> Gradient:
        settings = self.settings
        density, importance = settings.model_density(models), settings.model_importance(models)
        if not settings.rule.sampled:
            return ExactGradient(density, importance)
        points, runs = np.divmod(models, settings.seeds)
        return SampledGradient(
            density, importance, settings.batch_size, settings.seed, points, runs
        )
