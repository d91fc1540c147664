"""Geometries and catalogues of groups as labelled arrays.

The points of all groups follow each other along the dimension ``point``; their weights and
biases, of different sizes, along ``entry``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasediagram.files.labelled import Attributes, LabelledArrays, Variable
from phasediagram.grouping.families import FeatureGroup, GroupCatalogue
from phasediagram.grouping.result import Geometry, GeometryTransition

_GROUP, _POINT, _ENTRY, _PLACE = ("group",), ("point",), ("entry",), ("density",)
_CHANGE = ("transition",)


def label_catalogue(catalogue: GroupCatalogue) -> LabelledArrays:
    """Return a catalogue of groups as labelled arrays."""
    low, high = catalogue.density
    attributes: Attributes = {
        "arguments": f"find_groups(({low!r}, {high!r}), max_features={catalogue.max_features}, "
        f"max_hidden={catalogue.max_hidden}, starts={catalogue.starts})",
        "version": catalogue.version,
        "lowest_density": low,
        "highest_density": high,
        "max_features": catalogue.max_features,
        "max_hidden": catalogue.max_hidden,
        "starts": catalogue.starts,
        "poor": catalogue.poor,
    }
    searched = Variable(
        ("searched",), np.array(catalogue.searched), "densities at which groups were searched"
    )
    variables = {**_group_variables(catalogue.groups), "searched": searched}
    return LabelledArrays("group catalogue", variables, (), attributes)


def catalogue_from(arrays: LabelledArrays) -> GroupCatalogue:
    """Return the catalogue that `label_catalogue` was given."""
    return GroupCatalogue(
        _groups_from(arrays),
        (float(arrays.attributes["lowest_density"]), float(arrays.attributes["highest_density"])),
        arrays.number("max_features"),
        arrays.number("max_hidden"),
        arrays.number("starts"),
        tuple(float(p) for p in arrays.values("searched")),
        arrays.number("poor"),
        arrays.text("version"),
    )


def label_geometry(geometry: Geometry) -> LabelledArrays:
    """Return a geometry as labelled arrays."""
    changes = geometry.transitions
    variables = {
        "density": Variable(_PLACE, geometry.density, "of the features"),
        "counts": Variable(("density", "group"), geometry.counts, "number of groups"),
        "loss": Variable(_PLACE, geometry.loss, "lowest expected loss, of all features"),
        "squared_norm": Variable(_PLACE, geometry.squared_norm, "|W|^2"),
        "curvature": Variable(
            ("density", "bound"), geometry.curvature, "smallest curvature against tilting"
        ),
        "transition_density": Variable(
            _CHANGE, np.array([c.density for c in changes], dtype=float), "of a transition"
        ),
        "transition_below": Variable(_CHANGE, _records([c.below for c in changes]), "groups below"),
        "transition_above": Variable(_CHANGE, _records([c.above for c in changes]), "groups above"),
        "transition_first_order": Variable(
            _CHANGE, np.array([c.first_order for c in changes], dtype=np.int32), "1 if losses cross"
        ),
        **_group_variables(geometry.groups),
    }
    attributes: Attributes = {
        "arguments": f"geometry(n_features={geometry.n_features}, n_hidden={geometry.n_hidden}, "
        f"n_second={geometry.n_second}, relative_importance={geometry.relative_importance!r})",
        "version": geometry.version,
        "n_features": geometry.n_features,
        "n_hidden": geometry.n_hidden,
        "n_second": geometry.n_second,
        "relative_importance": geometry.relative_importance,
    }
    return LabelledArrays("geometry", variables, ("density",), attributes)


def geometry_from(arrays: LabelledArrays) -> Geometry:
    """Return the geometry that `label_geometry` was given."""
    columns = [
        arrays.values(f"transition_{name}") for name in ("density", "below", "above", "first_order")
    ]
    return Geometry(
        arrays.values("density"),
        arrays.number("n_features"),
        arrays.number("n_hidden"),
        arrays.number("n_second"),
        float(arrays.attributes["relative_importance"]),
        _groups_from(arrays),
        arrays.values("counts"),
        arrays.values("loss"),
        arrays.values("squared_norm"),
        arrays.values("curvature"),
        tuple(
            GeometryTransition(float(p), _counts(below), _counts(above), bool(first))
            for p, below, above, first in zip(*columns, strict=True)
        ),
        arrays.text("version"),
    )


def _group_variables(groups: Sequence[FeatureGroup]) -> dict[str, Variable]:
    def each(name: str, kind: Any) -> NDArray[Any]:
        return np.array([getattr(group, name) for group in groups], dtype=kind)

    lengths = np.array([len(group.density) for group in groups], dtype=np.int32)
    return {
        "group_name": Variable(_GROUP, each("name", np.str_), "of a group"),
        "group_features": Variable(_GROUP, each("n_features", np.int32), "its features"),
        "group_hidden": Variable(_GROUP, each("n_hidden", np.int32), "its dimensions"),
        "group_second": Variable(_GROUP, each("n_second", np.int32), "features of second class"),
        "group_importance": Variable(
            _GROUP, each("relative_importance", float), "importance of the second class"
        ),
        "group_ends": Variable(
            _GROUP,
            np.array([json.dumps(group.ends) for group in groups], dtype=np.str_),
            "what is at its lowest and highest density",
        ),
        "group_points": Variable(_GROUP, lengths, "number of its points"),
        "point_density": Variable(_POINT, _joined([g.density for g in groups]), "of a point"),
        "point_loss": Variable(_POINT, _joined([g.loss for g in groups]), "of a point"),
        "weights": Variable(_ENTRY, _joined([g.W.ravel() for g in groups]), "all weights"),
        "biases": Variable(("bias",), _joined([g.b.ravel() for g in groups]), "all biases"),
    }


def _groups_from(arrays: LabelledArrays) -> tuple[FeatureGroup, ...]:
    groups, point, weight, bias = [], 0, 0, 0
    for index, name in enumerate(arrays.names("group_name")):
        k, d, second = (
            int(arrays.values(f"group_{what}")[index]) for what in ("features", "hidden", "second")
        )
        count = int(arrays.values("group_points")[index])
        points = slice(point, point + count)
        low, high = json.loads(str(arrays.values("group_ends")[index]))
        groups.append(
            FeatureGroup(
                str(name),
                k,
                d,
                second,
                float(arrays.values("group_importance")[index]),
                arrays.values("point_density")[points],
                arrays.values("point_loss")[points],
                arrays.values("weights")[weight : weight + count * k * d].reshape(count, d, k),
                arrays.values("biases")[bias : bias + count * k].reshape(count, k),
                (str(low), str(high)),
            )
        )
        point, weight, bias = point + count, weight + count * k * d, bias + count * k
    return tuple(groups)


def _joined(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([*parts, np.empty(0)])


def _records(counts: list[dict[str, int]]) -> NDArray[np.str_]:
    return np.array([json.dumps(count) for count in counts], dtype=np.str_)


def _counts(text: str) -> dict[str, int]:
    return {str(name): int(count) for name, count in json.loads(str(text)).items()}
