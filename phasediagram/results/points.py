"""What is found at one point."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from phasediagram._version import __version__
from phasediagram.naming.geometry import described, dimensionalities, interfering_pairs
from phasediagram.results.tolerances import GRADIENT_TOLERANCE
from phasediagram.results.wording import counted, higher, listed, matrix, number, size
from phasediagram.toymodel.models import ToyModel
from phasediagram.values import Result, Value

Array = NDArray[np.float64]


class Interference(NamedTuple):
    """Two features whose directions are not orthogonal.

    Attributes
    ----------
    first, second : int
        The features, counted from 0, as columns of W are.
    angle : float
        Between their directions, in degrees.
    """

    first: int
    second: int
    angle: float


@dataclass(frozen=True, eq=False, repr=False)
class Minimum(Value):
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
    def interference(self) -> tuple[Interference, ...]:
        """Pairs of features that are not orthogonal, with their angles; see `Interference`."""
        return tuple(Interference(*pair) for pair in interfering_pairs(self.W))

    @property
    def norms(self) -> Array:
        """Norm of each feature's direction, shape (n,)."""
        return np.asarray(np.linalg.norm(self.W, axis=0))

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

    def _lines(self) -> list[str]:
        answer = f"Minimum: {self.phase}, loss {number(self.loss)}"
        return [f"{answer}, W = {matrix(self.W)}, b = {matrix(self.b)}"]


@dataclass(frozen=True, eq=False, repr=False)
class Solution(Result):
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
    version: str = field(default=__version__, compare=False)
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

    @property
    def norms(self) -> Array:
        """Norm of each feature's direction in the lowest minimum, shape (n,)."""
        return self.minima[0].norms

    @property
    def dimensionality(self) -> Array:
        """How many dimensions each feature has in the lowest minimum, shape (n,)."""
        return self.minima[0].dimensionality

    @property
    def interference(self) -> tuple[Interference, ...]:
        """Pairs of features that are not orthogonal in the lowest minimum."""
        return self.minima[0].interference

    @property
    def excess(self) -> Array:
        """By how much each minimum is above the lowest, as a share of it; shape (minima,)."""
        return np.array([minimum.loss / self.loss - 1 for minimum in self.minima])

    def _lines(self) -> list[str]:
        where = (
            f"relative importance {self.relative_importance:g}"
            if self.importance is None
            else f"importances {listed(self.importance)}"
        )
        noun = ("minimum", "minima") if self.weights == "free" else ("candidate", "candidates")
        return [
            f"Solution: {self.phase}, loss {number(self.loss)}; {self._next()}",
            f"density {listed(self.density)}, {where}, "
            f"{size(self.n_features, self.n_hidden, self.model)}, {self.weights} weights, "
            f"{counted(len(self.minima), *noun)}",
            f"W = {matrix(self.W)}, b = {matrix(self.b)}",
            self.minima[0].description,
        ]

    def _next(self) -> str:
        if len(self.minima) == 1:
            return "no other minimum"
        return f"next {self.minima[1].phase}, {higher(float(self.excess[1]))}"
