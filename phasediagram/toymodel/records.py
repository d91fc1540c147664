"""Models, settings and axes as plain numbers, lists and strings, for files."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from phasediagram.toymodel.axes import Axis
from phasediagram.toymodel.models import Group, ToyModel
from phasediagram.toymodel.settings import Setting


def model_record(model: ToyModel) -> dict[str, Any]:
    """Return a model as a record."""
    return dict(json.loads(json.dumps(asdict(model))))  # lists instead of tuples, as in files


def model_from_record(record: dict[str, Any]) -> ToyModel:
    """Return the model of a record.

    Raises
    ------
    ValueError
        If it is no record of a model.
    """
    try:
        given = dict(record)
        groups = [
            Group(str(g["kind"]), tuple(map(int, g["features"])), float(g["strength"]))
            for g in given.pop("groups")
        ]
        return ToyModel(**given, groups=tuple(groups))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the record of a model: {error}") from None


def setting_record(setting: Setting) -> dict[str, Any]:
    """Return a setting as a record."""
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in vars(setting).items()
    }


def setting_from_record(record: dict[str, Any]) -> Setting:
    """Return the setting of a record; raises ValueError as `model_from_record`."""
    try:
        given = dict(record)
        density, importance = (np.array(given.pop(k), float) for k in ("density", "importance"))
        return Setting(density, importance, **given)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the record of a setting: {error}") from None


def axis_record(axis: Axis) -> dict[str, Any]:
    """Return an axis as a record."""
    return asdict(axis)


def axis_from_record(record: dict[str, Any]) -> Axis:
    """Return the axis of a record; raises ValueError as `model_from_record`."""
    try:
        return Axis(**record)
    except TypeError as error:
        raise ValueError(f"not the record of an axis: {error}") from None
