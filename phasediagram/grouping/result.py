"""What `phasediagram.geometry` returns: the lowest mixture of groups at each density."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phasediagram._version import __version__
from phasediagram.grouping.families import FeatureGroup
from phasediagram.values import Value

Array = NDArray[np.float64]


@dataclass(frozen=True)
class GeometryTransition:
    """A density at which the lowest mixture of groups changes.

    Attributes
    ----------
    density : float
    below, above : dict of str to int
        How many groups of each name at lower and at higher densities.
    first_order : bool
        Whether two losses cross; else a group ends there.
    """

    density: float
    below: dict[str, int]
    above: dict[str, int]
    first_order: bool


@dataclass(frozen=True, eq=False, repr=False)
class Geometry(Value):
    """The lowest loss over orthogonal sums of groups of features, over density.

    Attributes
    ----------
    density : ndarray, shape (p,)
        Ascending.
    n_features, n_hidden : int
    n_second : int
        How many features have the second importance.
    relative_importance : float
        The second importance; the first is 1.
    groups : tuple of FeatureGroup
        What there was to choose from.
    counts : ndarray of int, shape (p, g)
        How many of each group.
    loss : ndarray, shape (p,)
        A sum over all features.
    squared_norm : ndarray, shape (p,)
        ``|W|^2``, the sum of all squared weights.
    curvature : ndarray, shape (p, 2)
        Bounds of the smallest curvature against tilting of one group into another; equal unless
        a group lies on a kink.
    transitions : tuple of GeometryTransition
    version : str
    """

    density: Array
    n_features: int
    n_hidden: int
    n_second: int
    relative_importance: float
    groups: tuple[FeatureGroup, ...]
    counts: NDArray[np.int64]
    loss: Array
    squared_norm: Array
    curvature: Array
    transitions: tuple[GeometryTransition, ...]
    version: str = field(default=__version__, compare=False)

    def _lines(self) -> list[str]:
        lines = [
            f"Geometry: n = {self.n_features}, m = {self.n_hidden}, density {self.density[0]:g} to "
            f"{self.density[-1]:g}"
        ]
        lines += [
            f"{_said(change.below)} to {_said(change.above)} at {change.density:.10g}"
            for change in self.transitions
        ]
        return lines if self.transitions else [*lines, _said(self.mixture())]

    @property
    def stability(self) -> tuple[str, ...]:
        """Whether the whole is a ``"minimum"``, a ``"saddle"`` or ``"undecided"`` (on a kink)."""
        tolerance = 1e-10 * self.density
        return tuple(
            "minimum" if low > -limit else "saddle" if high < -limit else "undecided"
            for (low, high), limit in zip(self.curvature.tolist(), tolerance.tolist(), strict=True)
        )

    def mixture(self, k: int = 0) -> dict[str, int]:
        """Return how many groups of each name there are at the k-th density."""
        return mixture_of(self.groups, self.counts[k])

    def norm_per_dimension(self) -> Array:
        """Return the paper's continuous quantity ``|W|^2 / m``, shape (p,)."""
        return np.asarray(self.squared_norm / self.n_hidden)

    def features_in(self) -> dict[str, NDArray[np.int64]]:
        """Return how many features are in groups of each name, at each density, shape (p,)."""
        used = np.flatnonzero(self.counts.any(axis=0))
        return {self.groups[k].name: self.counts[:, k] * self.groups[k].n_features for k in used}


def _said(mixture: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in mixture.items())


def mixture_of(groups: tuple[FeatureGroup, ...], counts: NDArray[np.int64]) -> dict[str, int]:
    """Return the names and numbers of the groups that occur."""
    return {groups[k].name: int(counts[k]) for k in np.flatnonzero(counts)}
