"""Where trained models are in a phase diagram, whatever its axes are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.comparison.downhill import plane_for, positions_of
from phasediagram.parameters import PAPER_AXES, Plane
from phasediagram.results import PhaseDiagram
from phasediagram.toymodel.axes import (
    CORRELATION,
    DENSITY,
    FOLLOW,
    INTERFERENCE_PENALTY,
    RELATIVE_DENSITY,
    WEIGHT_DECAY,
    Axis,
)
from phasediagram.toymodel.models import CORRELATED, HIERARCHICAL, ToyModel
from phasediagram.training.result import TrainingResult

Array = NDArray[np.float64]

_GRID_MATCH = 1e-9  # in the coordinates of an axis
_SAME_NUMBERS = 1e-7  # relative: what the differences that a grid's match allows add up to
_ROUNDING = 1e-12  # of probabilities


@dataclass(frozen=True)
class Places:
    """Points of a diagram.

    Attributes
    ----------
    plane : Plane
        That of the diagram.
    by_row, by_column : ndarray, shape (...)
        Values of its axes, `y` and `x`.
    rows, columns : ndarray of int, shape (...)
        Which points of the diagram these are.
    """

    plane: Plane
    by_row: Array
    by_column: Array
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]

    @property
    def positions(self) -> Array:
        """Coordinates in the plane, shape (..., 2)."""
        pair = self.by_row.ravel(), self.by_column.ravel()
        return self.plane.coordinates(pair).reshape(*self.by_row.shape, 2)


def require_free(diagram: PhaseDiagram) -> None:
    """Raise ValueError unless a diagram is of free weights."""
    if diagram.weights != "free":
        raise ValueError(f"diagram must have free weights, got {diagram.weights!r}")


def plane_of_diagram(diagram: PhaseDiagram) -> Plane:
    """Return the plane that a diagram is a grid in."""
    if diagram.model is None or diagram.y is None or diagram.x is None:
        return Plane(diagram.n_features)
    return Plane(diagram.n_features, diagram.model, diagram.held, (diagram.y, diagram.x))


def places_of_values(diagram: PhaseDiagram, by_row: Array, by_column: Array, what: str) -> Places:
    """Return the points of a diagram that have these values of its axes.

    Raises
    ------
    ValueError
        If one is none of its points.
    """
    plane = plane_of_diagram(diagram)
    axes = plane.axes or PAPER_AXES
    rows = _indices(axes[0], diagram.density, by_row, what)
    columns = _indices(axes[1], diagram.relative_importance, by_column, what)
    return Places(plane, by_row, by_column, rows, columns)


def places_of(diagram: PhaseDiagram, training: TrainingResult) -> Places:
    """Return the points of a diagram that models were trained at.

    Raises
    ------
    ValueError
        If the diagram's weights are not free, the models are others than its own, or a point is
        not in it.
    """
    require_free(diagram)
    sizes = [(result.n_features, result.n_hidden) for result in (diagram, training)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            "diagram and training must have the same n_features and n_hidden, "
            f"got {sizes[0]} and {sizes[1]}"
        )
    n, m = training.n_features, training.n_hidden
    models = [ToyModel(n, m) if r.model is None else r.model for r in (diagram, training)]
    if len({(model.bias, model.activation) for model in models}) > 1:
        raise ValueError(
            f"diagram and training must be of the same model, got {models[0]!r} and {models[1]!r}"
        )
    plane = plane_of_diagram(diagram)
    values = [_trained_value(axis, models[1], training, plane) for axis in plane.axes or PAPER_AXES]
    places = places_of_values(diagram, values[0], values[1], "training")
    _require_same_numbers(places, training)
    return places


def _trained_value(axis: Axis, model: ToyModel, training: TrainingResult, plane: Plane) -> Array:
    """Return the values of an axis at which models were trained."""
    of_groups = {CORRELATION: CORRELATED, FOLLOW: HIERARCHICAL}
    shape = training.density.shape
    if axis.name in of_groups:
        strengths = {g.strength for g in model.groups if g.kind == of_groups[axis.name]}
        if len(strengths) != 1:
            raise ValueError(
                f"training must have one {axis.name} in its {of_groups[axis.name]} groups to be "
                f"in a diagram over it, got {model!r}"
            )
        return np.full(shape, strengths.pop())
    if axis.name in (INTERFERENCE_PENALTY, WEIGHT_DECAY):
        return np.full(shape, getattr(model, axis.name))
    if axis.name == RELATIVE_DENSITY:
        return np.full(shape, training.relative_density)
    if axis.name == DENSITY:
        return training.density
    last = training.n_features - 1
    feature = last if axis.feature is None else axis.feature
    if axis.quantity == DENSITY:
        assert plane.held is not None
        factor = training.relative_density / float(plane.held.relative_density)
        return training.density * (factor if feature == last else 1.0)
    if training.importance is not None:
        return np.full(shape, training.importance[feature])
    return training.relative_importance if feature == last else np.ones(shape)


def _require_same_numbers(places: Places, training: TrainingResult) -> None:
    """Raise ValueError unless the diagram's models are the trained ones at every point."""
    n = training.n_features
    trained = plane_for(
        n, training.n_hidden, training.model, training.importance, training.relative_density
    )
    there = positions_of(trained, training.density.ravel(), training.relative_importance.ravel())
    one = _numbers(places.plane, places.positions.reshape(-1, 2))
    other = _numbers(trained, there)
    for name, of_diagram in one.items():
        differs = ~np.isclose(of_diagram, other[name], _SAME_NUMBERS, _ROUNDING).all(axis=1)
        if differs.any():
            k = int(differs.argmax())
            axes = places.plane.axes or PAPER_AXES
            at = ", ".join(
                f"{axis.name} = {values.ravel()[k]:g}"
                for axis, values in zip(axes, (places.by_row, places.by_column), strict=True)
            )
            raise ValueError(
                f"diagram and training must have the same {name}, got "
                f"{_shown(of_diagram[k])} and {_shown(other[name][k])} at {at}"
            )


def _numbers(plane: Plane, positions: Array) -> dict[str, Array]:
    tables, importances, _ = plane.many(positions)
    sets = 1 << plane.n
    none = np.zeros((len(positions), 2))
    return {
        "importances": importances,
        "penalties": tables[:, sets : sets + 2] if plane.has_terms else none,
        "probabilities of sets of active features": tables[:, :sets],
    }


def _shown(values: Array) -> list[float]:
    return [float(f"{value:.6g}") for value in values]


def _indices(axis: Axis, grid: Array, values: Array, what: str) -> NDArray[np.intp]:
    """Return which of a diagram's values of an axis these are."""
    known = axis.coordinates(grid)
    with np.errstate(divide="ignore", invalid="ignore"):  # of what is on no logarithmic axis
        given = axis.coordinates(values)
    index = np.abs(given[..., None] - known).argmin(axis=-1)
    missing = ~(np.abs(known[index] - given) <= _GRID_MATCH)
    if missing.any():
        got = float(values[missing].flat[0])
        raise ValueError(f"every {axis.name} of {what} must be in the diagram, got {got!r}")
    return np.asarray(index)
