"""Probabilities of the sets of active features, the weights that `packing` takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def independent_table(density: ArrayLike) -> Array:
    """Return the probability of every set of active features if they are independent.

    Parameters
    ----------
    density : array_like, shape (..., n)
        Probability that each feature is active.

    Returns
    -------
    ndarray, shape (..., 2^n)
        Entry A is the probability of the set A; feature j is active in it if bit j of A is set.
    """
    densities = np.asarray(density, dtype=np.float64)
    table = np.ones((*densities.shape[:-1], 1))
    for j in range(densities.shape[-1]):
        p = densities[..., j : j + 1]
        table = np.concatenate([table * (1 - p), table * p], axis=-1)
    return np.ascontiguousarray(table)


def independent_table_derivatives(density: ArrayLike) -> Array:
    """Return the derivative of `independent_table` by each density.

    Parameters
    ----------
    density : array_like, shape (..., n)

    Returns
    -------
    ndarray, shape (..., n, 2^n)
    """
    densities = np.asarray(density, dtype=np.float64)
    n = densities.shape[-1]
    derivatives = np.ones((*densities.shape[:-1], n, 1))
    for j in range(n):
        p = np.repeat(densities[..., j : j + 1, None], n, axis=-2)
        inactive, active = 1 - p, p
        inactive[..., j, :], active[..., j, :] = -1.0, 1.0
        derivatives = np.concatenate([derivatives * inactive, derivatives * active], axis=-1)
    return np.ascontiguousarray(derivatives)
