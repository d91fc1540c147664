"""Boundaries and special points as labelled arrays.

The points of all curves follow each other along the dimension ``point``, and ``curve``
says which curve each belongs to (the contiguous ragged arrays of the CF conventions).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasediagram.files.assumptions import (
    assumptions_of,
    axis_names,
    names_of,
    with_assumptions,
)
from phasediagram.files.labelled import AXES, Attributes, LabelledArrays, Variable, joined, split
from phasediagram.results import Boundary, PhaseBoundaries, SpecialPoint, Unresolved

_ALONG = ("point",)
_CURVE = ("boundary",)
_SPECIAL = ("special_point",)
_UNRESOLVED = ("unresolved",)
_NONE = 0  # order of a spinodal
_PREFIXES = ("", "slope_jump_", "special_", "unresolved_")
_NAMED = [f"{prefix}{axis}" for prefix in _PREFIXES for axis in AXES]


def label_boundaries(boundaries: PhaseBoundaries) -> LabelledArrays:
    """Return boundaries and special points as labelled arrays."""
    curves, special = boundaries.boundaries, boundaries.special_points
    unresolved = boundaries.unresolved
    lengths = [len(curve.density) for curve in curves]
    jumps = [_or_nan(curve.slope_jump, (len(curve.density), 2)) for curve in curves]
    jump = np.concatenate([*jumps, np.empty((0, 2))])
    variables = {
        "density": Variable(_ALONG, _chained(c.density for c in curves), "of a curve's point"),
        "relative_importance": Variable(
            _ALONG, _chained(c.relative_importance for c in curves), "of a curve's point"
        ),
        "curve": Variable(
            _ALONG, np.repeat(np.arange(len(curves), dtype=np.int32), lengths), "index of the curve"
        ),
        "loss": Variable(
            _ALONG,
            _chained(_or_nan(c.loss, (len(c.density),)) for c in curves),
            "lowest expected loss; NaN on spinodals",
        ),
        "slope_jump_density": Variable(
            _ALONG, jump[:, 0], "jump of the derivative of the lowest loss by density"
        ),
        "slope_jump_relative_importance": Variable(
            _ALONG, jump[:, 1], "jump of the derivative of the lowest loss by relative importance"
        ),
        "phases": Variable(_CURVE, _strings(joined(c.phases) for c in curves), "phases it divides"),
        "kind": Variable(_CURVE, _strings(c.kind for c in curves), "equilibrium or spinodal"),
        "order": Variable(
            _CURVE,
            np.array([c.order or _NONE for c in curves], dtype=np.int32),
            "1 first order, 2 continuous, 0 spinodal",
        ),
        "ends": Variable(
            _CURVE, _strings(joined(c.ends) for c in curves), "what is at its first and last point"
        ),
        "special_density": Variable(
            _SPECIAL, np.array([s.density for s in special], dtype=float), "of a special point"
        ),
        "special_relative_importance": Variable(
            _SPECIAL,
            np.array([s.relative_importance for s in special], dtype=float),
            "of a special point",
        ),
        "special_kind": Variable(_SPECIAL, _strings(s.kind for s in special), "what it is"),
        "special_phases": Variable(
            _SPECIAL, _strings(joined(s.phases) for s in special), "phases that meet"
        ),
        "unresolved_density": Variable(
            _UNRESOLVED, np.array([u.density for u in unresolved], dtype=float), "of an open end"
        ),
        "unresolved_relative_importance": Variable(
            _UNRESOLVED,
            np.array([u.relative_importance for u in unresolved], dtype=float),
            "of an open end",
        ),
        "unresolved_reason": Variable(
            _UNRESOLVED, _strings(u.reason for u in unresolved), "why it could not be closed"
        ),
    }
    attributes: Attributes = {
        "arguments": f"phase_boundaries(n_features={boundaries.n_features}, "
        f"n_hidden={boundaries.n_hidden}, weights={boundaries.weights!r})",
        "version": boundaries.version,
        "tolerance": boundaries.tolerance,
        "n_features": boundaries.n_features,
        "n_hidden": boundaries.n_hidden,
        "weights": boundaries.weights,
    }
    attributes = with_assumptions(attributes, boundaries)
    renamed = dict(zip(_NAMED, _names(axis_names(boundaries)), strict=True))
    variables = {renamed.get(name, name): value for name, value in variables.items()}
    return LabelledArrays("phase boundaries", variables, (renamed["density"], "curve"), attributes)


def boundaries_from(arrays: LabelledArrays) -> PhaseBoundaries:
    """Return the boundaries that `label_boundaries` was given."""
    usual = dict(zip(_names(names_of(arrays)), _NAMED, strict=True))
    arrays = replace(
        arrays,
        variables={usual.get(name, name): value for name, value in arrays.variables.items()},
    )
    special = zip(
        arrays.values("special_density"),
        arrays.values("special_relative_importance"),
        arrays.names("special_kind"),
        arrays.names("special_phases"),
        strict=True,
    )
    return PhaseBoundaries(
        boundaries=tuple(_boundary(arrays, i) for i in range(len(arrays.values("order")))),
        special_points=tuple(
            SpecialPoint(float(p), float(r), str(kind), split(str(phases)))
            for p, r, kind, phases in special
        ),
        n_features=arrays.number("n_features"),
        n_hidden=arrays.number("n_hidden"),
        weights=arrays.text("weights"),
        tolerance=float(arrays.attributes["tolerance"]),
        version=arrays.text("version"),
        unresolved=tuple(
            Unresolved(float(p), float(r), str(reason))
            for p, r, reason in zip(
                arrays.values("unresolved_density"),
                arrays.values("unresolved_relative_importance"),
                arrays.names("unresolved_reason"),
                strict=True,
            )
        ),
        **assumptions_of(arrays),
    )


def _names(axes: tuple[str, str]) -> list[str]:
    """Return the names of the variables that hold values of the axes."""
    return [f"{prefix}{axis}" for prefix in _PREFIXES for axis in axes]


def _boundary(arrays: LabelledArrays, index: int) -> Boundary:
    points = arrays.values("curve") == index
    loss = arrays.values("loss")[points]
    jump = np.stack(
        [
            arrays.values("slope_jump_density")[points],
            arrays.values("slope_jump_relative_importance")[points],
        ],
        axis=1,
    )
    order = int(arrays.values("order")[index])
    return Boundary(
        density=arrays.values("density")[points],
        relative_importance=arrays.values("relative_importance")[points],
        phases=split(str(arrays.values("phases")[index])),
        order=None if order == _NONE else order,
        kind=str(arrays.values("kind")[index]),
        loss=None if np.isnan(loss).all() else loss,
        slope_jump=None if np.isnan(jump).all() else jump,
        ends=split(str(arrays.values("ends")[index])),
    )


def _chained(parts: Any) -> NDArray[np.float64]:
    return np.concatenate([*parts, np.empty(0)])


def _or_nan(values: NDArray[np.float64] | None, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.full(shape, np.nan) if values is None else values


def _strings(values: Any) -> NDArray[np.str_]:
    return np.array(list(values), dtype=np.str_)
