"""The best known minimum at every point of a grid, and how it spreads to its neighbours."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from phasediagram.catalogue.configurations import configurations
from phasediagram.free_minimization import FreeEnds, FreeLoss, minimize_free

Array = NDArray[np.float64]
Points = NDArray[np.intp]

COMPETITIVE = 1.1  # a minimum whose loss is this many times the lowest can become lowest nearby

_PUSH = 0.05  # off the symmetries, where gradients vanish
_SAME_GRAM = 0.02
_SYMMETRIC = 1e-3
_IMPROVEMENT = 1e-12  # a smaller relative gain is rounding
_NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0))
_POINTS_AT_ONCE = 2**14  # bounds the memory that spreading takes


class GridMinima:
    """The best known minimum at every point of an ascending grid.

    Points are numbered row * columns + column, rows by density.

    Parameters
    ----------
    n, m : int
    density : ndarray, shape (rows,)
    relative_importance : ndarray, shape (columns,)
    x : ndarray, shape (rows, columns, m * n + n)
        W.ravel() followed by b; changed in place.
    loss : ndarray, shape (rows, columns)
        Infinite where nothing is known; changed in place.
    """

    def __init__(
        self,
        n: int,
        m: int,
        density: Array,
        relative_importance: Array,
        x: Array,
        loss: Array,
    ) -> None:
        self.n, self.m = n, m
        self.rows, self.columns = loss.shape
        self.densities, self.relative_importances = density, relative_importance
        self._x, self._loss = x, loss

    @property
    def points(self) -> Points:
        """The numbers of all points."""
        return np.arange(self.rows * self.columns)

    def place(self, points: Points) -> tuple[Points, Points]:
        """Return rows and columns of points."""
        return points // self.columns, points % self.columns

    def density(self, points: Points) -> Array:
        """Return the densities of points."""
        return np.asarray(self.densities[points // self.columns])

    def relative_importance(self, points: Points) -> Array:
        """Return the relative importances of points."""
        return np.asarray(self.relative_importances[points % self.columns])

    def x(self, points: Points) -> Array:
        """Return the best known weights and biases, shape (points, m * n + n)."""
        return np.asarray(self._x[self.place(points)])

    def loss(self, points: Points) -> Array:
        """Return the lowest known losses, shape (points,)."""
        return np.asarray(self._loss[self.place(points)])

    def put(self, points: Points, x: Array, loss: Array) -> None:
        """Replace what is known."""
        self._x[self.place(points)] = x
        self._loss[self.place(points)] = loss

    def accept(self, points: Points, x: Array, loss: Array) -> Points:
        """Keep what is lower than before; return the points that changed."""
        better = loss < self.loss(points) * (1 - _IMPROVEMENT)
        self.put(points[better], x[better], loss[better])
        return points[better]

    def minimize(self, points: Points, starts: Array) -> FreeEnds:
        """Run Newton's method at the given points, starts (points, count, variables)."""
        density, relative_importance = self.density(points), self.relative_importance(points)
        return minimize_free(self.n, self.m, density, relative_importance, starts)

    def spread(self, active: Points, rng: np.random.Generator) -> Points:
        """Let neighbours of active points try their minima until none improves.

        Returns
        -------
        ndarray of int
            The points that changed.
        """
        all_changed = [np.empty(0, dtype=np.intp)]
        while active.size:
            changed = [
                self._try_neighbours(active[begin : begin + _POINTS_AT_ONCE], step, rng)
                for step in _NEIGHBOURS
                for begin in range(0, len(active), _POINTS_AT_ONCE)
            ]
            active = np.unique(np.concatenate(changed))
            all_changed.append(active)
        return np.unique(np.concatenate(all_changed))

    def finish(self, points: Points) -> None:
        """Choose among equally good minima at points that are otherwise settled."""
        full = points[self.density(points) == 1]
        self._continue_to_full_density(full)
        self._prefer_opposite_directions(full)
        if self.m == self.n - 1:
            self._prefer_simplest(points)

    def _try_neighbours(
        self, active: Points, step: tuple[int, int], rng: np.random.Generator
    ) -> Points:
        """Start the neighbours in one direction from the minima of active points."""
        source, target = self._shifted(active, step)
        differs = np.abs(self._gram(source) - self._gram(target)).max(axis=(1, 2)) > _SAME_GRAM
        source, target = source[differs], target[differs]
        objective = FreeLoss(self.n, self.m, self.density(target), self.relative_importance(target))
        here = objective.value(self.x(source), np.arange(len(target)))
        near = here < COMPETITIVE * self.loss(target)
        source, target = source[near], target[near]
        if not target.size:
            return np.empty(0, dtype=np.intp)
        x = self.x(source)
        found = self.minimize(target, np.stack([x, pushed(x, rng)], axis=1))
        return self.accept(target, *found.lowest())

    def _shifted(self, points: Points, step: tuple[int, int]) -> tuple[Points, Points]:
        """Return the points that have a neighbour in this direction, and the neighbours."""
        row, column = points // self.columns + step[0], points % self.columns + step[1]
        inside = (row >= 0) & (row < self.rows) & (column >= 0) & (column < self.columns)
        return points[inside], (row * self.columns + column)[inside]

    def _gram(self, points: Points) -> Array:
        W = self.x(points)[:, : self.m * self.n].reshape(-1, self.m, self.n)
        return np.asarray(W.transpose(0, 2, 1) @ W)

    def _continue_to_full_density(self, full: Points) -> None:
        """At density 1 take the phase of the next lower density where the losses tie."""
        target = full[full >= self.columns]
        found = self.minimize(target, self.x(target - self.columns)[:, None])
        x, loss = found.lowest()
        tied = loss <= self.loss(target) * (1 + _IMPROVEMENT)
        self.put(target[tied], x[tied], loss[tied])

    def _prefer_opposite_directions(self, full: Points) -> None:
        """At density 1 choose among equals the one whose directions are the most opposite.

        While no output clips, x_j -> 1 - x_j is a symmetry there, and a direction is as good
        as its opposite; at lower densities opposite directions interfere less.
        """
        for signs in product((1.0, -1.0), repeat=self.n - 1):
            flipped = self.x(full)
            W = flipped[:, : self.m * self.n].reshape(-1, self.m, self.n)  # a view
            W *= [*signs, 1.0]
            gram = np.swapaxes(W, 1, 2) @ W
            flipped[:, self.m * self.n :] = (1 - gram.sum(axis=2)) / 2  # keeps the means
            x, loss = self.minimize(full, flipped[:, None]).lowest()
            tied = loss <= self.loss(full) * (1 + _IMPROVEMENT)
            tied &= interference(self.m, self.n, x) < interference(self.m, self.n, self.x(full))
            self.put(full[tied], x[tied], loss[tied])

    def _prefer_simplest(self, points: Points) -> None:
        """Where ignoring one feature is as low as anything, take exactly that.

        It is a limit of other minima, which Newton's method approaches only to rounding, and
        at density 1 one of a continuum of minima with the same loss.
        """
        for configuration in configurations(self.n, self.m):
            if configuration.block_size == 1:
                density = self.density(points)
                loss = configuration.canonical_loss(density, self.relative_importance(points))
                tied = loss <= self.loss(points) * (1 + _IMPROVEMENT)
                W, b = configuration.canonical_weights(density[tied])
                x = np.concatenate([W.reshape(-1, self.m * self.n), b], axis=1)
                self.put(points[tied], x, loss[tied])


def interference(m: int, n: int, x: Array) -> Array:
    """Return the sum of all products of different directions, negative where opposite."""
    W = x[..., : m * n].reshape(*x.shape[:-1], m, n)
    return np.asarray((W.sum(axis=-1) ** 2).sum(axis=-1) - (W**2).sum(axis=(-1, -2)))


def pushed(x: Array, rng: np.random.Generator) -> Array:
    """Return copies of states that are pushed off symmetries."""
    return np.asarray(x + _PUSH * rng.normal(size=x.shape))


def on_symmetry(m: int, n: int, x: Array) -> NDArray[np.bool_]:
    """Return which states (k, m * n + n) a symmetry can hold where they are no minimum.

    Those in which a feature is ignored, two are orthogonal, or two have equal norms.
    """
    W = x[:, : m * n].reshape(-1, m, n)
    gram = np.abs(np.swapaxes(W, 1, 2) @ W)
    norms = np.diagonal(gram, axis1=1, axis2=2)
    first, second = np.triu_indices(n, 1)
    smallest = [norms, gram[:, first, second], np.abs(norms[:, first] - norms[:, second])]
    return np.asarray(np.concatenate(smallest, axis=1).min(axis=1) < _SYMMETRIC)
