"""All local minima of the free loss at one point, and how firmly each is one.

The loss is not twice differentiable at a perfectly represented feature, so a minimum is
judged by its smallest second *directional* derivative: near a stationary point the loss is
``L + t^2 D(d) / 2`` along t d, where D is homogeneous of degree two but no quadratic form.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from phasediagram.free_minimization import FreeLoss, minimize_free, standard_starts

Array = NDArray[np.float64]

_RANDOM_STARTS = 120
_GRADIENT_TOLERANCE = 1e-9
_SAME_LOSS = 1e-9
_SAME_GRAM = 1e-5
_PROBES = 8
_PROBE_LENGTH = 1e-3
_LOWER = 1e-10  # a probe that ends lower than this, relatively, shows a saddle
_FLAT = 1e-9
_DIRECTIONS = 24
_DIRECTION_STEP = 1e-5
_DESCENT_STEPS = 200


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
        rotations of the hidden space left out; to about 1e-4.
    """

    loss: float
    W: Array
    b: Array
    gradient_norm: float
    smallest_curvature: float


def find_local_minima(
    n: int, m: int, density: float, relative_importance: float
) -> tuple[FreeMinimum, ...]:
    """Return every local minimum that was found, lowest first, without symmetric copies.

    Copies are minima that differ by a rotation or reflection of the hidden space or by an
    exchange of features of equal importance.

    Parameters
    ----------
    n, m : int
    density, relative_importance : float

    Returns
    -------
    tuple of FreeMinimum
    """
    rng = np.random.default_rng(0)
    p, r = np.array([density]), np.array([relative_importance])
    ends = minimize_free(n, m, p, r, standard_starts(n, m, p, _RANDOM_STARTS, rng))
    stationary = ends.gradient_norm[0] < _GRADIENT_TOLERANCE * density
    x, loss = ends.x[0, stationary], ends.loss[0, stationary]
    norm = ends.gradient_norm[0, stationary]
    order = np.argsort(loss, kind="stable")
    objective = FreeLoss(n, m, p, r)
    equal = n if relative_importance == 1 else n - 1
    kept: list[int] = []
    for i in order:
        if not any(_same(objective, x[i], loss[i], x[j], loss[j], equal) for j in kept):
            kept.append(int(i))
    count = len(kept)
    minima = are_minima(n, m, p.repeat(count), r.repeat(count), x[kept], rng)
    kept = [i for i, minimum in zip(kept, minima, strict=True) if minimum]
    curvatures = [_smallest_curvature(objective, x[i], rng) for i in kept]
    found: list[FreeMinimum] = []
    for i, curvature in zip(kept, curvatures, strict=True):
        tied = any(abs(loss[i] - other.loss) <= _SAME_LOSS * loss[i] for other in found)
        if tied and curvature < _FLAT:  # another point of a continuum of minima
            continue
        W, b = objective.unpack(x[i])
        found.append(FreeMinimum(float(loss[i]), W, b, float(norm[i]), curvature))
    return tuple(found)


def _same(
    objective: FreeLoss, x: Array, loss: float, other: Array, other_loss: float, equal: int
) -> bool:
    """Whether two ends are the same minimum, up to the first `equal` features' order."""
    if abs(loss - other_loss) > _SAME_LOSS * loss:
        return False
    W, b = objective.unpack(x)
    other_W, other_b = objective.unpack(other)
    gram, other_gram = W.T @ W, other_W.T @ other_W
    b, other_b = _visible_biases(gram, b), _visible_biases(other_gram, other_b)
    rest = list(range(equal, objective.n))
    for permutation in permutations(range(equal)):
        index = [*permutation, *rest]
        distance = np.abs(gram[np.ix_(index, index)] - other_gram).max()
        if distance < _SAME_GRAM and np.abs(b[index] - other_b).max() < _SAME_GRAM:
            return True
    return False


def _visible_biases(gram: Array, b: Array) -> Array:
    """Return the biases, 0 for an output that never switches on: its bias changes nothing."""
    highest = b + np.maximum(gram, 0).sum(axis=1)
    return np.where(highest > 0, b, 0.0)


def are_minima(
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    x: Array,
    rng: np.random.Generator,
    probes: int = _PROBES,
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

    Returns
    -------
    ndarray of bool, shape (k,)
    """
    count, variables = x.shape
    around = x[:, None] + _PROBE_LENGTH * rng.normal(size=(count, probes, variables))
    starts = np.concatenate([x[:, None], around], axis=1)
    losses = minimize_free(n, m, density, relative_importance, starts).loss
    return np.asarray(losses[:, 1:].min(axis=1) > losses[:, 0] * (1 - _LOWER))


def _smallest_curvature(objective: FreeLoss, x: Array, rng: np.random.Generator) -> float:
    """Minimise the second directional derivative by descent on the unit sphere."""
    here = np.zeros(_DIRECTIONS, dtype=np.intp)
    basis = _without_rotations(objective, x)
    _, _, hessian = objective(x[None], here[:1])
    reduced = basis.T @ hessian[0] @ basis
    scale = 2 * np.abs(np.linalg.eigvalsh(reduced)).max()
    directions = rng.normal(size=(_DIRECTIONS, basis.shape[1]))
    vectors = np.linalg.eigh(reduced)[1].T
    directions[: 2 * len(vectors)] = np.concatenate([vectors, -vectors])[:_DIRECTIONS]
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    curvature = np.empty(_DIRECTIONS)
    for _ in range(_DESCENT_STEPS):
        _, gradient, _ = objective(x + _DIRECTION_STEP * directions @ basis.T, here)
        slope = gradient @ basis / _DIRECTION_STEP
        curvature = np.einsum("ki,ki->k", slope, directions)
        directions = directions - (slope - curvature[:, None] * directions) / scale
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return float(curvature.min())


def _without_rotations(objective: FreeLoss, x: Array) -> Array:
    """Return an orthonormal basis of the directions orthogonal to rotations of W."""
    W, _ = objective.unpack(x)
    m, n = W.shape
    rotations = []
    for i in range(m):
        for j in range(i):
            turned = np.zeros_like(W)
            turned[i], turned[j] = W[j], -W[i]
            rotations.append(np.concatenate([turned.ravel(), np.zeros(n)]))
    if not rotations:
        return np.eye(x.size)
    left, singular, _ = np.linalg.svd(np.array(rotations).T)
    rank = int((singular > 1e-9).sum())
    return np.asarray(left[:, rank:])
