"""Polylines between traced points, so fine that their chords are not seen, and do not cross."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from phasediagram.regions.crossing import crossings

Array = NDArray[np.float64]

SAGITTA = 2e-6  # height of an arc above its chord: a millionth of a figure's width or less
_APART = 1e-5  # of points that a spline goes through: tracing ends on a node in smaller steps
_FINER = (4, 16)  # times as many points, where chords of two curves cross


def smoothed(lines: list[Array]) -> list[Array]:
    """Return polylines through the points of others, finer, that cross only where curves do.

    Parameters
    ----------
    lines : list of ndarray, shape (k, 2)

    Returns
    -------
    list of ndarray, shape (j, 2)
        With the same ends, to the last bit.
    """
    fine = [refined(line) for line in lines]
    for times in _FINER:
        crossing = {
            index
            for k, line in enumerate(fine)
            for j in range(k + 1, len(fine))
            if len(crossings(line, fine[j]))
            for index in (k, j)
        }
        if not crossing:
            break
        for k in crossing:
            fine[k] = refined(lines[k], times)
    return fine


def refined(line: Array, times: int = 1) -> Array:
    """Return a polyline on a cubic spline through a line's points, its arcs below `SAGITTA`."""
    points = _apart(line)
    if len(points) < 3:
        return line[[0, -1]]
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    spline = CubicSpline(along, points)
    bend = np.abs(spline(along, 2)).max(axis=1)
    height = np.maximum(bend[:-1], bend[1:]) * lengths**2 / 8
    count = np.ceil(np.sqrt(height / SAGITTA)).clip(1, 64).astype(int) * times
    at = [
        np.linspace(start, stop, k, endpoint=False)
        for start, stop, k in zip(along[:-1], along[1:], count.tolist(), strict=True)
    ]
    fine = spline(np.concatenate([*at, along[-1:]]))
    fine[[0, -1]] = line[[0, -1]]
    return np.asarray(fine)


def _apart(line: Array) -> Array:
    """Return a line without points that are next to the one before, or to its last."""
    kept = [line[0]]
    for point in line[1:-1]:
        near = min(np.abs(point - kept[-1]).max(), np.abs(point - line[-1]).max())
        if near > _APART:
            kept.append(point)
    return np.array([*kept, line[-1]])
