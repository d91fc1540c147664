"""The lowest mixture of groups of features over density: what users call."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.grouping.families import FeatureGroup, GroupCatalogue
from phasediagram.grouping.finding import find_groups
from phasediagram.grouping.mixtures import Problem, changes
from phasediagram.grouping.result import Geometry, GeometryTransition, mixture_of
from phasediagram.grouping.stability import pair_curvature, response
from phasediagram.model import MAX_LARGE_FEATURES, as_density, as_importance, integer
from phasediagram.progress import Progress
from phasediagram.toymodel.models import ToyModel

Array = NDArray[np.float64]


def geometry(
    density: ArrayLike,
    n_features: int | None = None,
    n_hidden: int | None = None,
    *,
    groups: GroupCatalogue | None = None,
    only: Sequence[str] | None = None,
    relative_importance: float | None = None,
    n_second: int = 0,
    model: ToyModel | None = None,
    rng: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> Geometry:
    """Return the lowest loss over orthogonal sums of groups of features.

    Orthogonal groups add their losses.  Of each group of the catalogue as many are taken as make
    the sum lowest, with so many features and dimensions: a linear integer program.  Features
    may be left out.

    Parameters
    ----------
    density : float or array_like, shape (p,)
        In (0, 1].
    n_features, n_hidden : int
        n up to 1000, m < n.
    groups : GroupCatalogue, optional
        From `find_groups`; by default all groups of up to 5 features in up to 4 dimensions are
        searched.
    only : sequence of str, optional
        The names of the groups to choose from, besides ignored and dedicated features.
    relative_importance : float, optional
        Importance of the last `n_second` features, if there are two classes.
    n_second : int
    model : ToyModel, optional
        Instead of `n_features` and `n_hidden`; nothing but its size may differ from the paper's.
    rng : int or numpy.random.Generator
        For the search of groups.
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.

    Returns
    -------
    Geometry

    Raises
    ------
    ValueError
        If an argument is outside its range, or the catalogue does not go with it.

    Examples
    --------
    >>> import phasediagram as phd
    >>> found = phd.geometry([0.2, 0.25], 5, 2)
    >>> found.mixture(0), found.mixture(1)
    ({'pentagon': 1}, {'ignored': 1, 'antipodal': 2})
    >>> f"{found.transitions[0].density:.10f}"
    '0.2248754494'
    """
    n, m = _size(n_features, n_hidden, model)
    values = np.unique(np.atleast_1d(as_density(density)))
    second = integer("n_second", n_second)
    if not 0 <= second <= n or (second > 0) != (relative_importance is not None):
        raise ValueError(
            f"n_second must be between 1 and n_features = {n} if there is a relative importance, "
            f"else 0, got {n_second!r}"
        )
    if relative_importance is not None:
        as_importance(relative_importance, "relative_importance")
    if groups is None:
        groups = find_groups(
            (float(values[0]), float(values[-1])),
            max_features=min(n, DEFAULT_LARGEST),
            relative_importance=relative_importance,
            rng=rng,
            progress=progress,
        )
    chosen = _chosen(groups, values, only, relative_importance)
    features = (n,) if relative_importance is None else (n - second, second)
    problem = Problem(chosen, features, m)
    counts = [problem.lowest(float(p)) for p in values]
    found = changes(problem, values, counts)
    table = np.array(counts, dtype=np.int64)
    states = [_whole(chosen, table[k], float(p)) for k, p in enumerate(values)]
    return Geometry(
        values,
        n,
        m,
        second,
        1.0 if relative_importance is None else float(relative_importance),
        chosen,
        table,
        np.array([problem.total(c, float(p)) for c, p in zip(counts, values, strict=True)]),
        np.array([norm for norm, _ in states]),
        np.array([curvature for _, curvature in states]),
        tuple(
            GeometryTransition(
                change.value,
                mixture_of(chosen, np.array(change.below)),
                mixture_of(chosen, np.array(change.above)),
                change.first_order,
            )
            for change in found
        ),
    )


DEFAULT_LARGEST = 5


def _size(n_features: int | None, n_hidden: int | None, model: ToyModel | None) -> tuple[int, int]:
    if model is not None:
        if not isinstance(model, ToyModel):
            raise ValueError(f"model must be a ToyModel, got {model!r}")
        if not model.is_standard:
            raise ValueError(f"model must be the paper's but for its size, got {model!r}")
        if (n_features, n_hidden) not in ((None, None), (model.n_features, model.hidden)):
            raise ValueError(
                f"n_features and n_hidden must be those of the model or left out, "
                f"got {(n_features, n_hidden)}"
            )
        return model.n_features, model.hidden
    if n_features is None:
        raise ValueError("n_features must be given, or a model")
    n = integer("n_features", n_features)
    m = n - 1 if n_hidden is None else integer("n_hidden", n_hidden)
    if not 2 <= n <= MAX_LARGE_FEATURES:
        raise ValueError(f"n_features must be between 2 and {MAX_LARGE_FEATURES}, got {n}")
    if not 1 <= m < n:
        raise ValueError(f"n_hidden must be at least 1 and below n_features = {n}, got {m}")
    return n, m


def _chosen(
    groups: GroupCatalogue,
    density: Array,
    only: Sequence[str] | None,
    relative_importance: float | None,
) -> tuple[FeatureGroup, ...]:
    if not isinstance(groups, GroupCatalogue):
        raise ValueError(f"groups must be a GroupCatalogue, got {groups!r}")
    low, high = groups.density
    if not low <= density[0] <= density[-1] <= high:
        raise ValueError(
            f"density must lie in the catalogue's range, {low:g} to {high:g}, "
            f"got {density[0]:g} to {density[-1]:g}"
        )
    importances = {group.relative_importance for group in groups.groups if group.n_second}
    if importances != ({relative_importance} if relative_importance is not None else set()):
        raise ValueError(
            f"relative_importance must be that of the catalogue, {sorted(importances)}, "
            f"got {relative_importance!r}"
        )
    if only is None:
        return groups.groups
    for name in only:
        groups.named(name)
    return tuple(g for g in groups.groups if g.n_features == 1 or g.name in only)


def _whole(
    groups: Sequence[FeatureGroup], counts: NDArray[np.int64], density: float
) -> tuple[float, tuple[float, float]]:
    """Return |W|^2 of a mixture and the bounds of its smallest curvature against tilting."""
    norm, parts = 0.0, []
    for k in np.flatnonzero(counts).tolist():
        _, W, b = groups[k].state(density)
        norm += counts[k] * float((W**2).sum())
        parts.append((response(groups[k].space, W, b, density), int(counts[k])))
    low = high = np.inf
    for i, (one, count) in enumerate(parts):
        for j, (other, _) in enumerate(parts[: i + 1]):
            if i == j and count < 2:
                continue
            bounds = pair_curvature(one, other)
            low, high = min(low, bounds[0]), min(high, bounds[1])
    return norm, (low, high)
