"""What of polylines is inside a rectangle."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def clipped(line: Array, lower: Array, upper: Array) -> list[Array]:
    """Return the pieces of a polyline inside a rectangle, their cut ends exactly on its border.

    Parameters
    ----------
    line : ndarray, shape (k, 2)
    lower, upper : ndarray, shape (2,)
        Corners of the rectangle.

    Returns
    -------
    list of ndarray, shape (j, 2)
        In the order of the line; a piece that only touches the rectangle is left out.
    """
    if (line >= lower).all() and (line <= upper).all():
        return [line]
    pieces: list[list[Array]] = []
    for start, stop in pairwise(line):
        shares = _shares_inside(start, stop, lower, upper)
        if shares is None:
            continue
        ends = [np.clip(start + share * (stop - start), lower, upper) for share in shares]
        ends = [start if shares[0] == 0 else ends[0], stop if shares[1] == 1 else ends[1]]
        if pieces and shares[0] == 0 and (pieces[-1][-1] == start).all():
            pieces[-1].append(ends[1])
        else:
            pieces.append(ends)
    return [np.array(piece) for piece in pieces if np.ptp(piece, axis=0).max() > 0]


def _shares_inside(
    start: Array, stop: Array, lower: Array, upper: Array
) -> tuple[float, float] | None:
    """Return between which shares of its length a segment is inside (Liang and Barsky 1984)."""
    first, last = 0.0, 1.0
    for k in range(2):
        along = stop[k] - start[k]
        for room, speed in ((start[k] - lower[k], along), (upper[k] - start[k], -along)):
            if speed == 0:
                if room < 0:
                    return None
            elif speed > 0:
                first = max(first, -room / speed)
            else:
                last = min(last, -room / speed)
    return (first, last) if first < last else None
