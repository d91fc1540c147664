"""The minima that compete with those of a curve: all along it, is another lower?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.building import Atlas
from phasediagram.lines.systems import EqualLoss
from phasediagram.lines.tracer import Domain, correct
from phasediagram.minima.engine import Engine
from phasediagram.minima.search import distinct
from phasediagram.minima.state import SAME_STATE, Space
from phasediagram.naming.geometry import is_silent
from phasediagram.parameters import Plane

Array = NDArray[np.float64]

_LOWER = 3e-15  # relative difference of losses that rounding does not make
_TIED = 1e-11  # the same of copies, which symmetry makes equal
_EDGE = 1e-6  # distance to the edge of the domain that counts as none
_BISECTIONS = 24  # of a step in which a third minimum becomes the lowest
_JUMPED = 0.15  # distance over which a minimum does not move in a step
_RADIUS = 0.1  # the first trust radius from states known near by
_ROUNDS = (
    (0, 1.3),
    (4, 1.05),
    (8, 1.05),
)  # iterations, and how far above the lowest others may be then
_AT_ONE = 1e-4  # distance of two descents that go on as one; nearer minima are about to merge
_CONVERGED = 1e3  # times the tolerance: where rounding stops a descent


@dataclass(frozen=True)
class Rivals:
    """Finds the minima that may be lower than others."""

    engine: Engine
    plane: Plane
    atlas: Atlas
    domain: Domain

    def low_minima(self, position: Array) -> tuple[Array, Array]:
        """Return the minima at a position that may be the lowest, and their losses.

        They are followed from around it; those that start far above the lowest are left out.
        """
        at = self.plane.at(position)
        near = self.atlas.near(position, self.engine.space)
        for iterations, share in _ROUNDS:
            ends = self.engine.minimize_at(near, at, _RADIUS, iterations)
            low = ends.loss < share * ends.loss.min(initial=np.inf)
            near = np.array(distinct(self.engine, ends.x, ends.loss, low, np.inf, _AT_ONE))
            near = near.reshape(-1, self.engine.space.size)
        ends = self.engine.minimize_at(near, at, _RADIUS)
        good = ends.slope < _CONVERGED * at.tolerance
        found = [
            x
            for x in distinct(self.engine, ends.x, ends.loss, good)
            if not is_silent(self.engine.space.weights(x), self.engine.space.biases(x))
        ]
        x = np.array(found).reshape(-1, self.engine.space.size)
        return x, np.array([self.engine.slope(q, at)[0] for q in x])

    def third(self, y: Array) -> Array | None:
        """Return the lowest minimum if it lies below a curve's states and is neither."""
        d = self.engine.space.size
        first, second = y[:d], y[d : 2 * d]
        if self.domain.margin(y[-2:]) < _EDGE:
            return None  # symmetries of the edge make minima tie there
        at = self.plane.at(y[-2:])
        own = min(self.engine.slope(state, at)[0] for state in (first, second))
        x, loss = self.low_minima(y[-2:])
        below = loss < own * (1 - _LOWER)
        if not below.any():
            return None
        far = self.engine.space.distances(x[below], np.array([first, second])).min(axis=1)
        other = far > SAME_STATE
        if not other.any():
            return None
        lower = np.flatnonzero(below)[other]
        for k in lower[np.argsort(loss[lower])]:
            if loss[k] > own * (1 - _TIED) and self._is_copy(x[k], np.array([first, second])):
                continue
            if self.engine.softest(x[k], at, x[k][None] - first, 4)[0] > 0:
                return np.asarray(x[k])
        return None

    def _is_copy(self, x: Array, others: Array) -> bool:
        """Whether a state is one of others in another order of any of the features.

        Where these have the same loss too, the parameters make features equal that elsewhere are
        not, and rounding decides which is lower.
        """
        space = self.engine.space
        every = Space(space.n, space.m, (tuple(range(space.n)),))
        return bool(every.distances(x[None], others).min() < SAME_STATE)

    def bracket(
        self, system: EqualLoss, points: list[Array], third: Array
    ) -> tuple[list[Array], Array]:
        """Bracket where a lower third minimum becomes the lowest; return the points before."""
        k = len(points) - 1
        high = points[k]
        while k > 0:
            k -= 1
            moved = self._lower_at(system, points[k], third)
            if moved is None:
                break
            high, third = points[k], moved
        else:
            return points[:1], third
        low = points[k]
        for _ in range(_BISECTIONS):
            guess = (low + high) / 2
            middle = correct(system, guess, high - low)
            if middle is None:
                break
            moved = self._lower_at(system, middle, third)
            if moved is None:
                low = middle
            else:
                high, third = middle, moved
        return [*points[: k + 1], high], third

    def _lower_at(self, system: EqualLoss, y: Array, third: Array) -> Array | None:
        """Return a third minimum followed to a point of a curve, if it is lower there."""
        at = self.plane.at(y[-2:])
        ends = self.engine.minimize_at(third[None], at, _RADIUS)
        first = system.states(y)[0]
        if self.engine.space.distance(ends.x[0], third) > _JUMPED:
            return None
        own = self.engine.slope(first, at)[0]
        states = np.array(system.states(y))
        if self.engine.space.distances(ends.x, states).min() < SAME_STATE:
            return None
        if ends.loss[0] >= own or self.engine.softest(ends.x[0], at, ends.x - first, 4)[0] <= 0:
            return None
        return np.asarray(ends.x[0])
