"""Nodes: the points at which curves end or meet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from phasediagram.lines.steps import solve
from phasediagram.lines.systems import EqualLoss, Fold, System, ZeroCurvature
from phasediagram.lines.tracer import Domain, correct, follow
from phasediagram.minima.curvature import KINK, preactivation_at
from phasediagram.minima.engine import Engine
from phasediagram.minima.state import SAME_STATE
from phasediagram.parameters import Plane

Array = NDArray[np.float64]

_ITERATIONS = 20  # of Newton's method
_MOVED = 1e-13  # its last step of the position
_STALLED = 1e-9  # range of its last positions, where rounding keeps them from settling
_FAR = 0.3  # step of Newton's method that has gone astray
_SEARCH_STEP = 0.02  # along a curve, to a root of the cubic term
_COPIES = 64  # over which losses are averaged


@dataclass(frozen=True)
class Node:
    """A point at which curves end or meet.

    Attributes
    ----------
    kind : str
    position : ndarray, shape (2,)
    states : tuple of ndarray
        The minima that meet.
    """

    kind: str
    position: Array
    states: tuple[Array, ...]


def triple_point(
    system: EqualLoss, first: Array, second: Array, third: Array, position: Array
) -> Node | None:
    """Return where three stationary states have the same loss."""
    states, d = [first, second, third], len(first)
    visited: list[Array] = []
    for _ in range(_ITERATIONS):
        here = [system.local(x, position) for x in states]
        losses = [_mean_loss(system, x, position) for x in states]
        matrix, right = np.zeros((3 * d + 2, 3 * d + 2)), np.zeros(3 * d + 2)
        for k, local in enumerate(here):
            rows = slice(k * d, (k + 1) * d)
            matrix[rows, rows], matrix[rows, -2:] = local.hessian, local.gradient_by_position
            right[rows] = -local.gradient
        for k in (1, 2):
            row = 3 * d + k - 1
            matrix[row, :d], matrix[row, k * d : (k + 1) * d] = here[0].gradient, -here[k].gradient
            matrix[row, -2:] = here[0].loss_by_position - here[k].loss_by_position
            right[row] = losses[k] - losses[0]
        step = solve(matrix, right)
        if not np.abs(step).max() < _FAR:
            return None
        states = [x + step[k * d : (k + 1) * d] for k, x in enumerate(states)]
        position = position + step[-2:]
        visited.append(position)
        if np.abs(step[-2:]).max() < _MOVED:
            break
    else:  # rounding keeps it moving, where the slopes of the losses are nearly the same
        last = np.array(visited[_ITERATIONS // 2 :])
        if np.ptp(last, axis=0).max() > _STALLED:
            return None
        position = last.mean(axis=0)
    at = system.plane.at(position)
    apart = np.array(states)
    if any(system.engine.softest(x, at, apart - x, 4)[0] <= 0 for x in states):
        return None
    if system.engine.space.distances(apart, apart)[[0, 0, 1], [1, 2, 2]].min() < SAME_STATE:
        return None
    return Node("triple point", position, tuple(states))


def _mean_loss(system: EqualLoss, x: Array, position: Array) -> float:
    """Return the loss, averaged over turned copies of a state, whose roundings differ.

    Where the slopes of two losses are nearly the same, rounding moves the point of equality.
    """
    space, at = system.engine.space, system.plane.at(position)
    W, b = space.weights(x), space.biases(x)
    if space.m == 1:
        return system.engine.slope(x, at)[0]
    turned = [np.concatenate([(turn @ W).ravel(), b]) for turn in _turns(space.m)]
    return math.fsum(system.engine.slope(copy, at)[0] for copy in turned) / _COPIES


@cache
def _turns(m: int) -> tuple[Array, ...]:
    rngs = (np.random.default_rng(k) for k in range(_COPIES))
    return tuple(np.linalg.qr(rng.normal(size=(m, m)))[0] for rng in rngs)


class CubicTerm:
    """The cubic coefficient along the softest direction, which is kept continuous."""

    kind = "critical point"

    def __call__(self, system: System, y: Array) -> float:
        if isinstance(system, ZeroCurvature):
            return system.cubic(y)
        assert isinstance(system, Fold)
        return system.oriented_cubic(y)


@dataclass(frozen=True)
class Kink:
    """The pre-activation of an output at a corner of the cube."""

    engine: Engine
    output: int
    corner: int
    kind: ClassVar[str] = "kink"

    def __call__(self, system: System, y: Array) -> float:
        space = self.engine.space
        return float(preactivation_at(space.m, space.n, y[:-2], self.output, self.corner))


def kinks(engine: Engine, x: Array) -> list[Kink]:
    """Return the kinks on which a state does not lie."""
    apart = np.abs(engine.space.preactivations(x)) > KINK
    return [Kink(engine, int(i), int(corner)) for i, corner in np.argwhere(apart)]


def tricritical_point(
    engine: Engine,
    plane: Plane,
    domain: Domain,
    base: Array,
    other: Array,
    position: Array,
    reach: float,
) -> Node | None:
    """Return where the curvature of a state towards another vanishes, and the cubic term too."""
    direction = engine.space.nearest_copy(other, base) - base
    if np.linalg.norm(direction) == 0:
        return None
    system = ZeroCurvature(engine, plane, base, direction)
    found = _nearest_root(system, position, domain, reach, list(np.eye(2)))
    if found is None:
        return None
    return Node("tricritical point", found, (system.states(found)[0],))


def critical_point(
    engine: Engine,
    plane: Plane,
    domain: Domain,
    first: Array,
    second: Array,
    position: Array,
    reach: float,
) -> Node | None:
    """Return the cusp of folds near two states that are about to become one."""
    second = engine.space.nearest_copy(second, first)
    system = Fold(engine, plane)
    apart = np.concatenate([second - first, [0.0, 0.0]])
    found = _nearest_root(
        system, np.concatenate([(first + second) / 2, position]), domain, reach, [apart]
    )
    if found is None:
        return None
    return Node("critical point", found[-2:], (found[:-2],))


def _nearest_root(
    system: System, guess: Array, domain: Domain, reach: float, constraints: list[Array]
) -> Array | None:
    """Return the nearest point of a curve, within a reach, at which the cubic term vanishes."""
    start = None
    for constraint in constraints:
        start = correct(system, guess, constraint)
        if start is not None:
            break
    if start is None or np.abs(start[-2:] - guess[-2:]).max() > reach:
        return None
    system.commit(start)
    found = []
    step = min(_SEARCH_STEP, reach / 2)
    for sense in (1, -1):
        system.commit(start)
        points, end = follow(
            system,
            start,
            sense * system.tangent(start),
            domain,
            [CubicTerm()],
            step / 2,
            step,
            int(2 * reach / step) + 6,
        )
        if end == CubicTerm.kind:
            found.append(points[-1])
    if not found:
        return None
    found.sort(key=lambda y: float(np.abs(y[-2:] - guess[-2:]).max()))
    return found[0] if np.abs(found[0][-2:] - guess[-2:]).max() < reach else None
