"""The faces into which curves divide a rectangle.

Curves meet at shared ends only.  Each piece of curve between two vertices is a pair of half-edges;
around a vertex half-edges follow each other by angle, and walking along them, always turning
sharply left of where one came from, goes around a face.  A curve that ends inside a face is
walked along both sides (de Berg et al. 2008, *Computational Geometry*, chapter 2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from phasediagram.regions.clipping import clipped
from phasediagram.regions.crossing import SAME, crossings, distance_to_line

Array = NDArray[np.float64]

BESIDE = 2e-5  # distance of an end to a curve on which it lies, whose chords cut corners


@dataclass(frozen=True)
class Side:
    """One side of a curve: the left one, seen along it, or the right one."""

    curve: int
    left: bool


@dataclass(frozen=True)
class Face:
    """A region without curves inside.

    Attributes
    ----------
    outline : ndarray, shape (k, 2)
        Counterclockwise, the first point not repeated.
    holes : tuple of ndarray, shape (k, 2)
        Clockwise.
    sides : frozenset of Side
        The sides of curves that bound it.
    """

    outline: Array
    holes: tuple[Array, ...]
    sides: frozenset[Side]

    @property
    def area(self) -> float:
        return sum(_area(loop) for loop in (self.outline, *self.holes))


@dataclass(frozen=True)
class LooseEnd:
    """An end of a curve inside the rectangle that meets no other: 0 the first, -1 the last."""

    curve: int
    end: int
    position: Array
    direction: Array


@dataclass(frozen=True)
class Arrangement:
    """The faces, the ends that meet nothing, and the places where curves cross."""

    faces: tuple[Face, ...]
    loose_ends: tuple[LooseEnd, ...]
    crossings: tuple[Array, ...]


@dataclass(frozen=True)
class _Edge:
    points: Array
    curve: int | None  # None for the rectangle's border


def arrange(
    curves: list[Array], lower: Array, upper: Array, loose: set[tuple[int, int]] | None = None
) -> Arrangement:
    """Divide a rectangle by curves.

    Parameters
    ----------
    curves : list of ndarray, shape (k, 2)
        Polylines, also beyond the rectangle.  They may meet at their ends, or end on another.
    lower, upper : ndarray, shape (2,)
        Corners of the rectangle.
    loose : set of (int, int), optional
        Curve and end (0 or -1) of those that end inside a face, and are on no other curve.

    Returns
    -------
    Arrangement
    """
    edges = [
        _Edge(_on_border(piece, lower, upper), index)
        for index, curve in enumerate(curves)
        for piece in clipped(curve, lower, upper)
        if np.ptp(piece, axis=0).max() >= SAME  # what begins and ends in one point divides nothing
    ]
    edges = _split_where_others_end(edges, lower, upper, curves, loose or set())
    edges += _border(edges, lower, upper)
    ends = np.array([edge.points[[0, -1]] for edge in edges]).reshape(-1, 2)
    vertex_of_end = _grouped(ends)
    loops = list(_loops(edges, vertex_of_end))
    faces = tuple(_faces(edges, loops))
    degree = np.bincount(vertex_of_end)
    loose_ends = tuple(
        _loose_end(edge, end)
        for k, edge in enumerate(edges)
        for end in (0, -1)
        if degree[vertex_of_end[2 * k - end]] == 1
    )
    crossed = [
        place
        for k, edge in enumerate(edges)
        for other in edges[k + 1 :]
        for place in crossings(edge.points, other.points)
    ]
    return Arrangement(faces, loose_ends, tuple(crossed))


def _on_border(points: Array, lower: Array, upper: Array) -> Array:
    """Return a curve whose ends are exactly on the border if they are so up to rounding."""
    moved = points.copy()
    for end in (0, -1):
        for limit in (lower, upper):
            near = np.abs(moved[end] - limit) < SAME
            moved[end, near] = limit[near]
    return moved


def _is_on_border(point: Array, lower: Array, upper: Array) -> bool:
    return bool(((point == lower) | (point == upper)).any())


def _split_where_others_end(
    edges: list[_Edge],
    lower: Array,
    upper: Array,
    curves: list[Array],
    loose: set[tuple[int, int]],
) -> list[_Edge]:
    """Split curves at ends of others that lie on them, and meet no end."""
    ends = np.array([edge.points[[0, -1]] for edge in edges]).reshape(-1, 2)
    if not len(ends):
        return edges
    alone = np.bincount(_grouped(ends))[_grouped(ends)] == 1
    for k, end in enumerate(ends):
        edge = edges[k // 2]
        assert edge.curve is not None
        original = curves[edge.curve]
        is_loose = any((end == original[e]).all() and (edge.curve, e) in loose for e in (0, -1))
        if not alone[k] or is_loose or _is_on_border(end, lower, upper):
            continue
        found = _nearest_curve(edges, k // 2, end)
        if found is not None:
            other, segment = found
            points = edges[other].points
            edges = [
                *edges[:other],
                _Edge(np.vstack([points[: segment + 1], end]), edges[other].curve),
                *edges[other + 1 :],
                _Edge(np.vstack([end, points[segment + 1 :]]), edges[other].curve),
            ]
    return edges


def _nearest_curve(edges: list[_Edge], own: int, end: Array) -> tuple[int, int] | None:
    """Return the curve, and its segment, on which the end of another lies."""
    best, found = BESIDE, None
    for other, edge in enumerate(edges):
        if other == own or len(edge.points) < 2:
            continue
        distance, segment = distance_to_line(edge.points, end)
        if distance < best:
            best, found = distance, (other, segment)
    return found


def _border(edges: list[_Edge], lower: Array, upper: Array) -> Iterator[_Edge]:
    """Yield the border counterclockwise, split where curves end on it."""
    corners = np.array([lower, [upper[0], lower[1]], upper, [lower[0], upper[1]]])
    ends = np.array([edge.points[[0, -1]] for edge in edges]).reshape(-1, 2)
    for k in range(4):
        start, stop = corners[k], corners[(k + 1) % 4]
        fixed, free = (1, 0) if k % 2 == 0 else (0, 1)
        here = ends[ends[:, fixed] == start[fixed]] if len(ends) else ends
        cuts = np.unique(np.concatenate([[start[free], stop[free]], here[:, free]]))
        cuts = cuts[np.concatenate([[True], np.diff(cuts) > SAME])]
        if stop[free] < start[free]:
            cuts = cuts[::-1]
        points = np.empty((len(cuts), 2))
        points[:, fixed], points[:, free] = start[fixed], cuts
        for first, last in pairwise(points):
            yield _Edge(np.array([first, last]), None)


def _grouped(ends: Array) -> NDArray[np.intp]:
    """Return for each end the number of its vertex; ends that coincide share one."""
    far = np.abs(ends[:, None] - ends[None]).max(axis=2)
    first = (far < SAME).argmax(axis=1)
    return np.unique(first, return_inverse=True)[1]


def _loops(edges: list[_Edge], vertex_of_end: NDArray[np.intp]) -> Iterator[list[int]]:
    """Yield the half-edges around each face: 2 k along edge k, 2 k + 1 against it."""
    following = np.empty(2 * len(edges), dtype=int)
    for vertex in range(vertex_of_end.max() + 1):
        leaving = np.flatnonzero(vertex_of_end == vertex)  # half-edge h leaves from end h
        around = leaving[np.argsort(_angles([_directed(edges, int(h)) for h in leaving]))]
        # arriving against a half-edge, the next one clockwise keeps the face on the left
        following[around ^ 1] = np.roll(around, 1)
    left = set(range(2 * len(edges)))
    while left:
        half = min(left)
        loop = []
        while half in left:
            left.remove(half)
            loop.append(half)
            half = int(following[half])
        yield loop


def _directed(edges: list[_Edge], half: int) -> Array:
    points = edges[half // 2].points
    return points if half % 2 == 0 else points[::-1]


def _angles(lines: list[Array]) -> Array:
    """Return at what angles lines leave a vertex, in the order in which they cross a circle.

    Lines that do not cross each other cross a circle in the order in which they leave its centre,
    also where they are tangent there.
    """
    away = [np.linalg.norm(line - line[0], axis=1) for line in lines]
    radius = 0.5 * min(float(far.max()) for far in away)
    angles = []
    for line, far in zip(lines, away, strict=True):
        k = int((far >= radius).argmax())
        share = (radius - far[k - 1]) / (far[k] - far[k - 1])
        x, y = line[k - 1] + share * (line[k] - line[k - 1]) - line[0]
        angles.append(np.arctan2(y, x))
    return np.array(angles)


def _faces(edges: list[_Edge], loops: list[list[int]]) -> Iterator[Face]:
    outlines = [np.vstack([_directed(edges, half)[:-1] for half in loop]) for loop in loops]
    areas = np.array([_area(outline) for outline in outlines])
    outside = int(areas.argmin())  # the rectangle, from outside
    bodies = [k for k in range(len(loops)) if k != outside and areas[k] > SAME**2]
    holes: dict[int, list[int]] = {k: [] for k in bodies}
    for k in range(len(loops)):
        if k == outside or k in holes:
            continue
        around = [body for body in bodies if contains(outlines[body], outlines[k][0])]
        around = [body for body in around if not set(loops[k]) & {h ^ 1 for h in loops[body]}]
        if around:
            holes[min(around, key=lambda body: areas[body])].append(k)
    for body, inner in holes.items():
        sides = set()
        for half in (half for k in (body, *inner) for half in loops[k]):
            curve = edges[half // 2].curve
            if curve is not None:
                sides.add(Side(curve, left=half % 2 == 0))
        yield Face(outlines[body], tuple(outlines[k] for k in inner), frozenset(sides))


def _area(loop: Array) -> float:
    x, y = (loop - loop[0]).T
    return float(0.5 * (x * np.roll(y, -1) - y * np.roll(x, -1)).sum())


def contains(loop: Array, place: Array) -> bool:
    """Whether a polygon contains a place: a ray from it to the right crosses it an odd number."""
    x, y = (loop - place).T
    after_x, after_y = np.roll(x, -1), np.roll(y, -1)
    crosses = (y > 0) != (after_y > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = x - y * (after_x - x) / (after_y - y)
    return bool((crosses & (at > 0)).sum() % 2)


def _loose_end(edge: _Edge, end: int) -> LooseEnd:
    assert edge.curve is not None
    points = edge.points if end == -1 else edge.points[::-1]
    far = np.linalg.norm(points - points[-1], axis=1)
    # not the last chord, which can be as short as rounding
    before = points[np.flatnonzero(far >= min(0.01, far.max()))[-1]]
    along = points[-1] - before
    return LooseEnd(edge.curve, end, points[-1], along / np.linalg.norm(along))
