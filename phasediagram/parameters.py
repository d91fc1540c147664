"""Points in the space of parameters, and planes of two parameters through it.

The loss is linear in the probabilities of the 2^n sets of active features and in the
importances; a point is these two vectors.  A plane says how they depend on two coordinates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.tables import independent_table, independent_table_derivatives

Array = NDArray[np.float64]

_SPARSE = 0.01  # below this density gradients, and their rounding, shrink in proportion
GRADIENT_TOLERANCE = 1e-13
_REMEMBERED = 64  # positions whose parameters are kept, since each is asked for several times


@dataclass(frozen=True)
class Parameters:
    """One point: what the loss needs besides W and b.

    Attributes
    ----------
    table : ndarray, shape (2^n,)
        Probability of each set A of active features; bit j of A is set if feature j is active.
    importance : ndarray, shape (n,)
    """

    table: Array
    importance: Array

    @cached_property
    def tolerance(self) -> float:
        """Gradient norm at which a minimum is reached."""
        active = 1.0 - float(self.table[0])
        return GRADIENT_TOLERANCE * min(1.0, active / (_SPARSE * len(self.importance)))


def point(density: Array | float, importance: Array) -> Parameters:
    """Return the parameters of independent features.

    Parameters
    ----------
    density : float or ndarray, shape (n,)
    importance : ndarray, shape (n,)
    """
    densities = np.broadcast_to(np.asarray(density, dtype=np.float64), importance.shape)
    return Parameters(independent_table(np.ascontiguousarray(densities)), importance)


@dataclass(frozen=True)
class DensityImportancePlane:
    """The paper's axes: log density of all features, log relative importance of the last.

    Attributes
    ----------
    n : int
    """

    n: int

    def at(self, position: Array) -> Parameters:
        """Return the parameters at a position (log p, log r)."""
        return _at(self.n, float(position[0]), float(position[1]))

    def derivatives(self, position: Array) -> tuple[Parameters, Parameters]:
        """Return parameters whose losses are the derivatives by the two coordinates.

        The loss is linear in the table and in the importances.
        """
        return _derivatives(self.n, float(position[0]), float(position[1]))

    def many(self, positions: Array) -> tuple[Array, Array, Array]:
        """Return tables (k, 2^n), importances (k, n) and tolerances (k,)."""
        density = np.exp(positions[:, 0])
        tables = np.ones((len(density), 1))
        for _ in range(self.n):
            tables = np.concatenate(
                [tables * (1 - density)[:, None], tables * density[:, None]], axis=1
            )
        importances = np.ones((len(density), self.n))
        importances[:, -1] = np.exp(positions[:, 1])
        active = 1.0 - tables[:, 0]
        tolerances = GRADIENT_TOLERANCE * np.minimum(1.0, active / (_SPARSE * self.n))
        return tables, importances, tolerances


@lru_cache(maxsize=_REMEMBERED)
def _at(n: int, log_density: float, log_importance: float) -> Parameters:
    importance = np.ones(n)
    importance[-1] = math.exp(log_importance)
    return point(math.exp(log_density), importance)


@lru_cache(maxsize=_REMEMBERED)
def _derivatives(
    n: int, log_density: float, log_importance: float
) -> tuple[Parameters, Parameters]:
    here, density = _at(n, log_density, log_importance), math.exp(log_density)
    by_density = independent_table_derivatives(np.full(n, density)).sum(axis=0)
    by_importance = np.zeros(n)
    by_importance[-1] = here.importance[-1]
    return (
        Parameters(density * by_density, here.importance),
        Parameters(here.table, by_importance),
    )
