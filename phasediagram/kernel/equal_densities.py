"""Probabilities of sets of active features that are all equally dense, compiled (internal)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.signatures import Matrix, Nothing, Real

Array = NDArray[np.float64]


@compiled(Nothing(Real, Matrix))
def equal_densities(density: float, tables: Array) -> None:
    """Write what the loss needs at a position on the paper's axes.

    Parameters
    ----------
    density : float
        Of each of n independent features.
    tables : ndarray, shape (3, 2^n)
        Receives the probability of every set of active features, its derivative by the logarithm
        of the density, and the probability again.
    """
    p, q = density, 1.0 - density
    tables[0, 0], tables[1, 0] = 1.0, 0.0
    count = 1
    while count < tables.shape[1]:
        for k in range(count):
            chance, slope = tables[0, k], tables[1, k]
            tables[0, count + k], tables[1, count + k] = chance * p, slope * p + chance
            tables[0, k], tables[1, k] = chance * q, slope * q - chance
        count *= 2
    for k in range(count):
        tables[1, k] *= density
        tables[2, k] = tables[0, k]
