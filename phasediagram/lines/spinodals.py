"""Limits of metastability as curves to all digits, cut where the edge turns or is renamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from phasediagram.lines.limits import Limit
from phasediagram.lines.nodes import CubicTerm, Kink, kinks, tricritical_point
from phasediagram.lines.polishing import polish
from phasediagram.lines.systems import Fold
from phasediagram.lines.tracer import Domain, Event, correct, follow
from phasediagram.lines.walking import Foot
from phasediagram.minima.engine import Engine
from phasediagram.parameters import DensityImportancePlane

Array = NDArray[np.float64]
Name = Callable[[Array, Array], str]  # of a state at a position

_SHORT = 0.05  # length of a piece whose name is that of what is before or after it
_TIP = 0.1  # how far from the last point the end of a tip may be
_NEAR = 0.05  # share of it by which a fold may miss its foot
_STEP = 1e-3  # of states and position together, towards a tip
_ON_KINK = 1e-5  # |Z| where a fold has come to a kink
_EDGE = 1e-3  # how far from the edge of the domain a walk along a limit stops


@dataclass(frozen=True)
class Spinodal:
    """A curve on which a minimum ends.

    Attributes
    ----------
    name : str
    positions : ndarray, shape (k, 2)
    ends : tuple of str
    """

    name: str
    positions: Array
    ends: tuple[str, str]


@dataclass(frozen=True)
class _Stretch:
    """The feet ``start`` to ``stop`` - 1 of a limit, and what is before and after them."""

    start: int
    stop: int
    ends: tuple[str, str]
    tips: tuple[Array, Array]  # points of it before the first and after the last foot


@dataclass(frozen=True)
class _Tip:
    """Where two curves end together: points up to there, of the first or of the second."""

    kind: str
    line: Array
    of_first: bool


def spinodals(
    engine: Engine,
    plane: DensityImportancePlane,
    domain: Domain,
    limits: list[Limit],
    name: Name,
) -> list[Spinodal]:
    """Return the curves of all limits along which a minimum really ends."""
    curves: list[Spinodal] = []
    for limit in limits:
        if not (limit.is_nothing or limit.is_speck):
            positions = _polished(engine, plane, limit)
            for stretch in _stretches(engine, plane, domain, limit):
                curves += _named(limit, positions, stretch, domain, name)
    return curves


def _polished(engine: Engine, plane: DensityImportancePlane, limit: Limit) -> Array:
    positions, kind = [], ""
    for foot in limit.feet:
        point = polish(engine, plane, foot, kind)
        kind = point.kind
        positions.append(point.position)
    return np.array(positions)


def _stretches(
    engine: Engine, plane: DensityImportancePlane, domain: Domain, limit: Limit
) -> Iterator[_Stretch]:
    """Cut a limit at the tips that it turns around."""
    cuts = sorted(k for k in limit.turns if 0 < k < len(limit.feet))
    nothing = np.empty((0, 2))
    before, first, start = limit.ends[0], nothing, 0
    for k in cuts:
        tip = _tip(engine, plane, domain, limit, k)
        kind, line = ("corner", nothing) if tip is None else (tip.kind, tip.line)
        last, following = line, line[-1:]
        if tip is not None and not tip.of_first:
            last, following = line[-1:], line[::-1]
        if k - start > 1:
            yield _Stretch(start, k, (before, kind), (first, last))
        before, first, start = kind, following, k
    if len(limit.feet) - start > 1:
        yield _Stretch(start, len(limit.feet), (before, limit.ends[1]), (first, nothing))


def _tip(
    engine: Engine, plane: DensityImportancePlane, domain: Domain, limit: Limit, k: int
) -> _Tip | None:
    """Return the special point around which a limit turns before foot k, if it is one."""
    sides = [limit.feet[:k][::-1], limit.feet[k:]]
    found = []
    for side, feet in enumerate(sides):
        tip = _end_of_fold(engine, plane, domain, feet)
        if tip is not None:
            found.append(_Tip(tip.kind, tip.line, side == 0))
    base, other = limit.feet[k - 1].end.state.x, limit.feet[k - 1].anchor.x
    base, settled = engine.settle(base, plane.at(limit.feet[k - 1].end.beyond), 10.0, 60)
    if settled:
        last = limit.feet[k - 1].position
        node = tricritical_point(engine, plane, domain, base, other, last, _TIP)
        if node is not None:
            found.append(_Tip(node.kind, node.position[None], True))
    last = limit.feet[k - 1].position
    found.sort(key=lambda tip: float(np.linalg.norm(tip.line[-1] - last)))
    return found[0] if found else None


def _end_of_fold(
    engine: Engine, plane: DensityImportancePlane, domain: Domain, feet: list[Foot]
) -> _Tip | None:
    """Follow a fold on, past the first of its feet, to where it has a cusp or meets a kink."""
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
    if start is None or np.linalg.norm(start[-2:] - foot.position) > _TIP * _NEAR:
        return None
    events: list[Event] = [CubicTerm(), *kinks(engine, start[:-2])]
    system.commit(start)
    tangent = system.tangent(start)
    if tangent[-2:] @ (foot.position - before.position) < 0:
        tangent = -tangent
    points, kind = follow(
        system,
        start,
        tangent,
        domain,
        events,
        first_step=_STEP,
        largest_step=10 * _STEP,
        watch=lambda y: bool(np.linalg.norm(y[-2:] - start[-2:]) > _TIP),
    )
    if any(abs(event(system, points[-1])) < _ON_KINK for event in events[1:]):
        kind = Kink.kind  # beyond, the fold is another
    if kind not in (CubicTerm.kind, Kink.kind):
        return None
    return _Tip(kind, np.array([y[-2:] for y in points[1:]]), True)


def _named(
    limit: Limit, positions: Array, stretch: _Stretch, domain: Domain, name: Name
) -> Iterator[Spinodal]:
    """Cut a stretch where the minimum that ends gets another name."""
    line = positions[stretch.start : stretch.stop]
    feet = limit.feet[stretch.start : stretch.stop]
    names = [name(foot.anchor.x, foot.at) for foot in feet]
    bounds = _bounds(names, line)
    for start, stop in pairwise(bounds):
        piece = line[start : min(stop + 1, len(line))]
        ends = ["", ""]
        for side, (index, edge) in enumerate(((start, 0), (stop, len(line)))):
            if index != edge:
                ends[side] = f"goes on as {names[index - 1 if side == 0 else index]}"
                continue
            ends[side] = stretch.ends[side]
            extra = stretch.tips[side]
            if ends[side] == "edge":
                extra = _landed(piece if side else piece[::-1], domain)
            piece = np.vstack([piece, extra] if side else [extra, piece])
        if len(piece) > 1:
            middle = names[start:stop]
            yield Spinodal(max(set(middle), key=middle.count), piece, (ends[0], ends[1]))


def _bounds(names: list[str], line: Array) -> list[int]:
    """Return where runs of one name begin, short runs left out, and the length."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    starts = [0, *(k for k in range(1, len(names)) if names[k] != names[k - 1])]
    stops = [*starts[1:], len(names)]
    kept = [
        (start, stop)
        for start, stop in zip(starts, stops, strict=True)
        if along[stop - 1] - along[start] > _SHORT
    ]
    bounds = [0]
    for before, after in pairwise(kept):
        if names[before[0]] != names[after[0]]:
            bounds.append(after[0])
    return [*bounds, len(names)]


def _landed(line: Array, domain: Domain) -> Array:
    """Return where a line's last chord meets the edge of the domain."""
    last = line[-1]
    before = next((q for q in line[-2::-1] if np.linalg.norm(q - last) > _EDGE / 10), None)
    if before is None or not 0 < domain.margin(last) < _EDGE:
        return np.empty((0, 2))
    along = last - before
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.concatenate([(domain.lower - last) / along, (domain.upper - last) / along])
    shares = shares[np.isfinite(shares) & (shares > 0)]
    return np.asarray(last + shares.min() * along)[None]
