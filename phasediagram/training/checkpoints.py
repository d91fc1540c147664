"""Checkpoints of long work: written whole or not at all, and only ever read by their owner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from phasediagram import archives

_FORMAT = "phasediagram training checkpoint 1"


def save(path: Path, arguments: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    """Write the state of a sweep with these arguments, replacing the one before in one step."""
    archives.write(path, {"format": _FORMAT} | arguments, arrays)


def load(path: Path, arguments: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
    """Return the arrays of the checkpoint at `path`, None if there is no such file.

    Raises
    ------
    ValueError
        If the file is not a checkpoint, or was made with other arguments.
    """
    try:
        found, arrays = archives.read(path)
    except FileNotFoundError:
        return None
    except ValueError:
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
