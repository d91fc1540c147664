"""Phase diagrams: the lowest minimum over a grid of densities and relative importances."""

from __future__ import annotations

from concurrent.futures import Executor
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram._version import __version__
from phasediagram.atlas import storing
from phasediagram.atlas.gridding import forget_torn_tiles, minimize_over_grid
from phasediagram.atlas.storing import GridStore
from phasediagram.atlas.tiles import cut_into_tiles
from phasediagram.catalogue.diagram import catalogue_diagram
from phasediagram.executors import require_executor
from phasediagram.minima.solving import hidden_dimensions, require_free
from phasediagram.model import (
    DENSITY_RANGE,
    RELATIVE_IMPORTANCE_RANGE,
    as_density,
    as_importance,
)
from phasediagram.naming.phases import PHASES, phases_of
from phasediagram.parameters import PAPER_AXES, Plane, plane_from_record, plane_of, plane_record
from phasediagram.progress import Progress
from phasediagram.results import GRADIENT_TOLERANCE, PhaseDiagram
from phasediagram.toymodel.axes import Axis
from phasediagram.toymodel.models import ToyModel, sized_model

Array = NDArray[np.float64]

GRID_POINTS = 128


def phase_diagram(
    density: ArrayLike | None = None,
    relative_importance: ArrayLike | None = None,
    n_features: int = 2,
    n_hidden: int | None = None,
    weights: str = "free",
    progress: Progress | None = None,
    executor: Executor | None = None,
    directory: str | PathLike[str] | None = None,
    *,
    x: Axis | None = None,
    y: Axis | None = None,
    model: ToyModel | None = None,
    importance: ArrayLike | None = None,
    relative_density: float = 1.0,
) -> PhaseDiagram:
    """Return the lowest loss, and whose it is, over a grid.

    Parameters
    ----------
    density : array_like, shape (D,), optional
        Densities in (0, 1]; by default the paper's axis, 128 from 1 down to 0.01,
        equally spaced in the logarithm.
    relative_importance : array_like, shape (R,), optional
        Importances r > 0 of the extra feature; by default 128 from 0.1 to 10, likewise.
    n_features, n_hidden : int
        Numbers of features n (2 to 6) and hidden dimensions m; m = n - 1, the default, or
        with free weights any m < n.
    weights : {"free", "optimized", "canonical"}
        What may vary: W and b altogether; the scales and biases of each configuration of
        the catalogue; or nothing, the hand-picked weights of the literature.
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.
    executor : concurrent.futures.Executor, optional
        Where tiles of the grid are computed: a `ProcessPoolExecutor`, the executor of a
        `dask.distributed` client, or another; by default here, free weights on as many
        threads as there are cores.  The result is the same to the last bit.  Not used for
        canonical weights, which take no time.
    directory : path, optional
        For free weights: stream the diagram to files in this directory, tile by tile, so
        that memory stays small whatever the grid.  The axes must ascend or descend.  An
        interrupted computation with the same arguments goes on where it stopped; a
        finished one is only loaded.
    x, y : Axis, optional
        With free weights: what varies along the columns and along the rows, instead of relative
        importance and density.  Then `density` and `relative_importance` are numbers, or one
        density a feature, at which the rest is held.
    model : ToyModel, optional
        With free weights: what is assumed besides the paper's model, and its size.
    importance : float or array_like, shape (n,), optional
        Importances at which the rest is held, instead of `relative_importance`.
    relative_density : float
        The last feature's density over that of the others, unless it is an axis.

    Returns
    -------
    PhaseDiagram
        With `directory`, its arrays are memory-mapped files.

    Raises
    ------
    ValueError
        If an argument is outside its range, or `directory` holds something else.
    OSError
        If `directory` cannot be read or written.

    Warns
    -----
    RuntimeWarning
        If the executor breaks, because a worker was killed: what is missing is computed here.

    Examples
    --------
    >>> import phasediagram as phd
    >>> diagram = phd.phase_diagram([1.0, 0.1], [0.1, 1.0, 10.0], weights="canonical")
    >>> diagram.phase
    array([['ignored', 'ignored', 'dedicated'],
           ['antipodal', 'antipodal', 'antipodal']], dtype='<U9')
    """
    require_executor(executor)
    path = None if directory is None else Path(directory)
    is_other = any(value is not None for value in (x, y, model, importance))
    if is_other or relative_density != 1.0:
        require_free(weights)
        chosen = sized_model(n_features, n_hidden, model)
        plane, (rows, columns) = _plane_and_values(
            chosen, x, y, density, relative_importance, importance, relative_density
        )
        n, m = chosen.n_features, chosen.hidden
        if plane.is_papers:
            return _free_diagram(n, m, rows, columns, progress, executor, path)
        return _free_diagram(n, m, rows, columns, progress, executor, path, plane)
    m = hidden_dimensions(n_features, n_hidden, weights)
    p = _axis("density", as_density(_default(density, *DENSITY_RANGE[::-1])))
    r = _axis(
        "relative_importance",
        as_importance(
            _default(relative_importance, *RELATIVE_IMPORTANCE_RANGE), "relative_importance"
        ),
    )
    if weights == "free":
        return _free_diagram(n_features, m, p, r, progress, executor, path)
    if directory is not None:
        raise ValueError(f"directory is for weights='free' only, got weights={weights!r}")
    return catalogue_diagram(n_features, m, p, r, weights, progress, executor)


