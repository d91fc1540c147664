"""Curves on which the lowest minimum loses its stability: its smallest curvature vanishes.

What decides how is the first term that does not vanish there.  Beyond ``t^2 D / 2`` the loss along
the softest curve is ``K t^3``.  Where a symmetry of the state turns the softest direction d into
-d, as where two equal features begin to differ, K is 0, and ``Q t^4`` decides: with Q > 0 the
minimum goes on continuously, with Q < 0 another one was lower before.  By elimination of the fast
variables, which respond as t^2,
``Q = L4[d, d, d, d] / 24 - L3[d, d, .] H^-1 L3[d, d, .] / 8``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.following import End
from phasediagram.lines.curves import passes
from phasediagram.lines.systems import Softest, ZeroCurvature
from phasediagram.lines.tracer import Domain, correct, follow
from phasediagram.minima.curvature import KINK
from phasediagram.minima.engine import Engine
from phasediagram.parameters import Parameters, Plane

Array = NDArray[np.float64]

_NEAR_END = 2e-3  # distance of an end from the chords of a curve that explains it
_SAME = 0.03  # distance of one state at neighbouring points of a curve
_REACH = 4.0  # times the bracket of an end: how far a curve may be from it
_SAME_DIRECTION = 0.9  # cosine between the softest directions at neighbouring points
_SOFTER = 1e-5  # curvature that rounding does not make
_EIGENVECTORS = 3  # tried besides the direction that is followed
_LARGEST_STEP = 0.03
_MOST_CORNERS = 2
_STEP = 5e-5  # t, for digits
_BEFORE_KINK = 0.2  # t as a share of |Z| at the next kink
_IS_TURNED = 0.01  # distance of x - t d from a copy of x + t d that is none, as a share of 2 t
_SPACING = 0.04  # along a curve, of the places beside which other minima are searched
_ASIDE = (3e-4, 3e-3)  # how far beside it


@dataclass(frozen=True)
class StabilityLimit:
    """A curve on which a minimum's smallest second directional derivative vanishes.

    Attributes
    ----------
    positions : ndarray, shape (k, 2)
    states, directions : ndarray, shape (k, d)
        The minimum, and the direction in which it is soft.
    leading : ndarray, shape (k,)
        K of ``t^3 K`` along it, or Q of ``t^4 Q`` where K is 0 by symmetry.
    ends : tuple of str
    """

    positions: Array
    states: Array
    directions: Array
    leading: Array
    ends: tuple[str, str]


def stability_limits(
    engine: Engine, plane: Plane, domain: Domain, ends: Iterable[End]
) -> list[StabilityLimit]:
    """Trace the curves on which minima lose their stability at given ends."""
    limits: list[StabilityLimit] = []
    for end in ends:
        if any(_explains(engine, limit, end) for limit in limits):
            continue
        limit = _trace(engine, plane, domain, end)
        if limit is not None:
            limits.append(limit)
    return limits


def beside(limits: Iterable[StabilityLimit]) -> Iterator[tuple[Array, Array]]:
    """Yield positions on both sides of curves, spaced along them, and the minimum there."""
    for limit in limits:
        last = None
        for (before, after), x in zip(pairwise(limit.positions), limit.states[1:], strict=True):
            length = np.linalg.norm(after - before)
            if length == 0 or (last is not None and np.linalg.norm(after - last) < _SPACING):
                continue
            last = after
            across = np.array([before[1] - after[1], after[0] - before[0]]) / length
            for aside in _ASIDE:
                yield after + aside * across, x
                yield after - aside * across, x


def _explains(engine: Engine, limit: StabilityLimit, end: End) -> bool:
    hit = passes(limit.positions, (end.position + end.beyond) / 2, _NEAR_END)
    return hit is not None and bool(engine.space.distance(limit.states[hit], end.state.x) < _SAME)


def _trace(engine: Engine, plane: Plane, domain: Domain, end: End) -> StabilityLimit | None:
    """Return the curve through an end, or None if the minimum ends there in another way."""
    system = ZeroCurvature(engine, plane, end.state.x, end.state.direction)
    bracket = end.beyond - end.position
    start = correct(system, end.position, np.array([-bracket[1], bracket[0]]))
    middle = (end.position + end.beyond) / 2
    if start is None or np.abs(start - middle).max() > _REACH * np.abs(bracket).max():
        return None
    if not _is_softest(system, start):
        return None
    system.commit(start)
    memory = system.state, system.direction
    parts = []
    for sense in (1, -1):
        system.state, system.direction = memory
        record = [_at(system, start)]

        def watch(y: Array, record: list[tuple[Array, Array, float]] = record) -> bool:
            record.append(_at(system, y))
            return False

        points, why = follow(
            system,
            start,
            sense * system.tangent(start),
            domain,
            [],
            largest_step=_LARGEST_STEP,
            most_corners=_MOST_CORNERS,
            watch=watch,
            accept=lambda y: _is_softest(system, y),
        )
        record += [_at(system, y) for y in points[len(record) :]]
        parts.append((points, record, why))
        if why == "closed":
            parts.append(([start], record[:1], why))
            break
    (ahead, first, reason), (back, second, other) = parts
    states, directions, leading = zip(*(second[::-1] + first[1:]), strict=True)
    return StabilityLimit(
        np.array(back[::-1] + ahead[1:]),
        np.array(states),
        np.array(directions),
        np.array(leading),
        (other, reason),
    )


def _at(system: ZeroCurvature, y: Array) -> tuple[Array, Array, float]:
    here = system.follow(y)
    leading = leading_coefficient(system.engine, system.plane.at(y), here)
    return here.state, here.direction, leading


def _is_softest(system: ZeroCurvature, y: Array) -> bool:
    """Whether the direction is the one that was followed, and no other is softer."""
    here = system.follow(y)
    if here.direction @ system.direction < _SAME_DIRECTION:
        return False
    curvature, _ = system.engine.softest(
        here.state, system.plane.at(y), here.direction[None], _EIGENVECTORS
    )
    return curvature > -_SOFTER


def leading_coefficient(engine: Engine, at: Parameters, here: Softest) -> float:
    """Return K, or Q if K vanishes by symmetry; only their signs can be compared."""
    x, d = here.state, here.direction
    corners = np.abs(engine.space.preactivations(x))
    # without biases the output of nothing is 0 and has no kink
    nearest = corners[:, 0 if engine.space.bias else 1 :].min()
    if nearest <= KINK:  # there d and -d differ, and K has terms |t|^3
        return here.cubic
    step = min(_STEP, _BEFORE_KINK * nearest)
    if engine.space.distance(x + step * d, x - step * d) > 2 * step * _IS_TURNED:
        return here.cubic
    return quartic(engine, at, x, d, step)


def quartic(engine: Engine, at: Parameters, x: Array, direction: Array, step: float) -> float:
    """Return Q of ``t^4 Q``, by differences of Hessians at a distance `step`.

    Parameters
    ----------
    x : ndarray, shape (d,)
        A stationary state.
    direction : ndarray, shape (d,)
        The softest, of length 1.
    """
    hessian = engine.derivatives(x, at)[2]  # rotations, which cost nothing, made stiff
    plain, ahead, behind = (
        engine.derivatives(x + side * step * direction, at, stiff=False)[2] @ direction
        for side in (0, 1, -1)
    )
    third = (ahead - behind) / (2 * step)
    fourth = direction @ (ahead - 2 * plain + behind) / step**2
    fast = third - (third @ direction) * direction
    largest = np.abs(np.diag(hessian)).max()
    along = np.outer(direction, direction)
    across = np.eye(len(x)) - along
    response = np.linalg.solve(across @ hessian @ across + largest * along, fast)
    return float(fourth / 24 - fast @ response / 8)
