"""The minima that lie downhill of where training ended, and whether it got there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.branches import Model
from phasediagram.free_minimization import minimize_free

Array = NDArray[np.float64]

SAME_LOSS = 1e-8  # relative: minima with closer losses are one, or equally good
_ARRIVED_LOSS = 2e-3  # a run's relative excess over its minimum that noise explains
_ARRIVED_GRAM = 0.1  # and its distance from it in W^T W and b
_DIGITS = 8  # of the logarithm of the loss, by which ends of one point are one


def minima_below(
    n: int, m: int, density: Array, importance: Array, ends: Array
) -> tuple[Array, Array]:
    """Return the minima, and their losses, that lie downhill of where runs ended.

    A run that lingers at a saddle leads there at first, so each distinct end is pushed.
    """
    points = np.stack([np.log(density), np.log(importance)], axis=1)
    reached = minimize_free(n, m, density, importance, ends[:, None])
    digits = np.round(np.log(reached.loss[:, 0]), _DIGITS)
    _, first, which = np.unique(
        np.column_stack([points, digits]), axis=0, return_index=True, return_inverse=True
    )
    firm, loss = Model(n, m).descend(reached.x[first, 0], *points[first].T)
    left = (loss < reached.loss[first, 0] * (1 - SAME_LOSS))[which.ravel()]
    states = np.where(left[:, None], firm[which.ravel()], reached.x[:, 0])
    return states, np.where(left, loss[which.ravel()], reached.loss[:, 0])


def arrived(
    model: Model, ends: Array, states: Array, loss: Array, minimum: Array
) -> NDArray[np.bool_]:
    """Whether runs ended so close to their minima that only noise is between."""
    gram = np.abs(model.gram(ends) - model.gram(states)).max(axis=(1, 2))
    bias = np.abs(ends[:, -model.n :] - states[:, -model.n :]).max(axis=1)
    close = np.maximum(gram, bias) <= _ARRIVED_GRAM
    return np.asarray(close & (loss <= minimum * (1 + _ARRIVED_LOSS)))
