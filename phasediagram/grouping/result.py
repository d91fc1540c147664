"""What `phasediagram.geometry` returns: the lowest mixture of groups at each density."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phasediagram._version import __version__
from phasediagram.grouping.families import FeatureGroup
from phasediagram.results.wording import counted, few, number
from phasediagram.values import DrawnResult, Value

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class GeometryTransition(Value):
    """Where the lowest mixture of groups changes with density, or with importance.

    Attributes
    ----------
    density : float
    below, above : dict of str to int
        How many groups of each name at lower and at higher densities; or importances of the
        second class, if that is what changes.
    first_order : bool
        Whether two losses cross; else a group ends there.
    relative_importance : float or None
        That of the second class, if that is what changes.
    """

    density: float
    below: dict[str, int]
    above: dict[str, int]
    first_order: bool
    relative_importance: float | None = None

    def _lines(self) -> list[str]:
        return [f"GeometryTransition: {self.description}"]

    @property
    def description(self) -> str:
        """In words: ``"1 pentagon | 2 antipodal, 1 ignored at 0.2249, first order"``."""
        order = "first order" if self.first_order else "a group ends"
        where = number(self.density)
        if self.relative_importance is not None:
            where += f" and importance {number(self.relative_importance)}"
        return f"{_said(self.below)} | {_said(self.above)} at {where}, {order}"


@dataclass(frozen=True, eq=False, repr=False)
class Geometry(DrawnResult):
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
        changes = counted(len(self.transitions), "transition")
        return [
            f"Geometry: {_said(self.mixture())} at density {self.density[0]:g}; {changes} up to "
            f"{self.density[-1]:g}",
            f"n = {self.n_features}, m = {self.n_hidden}, from {len(self.groups)} groups",
            *few(change.description for change in self.transitions),
        ]

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
