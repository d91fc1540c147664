"""Which outcome a minimum is, from its geometry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
