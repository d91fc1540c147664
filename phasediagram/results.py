"""What is found at a point and over a grid: data, which knows neither files nor figures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from phasediagram._version import __version__
from phasediagram.naming.geometry import described, dimensionalities, extra_feature_outcome
from phasediagram.toymodel.axes import Axis
from phasediagram.toymodel.models import ToyModel
from phasediagram.toymodel.settings import Setting

Array = NDArray[np.float64]
Names = NDArray[np.str_]

GRADIENT_TOLERANCE = 1e-13  # norm of the gradient at which a minimum is reached
POSITION_TOLERANCE = 1e-10  # of points on boundaries, and special points


@dataclass(frozen=True)
class Minimum:
    """One candidate for the lowest loss at a point.

    Attributes
    ----------
    loss : float
    W : ndarray, shape (m, n)
    b : ndarray, shape (n,)
    outcome : str
        What became of the extra feature: ``"ignored"``, ``"dedicated"`` or
        ``"superposition"``.
    phase : str
        The name of its configuration; for free weights that of its geometry
        (`phasediagram.naming`).
    smallest_curvature : float
        Free weights only, else NaN: the smallest second directional derivative of the loss
        (the smallest eigenvalue of the Hessian where there is one), rotations of the hidden
        space left out.
    gradient_norm : float
        Free weights only, else NaN: norm of the exact gradient.
    """

    loss: float
    W: Array
    b: Array
    outcome: str
    phase: str
    smallest_curvature: float = float("nan")
    gradient_norm: float = float("nan")

    @property
    def description(self) -> str:
        """Which features interfere, counted from 1, such as ``"1 and 3 at 180.0°, 2 alone"``."""
        return described(self.W)

    @property
    def dimensionality(self) -> Array:
        """How many dimensions each feature has, shape (n,): see `Notes`.

        Notes
        -----
        ``|W_i|^2 / sum_j (W_i/|W_i| . W_j)^2``: 1 dedicated, 1/2 antipodal, 2/3 triangle, 0
        ignored (Elhage et al. 2022, section "The Geometry of Superposition").
        """
        return dimensionalities(self.W)

    @property
    def gram(self) -> Array:
        """W^T W, shape (n, n)."""
        return np.asarray(self.W.T @ self.W)


@dataclass(frozen=True)
class Solution:
    """The lowest loss at one point, and every candidate.

    Attributes
    ----------
    density : float or ndarray, shape (n,)
        As it was given; if the model's activity gives it, the features' mean.
    relative_importance : float
        Importance of the last feature.
    n_features, n_hidden : int
    weights : str
        What was allowed to vary, see `solve`.
    minima : tuple of Minimum
        Every candidate, lowest first, the simplest first among equals; for free weights
        every local minimum that was found, without symmetric copies and without plateaus
        on which an output never switches on.
    tolerance : float
        Norm of the gradient at which minimisation stops; 0 for canonical weights.
    version : str
        Version of the package that computed it.
    importance : ndarray, shape (n,), or None
        Of each feature; None for the paper's (1, ..., 1, r).
    model : ToyModel or None
        What was assumed; None for the paper's model.
    """

    density: float | Array
    relative_importance: float
    n_features: int
    n_hidden: int
    weights: str
    minima: tuple[Minimum, ...]
    tolerance: float = GRADIENT_TOLERANCE
    version: str = __version__
    importance: Array | None = None
    model: ToyModel | None = None

    @property
    def loss(self) -> float:
        """The lowest loss."""
        return self.minima[0].loss

    @property
    def W(self) -> Array:
        """Weights of the lowest minimum, shape (m, n)."""
        return self.minima[0].W

    @property
    def b(self) -> Array:
        """Biases of the lowest minimum, shape (n,)."""
        return self.minima[0].b

    @property
    def gram(self) -> Array:
        """W^T W of the lowest minimum, shape (n, n)."""
        return self.minima[0].gram

    @property
    def outcome(self) -> str:
        """Outcome of the extra feature in the lowest minimum."""
        return self.minima[0].outcome

    @property
    def phase(self) -> str:
        """Phase of the lowest minimum."""
        return self.minima[0].phase


@dataclass(frozen=True)
class PhaseDiagram:
    """The lowest loss over a grid.

    Attributes
    ----------
    density : ndarray, shape (D,)
    relative_importance : ndarray, shape (R,)
        On other axes than the paper's, the values of `y` and those of `x`.
    loss : ndarray, shape (D, R)
        The lowest loss.
    lowest : ndarray of int, shape (D, R)
        Which of the candidates has it.
    candidates : tuple of str
        Names of the configurations that were compared, simplest first; for free weights
        the names of the phases that occur.
    candidate_losses : tuple of ndarray, each of shape (D, R)
        Loss of every configuration; for free weights the lowest loss alone.
    candidate_W : tuple of ndarray, each of shape (D, R, m, n)
    candidate_b : tuple of ndarray, each of shape (D, R, n)
        Weights and biases that go with `candidate_losses`.
    n_features, n_hidden : int
    weights : str
        What was allowed to vary, see `phase_diagram`.
    tolerance : float
        Norm of the gradient at which minimisation stops; 0 for canonical weights.
    version : str
        Version of the package that computed it.
    model : ToyModel or None
        What was assumed; None for the paper's model on the paper's axes.
    x, y : Axis or None
        What varies along the columns and along the rows; None for the paper's axes.
    held : Setting or None
        What the axes do not change.
    """

    density: Array
    relative_importance: Array
    loss: Array
    lowest: NDArray[np.uint8]
    candidates: tuple[str, ...]
    candidate_losses: tuple[Array, ...]
    candidate_W: tuple[Array, ...]
    candidate_b: tuple[Array, ...]
    n_features: int
    n_hidden: int
    weights: str
    tolerance: float = GRADIENT_TOLERANCE
    version: str = __version__
    model: ToyModel | None = None
    x: Axis | None = None
    y: Axis | None = None
    held: Setting | None = None

    @cached_property
    def phase(self) -> Names:
        """Name of the lowest candidate, shape (D, R)."""
        return np.array(self.candidates)[self.lowest]

    @cached_property
    def outcome(self) -> Names:
        """What became of the extra feature (see `Minimum`), shape (D, R)."""
        return extra_feature_outcome(self.W)

    @cached_property
    def W(self) -> Array:
        """Weights of the lowest candidate, shape (D, R, m, n)."""
        return self._of_lowest(self.candidate_W)

    @cached_property
    def b(self) -> Array:
        """Biases of the lowest candidate, shape (D, R, n)."""
        return self._of_lowest(self.candidate_b)

    def _of_lowest(self, values: tuple[Array, ...]) -> Array:
        if len(values) == 1:
            return values[0]
        chosen = np.empty(values[0].shape)
        for i, candidate in enumerate(values):
            here = self.lowest == i
            chosen[here] = candidate[here]
        return chosen

    def shares(self) -> dict[str, float]:
        """Return what share of the grid's points each phase holds, in catalogue order."""
        count = np.bincount(self.lowest.ravel(), minlength=len(self.candidates))
        named = zip(self.candidates, count.tolist(), strict=True)
        return {name: points / self.lowest.size for name, points in named if points}


@dataclass(frozen=True)
class Boundary:
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


@dataclass(frozen=True)
class SpecialPoint:
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


@dataclass(frozen=True)
class Unresolved:
    """Something met while tracing that could not be closed.

    Attributes
    ----------
    density, relative_importance : float
    reason : str
    """

    density: float
    relative_importance: float
    reason: str


@dataclass(frozen=True)
class PhaseBoundaries:
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
    version: str = __version__
    unresolved: tuple[Unresolved, ...] = ()
    model: ToyModel | None = None
    x: Axis | None = None
    y: Axis | None = None
    held: Setting | None = None


@dataclass(frozen=True)
class BranchLosses:
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


@dataclass(frozen=True)
class SectionTransition:
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


@dataclass(frozen=True)
class LossSection:
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
    version: str = __version__
    transitions: tuple[SectionTransition, ...] = ()
    values: Array | None = None
    x: Axis | None = None
    model: ToyModel | None = None
    held: Setting | None = None

    @property
    def lowest(self) -> Array:
        """The lowest loss at each point, shape (k,)."""
        return np.asarray(np.nanmin([branch.loss for branch in self.branches], axis=0))
