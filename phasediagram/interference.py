"""Former place of parts of `phasediagram.minima.geometry`."""

from phasediagram.minima.geometry import described, dimensionalities, interfering_pairs

__all__ = ["described", "dimensionalities", "interfering_pairs"]
