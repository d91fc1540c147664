"""Comparisons with training as labelled arrays."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import numpy as np

from phasediagram.comparison.agreement import Agreement
from phasediagram.comparison.basins import Basin, Basins
from phasediagram.comparison.edges import EdgeDistances
from phasediagram.comparison.plateaus import PlateauAgreement
from phasediagram.files.labelled import AXES, Attributes, LabelledArrays, Variable
from phasediagram.toymodel.records import (
    axis_from_record,
    axis_record,
    model_from_record,
    model_record,
)

_SIZES = ("n_features", "n_hidden")


def label_agreement(agreement: Agreement) -> LabelledArrays:
    """Return a comparison of runs with theory as labelled arrays."""
    points = tuple(f"point_{axis}" for axis in range(agreement.density.ndim))
    runs = (*points, "seed")
    variables = {
        "density": Variable(points, agreement.density, "probability that a feature is active"),
        "relative_importance": Variable(
            points, agreement.relative_importance, "importance of the extra feature"
        ),
        "outcome": Variable(runs, agreement.outcome, "where the run ended"),
        "phase": Variable(runs, agreement.phase, "of the minimum that the run's end leads to"),
        "excess": Variable(runs, agreement.excess, "exact loss less the theoretical minimum"),
        "minimum_excess": Variable(
            runs, agreement.minimum_excess, "loss of that minimum less the theoretical minimum"
        ),
        "theory_loss": Variable(points, agreement.theory_loss, "the theoretical minimum"),
        "theory_phase": Variable(points, agreement.theory_phase, "its phase"),
    }
    attributes: Attributes = {
        "arguments": "compare(diagram, training)",
        "version": agreement.version,
        **{name: getattr(agreement, name) for name in _SIZES},
    }
    if agreement.x is not None and agreement.y is not None:
        attributes["axes"] = json.dumps([axis_record(agreement.x), axis_record(agreement.y)])
    return LabelledArrays("agreement", variables, AXES, attributes)


def agreement_from(arrays: LabelledArrays) -> Agreement:
    """Return the comparison that `label_agreement` was given."""
    n_features, n_hidden = (arrays.number(name) for name in _SIZES)
    axes = json.loads(str(arrays.attributes.get("axes", "[null, null]")))
    x, y = (None if record is None else axis_from_record(record) for record in axes)
    return Agreement(
        outcome=arrays.names("outcome"),
        phase=arrays.names("phase"),
        excess=arrays.values("excess"),
        minimum_excess=arrays.values("minimum_excess"),
        theory_loss=arrays.values("theory_loss"),
        theory_phase=arrays.names("theory_phase"),
        density=arrays.values("density"),
        relative_importance=arrays.values("relative_importance"),
        n_features=n_features,
        n_hidden=n_hidden,
        version=arrays.text("version"),
        x=x,
        y=y,
    )


def label_basins(basins: Basins) -> LabelledArrays:
    """Return where training ends as labelled arrays."""
    along = ("basin",)
    variables = {
        name: Variable(along, np.array([getattr(basin, name) for basin in basins]), what)
        for name, what in (
            ("phase", "of the minimum; unfinished: none; diverged"),
            ("loss", "of the minimum; NaN for runs in none"),
            ("share", "share of the runs"),
            ("error", "its binomial standard error"),
        )
    }
    attributes: Attributes = {
        "arguments": f"basin_probabilities({basins.density!r}, {basins.relative_importance!r}, "
        f"n_features={basins.n_features}, n_hidden={basins.n_hidden}, runs={basins.runs}, "
        f"optimizer={basins.optimizer!r}, steps={basins.steps})",
        "version": basins.version,
        **{name: getattr(basins, name) for name in (*_SIZES, *AXES, "runs", "optimizer", "steps")},
    }
    if basins.model is not None:
        attributes["model"] = json.dumps(model_record(basins.model))
    return LabelledArrays("basins", variables, (), attributes)


def basins_from(arrays: LabelledArrays) -> Basins:
    """Return what `label_basins` was given."""
    rows = zip(
        arrays.names("phase"),
        *(arrays.values(name) for name in ("loss", "share", "error")),
        strict=True,
    )
    n_features, n_hidden = (arrays.number(name) for name in _SIZES)
    model = arrays.attributes.get("model")
    return Basins(
        basins=tuple(
            Basin(str(phase), float(loss), float(share), float(error))
            for phase, loss, share, error in rows
        ),
        runs=arrays.number("runs"),
        density=float(arrays.attributes["density"]),
        relative_importance=float(arrays.attributes["relative_importance"]),
        n_features=n_features,
        n_hidden=n_hidden,
        optimizer=arrays.text("optimizer"),
        steps=arrays.number("steps"),
        model=None if model is None else model_from_record(json.loads(str(model))),
        version=arrays.text("version"),
    )


def label_edges(edges: EdgeDistances) -> LabelledArrays:
    """Return distances of edges as labelled arrays."""
    along = ("edge",)
    variables = {
        "density": Variable(along, edges.edges[:, 0], "of an edge"),
        "relative_importance": Variable(along, edges.edges[:, 1], "of an edge"),
        "to_boundary": Variable(along, edges.to_boundary, "in steps of the trained grid"),
        "to_spinodal": Variable(along, edges.to_spinodal, "in steps of the trained grid"),
    }
    attributes: Attributes = {
        "arguments": "edge_distances(training, boundaries)",
        "everywhere_to_boundary": edges.everywhere_to_boundary,
        "everywhere_to_spinodal": edges.everywhere_to_spinodal,
    }
    return LabelledArrays("edge distances", variables, AXES, attributes)


def edges_from(arrays: LabelledArrays) -> EdgeDistances:
    """Return what `label_edges` was given."""
    return EdgeDistances(
        np.stack([arrays.values(name) for name in AXES], axis=1),
        arrays.values("to_boundary"),
        arrays.values("to_spinodal"),
        float(arrays.attributes["everywhere_to_boundary"]),
        float(arrays.attributes["everywhere_to_spinodal"]),
    )


def label_plateaus(agreement: PlateauAgreement) -> LabelledArrays:
    """Return where trained features settled as labelled arrays."""
    networks, features = ("network",), ("network", "feature")
    variables = {
        "density": Variable(networks, agreement.density, "probability that a feature is active"),
        "loss": Variable(networks, agreement.loss, "of the network, as it was given"),
        "lowest": Variable(networks, agreement.lowest, "lowest loss over orthogonal groups"),
        "norm": Variable(features, agreement.norm, "of the feature's direction"),
        "dimensionality": Variable(features, agreement.dimensionality, "D of the feature"),
        "by_group": Variable(features, agreement.by_group, "standing of the group it is in"),
        "by_dimensionality": Variable(
            features, agreement.by_dimensionality, "standing of groups with a feature of its D"
        ),
        "group": Variable(features, agreement.group, "the group it is in, if it is a known one"),
        "formed": Variable(features, agreement.formed, "features and dimensions of that"),
    }
    attributes: Attributes = {
        "arguments": "compare_geometry(training, groups)",
        "tolerance": agreement.tolerance,
    }
    return LabelledArrays("plateau agreement", variables, (), attributes)


def plateaus_from(arrays: LabelledArrays) -> PlateauAgreement:
    """Return what `label_plateaus` was given."""
    names = [field.name for field in fields(PlateauAgreement)]
    words = {"by_group", "by_dimensionality", "group", "formed"}
    values: dict[str, Any] = {
        name: arrays.names(name) if name in words else arrays.values(name)
        for name in names
        if name != "tolerance"
    }
    return PlateauAgreement(**values, tolerance=float(arrays.attributes["tolerance"]))
