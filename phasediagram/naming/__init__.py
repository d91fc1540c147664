"""Names of minima, from their geometry."""

from phasediagram.naming.geometry import (
    COSINE_TOLERANCE,
    DEDICATED,
    IGNORED,
    NORM_TOLERANCE,
    SUPERPOSITION,
    extra_feature_outcome,
    is_silent,
    norm_and_superposition,
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
    "distinct_names",
    "extra_feature_outcome",
    "is_silent",
    "norm_and_superposition",
    "phase_of",
    "phases_of",
]
