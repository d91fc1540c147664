"""Files of arrays with a header: written whole or not at all, read without unpickling."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADER = "arguments"  # name of the entry that says what the file is


def write(path: Path, header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    """Write `arrays` to an NPZ file at `path`, replacing what is there in one step.

    Whenever the process or the machine dies, `path` holds either the old file or the new
    one, complete.
    """
    with replacing(path) as partial, open(partial, "wb") as file:
        np.savez(file, **{_HEADER: np.array(json.dumps(header))}, **arrays)  # type: ignore[arg-type]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a file to write, which then takes the place of the one at `path`."""
    # always the same name, so that what a killed process leaves behind is overwritten
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    _flush_directory(path.parent)


def read(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the header and the arrays of the file at `path`.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not such a file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        header = json.loads(str(arrays.pop(_HEADER)))
    except (
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ):
        raise ValueError(f"{str(path)!r} is truncated or foreign") from None
    if not isinstance(header, dict):
        raise ValueError(f"{str(path)!r} is truncated or foreign")
    return header, arrays


def require_readable(path: Path, found: Any, newest: int) -> None:
    """Raise ValueError unless a file's format is one that can be read."""
    version = found.item() if isinstance(found, np.generic) else found
    if not isinstance(version, int) or version < 1:
        raise ValueError(f"{str(path)!r} is truncated or foreign")
    if version > newest:
        raise ValueError(
            f"{str(path)!r} has format {version}, but this version of phasediagram reads "
            f"formats up to {newest}: install a newer one"
        )


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
