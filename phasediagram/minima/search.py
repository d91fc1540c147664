"""All minima at a point: one search for `solve`, grids, tracing and the explorer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.minima.engine import Ends, Engine
from phasediagram.minima.following import FLAT
from phasediagram.minima.starts import between, random_starts, simplices
from phasediagram.minima.state import SAME_STATE, Space, select_distinct
from phasediagram.naming.geometry import is_silent
from phasediagram.parameters import Parameters
from phasediagram.progress import Progress

Array = NDArray[np.float64]

_CONVERGED = 1e3  # times the tolerance: where rounding stops a descent
_SAME_LOSS = 1e-9
_PUSH = 1e-3
_TIED = 1e-12  # relative difference of losses that are equal but for rounding
_LOWER = 1e-10  # relative gain of a descent that leaves a saddle
_STARTS = {2: 450, 3: 300}  # of one search, by the number of features
_MANY_STARTS = 210  # of one search, for more features
_ZERO_NORM = 1e-4
_ROUNDS = 3  # of looking between minima
_MOST = 200  # middles from which that is done
_SOFTEST = 2  # directions by which most saddles are told
_LOOSELY, _STEPS = 10.0, 40  # of Newton's method from these
_PARTS = 10  # of a search, between which progress is reported


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


def find_minima(
    engine: Engine,
    at: Parameters,
    starts: Array,
    progress: Progress | None = None,
    flat: bool = False,
) -> list[State]:
    """Return the local minima to which starts (k, d) lead, the lowest first.

    Symmetric copies are left out, and so are plateaus on which an output never switches on.
    A saddle on which a descent stopped is left along its softest direction.

    Parameters
    ----------
    engine : Engine
    at : Parameters
    starts : ndarray, shape (k, d)
    progress : callable, optional
        Called with the share of the work that is done, 0 to 1.
    flat : bool
        Whether to return one minimum of each continuum of equally low ones too, that whose
        directions are the most opposite; at density 1 there are some.
    """
    ends = _descend(engine, at, starts, progress)
    found: list[State] = []
    good = (ends.slope < _CONVERGED * at.tolerance) & ~are_silent(engine, ends.x)
    pending = distinct(engine, ends.x, ends.loss, good)
    if flat:
        losses = np.array([engine.slope(x, at)[0] for x in pending])
        pending = [pending[k] for k in _most_opposite_first(engine, pending, losses)]
    saddles: list[Array] = []
    while pending:
        x = pending.pop(0)
        if are_silent(engine, x):
            continue
        known = [s.x for s in found] + saddles
        if known and engine.space.distances(x[None], np.array(known)).min() < SAME_STATE:
            continue
        loss, gradient = engine.slope(x, at)
        curvature, direction = engine.softest(x, at)
        state = State(x, loss, float(np.linalg.norm(gradient)), curvature, direction)
        limit = FLAT * (1.0 - at.table[0])
        if curvature > limit:
            found.append(state)
            continue
        pushed = engine.minimize_at(
            np.array([x + _PUSH * direction, x - _PUSH * direction]), at, _PUSH
        )
        good = pushed.slope < _CONVERGED * at.tolerance
        if flat and curvature > -limit and not (pushed.loss < loss * (1 - _LOWER)).any():
            if all(abs(s.loss - loss) > _SAME_LOSS * loss for s in found):
                found.append(state)
            continue
        saddles.append(x)
        pending += list(pushed.x[good])
    if flat:
        losses = np.array([state.loss for state in found])
        return [found[k] for k in _most_opposite_first(engine, [s.x for s in found], losses)]
    return sorted(found, key=lambda state: state.loss)


def _descend(engine: Engine, at: Parameters, starts: Array, progress: Progress | None) -> Ends:
    """Descend from every start, in parts if anybody wants to know how far that is."""
    if progress is None:
        return engine.minimize_at(starts, at)
    parts = []
    for part in np.array_split(starts, _PARTS):
        parts.append(engine.minimize_at(part, at))
        progress(len(parts) / _PARTS)
    return Ends(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Ends.__annotations__)
    )


def _most_opposite_first(engine: Engine, states: list[Array], loss: Array) -> NDArray[np.intp]:
    """Return the order by loss, of equals first that with the most opposite directions.

    At density 1 a direction and its opposite can be as good.
    """
    if not states:
        return np.empty(0, dtype=np.intp)
    order = np.argsort(loss, kind="stable")
    rises = np.diff(loss[order]) > _TIED * loss[order][:-1]
    level = np.empty(len(loss), dtype=np.intp)
    level[order] = np.concatenate([[0], np.cumsum(rises)])
    gram = engine.space.gram(np.array(states))
    products = gram.sum(axis=(1, 2)) - np.trace(gram, axis1=1, axis2=2)
    return np.lexsort([products.round(6), level])


def distinct(
    engine: Engine,
    x: Array,
    loss: Array,
    good: NDArray[np.bool_],
    same_loss: float = _SAME_LOSS,
    same_state: float = SAME_STATE,
) -> list[Array]:
    """Return one state of each kind, the lowest first."""
    order = np.argsort(loss, kind="stable")
    order = order[good[order]]
    space, kept = engine.space, np.empty(len(order), dtype=np.int64)
    count = select_distinct(
        space.m, space.n, space.orders, x[order], loss[order], same_loss, same_state, kept
    )
    return [x[k] for k in order[kept[:count]]]


def are_silent(engine: Engine, x: Array) -> NDArray[np.bool_]:
    """Whether some output of states (..., d) never switches on.

    Without biases that is so if a direction is zero, which descents reach but for rounding.
    """
    W = engine.space.weights(x)
    silent = is_silent(W, engine.space.biases(x))
    if not engine.space.bias:
        silent |= np.square(W).sum(axis=-2).min(axis=-1) < _ZERO_NORM**2
    return np.asarray(silent)


def starts_needed(space: Space) -> int:
    """Return from how many starts a point is searched."""
    return _STARTS.get(space.n, _MANY_STARTS)


def search(
    engine: Engine,
    at: Parameters,
    count: int,
    rng: np.random.Generator,
    progress: Progress | None = None,
    flat: bool = False,
) -> list[State]:
    """Return all minima that `count` random starts and simplices find, and those between.

    See `find_minima`.
    """
    starts = np.concatenate([simplices(engine.space), random_starts(engine.space, count, rng)])
    found = find_minima(engine, at, starts, progress, flat)
    for _ in range(_ROUNDS):
        more = minima_between(engine, at, np.array([state.x for state in found]), rng)
        if not more:
            break
        found = sorted([*found, *more], key=lambda state: state.loss)
    return found


def minima_between(
    engine: Engine, at: Parameters, known: Array, rng: np.random.Generator
) -> list[State]:
    """Return the minima, not among those known (k, d), to which their middles are near.

    From the middle of two minima Newton's method leads to what is stationary between them, mostly
    a saddle; but a minimum of a small basin too, which descents seldom reach.
    """
    space = engine.space
    if not len(known):
        return []
    middles = between(space, known, _MOST, rng)
    moved, settled = engine.settle_all(middles, at, _LOOSELY, _STEPS)
    reached = moved[settled]
    new = reached[space.distances(reached, known).min(axis=1) > SAME_STATE]
    stable = new[engine.curvatures(new, at, _SOFTEST) > FLAT * (1.0 - at.table[0])]
    if not len(stable):  # most are saddles
        return []
    found = find_minima(engine, at, stable)
    far = [space.distances(state.x[None], known).min() for state in found]
    return [state for state, distance in zip(found, far, strict=True) if distance > SAME_STATE]
