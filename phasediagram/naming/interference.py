"""Which features interfere, at what angles, and how many dimensions each has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.phases import COSINE_TOLERANCE, NORM_TOLERANCE

Array = NDArray[np.float64]


def interfering_pairs(W: Array) -> tuple[tuple[int, int, float], ...]:
    """Return the features that are not orthogonal, and the angles between them.

    Parameters
    ----------
    W : ndarray, shape (m, n)

    Returns
    -------
    tuple of (int, int, float)
        Two features, counted from 0, and the angle between their directions in degrees.
    """
    unit, represented = _unit_directions(W)
    cosine = unit.T @ unit
    pairs = []
    for i, j in zip(*np.triu_indices(W.shape[1], 1), strict=True):
        if represented[i] and represented[j] and abs(cosine[i, j]) > COSINE_TOLERANCE:
            angle = float(np.degrees(np.arccos(np.clip(cosine[i, j], -1.0, 1.0))))
            pairs.append((int(i), int(j), angle))
    return tuple(pairs)


def dimensionalities(W: Array) -> Array:
    """Return how many dimensions each feature has: 1 dedicated, 1/2 antipodal, 0 ignored.

    ``D_i = |W_i|^2 / sum_j (W_i/|W_i| . W_j)^2`` (Elhage et al. 2022, section "The Geometry of
    Superposition").

    Parameters
    ----------
    W : ndarray, shape (m, n)

    Returns
    -------
    ndarray, shape (n,)
    """
    unit, represented = _unit_directions(W)
    shared = ((unit.T @ W) ** 2).sum(axis=1)
    squared_norm = (W**2).sum(axis=0)
    return np.where(represented, squared_norm / np.where(represented, shared, 1.0), 0.0)


def described(W: Array) -> str:
    """Return in words which features interfere, counted from 1.

    Parameters
    ----------
    W : ndarray, shape (m, n)

    Returns
    -------
    str
        Such as ``"1 and 3 at 180.0°, 2 alone"``.
    """
    pairs = interfering_pairs(W)
    _, represented = _unit_directions(W)
    sharing = {feature for i, j, _ in pairs for feature in (i, j)}
    parts = [f"{i + 1} and {j + 1} at {angle:.1f}°" for i, j, angle in pairs]
    for words, features in (
        ("alone", [i for i in range(W.shape[1]) if represented[i] and i not in sharing]),
        ("ignored", [i for i in range(W.shape[1]) if not represented[i]]),
    ):
        if features:
            parts.append(f"{' '.join(str(i + 1) for i in features)} {words}")
    return ", ".join(parts)


def _unit_directions(W: Array) -> tuple[Array, NDArray[np.bool_]]:
    norms = np.linalg.norm(W, axis=0)
    represented = norms > NORM_TOLERANCE
    return W / np.where(represented, norms, np.inf), represented
