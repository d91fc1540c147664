"""Boundaries of linear models: curves on which the m-th and the next component change places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from phasediagram.catalogue.components import Components, require_components
from phasediagram.lines.curves import passes
from phasediagram.lines.systems import Equations, Residual, System
from phasediagram.lines.tracer import Domain, correct, follow
from phasediagram.minima.symmetry import plane_engine
from phasediagram.naming.phases import distinct_names, phase_of
from phasediagram.parameters import Plane
from phasediagram.results import Boundary, PhaseBoundaries, SpecialPoint, Unresolved

Array = NDArray[np.float64]

_NODES = 96  # of the grid on whose edges crossings are looked for, along each axis
_SAME = 1e-10  # relative difference of variances that are equal
_STEP = 1e-6  # of differences by position
_ASIDE = 1e-4  # how far beside a curve it is seen what is kept
_BEYOND = 2e-3  # how far beyond a triple point the curve is taken up again
_SAME_PLACE = 1e-8
TRIPLE_POINT = "triple point"


class Crossing(Equations):
    """Two components have the same variance: y = position."""

    def __init__(self, components: Components, first: int, second: int, m: int) -> None:
        super().__init__(plane_engine(components.plane, m), components.plane)
        self.components, self.pair = components, (first, second)

    def states(self, y: Array) -> tuple[Array, ...]:
        return ()

    def difference(self, positions: Array, first: int, second: int) -> Array:
        """Return the difference of two variances as a share of their sum, at positions (k, 2)."""
        values = self.components.variances(positions)
        one, other = values[:, first], values[:, second]
        return np.asarray((one - other) / (one + other))

    def residual(self, y: Array) -> Residual:
        steps = _STEP * np.eye(2)
        places = np.array([y, *(y + steps), *(y - steps)])
        value = self.difference(places, *self.pair)
        return Residual(value[:1], ((value[1:3] - value[3:]) / (2 * _STEP))[None])


@dataclass
class Meeting:
    """A third component's variance reaches that of the two."""

    third: int
    kind: str = TRIPLE_POINT

    def __call__(self, system: System, y: Array) -> float:
        """Return the difference of the variances of the third and of the first."""
        assert isinstance(system, Crossing)
        return float(system.difference(y[None], self.third, system.pair[0])[0])


@dataclass(frozen=True)
class Piece:
    """A piece of a curve on which two components cross."""

    pair: tuple[int, int]
    positions: Array
    ends: tuple[str, str]


def crossings(plane: Plane, m: int, domain: Domain) -> PhaseBoundaries:
    """Return the boundaries of a linear model in a window.

    Raises
    ------
    ValueError
        If its minima have no closed form.
    """
    require_components(plane)
    return _Map(Components(plane), m, domain).result()


