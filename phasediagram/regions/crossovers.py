"""Where two names of one phase meet, beyond the critical point at which their boundary ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.regions.arrangement import LooseEnd, contains
from phasediagram.regions.crossing import crossings

Array = NDArray[np.float64]

_POINTS = 17  # of a link


def crossovers(
    ends: list[LooseEnd], names: list[frozenset[str]], curves: list[Array], outline: Array
) -> list[Array]:
    """Return a line from each end of a boundary in a critical point.

    To the nearest end of a boundary between the same phases that it faces, as smoothly as
    possible; else straight on, to the first curve or to the border.

    Parameters
    ----------
    ends : list of LooseEnd
    names : list of frozenset of str
        The phases of each one's boundary.
    curves : list of ndarray, shape (k, 2)
        That may not be crossed.
    outline : ndarray, shape (k, 2)
        Of the rectangle.

    Returns
    -------
    list of ndarray, shape (k, 2)
    """
    lines: list[Array] = []
    left = list(range(len(ends)))
    while left:
        first = left.pop(0)
        facing = sorted(
            (float(np.linalg.norm(ends[k].position - ends[first].position)), k)
            for k in left
            if names[k] == names[first] and _face(ends[first], ends[k])
        )
        for _, k in facing:
            link = _link(ends[first], ends[k])
            if not any(crossings(link, curve) for curve in (*curves, *lines)):
                lines.append(link)
                left.remove(k)
                break
        else:
            lines.append(_straight_on(ends[first], [*curves, *lines], outline))
    return lines


def _face(first: LooseEnd, second: LooseEnd) -> bool:
    between = second.position - first.position
    return bool(first.direction @ between > 0 and second.direction @ between < 0)


def _link(first: LooseEnd, second: LooseEnd) -> Array:
    """Return a cubic that goes on in the direction of both ends."""
    far = np.linalg.norm(second.position - first.position)
    t = np.linspace(0, 1, _POINTS)[:, None]
    line = (
        (2 * t**3 - 3 * t**2 + 1) * first.position
        + (t**3 - 2 * t**2 + t) * far * first.direction
        + (3 * t**2 - 2 * t**3) * second.position
        - (t**3 - t**2) * far * second.direction
    )
    line[0], line[-1] = first.position, second.position
    return np.asarray(line)


def _straight_on(end: LooseEnd, curves: list[Array], outline: Array) -> Array:
    """Return a line to the first curve ahead."""
    reach = float(np.linalg.norm(np.ptp(outline, axis=0)))
    ray = np.array([end.position, end.position + reach * end.direction])
    border = np.vstack([outline, outline[:1]])
    found = [place for curve in (*curves, border) for place in crossings(ray, curve)]
    assert contains(outline, end.position)
    nearest = min(found, key=lambda place: float(np.linalg.norm(place - end.position)))
    return np.array([end.position, nearest])
