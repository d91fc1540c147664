"""Which outcome and which phase a minimum is, from its geometry.

Two features interfere if their directions are not orthogonal.  Features that interfere,
directly or through others, form a group; in a minimum of n features in n - 1 dimensions
there is at most one group of more than one.  The phase is named after the group, whether
the extra feature belongs to it, and how equal the norms in it are:

    ignored            the extra feature has no direction
    dedicated          it is alone in its dimension and another feature has no direction
    antipodal          it shares a dimension with another feature, norms comparable
    partial            as antipodal, its norm well below the other's
    partial-other      as antipodal, the other feature's norm well below its own
    aligned            it shares a dimension with another, in the same direction
    others-antipodal   it is alone, two others share a dimension, norms comparable
    others-partial     as others-antipodal, one norm well below the other
    triangle           it shares two dimensions with two others of equal norms
    partial-triangle   as triangle, its norm well below the others'
    scalene            as triangle, the two others differ in norm or in their angle to it
    aligned-triangle   as triangle, on the same side as the two others; never the lowest

Larger groups are named ``tetrahedron``, ``4-simplex``, ``5-simplex``, and without the extra
feature ``others-triangle`` and so on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

IGNORED, DEDICATED, SUPERPOSITION = "ignored", "dedicated", "superposition"

NORM_TOLERANCE = 1e-6  # a direction with a smaller norm counts as zero
COSINE_TOLERANCE = 1e-6  # directions with a smaller cosine between them count as orthogonal
EQUAL_NORMS_TOLERANCE = 1e-4  # norms, or products, that differ relatively by less are equal

# Densities, and the ratios of norms below which a feature is "well below" the others of its group
# there, linear in between.  At every density the threshold separates the two minima wherever
# both exist: it lies between the ratios at which they end.
_PAIR_THRESHOLD = ((0.0, 1.0), (0.116, 0.936))
_TRIANGLE_THRESHOLD = (
    (0.4, 0.7170958288, 0.7464054332, 1.0),  # the inner two are critical points
    (0.231, 0.5329668176, 0.5702024351, 0.835),
)

_GROUP_NAMES = {2: "antipodal", 3: "triangle", 4: "tetrahedron", 5: "4-simplex", 6: "5-simplex"}
PHASES = (
    IGNORED,
    DEDICATED,
    "antipodal",
    "partial",
    "partial-other",
    "aligned",
    "others-antipodal",
    "others-partial",
    "others-aligned",
    "partial-triangle",
    "triangle",
    "scalene",
    "aligned-triangle",
)
_LONGEST_NAME = 24


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


def phase_of(W: Array, density: float) -> str:
    """Return the phase of one minimum.

    Parameters
    ----------
    W : ndarray, shape (m, n)
    density : float
        What counts as "well below" depends on it.

    Returns
    -------
    str
        See the module's docstring.
    """
    return str(phases_of(W[None], np.array([density]))[0])


def phases_of(W: Array, density: Array) -> NDArray[np.str_]:
    """Return the phases of many minima.

    Parameters
    ----------
    W : ndarray, shape (k, m, n)
    density : ndarray, shape (k,)

    Returns
    -------
    ndarray of str, shape (k,)
    """
    gram = np.swapaxes(W, -1, -2) @ W
    norms = np.sqrt(np.einsum("kii->ki", gram))
    represented = norms > NORM_TOLERANCE
    scale = np.maximum(norms[:, :, None] * norms[:, None, :], NORM_TOLERANCE**2)
    touching = np.abs(gram) > COSINE_TOLERANCE * scale
    touching &= represented[:, :, None] & represented[:, None, :]
    n = norms.shape[1]
    patterns, which = np.unique(touching.reshape(len(W), n * n), axis=0, return_inverse=True)
    names = np.empty(len(W), dtype=f"U{_LONGEST_NAME}")
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(which.ravel() == number)
        groups = _groups(pattern.reshape(n, n))
        names[rows] = _names(groups, gram[rows], norms[rows], density[rows])
    return names


def _groups(touching: NDArray[np.bool_]) -> list[list[int]]:
    """Return the groups of represented features that interfere."""
    groups: list[list[int]] = []
    for i in np.flatnonzero(np.diag(touching)).tolist():
        joined = [group for group in groups if touching[i, group].any()]
        groups = [group for group in groups if group not in joined]
        groups.append(sorted([i, *(j for group in joined for j in group)]))
    return groups


def _names(
    groups: list[list[int]], gram: Array, norms: Array, density: Array
) -> NDArray[np.str_] | str:
    """Return the phases of minima with the same groups."""
    last = norms.shape[1] - 1
    own = next((group for group in groups if last in group), None)
    if own is None:
        return IGNORED
    if len(own) > 1:
        return _group_names(own, last, gram, norms, density)
    others = max(groups, key=len)
    if len(others) == 1:
        return DEDICATED
    names = _group_names(others, max(others), gram, norms, density)
    return np.char.add("others-", np.char.replace(names, "-other", ""))


def _group_names(
    group: list[int], extra: int, gram: Array, norms: Array, density: Array
) -> NDArray[np.str_]:
    rest = [i for i in group if i != extra]
    others = norms[:, rest]
    ratio = norms[:, extra] / others.mean(axis=1)
    aligned = gram[:, extra, rest].sum(axis=1) > 0
    if len(group) == 2:
        threshold = np.interp(density, *_PAIR_THRESHOLD)
        return np.select(
            [aligned, ratio < threshold, ratio * threshold > 1],
            ["aligned", "partial", "partial-other"],
            "antipodal",
        )
    name = _GROUP_NAMES.get(len(group), f"{len(group) - 1}-simplex")
    if len(group) > 3:
        return np.full(len(norms), name)
    largest = others.max(axis=1)
    unequal = np.ptp(others, axis=1) > EQUAL_NORMS_TOLERANCE * largest
    unequal |= np.ptp(gram[:, extra, rest], axis=1) > EQUAL_NORMS_TOLERANCE * largest**2
    return np.select(
        [unequal, aligned, ratio < np.interp(density, *_TRIANGLE_THRESHOLD)],
        ["scalene", "aligned-triangle", "partial-triangle"],
        name,
    )