def _plane_and_values(
    model: ToyModel,
    x: Axis | None,
    y: Axis | None,
    density: ArrayLike | None,
    relative_importance: ArrayLike | None,
    importance: ArrayLike | None,
    relative_density: float,
) -> tuple[Plane, tuple[Array, Array]]:
    """Return the axes of a diagram and the values along its rows and columns."""
    if (x is None) != (y is None):
        raise ValueError(f"x and y must both be given or both be left out, got {x!r} and {y!r}")
    if x is not None and y is not None:
        r = 1.0 if relative_importance is None else relative_importance
        plane = plane_of(model, (y, x), density, r, importance, relative_density)
        return plane, (y.values, x.values)
    if model.activity is not None:
        raise ValueError("x and y must be given for a model with a given activity")
    p = _axis("density", as_density(_default(density, *DENSITY_RANGE[::-1])))
    values = as_importance(
        _default(relative_importance, *RELATIVE_IMPORTANCE_RANGE), "relative_importance"
    )
    plane = plane_of(model, PAPER_AXES, None, 1.0, importance, relative_density)
    return plane, (p, _axis("relative_importance", values))


def load_blocks(directory: Path) -> PhaseDiagram:
    """Return the phase diagram that a directory holds, its arrays memory-mapped.

    Raises
    ------
    OSError
        If the directory cannot be read.
    ValueError
        If it is unfinished, truncated or foreign.
    """
    header, arrays = storing.open_finished(directory)
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
        None if header.get("plane") is None else plane_from_record(header["plane"]),
    )


def _free_diagram(
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    progress: Progress | None,
    executor: Executor | None,
    directory: Path | None,
    plane: Plane | None = None,
) -> PhaseDiagram:
    """Return the phase diagram of free weights, as the caller ordered its axes."""
    rows, columns = np.argsort(density), np.argsort(relative_importance)
    axes = density[rows], relative_importance[columns]
    tiles = len(cut_into_tiles(n, len(rows), len(columns)))  # fewer if they are mirrored
    if directory is None:
        store = storing.in_memory(n, m, *axes, tiles, plane)
        minimize_over_grid(store, progress, executor)
        names = _name_phases(store)
        given = np.ix_(np.argsort(rows), np.argsort(columns))
        arrays = (store.loss[given], store.x[given], store.phase[given])
        return _diagram(n, m, density, relative_importance, *arrays, names, plane=plane)
    header: dict[str, Any] = {
        "n_features": n,
        "n_hidden": m,
        "tolerance": GRADIENT_TOLERANCE,
        "version": __version__,
        "descending": [
            _descends("density", density),
            _descends("relative_importance", relative_importance),
        ],
    }
    if plane is not None:
        header["plane"] = plane_record(plane)
    store = storing.on_disk(directory, n, m, *axes, tiles, header, plane)
    if not storing.read_header(directory).get("phases"):
        forget_torn_tiles(store)
        minimize_over_grid(store, progress, executor)
        names = _name_phases(store)
        store.flush()
        storing.write_header(directory, {**header, "phases": names})
    return load_blocks(directory)


def _name_phases(store: GridStore) -> list[str]:
    """Set the phase of every point, and return the names that the numbers stand for."""
    found: dict[str, int] = {}
    split = store.m * store.n
    for rows in store.bands():
        W = store.x[rows, :, :split].reshape(-1, store.m, store.n)
        names = phases_of(W, store.naming_densities(rows))
        present, which = np.unique(names, return_inverse=True)
        numbers = [found.setdefault(str(name), len(found)) for name in present]
        store.phase[rows] = np.array(numbers, dtype=np.uint8)[which].reshape(-1, store.columns)
    known = [phase for phase in PHASES if phase in found]
    ordered = [*known, *sorted(set(found) - set(known))]
    rank = np.empty(len(found), dtype=np.uint8)
    rank[[found[name] for name in ordered]] = np.arange(len(ordered))
    for rows in store.bands():
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
    plane: Plane | None = None,
) -> PhaseDiagram:
    by_row, by_column = (None, None) if plane is None else plane.axes
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
        model=None if plane is None else plane.model,
        x=by_column,
        y=by_row,
        held=None if plane is None else plane.held,
    )


def _descends(name: str, axis: Array) -> bool:
    """Return whether an axis descends; refuse one that neither ascends nor descends."""
    steps = np.diff(axis)
    if (steps > 0).all():
        return False
    if (steps < 0).all():
        return True
    raise ValueError(f"{name} must ascend or descend to be kept in a directory, got {axis!r}")


def _default(values: ArrayLike | None, start: float, stop: float) -> ArrayLike:
    return np.geomspace(start, stop, GRID_POINTS) if values is None else values


def _axis(name: str, values: Array) -> Array:
    if values.ndim != 1 or not values.size:
        raise ValueError(f"{name} must be a non-empty sequence, got shape {values.shape}")
    return values
