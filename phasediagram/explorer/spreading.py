"""All minima at every point of a grid, from those at some of its points.

Minima are searched at some points.  From each the minima descend to the neighbouring points;
what is new there descends to its neighbours, until nothing is new.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.minima.engine import Engine
from phasediagram.minima.following import FLAT
from phasediagram.minima.search import search
from phasediagram.naming.geometry import is_silent
from phasediagram.parameters import Parameters, Plane
from phasediagram.progress import Progress

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Points = NDArray[np.intp]

_STARTS = 200  # of the search at one point
_SEARCHED_ALONG = 9  # points along each axis at which minima are searched, at most
_RADIUS = 0.1  # first trust radius of a descent from a neighbour
_PUSH = 1e-3  # off saddles
_CONVERGED = 1e3  # times the tolerance of the gradient: where rounding stops a descent
_SAME_STATE = 1e-4  # largest difference of W^T W and b of two copies of one state
_SAME_LOSS = 1e-6  # relative; of copies, generously
_EIGENVECTORS = 2  # from which the softest direction is searched, next to the neighbour's
_NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0))
_SEARCHING = 0.3  # share of the work, before spreading
_FADING = 0.95  # share of the remaining work that remains after a round


@dataclass(frozen=True)
class Candidates:
    """States that may be minima.

    Attributes
    ----------
    point : ndarray of int, shape (k,)
    x : ndarray, shape (k, d)
    loss : ndarray, shape (k,)
    direction : ndarray, shape (k, d)
        Along which the minimum from which each comes is softest.
    """

    point: Points
    x: Array
    loss: Array
    direction: Array

    def __getitem__(self, rows: Flags | Points) -> Candidates:
        return Candidates(self.point[rows], self.x[rows], self.loss[rows], self.direction[rows])

    def __len__(self) -> int:
        return len(self.point)

    def followed_by(self, other: Candidates) -> Candidates:
        """Return both, one after the other."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__annotations__)
        return Candidates(*(np.concatenate(pair) for pair in pairs))


