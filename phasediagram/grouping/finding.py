"""The catalogue of groups: every size searched at several densities, what is found followed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.grouping.families import (
    FeatureGroup,
    GroupCatalogue,
    single_groups,
    without_copies,
)
from phasediagram.grouping.keeping import SizeStore
from phasediagram.grouping.searching import GroupSpace, group_minima, group_starts
from phasediagram.model import MAX_FEATURES, as_density, as_importance, integer
from phasediagram.naming.shapes import shape_names
from phasediagram.progress import Progress

Array = NDArray[np.float64]

MAX_HIDDEN = 4
SEARCHED = 6
STARTS = 40
_WEAK = 0.5  # norm relative to the longest, below which a feature is called weak
_GAIN = 1e-9  # by which a group must save more than a dedicated feature for each dimension
_REFERENCE = 1.0  # saved by a dedicated feature


def find_groups(
    density: tuple[float, float] = (0.01, 1.0),
    *,
    max_features: int = MAX_FEATURES,
    max_hidden: int = MAX_HIDDEN,
    relative_importance: float | None = None,
    searched: ArrayLike | None = None,
    starts: int = STARTS,
    rng: int | np.random.Generator = 0,
    progress: Progress | None = None,
    directory: str | PathLike[str] | None = None,
) -> GroupCatalogue:
    """Find all groups of features that are minima by themselves, over a range of densities.

    Every size d < k is searched at several densities from random and symmetric starts; each
    minimum that uses all its features is followed over the range for as long as it is one.

    Parameters
    ----------
    density : tuple of float
        The lowest and the highest density, in (0, 1].
    max_features, max_hidden : int
        The largest group: up to 8 features, in up to `max_hidden` dimensions.  Groups of 8
        take minutes, groups of up to 5 seconds.
    relative_importance : float, optional
        If given there are two classes of features, of importance 1 and this; groups mix them in
        all proportions.
    searched : array_like, optional
        The densities at which groups are searched; by default 6, evenly in the logarithm.
    starts : int
        Of each search.
    rng : int or numpy.random.Generator
        Seed or source of the starts.
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.
    directory : path, optional
        Where to keep the groups of each size as soon as it is done (made if it does not exist).  A
        search that was interrupted goes on from there, to the same groups; one of a smaller
        `max_features` or `max_hidden` is extended.

    Returns
    -------
    GroupCatalogue

    Raises
    ------
    ValueError
        If an argument is outside its range, or `directory` holds what was searched with other
        arguments.
    OSError
        If `directory` cannot be read or written.

    Examples
    --------
    >>> import phasediagram as phd
    >>> found = phd.find_groups((0.1, 0.3), max_features=5, max_hidden=2, searched=[0.15])
    >>> [group.name for group in found.groups if group.name in ("antipodal", "pentagon")]
    ['antipodal', 'pentagon']
    """
    low, high = _range(density)
    k_max, d_max = integer("max_features", max_features), integer("max_hidden", max_hidden)
    if not 2 <= k_max <= MAX_FEATURES:
        raise ValueError(f"max_features must be between 2 and {MAX_FEATURES}, got {k_max}")
    if not 1 <= d_max < MAX_FEATURES:
        raise ValueError(f"max_hidden must be between 1 and {MAX_FEATURES - 1}, got {d_max}")
    if integer("starts", starts) < 1:
        raise ValueError(f"starts must be at least 1, got {starts}")
    classes = 1 if relative_importance is None else 2
    r = 1.0 if relative_importance is None else float(as_importance(relative_importance))
    search = _Search((low, high), _searched(searched, low, high), int(starts), _seed(rng))
    store = None
    if directory is not None:
        store = SizeStore(Path(directory), search.record | {"relative_importance": r})
        store.prepare()
    spaces = list(_spaces(k_max, d_max, r, classes))
    costs = np.cumsum([6.0**space.n_features for space in spaces])
    groups, poor = single_groups((low, high), r, classes), 0
    for number, space in enumerate(spaces):
        kept = None if store is None else store.load(space)
        found, left_out = search.of(space) if kept is None else kept
        if store is not None and kept is None:
            store.save(space, found, left_out)
        groups, poor = groups + found, poor + left_out
        if progress is not None:
            progress(float(costs[number] / costs[-1]))
    return GroupCatalogue(
        tuple(_told_apart(groups)), (low, high), k_max, d_max, int(starts), search.searched, poor
    )


@dataclass(frozen=True)
class _Search:
    """How each size is searched; every size has random numbers of its own."""

    density: tuple[float, float]
    searched: tuple[float, ...]
    starts: int
    seed: int

    @property
    def record(self) -> dict[str, object]:
        """What decides which groups are found, as it is read from JSON."""
        values = vars(self).items()
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values}

    def of(self, space: GroupSpace) -> tuple[list[FeatureGroup], int]:
        """Return the groups of one size, and how many minima were left out."""
        key = (space.n_features, space.n_hidden, space.n_second)
        generator = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))
        engine, found, poor = space.engine(), [], 0
        for p in self.searched:
            states = group_minima(space, p, group_starts(space, self.starts, generator), engine)
            rich = [x for x in states if _saves(space, x, p, engine.slope(x, space.at(p))[0])]
            poor += len(states) - len(rich)
            found += [(p, x) for x in rich]
        return [_named(group) for group in without_copies(found, space, self.density)], poor


def _seed(rng: int | np.random.Generator) -> int:
    """Return the integer that the random numbers of every size start from."""
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    seed = integer("rng", rng)
    if seed < 0:
        raise ValueError(f"rng must be a non-negative integer or a numpy Generator, got {seed}")
    return seed


def _range(density: tuple[float, float]) -> tuple[float, float]:
    values = as_density(density)
    if values.shape != (2,) or not values[0] <= values[1]:
        raise ValueError(f"density must be the lowest and the highest one, got {density!r}")
    return float(values[0]), float(values[1])


def _searched(searched: ArrayLike | None, low: float, high: float) -> tuple[float, ...]:
    if searched is None:
        if low == high:
            return (low,)
        # the middles of equal parts: at density 1 there are continua of equal minima
        parts = (np.arange(SEARCHED) + 0.5) / SEARCHED
        return tuple(float(p) for p in low * (high / low) ** parts)
    values = np.atleast_1d(as_density(searched, "searched"))
    if not ((values >= low) & (values <= high)).all():
        raise ValueError(f"searched must lie between {low:g} and {high:g}, got {values.tolist()}")
    return tuple(values.tolist())


def _spaces(k_max: int, d_max: int, r: float, classes: int) -> Iterator[GroupSpace]:
    for k in range(2, k_max + 1):
        for d in range(1, min(k - 1, d_max) + 1):
            for second in range(k + 1 if classes == 2 else 1):
                yield GroupSpace(k, d, second, r)


def _saves(space: GroupSpace, x: Array, density: float, loss: float) -> bool:
    """Whether a group saves more for each dimension than the most important feature alone."""
    variance = density / 3 - density**2 / 4
    saved = float(space.importance.sum()) - loss / variance
    return saved > float(space.importance.min()) * space.n_hidden * (_REFERENCE + _GAIN)


def _named(group: FeatureGroup) -> FeatureGroup:
    """Return a group with its name where it saves most: the shape, and how many are weak."""
    where = int(group.saved().argmax())
    W = group.W[where]
    norms = np.linalg.norm(W, axis=0)
    strong = norms > _WEAK * norms.max()
    weak, core = int((~strong).sum()), W[:, strong]
    if weak and (np.linalg.matrix_rank(core, 1e-3) < len(W) or core.shape[1] < 2):
        weak, core = 0, W
    p = group.density[where : where + 1]
    name = str(shape_names(core[None], p, of_extra=False, fine=False)[0])
    if weak:
        name = f"{name}+{weak}-weak"
    if group.n_second:
        name = f"{name}-{group.n_features - group.n_second}:{group.n_second}"
    return replace(group, name=name)


def _told_apart(groups: Sequence[FeatureGroup]) -> Iterator[FeatureGroup]:
    """Number the groups of one name, that which saves most first."""
    rank: Counter[str] = Counter()
    numbers = {}
    for k in sorted(range(len(groups)), key=lambda k: -float(groups[k].saved().max())):
        rank[groups[k].name] += 1
        numbers[k] = rank[groups[k].name]
    for k, group in enumerate(groups):
        number = numbers[k]
        yield group if number == 1 else replace(group, name=f"{group.name}-{number}")
