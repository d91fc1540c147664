"""The losses of all minima along a line."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phasediagram._version import __version__
from phasediagram.results.wording import counted, few, number, size, span
from phasediagram.toymodel.axes import Axis
from phasediagram.toymodel.models import ToyModel
from phasediagram.toymodel.settings import Setting
from phasediagram.values import DrawnResult, Value

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class BranchLosses(Value):
    """One minimum along a section.

    Attributes
    ----------
    phases : tuple of str
        Its phase at each point, empty where it does not exist.
    loss : ndarray, shape (k,)
        NaN where it does not exist.
    W : ndarray, shape (k, m, n)
    b : ndarray, shape (k, n)
    """

    phases: tuple[str, ...]
    loss: Array
    W: Array
    b: Array

    def _lines(self) -> list[str]:
        exists = np.isfinite(self.loss)
        names = ", ".join(dict.fromkeys(filter(None, self.phases)))
        return [
            f"BranchLosses: {names}, at {exists.sum()} of {counted(len(self.loss), 'point')}, "
            f"loss {span(self.loss)}"
        ]


@dataclass(frozen=True, eq=False, repr=False)
class SectionTransition(Value):
    """A change of the lowest minimum along a section.

    Attributes
    ----------
    position : float
        Value of what varies.
    phases : tuple of str
        Before and after.
    order : {1, 2}
        1 if the derivative of the lowest loss jumps, 2 if the minimum changes continuously.
    slope_jump : float
        By how much the derivative of the lowest loss by what varies jumps: after less before.
    """

    position: float
    phases: tuple[str, str]
    order: int
    slope_jump: float

    def _lines(self) -> list[str]:
        return [f"SectionTransition: {self.description}"]

    @property
    def description(self) -> str:
        """In words: ``"ignored | partial at 0.6126, continuous"``."""
        order = "first order" if self.order == 1 else "continuous"
        return f"{' | '.join(self.phases)} at {number(self.position)}, {order}"


@dataclass(frozen=True, eq=False, repr=False)
class LossSection(DrawnResult):
    """Losses of all minima along a line of constant density or relative importance.

    Attributes
    ----------
    density, relative_importance : ndarray, shape (k,)
        Positions; one of the two is constant.  On other axes the features' mean density and the
        last one's importance.
    branches : tuple of BranchLosses
        The lowest somewhere first.
    n_features, n_hidden : int
    version : str
        Version of the package that computed it.
    transitions : tuple of SectionTransition
        Where the section crosses boundaries, in the order of the points, to 1e-10.
    values : ndarray, shape (k,), or None
        Of `x`, for other axes than the paper's.
    x : Axis or None
    model : ToyModel or None
    held : Setting or None
    """

    density: Array
    relative_importance: Array
    branches: tuple[BranchLosses, ...]
    n_features: int
    n_hidden: int
    version: str = field(default=__version__, compare=False)
    transitions: tuple[SectionTransition, ...] = ()
    values: Array | None = None
    x: Axis | None = None
    model: ToyModel | None = None
    held: Setting | None = None

    @property
    def lowest(self) -> Array:
        """The lowest loss at each point, shape (k,)."""
        return np.asarray(np.nanmin([branch.loss for branch in self.branches], axis=0))

    def _lines(self) -> list[str]:
        return [
            f"LossSection: {counted(len(self.branches), 'minimum', 'minima')} at "
            f"{counted(len(self.density), 'point')}, "
            f"{size(self.n_features, self.n_hidden, self.model)}",
            self._course(),
            f"lowest: {self._lowest_phases()}",
            *few(transition.description for transition in self.transitions),
        ]

    def _course(self) -> str:
        if self.x is not None:
            return f"{self.x.name} {span(self.values if self.values is not None else ())}"
        return f"density {span(self.density)}, relative importance {span(self.relative_importance)}"

    def _lowest_phases(self) -> str:
        """Return the phases that are the lowest at any of the points, in their order."""
        losses = np.array([branch.loss for branch in self.branches])
        which = np.where(np.isnan(losses), np.inf, losses).argmin(axis=0)
        names = [self.branches[i].phases[k] for k, i in enumerate(which)]
        return ", ".join(dict.fromkeys(names))