@dataclass(frozen=True)
class _Map:
    components: Components
    m: int
    domain: Domain

    @cached_property
    def grid(self) -> tuple[Array, Array]:
        """Positions of the grid, (N, N, 2), and the variances there, (N, N, n)."""
        sides = [
            np.linspace(low, high, _NODES)
            for low, high in zip(self.domain.lower, self.domain.upper, strict=True)
        ]
        positions = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1)
        flat = positions.reshape(-1, 2)
        return positions, self.components.variances(flat).reshape(_NODES, _NODES, -1)

    @cached_property
    def different(self) -> list[int]:
        """One of each set of components whose variances are equal all over the window."""
        values = self.grid[1]
        found: list[int] = []
        for k in range(values.shape[-1]):
            if not any(np.allclose(values[..., k], values[..., j], _SAME, 0.0) for j in found):
                found.append(k)
        return found

    def result(self) -> PhaseBoundaries:
        plane = self.components.plane
        pieces = [piece for pair in self._pairs() for piece in self._trace(*pair)]
        counted = [piece for piece in pieces if self._is_boundary(piece)]
        boundaries = [self._boundary(piece) for piece in counted]
        lost = [
            (piece.positions[end], why)
            for piece in counted
            for end, why in zip((0, -1), piece.ends, strict=True)
            if why not in ("edge", "closed", TRIPLE_POINT)
        ]
        unresolved = []
        for position, why in lost:
            by_row, by_column = plane.values(position[None])
            unresolved.append(Unresolved(float(by_row[0]), float(by_column[0]), why))
        assert plane.axes
        return PhaseBoundaries(
            tuple(boundaries),
            self._points(counted, boundaries),
            plane.n,
            self.m,
            "free",
            unresolved=tuple(unresolved),
            model=plane.model,
            x=plane.axes[1],
            y=plane.axes[0],
            held=plane.held,
        )

    def _pairs(self) -> Iterator[tuple[int, int]]:
        """Yield pairs of components that cross: not those of one block, which avoid each other."""
        blocks = np.repeat(
            np.arange(len(self.components.blocks)), list(map(len, self.components.blocks))
        )
        for first, second in combinations(self.different, 2):
            if blocks[first] != blocks[second]:
                yield first, second

    def _trace(self, first: int, second: int) -> list[Piece]:
        others = [Meeting(k) for k in self.different if k not in (first, second)]
        pieces: list[Piece] = []
        seeds = list(self._seeds(first, second))
        while seeds:
            start, across = seeds.pop()
            if any(passes(piece.positions, start) is not None for piece in pieces):
                continue
            system = Crossing(self.components, first, second, self.m)
            begin = correct(system, start, across)
            if begin is None or self.domain.margin(begin) < -_SAME_PLACE:
                continue
            halves = []
            for sense in (1, -1):
                tangent = sense * system.tangent(begin)
                points, why = follow(system, begin, tangent, self.domain, others)
                halves.append((points, why))
                onwards = points[-1] - points[max(len(points) - 2, 0)]
                if why == TRIPLE_POINT and onwards.any():
                    onwards = onwards / np.linalg.norm(onwards)
                    seeds.append((points[-1] + _BEYOND * onwards, onwards))
                if why == "closed":
                    halves.append(([begin], why))
                    break
            (ahead, reason), (back, other) = halves
            pieces.append(Piece((first, second), np.array(back[::-1] + ahead[1:]), (other, reason)))
        return [piece for piece in pieces if np.ptp(piece.positions, axis=0).max() > _SAME_PLACE]

    def _seeds(self, first: int, second: int) -> Iterator[tuple[Array, Array]]:
        """Yield positions on edges of the grid at which the difference changes sign, and the edge's
        direction across which the curve is met."""
        positions, values = self.grid
        gap = values[..., first] - values[..., second]
        for axis in (0, 1):
            one, other = (np.take(gap, _but(axis, end), axis) for end in (-1, 0))
            places = np.argwhere((one * other < 0) | ((one == 0) & (other != 0)))
            for place in places:
                beyond = place + np.eye(2, dtype=int)[axis]
                share = one[tuple(place)] / (one[tuple(place)] - other[tuple(place)])
                start, stop = positions[tuple(place)], positions[tuple(beyond)]
                yield start + share * (stop - start), np.eye(2)[1 - axis]

    def _is_boundary(self, piece: Piece) -> bool:
        """Whether the m-th component is one of those that cross."""
        values = self.components.variances(_middle(piece)[None])[0]
        here = values[piece.pair[0]]
        above = int((values > here * (1 + _SAME)).sum())
        as_large = int((np.abs(values - here) <= here * _SAME).sum())
        return above < self.m < above + as_large

    def _sides(self, piece: Piece) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return what is kept where the first component's variance is larger, and beyond."""
        middle = _middle(piece)
        slope = Crossing(self.components, *piece.pair, self.m).residual(middle).jacobian[0]
        aside = _ASIDE * slope / np.linalg.norm(slope)
        return self.components.kept(middle + aside), self.components.kept(middle - aside)

    def _boundary(self, piece: Piece) -> Boundary:
        plane = self.components.plane
        first, second = self._sides(piece)
        by_row, by_column = plane.values(piece.positions)
        values = self.components.variances(piece.positions)
        loss = values.sum(axis=1) - values[:, first].sum(axis=1)

        def excess(positions: Array) -> Array:
            at = self.components.variances(positions)
            return np.asarray(at[:, second].sum(axis=1) - at[:, first].sum(axis=1))

        steps = _STEP * np.eye(2)
        slope = [excess(piece.positions + s) - excess(piece.positions - s) for s in steps]
        jump = np.stack(slope, axis=1) / (2 * _STEP) / plane.slopes(piece.positions)
        names = self._names(first, second, _middle(piece))
        return Boundary(by_row, by_column, names, 1, "equilibrium", loss, jump, piece.ends)

    def _names(
        self, first: NDArray[np.intp], second: NDArray[np.intp], position: Array
    ) -> tuple[str, ...]:
        density = float(self.components.plane.naming_densities(position[None])[0])
        W = [self.components.weights(kept, position) for kept in (first, second)]
        names = [phase_of(weights, density) for weights in W]
        if names[0] == names[1]:
            names = [str(name) for name in distinct_names(np.array(W), density)]
        return tuple(names)

    def _points(self, pieces: list[Piece], boundaries: list[Boundary]) -> tuple[SpecialPoint, ...]:
        found: list[tuple[Array, list[str]]] = []
        for piece, boundary in zip(pieces, boundaries, strict=True):
            for end, why in zip((0, -1), piece.ends, strict=True):
                if why != TRIPLE_POINT:
                    continue
                place = piece.positions[end]
                known = next((p for q, p in found if np.abs(q - place).max() < _SAME_PLACE), None)
                if known is None:
                    found.append((place, known := []))
                known += [name for name in boundary.phases if name not in known]
        points = []
        for place, phases in found:
            by_row, by_column = self.components.plane.values(place[None])
            points.append(
                SpecialPoint(float(by_row[0]), float(by_column[0]), TRIPLE_POINT, tuple(phases))
            )
        return tuple(sorted(points, key=lambda point: (point.density, point.relative_importance)))


def _middle(piece: Piece) -> Array:
    return np.asarray(piece.positions[len(piece.positions) // 2])


def _but(axis: int, end: int) -> NDArray[np.intp]:
    """Return indices along an axis of the grid without the first (0) or the last (-1)."""
    return np.arange(_NODES - 1) if end == -1 else np.arange(1, _NODES)
