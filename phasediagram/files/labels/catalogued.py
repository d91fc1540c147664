"""Minima of the catalogue, and what is proved in cells of parameters, as labelled arrays."""

from __future__ import annotations

import numpy as np

from phasediagram.catalogue.configurations import ConfigurationMinimum
from phasediagram.certified.planes.diagram import CertifiedDiagram
from phasediagram.files.labelled import Attributes, LabelledArrays, Variable

_CELL, _LIMITS = ("cell",), ("cell", "limit")


def label_minimum(minimum: ConfigurationMinimum) -> LabelledArrays:
    """Return the minimum of a configuration at many points as labelled arrays."""
    points = tuple(f"point_{axis}" for axis in range(minimum.loss.ndim))
    variables = {
        "loss": Variable(points, minimum.loss, "expected loss"),
        "W": Variable((*points, "hidden", "feature"), minimum.W, "weights"),
        "b": Variable((*points, "feature"), minimum.b, "biases"),
        "gradient_norm": Variable(points, minimum.gradient_norm, "norm of the gradient"),
    }
    arguments: Attributes = {"arguments": "minimize(density, relative_importance)"}
    return LabelledArrays("configuration minimum", variables, (), arguments)


def minimum_from(arrays: LabelledArrays) -> ConfigurationMinimum:
    """Return what `label_minimum` was given."""
    return ConfigurationMinimum(
        *(arrays.values(name) for name in ("loss", "W", "b", "gradient_norm"))
    )


def label_certified(diagram: CertifiedDiagram) -> LabelledArrays:
    """Return a certified diagram as labelled arrays, a row for each cell."""
    variables = {
        "density": Variable(_LIMITS, diagram.density, "from and to"),
        diagram.name: Variable(_LIMITS, diagram.other, "from and to"),
        "phase": Variable(
            _CELL, np.array(diagram.phase, dtype=np.str_), "what every global minimiser is"
        ),
        "ratio": Variable(_LIMITS, diagram.ratio, "bounds of |W_2 / W_1| of all minimisers"),
    }
    attributes: Attributes = {
        "arguments": f"certified_diagram(density, {diagram.name})",
        "version": diagram.version,
        "name": diagram.name,
        "seconds": diagram.seconds,
    }
    return LabelledArrays("certified diagram", variables, (), attributes)


def certified_from(arrays: LabelledArrays) -> CertifiedDiagram:
    """Return what `label_certified` was given."""
    name = arrays.text("name")
    return CertifiedDiagram(
        name,
        arrays.values("density"),
        arrays.values(name),
        tuple(map(str, arrays.names("phase"))),
        arrays.values("ratio"),
        float(arrays.attributes["seconds"]),
        arrays.text("version"),
    )
