"""Curves of equal losses: what is traced, and from where."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from phasediagram.lines.nodes import Node
from phasediagram.lines.systems import EqualLoss
from phasediagram.lines.tracer import correct
from phasediagram.minima.state import Space

Array = NDArray[np.float64]

_SHORT_CUT = 2e-3  # extent of a curve that is no more than a tie on the edge
_FEWEST = 9  # points of a curve
_OF_CHORD = 0.02  # how far from a chord a curve may be, as a share of it


@dataclass
class Curve:
    """A curve of equal losses.

    Attributes
    ----------
    points : list of ndarray
        y of `EqualLoss`: both states and the position.
    ends : list of (str, Node or None)
        What is at the first and at the last point.
    """

    points: list[Array]
    ends: list[tuple[str, Node | None]]

    @property
    def positions(self) -> Array:
        """Positions in the plane, shape (k, 2)."""
        return np.array([y[-2:] for y in self.points])

    def is_short_cut(self) -> bool:
        """Whether it leaves the domain where it enters it."""
        reach = np.ptp(self.positions, axis=0).max()
        return all(end == "edge" for end, _ in self.ends) and bool(reach < _SHORT_CUT)


@dataclass
class Seed:
    """Two states with nearly the same loss near a position, from which a curve is traced."""

    position: Array
    first: Array
    second: Array
    sense: Array | None = None  # follow only this way, from this node
    node: Node | None = None
    attempts: int = 2  # with a lower minimum instead, where there is one
    optional: bool = False  # whether there may be no curve


def is_same_pair(
    space: Space, pair: tuple[Array, ...], other: tuple[Array, ...], far: float
) -> bool:
    """Whether two pairs of states are the same in some order, but for a distance."""
    near = space.distances(np.array(pair), np.array(other)) < far
    return bool((near[0, 0] and near[1, 1]) or (near[0, 1] and near[1, 0]))


def refined(system: EqualLoss, points: list[Array]) -> list[Array]:
    """Return the points of a short curve with others between them, `_FEWEST` at least."""
    while 1 < len(points) < _FEWEST:
        denser = [points[0]]
        for before, after in pairwise(points):
            middle = correct(system, (before + after) / 2, after - before)
            if middle is None:
                return points
            denser += [middle, after]
        points = denser
    return points


def node_state(space: Space, node: Node, x: Array) -> Array:
    """Return the state of a node that is nearest to another state."""
    distances = space.distances(x[None], np.array(node.states))[0]
    return node.states[int(distances.argmin())]


def passes(positions: Array, position: Array, near: float = 1e-3) -> int | None:
    """Return the vertex of a polyline next to a position through which it passes, or None."""
    if len(positions) < 2:
        return None
    lowest, highest = positions.min(axis=0), positions.max(axis=0)
    margin = near + _OF_CHORD * float(np.linalg.norm(highest - lowest))
    if (position < lowest - margin).any() or (position > highest + margin).any():
        return None  # far from all of it
    start, along = positions[:-1], np.diff(positions, axis=0)
    square = (along**2).sum(axis=1)
    square[square == 0] = 1.0
    share = np.clip(((position - start) * along).sum(axis=1) / square, 0, 1)
    far = np.linalg.norm(start + share[:, None] * along - position, axis=1)
    nearest = int(far.argmin())
    if far[nearest] > near + _OF_CHORD * np.sqrt(square[nearest]):
        return None
    return nearest + int(share[nearest] > 0.5)