class Spread:
    """The minima found so far at every point of a grid.

    Parameters
    ----------
    engine : Engine
        Features are equal but for the last one.
    shape : tuple of int
        Numbers of densities and of relative importances.
    positions : ndarray, shape (points, 2)
        (log density, log relative importance) of every point, row after row.
    """

    def __init__(self, engine: Engine, shape: tuple[int, int], positions: Array) -> None:
        self._engine, self._shape = engine, shape
        plane = Plane(engine.space.n)
        self._tables, self._importances, self._tolerances = plane.many(positions)
        nothing = np.zeros(0, dtype=np.intp), *(np.zeros((0, engine.space.size)),) * 2
        self.minima = Candidates(nothing[0], nothing[1], np.zeros(0), nothing[2])
        self._of_point: list[list[tuple[float, Array]]] = [[] for _ in positions]

    def add_known(self, point: Points, x: Array) -> None:
        """Add states that are known to be minima."""
        self._accept(self._with_losses(point, x, np.zeros_like(x)))

    def search(self, rng: np.random.Generator, progress: Progress | None) -> None:
        """Search some points, and spread what is found until nothing is new."""
        rows, columns = (
            np.unique(np.linspace(0, length - 1, min(length, _SEARCHED_ALONG)).round().astype(int))
            for length in self._shape
        )
        searched = np.add.outer(rows * self._shape[1], columns).ravel().tolist()
        for done, point in enumerate(searched, start=1):
            found = search(self._engine, self._parameters(point), _STARTS, rng)
            x = np.array([state.x for state in found]).reshape(-1, self._engine.space.size)
            direction = np.array([state.direction for state in found]).reshape(x.shape)
            here = self._with_losses(np.full(len(x), point), x, direction)
            self._accept(here[self._unknown(here)])
            if progress is not None:
                progress(_SEARCHING * done / len(searched))
        self._spread(progress)

    def _spread(self, progress: Progress | None) -> None:
        remaining = 1 - _SEARCHING
        new = self.minima
        while len(new):
            new = self._minima_among(self._at_neighbours(new))
            remaining *= _FADING
            if progress is not None:
                progress(1 - remaining)
        if progress is not None:
            progress(1.0)

    def _parameters(self, point: int) -> Parameters:
        return Parameters(self._tables[point], self._importances[point])

    def _at_neighbours(self, states: Candidates) -> Candidates:
        """Return states as starts at the neighbours of their points."""
        row, column = np.divmod(states.point, self._shape[1])
        starts = []
        for step in _NEIGHBOURS:
            to_row, to_column = row + step[0], column + step[1]
            inside = (to_row >= 0) & (to_row < self._shape[0])
            inside &= (to_column >= 0) & (to_column < self._shape[1])
            point = (to_row * self._shape[1] + to_column)[inside]
            kept = states[inside]
            starts.append(Candidates(point, kept.x, kept.loss, kept.direction))
        return _all(starts)

    def _minima_among(self, starts: Candidates) -> Candidates:
        """Descend from starts, add the minima that are new, and return those."""
        found = starts[np.zeros(0, dtype=np.intp)]
        radius = _RADIUS
        while len(starts):
            ends = self._descended(starts, radius)
            ends = ends[self._unknown(ends)]
            curvature, direction = self._softest(ends)
            active = 1.0 - self._tables[ends.point, 0]
            minimal = curvature > FLAT * active
            ends = Candidates(ends.point, ends.x, ends.loss, direction)
            self._accept(ends[minimal])
            found = found.followed_by(ends[minimal])
            saddles = ends[~minimal]
            self._know(saddles)
            starts, radius = _pushed(saddles), _PUSH
        return found

    def _descended(self, starts: Candidates, radius: float) -> Candidates:
        """Return the stationary states to which starts lead, without plateaus."""
        place = starts.point
        tolerance = self._tolerances[place]
        ends = self._engine.minimize(
            starts.x, self._tables[place], self._importances[place], tolerance, radius=radius
        )
        space = self._engine.space
        good = ends.slope < _CONVERGED * tolerance
        good &= ~is_silent(space.weights(ends.x), space.biases(ends.x))
        return Candidates(place, ends.x, ends.loss, starts.direction)[good]

    def _with_losses(self, point: Points, x: Array, direction: Array) -> Candidates:
        losses = [
            self._engine.slope(state, self._parameters(place))[0]
            for place, state in zip(point.tolist(), x, strict=True)
        ]
        return Candidates(point, x, np.array(losses), direction)

    def _unknown(self, states: Candidates) -> Points:
        """Return which states are new to their points, one of those that are the same."""
        signatures = self._engine.space.signature(states.x)
        kept: list[int] = []
        here: dict[int, list[tuple[float, Array]]] = {}
        for k, (point, loss) in enumerate(
            zip(states.point.tolist(), states.loss.tolist(), strict=True)
        ):
            of_batch = here.setdefault(point, [])
            if not self._among(self._of_point[point], loss, signatures[k]) and not self._among(
                of_batch, loss, signatures[k]
            ):
                kept.append(k)
                of_batch.append((loss, self._engine.space.copies(signatures[k])))
        return np.array(kept, dtype=np.intp)

    def _among(self, known: list[tuple[float, Array]], loss: float, signature: Array) -> bool:
        return any(
            abs(other - loss) <= _SAME_LOSS * loss
            and bool(np.abs(copies - signature).max(axis=(-1, -2)).min() < _SAME_STATE)
            for other, copies in known
        )

    def _know(self, states: Candidates) -> None:
        signatures = self._engine.space.signature(states.x)
        for point, loss, signature in zip(
            states.point.tolist(), states.loss.tolist(), signatures, strict=True
        ):
            self._of_point[point].append((loss, self._engine.space.copies(signature)))

    def _accept(self, states: Candidates) -> None:
        self._know(states)
        self.minima = self.minima.followed_by(states)

    def _softest(self, states: Candidates) -> tuple[Array, Array]:
        """Return the smallest curvature of each state and its direction."""
        curvature, direction = np.empty(len(states)), np.empty_like(states.x)

        def examine(k: int) -> None:
            curvature[k], direction[k] = self._engine.softest(
                states.x[k],
                self._parameters(states.point[k]),
                states.direction[k : k + 1],
                _EIGENVECTORS,
            )

        _for_each(examine, len(states), self._engine.threads)
        return curvature, direction


def _for_each(function: Callable[[int], None], count: int, threads: int) -> None:
    def several(numbers: Points) -> None:
        for number in numbers.tolist():
            function(number)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(several, np.array_split(np.arange(count), threads)))


def _pushed(saddles: Candidates) -> Candidates:
    """Return starts on both sides of saddles, along their softest directions."""
    return _all(
        [
            Candidates(
                saddles.point, saddles.x + push * saddles.direction, saddles.loss, saddles.direction
            )
            for push in (_PUSH, -_PUSH)
        ]
    )


def _all(parts: list[Candidates]) -> Candidates:
    first, *others = parts
    for other in others:
        first = first.followed_by(other)
    return first
