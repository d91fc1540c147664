"""Every local minimum at every point of a grid, all points at once.

A coarse subset of the grid is searched from many starts.  Every point starts from what its
coarse point found, tries whatever minima of its neighbours it does not have, until none
adds any, and keeps the true minima.

States travel as rows (W.ravel(), b, loss), those of one point together, NaN where fewer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasediagram.branches import Model
from phasediagram.coarse_grid import CoarseGrid
from phasediagram.free_minimization import minimize_free, standard_starts
from phasediagram.local_minima import are_minima
from phasediagram.naming.geometry import is_silent
from phasediagram.naming.orientation import upright
from phasediagram.naming.phases import phases_of
from phasediagram.progress import Progress
from phasediagram.results import PhaseDiagram

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Points = NDArray[np.intp]

_RANDOM_STARTS = 120  # as for one point (`phasediagram.local_minima`)
_MOST = 24  # stationary states kept at one point
_COARSE_PART, _PART = 32, 512  # points, or states, computed together
_GRADIENT_TOLERANCE = 1e-9
_PUSH = 1e-3  # off saddles, which repel
_SAME_STATE = 1e-4
_FAR = 0.05  # a neighbour's minimum farther than this from all of a point's own is tried
_PROBES = 24
_TIED = 1e-9
_ROUNDING = 1e-12
_NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0))
_SEARCHED, _DESCENDED, _PROBED = 0.4, 0.5, 0.9  # shares of the work that are done then


@dataclass(frozen=True)
class LocalMinima:
    """Every local minimum at every point of a grid, without symmetric copies.

    Copies differ by a rotation or reflection of the hidden space or by an exchange of the
    other features.  Features are ordered and turned so that minima of one phase look alike:
    of the others, the one that interferes most with the extra feature comes first, and
    points along the first hidden dimension.

    Attributes
    ----------
    density : ndarray, shape (D,)
    relative_importance : ndarray, shape (R,)
    count : ndarray of int, shape (D, R)
        Number of minima at each point, at least 1.
    loss : ndarray, shape (k,)
        Of all minima, point after point, row after row; at each point the lowest first.
    W : ndarray, shape (k, m, n)
    b : ndarray, shape (k, n)
    phase : ndarray of str, shape (k,)
    n_features, n_hidden : int
    tolerance : float
        Norm of the gradient at which minimisation stops.
    version : str
        Version of the package that computed it.
    """

    density: Array
    relative_importance: Array
    count: Points
    loss: Array
    W: Array
    b: Array
    phase: NDArray[np.str_]
    n_features: int
    n_hidden: int
    tolerance: float
    version: str

    def at(self, row: int, column: int) -> slice:
        """Return which of all minima are those of one point."""
        before = int(self.count.ravel()[: row * self.count.shape[1] + column].sum())
        return slice(before, before + int(self.count[row, column]))


def local_minima(diagram: PhaseDiagram, progress: Progress | None = None) -> LocalMinima:
    """Return every local minimum over the grid of a phase diagram.

    Minima in which an output never switches on are left out: they are flat, and never
    competitive.  So are, at density 1, all but the first of minima with equal losses: there
    x -> 1 - x is a symmetry, so that a direction and its opposite are as good.

    Parameters
    ----------
    diagram : PhaseDiagram
        Of free weights, its axes ascending or descending; its minima are among those
        returned, first among equals.
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.

    Returns
    -------
    LocalMinima
    """
    search = _Search(diagram, progress)
    search.start_from_coarse_points()
    search.drop_saddles((_DESCENDED, _PROBED))  # which lie close to minima about to end
    search.spread()
    search.drop_saddles((_PROBED, 1.0))
    search.sort()
    return search.result()


class _Search:
    """The states of every point, (points, _MOST, m * n + n + 1)."""

    def __init__(self, diagram: PhaseDiagram, progress: Progress | None) -> None:
        self.diagram, self.progress = diagram, progress
        self.n, self.m = diagram.n_features, diagram.n_hidden
        self.model = Model(self.n, self.m)
        self.shape = diagram.loss.shape
        self.density, self.relative_importance = _points(
            diagram.density, diagram.relative_importance
        )
        points = len(self.density)
        lowest = (values.reshape(points, -1) for values in (diagram.W, diagram.b, diagram.loss))
        self.states = np.full((points, _MOST, self.model.variables + 1), np.nan)
        self.states[:, 0] = np.concatenate(list(lowest), axis=1)
        self.tested = np.zeros((points, _MOST), dtype=bool)
        self.tested[:, 0] = True  # the diagram's are the lowest, so no saddles

    def start_from_coarse_points(self) -> None:
        """Descend at every point from each stationary state of the nearest coarse point."""
        diagram = self.diagram
        rows, columns = np.argsort(diagram.density), np.argsort(diagram.relative_importance)
        coarse = CoarseGrid.within(diagram.density[rows], diagram.relative_importance[columns])
        p, r = _points(coarse.density, coarse.relative_importance)
        parts = [
            (self.n, self.m, p[part], r[part], number)
            for number, part in enumerate(_parts(coarse.size, _COARSE_PART))
        ]
        found = self._run(search_points, parts, (0.0, _SEARCHED))
        nearest = np.empty(self.shape, dtype=np.intp)
        nearest[np.ix_(rows, columns)] = np.add.outer(
            coarse.row * len(coarse.relative_importance), coarse.column
        )
        everywhere = np.arange(len(self.density))
        self._descend(everywhere, found[nearest.ravel(), :, :-1], (_SEARCHED, _DESCENDED))

    def spread(self) -> None:
        """Let every point try its neighbours' minima until none adds any."""
        active = np.ones(len(self.density), dtype=bool)
        while active.any():
            before = self._exists().sum(axis=1)
            for step in _NEIGHBOURS:
                source, target = self._neighbours(active, step)
                starts = self.states[source, :, :-1]
                starts[self._distance(target, starts) < _FAR] = np.nan
                tried = np.isfinite(starts[..., 0]).any(axis=1)
                self._descend(target[tried], starts[tried], (_PROBED, _PROBED))
            active = self._exists().sum(axis=1) > before

    def drop_saddles(self, progress: tuple[float, float]) -> None:
        """Drop the states that are no minima, as far as they have not been tested before."""
        untested = self._exists() & ~self.tested
        point, slot = np.nonzero(untested)
        p, r, x = self.density[point], self.relative_importance[point], self.states[point, slot]
        parts = [
            (self.n, self.m, p[part], r[part], x[part, :-1], number)
            for number, part in enumerate(_parts(len(point), _PART))
        ]
        if parts:
            minimum = self._run(probe, parts, progress)
            self.states[point[~minimum], slot[~minimum]] = np.nan
            self.tested[point[minimum], slot[minimum]] = True

    def sort(self) -> None:
        """Put the lowest first, and drop ties at density 1."""
        loss = self.states[..., -1].copy()
        loss[:, 0] *= 1 - _ROUNDING  # first among equals
        self.states = np.take_along_axis(self.states, loss.argsort(axis=1)[..., None], axis=1)
        tied = np.diff(self.states[..., -1], axis=1) <= _TIED * self.states[:, :-1, -1]
        self.states[:, 1:][tied & (self.density == 1)[:, None]] = np.nan

    def result(self) -> LocalMinima:
        """Return the states as minima."""
        exists = self._exists()
        point = np.nonzero(exists)[0]
        states = self.states[exists]
        W, b = _ordered(self.model.weights(states[:, :-1]), states[:, -self.n - 1 : -1])
        return LocalMinima(
            density=self.diagram.density,
            relative_importance=self.diagram.relative_importance,
            count=exists.sum(axis=1).reshape(self.shape),
            loss=states[:, -1],
            W=upright(W, first=0),
            b=b,
            phase=phases_of(W, self.density[point]),
            n_features=self.n,
            n_hidden=self.m,
            tolerance=self.diagram.tolerance,
            version=self.diagram.version,
        )

    def _exists(self) -> Flags:
        return np.asarray(np.isfinite(self.states[..., -1]))

    def _neighbours(self, active: Flags, step: tuple[int, int]) -> tuple[Points, Points]:
        """Return the active points that have a neighbour in this direction, and the neighbours."""
        points = np.flatnonzero(active)
        row, column = points // self.shape[1] + step[0], points % self.shape[1] + step[1]
        inside = (row >= 0) & (row < self.shape[0]) & (column >= 0) & (column < self.shape[1])
        return points[inside], (row * self.shape[1] + column)[inside]

    def _distance(self, points: Points, x: Array) -> Array:
        """Return how far states (k, s, d) are from the nearest of the points' own, (k, s)."""
        own = self.states[points, :, :-1]
        slots = range(x.shape[1])
        return np.stack([_nearest(self.model, own, x[:, slot]) for slot in slots], axis=1)

    def _descend(self, points: Points, starts: Array, progress: tuple[float, float]) -> None:
        """Add the stationary states that starts (k, s, d) lead to at the points (k)."""
        parts = [
            (
                self.n,
                self.m,
                self.density[points[part]],
                self.relative_importance[points[part]],
                starts[part],
                self.states[points[part]],
            )
            for part in _parts(len(points), _PART)
        ]
        if parts:
            self.states[points] = self._run(descend, parts, progress)

    def _run(
        self,
        function: Callable[..., Any],
        parts: list[tuple[Any, ...]],
        progress: tuple[float, float],
    ) -> Any:
        """Return the results of all parts, one after the other."""
        results = []
        begin, end = progress
        for part in parts:
            results.append(function(*part))
            if self.progress is not None:
                self.progress(begin + (end - begin) * len(results) / len(parts))
        return np.concatenate(results)


