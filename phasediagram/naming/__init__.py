"""Names of minima, from their geometry."""

from phasediagram.naming.geometry import (
    COSINE_TOLERANCE,
    DEDICATED,
    IGNORED,
    NORM_TOLERANCE,
    SUPERPOSITION,
    dimensionalities,
    extra_feature_outcome,
    interfering_pairs,
    is_silent,
    norm_and_superposition,
    superposition_of_each,
)
from phasediagram.naming.phases import PHASES, distinct_names, phase_of, phases_of
from phasediagram.naming.shapes import EQUAL_NORMS_TOLERANCE

__all__ = [
    "COSINE_TOLERANCE",
    "DEDICATED",
    "EQUAL_NORMS_TOLERANCE",
    "IGNORED",
    "NORM_TOLERANCE",
    "PHASES",
    "SUPERPOSITION",
    "dimensionalities",
    "distinct_names",
    "extra_feature_outcome",
    "interfering_pairs",
    "is_silent",
    "norm_and_superposition",
    "phase_of",
    "phases_of",
    "superposition_of_each",
]
