"""Weights turned so that those of one phase always look alike.

Rotations and reflections of the hidden space change nothing in the model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SMALLEST_NORM = 1e-12


def upright(W: Array) -> Array:
    """Return W turned so that the longest of the other features points along the first axis.

    With two hidden dimensions it is also reflected so that what is farthest off that axis
    points up.

    Parameters
    ----------
    W : ndarray, shape (..., m, n)
        m is 1 or 2; the last feature is the extra one.

    Returns
    -------
    ndarray, shape (..., m, n)
    """
    norms = np.linalg.norm(W[..., :-1], axis=-2)
    first = np.take_along_axis(W, norms.argmax(axis=-1)[..., None, None], axis=-1)
    along = first / np.maximum(norms.max(axis=-1), _SMALLEST_NORM)[..., None, None]
    if W.shape[-2] == 1:
        return np.asarray(np.where(along < 0, -1.0, 1.0) * W)
    x, y = along[..., 0, :], along[..., 1, :]
    across = x * W[..., 1, :] - y * W[..., 0, :]
    farthest = np.abs(across).argmax(axis=-1)[..., None]
    up = np.where(np.take_along_axis(across, farthest, axis=-1) < 0, -1.0, 1.0)
    return np.stack([x * W[..., 0, :] + y * W[..., 1, :], up * across], axis=-2)
