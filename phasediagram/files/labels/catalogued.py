"""Minima of the catalogue, losses with errors, and cells of parameters as labelled arrays."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from phasediagram.catalogue.configurations import ConfigurationMinimum
from phasediagram.certified.planes.diagram import CertifiedDiagram
from phasediagram.files.labelled import Attributes, LabelledArrays, Variable
from phasediagram.large.loss import LossWithError

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


def label_loss(loss: LossWithError) -> LabelledArrays:
    """Return losses, gradients and bounds of their errors as labelled arrays."""
    points = tuple(f"point_{axis}" for axis in range(loss.loss.ndim))
    weights, biases = (*points, "hidden", "feature"), (*points, "feature")
    variables = {
        "loss": Variable(points, loss.loss, "expected loss"),
        "error": Variable(points, loss.error, "bound of the error of loss"),
        "gradient_W": Variable(weights, loss.gradient_W, "derivatives by W"),
        "gradient_W_error": Variable(weights, loss.gradient_W_error, "bound of their errors"),
        "gradient_b": Variable(biases, loss.gradient_b, "derivatives by b"),
        "gradient_b_error": Variable(biases, loss.gradient_b_error, "bound of their errors"),
    }
    arguments: Attributes = {"arguments": "expected_loss_with_error(W, b, density, importance)"}
    return LabelledArrays("loss with error", variables, (), arguments)


def loss_from(arrays: LabelledArrays) -> LossWithError:
    """Return what `label_loss` was given."""
    names = [field.name for field in fields(LossWithError)]
    return LossWithError(*(arrays.values(name) for name in names))


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
