"""Points inside polygons, however thin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.regions.arrangement import Face

Array = NDArray[np.float64]

_TRIED = 64  # sides from whose middles a polygon is looked across
_STEPS = 12  # of rounds in which the best point is centred across itself


def inside(face: Face) -> Array:
    """Return a point of a face that is about as far from its sides as one can be.

    From the middle of a side, straight in, to the middle between it and the opposite one; the
    longest such chord wins, and is centred in turns across and along.
    """
    loops = (face.outline, *face.holes)
    starts = np.vstack(loops)
    stops = np.vstack([np.roll(loop, -1, axis=0) for loop in loops])
    length = np.linalg.norm(stops - starts, axis=1)
    sides = np.argsort(length)[::-1][:_TRIED]
    sides = sides[length[sides] > 0]
    every = np.linspace(0, len(starts) - 1, _TRIED).astype(int)
    sides = np.unique(np.concatenate([sides, every[length[every] > 0]]))
    best, place, across = 0.0, face.outline.mean(axis=0), np.array([1.0, 0.0])
    for side in sides:
        along = (stops[side] - starts[side]) / length[side]
        normal = np.array([-along[1], along[0]])  # outlines run with their inside on the left
        middle = (starts[side] + stops[side]) / 2
        far = _first_hit(middle, normal, starts, stops, skip=int(side))
        if np.isfinite(far) and far > best:
            best, place, across = far, middle + far / 2 * normal, normal
    for _ in range(_STEPS):
        across = np.array([-across[1], across[0]])
        ahead = _first_hit(place, across, starts, stops)
        behind = _first_hit(place, -across, starts, stops)
        if np.isfinite(ahead) and np.isfinite(behind):
            place = place + (ahead - behind) / 2 * across
    return np.asarray(place)


def _first_hit(
    place: Array, direction: Array, starts: Array, stops: Array, skip: int | None = None
) -> float:
    """Return how far the first side is, in a direction from a place."""
    along = stops - starts
    cross = direction[0] * along[:, 1] - direction[1] * along[:, 0]
    away = starts - place
    with np.errstate(divide="ignore", invalid="ignore"):
        far = (away[:, 0] * along[:, 1] - away[:, 1] * along[:, 0]) / cross
        share = (away[:, 0] * direction[1] - away[:, 1] * direction[0]) / cross
        hit = (share >= 0) & (share <= 1) & (far > 0)
    if skip is not None:
        hit[skip] = False
    return float(far[hit].min(initial=np.inf))
