"""Sections through the diagram: the losses of all minima along a line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram._version import __version__
from phasediagram.branches import Model
from phasediagram.local_minima import find_local_minima
from phasediagram.model import FreeSize, as_density, as_importance
from phasediagram.naming.phases import phase_of

Array = NDArray[np.float64]

_SEEDS = 9  # points of the line at which all minima are searched
_LARGEST_MOVE = 0.05  # of a minimum between neighbouring points: more means that it ended
_SUBSTEPS = 16  # to follow a minimum that moves fast
_SAME = 1e-4


@dataclass(frozen=True)
class BranchLosses:
    """One minimum along a section.

    Attributes
    ----------
    phases : tuple of str
        Its phase at each point, empty where it does not exist.
    loss : ndarray, shape (k,)
        NaN where it does not exist.
    W : ndarray, shape (k, m, n)
    b : ndarray, shape (k, n)
    """

    phases: tuple[str, ...]
    loss: Array
    W: Array
    b: Array


@dataclass(frozen=True)
class LossSection:
    """Losses of all minima along a line of constant density or relative importance.

    Attributes
    ----------
    density, relative_importance : ndarray, shape (k,)
        Positions; one of the two is constant.
    branches : tuple of BranchLosses
        The lowest somewhere first.
    n_features, n_hidden : int
    version : str
        Version of the package that computed it.
    """

    density: Array
    relative_importance: Array
    branches: tuple[BranchLosses, ...]
    n_features: int
    n_hidden: int
    version: str = __version__

    @property
    def lowest(self) -> Array:
        """The lowest loss at each point, shape (k,)."""
        return np.asarray(np.nanmin([branch.loss for branch in self.branches], axis=0))


def loss_section(
    density: ArrayLike,
    relative_importance: ArrayLike,
    n_features: int = 2,
    n_hidden: int = 1,
) -> LossSection:
    """Return the losses of all minima with free weights along a line.

    Parameters
    ----------
    density, relative_importance : array_like
        One is a number, the other an ascending or descending list of at least two.
    n_features, n_hidden : int
        Numbers of features n (2 to 6) and hidden dimensions m < n.

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
    FreeSize(n_features, n_hidden)
    p = as_density(density)
    r = as_importance(relative_importance, "relative_importance")
    if {p.ndim, r.ndim} != {0, 1} or p.size == r.size:
        raise ValueError(
            "density and relative_importance must be a number and a list of at least two, "
            f"got shapes {p.shape} and {r.shape}"
        )
    p, r = (np.array(values) for values in np.broadcast_arrays(p, r))
    model = Model(n_features, n_hidden)
    paths: list[Array] = []
    for index in np.unique(np.linspace(0, len(p) - 1, _SEEDS).round().astype(int)):
        for minimum in find_local_minima(n_features, n_hidden, float(p[index]), float(r[index])):
            x = np.concatenate([minimum.W.ravel(), minimum.b])
            if not any(_is_on(model, path, x, index) for path in paths):
                paths.append(_follow(model, x, int(index), np.log(p), np.log(r), paths))
    branches = [_branch(model, path, p, r) for path in paths]
    lowest = np.nanmin([branch.loss for branch in branches], axis=0)
    branches.sort(key=lambda branch: float(np.nanmin(branch.loss - lowest)))
    return LossSection(p, r, tuple(branches), n_features, n_hidden)


def _is_on(model: Model, path: Array, x: Array, index: int) -> bool:
    return bool(np.isfinite(path[index, 0])) and model.distance(path[index], x) < _SAME


def _follow(model: Model, x: Array, index: int, u: Array, v: Array, others: list[Array]) -> Array:
    """Return a minimum at every point, (k, d), NaN where it has ended or become another."""
    path = np.full((len(u), model.variables), np.nan)
    path[index] = x
    for step in (1, -1):
        here = index
        while 0 <= here + step < len(u):
            ends = (u[here], v[here]), (u[here + step], v[here + step])
            moved = _move(model, path[here], *ends)
            if moved is None or any(_is_on(model, other, moved, here + step) for other in others):
                break
            here += step
            path[here] = moved
    return path


def _move(
    model: Model,
    x: Array,
    start: tuple[float, float],
    end: tuple[float, float],
) -> Array | None:
    for substeps in (1, _SUBSTEPS):
        moved, lost = x, False
        for share in np.arange(1, substeps + 1) / substeps:
            u, v = (np.array([a + share * (b - a)]) for a, b in zip(start, end, strict=True))
            following = model.descend(moved[None], u, v)[0][0]
            if model.distance(moved, following) > _LARGEST_MOVE:
                lost = True
                break
            moved = following
        if not lost:
            return moved
    return None


def _branch(model: Model, path: Array, p: Array, r: Array) -> BranchLosses:
    exists = np.isfinite(path[:, 0])
    loss = np.full(len(p), np.nan)
    loss[exists] = model.loss(path[exists], np.log(p[exists]), np.log(r[exists]))
    W = model.weights(path)
    phases = tuple(phase_of(W[i], float(p[i])) if exists[i] else "" for i in range(len(p)))
    return BranchLosses(phases, loss, W, path[:, -model.n :])
