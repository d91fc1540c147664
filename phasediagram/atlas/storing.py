"""Where the minima of a grid are kept while they are found: in memory, or on disk in blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from phasediagram import archives
from phasediagram.atlas.tiles import Grid, Tile
from phasediagram.parameters import Plane

Array = NDArray[np.float64]

FORMAT = "phasediagram"
FORMAT_VERSION = 1
KIND = "phase diagram in blocks"
HEADER = "header.json"

_BAND_POINTS = 2**15


class GridStore:
    """Minima over a grid with ascending axes.

    Attributes
    ----------
    n, m : int
    density : ndarray, shape (rows,)
    relative_importance : ndarray, shape (columns,)
    x : ndarray, shape (rows, columns, m * n + n)
        W.ravel() followed by b.
    loss : ndarray, shape (rows, columns)
    phase : ndarray of uint8, shape (rows, columns)
        Which of the phases' names each point has.
    done : ndarray of bool
        Which tiles are complete.
    plane : Plane or None
        Other than the paper's; then the values are those along its axes.
    """

    def __init__(
        self,
        n: int,
        m: int,
        density: Array,
        relative_importance: Array,
        arrays: dict[str, NDArray[Any]],
        plane: Plane | None = None,
    ) -> None:
        self.n, self.m, self.plane = n, m, plane
        self.density, self.relative_importance = density, relative_importance
        self.rows, self.columns = len(density), len(relative_importance)
        self.x: Array = arrays["parameters"]
        self.loss: Array = arrays["loss"]
        self.phase: NDArray[np.uint8] = arrays["phase"]
        self.done: NDArray[np.bool_] = arrays["done"]

    def grid(self, columns: int) -> Grid:
        """Return the minima of the first columns, to be changed in place."""
        r = self.relative_importance[:columns]
        return Grid(self.n, self.m, self.density, r, self.x, self.loss, self.plane)

    def naming_densities(self, rows: slice) -> Array:
        """Return the densities by which phases of some rows are named, row after row."""
        if self.plane is None:
            return np.repeat(self.density[rows], self.columns)
        return self.plane.naming_densities(self.positions(rows))

    def positions(self, rows: slice) -> Array:
        """Return the positions of some rows in the plane, row after row."""
        assert self.plane is not None
        by_row, by_column = self.plane.axes
        positions = np.meshgrid(
            by_row.coordinates(self.density[rows]),
            by_column.coordinates(self.relative_importance),
            indexing="ij",
        )
        return np.stack(positions, axis=-1).reshape(-1, 2)

    def bands(self) -> Iterator[slice]:
        """Yield intervals of rows, few enough points each that little memory is needed."""
        rows = max(1, _BAND_POINTS // self.columns)
        for begin in range(0, self.rows, rows):
            yield slice(begin, min(begin + rows, self.rows))

    def put_tile(self, number: int, tile: Tile, x: Array, loss: Array) -> None:
        """Keep the minima of a tile, and then that it is done."""
        self.x[tile], self.loss[tile] = x, loss
        self.done[number] = True

    def flush(self) -> None:
        """Have the disk hold what is there now."""
        for array in (self.x, self.loss, self.phase, self.done):
            if isinstance(array, np.memmap):
                array.flush()


def in_memory(
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    tiles: int,
    plane: Plane | None = None,
) -> GridStore:
    """Return an empty store in memory."""
    shapes = _shapes(n, m, len(density), len(relative_importance), tiles)
    arrays = {name: np.zeros(shape, dtype) for name, (shape, dtype) in shapes.items()}
    return GridStore(n, m, density, relative_importance, arrays, plane)


def on_disk(
    directory: Path,
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    tiles: int,
    header: dict[str, Any],
    plane: Plane | None = None,
) -> GridStore:
    """Return a store whose arrays are memory-mapped files in a directory.

    Parameters
    ----------
    directory : Path
        Made if it does not exist; if it holds a store with the same header and axes, that
        is opened, to go on from.
    n, m : int
    density, relative_importance : ndarray
        Ascending.
    tiles : int
    header : dict
        What the arrays are, for their reader.
    plane : Plane, optional
        Other than the paper's.

    Raises
    ------
    ValueError
        If the directory holds something else.
    """
    axes = {"density": density, "relative_importance": relative_importance}
    shapes = _shapes(n, m, len(density), len(relative_importance), tiles)
    if not (directory / HEADER).exists():
        directory.mkdir(exist_ok=True)
        if any(directory.iterdir()):
            raise ValueError(f"directory must be empty or hold a diagram, got {str(directory)!r}")
        for name, (shape, dtype) in shapes.items():
            np.lib.format.open_memmap(_file(directory, name), "w+", dtype, shape)
        for name, values in axes.items():
            np.save(_file(directory, name), values)
        write_header(directory, header)  # last: with it the files are complete
    elif _without_progress(read_header(directory)) != _without_progress(header):
        raise ValueError(f"directory {str(directory)!r} holds a diagram of other arguments")
    for name, values in axes.items():
        if not np.array_equal(_open(directory, name), values):
            raise ValueError(f"directory {str(directory)!r} holds a diagram of another {name}")
    arrays = {name: _open(directory, name, "r+") for name in shapes}
    return GridStore(n, m, density, relative_importance, arrays, plane)


def open_finished(directory: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return header and arrays, memory-mapped for reading, of a finished store.

    Raises
    ------
    OSError
        If the directory cannot be read.
    ValueError
        If it is unfinished, truncated or foreign.
    """
    header = read_header(directory)
    if not header.get("phases"):
        raise ValueError(
            f"{str(directory)!r} is unfinished: compute it again with the same arguments to go on"
        )
    names = ("density", "relative_importance", "parameters", "loss", "phase")
    return header, {name: _open(directory, name) for name in names}


