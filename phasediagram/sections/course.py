"""Lines through the space of parameters, point by point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.minima.engine import Engine
from phasediagram.minima.state import Space
from phasediagram.minima.symmetry import plane_engine
from phasediagram.model import as_density, as_importance
from phasediagram.parameters import Plane, plane_of
from phasediagram.toymodel.axes import Axis
from phasediagram.toymodel.models import ToyModel

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Course:
    """A line through the space of parameters, point by point.

    Attributes
    ----------
    plane : Plane
        Of one axis, or the paper's.
    positions : ndarray, shape (k, axes)
    varied : int
        Which coordinate varies.
    values : ndarray, shape (k,)
        Of what varies.
    density, relative_importance : ndarray, shape (k,)
    axis : Axis or None
    """

    plane: Plane
    positions: Array
    varied: int
    values: Array
    density: Array
    relative_importance: Array
    axis: Axis | None = None


def course_of(
    model: ToyModel,
    x: Axis | None,
    density: ArrayLike | None,
    relative_importance: ArrayLike,
    importance: ArrayLike | None,
    relative_density: float,
) -> Course:
    """Return the line of `loss_section`'s arguments; raise ValueError if they are none."""
    if x is not None:
        return _along(
            plane_of(model, (x,), density, relative_importance, importance, relative_density),
            x,
            x.values,
        )
    if density is None:
        raise ValueError("density must be given, a number or a list, unless x is")
    p = as_density(density)
    r = as_importance(relative_importance, "relative_importance")
    if {p.ndim, r.ndim} != {0, 1} or p.size == r.size:
        raise ValueError(
            "density and relative_importance must be a number and a list of at least two, "
            f"got shapes {p.shape} and {r.shape}"
        )
    _require_ordered(*(("relative_importance", r) if r.ndim else ("density", p)))
    if model.is_standard and importance is None and relative_density == 1:
        varied = int(r.ndim)
        values = r if r.ndim else p
        p, r = (np.array(both) for both in np.broadcast_arrays(p, r))
        positions = np.stack([np.log(p), np.log(r)], axis=1)
        return Course(Plane(model.n_features), positions, varied, values, p, r)
    name, values = ("relative_importance", r) if r.ndim else ("density", p)
    axis = Axis(name, float(values.min()), float(values.max()))
    held_density = None if p.ndim else density
    held_r = 1.0 if r.ndim else relative_importance
    plane = plane_of(model, (axis,), held_density, held_r, importance, relative_density)
    return _along(plane, axis, values)


def _require_ordered(name: str, values: Array) -> None:
    """Raise ValueError unless values ascend, or descend, from each to the next."""
    steps = np.sign(np.diff(values))
    wrong = np.flatnonzero((steps == 0) | (steps != steps[0]))
    if len(wrong):
        k = int(wrong[0])
        raise ValueError(
            f"{name} must ascend or descend throughout, got {values[k]:g} before "
            f"{values[k + 1]:g} at index {k}"
        )


def _along(plane: Plane, axis: Axis, values: Array) -> Course:
    positions = axis.coordinates(values)[:, None]
    density = plane.naming_densities(positions)
    return Course(
        plane, positions, 0, values, density, plane.settings(positions).importance[:, -1], axis
    )


def engine_on(course: Course, m: int) -> Engine:
    """Return the compiled functions for a line, with the symmetry that holds all along it."""
    if course.plane.model is not None:
        return plane_engine(course.plane, m)
    n = course.plane.n
    all_equal = (tuple(range(n)),)
    others_equal = tuple(range(n - 1)), (n - 1,)
    return Engine(
        Space(n, m, all_equal if (course.relative_importance == 1).all() else others_equal)
    )
