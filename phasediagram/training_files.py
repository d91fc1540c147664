"""Training results in files."""

from __future__ import annotations

from dataclasses import fields
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from phasediagram import archives
from phasediagram.training_result import TrainingHistory, TrainingResult

_FORMAT = "phasediagram training result 1"
_HISTORY = "history_"


def save_training(path: str | PathLike[str], training: TrainingResult) -> None:
    """Write a training result to an NPZ file, replacing what is there in one step.

    Parameters
    ----------
    path : path
    training : TrainingResult

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    header: dict[str, Any] = {"format": _FORMAT}
    arrays = {f"{_HISTORY}{f.name}": getattr(training.history, f.name) for f in _history_fields()}
    for field in fields(TrainingResult):
        value = getattr(training, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = value
        elif field.name != "history":
            header[field.name] = value
    archives.write(Path(path), header, arrays)


def load_training(path: str | PathLike[str]) -> TrainingResult:
    """Read a training result that `save_training` wrote; nothing is unpickled.

    Parameters
    ----------
    path : path

    Returns
    -------
    TrainingResult

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is truncated, foreign or of a newer format.
    """
    header, arrays = archives.read(Path(path))
    if header.pop("format", None) != _FORMAT:
        raise ValueError(f"{str(path)!r} is not a training result, or one of a newer version")
    try:
        history = {f.name: arrays.pop(f"{_HISTORY}{f.name}") for f in _history_fields()}
        parts: dict[str, Any] = {**arrays, **header}
        return TrainingResult(history=TrainingHistory(**history), **parts)
    except (KeyError, TypeError):
        raise ValueError(f"{str(path)!r} is truncated or foreign") from None


def _history_fields() -> tuple[Any, ...]:
    return fields(TrainingHistory)
