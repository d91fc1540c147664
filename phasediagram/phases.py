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
    scalene            as triangle, the norms of the two others differ
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
EQUAL_NORMS_TOLERANCE = 1e-4  # norms that differ relatively by less count as equal

# Ratios of norms below which a feature is "well below" the others of its group, at the densities
# listed, linear in between.  At every density the threshold separates the two minima wherever
# both exist: it lies between the ratios at which they end.
_PAIR_THRESHOLD = ((0.0, 0.116), (1.0, 0.936))
_TRIANGLE_THRESHOLD = ((0.4, 0.231), (0.717, 0.532), (0.7464, 0.569), (1.0, 0.835))

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
    norms = np.linalg.norm(W, axis=0)
    last = len(norms) - 1
    if norms[last] <= NORM_TOLERANCE:
        return IGNORED
    groups = _groups(W, norms)
    own = next(group for group in groups if last in group)
    if len(own) > 1:
        return _group_phase(W, own, last, density)
    others = max(groups, key=len)
    if len(others) == 1:
        return DEDICATED
    name = _group_phase(W, others, max(others), density)
    return f"others-{name.removesuffix('-other')}"


def _groups(W: Array, norms: Array) -> list[list[int]]:
    """Return the groups of represented features that interfere."""
    represented = [i for i in range(len(norms)) if norms[i] > NORM_TOLERANCE]
    cosine = np.abs(W.T @ W) / np.maximum(np.outer(norms, norms), NORM_TOLERANCE**2)
    groups: list[list[int]] = []
    for i in represented:
        joined = [g for g in groups if any(cosine[i, j] > COSINE_TOLERANCE for j in g)]
        groups = [g for g in groups if g not in joined]
        groups.append(sorted([i, *(j for g in joined for j in g)]))
    return groups


def _group_phase(W: Array, group: list[int], extra: int, density: float) -> str:
    rest = [i for i in group if i != extra]
    others = np.linalg.norm(W[:, rest], axis=0)
    ratio = np.linalg.norm(W[:, extra]) / others.mean()
    if len(group) == 2:
        if W[:, extra] @ W[:, rest[0]] > 0:
            return "aligned"
        threshold = _threshold(_PAIR_THRESHOLD, density)
        if ratio < threshold:
            return "partial"
        return "partial-other" if ratio > 1 / threshold else "antipodal"
    name = _GROUP_NAMES.get(len(group), f"{len(group) - 1}-simplex")
    if len(group) > 3:
        return name
    if np.ptp(others) > EQUAL_NORMS_TOLERANCE * others.max():
        return "scalene"
    if W[:, extra] @ W[:, rest].sum(axis=1) > 0:
        return "aligned-triangle"
    return "partial-triangle" if ratio < _threshold(_TRIANGLE_THRESHOLD, density) else name


def _threshold(knots: tuple[tuple[float, float], ...], density: float) -> float:
    densities, ratios = zip(*knots, strict=True)
    return float(np.interp(density, densities, ratios))
