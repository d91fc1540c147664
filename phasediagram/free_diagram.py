"""Phase diagrams of free weights: the minima of a grid, named, as the caller ordered its axes."""

from __future__ import annotations

from concurrent.futures import Executor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phasediagram import grid_store
from phasediagram._version import __version__
from phasediagram.free_grid import forget_torn_tiles, minimize_over_grid
from phasediagram.free_minimization import Progress
from phasediagram.grid_store import GridStore
from phasediagram.grid_tiles import cut_into_tiles
from phasediagram.naming.phases import PHASES, phases_of
from phasediagram.newton import GRADIENT_TOLERANCE
from phasediagram.results import PhaseDiagram

Array = NDArray[np.float64]

_NAMED_ROWS = 64  # at once


def free_diagram(
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    progress: Progress | None = None,
    executor: Executor | None = None,
    directory: Path | None = None,
) -> PhaseDiagram:
    """Return the phase diagram of free weights (arguments of `phasediagram.phase_diagram`)."""
    rows, columns = np.argsort(density), np.argsort(relative_importance)
    axes = density[rows], relative_importance[columns]
    tiles = len(cut_into_tiles(n, len(rows), len(columns)))  # fewer if they are mirrored
    if directory is None:
        store = grid_store.in_memory(n, m, *axes, tiles)
        minimize_over_grid(store, progress, executor)
        names = _name_phases(store)
        given = np.ix_(np.argsort(rows), np.argsort(columns))
        arrays = (store.loss[given], store.x[given], store.phase[given])
        return _diagram(n, m, density, relative_importance, *arrays, names)
    header = {
        "n_features": n,
        "n_hidden": m,
        "tolerance": GRADIENT_TOLERANCE,
        "version": __version__,
        "descending": [
            _descends("density", density),
            _descends("relative_importance", relative_importance),
        ],
    }
    store = grid_store.on_disk(directory, n, m, *axes, tiles, header)
    if not grid_store.read_header(directory).get("phases"):
        forget_torn_tiles(store)
        minimize_over_grid(store, progress, executor)
        names = _name_phases(store)
        store.flush()
        grid_store.write_header(directory, {**header, "phases": names})
    return load_blocks(directory)


def load_blocks(directory: Path) -> PhaseDiagram:
    """Return the phase diagram that a directory holds, its arrays memory-mapped.

    Raises
    ------
    OSError
        If the directory cannot be read.
    ValueError
        If it is unfinished, truncated or foreign.
    """
    header, arrays = grid_store.open_finished(directory)
    rows, columns = (slice(None, None, -1 if turned else 1) for turned in header["descending"])
    return _diagram(
        header["n_features"],
        header["n_hidden"],
        np.array(arrays["density"][rows]),
        np.array(arrays["relative_importance"][columns]),
        arrays["loss"][rows, columns],
        arrays["parameters"][rows, columns],
        arrays["phase"][rows, columns],
        header["phases"],
        header["tolerance"],
        header["version"],
    )


def _name_phases(store: GridStore) -> list[str]:
    """Set the phase of every point, and return the names that the numbers stand for."""
    found: dict[str, int] = {}
    split = store.m * store.n
    for begin in range(0, store.rows, _NAMED_ROWS):
        rows = slice(begin, begin + _NAMED_ROWS)
        W = store.x[rows, :, :split].reshape(-1, store.m, store.n)
        names = phases_of(W, np.repeat(store.density[rows], store.columns))
        present, which = np.unique(names, return_inverse=True)
        numbers = [found.setdefault(str(name), len(found)) for name in present]
        store.phase[rows] = np.array(numbers, dtype=np.uint8)[which].reshape(-1, store.columns)
    known = [phase for phase in PHASES if phase in found]
    ordered = [*known, *sorted(set(found) - set(known))]
    rank = np.empty(len(found), dtype=np.uint8)
    rank[[found[name] for name in ordered]] = np.arange(len(ordered))
    for begin in range(0, store.rows, _NAMED_ROWS):
        rows = slice(begin, begin + _NAMED_ROWS)
        store.phase[rows] = rank[store.phase[rows]]
    return ordered


def _diagram(
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    loss: Array,
    x: Array,
    phase: NDArray[np.uint8],
    names: list[str],
    tolerance: float = GRADIENT_TOLERANCE,
    version: str = __version__,
) -> PhaseDiagram:
    W, b = x[..., : m * n].reshape(*loss.shape, m, n), x[..., m * n :]
    return PhaseDiagram(
        density=density,
        relative_importance=relative_importance,
        loss=loss,
        lowest=phase,
        candidates=tuple(names),
        candidate_losses=(loss,),
        candidate_W=(W,),
        candidate_b=(b,),
        n_features=n,
        n_hidden=m,
        weights="free",
        tolerance=tolerance,
        version=version,
    )


def _descends(name: str, axis: Array) -> bool:
    """Return whether an axis descends; refuse one that neither ascends nor descends."""
    steps = np.diff(axis)
    if (steps > 0).all():
        return False
    if (steps < 0).all():
        return True
    raise ValueError(f"{name} must ascend or descend to be kept in a directory, got {axis!r}")
