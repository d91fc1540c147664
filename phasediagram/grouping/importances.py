"""Where the lowest mixture of groups changes with the importance of the second class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.grouping.families import (
    NEAR,
    FeatureGroup,
    GroupCatalogue,
    is_same,
    single_loss,
    walk,
)
from phasediagram.grouping.mixtures import Problem, changes, feature_variance
from phasediagram.grouping.result import GeometryTransition, mixture_of
from phasediagram.grouping.searching import GroupSpace
from phasediagram.model import as_density, integer
from phasediagram.parameters import Parameters
from phasediagram.progress import Progress

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GroupOverImportance:
    """A minimum of one group at one density, over the importance of the second class.

    Attributes
    ----------
    group : FeatureGroup
        Where it was followed from.
    density : float
    values : ndarray, shape (q,)
        Importances, ascending, from where it begins to where it ends.
    loss : ndarray, shape (q,)
    states : ndarray, shape (q, d k + k)
    """

    group: FeatureGroup
    density: float
    values: Array
    loss: Array
    states: Array

    @property
    def name(self) -> str:
        """The name it has where it was followed from."""
        return self.group.name

    @property
    def n_features(self) -> int:
        """How many features it has."""
        return self.group.n_features

    @property
    def n_second(self) -> int:
        """How many of them are of the second class."""
        return self.group.n_second

    @property
    def n_hidden(self) -> int:
        """How many dimensions it takes."""
        return self.group.n_hidden

    def space(self, importance: float) -> GroupSpace:
        """Return its size, and what its features are worth."""
        return replace(self.group.space, relative_importance=importance)

    def exists(self, importance: float) -> bool:
        """Whether it is a minimum at an importance, as far as it was followed."""
        return bool(self.values[0] <= importance <= self.values[-1])

    def loss_at(self, importance: float) -> float:
        """Return its loss where it exists, to rounding."""
        space = self.space(importance)
        if self.n_features == 1:
            return single_loss(space, self.density)
        nearest = int(np.abs(np.log(self.values / importance)).argmin())
        at = space.at(self.density)
        return float(space.engine().minimize_at(self.states[nearest][None], at, NEAR).loss[0])

    def leads_to(self, other: FeatureGroup) -> bool:
        """Whether its end at the other's importance is the other."""
        size = (other.n_features, other.n_hidden, other.n_second)
        if (self.n_features, self.n_hidden, self.n_second) != size:
            return False
        if self.n_features == 1:
            return True
        ends = np.flatnonzero(self.values == other.relative_importance)
        return ends.size > 0 and is_same(other, self.states[ends[0]], self.density)

    def between_points(self, importance: float) -> float:
        """Return its loss in variances, from the points next to it; from below.

        The loss of a minimum that moves is concave in an importance.
        """
        return float(np.interp(importance, self.values, self.loss) / feature_variance(self.density))


def geometry_over_importance(
    density: ArrayLike,
    n_features: int,
    n_hidden: int,
    n_second: int,
    catalogues: Sequence[GroupCatalogue],
    *,
    progress: Progress | None = None,
) -> tuple[GeometryTransition, ...]:
    """Return where the lowest mixture of groups changes with the second class's importance.

    Between two catalogues the groups of both are followed over the importance, and the changes
    located to rounding as `geometry` does those over density.

    Parameters
    ----------
    density : float or array_like, shape (p,)
        In (0, 1], within the ranges of the catalogues.
    n_features, n_hidden, n_second : int
        As in `geometry`: the last `n_second` features are of the second class.
    catalogues : sequence of GroupCatalogue
        At least two, from `find_groups(..., relative_importance=r)` with different r.
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.

    Returns
    -------
    tuple of GeometryTransition
        By density, then by importance; `below` and `above` are at lower and at higher importance.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    At density 0.4 a digon of both classes takes a dimension that an important feature has for
    itself as soon as the other is important enough:

    >>> import phasediagram as phd
    >>> rows = [
    ...     phd.find_groups(
    ...         (0.3, 0.5), max_features=2, searched=[0.4], relative_importance=r, starts=8
    ...     )
    ...     for r in (0.2, 0.6)
    ... ]
    >>> (change,) = phd.geometry_over_importance(0.4, 4, 2, 2, rows)
    >>> change.below, change.above
    ({'dedicated': 2, 'ignored-second': 2}, {'antipodal-1:1': 2})
    >>> f"{change.relative_importance:.10f}"
    '0.3372804686'
    """
    values = np.unique(np.atleast_1d(as_density(density)))
    n, m, second = (
        integer(name, value)
        for name, value in (
            ("n_features", n_features),
            ("n_hidden", n_hidden),
            ("n_second", n_second),
        )
    )
    if not 1 <= m < n:
        raise ValueError(f"n_hidden must be at least 1 and below n_features = {n}, got {m}")
    if not 1 <= second <= n:
        raise ValueError(f"n_second must be between 1 and n_features = {n}, got {second}")
    rows = _rows(catalogues, values)
    features = (n - second, second)
    found: list[GeometryTransition] = []
    for k, p in enumerate(values.tolist()):
        lowest = [_lowest(catalogue, features, m, p) for _, catalogue in rows]
        for i, (low, high) in enumerate(pairwise(rows)):
            if not _same_mixture(lowest[i], lowest[i + 1], p, (low[0], high[0])):
                found += _between_rows(low, high, features, m, p)
        if progress is not None:
            progress((k + 1) / len(values))
    return tuple(found)


