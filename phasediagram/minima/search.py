"""All minima at a point: one search for `solve`, grids, tracing and the explorer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.minima.engine import Engine
from phasediagram.minima.starts import random_starts
from phasediagram.minima.state import SAME_STATE
from phasediagram.parameters import Parameters

Array = NDArray[np.float64]

_CONVERGED = 1e3  # times the tolerance: where rounding stops a descent
_SAME_LOSS = 1e-9
FLAT = 1e-9  # curvature, relative to the density of features, that is not told from 0
_PUSH = 1e-3


@dataclass(frozen=True)
class State:
    """A local minimum.

    Attributes
    ----------
    x : ndarray, shape (d,)
    loss : float
    slope : float
        Norm of the gradient.
    curvature : float
        The smallest second directional derivative, rotations left out.
    direction : ndarray, shape (d,)
        Its direction, of length 1.
    """

    x: Array
    loss: float
    slope: float
    curvature: float
    direction: Array


def find_minima(engine: Engine, at: Parameters, starts: Array) -> list[State]:
    """Return the local minima to which starts (k, d) lead, the lowest first.

    Symmetric copies are left out, and so are plateaus on which an output never switches on.
    A saddle on which a descent stopped is left along its softest direction.
    """
    ends = engine.minimize_at(starts, at)
    found: list[State] = []
    pending = distinct(engine, ends.x, ends.loss, ends.slope < _CONVERGED * at.tolerance)
    saddles: list[Array] = []
    while pending:
        x = pending.pop(0)
        loss, gradient = engine.slope(x, at)
        known = [s.x for s in found] + saddles
        if known and engine.space.distances(x[None], np.array(known)).min() < SAME_STATE:
            continue
        if is_silent(engine, x):
            continue
        curvature, direction = engine.softest(x, at)
        if curvature > FLAT * (1.0 - at.table[0]):
            found.append(State(x, loss, float(np.linalg.norm(gradient)), curvature, direction))
            continue
        saddles.append(x)
        pushed = engine.minimize_at(
            np.array([x + _PUSH * direction, x - _PUSH * direction]), at, _PUSH
        )
        good = pushed.slope < _CONVERGED * at.tolerance
        pending += list(pushed.x[good])
    return sorted(found, key=lambda state: state.loss)


def distinct(engine: Engine, x: Array, loss: Array, good: NDArray[np.bool_]) -> list[Array]:
    """Return one state of each kind, the lowest first."""
    order = [k for k in np.argsort(loss, kind="stable") if good[k]]
    kept: list[int] = []
    signatures: list[Array] = []
    for k in order:
        candidates = [
            i for i, q in enumerate(kept) if abs(loss[k] - loss[q]) < _SAME_LOSS
        ]
        if candidates:
            own = engine.space.signature(x[k])
            near = np.array([signatures[i] for i in candidates])  # (q, orders, n, n + 1)
            if np.abs(near - own).max(axis=(-1, -2)).min() < SAME_STATE:
                continue
        kept.append(int(k))
        signatures.append(engine.space.copies(engine.space.signature(x[k])))
    return [x[k] for k in kept]


def is_silent(engine: Engine, x: Array) -> bool:
    """Whether some output never switches on."""
    gram, b = engine.space.gram(x), engine.space.biases(x)
    return bool((b + np.maximum(gram, 0).sum(axis=-1) <= 0).any())


def search(
    engine: Engine, at: Parameters, count: int, rng: np.random.Generator
) -> list[State]:
    """Return all minima that `count` starts find."""
    return find_minima(engine, at, random_starts(engine.space, count, rng))
