"""The minima that lie downhill of where training ended, and whether it got there."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.minima.engine import Engine
from phasediagram.minima.following import FLAT
from phasediagram.minima.state import Space
from phasediagram.minima.symmetry import plane_engine
from phasediagram.parameters import PAPER_AXES, Parameters, Plane, plane_of
from phasediagram.toymodel.axes import DENSITY, RELATIVE_IMPORTANCE, Axis
from phasediagram.toymodel.models import ToyModel

Array = NDArray[np.float64]

SAME_LOSS = 1e-8  # relative: minima with closer losses are one, or equally good
_ARRIVED_LOSS = 2e-3  # a run's relative excess over its minimum that noise explains
_ARRIVED_GRAM = 0.1  # and its distance from it in W^T W and b
_DIGITS = 8  # of the logarithm of the loss, by which ends of one point are one
_PUSH = 1e-3  # off saddles
_SADDLES = 8  # at most, one after the other


def minima_below(plane: Plane, m: int, positions: Array, ends: Array) -> tuple[Array, Array]:
    """Return the minima, and their losses, that lie downhill of where runs ended.

    A run that lingers at a saddle leads there at first, so each distinct end is pushed off.

    Parameters
    ----------
    plane : Plane
    m : int
    positions : ndarray, shape (k, axes)
        Of the runs.
    ends : ndarray, shape (k, m * n + n)

    Returns
    -------
    states : ndarray, shape (k, m * n + n)
    losses : ndarray, shape (k,)
    """
    engine = plane_engine(plane, m, threads=os.cpu_count() or 1)
    reached = engine.minimize(ends, *plane.many(positions))
    digits = np.round(np.log(reached.loss), _DIGITS)
    _, first, which = np.unique(
        np.column_stack([positions, digits]), axis=0, return_index=True, return_inverse=True
    )
    states, losses = reached.x, reached.loss
    for number, row in enumerate(first.tolist()):
        at = plane.at(positions[row])
        x, loss = _off_saddles(engine, at, reached.x[row], float(reached.loss[row]))
        if loss < reached.loss[row] * (1 - SAME_LOSS):
            runs = which.ravel() == number
            states[runs], losses[runs] = x, loss
    return states, losses


def _off_saddles(engine: Engine, at: Parameters, x: Array, loss: float) -> tuple[Array, float]:
    """Return the minimum below a stationary state, and its loss: the state itself if it is one."""
    for _ in range(_SADDLES):
        curvature, direction = engine.softest(x, at)
        if curvature > FLAT * (1.0 - at.table[0]):
            break
        pushed = np.array([x + _PUSH * direction, x - _PUSH * direction])
        ends = engine.minimize_at(pushed, at, _PUSH)
        lowest = int(ends.loss.argmin())
        if not ends.loss[lowest] < loss:
            break
        x, loss = ends.x[lowest], float(ends.loss[lowest])
    return x, loss


def plane_for(
    n: int,
    m: int,
    model: ToyModel | None = None,
    importance: ArrayLike | None = None,
    relative_density: float = 1.0,
) -> Plane:
    """Return the plane of density and relative importance in which models were trained.

    Relative importance alone if the model's activity gives the densities.
    """
    if model is None and importance is None and relative_density == 1:
        return Plane(n)
    chosen = ToyModel(n, m) if model is None else model
    axes: tuple[Axis, ...] = PAPER_AXES if chosen.activity is None else PAPER_AXES[1:]
    if importance is not None:
        axes = axes[:-1]
    return plane_of(chosen, axes, None, 1.0, importance, relative_density)


def positions_of(plane: Plane, density: Array, importance: Array) -> Array:
    """Return the positions of points in a plane from `plane_for`, shape (k, axes)."""
    given = {DENSITY: np.log(density), RELATIVE_IMPORTANCE: np.log(importance)}
    names = [axis.name for axis in (plane.axes if plane.model is not None else PAPER_AXES)]
    return np.stack([given[name] for name in names] or [0 * density], axis=1)


def arrived(
    space: Space, ends: Array, states: Array, loss: Array, minimum: Array
) -> NDArray[np.bool_]:
    """Whether runs ended so close to their minima that only noise is between."""
    difference = np.abs(space.signature(ends) - space.signature(states))
    close = difference.max(axis=(1, 2)) <= _ARRIVED_GRAM
    return np.asarray(close & (loss <= minimum * (1 + _ARRIVED_LOSS)))
