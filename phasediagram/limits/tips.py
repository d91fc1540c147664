"""Tips of limits of metastability: where two of their curves end together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.limits.mapping import Limit
from phasediagram.limits.walking import Foot
from phasediagram.lines.nodes import CubicTerm, Kink, Node, kinks, tricritical_point
from phasediagram.lines.systems import Fold
from phasediagram.lines.tracer import Domain, correct, follow
from phasediagram.minima.engine import Engine
from phasediagram.minima.state import SAME_STATE
from phasediagram.parameters import Plane

Array = NDArray[np.float64]

REACH = 0.1  # how far from the last point the end of a tip may be
_PUSH = 0.05  # from a fold to the state beside it
_CLOSE = 5e-3  # how far past the last points of both curves their common end is at least sought
_BESIDE = 0.3  # distance of states of which one is a branch of the other
_BACK = 5e-4  # length of an edge that shows where it leads
_STRAIGHT = np.cos(np.radians(20.0))
_AGREE = 2e-3  # distance of the ends of two folds that end together
_NEAR = 0.05  # share of it by which a fold may miss its foot
_FIRST_STEP = 1e-3  # of states and position together, towards a tip
_ON_KINK = 1e-5  # |Z| where a fold has come to a kink


TRICRITICAL = "tricritical point"
_Followed = tuple[Fold, list[Array], str]  # a fold, its points, and what stops it


@dataclass(frozen=True)
class Tip:
    """Where two curves end together: points up to there, of the first or of the second."""

    kind: str
    line: Array
    of_first: bool


def tip_before(engine: Engine, plane: Plane, domain: Domain, limit: Limit, k: int) -> Tip | None:
    """Return the special point around which a limit turns before foot k, if it is one."""
    sides = [limit.feet[:k][::-1], limit.feet[k:]]
    folds = [_follow_fold(engine, plane, domain, feet) for feet in sides]
    found = []
    for side, followed in enumerate(folds):
        tip = None if followed is None else _end_of_fold(domain, *followed)
        if tip is not None:
            found.append(Tip(tip.kind, tip.line, side == 0))
            if _passes(folds[1 - side], tip.line[-1]):
                return found[-1]
            if tip.kind == TRICRITICAL and _is_ahead(sides[1 - side], tip.line[-1]):
                return found[-1]  # there the branch that the fold ends no longer begins
    ends = np.array([next((f for f in feet if not f.rolled), feet[0]).position for feet in sides])
    nodes = [tricritical_near(engine, plane, domain, feet[0]) for feet in sides]
    for node in nodes:
        if node is None:
            continue
        for tip in found:  # the fold ends where the branch beside it no longer begins
            if np.linalg.norm(tip.line[-1] - node.position) < _AGREE:
                return tip
        if all(_is_ahead(feet, node.position) for feet in sides):
            return Tip(node.kind, node.position[None], True)
        found.append(Tip(node.kind, node.position[None], True))
    reach = max(float(np.linalg.norm(ends[1] - ends[0])), _CLOSE)

    def far(tip: Tip) -> float:
        return float(np.linalg.norm(ends - tip.line[-1], axis=1).min())

    tip = min(found, key=far, default=None)  # a fold goes on past where another curve cuts it
    return tip if tip is not None and far(tip) < reach else None


def _passes(followed: _Followed | None, position: Array) -> bool:
    """Whether a fold that was followed comes near a position."""
    if followed is None:
        return False
    line = np.array([y[-2:] for y in followed[1]])
    return bool(np.linalg.norm(line - position, axis=1).min() < _AGREE)


def _is_ahead(feet: list[Foot], position: Array) -> bool:
    """Whether an edge, walked towards the first of its feet, leads to a position."""
    first = feet[0].position
    before = next(
        (f.position for f in feet if np.linalg.norm(f.position - first) > _BACK), feet[-1].position
    )
    ahead, along = position - first, first - before
    return bool(ahead @ along > _STRAIGHT * np.linalg.norm(ahead) * np.linalg.norm(along))


def tricritical_near(engine: Engine, plane: Plane, domain: Domain, foot: Foot) -> Node | None:
    """Return where a branch that begins near a foot no longer begins continuously."""
    x, at = foot.anchor.x, plane.at(foot.end.beyond)
    bases = []
    settled, is_stationary = engine.settle(foot.end.state.x, at, 10.0, 60)
    if is_stationary:
        bases.append(settled)
    bases.append(engine.minimize_at(x[None], at, _PUSH).x[0])
    for base in bases:
        if SAME_STATE < engine.space.distance(base, x) < _BESIDE:
            node = tricritical_point(engine, plane, domain, base, x, foot.position, REACH)
            if node is not None:
                return node
    return None


def fold_towards(
    engine: Engine, plane: Plane, domain: Domain, feet: list[Foot], target: Array
) -> Array:
    """Return points of a fold past the first of its feet, up to a special point near by, (k, 2)."""
    followed = _follow_fold(engine, plane, domain, feet)
    if followed is None:
        return np.empty((0, 2))
    line = np.array([y[-2:] for y in followed[1]])
    far = np.linalg.norm(line - target, axis=1)
    return line[1 : int(far.argmin()) + 1] if far.min() < _CLOSE else np.empty((0, 2))


def end_of_edge(engine: Engine, plane: Plane, domain: Domain, feet: list[Foot]) -> Tip | None:
    """Follow a fold on, past the first of its feet, to where it has a cusp or meets a kink."""
    followed = _follow_fold(engine, plane, domain, feet)
    return None if followed is None else _end_of_fold(domain, *followed)


def _end_of_fold(domain: Domain, system: Fold, points: list[Array], kind: str) -> Tip | None:
    line = [y[-2:] for y in points[1:]] or [points[0][-2:]]
    if kind != CubicTerm.kind:
        node = _where_it_merges(system, domain, points[-1])
        if node is not None:
            kind = node.kind
            line.append(node.position)
        elif kind != Kink.kind:
            return None
    return Tip(kind, np.array(line), True)


def _follow_fold(
    engine: Engine, plane: Plane, domain: Domain, feet: list[Foot]
) -> _Followed | None:
    """Follow a fold past the first of its feet; return its points, and what stops it."""
    straight = [foot for foot in feet if not foot.rolled][:2]
    if len(straight) < 2:
        return None
    foot, before = straight
    end = foot.end
    system = Fold(engine, plane)
    guess = np.concatenate([end.state.x, end.position])
    constraint = np.zeros(len(guess))
    across = end.beyond - end.position
    constraint[-2:] = -across[1], across[0]
    start = correct(system, guess, constraint / np.linalg.norm(constraint))
    if start is None or np.linalg.norm(start[-2:] - foot.position) > REACH * _NEAR:
        return None
    corners = kinks(engine, start[:-2])

    def nearest(y: Array) -> float:
        return min((abs(corner(system, y)) for corner in corners), default=1.0)

    system.commit(start)
    tangent = system.tangent(start)
    if tangent[-2:] @ (foot.position - before.position) < 0:
        tangent = -tangent
    points, kind = follow(
        system,
        start,
        tangent,
        domain,
        [CubicTerm()],
        first_step=_FIRST_STEP,
        largest_step=10 * _FIRST_STEP,
        most_corners=0,
        watch=lambda y: bool(np.linalg.norm(y[-2:] - start[-2:]) > REACH),
        accept=lambda y: nearest(y) > _ON_KINK / 10,  # beyond, the fold is another
    )
    return system, points, Kink.kind if nearest(points[-1]) < _ON_KINK else kind


def _where_it_merges(system: Fold, domain: Domain, y: Array) -> Node | None:
    """Return the tricritical point at which a fold comes to the state beside it."""
    engine, plane, x, position = system.engine, system.plane, y[:-2], y[-2:]
    v = system.softest(y)[1]
    at = plane.at(position)
    reached = engine.minimize_at(np.array([x + push * v for push in (-_PUSH, _PUSH)]), at, _PUSH).x
    for base in reached:
        if np.abs(base - x).max() < 4 * _PUSH and len(kinks(engine, base)) < len(kinks(engine, x)):
            node = tricritical_point(engine, plane, domain, base, x, position, REACH)
            if node is not None and np.linalg.norm(node.position - position) < _CLOSE:
                return node
    return None
