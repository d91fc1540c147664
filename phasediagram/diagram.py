"""Solutions at a point and diagrams over a grid of (density, relative importance)."""

from __future__ import annotations

from concurrent.futures import Executor
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.catalogue.configurations import configurations
from phasediagram.catalogue.diagram import TOLERANCES, candidates, catalogue, catalogue_diagram
from phasediagram.executors import require_executor
from phasediagram.free_diagram import free_diagram
from phasediagram.free_minimization import Progress
from phasediagram.local_minima import find_local_minima
from phasediagram.model import (
    DENSITY_RANGE,
    RELATIVE_IMPORTANCE_RANGE,
    FreeSize,
    as_density,
    as_importance,
)
from phasediagram.naming.geometry import extra_feature_outcome
from phasediagram.naming.phases import distinct_names
from phasediagram.results import Minimum, PhaseDiagram, Solution

Array = NDArray[np.float64]

WEIGHTS = ("free", "optimized", "canonical")
GRID_POINTS = 128


def solve(
    density: float,
    relative_importance: float,
    n_features: int = 2,
    n_hidden: int = 1,
    weights: str = "free",
    progress: Progress | None = None,
) -> Solution:
    """Return the lowest loss at one density and relative importance.

    Parameters
    ----------
    density : float
        Probability that a feature is active, in (0, 1].
    relative_importance : float
        Importance r > 0 of the extra (last) feature; the others have importance 1.
    n_features, n_hidden : int
        Numbers of features n (2 to 6) and hidden dimensions m; m = n - 1, or with free
        weights any m < n.
    weights : {"free", "optimized", "canonical"}
        What may vary: W and b altogether; the scales and biases of each configuration of
        the catalogue; or nothing, the hand-picked weights of the literature.
    progress : callable, optional
        For free weights: called now and then with the share of the work that is done, 0 to 1.

    Returns
    -------
    Solution

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> import phasediagram as phd
    >>> solution = phd.solve(0.2, 1.0)
    >>> solution.phase, solution.outcome
    ('antipodal', 'superposition')
    >>> f"{solution.loss:.10f}"
    '0.0131845552'
    """
    _require_model(n_features, n_hidden, weights)
    p = _scalar(as_density(density), "density")
    r = _scalar(as_importance(relative_importance, "relative_importance"), "relative_importance")
    arguments = float(p), float(r), n_features, n_hidden, weights
    if weights == "free":
        minima = _free_minima(n_features, n_hidden, float(p), float(r), progress)
        return Solution(*arguments, minima)
    minima = _catalogue_minima(n_features, n_hidden, p, r, weights)
    return Solution(*arguments, minima, TOLERANCES[weights])


def phase_diagram(
    density: ArrayLike | None = None,
    relative_importance: ArrayLike | None = None,
    n_features: int = 2,
    n_hidden: int = 1,
    weights: str = "free",
    progress: Progress | None = None,
    executor: Executor | None = None,
    directory: str | PathLike[str] | None = None,
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
        Numbers of features n (2 to 6) and hidden dimensions m; m = n - 1, or with free
        weights any m < n.
    weights : {"free", "optimized", "canonical"}
        What may vary: W and b altogether; the scales and biases of each configuration of
        the catalogue; or nothing, the hand-picked weights of the literature.
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.
    executor : concurrent.futures.Executor, optional
        Where tiles of the grid are computed: a `ProcessPoolExecutor`, the executor of a
        `dask.distributed` client, or another; by default here, one after the other.  The
        result is the same to the last bit.  Not used for canonical weights, which take no
        time.
    directory : path, optional
        For free weights: stream the diagram to files in this directory, tile by tile, so
        that memory stays small whatever the grid.  The axes must ascend or descend.  An
        interrupted computation with the same arguments goes on where it stopped; a
        finished one is only loaded.

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
    _require_model(n_features, n_hidden, weights)
    require_executor(executor)
    p = _axis("density", as_density(_default(density, *DENSITY_RANGE[::-1])))
    r = _axis(
        "relative_importance",
        as_importance(
            _default(relative_importance, *RELATIVE_IMPORTANCE_RANGE), "relative_importance"
        ),
    )
    model = n_features, n_hidden, p, r
    if weights == "free":
        path = None if directory is None else Path(directory)
        return free_diagram(*model, progress, executor, path)
    if directory is not None:
        raise ValueError(f"directory is for weights='free' only, got weights={weights!r}")
    return catalogue_diagram(*model, weights, progress, executor)


def _require_model(n_features: int, n_hidden: int, weights: str) -> None:
    if weights not in WEIGHTS:
        allowed = ", ".join(map(repr, WEIGHTS))
        raise ValueError(f"weights must be one of {allowed}, got {weights!r}")
    if weights == "free":
        FreeSize(n_features, n_hidden)
    else:
        configurations(n_features, n_hidden)


def _free_minima(
    n: int, m: int, density: float, relative_importance: float, progress: Progress | None
) -> tuple[Minimum, ...]:
    found = find_local_minima(n, m, density, relative_importance, progress)
    names = distinct_names(np.array([minimum.W for minimum in found]).reshape(-1, m, n), density)
    return tuple(
        Minimum(
            minimum.loss,
            minimum.W,
            minimum.b,
            str(extra_feature_outcome(minimum.W)),
            name,
            minimum.smallest_curvature,
            minimum.gradient_norm,
        )
        for minimum, name in zip(found, names.tolist(), strict=True)
    )


def _catalogue_minima(n: int, m: int, p: Array, r: Array, weights: str) -> tuple[Minimum, ...]:
    """Return every configuration's minimum, the lowest first."""
    found = candidates(n, m, p, r, weights)
    _, lowest = found.lowest(weights)
    names = [configuration.name for configuration in catalogue(n, m, weights)]
    order = sorted(range(len(names)), key=lambda i: (i != lowest, float(found.losses[i])))
    return tuple(
        Minimum(
            float(found.losses[i]),
            found.W[i],
            found.b[i],
            str(extra_feature_outcome(found.W[i])),
            names[i],
        )
        for i in order
    )


def _default(values: ArrayLike | None, start: float, stop: float) -> ArrayLike:
    return np.geomspace(start, stop, GRID_POINTS) if values is None else values


def _axis(name: str, values: Array) -> Array:
    if values.ndim != 1 or not values.size:
        raise ValueError(f"{name} must be a non-empty sequence, got shape {values.shape}")
    return values


def _scalar(values: Array, name: str) -> Array:
    if values.ndim:
        raise ValueError(f"{name} must be a number, got shape {values.shape}")
    return values
