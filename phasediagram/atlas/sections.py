"""Sections through the diagram: the losses of all minima along a line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.atlas.following import End, trace_end
from phasediagram.kernel.loss import expected_loss
from phasediagram.minima.engine import Engine
from phasediagram.minima.following import LARGEST_MOVE
from phasediagram.minima.search import State, find_minima, search
from phasediagram.minima.state import SAME_STATE, Space
from phasediagram.model import as_density, as_importance, free_size
from phasediagram.naming.phases import phases_of
from phasediagram.parameters import DensityImportancePlane
from phasediagram.results import BranchLosses, LossSection

Array = NDArray[np.float64]

_SEEDS = 9  # points of the line at which all minima are searched
_STARTS = 200  # of each search
_PUSH = 1e-3  # off a state that is no minimum any more
_MERGING = 1e-3  # distance at which, curvatures vanishing, rounding hides which one a minimum is
_ENDINGS = 4  # continuous transitions between neighbouring points


def loss_section(
    density: ArrayLike,
    relative_importance: ArrayLike,
    n_features: int = 2,
    n_hidden: int | None = None,
    *,
    rng: int | np.random.Generator = 0,
) -> LossSection:
    """Return the losses of all minima with free weights along a line.

    Every minimum is followed, metastable or not, to where it ends.  At a continuous transition it
    goes on as the lowest of the minima that it turns into.

    Parameters
    ----------
    density, relative_importance : array_like
        One is a number, the other an ascending or descending list of at least two.
    n_features, n_hidden : int
        Numbers of features n (2 to 6) and hidden dimensions m < n, by default n - 1.
    rng : int or numpy.random.Generator
        Where the starts of searches come from.

    Returns
    -------
    LossSection

    Raises
    ------
    ValueError
        If an argument is outside its range, or not exactly one is a list.

    Examples
    --------
    >>> import numpy as np, phasediagram as phd
    >>> section = phd.loss_section(0.55, np.linspace(0.6, 0.75, 16))
    >>> sorted({phase for branch in section.branches for phase in branch.phases if phase})
    ['aligned', 'antipodal', 'ignored', 'partial']
    """
    size = free_size(n_features, n_hidden)
    n, m = size.n_features, size.n_hidden
    p = as_density(density)
    r = as_importance(relative_importance, "relative_importance")
    if {p.ndim, r.ndim} != {0, 1} or p.size == r.size:
        raise ValueError(
            "density and relative_importance must be a number and a list of at least two, "
            f"got shapes {p.shape} and {r.shape}"
        )
    p, r = (np.array(values) for values in np.broadcast_arrays(p, r))
    all_equal = (tuple(range(n)),)
    others_equal = tuple(range(n - 1)), (n - 1,)
    space = Space(n, m, all_equal if (r == 1).all() else others_equal)
    line = _Line(Engine(space), p, r)
    branches = [_branch(path, p, r, n, m) for path in line.paths(np.random.default_rng(rng))]
    lowest = np.nanmin([branch.loss for branch in branches], axis=0)
    branches.sort(key=lambda branch: float(np.nanmin(branch.loss - lowest)))
    return LossSection(p, r, tuple(branches), n, m)


@dataclass(frozen=True)
class _Place:
    """A minimum at one point of the line."""

    index: int
    state: State


Path = dict[int, State]  # a minimum at each point at which it exists


class _Line:
    """Points at which minima are searched and between which they are followed."""

    def __init__(self, engine: Engine, density: Array, relative_importance: Array) -> None:
        self._engine = engine
        self._plane = DensityImportancePlane(engine.space.n)
        self._positions = np.stack([np.log(density), np.log(relative_importance)], axis=1)

    def paths(self, rng: np.random.Generator) -> list[Array]:
        """Return the states of every minimum, (points, d), NaN where it does not exist."""
        count = len(self._positions)
        paths: list[Path] = []
        for index in np.unique(np.linspace(0, count - 1, _SEEDS).round().astype(int)).tolist():
            at = self._plane.at(self._positions[index])
            places = [_Place(index, s) for s in search(self._engine, at, _STARTS, rng)]
            while places:
                place = places.pop(0)
                if not self._known(paths, place):
                    path, met = self._follow(place, paths)
                    paths.append(path)
                    places += met
        return [self._table(path, count) for path in paths]

    def _known(self, paths: list[Path], place: _Place) -> bool:
        there = [path[place.index].x for path in paths if place.index in path]
        return any(self._distance(place.state.x, x) < SAME_STATE for x in there)

    def _follow(self, place: _Place, others: list[Path]) -> tuple[Path, list[_Place]]:
        """Follow a minimum both ways; return its path, and minima met where it ends."""
        path, met = {place.index: place.state}, []
        for step in (1, -1):
            here = place
            while 0 <= here.index + step < len(self._positions):
                index = here.index + step
                end = self._go_on(here.state, self._positions[here.index], self._positions[index])
                if isinstance(end, End):
                    met += [_Place(index, state) for state in self._fallen(end, index)]
                    break
                here = _Place(index, end)
                if self._known(others, here):
                    break
                path[index] = end
        return path, met

    def _go_on(self, state: State, start: Array, stop: Array) -> State | End:
        """Follow a minimum from point to point, through continuous transitions."""
        end = trace_end(self._engine, self._plane, state, start, stop)
        for _ in range(_ENDINGS):
            if not isinstance(end, End):
                break
            following = self._turned_into(end)
            if following is None:
                break
            end = trace_end(self._engine, self._plane, following, end.beyond, stop)
        return end

    def _turned_into(self, end: End) -> State | None:
        """Return as what a minimum goes on beyond a continuous transition, the lowest if several.

        What it goes on as is near by, and before the transition the same or no minimum.
        """
        for state in self._around(end, end.beyond):
            if self._distance(state.x, end.state.x) < LARGEST_MOVE:
                back = trace_end(self._engine, self._plane, state, end.beyond, end.position)
                if isinstance(back, End) or self._distance(back.x, end.state.x) < _MERGING:
                    return state
        return None

    def _fallen(self, end: End, index: int) -> list[State]:
        """Return minima at a point into which one falls that has ended before it."""
        return self._around(end, self._positions[index])

    def _distance(self, x: Array, other: Array) -> float:
        return float(self._engine.space.distance(x, other))

    def _around(self, end: End, position: Array) -> list[State]:
        x, push = end.state.x, _PUSH * end.state.direction
        starts = np.array([x, x + push, x - push])
        return find_minima(self._engine, self._plane.at(position), starts)

    def _table(self, path: Path, count: int) -> Array:
        table = np.full((count, self._engine.space.size), np.nan)
        for index, state in path.items():
            table[index] = state.x
        return table


def _branch(path: Array, p: Array, r: Array, n: int, m: int) -> BranchLosses:
    exists = np.isfinite(path[:, 0])
    W, b = path[:, : m * n].reshape(-1, m, n), path[:, m * n :]
    importance = np.ones((len(p), n))
    importance[:, -1] = r
    loss = np.full(len(p), np.nan)
    loss[exists] = expected_loss(W[exists], b[exists], p[exists, None], importance[exists])
    phases = np.full(len(p), "", dtype=object)
    phases[exists] = phases_of(W[exists], p[exists]).tolist()
    return BranchLosses(tuple(phases.tolist()), loss, W, b)
