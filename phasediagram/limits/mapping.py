"""Limits of metastability: the whole edge of the region in which each minimum exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.building import Atlas, search_more
from phasediagram.atlas.following import End, together
from phasediagram.limits.walking import Foot, Walker
from phasediagram.lines.curves import passes
from phasediagram.lines.tracer import Domain
from phasediagram.minima.curvature import KINK
from phasediagram.minima.engine import Engine
from phasediagram.parameters import Plane
from phasediagram.progress import Progress

Array = NDArray[np.float64]

_NEAR_END = 2e-3  # distance of an end from the chords of a limit that explains it
_SAME_SHEET = 0.1  # distance of states of one minimum, a bracket apart
_COVERED = 0.9  # share of a walk that was given up, which another has done as well
_SPACING = 0.06  # along limits, of the positions at which other minima are searched
_ROUNDS = 40
_SPECK = 5e-3  # extent of a closed limit


@dataclass(frozen=True)
class Limit:
    """The edge of the region in which a minimum exists, or a part of it.

    Attributes
    ----------
    feet : list of Foot
    turns : dict
        Index of a foot to ``"tip"`` or ``"cusp"``, around which the edge turns just before it.
    ends : tuple of str
        Why the walks along it ended, see `Walker.walk`.
    positions : ndarray, shape (k, 2)
    states : ndarray, shape (k, d)
        The minimum just inside.
    """

    feet: list[Foot]
    turns: dict[int, str]
    ends: tuple[str, str]
    positions: Array
    states: Array

    @property
    def is_lost(self) -> bool:
        """Whether a walk was given up."""
        return any(end.startswith("lost") for end in self.ends)

    @property
    def is_nothing(self) -> bool:
        """Whether the minimum exists all around the place at which it seemed to end."""
        return "nothing" in self.ends

    @property
    def is_speck(self) -> bool:
        """Whether it is closed and too small to be told from rounding."""
        return "closed" in self.ends and bool(np.ptp(self.positions, axis=0).max() < _SPECK)


@dataclass
class LimitMapper:
    """Finds the limits of all minima of an atlas, and of those found beside limits."""

    engine: Engine
    plane: Plane
    atlas: Atlas
    domain: Domain
    rng: np.random.Generator
    limits: list[Limit] = field(default_factory=list)
    searched: set[int] = field(default_factory=set)  # identities of limits

    def run(self, report: Progress) -> None:
        """Walk along the limits until no end of a minimum is unexplained.

        `report` is told the share of the first ends that are explained.
        """
        sheets = _sheets(self.atlas)
        count = sum(map(len, sheets))
        for k in range(_ROUNDS):
            while ends := self._one_of_each(sheets):
                self._walk(ends)
                if k == 0:
                    report(1.0 - sum(map(len, sheets)) / count)
            places = self._beside_limits()
            found = search_more(self.engine, self.plane, self.atlas, places, self.rng)
            sheets = [[end] for end in found if not self._is_known(end)]
            if not sheets:
                break
        self._drop_what_is_covered()

    def _one_of_each(self, sheets: list[list[End]]) -> list[End]:
        """Return an unexplained end of each minimum; explained ones are forgotten."""
        chosen = []
        for ends in sheets:
            while ends:
                end = ends.pop()
                if not self._is_known(end):
                    chosen.append(end)
                    break
        return chosen

    def _is_known(self, end: End) -> bool:
        middle = (end.position + end.beyond) / 2
        for limit in self.limits:
            hit = passes(limit.positions, middle, _NEAR_END)
            if hit is None:
                if not limit.is_nothing or np.abs(limit.positions[0] - middle).max() > _NEAR_END:
                    continue
                hit = 0
            if self._same_sheet(limit.states[hit], end.state.x):
                return True
        return False

    def _same_sheet(self, x: Array, other: Array) -> bool:
        """Whether two states are near, and on as many kinks."""
        space = self.engine.space
        if space.distance(x, other) > _SAME_SHEET:
            return False
        on_kinks = np.abs(space.preactivations(np.array([x, other]))) < KINK
        return bool(on_kinks[0].sum() == on_kinks[1].sum())

    def _walk(self, ends: list[End]) -> None:
        """Walk both ways from each end."""
        space, domain = self.engine.space, self.domain
        walkers = [[Walker(end, sense, domain, space) for end in ends] for sense in (1, -1)]
        ahead = together(self.engine, self.plane, [walker.walk() for walker in walkers[0]])
        open_ = [k for k, (_, why) in enumerate(ahead) if why != "closed"]
        back = together(self.engine, self.plane, [walkers[1][k].walk() for k in open_])
        behind = dict(zip(open_, back, strict=True))
        for k, (feet, why) in enumerate(ahead):
            if self._is_known(ends[k]):
                continue  # from another end of the same
            before, reason = behind.get(k, ([feet[0]], why))
            turns = {len(before) - 1 + i: kind for i, kind in walkers[0][k].turns}
            if k in behind:
                turns |= {len(before) - i: kind for i, kind in walkers[1][k].turns}
            joined = before[::-1] + feet[1:]
            self.limits.append(
                Limit(
                    joined,
                    turns,
                    (reason, why),
                    np.array([foot.position for foot in joined]),
                    np.array([foot.end.state.x for foot in joined]),
                )
            )

    def _beside_limits(self) -> Iterator[Array]:
        """Yield positions on both sides of limits, spaced along them."""
        for limit in self.limits:
            if id(limit) in self.searched:
                continue
            self.searched.add(id(limit))
            for foot in _spaced(limit.feet):
                yield foot.end.beyond
                yield foot.at

    def _drop_what_is_covered(self) -> None:
        """Leave out walks that were given up where other walks have been as well."""
        kept = [limit for limit in self.limits if not limit.is_lost]
        for limit in self.limits:
            if limit.is_lost and self._covered(limit, kept) < _COVERED:
                kept.append(limit)
        self.limits = kept

    def unresolved(self) -> list[tuple[Array, str]]:
        """Return where walks along limits were given up."""
        left = []
        for limit in self.limits:
            for side, end in zip((0, -1), limit.ends, strict=True):
                if end.startswith("lost"):
                    left.append((limit.positions[side], f"a limit of metastability was {end}"))
            if limit.is_speck:
                left.append((limit.positions[0], "a minimum is missing in a tiny region"))
        return left

    def _covered(self, limit: Limit, others: list[Limit]) -> float:
        """Return the share of a limit's length along which others pass."""
        length = np.linalg.norm(np.diff(limit.positions, axis=0), axis=1)
        covered = 0.0
        for k, far in enumerate(length):
            for other in others:
                hit = passes(other.positions, limit.positions[k], _NEAR_END)
                if hit is not None and self._same_sheet(other.states[hit], limit.states[k]):
                    covered += far
                    break
        return float(covered / max(length.sum(), 1e-300))


def _spaced(feet: list[Foot]) -> Iterator[Foot]:
    last = None
    for foot in feet:
        if last is None or np.linalg.norm(foot.position - last) > _SPACING:
            last = foot.position
            yield foot


def _sheets(atlas: Atlas) -> list[list[End]]:
    """Return the ends of each minimum, followed over all nodes, and at last others one by one."""
    parent: dict[tuple[tuple[int, int], int], tuple[tuple[int, int], int]] = {}

    def root(key: tuple[tuple[int, int], int]) -> tuple[tuple[int, int], int]:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for (node, k, other), link in atlas.links.items():
        if not isinstance(link, End):
            parent[root((node, k))] = root((other, link))
    sheets: dict[tuple[tuple[int, int], int], list[End]] = {}
    for (node, k, _), link in atlas.links.items():
        if isinstance(link, End):
            sheets.setdefault(root((node, k)), []).append(link)
    return [*sheets.values(), list(atlas.met)]
