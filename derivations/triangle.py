"""The triangle: three features in two dimensions, and larger simplices from the same code."""

from __future__ import annotations

from derivations.configuration import simplex_derivation
from derivations.derivation import Derivation


def triangle() -> Derivation:
    """Return the derivation for three features in two dimensions."""
    return simplex_derivation(
        "triangle",
        "Three features in two dimensions",
        "The extra feature and two others share two hidden dimensions: an isosceles triangle "
        "of directions, with free norms a (others) and c (extra), a free angle and free "
        "biases; all other features are dedicated. u is the cosine of the angle between each "
        "other feature and the direction opposite to the extra one; 1/2 is equilateral. At "
        "u = 0 it becomes 'others-antipodal', at c = 0 and u^2 = 1/2 'ignored'.",
        k=3,
    )
