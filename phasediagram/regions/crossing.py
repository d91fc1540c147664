"""Where polylines cross, and how far they are from a place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SAME = 1e-8  # distance of ends that are the same vertex: a hundred times the error of curves
_THIN = 1e-7  # distance of curves below which their points' errors make them cross
_BLOCK = 32  # segments whose bounding boxes are compared first


def distance_to_line(points: Array, place: Array) -> tuple[float, int]:
    """Return the distance of a place to a polyline, and which segment is the nearest."""
    start, along = points[:-1], np.diff(points, axis=0)
    square = np.maximum((along**2).sum(axis=1), np.finfo(float).tiny)
    share = np.clip(((place - start) * along).sum(axis=1) / square, 0, 1)
    far = np.linalg.norm(start + share[:, None] * along - place, axis=1)
    nearest = int(far.argmin())
    return float(far[nearest]), nearest


def crossings(line: Array, other: Array) -> list[Array]:
    """Return where two polylines cross.

    Parameters
    ----------
    line, other : ndarray, shape (k, 2)

    Returns
    -------
    list of ndarray, shape (2,)
        Without places at an end of either, and without those between which the polylines are so
        near to each other that rounding makes them cross.
    """
    found = sorted(_hits(line, other), key=lambda hit: hit[0])
    ends = np.vstack([line[[0, -1]], other[[0, -1]]])
    found = [hit for hit in found if np.abs(ends - hit[1]).max(axis=1).min() > SAME]
    shared = [np.abs(other[[0, -1]] - line[end]).max(axis=1).min() < SAME for end in (0, -1)]
    stops = [-1.0 if shared[0] else None, *(at for at, _ in found)]
    stops.append(float(len(line)) if shared[1] else None)
    kept = []
    for k, (_, place) in enumerate(found, 1):
        beside = [stops[k - 1 : k + 1], stops[k : k + 2]]
        if not any(_is_thin(line, other, *pair) for pair in beside):
            kept.append(place)
    return kept


def _is_thin(line: Array, other: Array, start: float | None, stop: float | None) -> bool:
    """Whether a line is next to another all the way between two places."""
    if start is None or stop is None:
        return False
    between = line[max(int(start) + 1, 0) : min(int(stop) + 1, len(line))]
    return all(distance_to_line(other, place)[0] < _THIN for place in between)


def _hits(line: Array, other: Array) -> list[tuple[float, Array]]:
    """Return the crossings of segments: where along the first polyline, and the place."""
    boxes, other_boxes = _boxes(line), _boxes(other)
    apart = (boxes[0][:, None] > other_boxes[1][None]).any(axis=2) | (
        other_boxes[0][None] > boxes[1][:, None]
    ).any(axis=2)
    found = []
    for a, b in np.argwhere(~apart) * _BLOCK:
        start, stop = line[a : a + _BLOCK + 1], other[b : b + _BLOCK + 1]
        found += [(a + i + s, place) for i, s, place in _crossed(start, stop)]
    return found


def _boxes(line: Array) -> tuple[Array, Array]:
    starts = range(0, len(line) - 1, _BLOCK)
    blocks = [line[k : k + _BLOCK + 1] for k in starts]
    return (
        np.array([block.min(axis=0) for block in blocks]),
        np.array([block.max(axis=0) for block in blocks]),
    )


def _crossed(line: Array, other: Array) -> list[tuple[int, float, Array]]:
    p, q = line[:-1, None], other[None, :-1]
    u, v = np.diff(line, axis=0)[:, None], np.diff(other, axis=0)[None]
    cross = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    away = q - p
    with np.errstate(divide="ignore", invalid="ignore"):
        s = (away[..., 0] * v[..., 1] - away[..., 1] * v[..., 0]) / cross
        t = (away[..., 0] * u[..., 1] - away[..., 1] * u[..., 0]) / cross
        hit = (s >= 0) & (s < 1) & (t >= 0) & (t < 1)
    return [(int(i), float(s[i, j]), p[i, 0] + s[i, j] * u[i, 0]) for i, j in np.argwhere(hit)]