_Row = tuple[float, GroupCatalogue]
_Mixture = list[tuple[FeatureGroup, int]]


def _lowest(
    catalogue: GroupCatalogue, features: tuple[int, int], n_hidden: int, density: float
) -> _Mixture:
    """Return the groups of the lowest mixture of a catalogue, and how many there are of each."""
    counts = Problem(catalogue.groups, features, n_hidden).lowest(density)
    return [(catalogue.groups[k], count) for k, count in enumerate(counts) if count]


def _same_mixture(low: _Mixture, high: _Mixture, density: float, ends: tuple[float, float]) -> bool:
    """Whether following a mixture from one importance leads to that of the other."""
    rest = list(high)
    for group, count in low:
        path = _followed(group, density, ends)
        match = [k for k, (other, n) in enumerate(rest) if n == count and path.leads_to(other)]
        if not match:
            return False
        del rest[match[0]]
    return not rest


def _between_rows(
    low: _Row, high: _Row, features: tuple[int, int], n_hidden: int, density: float
) -> list[GeometryTransition]:
    """Return the changes at one density between the importances of two catalogues."""
    groups = _pool(low, high, density)
    ends = np.array([low[0], high[0]])
    problem = Problem(groups, features, n_hidden, lambda _: feature_variance(density))
    counts = [problem.lowest(r) for r in ends.tolist()]
    named = tuple(group.group for group in groups)
    return [
        GeometryTransition(
            density,
            mixture_of(named, np.array(change.below)),
            mixture_of(named, np.array(change.above)),
            change.first_order,
            change.value,
        )
        for change in changes(problem, ends, counts)
    ]


def _rows(catalogues: Sequence[GroupCatalogue], density: Array) -> list[_Row]:
    """Return the catalogues with their importances, ascending."""
    rows = []
    for k, catalogue in enumerate(catalogues):
        if not isinstance(catalogue, GroupCatalogue):
            raise ValueError(f"catalogues[{k}] must be a GroupCatalogue, got {catalogue!r}")
        importances = {g.relative_importance for g in catalogue.groups if g.n_second}
        if len(importances) != 1:
            raise ValueError(f"catalogues[{k}] must be of two classes, got {catalogue!r}")
        low, high = catalogue.density
        if not low <= density[0] <= density[-1] <= high:
            raise ValueError(
                f"density must lie in the range of catalogues[{k}], {low:g} to {high:g}, "
                f"got {density[0]:g} to {density[-1]:g}"
            )
        rows.append((importances.pop(), catalogue))
    rows.sort(key=lambda row: row[0])
    importance = [r for r, _ in rows]
    if len(set(importance)) < max(len(rows), 2):
        raise ValueError(
            f"catalogues must be at least two, of different importances, got {importance}"
        )
    return rows


def _pool(low: _Row, high: _Row, density: float) -> list[GroupOverImportance]:
    """Return the groups of two catalogues, each once, followed from one importance to the other."""
    ends = (low[0], high[0])
    pool = [_followed(group, density, ends) for group in _existing(low[1], density)]
    followed = list(pool)
    for group in _existing(high[1], density):
        if group.n_features > 1 and not any(path.leads_to(group) for path in followed):
            pool.append(_followed(group, density, ends))
    return pool


def _existing(catalogue: GroupCatalogue, density: float) -> Iterator[FeatureGroup]:
    return (group for group in catalogue.groups if group.exists(density))


def _followed(
    group: FeatureGroup, density: float, ends: tuple[float, float]
) -> GroupOverImportance:
    """Return a group at one density followed from its importance to the other."""
    loss, W, b = group.state(density)
    x = np.concatenate([W.ravel(), b])
    if group.n_features == 1:
        losses = [single_loss(replace(group.space, relative_importance=r), density) for r in ends]
        return GroupOverImportance(
            group, density, np.array(ends), np.array(losses), np.array([x, x])
        )
    start = group.relative_importance
    end = ends[0] if start == ends[1] else ends[1]

    def at(importance: float) -> Parameters:
        return replace(group.space, relative_importance=importance).at(density)

    points = [(start, loss, x), *walk(group.space.engine(), at, x, start, end)[0]]
    points.sort(key=lambda point: point[0])
    return GroupOverImportance(
        group,
        density,
        np.array([r for r, _, _ in points]),
        np.array([value for _, value, _ in points]),
        np.array([state for _, _, state in points]),
    )
