"""Symbolic derivations of the losses, each a chain of checked steps.

Sympy is loaded when the first derivation is built.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from derivations.derivation import Derivation

_BUILDERS = {
    "expectation": ("derivations.expectation", "expectation"),
    "output-loss": ("derivations.expectation", "loss_of_one_output"),
    "linear": ("derivations.linear", "linear"),
    "linear-optimum": ("derivations.linear", "linear_optimum"),
    "relu-interference": ("derivations.linear", "relu_interference"),
    "dedicated-output": ("derivations.dedicated", "dedicated_output"),
    "ignored": ("derivations.ignored", "ignored"),
    "dedicated": ("derivations.dedicated", "dedicated"),
    "antipodal": ("derivations.antipodal", "antipodal"),
    "antipodal-equal": ("derivations.antipodal", "antipodal_equal"),
    "others-antipodal": ("derivations.antipodal", "others_antipodal"),
    "triangle": ("derivations.triangle", "triangle"),
    "simplices": ("derivations.simplices", "simplices"),
    "boundaries": ("derivations.boundaries", "boundaries"),
    "stability": ("derivations.stability", "stability"),
    "aligned": ("derivations.aligned", "aligned"),
    "confused": ("derivations.confused", "confused"),
    "interference-penalty": ("derivations.penalty", "interference_penalty"),
    "tilt": ("derivations.tilt", "tilt"),
    "triple-point": ("derivations.triple_point", "triple_point"),
    "lower-bound": ("derivations.lower_bound", "lower_bound"),
    "proved-cells": ("derivations.proved_cells", "proved_cells"),
    "column-sparse": ("derivations.column_sparse", "column_sparse"),
    "orthogonal-groups": ("derivations.groups", "orthogonal_groups"),
    "contour": ("derivations.contour", "contour"),
}

__all__ = ["all_derivations", "derive", "names"]


def names() -> tuple[str, ...]:
    """Return the names of all derivations, in the order in which they build on each other."""
    return tuple(_BUILDERS)


def all_derivations() -> tuple[Derivation, ...]:
    """Return every derivation, in the order of `names()`."""
    return tuple(derive(name) for name in names())


def derive(name: str) -> Derivation:
    """Return a derivation.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    Derivation

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if name not in _BUILDERS:
        allowed = ", ".join(map(repr, _BUILDERS))
        raise ValueError(f"name must be one of {allowed}, got {name!r}")
    module, function = _BUILDERS[name]
    derivation: Derivation = getattr(import_module(module), function)()
    return derivation
