"""What the page shows: every minimum over the paper's axes and over a close-up, and boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import product

import numpy as np

from phasediagram.atlas.diagram import phase_diagram
from phasediagram.boundaries.tracing import phase_boundaries
from phasediagram.executors import require_executor
from phasediagram.explorer.minima import LocalMinima, local_minima
from phasediagram.model import DENSITY_RANGE, PAPER_SIZES, RELATIVE_IMPORTANCE_RANGE
from phasediagram.progress import Progress, part_of
from phasediagram.results import PhaseBoundaries

GRID_RANGE = (5, 201)
DEFAULT_GRID = 65

_SEARCHING = 0.7  # share of the work that the grids are
_DIAGRAM = 0.4  # share of a view's work


@dataclass(frozen=True)
class View:
    """A grid over part of the plane.

    Attributes
    ----------
    title : str
    minima : LocalMinima
        Density descending, relative importance ascending, both equally spaced in the
        logarithm.
    """

    title: str
    minima: LocalMinima


@dataclass(frozen=True)
class ExploredModel:
    """All that is known about one model.

    Attributes
    ----------
    views : tuple of View
        At least one.
    boundaries : PhaseBoundaries
    """

    views: tuple[View, ...]
    boundaries: PhaseBoundaries

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.boundaries.n_features

    @property
    def n_hidden(self) -> int:
        """Number of hidden dimensions."""
        return self.boundaries.n_hidden


@dataclass(frozen=True)
class _Region:
    title: str
    density: tuple[float, float]
    relative_importance: tuple[float, float]


_REGIONS = (
    _Region("paper’s axes", DENSITY_RANGE, RELATIVE_IMPORTANCE_RANGE),
    _Region("dense corner", (0.45, 1.0), (0.5, 2.0)),
)


def require_explorable(sizes: Sequence[tuple[int, int]], grid: int) -> None:
    """Raise ValueError unless `explore` can be given these arguments."""
    for n, m in sizes:
        if (n, m) not in PAPER_SIZES:
            raise ValueError(
                f"n_features and n_hidden must be 2 and 1, or 3 and 2, to explore, got {n} and {m}"
            )
    if not sizes or len(set(sizes)) < len(sizes):
        raise ValueError(f"sizes must be different models, at least one, got {sizes!r}")
    if not GRID_RANGE[0] <= grid <= GRID_RANGE[1]:
        raise ValueError(f"grid must be between {GRID_RANGE[0]} and {GRID_RANGE[1]}, got {grid}")


def explore(
    sizes: Sequence[tuple[int, int]] = PAPER_SIZES,
    grid: int = DEFAULT_GRID,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> tuple[ExploredModel, ...]:
    """Return every minimum and every boundary of some models.

    Parameters
    ----------
    sizes : sequence of (n_features, n_hidden)
        Of (2, 1) and (3, 2), each at most once.
    grid : int
        Points along each axis of each view, 5 to 201.  An odd number has points on r = 1.
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.
    executor : concurrent.futures.Executor, optional
        Where boundaries are traced while grids are searched here; by default here, afterwards.

    Returns
    -------
    tuple of ExploredModel

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    require_explorable(sizes, grid)
    require_executor(executor)
    tracing = None if executor is None else executor.submit(_trace, sizes)
    work = [3**n for n, _ in sizes for _ in _REGIONS]  # a loss sums over so many faces
    total, before = sum(work) / _SEARCHING, 0
    views: list[View] = []
    for (size, region), own in zip(product(sizes, _REGIONS), work, strict=True):
        views.append(_view(*size, region, grid, part_of(progress, before / total, own / total)))
        before += own
    boundaries = _trace(sizes) if tracing is None else tracing.result()
    of_model = len(_REGIONS)
    return tuple(
        ExploredModel(tuple(views[i * of_model : (i + 1) * of_model]), found)
        for i, found in enumerate(boundaries)
    )


def _trace(sizes: Sequence[tuple[int, int]]) -> list[PhaseBoundaries]:
    return [phase_boundaries(*size) for size in sizes]


def _view(n: int, m: int, region: _Region, grid: int, progress: Progress | None) -> View:
    density = np.geomspace(*region.density[::-1], grid)
    relative_importance = np.geomspace(*region.relative_importance, grid)
    diagram = phase_diagram(
        density, relative_importance, n, m, progress=part_of(progress, 0.0, _DIAGRAM)
    )
    minima = local_minima(diagram, part_of(progress, _DIAGRAM, 1 - _DIAGRAM))
    return View(region.title, minima)
