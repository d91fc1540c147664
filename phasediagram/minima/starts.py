"""From where minima are searched."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from phasediagram.minima.state import SAME_STATE, Space

Array = NDArray[np.float64]

_WEIGHT = 0.7
_BIAS = (-0.3, 0.6)
_NORM = (0.0, 1.3)
_TILT = 0.05
_STRONG_BIAS = (-1.0, 0.6)
_LONG_NORM = (0.4, 1.3)
_FILTERED = (0.3, 1.0)
_IN_SIMPLEX, _ON_AXIS, _IGNORED = range(3)
_SIMPLEX_NORM = 0.9
_BIASES = {_IN_SIMPLEX: 0.1, _ON_AXIS: 0.0, _IGNORED: 0.25}


def random_starts(space: Space, count: int, rng: np.random.Generator) -> Array:
    """Return starts of three kinds: `low_starts`, and for the last third groups on one side.

    Returns
    -------
    ndarray, shape (count, d)
    """
    low = count - count // 3
    return np.concatenate([low_starts(space, low, rng), _one_sided(space, count - low, rng)])


def low_starts(space: Space, count: int, rng: np.random.Generator) -> Array:
    """Return starts, half of them without structure and half near orthogonal groups.

    They lead to the lowest minima sooner than `random_starts` and to some others later.

    Returns
    -------
    ndarray, shape (count, d)
    """
    free = count // 2
    return np.concatenate([_unstructured(space, free, rng), _grouped(space, count - free, rng)])


def _unstructured(space: Space, count: int, rng: np.random.Generator) -> Array:
    W = _WEIGHT * rng.normal(size=(count, space.m * space.n))
    return np.concatenate([W, rng.uniform(*_BIAS, (count, space.n))], axis=1)


def _grouped(space: Space, count: int, rng: np.random.Generator) -> Array:
    """Put every feature near a random axis, on a random side, with a random norm.

    A feature whose axis it shares with no other has norm 1 and bias 0.
    """
    m, n = space.m, space.n
    axis = rng.integers(m, size=(count, n))
    sign = rng.choice([-1.0, 1.0], size=(count, n))
    length = rng.uniform(*_NORM, (count, n))
    shared = (axis[:, :, None] == axis[:, None, :]).sum(axis=2) > 1
    length = np.where(shared, length, 1.0)
    W = _TILT * rng.normal(size=(count, m, n))
    W[np.arange(count)[:, None], axis, np.arange(n)] += sign * length
    b = np.where(shared, rng.uniform(*_STRONG_BIAS, (count, n)), 0.0)
    return np.concatenate([W.reshape(count, m * n), b + _TILT * rng.normal(size=b.shape)], axis=1)


def _one_sided(space: Space, count: int, rng: np.random.Generator) -> Array:
    """Put every feature near a random axis, all of an axis on one side.

    Biases are a share of what filters the interference, minus the sum of the gains from other
    features.  Minima with features in one direction are far above the lowest and have small
    basins.
    """
    m, n = space.m, space.n
    axis = rng.integers(m, size=(count, n))
    shared = (axis[:, :, None] == axis[:, None, :]).sum(axis=2) > 1
    length = np.where(shared, rng.uniform(*_LONG_NORM, (count, n)), 1.0)
    W = _TILT * rng.normal(size=(count, m, n))
    W[np.arange(count)[:, None], axis, np.arange(n)] += length
    gains = np.maximum(np.swapaxes(W, 1, 2) @ W, 0.0) * (1 - np.eye(n))
    b = -rng.uniform(*_FILTERED, (count, n)) * gains.sum(axis=2)
    return np.concatenate([W.reshape(count, m * n), b], axis=1)


@lru_cache(maxsize=64)
def simplices(space: Space) -> Array:
    """Return regular simplices of three features or more, the others on axes or ignored, (k, d).

    One for every choice of features that symmetry does not make the same; a feature is ignored
    where no dimension is left.  Where features are ignored, few random starts lead to simplices.
    """
    n, m = space.n, space.m
    kind = {i: k for k, members in enumerate(space.equal) for i in members}
    starts: dict[tuple[tuple[int, int], ...], Array] = {}
    for places in product((_IN_SIMPLEX, _ON_AXIS, _IGNORED), repeat=n):
        size, axes = places.count(_IN_SIMPLEX), places.count(_ON_AXIS)
        left = m - size + 1 - axes
        if size < 3 or left < 0 or (left > 0 and size + axes < n):
            continue
        same = tuple(sorted((kind[i], place) for i, place in enumerate(places)))
        if same not in starts:
            starts[same] = _with_simplex(m, np.array(places), size)
    return np.array(list(starts.values())).reshape(-1, space.size)


def _with_simplex(m: int, places: NDArray[np.int64], size: int) -> Array:
    W = np.zeros((m, len(places)))
    cosines = (size * np.eye(size) - 1.0) / (size - 1)
    values, vectors = np.linalg.eigh(cosines)
    vertices = np.sqrt(values[1:])[:, None] * vectors[:, 1:].T
    W[: size - 1, places == _IN_SIMPLEX] = _SIMPLEX_NORM * vertices
    alone = np.flatnonzero(places == _ON_AXIS)
    W[size - 1 + np.arange(len(alone)), alone] = 1.0
    return np.concatenate([W.ravel(), [_BIASES[place] for place in places.tolist()]])


def between(space: Space, states: Array, most: int, rng: np.random.Generator) -> Array:
    """Return the middles between states (k, d) and each other's copies, (q, d), q <= `most`.

    Between two minima lies a saddle, or a third minimum.
    """
    middles = [
        (x + copy) / 2
        for i, x in enumerate(states)
        for other in states[: i + 1]
        for copy in space.aligned_copies(other, x)
        if np.abs(copy - x).max() > SAME_STATE
    ]
    found = np.array(middles).reshape(-1, space.size)
    return found if len(found) <= most else found[rng.permutation(len(found))[:most]]
