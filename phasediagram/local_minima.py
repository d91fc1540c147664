"""All local minima of the free loss at one point."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from phasediagram.curvature import smallest_curvature
from phasediagram.executors import Part, Workers
from phasediagram.free_minimization import (
    FreeLoss,
    Progress,
    aligned_starts,
    minimize_free,
    shortened_starts,
    standard_starts,
)
from phasediagram.grid_minima import interference
from phasediagram.naming.geometry import is_silent

Array = NDArray[np.float64]

_RANDOM_STARTS = 120
_LARGEST_SHORTENED = 4  # features: for more there are too many
_GRADIENT_TOLERANCE = 1e-9
_SAME_LOSS = 1e-9
_TIED_LOSS = 1e-12
_SAME_GRAM = 1e-5
_PROBES = 8
_PROBE_LENGTH = 1e-3
_LOWER = 1e-10  # a probe that ends lower than this, relatively, shows a saddle
_FLAT = 1e-9
_SADDLE = 1e-7
_SEARCH = 0.7  # share of the work, before probing
_RUNS_TIMES_FACES = 2**14  # of one part of the work


@dataclass(frozen=True)
class FreeMinimum:
    """A local minimum of the free loss.

    Attributes
    ----------
    loss : float
    W : ndarray, shape (m, n)
    b : ndarray, shape (n,)
    gradient_norm : float
    smallest_curvature : float
        The smallest second directional derivative over unit directions in (W, b),
        rotations of the hidden space left out.
    """

    loss: float
    W: Array
    b: Array
    gradient_norm: float
    smallest_curvature: float


def find_local_minima(
    n: int,
    m: int,
    density: float,
    relative_importance: float,
    progress: Progress | None = None,
) -> tuple[FreeMinimum, ...]:
    """Return every local minimum that was found, lowest first, without symmetric copies.

    Copies are minima that differ by a rotation or reflection of the hidden space or by an
    exchange of features of equal importance.  Plateaus on which an output never switches on,
    so that its bias is free, are left out: they cost far more than the lowest minimum.

    Parameters
    ----------
    n, m : int
    density, relative_importance : float
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.

    Returns
    -------
    tuple of FreeMinimum
    """
    rng = np.random.default_rng(0)
    p, r = np.array([density]), np.array([relative_importance])
    objective = FreeLoss(n, m, p, r)
    starts = standard_starts(n, m, p, _RANDOM_STARTS, rng)[0]
    if m == n - 1:
        if n <= _LARGEST_SHORTENED:
            starts = np.concatenate([starts, shortened_starts(n, m, p, rng)[0]])
        starts = np.concatenate([starts, aligned_starts(n, m, p, rng)[0]])
    searching = progress and (lambda share: progress(_SEARCH * share))
    points = p.repeat(len(starts)), r.repeat(len(starts))
    x, loss, norm = _descend(n, m, *points, starts, searching)
    stationary = norm < _GRADIENT_TOLERANCE * density
    stationary &= ~is_silent(*objective.unpack(x))
    x, loss, norm = x[stationary], loss[stationary], norm[stationary]
    order = _by_loss(objective, x, loss)
    equal = n if relative_importance == 1 else n - 1
    kept: list[int] = []
    for i in order:
        if not any(_same(objective, x[i], loss[i], x[j], loss[j], equal) for j in kept):
            kept.append(int(i))
    count = len(kept)
    probing = progress and (lambda share: progress(_SEARCH + (1 - _SEARCH) * share))
    minima = are_minima(n, m, p.repeat(count), r.repeat(count), x[kept], rng, progress=probing)
    kept = [i for i, is_minimum in zip(kept, minima, strict=True) if is_minimum]
    curvatures = [smallest_curvature(objective, x[i], rng) for i in kept]
    found: list[FreeMinimum] = []
    for i, curvature in zip(kept, curvatures, strict=True):
        if curvature < -_SADDLE * density:  # that no probe left
            continue
        tied = any(abs(loss[i] - other.loss) <= _SAME_LOSS * loss[i] for other in found)
        if tied and curvature < _FLAT:  # another point of a continuum of minima
            continue
        W, b = objective.unpack(x[i])
        found.append(FreeMinimum(float(loss[i]), W, b, float(norm[i]), curvature))
    return tuple(found)


def _by_loss(objective: FreeLoss, x: Array, loss: Array) -> NDArray[np.intp]:
    """Return the order of ends by loss, of equals first that with the most opposite directions.

    At density 1 a direction and its opposite can be as good (`phasediagram.grid_minima`).
    """
    order = np.argsort(loss, kind="stable")
    rises = np.diff(loss[order]) > _TIED_LOSS * loss[order][:-1]
    level = np.empty(len(loss), dtype=np.intp)
    level[order] = np.concatenate([[0], np.cumsum(rises)])[: len(loss)]
    return np.lexsort([interference(objective.m, objective.n, x).round(6), level])


def _descend(
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    starts: Array,
    progress: Progress | None,
) -> tuple[Array, Array, Array]:
    """Run Newton's method from starts (k, variables): ends, losses, gradient norms."""
    x, loss, norm = np.empty_like(starts), np.empty(len(starts)), np.empty(len(starts))
    length = max(1, _RUNS_TIMES_FACES // 3**n)
    places = [slice(begin, begin + length) for begin in range(0, len(starts), length)]
    parts = [
        Part(place, (n, m, density[place], relative_importance[place], starts[place, None]))
        for place in places
    ]
    for done, (place, ends) in enumerate(Workers().run(minimize_free, parts), start=1):
        x[place], loss[place] = ends.x[:, 0], ends.loss[:, 0]
        norm[place] = ends.gradient_norm[:, 0]
        if progress is not None:
            progress(done / len(parts))
    return x, loss, norm


def _same(
    objective: FreeLoss, x: Array, loss: float, other: Array, other_loss: float, equal: int
) -> bool:
    """Whether two ends are the same minimum, up to the first `equal` features' order."""
    if abs(loss - other_loss) > _SAME_LOSS * loss:
        return False
    W, b = objective.unpack(x)
    other_W, other_b = objective.unpack(other)
    gram, other_gram = W.T @ W, other_W.T @ other_W
    rest = list(range(equal, objective.n))
    for permutation in permutations(range(equal)):
        index = [*permutation, *rest]
        distance = np.abs(gram[np.ix_(index, index)] - other_gram).max()
        if distance < _SAME_GRAM and np.abs(b[index] - other_b).max() < _SAME_GRAM:
            return True
    return False


def are_minima(
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    x: Array,
    rng: np.random.Generator,
    probes: int = _PROBES,
    progress: Progress | None = None,
) -> NDArray[np.bool_]:
    """Probe around stationary points: from a minimum no run from close by ends lower.

    Parameters
    ----------
    n, m : int
    density, relative_importance : ndarray, shape (k,)
    x : ndarray, shape (k, m * n + n)
        W.ravel() followed by b, each stationary at its density and relative importance.
    rng : numpy.random.Generator
        Of the probes.
    probes : int
        Around each; near a kink most lead back to a saddle.
    progress : callable, optional
        Called with the share of the work that is done, 0 to 1.

    Returns
    -------
    ndarray of bool, shape (k,)
    """
    count, variables = x.shape
    around = x[:, None] + _PROBE_LENGTH * rng.normal(size=(count, probes, variables))
    starts = np.concatenate([x[:, None], around], axis=1).reshape(-1, variables)
    points = density.repeat(probes + 1), relative_importance.repeat(probes + 1)
    losses = _descend(n, m, *points, starts, progress)[1].reshape(count, probes + 1)
    return np.asarray(losses[:, 1:].min(axis=1) > losses[:, 0] * (1 - _LOWER))
