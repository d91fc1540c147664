"""Solutions at a point and diagrams over a grid of (density, relative importance)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.configurations import Configuration, configurations
from phasediagram.free_grid import minimize_over_grid
from phasediagram.free_minimization import Progress
from phasediagram.local_minima import find_local_minima
from phasediagram.model import (
    DENSITY_RANGE,
    RELATIVE_IMPORTANCE_RANGE,
    FreeSize,
    as_density,
    as_importance,
)
from phasediagram.newton import GRADIENT_TOLERANCE
from phasediagram.phases import PHASES, extra_feature_outcome, phase_of, phases_of
from phasediagram.results import Minimum, PhaseDiagram, Solution

Array = NDArray[np.float64]

WEIGHTS = ("free", "optimized", "canonical")
# losses closer than this, relatively, are equal: the simplest configuration wins
TIE_TOLERANCES = {"canonical": 1e-15, "optimized": 1e-14}
GRID_POINTS = 128

_TOLERANCES = {"optimized": GRADIENT_TOLERANCE, "canonical": 0.0}


def solve(
    density: float,
    relative_importance: float,
    n_features: int = 2,
    n_hidden: int = 1,
    weights: str = "free",
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
    catalogue = _catalogue(n_features, n_hidden, weights)
    p = _scalar(as_density(density), "density")
    r = _scalar(as_importance(relative_importance, "relative_importance"), "relative_importance")
    if weights == "free":
        minima = _free_minima(n_features, n_hidden, float(p), float(r))
        return Solution(float(p), float(r), n_features, n_hidden, weights, minima)
    candidates = _candidates(catalogue, p, r, weights)
    smallest = reduce(np.minimum, candidates.losses)
    lowest = int(_lowest(candidates.losses, smallest, weights))
    order = sorted(range(len(catalogue)), key=lambda i: (i != lowest, float(candidates.losses[i])))
    minima = tuple(
        Minimum(
            float(candidates.losses[i]),
            candidates.W[i],
            candidates.b[i],
            str(extra_feature_outcome(candidates.W[i])),
            catalogue[i].name,
        )
        for i in order
    )
    return Solution(float(p), float(r), n_features, n_hidden, weights, minima, _TOLERANCES[weights])


def phase_diagram(
    density: ArrayLike | None = None,
    relative_importance: ArrayLike | None = None,
    n_features: int = 2,
    n_hidden: int = 1,
    weights: str = "free",
    progress: Progress | None = None,
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

    Returns
    -------
    PhaseDiagram

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> import phasediagram as phd
    >>> diagram = phd.phase_diagram([1.0, 0.1], [0.1, 1.0, 10.0], weights="canonical")
    >>> diagram.phase
    array([['ignored', 'ignored', 'dedicated'],
           ['antipodal', 'antipodal', 'antipodal']], dtype='<U9')
    """
    catalogue = _catalogue(n_features, n_hidden, weights)
    p = _axis("density", as_density(_default(density, *DENSITY_RANGE[::-1])))
    r = _axis(
        "relative_importance",
        as_importance(
            _default(relative_importance, *RELATIVE_IMPORTANCE_RANGE), "relative_importance"
        ),
    )
    if weights == "free":
        return _free_diagram(n_features, n_hidden, p, r, progress)
    candidates = _candidates(catalogue, p[:, None], r[None, :], weights, progress)
    loss = reduce(np.minimum, candidates.losses)
    return PhaseDiagram(
        density=p,
        relative_importance=r,
        loss=loss,
        lowest=_lowest(candidates.losses, loss, weights),
        candidates=tuple(c.name for c in catalogue),
        candidate_losses=candidates.losses,
        candidate_W=candidates.W,
        candidate_b=candidates.b,
        n_features=n_features,
        n_hidden=n_hidden,
        weights=weights,
        tolerance=_TOLERANCES[weights],
    )


@dataclass(frozen=True)
class _Candidates:
    """Loss, W and b of every configuration at all points (...)."""

    losses: tuple[Array, ...]
    W: tuple[Array, ...]
    b: tuple[Array, ...]


def _catalogue(n_features: int, n_hidden: int, weights: str) -> tuple[Configuration, ...]:
    if weights == "free":
        FreeSize(n_features, n_hidden)
        return ()
    if weights not in WEIGHTS:
        allowed = ", ".join(map(repr, WEIGHTS))
        raise ValueError(f"weights must be one of {allowed}, got {weights!r}")
    catalogue = configurations(n_features, n_hidden)
    if weights == "canonical":
        return tuple(c for c in catalogue if c.in_literature)
    return catalogue


def _free_minima(n: int, m: int, density: float, relative_importance: float) -> tuple[Minimum, ...]:
    return tuple(
        Minimum(
            minimum.loss,
            minimum.W,
            minimum.b,
            str(extra_feature_outcome(minimum.W)),
            phase_of(minimum.W, density),
            minimum.smallest_curvature,
        )
        for minimum in find_local_minima(n, m, density, relative_importance)
    )


def _free_diagram(
    n: int, m: int, density: Array, relative_importance: Array, progress: Progress | None
) -> PhaseDiagram:
    loss, W, b = minimize_over_grid(n, m, density, relative_importance, progress)
    names = phases_of(W.reshape(-1, m, n), np.repeat(density, len(relative_importance)))
    known = [phase for phase in PHASES if phase in names]
    candidates = [*known, *sorted(set(names.tolist()) - set(known))]
    lowest = np.select([names == name for name in candidates], list(range(len(candidates))))
    return PhaseDiagram(
        density=density,
        relative_importance=relative_importance,
        loss=loss,
        lowest=lowest.astype(np.uint8).reshape(loss.shape),
        candidates=tuple(candidates),
        candidate_losses=(loss,),
        candidate_W=(W,),
        candidate_b=(b,),
        n_features=n,
        n_hidden=m,
        weights="free",
    )


def _candidates(
    catalogue: tuple[Configuration, ...],
    p: Array,
    r: Array,
    weights: str,
    progress: Progress | None = None,
) -> _Candidates:
    shape = np.broadcast_shapes(p.shape, r.shape)
    losses, all_W, all_b = [], [], []
    for configuration in catalogue:
        if weights == "canonical":
            loss = configuration.canonical_loss(p, r)
            W, b = configuration.canonical_weights(p)
        else:
            minimum = configuration.minimize(p, r)
            loss, W, b = minimum.loss, minimum.W, minimum.b
        losses.append(loss)
        all_W.append(np.broadcast_to(W, (*shape, *W.shape[-2:])))
        all_b.append(np.broadcast_to(b, (*shape, b.shape[-1])))
        if progress is not None:
            progress(len(losses) / len(catalogue))
    return _Candidates(tuple(losses), tuple(all_W), tuple(all_b))


def _lowest(losses: tuple[Array, ...], smallest: Array, weights: str) -> NDArray[np.uint8]:
    """Return the index of the lowest loss at every point, the first among equals."""
    limit = smallest * (1 + TIE_TOLERANCES[weights])
    lowest = np.full(limit.shape, len(losses) - 1, dtype=np.uint8)
    for i in range(len(losses) - 2, -1, -1):
        np.copyto(lowest, i, where=losses[i] <= limit, casting="unsafe")
    return lowest


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
