"""Groups of features followed over density, and the catalogue of all that are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phasediagram._version import __version__
from phasediagram.grouping.searching import GroupSpace
from phasediagram.minima.engine import Engine
from phasediagram.minima.following import ARRIVED, LOST
from phasediagram.naming.geometry import dimensionalities
from phasediagram.parameters import Parameters
from phasediagram.results.wording import counted, span
from phasediagram.values import Result, Value

Array = NDArray[np.float64]

RANGE = "edge of the range"
ENDS = {1: "lost", 2: "saddle"}
_STEP = 0.06  # of the logarithm of what changes
_SMALLEST_STEP = 1e-10  # to which an end is located
NEAR = 0.02  # the first trust radius of a descent from a state next to the minimum
_CONVERGED = 1e3


@dataclass(frozen=True, eq=False, repr=False)
class FeatureGroup(Value):
    """A minimum of k features in d dimensions, over the densities at which it exists.

    Attributes
    ----------
    name : str
        ``"ignored"``, ``"dedicated"``, or what `phasediagram.naming` calls it where it is lowest.
    n_features, n_hidden : int
        k and d.
    n_second : int
        How many of its features, the last ones, are of the second class of importance.
    relative_importance : float
        Importance of the second class.
    density : ndarray, shape (p,)
        Ascending, from where it begins to where it ends.
    loss : ndarray, shape (p,)
    W : ndarray, shape (p, d, k)
    b : ndarray, shape (p, k)
    ends : tuple of str
        What is at the lowest and at the highest density: ``"edge of the range"``,
        ``"saddle"`` (its smallest curvature vanishes) or ``"lost"`` (it meets another state or
        a kink).
    """

    name: str
    n_features: int
    n_hidden: int
    n_second: int
    relative_importance: float
    density: Array
    loss: Array
    W: Array
    b: Array
    ends: tuple[str, str] = (RANGE, RANGE)

    def _lines(self) -> list[str]:
        return [
            f"FeatureGroup: {self.name}, {counted(self.n_features, 'feature')} in "
            f"{counted(self.n_hidden, 'dimension')}, "
            f"density {span(self.density)}"
        ]

    @property
    def space(self) -> GroupSpace:
        """Its size and importances."""
        return GroupSpace(self.n_features, self.n_hidden, self.n_second, self.relative_importance)

    def exists(self, density: float) -> bool:
        """Whether it is a minimum at a density, as far as it was followed."""
        return bool(self.density[0] <= density <= self.density[-1])

    def state(self, density: float) -> tuple[float, Array, Array]:
        """Return loss, W and b at a density where it exists, to rounding.

        Raises
        ------
        ValueError
            If it does not exist there.
        """
        if not self.exists(density):
            raise ValueError(
                f"density must lie where {self.name!r} exists, from {self.density[0]:.6g} to "
                f"{self.density[-1]:.6g}, got {density!r}"
            )
        if self.n_features == 1:
            return single_loss(self.space, density), self.W[0], _single_bias(self.space, density)
        at, engine, space = self.space.at(density), self.space.engine(), self.space
        nearest = int(np.abs(np.log(self.density / density)).argmin())
        start = np.concatenate([self.W[nearest].ravel(), self.b[nearest]])
        ends = engine.minimize_at(start[None], at, NEAR)
        W = space.weights(ends.x[0])
        return float(ends.loss[0]), W, ends.x[0][W.size :]

    def loss_at(self, density: float) -> float:
        """Return the loss at a density where it exists, to rounding."""
        return self.state(density)[0]

    def between_points(self, density: float) -> float:
        """Return the loss in variances of a feature, interpolated between its points."""
        variance = self.density / 3 - self.density**2 / 4
        return float(np.interp(np.log(density), np.log(self.density), self.loss / variance))

    def saved(self) -> Array:
        """Return the loss saved for each dimension, in variances of a feature, shape (p,)."""
        variance = self.density / 3 - self.density**2 / 4
        total = self.space.importance.sum() * variance
        return np.asarray((total - self.loss) / variance / max(self.n_hidden, 1))

    def dimensionality(self) -> Array:
        """Return D_i of each feature, shape (p, k)."""
        return np.array([dimensionalities(W) for W in self.W])

    def squared_norm(self) -> Array:
        """Return ``|W|^2``, shape (p,)."""
        return np.asarray((self.W**2).sum(axis=(1, 2)))


@dataclass(frozen=True, eq=False, repr=False)
class GroupCatalogue(Result):
    """Groups found over a range of densities.

    Attributes
    ----------
    groups : tuple of FeatureGroup
        ``ignored`` and ``dedicated`` first.
    density : tuple of float
        The range.
    max_features, max_hidden : int
        The largest sizes that were searched.
    starts : int
        From how many starts each size was searched, at each of the densities `searched`.
    searched : tuple of float
    poor : int
        How many minima were met that nowhere save more for a dimension than a dedicated feature:
        they are in no lowest mixture and are left out.
    version : str
    """

    groups: tuple[FeatureGroup, ...]
    density: tuple[float, float]
    max_features: int
    max_hidden: int
    starts: int
    searched: tuple[float, ...]
    poor: int
    version: str = field(default=__version__, compare=False)

    def _lines(self) -> list[str]:
        low, high = self.density
        return [
            f"GroupCatalogue: {len(self.groups)} groups of at most {self.max_features} features in "
            f"{self.max_hidden} dimensions",
            f"density {low:g} to {high:g}; {counted(self.starts, 'start')} at each of "
            f"{counted(len(self.searched), 'density', 'densities')}",
        ]

    def named(self, name: str) -> FeatureGroup:
        """Return the group of a name.

        Raises
        ------
        ValueError
            If there is none.
        """
        for group in self.groups:
            if group.name == name:
                return group
        raise ValueError(f"name must be that of a group of the catalogue, got {name!r}")


def single_groups(
    density: tuple[float, float], relative_importance: float = 1.0, classes: int = 1
) -> list[FeatureGroup]:
    """Return one feature ignored, and one with a dimension to itself, for each class."""
    made = []
    for second in range(classes):
        for d, name in ((0, "ignored"), (1, "dedicated")):
            space = GroupSpace(1, d, second, relative_importance)
            values = np.array(density)
            made.append(
                FeatureGroup(
                    name + ("-second" if second else ""),
                    1,
                    d,
                    second,
                    relative_importance,
                    values,
                    np.array([single_loss(space, p) for p in density]),
                    np.ones((2, d, 1)),
                    np.array([_single_bias(space, p) for p in density]),
                )
            )
    return made


def single_loss(space: GroupSpace, density: float) -> float:
    """Return the loss of one feature that is ignored or has a dimension to itself."""
    variance = density / 3 - density**2 / 4
    return 0.0 if space.n_hidden else float(space.importance[0] * variance)


def _single_bias(space: GroupSpace, density: float) -> Array:
    return np.array([0.0 if space.n_hidden else density / 2])


def followed(
    space: GroupSpace, x: Array, start: float, density: tuple[float, float]
) -> FeatureGroup:
    """Return a minimum (at the density `start`) followed over a range of densities; no name."""
    engine = space.engine()
    down, low = walk(engine, space.at, x, start, density[0])
    up, high = walk(engine, space.at, x, start, density[1])
    at = space.at(start)
    here = (start, engine.slope(x, at)[0], x)
    points = [*down[::-1], here, *up]
    states = np.array([state for _, _, state in points])
    return FeatureGroup(
        "",
        space.n_features,
        space.n_hidden,
        space.n_second,
        space.relative_importance,
        np.array([p for p, _, _ in points]),
        np.array([loss for _, loss, _ in points]),
        space.weights(states),
        states[:, space.n_hidden * space.n_features :],
        (low, high),
    )


def walk(
    engine: Engine, at: Callable[[float], Parameters], x: Array, start: float, end: float
) -> tuple[list[tuple[float, float, Array]], str]:
    """Follow a minimum from one value to another, of the density or whatever `at` takes.

    Returns
    -------
    points : list of (float, float, ndarray)
        The value, the loss and the state, without the start.
    end : str
        As `FeatureGroup.ends`; where it is not that of the range, it is located to a relative
        1e-10.
    """
    points: list[tuple[float, float, Array]] = []
    here, last = np.log(start), np.log(end)
    value = start
    _, direction = engine.softest(x, at(start))
    step = _STEP
    while abs(last - here) > 0:
        way = last - here
        there = last if abs(way) <= step else here + np.copysign(step, way)
        following = end if there == last else float(np.exp(there))
        moved = engine.follow(
            x[None],
            direction[None],
            *(
                (q.table[None], q.importance[None], np.array([q.tolerance]))
                for q in (at(following), at(value))
            ),
        )
        outcome = int(moved.outcome[0])
        if outcome == ARRIVED:
            x, direction, here, value = moved.x[0], moved.direction[0], there, following
            points.append((value, float(moved.loss[0]), x))
            step = min(_STEP, 2 * step)
            continue
        step /= 4
        if step < _SMALLEST_STEP:
            return points, ENDS.get(outcome, ENDS[LOST])
    return points, RANGE


def is_same(group: FeatureGroup, x: Array, density: float, limit: float = 1e-4) -> bool:
    """Whether a minimum at a density is one of a group that was followed."""
    if not group.exists(density):
        return False
    _, W, b = group.state(density)
    return group.space.distance(np.concatenate([W.ravel(), b]), x) < limit


def without_copies(
    found: Sequence[tuple[float, Array]],
    space: GroupSpace,
    density: tuple[float, float],
    progress: Callable[[], None] | None = None,
) -> list[FeatureGroup]:
    """Follow minima found at several densities, each once."""
    groups: list[FeatureGroup] = []
    for start, x in found:
        if not any(is_same(group, x, start) for group in groups):
            groups.append(followed(space, x, start, density))
        if progress is not None:
            progress()
    return groups
