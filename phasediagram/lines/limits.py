"""Where minima end: folds, ends at kinks, and losses of stability, from the ends in an atlas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.building import Atlas
from phasediagram.atlas.following import End
from phasediagram.lines.mapper import passes
from phasediagram.lines.systems import Fold, KinkFold, System, ZeroCurvature, preactivation
from phasediagram.lines.tracer import Domain, Event, correct, follow
from phasediagram.minima.curvature import KINK
from phasediagram.minima.engine import Engine
from phasediagram.minima.search import State
from phasediagram.parameters import DensityImportancePlane

Array = NDArray[np.float64]

_NEAR_STATE = 0.1  # distance of states on the same curve, a bracket apart
_NEAR_KINK = 0.05  # |Z| of a kink on which a minimum may end
_REACH = 4.0  # times the bracket of an end: how far a curve may be from it
_NEAR_END = 2e-3  # distance of an end from the chords of a curve that explains it
_SAME = 1e-3  # distance of copies of one state, within a bracket
_SAME_BASE = 0.03  # the same of states beside which branches begin
_ON = 3e-4  # distance of a point of a known curve from its chords
_SAME_DIRECTION = 0.9  # cosine between the softest directions at neighbouring points
_EXIT_STEP = 1e-3  # how far beyond the end of a curve the next is looked for
_ISOLATED = 1e-5  # |Z| below which a corner is on a kink too
_OFF_KINK = 1e-5  # |Z| at which a fold has not yet reached a kink
_SOFTER = 1e-5  # curvature that rounding does not make
_STEEPER = 1e-3  # the same beside a fold, along which terms of third order are felt
_EIGENVECTORS = 3  # tried besides the direction that is followed
_LARGEST_STEP, _FOLD_STEP = 0.03, 0.06
_POSITIVE = 1e-9  # a curvature above it is positive
_ASIDE = 1e-6  # far from a kink against rounding, near against the next kink


@dataclass
class Limit:
    """A curve on which a minimum ends.

    Attributes
    ----------
    kind : str
        ``"fold"``, ``"kink"`` or ``"zero curvature"``.
    positions : ndarray, shape (k, 2)
    states : ndarray, shape (k, d)
    directions : ndarray, shape (k, d)
        Along which the minimum ends.
    cubic : ndarray, shape (k,)
    ends : tuple of str
    """

    kind: str
    positions: Array
    states: Array
    directions: Array
    cubic: Array
    ends: tuple[str, str]
    before: Array  # a minimum that ends here, and the position at which it was
    before_position: Array


@dataclass
class LimitMapper:
    """Traces the limits of all minima of an atlas."""

    engine: Engine
    plane: DensityImportancePlane
    atlas: Atlas
    domain: Domain
    limits: list[Limit] = field(default_factory=list)
    unresolved: list[tuple[Array, str]] = field(default_factory=list)
    exits: list[tuple[Limit, int]] = field(default_factory=list)
    tried: list[tuple[Array, Array]] = field(default_factory=list)

    def run(self, ends: list[End] | None = None) -> None:
        """Trace the limits on which the given ends lie, by default all of the atlas."""
        all_ends = ends is None
        if ends is None:
            ends = self.atlas.ends()
        for end in ends:
            if not self._is_known(end):
                self._trace(end)
                while all_ends and self.exits:
                    self._exit(*self.exits.pop())

    def _exit(self, limit: Limit, index: int) -> None:
        """Look for the curve on which a minimum ends beyond the end of a limit."""
        x, position = limit.states[index], limit.positions[index]
        space = self.engine.space
        for other, place in self.tried:
            if (
                np.abs(place - position).max() < 5 * _EXIT_STEP
                and space.distance(other, x) < _NEAR_STATE
            ):
                return
        self.tried.append((x, position))
        candidates: list[tuple[str, System]] = [("fold", Fold(self.engine, self.plane))]
        for i in range(space.n):
            for corner in (0, 1 << i):
                if abs(preactivation(self.engine, x, i, corner)[0]) < _NEAR_KINK:
                    kink = KinkFold(self.engine, self.plane, i, corner)
                    candidates.append(("kink", kink))
        for kind, system in candidates:
            for axis in (-1, -2):
                for sense in (1, -1):
                    guess = np.concatenate([x, position])
                    guess[axis] += sense * _EXIT_STEP
                    constraint = np.zeros(len(guess))
                    constraint[axis] = 1.0
                    start = correct(system, guess, constraint)
                    if start is None or np.abs(start[-2:] - position).max() > 5 * _EXIT_STEP:
                        continue
                    if space.distance(start[:-2], x) > _NEAR_STATE:
                        continue
                    accept = self._is_limit(system)
                    if not accept(start) or self._is_on(start[:-2], start[-2:]):
                        continue
                    end = End(
                        State(x, 0.0, 0.0, 0.0, limit.directions[index]), position, position, "exit"
                    )
                    self.limits.append(self._limit(kind, system, start, end))

    def _is_on(self, x: Array, position: Array) -> bool:
        """Whether a traced curve passes a position with that state."""
        for limit in self.limits:
            hit = passes(limit.positions, position, _ON)
            if hit is None:
                continue
            near = _NEAR_STATE if limit.kind in ("fold", "kink") else _SAME_BASE
            there = limit.states[hit]
            if self.engine.space.distance(there, x) < near:
                return True
        return False

    def _as_kinked(self, x: Array, other: Array) -> bool:
        """Whether both or neither of two states lie on a kink."""
        on_kink = [self.engine.nearest_kink(state)[0] < KINK for state in (x, other)]
        return on_kink[0] == on_kink[1]

    def _is_known(self, end: End) -> bool:
        middle = (end.position + end.beyond) / 2
        for limit in self.limits:
            hit = passes(limit.positions, middle, _NEAR_END)
            if hit is None:
                continue
            far = self.engine.space.distance(limit.states[hit], end.state.x)
            if limit.kind in ("fold", "kink"):
                if far < _NEAR_STATE and self._as_kinked(limit.states[hit], end.state.x):
                    return True
            elif far < _SAME or (far < _NEAR_STATE and limit.cubic[hit] > 0):
                return True  # with K < 0 a branch beside the state ends elsewhere
        return False

    def _trace(self, end: End) -> None:
        for kind, system, guess in self._candidates(end):
            along = (end.beyond - end.position) / np.linalg.norm(end.beyond - end.position)
            constraint = np.zeros(len(guess))
            constraint[-2:] = -along[1], along[0]
            start = correct(system, guess, constraint)
            if start is None:
                continue
            bracket = np.abs(end.beyond - end.position).max()
            middle = (end.position + end.beyond) / 2
            if np.abs(start[-2:] - middle).max() > _REACH * bracket:
                continue
            accept = self._is_limit(system, kind=kind)
            if not isinstance(system, ZeroCurvature) and not accept(start):
                continue
            if kind == "fold" and self.engine.nearest_kink(start[:-2])[0] < 1e-6:
                continue
            if isinstance(system, ZeroCurvature) and kind == "begins":
                system.commit(start)
                if system.cubic(start) <= 0:
                    continue
            x = start[:-2] if len(start) > 2 else system.states(start)[0]
            if self._is_on(x, start[-2:]):
                if kind in ("fold", "kink") or self.engine.space.distance(x, end.state.x) < _SAME:
                    return
                continue
            self.limits.append(self._limit(kind, system, start, end))
            return
        self.unresolved.append((end.position, f"a minimum ends ({end.reason}) on no curve"))

    def _candidates(self, end: End) -> Iterator[tuple[str, System, Array]]:
        x, direction = end.state.x, end.state.direction
        own = ZeroCurvature(self.engine, self.plane, x, direction)
        on_kink = self.engine.nearest_kink(x)[0] < KINK
        if end.reason == "saddle" and on_kink:
            yield "zero curvature", own, end.position
        found = self._stationary(x, end.beyond)
        if (
            found is not None
            and not on_kink
            and np.abs(found - x).max() < _NEAR_STATE
            and self.engine.nearest_kink(found)[0] < KINK
        ):  # it becomes one with a state on kinks, from which it sets out in some direction
            system = ZeroCurvature(self.engine, self.plane, found, x - found)
            yield "begins", system, end.position
        yield "fold", Fold(self.engine, self.plane), np.concatenate([x, end.position])
        yield "zero curvature", own, end.position
        space = self.engine.space
        corners = [
            (abs(preactivation(self.engine, x, i, corner)[0]), i, corner)
            for i in range(space.n)
            for corner in (0, 1 << i)
        ]
        for distance, i, corner in sorted(corners):
            if distance < _NEAR_KINK:
                kink = KinkFold(self.engine, self.plane, i, corner)
                yield "kink", kink, np.concatenate([x, end.position])

    def _stationary(self, x: Array, position: Array) -> Array | None:
        """Return the stationary state to which plain Newton steps lead, minimum or not."""
        moved, found = self.engine.settle(x, self.plane.at(position), 10.0, 60)
        return moved if found else None

    def _limit(self, kind: str, system: System, start: Array, end: End) -> Limit:
        system.commit(start)
        memory = (system.state, system.direction) if isinstance(system, ZeroCurvature) else None
        parts = []
        for sense in (1, -1):
            if isinstance(system, ZeroCurvature) and memory is not None:
                system.state, system.direction = memory
            if isinstance(system, Fold):
                system.direction = None
            tangent = sense * system.tangent(start)
            record: list[tuple[Array, Array, float]] = []

            def watch(y: Array, record: list[tuple[Array, Array, float]] = record) -> bool:
                record.append(self._at(system, y))
                return False

            record.append(self._at(system, start))
            events = self._events(kind, system, start)
            accept = self._is_limit(system, events, kind)
            points, reason = follow(
                system,
                start,
                tangent,
                self.domain,
                events,
                largest_step=_LARGEST_STEP if isinstance(system, ZeroCurvature) else _FOLD_STEP,
                watch=watch,
                accept=accept,
            )
            while len(record) < len(points):
                system.commit(points[len(record)])
                record.append(self._at(system, points[len(record)]))
            parts.append((points, record, reason))
            if reason == "closed":
                parts.append(([start], record[:1], reason))
                break
        (ahead, first, reason), (back, second, other) = parts
        points = back[::-1] + ahead[1:]
        record = second[::-1] + first[1:]
        limit = Limit(
            kind,
            np.array([y[-2:] for y in points]),
            np.array([r[0] for r in record]),
            np.array([r[1] for r in record]),
            np.array([r[2] for r in record]),
            (other, reason),
            end.state.x,
            end.position,
        )
        for index, why in ((0, other), (-1, reason)):
            if why not in ("edge", "closed", "tricritical point"):
                self.exits.append((limit, index))
        return limit

    def _at(self, system: System, y: Array) -> tuple[Array, Array, float]:
        if isinstance(system, ZeroCurvature):
            here = system.follow(y)
            return here.state, here.direction, here.cubic
        if isinstance(system, Fold):
            v = system.direction if system.direction is not None else system.softest(y)[1]
            return y[:-2], v, system.cubic(y, v)
        return y[:-2], np.zeros(len(y) - 2), 0.0

    def _is_limit(
        self, system: System, kinks: Sequence[Event] = (), kind: str = ""
    ) -> Callable[[Array], bool]:
        """Return what tells whether a minimum ends at a point of a curve.

        A fold ends where its state comes to lie on one of the `kinks`.
        """
        if isinstance(system, Fold):
            return lambda y: bool(
                system.softest(y)[0][1] > _POSITIVE
                and min((abs(kink(system, y)) for kink in kinks), default=1.0) > _OFF_KINK
                and self._is_softest(y[:-2], y[-2:])
            )
        if isinstance(system, KinkFold):
            return lambda y: self._ends_at_kink(system, y)
        assert isinstance(system, ZeroCurvature)
        return lambda y: self._loses_stability(system, y, kind == "zero curvature")

    def _is_softest(self, x: Array, position: Array) -> bool:
        """Whether no direction of a state on kinks is softer than 0."""
        if self.engine.nearest_kink(x)[0] > KINK:
            return True  # its eigenvalues have been looked at
        return self.engine.softest(x, self.plane.at(position))[0] > -_STEEPER

    def _loses_stability(self, system: ZeroCurvature, y: Array, alone: bool) -> bool:
        """Whether the direction is the one that was followed, and no other is softer."""
        here = system.follow(y)
        if here.direction @ system.direction < _SAME_DIRECTION:
            return False
        if not alone:  # a branch that begins beside a state which may be a saddle
            return True
        curvature, _ = self.engine.softest(
            here.state, self.plane.at(y), here.direction[None], _EIGENVECTORS
        )
        return curvature > -_SOFTER

    def _ends_at_kink(self, system: KinkFold, y: Array) -> bool:
        """Whether a state is a minimum on one side of a kink, and a saddle on the other."""
        x, at = y[:-2], self.plane.at(y[-2:])
        if self._other_kink(system, x) < _ISOLATED:
            return False
        across = preactivation(self.engine, x, system.output, system.corner)[1]
        across = _ASIDE * across / np.linalg.norm(across)
        lowest = [
            float(np.linalg.eigvalsh(self.engine.derivatives(x + side * across, at)[2])[0])
            for side in (1, -1)
        ]
        return max(lowest) > _POSITIVE and min(lowest) < -_POSITIVE

    def _other_kink(self, system: KinkFold, x: Array) -> float:
        """Return the smallest |Z| at any other corner."""
        space = self.engine.space
        return min(
            abs(preactivation(self.engine, x, i, corner)[0])
            for i in range(space.n)
            for corner in range(2**space.n)
            if (i, corner) != (system.output, system.corner)
        )

    def _events(self, kind: str, system: System, start: Array) -> list[Event]:
        """Return the kinks at which the Hessian jumps, and at which a fold therefore ends."""
        if isinstance(system, ZeroCurvature) and kind == "begins":
            return [_CubicTerm()]
        if not isinstance(system, Fold):
            return []
        n = self.engine.space.n
        corners = [(i, corner) for i in range(n) for corner in (0, 1 << i)]
        kinks = [_Kink(self.engine, i, corner) for i, corner in corners]
        return [kink for kink in kinks if abs(kink(system, start)) > KINK]


class _CubicTerm:
    """The coefficient of third order, beyond whose root a branch no longer begins at norm 0."""

    kind = "tricritical point"

    def __call__(self, system: System, y: Array) -> float:
        assert isinstance(system, ZeroCurvature)
        return system.cubic(y)


class _Kink:
    """The pre-activation of an output at a corner."""

    kind = "kink"

    def __init__(self, engine: Engine, output: int, corner: int) -> None:
        self.engine, self.output, self.corner = engine, output, corner

    def __call__(self, system: System, y: Array) -> float:
        return preactivation(self.engine, y[:-2], self.output, self.corner)[0]