def search_points(n: int, m: int, density: Array, relative_importance: Array, seed: int) -> Array:
    """Return the stationary states of points (k), each searched from many starts."""
    starts = standard_starts(n, m, density, _RANDOM_STARTS, np.random.default_rng((2, seed)))
    known = np.full((len(density), _MOST, (m + 1) * n + 1), np.nan)
    return descend(n, m, density, relative_importance, starts, known)


def descend(
    n: int, m: int, density: Array, relative_importance: Array, starts: Array, known: Array
) -> Array:
    """Return the known states of points (k), and new ones that starts (k, s, d) lead to.

    Starts may be NaN.  The lowest are kept, without symmetric copies.
    """
    model = Model(n, m)
    point, slot = np.nonzero(np.isfinite(starts[..., 0]))
    x = starts[point, slot]
    pushed = x + _PUSH * np.random.default_rng(0).normal(size=x.shape)
    ends = minimize_free(n, m, density[point], relative_importance[point], pushed[:, None])
    x, loss = ends.x[:, 0], ends.loss[:, 0]
    stationary = ends.gradient_norm[:, 0] < _GRADIENT_TOLERANCE * density[point]
    stationary &= ~is_silent(model.weights(x), x[:, -model.n :])
    found = np.full((*starts.shape[:2], starts.shape[2] + 1), np.nan)
    rows = np.concatenate([x, loss[:, None]], axis=1)
    found[point[stationary], slot[stationary]] = rows[stationary]
    found = np.take_along_axis(found, found[..., -1].argsort(axis=1)[..., None], axis=1)
    states = known.copy()
    for new in np.moveaxis(found, 1, 0):
        distance = _nearest(model, states[..., :-1], new[:, :-1])
        free = np.isnan(states[..., -1])
        added = np.isfinite(new[:, -1]) & (distance > _SAME_STATE) & free.any(axis=1)
        states[added, free.argmax(axis=1)[added]] = new[added]
    return states


