"""The geometry of a minimum: which features interfere, at what angles, in how many dimensions.

Two features interfere if their directions are not orthogonal.  Features that interfere,
directly or through others, form a group.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.model import as_real

Array = NDArray[np.float64]

IGNORED, DEDICATED, SUPERPOSITION = "ignored", "dedicated", "superposition"

NORM_TOLERANCE = 1e-6  # a direction with a smaller norm counts as zero
COSINE_TOLERANCE = 1e-6  # directions with a smaller cosine between them count as orthogonal


def extra_feature_outcome(W: Array) -> NDArray[np.str_]:
    """Return what became of the last feature.

    Parameters
    ----------
    W : ndarray, shape (..., m, n)

    Returns
    -------
    ndarray of str, shape (...)
        ``"ignored"`` if its direction has zero norm, ``"dedicated"`` if it is
        orthogonal to every other represented feature, else ``"superposition"``.
    """
    norms = np.linalg.norm(W, axis=-2)
    represented = norms > NORM_TOLERANCE
    products = np.einsum("...ki,...k->...i", W[..., :-1], W[..., -1])
    limit = COSINE_TOLERANCE * norms[..., :-1] * norms[..., -1:]
    shares = (represented[..., :-1] & (np.abs(products) > limit)).any(axis=-1)
    outcome = np.where(shares, SUPERPOSITION, DEDICATED)
    return np.where(represented[..., -1], outcome, IGNORED)


def is_silent(W: Array, b: Array) -> NDArray[np.bool_]:
    """Return whether some output never switches on.

    Parameters
    ----------
    W : ndarray, shape (..., m, n)
    b : ndarray, shape (..., n)

    Returns
    -------
    ndarray of bool, shape (...)
    """
    gram = np.swapaxes(W, -1, -2) @ W
    return np.asarray((b + np.maximum(gram, 0).sum(axis=-1) <= 0).any(axis=-1))


def norm_and_superposition(W: Array) -> tuple[Array, Array]:
    """Return the two quantities of the paper's continuous colouring, for the last feature.

    Parameters
    ----------
    W : ndarray, shape (..., m, n)

    Returns
    -------
    norm : ndarray, shape (...)
        Norm of the extra feature's direction W_n.
    superposition : ndarray, shape (...)
        ``sum_j (W_n/|W_n| . W_j)^2`` over the other features j; 0 where W_n is zero.

    Notes
    -----
    Source: Elhage et al. (2022), section "Superposition as a Phase Change".
    """
    extra = W[..., -1]
    norm = np.linalg.norm(extra, axis=-1)
    unit = extra / np.where(norm > NORM_TOLERANCE, norm, np.inf)[..., None]
    return norm, (np.einsum("...k,...ki->...i", unit, W[..., :-1]) ** 2).sum(axis=-1)


def dimensionalities(W: ArrayLike) -> Array:
    """Return how many dimensions each feature has: 1 dedicated, 1/2 antipodal, 0 ignored.

    ``D_i = |W_i|^2 / sum_j (W_i/|W_i| . W_j)^2`` (Elhage et al. 2022, section "The Geometry of
    Superposition").

    Parameters
    ----------
    W : array_like, shape (..., m, n)

    Returns
    -------
    ndarray, shape (..., n)

    Examples
    --------
    >>> from phasediagram.naming import dimensionalities
    >>> dimensionalities([[1.0, 0.0, 0.0], [0.0, 1.0, -1.0]])
    array([1. , 0.5, 0.5])
    """
    W = as_real("W", W)
    unit, represented = _unit_directions(W)
    shared = ((np.swapaxes(unit, -1, -2) @ W) ** 2).sum(axis=-1)
    squared_norm = (W**2).sum(axis=-2)
    return np.where(represented, squared_norm / np.where(represented, shared, 1.0), 0.0)


def superposition_of_each(W: ArrayLike) -> tuple[Array, Array]:
    """Return the norm of each feature, and how much of its direction others share.

    Parameters
    ----------
    W : array_like, shape (..., m, n)

    Returns
    -------
    norm, shared : ndarray, shape (..., n)
        ``|W_i|`` and ``sum_(j != i) (W_i/|W_i| . W_j)^2`` (Elhage et al. 2022, "Demonstrating
        Superposition").

    Examples
    --------
    >>> from phasediagram.naming import superposition_of_each
    >>> norm, shared = superposition_of_each([[1.0, 0.0, 0.0], [0.0, 1.0, -1.0]])
    >>> shared
    array([0., 1., 1.])
    """
    W = as_real("W", W)
    norm = np.linalg.norm(W, axis=-2)
    unit = W / np.where(norm > 0, norm, 1.0)[..., None, :]
    products = (np.swapaxes(unit, -1, -2) @ W) ** 2
    own = np.diagonal(products, axis1=-2, axis2=-1)
    return norm, np.asarray(products.sum(axis=-1) - own)


def interfering_pairs(W: ArrayLike) -> tuple[tuple[int, int, float], ...]:
    """Return the features that are not orthogonal, and the angles between them.

    Parameters
    ----------
    W : array_like, shape (m, n)

    Returns
    -------
    tuple of (int, int, float)
        Two features, counted from 0, and the angle between their directions in degrees.

    Raises
    ------
    ValueError
        If W is no matrix of real numbers.

    Examples
    --------
    >>> from phasediagram.naming import interfering_pairs
    >>> interfering_pairs([[1.0, 0.0, 0.0], [0.0, 1.0, -1.0]])
    ((1, 2, 180.0),)
    """
    W = as_real("W", W)
    if W.ndim != 2:
        raise ValueError(f"W must have shape (m, n), got shape {W.shape}")
    unit, represented = _unit_directions(W)
    cosine = unit.T @ unit
    pairs = []
    for i, j in zip(*np.triu_indices(W.shape[1], 1), strict=True):
        if represented[i] and represented[j] and abs(cosine[i, j]) > COSINE_TOLERANCE:
            angle = float(np.degrees(np.arccos(np.clip(cosine[i, j], -1.0, 1.0))))
            pairs.append((int(i), int(j), angle))
    return tuple(pairs)


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


def interference_groups(W: Array) -> list[tuple[NDArray[np.intp], list[list[int]]]]:
    """Return the groups of represented features that interfere, of many W at once.

    Parameters
    ----------
    W : ndarray, shape (k, m, n)
        n is at most 10.

    Returns
    -------
    list of (ndarray of int, list of list of int)
        For each pattern that occurs which of the k have it, and its groups of features, counted
        from 0; a feature that is alone is a group of one, an ignored one is in none.
    """
    gram = np.swapaxes(W, 1, 2) @ W
    norms = np.sqrt(np.einsum("kii->ki", gram))
    represented = norms > NORM_TOLERANCE
    scale = np.maximum(norms[:, :, None] * norms[:, None, :], NORM_TOLERANCE**2)
    touching = np.abs(gram) > COSINE_TOLERANCE * scale
    touching &= represented[:, :, None] & represented[:, None, :]
    n = W.shape[2]
    pairs = np.triu_indices(n)
    codes = touching[:, *pairs] @ (1 << np.arange(len(pairs[0]), dtype=np.int64))
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(which.ravel()))[:-1])
    return [(rows[i], _connected(touching[first[i]])) for i in range(len(first))]


def _connected(touching: NDArray[np.bool_]) -> list[list[int]]:
    """Return the groups of features that touch, directly or through others."""
    groups: list[list[int]] = []
    for i in np.flatnonzero(np.diag(touching)).tolist():
        joined = [group for group in groups if touching[i, group].any()]
        groups = [group for group in groups if group not in joined]
        groups.append(sorted([i, *(j for group in joined for j in group)]))
    return groups


def _unit_directions(W: Array) -> tuple[Array, NDArray[np.bool_]]:
    norms = np.linalg.norm(W, axis=-2)
    represented = norms > NORM_TOLERANCE
    return W / np.where(represented, norms, np.inf)[..., None, :], represented
