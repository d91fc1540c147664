"""All minima of one group: k features in d dimensions that are used by all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.minima.engine import Engine
from phasediagram.minima.following import FLAT
from phasediagram.minima.state import Space
from phasediagram.naming.geometry import NORM_TOLERANCE, interference_groups, is_silent
from phasediagram.parameters import Parameters, point

Array = NDArray[np.float64]

_CONVERGED = 1e3  # times the tolerance: where rounding stops a descent
_SAME = 1e-5  # largest difference of the invariants of two copies of one state
_NOISE = 1e-3
_LOWER = 1e-10  # relative gain of a descent that leaves a saddle
_WEIGHT = 0.7
_BIAS = (-0.3, 0.2)
_NORMS = (0.6, 1.0)


@dataclass(frozen=True)
class GroupSpace:
    """A size of group and what its features are worth.

    Attributes
    ----------
    n_features, n_hidden : int
        k and d.
    n_second : int
        How many of them, the last ones, are of the second class.
    relative_importance : float
        Importance of the second class; that of the first is 1.
    """

    n_features: int
    n_hidden: int
    n_second: int = 0
    relative_importance: float = 1.0

    @property
    def importance(self) -> Array:
        """Importance of each feature, shape (k,)."""
        values = np.ones(self.n_features)
        values[self.n_features - self.n_second :] = self.relative_importance
        return values

    def engine(self) -> Engine:
        """Return the compiled functions of this size."""
        k, first = self.n_features, self.n_features - self.n_second
        classes = (tuple(range(first)), tuple(range(first, k)))
        return Engine(Space(k, self.n_hidden, tuple(c for c in classes if c)))

    def at(self, density: float) -> Parameters:
        """Return the parameters at a density."""
        return point(density, self.importance)

    def weights(self, x: Array) -> Array:
        """Return W, shape (..., d, k), of states."""
        size = self.n_hidden * self.n_features
        return x[..., :size].reshape(*x.shape[:-1], self.n_hidden, self.n_features)

    def invariants(self, x: Array) -> Array:
        """Return what is the same for all copies of a state, in other orders or turned.

        For each class the sorted norms, biases, sums of the rows of W^T W and of their squares;
        and the eigenvalues of W^T W.
        """
        W, b = self.weights(x), x[self.n_hidden * self.n_features :]
        gram = W.T @ W
        numbers = [np.sort(np.linalg.eigvalsh(gram))]
        first = self.n_features - self.n_second
        for members in (slice(0, first), slice(first, None)):
            for values in (np.diag(gram), b, gram.sum(axis=1), (gram**2).sum(axis=1)):
                numbers.append(np.sort(values[members]))
        return np.concatenate(numbers)

    def distance(self, x: Array, other: Array) -> float:
        """Return how far two states differ in their invariants."""
        return float(np.abs(self.invariants(x) - self.invariants(other)).max())


def group_minima(
    space: GroupSpace, density: float, starts: Array, engine: Engine | None = None
) -> list[Array]:
    """Return the minima to which starts (q, d k + k) lead, the lowest first, without copies.

    Only those that are one group: every feature has a direction, all interfere directly or
    through others, and the directions span all dimensions.  A saddle is left along its softest
    direction.
    """
    engine = space.engine() if engine is None else engine
    at = space.at(density)
    found: list[Array] = []
    ends = engine.minimize_at(starts, at)
    order = np.argsort(ends.loss, kind="stable")
    pending = [ends.x[k] for k in order if ends.slope[k] < _CONVERGED * at.tolerance]
    seen: list[Array] = []
    while pending:
        x = pending.pop(0)
        if not is_one_group(space, x) or any(space.distance(x, y) < _SAME for y in seen):
            continue
        seen.append(x)
        curvature, direction = engine.softest(x, at)
        if curvature > FLAT * density:
            found.append(x)
            continue
        pushed = engine.minimize_at(np.array([x + _NOISE * direction, x - _NOISE * direction]), at)
        lower = pushed.loss < engine.slope(x, at)[0] * (1 - _LOWER)
        pending += list(pushed.x[lower & (pushed.slope < _CONVERGED * at.tolerance)])
    return sorted(found, key=lambda x: engine.slope(x, at)[0])


def is_one_group(space: GroupSpace, x: Array) -> bool:
    """Whether all features interfere, directly or through others, and use all dimensions.

    And no output is silent: on such a plateau nothing holds the rest.
    """
    W = space.weights(x)
    if is_silent(W, x[W.size :]):
        return False
    ((_, groups),) = interference_groups(W[None])
    if len(groups) != 1 or len(groups[0]) != space.n_features:
        return False
    return bool(np.linalg.svd(W, compute_uv=False)[-1] > NORM_TOLERANCE)


def group_starts(space: GroupSpace, count: int, rng: np.random.Generator) -> Array:
    """Return starts, half of them random and half of them symmetric.

    A symmetric start is the orbit of one vector under a rotation or rotoreflection of an order
    equal to the number of features; or one of a feature fewer, and a feature anywhere; or two
    orbits of half the features.

    Returns
    -------
    ndarray, shape (count, d k + k)
    """
    k, d = space.n_features, space.n_hidden
    W = _WEIGHT * rng.normal(size=(count, d, k))
    for row in W[count // 2 :]:
        kind = rng.integers(3)
        first = (k, k - 1, k // 2)[kind]
        row[:, :first] = _orbit(first, d, rng)
        if kind == 2:
            row[:, first:] = _orbit(k - first, d, rng)
        row += _NOISE * rng.normal(size=row.shape)
    b = rng.uniform(*_BIAS, (count, k))
    return np.concatenate([W.reshape(count, d * k), b], axis=1)


def _orbit(order: int, d: int, rng: np.random.Generator) -> Array:
    """Return the images of a random vector under the powers of a random transform, (d, order)."""
    turn = np.eye(d)
    planes = int(rng.integers(d // 2 + 1))
    for plane in range(planes):
        angle = 2 * np.pi * rng.integers(max(order, 1)) / max(order, 1)
        cosine, sine = np.cos(angle), np.sin(angle)
        axes = slice(2 * plane, 2 * plane + 2)
        turn[axes, axes] = [[cosine, -sine], [sine, cosine]]
    if order % 2 == 0:
        for axis in range(2 * planes, d):
            turn[axis, axis] = rng.choice([-1.0, 1.0])
    vector = rng.normal(size=d)
    vector *= rng.uniform(*_NORMS) / np.linalg.norm(vector)
    images = [vector]
    for _ in range(order - 1):
        images.append(turn @ images[-1])
    return np.array(images).T