def probe(n: int, m: int, density: Array, relative_importance: Array, x: Array, seed: int) -> Flags:
    """Return which stationary states (k, d) are minima."""
    rng = np.random.default_rng((3, seed))
    return are_minima(n, m, density, relative_importance, x, rng, _PROBES)


def _nearest(model: Model, states: Array, x: Array) -> Array:
    """Return the distance of x (k, d) to the nearest of states (k, s, d), infinite if none.

    The largest difference of W^T W and b, up to the order of equal features.
    """
    gram, b = model.gram(states), states[..., -model.n :]
    other_gram, other_b = model.gram(x)[:, None], x[:, None, -model.n :]
    distances = [
        np.maximum(
            np.abs(gram[..., order, :][..., order] - other_gram).max(axis=(2, 3)),
            np.abs(b[..., order] - other_b).max(axis=2),
        )
        for order in model.orders()
    ]
    return np.asarray(np.nan_to_num(np.min(distances, axis=0), nan=np.inf).min(axis=1))


def _ordered(W: Array, b: Array) -> tuple[Array, Array]:
    """Order the other features by how much they interfere with the extra one, then by norm."""
    interference = np.einsum("kmi,km->ki", W[..., :-1], W[..., -1])
    norms = np.linalg.norm(W[..., :-1], axis=1)
    # rounding must not decide between equal ones
    order = np.lexsort((-norms.round(6), interference.round(6)), axis=1)
    order = np.pad(order, ((0, 0), (0, 1)), constant_values=W.shape[2] - 1)
    turned = np.take_along_axis(W, order[:, None], axis=2)
    return turned, np.take_along_axis(b, order, axis=1)


def _points(density: Array, relative_importance: Array) -> tuple[Array, Array]:
    """Return density and relative importance of every point of a grid, row after row."""
    p, r = np.meshgrid(density, relative_importance, indexing="ij")
    return p.ravel(), r.ravel()


def _parts(count: int, length: int) -> list[slice]:
    return [slice(begin, begin + length) for begin in range(0, count, length)]
