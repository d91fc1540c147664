"""Phase diagrams and solutions as labelled arrays."""

from __future__ import annotations

import json

import numpy as np

from phasediagram.files.assumptions import (
    assumptions_of,
    axis_names,
    names_of,
    with_assumptions,
)
from phasediagram.files.labelled import AXES, Attributes, LabelledArrays, Variable, joined, split
from phasediagram.results import Minimum, PhaseDiagram, Solution
from phasediagram.toymodel.records import model_from_record, model_record

_WEIGHT = ("hidden", "feature")
AXIS_MEANINGS = ("probability that a feature is active", "importance of the extra feature")


def label_diagram(diagram: PhaseDiagram) -> LabelledArrays:
    """Return a phase diagram as labelled arrays.

    The candidates of canonical and optimized weights lie along the dimension ``minimum``.
    """
    axes = axis_names(diagram)
    meanings = AXIS_MEANINGS if diagram.x is None else axes
    variables = {
        axes[0]: Variable((axes[0],), diagram.density, meanings[0]),
        axes[1]: Variable((axes[1],), diagram.relative_importance, meanings[1]),
        "loss": Variable(axes, diagram.loss, "lowest expected loss"),
        "phase": Variable(axes, diagram.phase, "phase of the lowest minimum"),
        "outcome": Variable(axes, diagram.outcome, "what became of the extra feature"),
        "W": Variable((*axes, *_WEIGHT), diagram.W, "weights of the lowest minimum"),
        "b": Variable((*axes, "feature"), diagram.b, "biases of the lowest minimum"),
    }
    coordinates: tuple[str, ...] = axes
    if diagram.weights != "free":
        along = ("minimum", *AXES)
        coordinates = (*AXES, "minimum")
        variables |= {
            "minimum": Variable(("minimum",), np.array(diagram.candidates), "configuration"),
            "candidate_loss": Variable(along, np.stack(diagram.candidate_losses), "expected loss"),
            "candidate_W": Variable((*along, *_WEIGHT), np.stack(diagram.candidate_W), "weights"),
            "candidate_b": Variable((*along, "feature"), np.stack(diagram.candidate_b), "biases"),
        }
    attributes: Attributes = {
        "arguments": _arguments("phase_diagram", diagram),
        "version": diagram.version,
        "tolerance": diagram.tolerance,
        "n_features": diagram.n_features,
        "n_hidden": diagram.n_hidden,
        "weights": diagram.weights,
        "candidates": joined(diagram.candidates),
    }
    attributes = with_assumptions(attributes, diagram)
    return LabelledArrays("phase diagram", variables, coordinates, attributes)


def diagram_from(arrays: LabelledArrays) -> PhaseDiagram:
    """Return the phase diagram that `label_diagram` was given."""
    candidates = split(arrays.text("candidates"))
    axes = names_of(arrays)
    phase = arrays.names("phase")
    weights = arrays.text("weights")
    lowest = np.zeros(phase.shape, dtype=np.uint8)
    for i, name in enumerate(candidates):
        lowest[phase == name] = i
    if weights == "free":
        losses, W, b = ((arrays.values(name),) for name in ("loss", "W", "b"))
    else:
        losses, W, b = (
            tuple(arrays.values(name)) for name in ("candidate_loss", "candidate_W", "candidate_b")
        )
    return PhaseDiagram(
        density=arrays.values(axes[0]),
        relative_importance=arrays.values(axes[1]),
        loss=arrays.values("loss"),
        lowest=lowest,
        candidates=candidates,
        candidate_losses=losses,
        candidate_W=W,
        candidate_b=b,
        n_features=arrays.number("n_features"),
        n_hidden=arrays.number("n_hidden"),
        weights=weights,
        tolerance=float(arrays.attributes["tolerance"]),
        version=arrays.text("version"),
        **assumptions_of(arrays),
    )


def label_solution(solution: Solution) -> LabelledArrays:
    """Return a solution as labelled arrays, its minima along the dimension ``minimum``."""
    minima = solution.minima
    along = ("minimum",)
    variables = {
        "density": Variable(
            ("feature",) if np.ndim(solution.density) else (),
            np.array(solution.density),
            AXIS_MEANINGS[0],
        ),
        "relative_importance": Variable(
            (), np.array(solution.relative_importance), "importance of the extra feature"
        ),
        "loss": Variable(along, np.array([m.loss for m in minima]), "expected loss"),
        "phase": Variable(along, np.array([m.phase for m in minima]), "phase"),
        "outcome": Variable(
            along, np.array([m.outcome for m in minima]), "what became of the extra feature"
        ),
        "W": Variable((*along, *_WEIGHT), np.stack([m.W for m in minima]), "weights"),
        "b": Variable((*along, "feature"), np.stack([m.b for m in minima]), "biases"),
        "smallest_curvature": Variable(
            along,
            np.array([m.smallest_curvature for m in minima]),
            "smallest second directional derivative of the loss",
        ),
        "gradient_norm": Variable(
            along, np.array([m.gradient_norm for m in minima]), "norm of the exact gradient"
        ),
    }
    if solution.importance is not None:
        variables["importance"] = Variable(("feature",), solution.importance, "of each feature")
    attributes: Attributes = {
        "arguments": _arguments("solve", solution),
        "version": solution.version,
        "tolerance": solution.tolerance,
        "n_features": solution.n_features,
        "n_hidden": solution.n_hidden,
        "weights": solution.weights,
    }
    if solution.model is not None:
        attributes["model"] = json.dumps(model_record(solution.model))
    return LabelledArrays("solution", variables, AXES, attributes)


def solution_from(arrays: LabelledArrays) -> Solution:
    """Return the solution that `label_solution` was given."""
    names = ("loss", "W", "b", "outcome", "phase", "smallest_curvature", "gradient_norm")
    minima = tuple(
        Minimum(float(loss), W, b, str(outcome), str(phase), float(curvature), float(gradient))
        for loss, W, b, outcome, phase, curvature, gradient in zip(
            *(arrays.values(name) for name in names), strict=True
        )
    )
    density, model = arrays.values("density"), arrays.attributes.get("model")
    return Solution(
        density=density if density.ndim else float(density),
        relative_importance=float(arrays.values("relative_importance")),
        n_features=arrays.number("n_features"),
        n_hidden=arrays.number("n_hidden"),
        weights=arrays.text("weights"),
        minima=minima,
        tolerance=float(arrays.attributes["tolerance"]),
        version=arrays.text("version"),
        importance=arrays.values("importance") if "importance" in arrays.variables else None,
        model=None if model is None else model_from_record(json.loads(str(model))),
    )


def _arguments(function: str, result: PhaseDiagram | Solution) -> str:
    return (
        f"{function}(density, relative_importance, n_features={result.n_features}, "
        f"n_hidden={result.n_hidden}, weights={result.weights!r})"
    )
