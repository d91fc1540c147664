"""Checkpoints of long work: written whole or not at all, and only ever read by their owner."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ARGUMENTS = "arguments"  # name of the entry that says what the checkpoint belongs to
_FORMAT = "phasediagram training checkpoint 1"


def save(path: Path, arguments: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    """Write `arrays` to an NPZ file at `path`, replacing what is there in one step.

    Whenever the process or the machine dies, `path` holds either the old checkpoint or
    the new one, complete.
    """
    record = json.dumps({"format": _FORMAT} | arguments)
    # always the same name, so that what a killed process leaves behind is overwritten
    partial = path.with_name(f".{path.name}.partial")
    with open(partial, "wb") as file:
        np.savez(file, **{_ARGUMENTS: np.array(record)}, **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    _flush_directory(path.parent)


def load(path: Path, arguments: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
    """Return the arrays of the checkpoint at `path`, None if there is no such file.

    Raises
    ------
    ValueError
        If the file is not a checkpoint, or was made with other arguments.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        found = json.loads(str(arrays.pop(_ARGUMENTS)))
    except FileNotFoundError:
        return None
    except (KeyError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
        raise ValueError(f"checkpoint {str(path)!r} is not a training checkpoint") from None
    _require_same(path, found, json.loads(json.dumps({"format": _FORMAT} | arguments)))
    return arrays


def _require_same(path: Path, found: dict[str, Any], expected: dict[str, Any]) -> None:
    for name in expected:
        if found.get(name) != expected[name]:
            raise ValueError(
                f"checkpoint {str(path)!r} was made with {name} = {_short(found.get(name))}, "
                f"not {_short(expected[name])}: repeat those arguments or name another file"
            )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _flush_directory(directory: Path) -> None:
    """Make a rename in `directory` survive a crash of the machine, where that can be asked for."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:  # not on every platform
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
