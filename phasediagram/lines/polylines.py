"""Where polylines pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def passes(positions: Array, position: Array, near: float = 1e-3) -> int | None:
    """Return the vertex of a polyline next to a position through which it passes, or None."""
    if len(positions) < 2:
        return None
    start, along = positions[:-1], np.diff(positions, axis=0)
    square = (along**2).sum(axis=1)
    square[square == 0] = 1.0
    share = np.clip(((position - start) * along).sum(axis=1) / square, 0, 1)
    far = np.linalg.norm(start + share[:, None] * along - position, axis=1)
    nearest = int(far.argmin())
    if far[nearest] > near + 0.02 * np.sqrt(square[nearest]):
        return None
    return nearest + int(share[nearest] > 0.5)
