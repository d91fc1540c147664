"""What was assumed, as an attribute of labelled arrays."""

from __future__ import annotations

import json
from typing import Any

from phasediagram.files.labelled import AXES, Attributes, LabelledArrays
from phasediagram.results import LossSection, PhaseBoundaries, PhaseDiagram
from phasediagram.toymodel.axes import Axis
from phasediagram.toymodel.records import (
    axis_from_record,
    axis_record,
    model_from_record,
    model_record,
    setting_from_record,
    setting_record,
)

_ATTRIBUTE = "assumptions"


def axis_names(result: PhaseDiagram | PhaseBoundaries) -> tuple[str, str]:
    """Return the names of the rows' and of the columns' axis, as names of variables."""
    if result.x is None or result.y is None:
        return AXES
    return _plain(result.y), _plain(result.x)


def with_assumptions(
    attributes: Attributes, result: PhaseDiagram | PhaseBoundaries | LossSection
) -> Attributes:
    """Return attributes that say what was assumed, if it is not the paper's model."""
    if result.model is None:
        return attributes
    axes = {name: getattr(result, name, None) for name in ("x", "y")}  # a section has one
    record = {
        "model": model_record(result.model),
        "held": None if result.held is None else setting_record(result.held),
        **{name: None if axis is None else axis_record(axis) for name, axis in axes.items()},
    }
    return {**attributes, _ATTRIBUTE: json.dumps(record)}


def assumptions_of(arrays: LabelledArrays) -> dict[str, Any]:
    """Return model, held, x and y, None where nothing is said."""
    text = arrays.attributes.get(_ATTRIBUTE)
    record = {} if text is None else json.loads(str(text))
    readers = {
        "model": model_from_record,
        "held": setting_from_record,
        "x": axis_from_record,
        "y": axis_from_record,
    }
    return {
        name: None if record.get(name) is None else reader(record[name])
        for name, reader in readers.items()
    }


def names_of(arrays: LabelledArrays) -> tuple[str, str]:
    """Return the names of the axes of labelled arrays."""
    found = assumptions_of(arrays)
    if found["x"] is None or found["y"] is None:
        return AXES
    return _plain(found["y"]), _plain(found["x"])


def _plain(axis: Axis) -> str:
    return axis.name.replace("[", "_").replace("]", "")
