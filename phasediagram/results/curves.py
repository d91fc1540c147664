"""Boundaries and special points."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phasediagram._version import __version__
from phasediagram.results.tolerances import POSITION_TOLERANCE
from phasediagram.results.wording import counted, number, size, span, window
from phasediagram.toymodel.axes import Axis
from phasediagram.toymodel.models import ToyModel
from phasediagram.toymodel.settings import Setting
from phasediagram.values import DrawnResult, Value

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Boundary(Value):
    """A curve in the plane of density and relative importance.

    Attributes
    ----------
    density, relative_importance : ndarray, shape (k,)
        On other axes than the paper's, the values of `y` and those of `x`.
    phases : tuple of str
        The two phases that it separates; for a spinodal the one that ends.
    order : {1, 2, None}
        1 if the derivative of the lowest loss jumps (first order), 2 if the lowest minimum
        changes continuously; None for a spinodal.
    kind : {"equilibrium", "spinodal"}
    loss : ndarray, shape (k,), or None
        The lowest loss; None for a spinodal.
    slope_jump : ndarray, shape (k, 2), or None
        By how much the derivatives of the lowest loss by density and by relative importance
        differ: that of the first of `phases` less that of the second.
    ends : tuple of str
        What is at the first and at the last point: the kind of a special point, ``"edge"`` of
        the window, ``"closed"``, or what the tracer says of a spinodal that goes no further.
    """

    density: Array
    relative_importance: Array
    phases: tuple[str, ...]
    order: int | None
    kind: str
    loss: Array | None = None
    slope_jump: Array | None = None
    ends: tuple[str, ...] = ()

    def _lines(self) -> list[str]:
        what = {1: "first order", 2: "continuous", None: "spinodal"}[self.order]
        return [
            f"Boundary: {' | '.join(self.phases)}, {what}, {counted(len(self.density), 'point')}, "
            f"({self.density[0]:.6g}, {self.relative_importance[0]:.6g}) to "
            f"({self.density[-1]:.6g}, {self.relative_importance[-1]:.6g})"
        ]


@dataclass(frozen=True, eq=False, repr=False)
class SpecialPoint(Value):
    """A point at which boundaries end or meet.

    Attributes
    ----------
    density, relative_importance : float
        On other axes than the paper's, the values of `y` and `x`.
    kind : str
        ``"triple point"``: three phases have the lowest loss; ``"tricritical point"``: a
        continuous transition turns first order; ``"critical point"``: two phases become one;
        ``"critical end point"``: a continuous transition ends on a first-order one.
    phases : tuple of str
        The phases that meet.
    """

    density: float
    relative_importance: float
    kind: str
    phases: tuple[str, ...]

    def _lines(self) -> list[str]:
        place = f"({number(self.density)}, {number(self.relative_importance)})"
        return [f"SpecialPoint: {self.kind} at {place}: {', '.join(self.phases)}"]


@dataclass(frozen=True, eq=False, repr=False)
class Unresolved(Value):
    """Something met while tracing that could not be closed.

    Attributes
    ----------
    density, relative_importance : float
    reason : str
    """

    density: float
    relative_importance: float
    reason: str

    def _lines(self) -> list[str]:
        place = f"({number(self.density)}, {number(self.relative_importance)})"
        return [f"Unresolved: {self.reason}, at {place}"]


@dataclass(frozen=True, eq=False, repr=False)
class PhaseBoundaries(DrawnResult):
    """Every boundary and special point of one model.

    Attributes
    ----------
    boundaries : tuple of Boundary
    special_points : tuple of SpecialPoint
        By ascending density.
    n_features, n_hidden : int
    weights : str
    tolerance : float
        Error of the densities and relative importances.
    version : str
        Version of the package that computed it.
    unresolved : tuple of Unresolved
        What could not be closed.
    model, x, y, held
        As of a `PhaseDiagram`.
    """

    boundaries: tuple[Boundary, ...]
    special_points: tuple[SpecialPoint, ...]
    n_features: int
    n_hidden: int
    weights: str
    tolerance: float = POSITION_TOLERANCE
    version: str = field(default=__version__, compare=False)
    unresolved: tuple[Unresolved, ...] = ()
    model: ToyModel | None = None
    x: Axis | None = None
    y: Axis | None = None
    held: Setting | None = None

    def _lines(self) -> list[str]:
        orders = Counter(boundary.order for boundary in self.boundaries)
        kinds = Counter(point.kind for point in self.special_points)
        points = sum(len(boundary.density) for boundary in self.boundaries)
        boundaries = counted(orders[1] + orders[2], "boundary", "boundaries")
        return [
            f"PhaseBoundaries: {boundaries} ({orders[1]} first order, {orders[2]} continuous), "
            f"{counted(orders[None], 'spinodal')}, {counted(points, 'point')}",
            f"{size(self.n_features, self.n_hidden, self.model)}, {self.weights} weights, "
            f"{self._window()}",
            "special points: "
            + (", ".join(counted(count, kind) for kind, count in kinds.items()) or "none"),
            f"unresolved: {len(self.unresolved) or 'nothing'}",
        ]

    def _window(self) -> str:
        """Return the axes and what the curves span of them."""
        if self.x is not None or not self.boundaries:
            return window(self) if self.x is not None else "no curves"
        density, importance = (
            np.concatenate([getattr(curve, name) for curve in self.boundaries])
            for name in ("density", "relative_importance")
        )
        return f"density {span(density)}, relative importance {span(importance)}"
