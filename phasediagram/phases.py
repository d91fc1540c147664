"""Former place of `phasediagram.minima.naming` and `phasediagram.minima.geometry`."""

from phasediagram.minima.geometry import (
    COSINE_TOLERANCE,
    DEDICATED,
    IGNORED,
    NORM_TOLERANCE,
    SUPERPOSITION,
    extra_feature_outcome,
    is_silent,
    norm_and_superposition,
)
from phasediagram.minima.naming import PHASES, distinct_names, phase_of, phases_of
from phasediagram.minima.shapes import EQUAL_NORMS_TOLERANCE

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
