"""Continuous transitions: where the lowest minimum loses its stability to a near one.

Along a curve on which a minimum's smallest second directional derivative vanishes, the loss
along the softest direction is ``K t^3``: where K > 0 the minimum goes on as another branch that
sets out from it.  Where K vanishes by symmetry the next term takes its place, see
`phasediagram.lines.stability`.  Roots of what leads are tricritical points; where another minimum
becomes lower, the transition ends in a critical end point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from phasediagram.lines.curves import Seed, passes
from phasediagram.lines.mapper import Mapper
from phasediagram.lines.nodes import Node
from phasediagram.lines.stability import StabilityLimit, leading_coefficient
from phasediagram.lines.systems import ZeroCurvature
from phasediagram.lines.tracer import correct

Array = NDArray[np.float64]

_PUSHES = (1e-3, 1e-2, 0.05, 0.15)  # along the softest direction, to the branch that begins there
_OTHER = 0.02  # distance of states beyond which a minimum is another one
_ROUNDING = 1e-14  # of losses, relative


@dataclass
class Transition:
    """A stretch of a curve on which the lowest minimum changes continuously."""

    positions: Array
    states: Array
    after: Array  # the branch that it goes on as, near the middle
    ends: list[tuple[str, Node | None]]


def continuous_transitions(
    mapper: Mapper, limits: list[StabilityLimit]
) -> tuple[list[Transition], list[Seed]]:
    """Return the continuous transitions, and seeds of the first-order lines beyond them."""
    transitions: list[Transition] = []
    seeds: list[Seed] = []
    for limit in limits:
        found, more = _on_limit(mapper, limit)
        for transition in found:
            middle = transition.positions[len(transition.positions) // 2]
            known = [t.positions for t in transitions if len(t.positions) > 1]
            if not any(passes(line, middle) is not None for line in known):
                transitions.append(transition)
        seeds += more
    return transitions, seeds


def _on_limit(mapper: Mapper, limit: StabilityLimit) -> tuple[list[Transition], list[Seed]]:
    system = ZeroCurvature(mapper.engine, mapper.plane, limit.states[0], limit.directions[0])
    count = len(limit.positions)
    gap = np.array([_gap(mapper, limit.states[k], limit.positions[k])[0] for k in range(count)])
    leading = limit.leading
    marks: list[tuple[int, str, Node]] = []
    for k in range(count - 1):
        if leading[k] * leading[k + 1] < 0:
            position = _root(system, limit, k, lambda y: _leading(system, y))
            if position is not None:
                x = system.states(position)[0]
                if _gap(mapper, x, position)[0] > 0:
                    node = mapper.add_node(Node("tricritical point", position, (x,)))
                    marks.append((k, "leading", node))
        if gap[k] * gap[k + 1] < 0 and max(leading[k], leading[k + 1]) > 0:
            position = _root(system, limit, k, lambda y: _gap(mapper, system.states(y)[0], y)[0])
            if position is not None:
                x = system.states(position)[0]
                other = _gap(mapper, x, position)[1]
                if other is not None and _leading(system, position) > 0:
                    node = mapper.add_node(Node("critical end point", position, (other, x)))
                    marks.append((k, "gap", node))
    seeds = []
    bounds = [0, *sorted({k + 1 for k, _, _ in marks}), count]
    transitions = []
    by_index = {k + 1: node for k, _, node in marks}
    for start, stop in pairwise(bounds):
        middle = (start + stop) // 2
        if stop - start < 1 or (leading[middle] > 0 and gap[middle] <= 0):
            continue
        x, position, direction = (
            limit.states[middle],
            limit.positions[middle],
            limit.directions[middle],
        )
        after = _branch(mapper, x, position, direction)
        if leading[middle] < 0:
            if after is not None:
                seeds.append(Seed(position, x, after, optional=True))
            continue
        positions, states = list(limit.positions[start:stop]), list(limit.states[start:stop])
        ends: list[tuple[str, Node | None]] = []
        for index, side in ((start, 0), (stop, -1)):
            at_end = by_index.get(index)
            if at_end is None:
                ends.append((limit.ends[side], None))
            else:
                ends.append((at_end.kind, at_end))
                at = 0 if side == 0 else len(positions)
                positions.insert(at, at_end.position)
                states.insert(at, at_end.states[-1])
        transitions.append(
            Transition(
                np.array(positions), np.array(states), _just_beyond(mapper, limit, middle), ends
            )
        )
    return transitions, seeds


def _gap(mapper: Mapper, x: Array, position: Array) -> tuple[float, Array | None]:
    """Return by how much the lowest other minimum is above a state, and that minimum."""
    others, losses = mapper.rivals.low_minima(position)
    own = mapper.engine.slope(x, mapper.plane.at(position))[0]
    far = mapper.engine.space.distances(others, x[None])[:, 0]
    other = far > _OTHER
    if not other.any():
        return np.inf, None
    lowest = np.flatnonzero(other)[np.argmin(losses[other])]
    return float(losses[lowest] - own), others[lowest]


def _leading(system: ZeroCurvature, y: Array) -> float:
    return leading_coefficient(system.engine, system.plane.at(y), system.follow(y))


def _root(
    system: ZeroCurvature, limit: StabilityLimit, k: int, function: Callable[[Array], float]
) -> Array | None:
    """Return where a function vanishes between two points of a curve."""
    # the softest direction of negative K may be on a kink of D, that of positive K is not
    side = k if limit.leading[k] > 0 else k + 1
    system.state = limit.states[side]
    system.direction = system.engine.softest(
        system.state, system.plane.at(limit.positions[side]), limit.directions[side][None], 0
    )[1]
    start, stop = limit.positions[k], limit.positions[k + 1]
    at: dict[float, Array] = {}

    @cache  # see `tracer`
    def along(share: float) -> float:
        y = correct(system, start + share * (stop - start), stop - start)
        if y is None:
            raise _Lost
        at[share] = y
        return float(function(y))

    try:
        if along(0.0) * along(1.0) > 0:
            return None
        share = brentq(along, 0.0, 1.0, xtol=1e-14, rtol=1e-14)
        along(share)
    except _Lost:
        return None
    return np.asarray(at[share])


class _Lost(Exception):
    """The corrector found no point."""


def _branch(mapper: Mapper, x: Array, position: Array, direction: Array) -> Array | None:
    """Return the lower minimum nearest along the softest direction."""
    at = mapper.plane.at(position)
    own = mapper.engine.slope(x, at)[0]
    starts = np.array([x + push * direction for push in _PUSHES])
    ends = mapper.engine.minimize_at(starts, at, 0.02)
    for end, loss in zip(ends.x, ends.loss, strict=True):
        if loss < own * (1 - _ROUNDING) and mapper.engine.space.distance(end, x) > 1e-5:
            return np.asarray(end)
    return None


def _just_beyond(mapper: Mapper, limit: StabilityLimit, k: int) -> Array:
    """Return the branch that a minimum goes on as, a little beyond the curve."""
    x, direction, position = limit.states[k], limit.directions[k], limit.positions[k]
    near = limit.positions[max(k - 1, 0)], limit.positions[min(k + 1, len(limit.positions) - 1)]
    along = near[1] - near[0]
    if not np.linalg.norm(along) > 0:
        return np.asarray(x)
    across = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    for size in (0.003, 0.01, 0.03):
        for side in (1, -1):
            there = position + side * size * across
            at = mapper.plane.at(there)
            state = ZeroCurvature(mapper.engine, mapper.plane, x, direction).follow(there).state
            curvature = mapper.engine.softest(state, at, direction[None], 4)[0]
            if curvature < 0:
                found = _branch(mapper, state, there, direction)
                if found is not None:
                    return np.asarray(found)
    return np.asarray(x)
