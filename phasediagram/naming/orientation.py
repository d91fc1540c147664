"""Weights turned so that those of one phase always look alike.

Rotations and reflections of the hidden space change nothing in the model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SMALLEST_NORM = 1e-6  # a direction with a smaller norm counts as none


def upright(W: Array, first: int | None = None) -> Array:
    """Return W turned so that one feature points along the first axis.

    With two hidden dimensions it is also reflected so that what is farthest off that axis
    points up.

    Parameters
    ----------
    W : ndarray, shape (..., m, n)
        m is 1 or 2; the last feature is the extra one.
    first : int, optional
        Which feature; by default the longest but for the extra one.  If it has no direction,
        the longest of all is taken.

    Returns
    -------
    ndarray, shape (..., m, n)
    """
    norms = np.linalg.norm(W, axis=-2)
    chosen = norms[..., :-1].argmax(axis=-1) if first is None else np.full(norms.shape[:-1], first)
    length = np.take_along_axis(norms, chosen[..., None], axis=-1)[..., 0]
    chosen = np.where(length > _SMALLEST_NORM, chosen, norms.argmax(axis=-1))
    x = np.take_along_axis(W[..., 0, :], chosen[..., None], axis=-1)
    if W.shape[-2] == 1:
        return np.asarray(np.where(x < 0, -1.0, 1.0)[..., None] * W)
    y = np.take_along_axis(W[..., 1, :], chosen[..., None], axis=-1)
    length = np.maximum(np.hypot(x, y), np.finfo(float).tiny)  # 0 only if W is
    x, y = x / length, y / length
    across = x * W[..., 1, :] - y * W[..., 0, :]
    farthest = np.abs(across).argmax(axis=-1)[..., None]
    up = np.where(np.take_along_axis(across, farthest, axis=-1) < 0, -1.0, 1.0)
    return np.stack([x * W[..., 0, :] + y * W[..., 1, :], up * across], axis=-2)