def read_header(directory: Path) -> dict[str, Any]:
    """Return the header of a store.

    Raises
    ------
    OSError
        If there is none.
    ValueError
        If it is not that of a store, or of a newer format.
    """
    text = (directory / HEADER).read_text(encoding="utf-8")
    try:
        header = json.loads(text)
        mine = header["format"] == FORMAT and header["kind"] == KIND
    except (ValueError, KeyError, TypeError):
        mine = False
    if not mine:
        raise ValueError(f"{str(directory)!r} is truncated or foreign")
    archives.require_readable(directory, header.get("format_version"), FORMAT_VERSION)
    return dict(header)


def write_header(directory: Path, header: dict[str, Any]) -> None:
    """Write the header of a store, replacing the one before in one step."""
    own = {"format": FORMAT, "format_version": FORMAT_VERSION, "kind": KIND}
    with archives.replacing(directory / HEADER) as partial:
        partial.write_text(json.dumps({**own, **header}, indent=1), encoding="utf-8")


def _shapes(n: int, m: int, rows: int, columns: int, tiles: int) -> dict[str, tuple[Any, type]]:
    return {
        "parameters": ((rows, columns, (m + 1) * n), np.float64),
        "loss": ((rows, columns), np.float64),
        "phase": ((rows, columns), np.uint8),
        "done": ((tiles,), np.bool_),
    }


def _without_progress(header: dict[str, Any]) -> dict[str, Any]:
    own = ("format", "format_version", "kind", "phases")
    return {name: value for name, value in header.items() if name not in own}


def _file(directory: Path, name: str) -> Path:
    return directory / f"{name}.npy"


def _open(directory: Path, name: str, mode: Literal["r", "r+"] = "r") -> NDArray[Any]:
    try:
        opened: NDArray[Any] = np.load(_file(directory, name), mmap_mode=mode, allow_pickle=False)
        return opened
    except (ValueError, EOFError, FileNotFoundError):
        raise ValueError(f"{str(_file(directory, name))!r} is truncated or foreign") from None
