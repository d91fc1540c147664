"""Every local minimum at every point of a grid, named and in one order."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.explorer.spreading import Spread
from phasediagram.minima.engine import Engine
from phasediagram.minima.state import Space
from phasediagram.naming.orientation import upright
from phasediagram.naming.phases import distinct_names, phases_of
from phasediagram.progress import Progress
from phasediagram.results import PhaseDiagram

Array = NDArray[np.float64]
Points = NDArray[np.intp]

_TIED = 1e-9  # relative difference of losses that are equal
_ROUNDING = 1e-12


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


def local_minima(
    diagram: PhaseDiagram, progress: Progress | None = None, *, rng: int | np.random.Generator = 0
) -> LocalMinima:
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
    rng : int or numpy.random.Generator
        Where the starts of searches come from.

    Returns
    -------
    LocalMinima
    """
    n, m, shape = diagram.n_features, diagram.n_hidden, diagram.loss.shape
    p, r = (
        values.ravel()
        for values in np.meshgrid(diagram.density, diagram.relative_importance, indexing="ij")
    )
    space = Space(n, m, (tuple(range(n - 1)), (n - 1,)))
    engine = Engine(space, threads=os.cpu_count() or 1)
    spread = Spread(engine, (shape[0], shape[1]), np.log(np.stack([p, r], axis=1)))
    lowest = np.concatenate([diagram.W.reshape(len(p), -1), diagram.b.reshape(len(p), -1)], axis=1)
    spread.add_known(np.arange(len(p)), lowest)
    spread.search(np.random.default_rng(rng), progress)
    point, loss, x = spread.minima.point, spread.minima.loss, spread.minima.x
    order = _in_order(point, loss, np.linalg.norm(space.weights(x)[..., -1], axis=1), len(p))
    order = order[~_copies_by_reflection(point[order], loss[order], p)]
    point, loss = point[order], loss[order]
    W, b = _ordered(space.weights(x[order]), space.biases(x[order]))
    return LocalMinima(
        density=diagram.density,
        relative_importance=diagram.relative_importance,
        count=np.bincount(point, minlength=len(p)).reshape(shape),
        loss=loss,
        W=upright(W, first=0),
        b=b,
        phase=_names(W, point, p),
        n_features=n,
        n_hidden=m,
        tolerance=diagram.tolerance,
        version=diagram.version,
    )


def _in_order(point: Points, loss: Array, extra_norm: Array, points: int) -> Points:
    """Return the order of minima by point and loss.

    Of those that rounding alone tells apart the diagram's comes first, which is one of the first
    `points`, then that with the longest extra feature.
    """
    order = np.lexsort((loss, point))
    sorted_loss = loss[order]
    rises = np.diff(sorted_loss) > _ROUNDING * sorted_loss[:-1]
    level = np.empty(len(loss), dtype=np.intp)
    level[order] = np.concatenate([[0], np.cumsum(rises | (np.diff(point[order]) > 0))])
    not_from_diagram = np.arange(len(loss)) >= points
    return np.lexsort((-extra_norm.round(6), not_from_diagram, level))


def _copies_by_reflection(point: Points, loss: Array, density: Array) -> NDArray[np.bool_]:
    """Return which minima, in order, are at density 1 as good as the one before."""
    tied = np.zeros(len(point), dtype=bool)
    tied[1:] = (point[1:] == point[:-1]) & (np.diff(loss) <= _TIED * loss[:-1])
    return np.asarray(tied & (density[point] == 1))


def _names(W: Array, point: Points, density: Array) -> NDArray[np.str_]:
    """Return names that are distinct at every point."""
    names = phases_of(W, density[point]).astype(object)
    _, number = np.unique(names.astype(str), return_inverse=True)
    named = np.unique(np.stack([point, number]), axis=1, return_counts=True)
    for place in np.unique(named[0][0][named[1] > 1]).tolist():
        here = slice(*np.searchsorted(point, [place, place + 1]).tolist())
        names[here] = distinct_names(W[here], float(density[place]))
    return names.astype(str)


def _ordered(W: Array, b: Array) -> tuple[Array, Array]:
    """Order the other features by how much they interfere with the extra one, then by norm."""
    interference = np.einsum("kmi,km->ki", W[..., :-1], W[..., -1])
    norms = np.linalg.norm(W[..., :-1], axis=1)
    # rounding must not decide between equal ones
    order = np.lexsort((-norms.round(6), interference.round(6)), axis=1)
    order = np.pad(order, ((0, 0), (0, 1)), constant_values=W.shape[2] - 1)
    turned = np.take_along_axis(W, order[:, None], axis=2)
    return turned, np.take_along_axis(b, order, axis=1)
