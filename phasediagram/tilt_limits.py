"""Curves on which pairs with the extra feature tilt into the dimension of a third one.

On such a curve the least stiffness of all tilts, or of those in one quadrant, vanishes
(`phasediagram.tilting`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from phasediagram.branches import Model
from phasediagram.equilibrium import Domain
from phasediagram.folds import Fold
from phasediagram.survey import Seeds
from phasediagram.tilting import PairAndSingle

Array = NDArray[np.float64]
Start = tuple[Array, Array]
_Candidate = tuple[Array, Array, Array]
Curve = tuple[Array, Array]
"""Positions (k, 2), and the states (k, 4) of pairs there."""

PAIRS = Model(2, 1)
_EXTRA = PairAndSingle(extra_in_pair=True)
_ROOT = 1e-13
_ITERATIONS = 15  # of the secant method
_SAMPLES = 5  # points of a fold
_STEPS_INWARDS = 10
_FIRST_STEP, _SMALLEST_STEP, _STEP = 0.004, 1e-4, 0.04
_LARGEST_MOVE = 0.1  # of a pair in one step
_SHORTEST = 4e-3  # norm of the extra feature next to a tricritical point
_AT_NODE = 0.01  # a limit this close to a node ends there
_EASIEST = 1e-7  # stiffness
_DIFFERENCE = 1e-5
_MOST_STEPS = 400


class TiltLimits:
    """Traces the curves on which pairs tilt.

    Parameters
    ----------
    domain : Domain
    nodes : sequence of ndarray, shape (2,)
        Positions in which curves may end.
    quadrant : int, optional
        Of the tilt, 0 to 3; by default the easiest of all.
    """

    def __init__(
        self, domain: Domain, nodes: Sequence[Array] = (), quadrant: int | None = None
    ) -> None:
        self.domain, self.nodes, self.quadrant = domain, nodes, quadrant

    def trace(self, folds: Sequence[Sequence[Fold]], short: Seeds) -> list[Curve]:
        """Return the curves found from folds of pairs, and from pairs with a short feature."""
        limits: list[Curve] = []
        for position, direction, pair in [*self._near_folds(folds), *self._of_short(short)]:
            if any(_passes(limit, position, pair) for limit in limits):
                continue
            start = self._on_limit(position, direction, pair)
            if start is None or not _is_long(start[1]) or self._is_of_easiest(*start):
                continue
            if not any(_passes(limit, *start) for limit in limits):
                limits.append(self._both_ways(start))
        return limits

    def _is_of_easiest(self, position: Array, pair: Array) -> bool:
        """Whether the curve of a quadrant is that of the easiest of all tilts."""
        if self.quadrant is None:
            return False
        return bool(_EXTRA.tilt(pair[None], position[:1], position[1:]).stiffness[0] > -_EASIEST)

    def stiffness(self, pairs: Array, positions: Array) -> Array:
        """Return that of pairs (k, 4) at positions (k, 2)."""
        return _EXTRA.tilt(pairs, positions[:, 0], positions[:, 1], self.quadrant).stiffness

    def _near_folds(self, folds: Sequence[Sequence[Fold]]) -> list[_Candidate]:
        """Return where pairs tilt: positions close by, the directions in which it is, the pairs.

        From some points of every fold the pair is followed in all directions in which it exists.
        """
        samples = [
            fold[k]
            for fold in folds
            for k in np.unique(np.linspace(0, len(fold) - 1, _SAMPLES).astype(int))
        ]
        directions = np.concatenate([np.eye(2), -np.eye(2)])
        direction = np.tile(directions, (len(samples), 1))
        position = np.repeat([sample.point[-2:] for sample in samples], len(directions), axis=0)
        pair = np.repeat([sample.minimum(PAIRS) for sample in samples], len(directions), axis=0)
        sign = np.sign(self.stiffness(pair, position))
        found = []
        for step in 0.1 * _STEP * 1.5 ** np.arange(_STEPS_INWARDS):
            position = position + step * direction
            moved, exists = _follow(pair, np.minimum(position, [0.0, np.inf]))
            kept = exists & (position[:, 0] <= 0) & np.isfinite(sign)
            position, pair, direction = position[kept], moved[kept], direction[kept]
            if not len(pair):
                break
            before, sign = sign[kept], np.sign(self.stiffness(pair, position))
            for k in np.flatnonzero(before * sign < 0):
                found.append((position[k], direction[k], pair[k]))
                sign[k] = np.nan
        return found

    def _on_limit(self, guess: Array, along: Array, pair: Array) -> Start | None:
        """Return the position guess + s along at which the pair tilts, and the pair there."""
        unit = along / np.linalg.norm(along)
        last, last_stiffness, s = 0.0, np.nan, 0.0
        for _ in range(_ITERATIONS):
            position = guess + s * unit
            position[0] = min(position[0], 0.0)
            moved, exists = _follow(pair[None], position[None])
            if not exists[0]:
                return None
            stiffness = float(self.stiffness(moved, position[None])[0])
            if not np.isfinite(stiffness):
                return None
            slope = (stiffness - last_stiffness) / (s - last) if s != last else np.nan
            step = -stiffness / slope if np.isfinite(slope) and slope != 0 else _DIFFERENCE
            if abs(step) < _ROOT or stiffness == 0:
                return position, moved[0]
            last, last_stiffness, s = s, stiffness, s + step
            if not abs(s) < _STEP:
                return None
        return None

    def _of_short(self, short: Seeds) -> list[_Candidate]:
        """Return minima with a short extra feature, which tilt as its importance grows."""
        ordered = np.abs(short.states[:, 1]) < np.abs(short.states[:, 0])
        upwards = np.array([0.0, 1.0])
        return [
            (position, upwards, pair)
            for position, pair in zip(short.positions[ordered], short.states[ordered], strict=True)
            if _is_long(pair) and self.stiffness(pair[None], position[None])[0] > 0
        ]

    def _both_ways(self, start: Start) -> Curve:
        position, pair = start
        slope = self._slope_of_stiffness(position, pair)
        tangent = np.array([-slope[1], slope[0]]) / np.linalg.norm(slope)
        forward, backward = (self._one_way(start, sign * tangent) for sign in (1, -1))
        return (
            np.concatenate([backward[0][::-1], position[None], forward[0]]),
            np.concatenate([backward[1][::-1], pair[None], forward[1]]),
        )

    def _slope_of_stiffness(self, position: Array, pair: Array) -> Array:
        around = position - _DIFFERENCE * np.eye(2)  # backwards: the density stays below 1
        around = np.concatenate([position[None], around])
        pairs, _ = PAIRS.minimize(np.tile(pair, (3, 1)), *around.T)
        here, *before = self.stiffness(pairs, around)
        return np.asarray((here - np.array(before)) / _DIFFERENCE)

    def _one_way(self, start: Start, tangent: Array) -> Curve:
        """Follow a limit of stability in one direction, without its start."""
        positions, pairs = [start[0]], [start[1]]
        length = _FIRST_STEP
        while length > _SMALLEST_STEP and len(positions) < _MOST_STEPS:
            guess = positions[-1] + length * tangent
            if not self.domain.contains(guess):
                solved = self._land(positions[-1], guess, pairs[-1])
            else:
                solved = self._on_limit(guess, np.array([-tangent[1], tangent[0]]), pairs[-1])
            progress = 0.0 if solved is None else (solved[0] - positions[-1]) @ tangent
            if solved is None or progress < length / 4 or not _is_long(solved[1]):
                length /= 2
                continue
            step = solved[0] - positions[-1]
            tangent = step / np.linalg.norm(step)
            positions.append(solved[0])
            pairs.append(solved[1])
            if not self.domain.contains(guess):
                break
            length = min(1.5 * length, _STEP)
        closest = min(
            self.nodes, key=lambda node: float(np.abs(node - positions[-1]).max()), default=None
        )
        if closest is not None and 0 < np.abs(closest - positions[-1]).max() < _AT_NODE:
            positions.append(closest)
            pairs.append(pairs[-1])
        return np.reshape(positions[1:], (-1, 2)), np.reshape(pairs[1:], (-1, 4))

    def _land(self, last: Array, guess: Array, pair: Array) -> Start | None:
        """Return where a limit of stability leaves the domain."""
        axis, value = self.domain.crossed(guess)
        share = (value - last[axis]) / (guess[axis] - last[axis])
        edge = last + share * (guess - last)
        edge[axis] = value
        return self._on_limit(edge, np.eye(2)[1 - axis], pair)


def _passes(limit: Curve, position: Array, pair: Array) -> bool:
    """Whether a limit has been traced close to a position, with a similar pair."""
    positions, pairs = limit
    distance = np.abs(positions - position).max(axis=1)
    closest = int(distance.argmin())
    return bool(
        distance[closest] < 1.5 * _STEP and PAIRS.distance(pairs[closest], pair) < _LARGEST_MOVE
    )


def _follow(pairs: Array, positions: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return the minima near pairs (k, 4) at other positions, and whether there are any."""
    moved, _ = PAIRS.minimize(pairs, *positions.T)
    smallest = np.linalg.eigvalsh(PAIRS.derivatives(moved, *positions.T).hessian)[:, 0]
    return moved, (np.abs(moved - pairs).max(axis=1) < _LARGEST_MOVE) & (smallest > 0)


def _is_long(pair: Array) -> bool:
    return bool(np.abs(pair[:2]).min() > _SHORTEST)
