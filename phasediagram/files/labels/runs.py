"""Training results as labelled arrays."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from phasediagram.files.labelled import AXES, Attributes, LabelledArrays, Variable
from phasediagram.toymodel.records import model_from_record, model_record
from phasediagram.training.result import TrainingHistory, TrainingResult, grid_axes

Array = NDArray[np.float64]

_COUNTS = ("n_features", "n_hidden", "seeds", "steps", "batch_size")
_WEIGHT = ("hidden", "feature")


def label_training(training: TrainingResult) -> LabelledArrays:
    """Return a training result as labelled arrays.

    A grid has the dimensions ``density`` and ``relative_importance``, a line the one that
    varies, other shapes ``point`` or ``point_0``, ``point_1`` and so on.
    """
    p, r = training.density, training.relative_importance
    points = _dimensions(p, r)
    seeds = (*points, "seed")
    history = training.history
    steps = ("step", *seeds)
    variables = {
        "density": _axis("density", p, points, "probability that a feature is active"),
        "relative_importance": _axis(
            "relative_importance", r, points, "importance of the extra feature"
        ),
        "W": Variable((*seeds, *_WEIGHT), training.W, "weights where the run ended"),
        "b": Variable((*seeds, "feature"), training.b, "biases where the run ended"),
        "loss": Variable(seeds, training.loss, "exact expected loss where the run ended"),
        "diverged": Variable(seeds, training.diverged),
        "completed": Variable(seeds, training.completed),
        "step": Variable(("step",), history.steps, "updates done"),
        "history_W": Variable((*steps, *_WEIGHT), history.W, "weights at a step"),
        "history_b": Variable((*steps, "feature"), history.b, "biases at a step"),
        "history_loss": Variable(steps, history.loss, "exact expected loss at a step"),
    }
    attributes: Attributes = {
        "arguments": f"train(density, relative_importance, {_arguments(training)})",
        "version": training.version,
        "tolerance": training.tolerance,
        **{name: getattr(training, name) for name in _COUNTS},
        "optimizer": training.optimizer,
        "learning_rate": training.learning_rate,
        "schedule": training.schedule,
        "seed": str(training.seed),  # can have 128 bits
    }
    if training.loss_error is not None:
        variables["loss_error"] = Variable(seeds, training.loss_error, "its standard error")
    if training.importance is not None:
        values = np.array(training.importance)
        variables["importance"] = Variable(("feature",), values, "of each feature")
    if training.model is not None:
        attributes["model"] = json.dumps(model_record(training.model))
    if training.relative_density != 1:
        attributes["relative_density"] = training.relative_density
    return LabelledArrays("training result", variables, (*AXES, "step"), attributes)


def training_from(arrays: LabelledArrays) -> TrainingResult:
    """Return the training result that `label_training` was given."""
    loss = arrays.values("loss")
    points = arrays.variables["loss"].dimensions[:-1]
    shape = loss.shape[:-1]
    n_features, n_hidden, seeds, steps, batch_size = (arrays.number(name) for name in _COUNTS)
    model = arrays.attributes.get("model")
    present = arrays.variables
    return TrainingResult(
        W=arrays.values("W"),
        b=arrays.values("b"),
        loss=loss,
        diverged=np.asarray(arrays.values("diverged"), dtype=bool),
        completed=np.asarray(arrays.values("completed"), dtype=bool),
        history=TrainingHistory(
            steps=np.asarray(arrays.values("step"), dtype=np.int64),
            W=arrays.values("history_W"),
            b=arrays.values("history_b"),
            loss=arrays.values("history_loss"),
        ),
        density=_spread(arrays.variables["density"], points, shape),
        relative_importance=_spread(arrays.variables["relative_importance"], points, shape),
        n_features=n_features,
        n_hidden=n_hidden,
        seeds=seeds,
        steps=steps,
        batch_size=batch_size,
        optimizer=arrays.text("optimizer"),
        learning_rate=float(arrays.attributes["learning_rate"]),
        schedule=arrays.text("schedule"),
        seed=int(arrays.text("seed")),
        tolerance=float(arrays.attributes["tolerance"]),
        version=arrays.text("version"),
        loss_error=arrays.values("loss_error") if "loss_error" in present else None,
        model=None if model is None else model_from_record(json.loads(str(model))),
        importance=tuple(arrays.values("importance").tolist()) if "importance" in present else None,
        relative_density=float(arrays.attributes.get("relative_density", 1.0)),
    )


def _dimensions(p: Array, r: Array) -> tuple[str, ...]:
    """Return the names of the dimensions of the points."""
    if p.ndim == 1:
        varying = [name for name, v in zip(AXES, (p, r), strict=True) if (v != v[0]).any()]
        return (varying[0],) if len(varying) == 1 else ("point",)
    if grid_axes(p, r) is not None:
        return AXES
    return tuple(f"point_{axis}" for axis in range(p.ndim))


def _axis(name: str, values: Array, points: tuple[str, ...], description: str) -> Variable:
    """Return the coordinate along its own dimension, a number, or one for each point."""
    if name in points:
        place = tuple(slice(None) if dimension == name else 0 for dimension in points)
        return Variable((name,), values[place], description)
    if points in (("density",), ("relative_importance",)):
        return Variable((), values[0], description)
    return Variable(points, values, description)


def _spread(variable: Variable, points: tuple[str, ...], shape: tuple[int, ...]) -> Array:
    """Return the coordinate's value at every point."""
    own = [
        size if name in variable.dimensions else 1 for name, size in zip(points, shape, strict=True)
    ]
    return np.broadcast_to(variable.values.reshape(own), shape).copy()


def _arguments(training: TrainingResult) -> str:
    names = (*_COUNTS, "optimizer", "learning_rate", "schedule")
    parts = [f"{name}={getattr(training, name)!r}" for name in names]
    return ", ".join([*parts, f"rng={training.seed}"])
