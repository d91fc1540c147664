"""What a training sweep is: its arguments, validated before any work starts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram._version import __version__
from phasediagram.model import MAX_FEATURES, as_density, as_importance
from phasediagram.toymodel.models import LINEAR, ToyModel, require_same_size, sized_model
from phasediagram.toymodel.records import model_record
from phasediagram.toymodel.settings import as_setting
from phasediagram.training.optimizers import OPTIMIZERS, SCHEDULES, Optimizer
from phasediagram.training.sampling import MIN_SAMPLED_DENSITY, stream

Array = NDArray[np.float64]

MAX_LEARNING_RATE = 1e6

_NUMBERS_PER_BLOCK = 2**19  # drawn by a model; a block is what an interruption can undo
_BLOCK_STEPS = 256
_LEAST_STEPS = 16  # of a block, however large a step is: random streams take time to begin


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that decides what a sweep computes (see `phasediagram.train`).

    Attributes
    ----------
    density, relative_importance : ndarray, shape (...)
        Broadcast against each other.
    n_features, n_hidden, seeds, steps, batch_size : int
    optimizer, schedule : str
    learning_rate : float
    record : tuple of int
    seed : int
    model : ToyModel or None
        None for the paper's.
    importance : tuple of float or None
        Of each feature, instead of (1, ..., 1, r).
    relative_density : float
        The last feature's density over that of the others.
    """

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
    record: tuple[int, ...]
    seed: int
    model: ToyModel | None = None
    importance: tuple[float, ...] | None = None
    relative_density: float = 1.0

    @property
    def assumed(self) -> ToyModel:
        """What is assumed."""
        return ToyModel(self.n_features, self.n_hidden) if self.model is None else self.model

    @property
    def has_exact_loss(self) -> bool:
        """Whether the exact loss of these models is computed, and not estimated."""
        model = self.assumed
        is_simple = model.activation == LINEAR and not model.groups
        return self.n_features <= MAX_FEATURES or is_simple

    @property
    def rule(self) -> Optimizer:
        """The update rule and what it follows."""
        return OPTIMIZERS[self.optimizer]

    @property
    def models(self) -> int:
        """Number of models: points times seeds."""
        return self.density.size * self.seeds

    @property
    def parameters(self) -> int:
        """Number of parameters of a model: m n weights and n biases."""
        return (self.n_hidden + 1) * self.n_features

    @property
    def block_steps(self) -> int:
        """Steps between two moments at which a run can be interrupted and resumed.

        Random streams start anew at these moments, so it depends on nothing else.
        """
        if self.rule.sampled:
            numbers = self.n_features * self.batch_size
            return max(_LEAST_STEPS, min(_BLOCK_STEPS, _NUMBERS_PER_BLOCK // numbers))
        return max(1, 2 * _BLOCK_STEPS // int(3**self.n_features))

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        return self.learning_rate * SCHEDULES[self.schedule](step / self.steps)

    def model_density(self, models: NDArray[np.intp]) -> Array:
        """Return the density of models, numbered point by point, seed by seed."""
        return np.asarray(self.density.ravel()[models // self.seeds])

    def model_importance(self, models: NDArray[np.intp]) -> Array:
        """Return the importances of models, shape (len(models), n)."""
        if self.importance is not None:
            return np.repeat(np.array(self.importance)[None], len(models), axis=0)
        importance = np.ones((len(models), self.n_features))
        importance[:, -1] = self.relative_importance.ravel()[models // self.seeds]
        return importance

    def model_densities(self, models: NDArray[np.intp]) -> Array:
        """Return the density of each feature of models, shape (len(models), n)."""
        density = np.repeat(self.model_density(models)[:, None], self.n_features, axis=1)
        density[:, -1] *= self.relative_density
        return density

    def initial_parameters(self) -> Array:
        """Return Xavier-normal weights and zero biases, shape (models, m * n + n)."""
        scale = np.sqrt(2 / (self.n_features + self.n_hidden))
        parameters = np.zeros((self.models, self.parameters))
        for model in range(self.models):
            generator = stream(self.seed, *divmod(model, self.seeds), block=0)
            size = self.n_hidden * self.n_features
            parameters[model, :size] = scale * generator.standard_normal(size)
        return parameters

    def as_record(self) -> dict[str, Any]:
        """Return the settings and the package's version as plain numbers, lists and strings."""
        record = dict(vars(self))
        record["density"] = self.density.tolist()
        record["relative_importance"] = self.relative_importance.tolist()
        record["record"] = list(self.record)
        if self.model is not None:
            record["model"] = model_record(self.model)
        for name, usual in (("model", None), ("importance", None), ("relative_density", 1.0)):
            if record[name] == usual:
                del record[name]
        return record | {"version": __version__}


def as_settings(
    density: ArrayLike | None,
    relative_importance: ArrayLike,
    n_features: int,
    n_hidden: int | None,
    *,
    model: ToyModel | None = None,
    importance: ArrayLike | None = None,
    relative_density: float = 1.0,
    seeds: int,
    steps: int,
    batch_size: int,
    optimizer: str,
    learning_rate: float | None,
    schedule: str,
    record: ArrayLike,
    rng: int | np.random.Generator,
) -> TrainingSettings:
    """Validate the arguments of `phasediagram.train`, in the order of its signature."""
    chosen = _trained_model(n_features, n_hidden, model)
    if chosen.activity is not None and density is None:
        density = 1.0  # of no account
    elif chosen.activity is not None or density is None:
        what = "left out: the model's activity gives it" if density is not None else "given"
        raise ValueError(f"density must be {what}")
    p, r = _points(density, relative_importance)
    held = as_setting(
        chosen,
        None if chosen.activity is not None else float(p.max()),
        1.0,
        importance,
        relative_density,
    )
    if importance is not None and (r != 1).any():
        raise ValueError("importance and relative_importance exclude each other")
    if importance is not None:
        r = np.full(r.shape, held.importance[-1])
    count = at_least_one("seeds", seeds)
    length = at_least_one("steps", steps)
    samples = at_least_one("batch_size", batch_size)
    _one_of("optimizer", optimizer, OPTIMIZERS)
    if chosen.n_features > MAX_FEATURES and not OPTIMIZERS[optimizer].sampled:
        raise ValueError(
            f"n_features must be at most {MAX_FEATURES} for the optimizer {optimizer!r}, "
            f"got {chosen.n_features}"
        )
    if OPTIMIZERS[optimizer].sampled and p.min() < MIN_SAMPLED_DENSITY:
        raise ValueError(
            f"density must be at least {MIN_SAMPLED_DENSITY:g} to be sampled, "
            f'got {float(p.min())!r}; optimizer="exact" takes any'
        )
    rate = OPTIMIZERS[optimizer].learning_rate if learning_rate is None else learning_rate
    _one_of("schedule", schedule, SCHEDULES)
    return TrainingSettings(
        density=p,
        relative_importance=r,
        n_features=chosen.n_features,
        n_hidden=chosen.hidden,
        seeds=count,
        steps=length,
        batch_size=samples,
        optimizer=optimizer,
        learning_rate=positive("learning_rate", rate, MAX_LEARNING_RATE),
        schedule=schedule,
        record=_recorded_steps(record, length),
        seed=_seed(rng),
        model=None if chosen.is_standard else chosen,
        importance=None if importance is None else tuple(held.importance.tolist()),
        relative_density=float(held.relative_density),
    )


def _trained_model(n_features: int, n_hidden: int | None, model: ToyModel | None) -> ToyModel:
    """Return the model that is trained; a given one may have more features than can be solved."""
    if model is None or not isinstance(model, ToyModel):
        return sized_model(n_features, n_hidden, model)
    require_same_size(n_features, n_hidden, model)
    return model


def at_least_one(name: str, value: int) -> int:
    """Return `value` as an int; raise ValueError unless it is an integer of 1 or more."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {value!r}")
    return int(value)


def positive(name: str, value: float, limit: float) -> float:
    """Return `value` as a float; raise ValueError unless it lies in (0, limit]."""
    real = isinstance(value, int | float | np.integer | np.floating)
    if isinstance(value, bool) or not real or not 0 < value <= limit:
        raise ValueError(f"{name} must be positive and at most {limit:g}, got {value!r}")
    return float(value)


def _points(density: ArrayLike, relative_importance: ArrayLike) -> tuple[Array, Array]:
    p = as_density(density)
    r = as_importance(relative_importance, "relative_importance")
    if not p.size or not r.size:
        name, empty = ("relative_importance", r) if p.size else ("density", p)
        raise ValueError(f"{name} must not be empty, got shape {empty.shape}")
    try:
        p, r = (values.copy() for values in np.broadcast_arrays(p, r))
    except ValueError:
        raise ValueError(
            f"density and relative_importance must broadcast, got shapes {p.shape} and {r.shape}"
        ) from None
    return p, r


def _one_of(name: str, value: str, allowed: Collection[str]) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")


def _recorded_steps(record: ArrayLike, steps: int) -> tuple[int, ...]:
    chosen = np.asarray(record)
    if chosen.size == 0:
        return ()
    if (
        chosen.ndim != 1
        or chosen.dtype.kind not in "iu"
        or chosen.min() < 0
        or chosen.max() > steps
        or (np.diff(chosen.astype(np.int64)) <= 0).any()
    ):
        raise ValueError(
            f"record must be a sequence of increasing integers from 0 to steps = {steps}, "
            f"got {record!r}"
        )
    return tuple(chosen.tolist())


def _seed(rng: int | np.random.Generator) -> int:
    """Return the integer that every random stream starts from."""
    if isinstance(rng, np.random.Generator):
        words = rng.integers(0, 2**32, size=4, dtype=np.uint32)
        return int.from_bytes(words.astype("<u4").tobytes(), "little")
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer) or rng < 0:
        raise ValueError(f"rng must be a non-negative integer or a numpy Generator, got {rng!r}")
    return int(rng)
