"""The regions of phases as polygons: data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.results import PhaseBoundaries, Unresolved
from phasediagram.results.wording import counted, few, shares, size, span
from phasediagram.values import DrawnResult, Value

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class PhaseRegion(Value):
    """A region in which one phase has the lowest loss, between traced boundaries.

    Attributes
    ----------
    phase : str
    outline : ndarray, shape (k, 2)
        Values of density and relative importance around it (on other axes, of `y` and `x`), the
        first point not repeated.
    holes : tuple of ndarray, shape (j, 2)
        Around what is inside it and not of it.
    share : float
        Of the area of the window, in the scales of its axes.
    inside : tuple of float
        Density and relative importance of a point well inside.
    W : ndarray, shape (m, n)
        Weights of the lowest minimum there.
    """

    phase: str
    outline: Array
    holes: tuple[Array, ...]
    share: float
    inside: tuple[float, float]
    W: Array

    def _lines(self) -> list[str]:
        return [f"PhaseRegion: {self.phase}, {100 * self.share:.3g} % of the window"]


@dataclass(frozen=True, eq=False, repr=False)
class PhaseRegions(DrawnResult):
    """The regions into which boundaries divide a window.

    Attributes
    ----------
    regions : tuple of PhaseRegion
        The largest first; none if the boundaries do not close.
    boundaries : PhaseBoundaries
    density, relative_importance : tuple of float
        The window; on other axes of `y` and of `x`.
    curves : tuple of ndarray, shape (k, 2)
        The boundaries at equilibrium, in their order: densities and relative importances so close
        that chords between them are not seen.
    crossovers : tuple of ndarray, shape (k, 2)
        Where regions of two names meet without a boundary: from a critical point on in the
        direction of the boundary that ends there, or to the one that faces it.
    open_ends : tuple of Unresolved
        Ends of boundaries, and crossings, because of which there are no regions.
    disagreements : tuple of str
        Regions in which the minimum found is none of the phases of the boundaries around.
    """

    regions: tuple[PhaseRegion, ...]
    boundaries: PhaseBoundaries
    density: tuple[float, float]
    relative_importance: tuple[float, float]
    curves: tuple[Array, ...]
    crossovers: tuple[Array, ...] = ()
    open_ends: tuple[Unresolved, ...] = ()
    disagreements: tuple[str, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether the boundaries divide the window without a gap."""
        return not self.open_ends

    def shares(self) -> dict[str, float]:
        """Return what share of the window each phase holds, in the scales of its axes."""
        shares: dict[str, float] = {}
        for region in self.regions:
            shares[region.phase] = shares.get(region.phase, 0.0) + region.share
        return shares

    def _lines(self) -> list[str]:
        if not self.is_closed:
            return [
                f"PhaseRegions: none, {counted(len(self.open_ends), 'open end')}",
                *few(
                    f"{end.reason}, at {end.density:g}, {end.relative_importance:g}"
                    for end in self.open_ends
                ),
            ]
        return [
            f"PhaseRegions: {counted(len(self.regions), 'region')}, "
            f"{size(self.boundaries.n_features, self.boundaries.n_hidden, self.boundaries.model)}",
            self._window(),
            shares(self.shares()),
            *few(self.disagreements, 2),
        ]

    def _window(self) -> str:
        names = ("density", "relative importance")
        if self.boundaries.x is not None and self.boundaries.y is not None:
            names = self.boundaries.y.name, self.boundaries.x.name
        ends = zip(names, (self.density, self.relative_importance), strict=True)
        return ", ".join(f"{name} {span(pair)}" for name, pair in ends)
