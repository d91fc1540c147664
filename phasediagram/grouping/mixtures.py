"""How many of each group cost least, and where that changes along a line.

Along the line one number changes: the density, or the importance of the second class.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Counts = tuple[int, ...]

_TIED = 1e-12  # relative difference of losses that are equal but for rounding
_CLOSE = 1e-10  # relative width of an interval that is not divided further
_ROOT = 1e-14
_MARGIN = 3e-3  # of linear interpolation of a loss, for each feature, in its variances


class Family(Protocol):
    """A group of features along a line; see `FeatureGroup` and `GroupOverImportance`."""

    @property
    def name(self) -> str: ...
    @property
    def n_features(self) -> int: ...
    @property
    def n_second(self) -> int: ...
    @property
    def n_hidden(self) -> int: ...
    def exists(self, value: float, /) -> bool:
        """Whether it is a minimum there."""

    def loss_at(self, value: float, /) -> float:
        """Return its loss, to rounding."""

    def between_points(self, value: float, /) -> float:
        """Return its loss in variances of a feature, from the points next to it."""


def feature_variance(density: float) -> float:
    """Return what an ignored feature of importance 1 costs."""
    return density / 3 - density**2 / 4


@dataclass(frozen=True, eq=False)
class Problem:
    """Groups to choose from, and how many features and dimensions there are.

    Attributes
    ----------
    groups : sequence of Family
    features : tuple of int
        Number of features of each class, one or two.
    n_hidden : int
    variance : callable
        What an ignored feature of importance 1 costs at a point of the line.
    """

    groups: Sequence[Family]
    features: tuple[int, ...]
    n_hidden: int
    variance: Callable[[float], float] = feature_variance
    _known: dict[tuple[int, float], float] = field(default_factory=dict, repr=False)

    def loss_of(self, k: int, value: float) -> float:
        """Return the loss of a group, infinite where it does not exist."""
        if not self.groups[k].exists(value):
            return math.inf
        if (k, value) not in self._known:
            self._known[k, value] = self.groups[k].loss_at(value)
        return self._known[k, value]

    def total(self, counts: Counts, value: float) -> float:
        """Return the loss of a mixture."""
        used = [k for k, count in enumerate(counts) if count]
        return math.fsum(counts[k] * self.loss_of(k, value) for k in used)

    def exists(self, counts: Counts, value: float) -> bool:
        """Whether all groups of a mixture exist at a value."""
        return all(self.groups[k].exists(value) for k, count in enumerate(counts) if count)

    def lowest(self, value: float) -> Counts:
        """Return how many of each group make the lowest loss: a linear integer program.

        Groups begin with lower estimates of their losses; those that are chosen get their exact
        ones, until only such are chosen.
        """
        use = [k for k, group in enumerate(self.groups) if group.exists(value)]
        variance = self.variance(value)
        exact = [k for k in use if (k, value) in self._known]
        while True:
            losses = [
                self.loss_of(k, value) if k in exact else self._estimate(k, value) for k in use
            ]
            counts = self._program(use, np.array(losses) / variance, value)
            new = [k for k in use if counts[k] and k not in exact]
            if not new:
                return counts
            for k in new:
                if self.loss_of(k, value) < self._estimate(k, value):
                    raise ArithmeticError(
                        f"the losses of {self.groups[k].name!r} are too far apart next to the "
                        f"value {value!r}"
                    )
            exact += new

    def _estimate(self, k: int, value: float) -> float:
        """Return a lower estimate of a group's loss: between its points, less a margin."""
        group = self.groups[k]
        if group.n_features == 1:
            return self.loss_of(k, value)
        ratio = group.between_points(value)
        return (ratio - _MARGIN * group.n_features) * self.variance(value)

    def _program(self, use: list[int], cost: Array, value: float) -> Counts:
        from scipy.optimize import Bounds, LinearConstraint, milp

        chosen = [self.groups[k] for k in use]
        second = np.array([group.n_second for group in chosen])
        members = np.array([group.n_features for group in chosen]) - second
        rows = [members] if len(self.features) == 1 else [members, second]
        constraints = [
            LinearConstraint(np.array(rows), self.features, self.features),
            LinearConstraint(
                np.array([[group.n_hidden for group in chosen]]), -np.inf, self.n_hidden
            ),
        ]
        found = milp(
            cost,
            integrality=np.ones(len(use)),
            bounds=Bounds(0, np.inf),
            constraints=constraints,
            options={"mip_rel_gap": 0.0},
        )
        if found.x is None:
            raise ArithmeticError(f"no mixture was found at the value {value!r}")
        counts = [0] * len(self.groups)
        for k, count in zip(use, found.x, strict=True):
            counts[k] = round(count)
        return tuple(counts)


@dataclass(frozen=True)
class Change:
    """Where one mixture gives way to another.

    Attributes
    ----------
    value : float
        Of the density, or of what else changes along the line.
    below, above : tuple of int
        How many of each group at lower and at higher values.
    first_order : bool
        Whether the losses of both cross there; else a group ends there.
    """

    value: float
    below: Counts
    above: Counts
    first_order: bool


def changes(problem: Problem, values: Array, counts: Sequence[Counts]) -> list[Change]:
    """Return where the lowest mixture changes between values (p,), ascending.

    A crossing is where the two losses are equal, to rounding; if a third mixture is lower
    there, the crossings with that are looked for.
    """
    found: list[Change] = []
    for k in range(len(values) - 1):
        found += _between(problem, float(values[k]), counts[k], float(values[k + 1]), counts[k + 1])
    return found


def _between(
    problem: Problem, low: float, below: Counts, high: float, above: Counts
) -> list[Change]:
    if below == above:
        return []
    if high - low < _CLOSE * high:
        return [Change(high, below, above, False)]
    if problem.exists(below, high) and problem.exists(above, low):
        middle = _crossing(problem, below, above, low, high)
        if middle is None:
            return []  # equal losses all along
        here = problem.lowest(middle)
        least, crossing = problem.total(here, middle), problem.total(below, middle)
        if here in (below, above) or least > crossing * (1 - _TIED):
            return [Change(middle, below, above, True)]
    else:
        middle = math.sqrt(low * high)
        here = problem.lowest(middle)
    return [
        *_between(problem, low, below, middle, here),
        *_between(problem, middle, here, high, above),
    ]


def _crossing(
    problem: Problem, below: Counts, above: Counts, low: float, high: float
) -> float | None:
    """Return where two mixtures cost the same; an end if rounding leaves no change of sign."""
    from scipy.optimize import brentq

    def difference(value: float) -> float:
        gap = problem.total(below, value) - problem.total(above, value)
        return gap / problem.variance(value)

    ends = difference(low), difference(high)
    if max(map(abs, ends)) < _TIED * sum(problem.features):
        return None
    if ends[0] * ends[1] > 0:
        return low if abs(ends[0]) < abs(ends[1]) else high
    return float(brentq(difference, low, high, xtol=_ROOT, rtol=4 * np.finfo(float).eps))
