"""Results for programs: what the command line prints, as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from phasediagram.certified.certificate import Certificate
from phasediagram.certified.planes.diagram import CertifiedDiagram
from phasediagram.comparison.agreement import Agreement
from phasediagram.comparison.basins import Basins
from phasediagram.files.assumptions import axis_names
from phasediagram.grouping.result import Geometry
from phasediagram.results import LossSection, PhaseBoundaries, PhaseDiagram, Solution
from phasediagram.toymodel.records import axis_record, model_record


def solution_record(solution: Solution) -> dict[str, Any]:
    """Return a solution as JSON has it: its arguments, and every minimum, lowest first."""
    return {
        "density": np.asarray(solution.density).tolist(),
        "relative_importance": solution.relative_importance,
        "n_features": solution.n_features,
        "n_hidden": solution.n_hidden,
        "weights": solution.weights,
        "version": solution.version,
        "tolerance": solution.tolerance,
        **_assumed(solution),
        "minima": [
            {
                "phase": minimum.phase,
                "outcome": minimum.outcome,
                "loss": minimum.loss,
                "W": minimum.W.tolist(),
                "b": minimum.b.tolist(),
                "smallest_curvature": minimum.smallest_curvature,
                "gradient_norm": minimum.gradient_norm,
                "dimensionality": minimum.dimensionality.tolist(),
                "interference": [
                    {"features": [pair.first + 1, pair.second + 1], "angle": pair.angle}
                    for pair in minimum.interference
                ],
                "description": minimum.description,
            }
            for minimum in solution.minima
        ],
    }


def diagram_record(diagram: PhaseDiagram) -> dict[str, Any]:
    """Return what share of a diagram each phase holds as JSON has it; files hold the arrays."""
    rows, columns = axis_names(diagram)
    return {
        "n_features": diagram.n_features,
        "n_hidden": diagram.n_hidden,
        "weights": diagram.weights,
        "version": diagram.version,
        "tolerance": diagram.tolerance,
        **_assumed(diagram),
        rows: _ends(diagram.density),
        columns: _ends(diagram.relative_importance),
        "shape": list(diagram.loss.shape),
        "shares": diagram.shares(),
    }


def section_record(section: LossSection) -> dict[str, Any]:
    """Return the losses of all minima along a line, and its transitions, as JSON has them."""
    axis = {} if section.x is None or section.values is None else {
        "x": axis_record(section.x), "values": section.values.tolist()
    }  # fmt: skip
    return {
        "n_features": section.n_features,
        "n_hidden": section.n_hidden,
        "version": section.version,
        **_assumed(section),
        **axis,
        "density": section.density.tolist(),
        "relative_importance": section.relative_importance.tolist(),
        "minima": [
            {"phases": list(branch.phases), "loss": branch.loss.tolist()}
            for branch in section.branches
        ],
        "transitions": [
            {
                "position": transition.position,
                "phases": list(transition.phases),
                "order": transition.order,
                "slope_jump": transition.slope_jump,
            }
            for transition in section.transitions
        ],
    }


def agreement_record(agreement: Agreement) -> dict[str, Any]:
    """Return how trained models compare with theory as JSON has it."""
    return {
        "n_features": agreement.n_features,
        "n_hidden": agreement.n_hidden,
        "version": agreement.version,
        "points": agreement.density.size,
        "runs": agreement.runs,
        "shares": agreement.shares(),
        "best_seed_agrees": float(agreement.best_seed_agrees.mean()),
        "lowest_excess": agreement.lowest_excess,
        "optimal": agreement.optimal,
    }


def basins_record(basins: Basins) -> dict[str, Any]:
    """Return where training ends as JSON has it."""
    return {
        "density": basins.density,
        "relative_importance": basins.relative_importance,
        "n_features": basins.n_features,
        "n_hidden": basins.n_hidden,
        **_assumed(basins),
        "version": basins.version,
        "runs": basins.runs,
        "optimizer": basins.optimizer,
        "steps": basins.steps,
        "basins": [
            {name: getattr(basin, name) for name in ("phase", "loss", "share", "error")}
            for basin in basins
        ],
    }


def certificate_record(certificate: Certificate) -> dict[str, Any]:
    """Return what a certificate says as JSON has it; its file holds the proof."""
    return {
        "density": list(certificate.density),
        "importance": list(certificate.importance),
        "n_features": certificate.n_features,
        "n_hidden": certificate.n_hidden,
        "bias": certificate.bias,
        "interference_penalty": certificate.interference_penalty,
        "version": certificate.version,
        "lower": certificate.lower,
        "upper": certificate.upper,
        "exact_lower": str(certificate.exact_lower),
        "exact_upper": str(certificate.exact_upper),
        "is_closed": certificate.is_closed,
        "boxes": certificate.boxes,
        "seconds": certificate.seconds,
        "W": certificate.W.tolist(),
        "b": certificate.b.tolist(),
        "minimiser_within": [
            {"gram_low": region.gram_low.tolist(), "gram_high": region.gram_high.tolist()}
            for region in certificate.minimiser_within
        ],
    }


def certified_record(diagram: CertifiedDiagram) -> dict[str, Any]:
    """Return what share of a certified diagram each verdict has as JSON has it."""
    return {
        "density": _ends(diagram.density),
        diagram.name: _ends(diagram.other),
        "version": diagram.version,
        "cells": len(diagram.phase),
        "seconds": diagram.seconds,
        "shares": diagram.shares(),
        "finer_shares": diagram.shares(finer=True),
    }


def boundaries_record(boundaries: PhaseBoundaries) -> dict[str, Any]:
    """Return curves, special points and what is unresolved as JSON has them."""
    by_row, by_column = axis_names(boundaries)
    return {
        "n_features": boundaries.n_features,
        "n_hidden": boundaries.n_hidden,
        "weights": boundaries.weights,
        "version": boundaries.version,
        "tolerance": boundaries.tolerance,
        **_assumed(boundaries),
        "boundaries": [
            {
                "kind": boundary.kind,
                "order": boundary.order,
                "phases": list(boundary.phases),
                by_row: boundary.density.tolist(),
                by_column: boundary.relative_importance.tolist(),
                "loss": None if boundary.loss is None else boundary.loss.tolist(),
                "slope_jump": None if boundary.slope_jump is None else boundary.slope_jump.tolist(),
                "ends": list(boundary.ends),
            }
            for boundary in boundaries.boundaries
        ],
        "special_points": special_point_records(boundaries),
        "unresolved": [
            {
                by_row: end.density,
                by_column: end.relative_importance,
                "reason": end.reason,
            }
            for end in boundaries.unresolved
        ],
    }


def special_point_records(boundaries: PhaseBoundaries) -> list[dict[str, Any]]:
    """Return special points as JSON has them.

    Parameters
    ----------
    boundaries : PhaseBoundaries

    Returns
    -------
    list of dict
    """
    by_row, by_column = axis_names(boundaries)
    return [
        {
            "kind": point.kind,
            "phases": list(point.phases),
            by_row: point.density,
            by_column: point.relative_importance,
        }
        for point in boundaries.special_points
    ]


def geometry_record(geometry: Geometry) -> dict[str, Any]:
    """Return the lowest mixtures and their transitions as JSON has them."""
    return {
        "n_features": geometry.n_features,
        "n_hidden": geometry.n_hidden,
        "version": geometry.version,
        "mixture": geometry.mixture(0),
        "transitions": [
            {
                "density": change.density,
                "below": change.below,
                "above": change.above,
                "order": 1 if change.first_order else 2,
            }
            for change in geometry.transitions
        ],
        "density": geometry.density.tolist(),
        "loss": geometry.loss.tolist(),
        "stability": list(geometry.stability),
    }


_RECORDS: dict[type, Callable[[Any], dict[str, Any]]] = {
    Solution: solution_record,
    PhaseDiagram: diagram_record,
    PhaseBoundaries: boundaries_record,
    LossSection: section_record,
    Agreement: agreement_record,
    Basins: basins_record,
    Certificate: certificate_record,
    CertifiedDiagram: certified_record,
    Geometry: geometry_record,
}


def record(result: Any) -> dict[str, Any]:
    """Return what the command line prints of a result, with all digits, as JSON has it.

    Parameters
    ----------
    result : Solution, PhaseDiagram, PhaseBoundaries, LossSection, Agreement, Basins, \
            Certificate, CertifiedDiagram or Geometry

    Returns
    -------
    dict
    """
    return _RECORDS[type(result)](result)


def result_json(result: Any) -> str:
    """Return a result as a JSON text, see `record`."""
    return as_json(record(result))


def as_json(document: Any) -> str:
    """Return a record as a JSON text, in which numbers that are none are null.

    Parameters
    ----------
    document : dict, list, str, number or None

    Returns
    -------
    str
    """
    return json.dumps(_finite(document), indent=1)


def _finite(value: Any) -> Any:
    """Replace NaN and infinities, which JSON does not have, by None."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _assumed(result: Any) -> dict[str, Any]:
    """Return what is not the paper's, if anything."""
    found: dict[str, Any] = {}
    importance, model = getattr(result, "importance", None), result.model
    if importance is not None:
        found["importance"] = importance.tolist()
    if model is not None:
        found["model"] = model_record(model)
    return found


def _ends(values: Any) -> list[float]:
    return [float(values.min()), float(values.max())]
