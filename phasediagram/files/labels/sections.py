"""Sections as labelled arrays: the minima lie along the dimension ``minimum``."""

from __future__ import annotations

import numpy as np

from phasediagram.files.assumptions import assumptions_of, with_assumptions
from phasediagram.files.labelled import AXES, Attributes, LabelledArrays, Variable, joined, split
from phasediagram.results import BranchLosses, LossSection, SectionTransition

_ALONG = ("minimum", "point")
_TRANSITIONS = ("transition",)
_VALUES = "value"


def label_section(section: LossSection) -> LabelledArrays:
    """Return a section as labelled arrays."""
    branches, transitions = section.branches, section.transitions
    variables = {
        "density": Variable(("point",), section.density, "probability that a feature is active"),
        "relative_importance": Variable(
            ("point",), section.relative_importance, "importance of the extra feature"
        ),
        "loss": Variable(
            _ALONG,
            np.stack([branch.loss for branch in branches]),
            "expected loss; NaN where the minimum does not exist",
        ),
        "phase": Variable(
            _ALONG,
            np.array([branch.phases for branch in branches], dtype=np.str_),
            "phase; empty where the minimum does not exist",
        ),
        "W": Variable((*_ALONG, "hidden", "feature"), np.stack([b.W for b in branches]), "weights"),
        "b": Variable((*_ALONG, "feature"), np.stack([b.b for b in branches]), "biases"),
        "transition_position": Variable(
            _TRANSITIONS,
            np.array([t.position for t in transitions], dtype=float),
            "where the lowest minimum changes",
        ),
        "transition_phases": Variable(
            _TRANSITIONS,
            np.array([joined(t.phases) for t in transitions], dtype=np.str_),
            "before and after",
        ),
        "transition_order": Variable(
            _TRANSITIONS,
            np.array([t.order for t in transitions], dtype=np.int32),
            "1 first order, 2 continuous",
        ),
        "transition_slope_jump": Variable(
            _TRANSITIONS,
            np.array([t.slope_jump for t in transitions], dtype=float),
            "jump of the derivative of the lowest loss: after less before",
        ),
    }
    if section.values is not None:
        variables[_VALUES] = Variable(("point",), section.values, "of what varies")
    attributes: Attributes = {
        "arguments": f"loss_section(density, relative_importance, n_features="
        f"{section.n_features}, n_hidden={section.n_hidden})",
        "version": section.version,
        "n_features": section.n_features,
        "n_hidden": section.n_hidden,
    }
    attributes = with_assumptions(attributes, section)
    return LabelledArrays("loss section", variables, (*AXES, _VALUES), attributes)


def section_from(arrays: LabelledArrays) -> LossSection:
    """Return the section that `label_section` was given."""
    branches = zip(
        arrays.names("phase"), *(arrays.values(name) for name in ("loss", "W", "b")), strict=True
    )
    transitions = zip(
        *(arrays.values(f"transition_{name}") for name in ("position", "phases", "order")),
        arrays.values("transition_slope_jump"),
        strict=True,
    )
    assumed = assumptions_of(arrays)
    return LossSection(
        density=arrays.values("density"),
        relative_importance=arrays.values("relative_importance"),
        branches=tuple(
            BranchLosses(tuple(map(str, phases)), loss, W, b) for phases, loss, W, b in branches
        ),
        n_features=arrays.number("n_features"),
        n_hidden=arrays.number("n_hidden"),
        version=arrays.text("version"),
        transitions=tuple(
            SectionTransition(float(position), _pair(str(phases)), int(order), float(jump))
            for position, phases, order, jump in transitions
        ),
        values=arrays.values(_VALUES) if _VALUES in arrays.variables else None,
        x=assumed["x"],
        model=assumed["model"],
        held=assumed["held"],
    )


def _pair(phases: str) -> tuple[str, str]:
    before, after = split(phases)
    return before, after
