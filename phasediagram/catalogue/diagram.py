"""Candidates of the catalogue at a point and over a grid: loss, W and b of each, the lowest."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from phasediagram.catalogue.configurations import Configuration, configurations
from phasediagram.executors import Part, Workers
from phasediagram.progress import Progress
from phasediagram.results import GRADIENT_TOLERANCE, PhaseDiagram

Array = NDArray[np.float64]

# losses closer than this, relatively, are equal: the simplest configuration wins
TIE_TOLERANCES = {"canonical": 1e-15, "optimized": 1e-14}
TOLERANCES = {"canonical": 0.0, "optimized": GRADIENT_TOLERANCE}

_BAND_POINTS = 2048  # computed together, as one part of the work


@dataclass(frozen=True)
class Candidates:
    """Loss, W and b of every configuration at all points (...)."""

    losses: tuple[Array, ...]
    W: tuple[Array, ...]
    b: tuple[Array, ...]

    def lowest(self, weights: str) -> tuple[Array, NDArray[np.uint8]]:
        """Return the lowest loss at every point and whose it is, the first among equals."""
        smallest = reduce(np.minimum, self.losses)
        limit = smallest * (1 + TIE_TOLERANCES[weights])
        lowest = np.full(limit.shape, len(self.losses) - 1, dtype=np.uint8)
        for i in range(len(self.losses) - 2, -1, -1):
            np.copyto(lowest, i, where=self.losses[i] <= limit, casting="unsafe")
        return smallest, lowest


def catalogue(n: int, m: int, weights: str) -> tuple[Configuration, ...]:
    """Return the configurations that are compared with these weights."""
    known = configurations(n, m)
    return tuple(c for c in known if c.in_literature) if weights == "canonical" else known


def candidates(
    n: int, m: int, density: Array, relative_importance: Array, weights: str
) -> Candidates:
    """Return the candidates at points; the two arrays broadcast against each other."""
    shape = np.broadcast_shapes(density.shape, relative_importance.shape)
    found = []
    for configuration in catalogue(n, m, weights):
        if weights == "canonical":
            loss = configuration.canonical_loss(density, relative_importance)
            W, b = configuration.canonical_weights(density)
        else:
            minimum = configuration.minimize(density, relative_importance)
            loss, W, b = minimum.loss, minimum.W, minimum.b
        W = np.broadcast_to(W, (*shape, *W.shape[-2:]))
        found.append((loss, W, np.broadcast_to(b, (*shape, b.shape[-1]))))
    return Candidates(*zip(*found, strict=True))


def catalogue_diagram(
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    weights: str,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> PhaseDiagram:
    """Return the phase diagram of optimized or canonical weights.

    The arguments are those of `phasediagram.phase_diagram`.
    """
    if weights == "canonical":
        found = candidates(n, m, density[:, None], relative_importance[None, :], weights)
        if progress is not None:
            progress(1.0)
    else:
        found = _optimized(n, m, density, relative_importance, progress, executor)
    loss, lowest = found.lowest(weights)
    return PhaseDiagram(
        density=density,
        relative_importance=relative_importance,
        loss=loss,
        lowest=lowest,
        candidates=tuple(c.name for c in catalogue(n, m, weights)),
        candidate_losses=found.losses,
        candidate_W=found.W,
        candidate_b=found.b,
        n_features=n,
        n_hidden=m,
        weights=weights,
        tolerance=TOLERANCES[weights],
    )


def _optimized(
    n: int,
    m: int,
    density: Array,
    relative_importance: Array,
    progress: Progress | None,
    executor: Executor | None,
) -> Candidates:
    """Minimise each configuration over bands of rows, which are independent."""
    rows = max(1, _BAND_POINTS // len(relative_importance))
    r = relative_importance[None, :]
    bands = [density[begin : begin + rows, None] for begin in range(0, len(density), rows)]
    parts = [Part(i, (n, m, band, r, "optimized")) for i, band in enumerate(bands)]
    found: dict[int, Candidates] = {}
    for index, part in Workers(executor).run(candidates, parts):
        found[index] = part
        if progress is not None:
            progress(len(found) / len(parts))
    ordered = [found[index] for index in range(len(parts))]
    return Candidates(
        *(
            tuple(map(np.concatenate, zip(*(getattr(part, name) for part in ordered), strict=True)))
            for name in ("losses", "W", "b")
        )
    )
