"""Following minima from one position of a plane to another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.minima.engine import Engine
from phasediagram.minima.state import SAME_STATE
from phasediagram.parameters import DensityImportancePlane

Array = NDArray[np.float64]

LARGEST_MOVE = 0.15  # of W^T W and b in one step: more is another minimum
_CONVERGED = 1e3  # times the tolerance: where rounding stops a descent
_RADIUS = 0.1  # the first trust radius of a step


@dataclass(frozen=True)
class Moved:
    """Where states went.

    Attributes
    ----------
    x : ndarray, shape (k, d)
    loss : ndarray, shape (k,)
    arrived : ndarray of bool, shape (k,)
        Whether a stationary state was reached near by, from which the way leads back.
    """

    x: Array
    loss: Array
    arrived: NDArray[np.bool_]


def move(
    engine: Engine, plane: DensityImportancePlane, x: Array, start: Array, end: Array
) -> Moved:
    """Follow each state x (k, d) from its position `start` (k, 2) to `end` (k, 2) and back."""
    there, back = plane.many(end), plane.many(start)
    forward = engine.minimize(x, *there, radius=_RADIUS)
    returned = engine.minimize(forward.x, *back, radius=_RADIUS)
    space = engine.space
    near = _far(space.signature(forward.x), space.signature(x)) < LARGEST_MOVE
    same = _far(space.signature(returned.x), space.signature(x)) < SAME_STATE
    converged = forward.slope < _CONVERGED * there[2]
    return Moved(forward.x, forward.loss, near & same & converged)


def _far(signature: Array, other: Array) -> Array:
    return np.asarray(np.abs(signature - other).max(axis=(-1, -2)))
