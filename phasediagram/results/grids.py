"""What is found over a grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from phasediagram._version import __version__
from phasediagram.naming.geometry import extra_feature_outcome
from phasediagram.results.tolerances import GRADIENT_TOLERANCE
from phasediagram.results.wording import grid, shares, size, span, window
from phasediagram.toymodel.axes import Axis
from phasediagram.toymodel.models import ToyModel
from phasediagram.toymodel.settings import Setting
from phasediagram.values import DrawnResult, read_only

Array = NDArray[np.float64]
Names = NDArray[np.str_]


@dataclass(frozen=True, eq=False, repr=False)
class PhaseDiagram(DrawnResult):
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
    version: str = field(default=__version__, compare=False)
    model: ToyModel | None = None
    x: Axis | None = None
    y: Axis | None = None
    held: Setting | None = None

    @cached_property
    def phase(self) -> Names:
        """Name of the lowest candidate, shape (D, R)."""
        return read_only(np.array(self.candidates)[self.lowest])

    @cached_property
    def outcome(self) -> Names:
        """What became of the extra feature (see `Minimum`), shape (D, R)."""
        return read_only(extra_feature_outcome(self.W))

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
        return read_only(chosen)

    def shares(self) -> dict[str, float]:
        """Return what share of the grid's points each phase holds, in catalogue order."""
        count = np.bincount(self.lowest.ravel(), minlength=len(self.candidates))
        named = zip(self.candidates, count.tolist(), strict=True)
        return {name: points / self.lowest.size for name, points in named if points}

    def _lines(self) -> list[str]:
        return [
            f"PhaseDiagram: {grid(self.loss.shape)}, "
            f"{size(self.n_features, self.n_hidden, self.model)}, {self.weights} weights",
            window(self),
            shares(self.shares()),
            f"lowest loss {span(self.loss)}",
        ]
