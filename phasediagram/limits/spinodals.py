"""Limits of metastability as curves to all digits, cut where the edge turns or is renamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from phasediagram.limits.corners import corners
from phasediagram.limits.mapping import Limit
from phasediagram.limits.polishing import BRACKETED, Polished, polish
from phasediagram.limits.tips import fold_towards, tip_before, tricritical_near
from phasediagram.limits.walking import Foot
from phasediagram.lines.nodes import kinks
from phasediagram.lines.tracer import Domain
from phasediagram.minima.engine import Engine
from phasediagram.parameters import Plane

Array = NDArray[np.float64]
Names = Callable[[Array, Array], list[str]]  # of states (k, d) at positions (k, 2)

_CONTINUOUS = "goes on continuously"
_BESIDE = 0.05  # distance of two states of which one begins beside the other
_SHARP = 0.7  # cosine of directions before and after a corner
_SHORT = 0.05  # length of a piece whose name is that of what is before or after it
_BEYOND = 1e-3  # how far rolling triangles may take a walk beyond a special point
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


def spinodals(
    engine: Engine,
    plane: Plane,
    domain: Domain,
    limits: list[Limit],
    names_of: Names,
) -> list[Spinodal]:
    """Return the curves of all limits along which a minimum really ends."""
    curves: list[Spinodal] = []
    for limit in limits:
        if not (limit.is_nothing or limit.is_speck):
            points = _polished(engine, plane, limit)
            for stretch in _stretches(engine, plane, domain, limit):
                curves += _named(engine, plane, limit, points, stretch, domain, names_of)
    return curves


@dataclass(frozen=True)
class _Points:
    """The points of a limit, and where the minimum goes on as another that is beside it."""

    positions: Array
    goes_on: NDArray[np.bool_]


def _polished(engine: Engine, plane: Plane, limit: Limit) -> _Points:
    points: list[Polished] = []
    expected = ""
    for foot in limit.feet:
        points.append(polish(engine, plane, foot, expected))
        expected = expected if points[-1].kind == BRACKETED else points[-1].kind
    positions = np.array([point.position for point in points])
    for k, corner in corners(points).items():
        positions[k] = corner
    goes_on = [_goes_on(engine, plane, foot) for foot in limit.feet]
    return _Points(positions, np.array(goes_on))


def _goes_on(engine: Engine, plane: Plane, foot: Foot) -> bool:
    """Whether a minimum becomes, continuously, one that lies on other kinks and goes on.

    So does a branch that begins beside another state, on its side of a continuous transition: the
    cubic coefficient K of that state towards the branch is positive.
    """
    x, at = foot.end.state.x, plane.at(foot.end.beyond)
    beside, settled = engine.settle(x, at, 10.0, 60)
    if not settled or not np.abs(beside - x).max() < _BESIDE:
        return False
    if len(kinks(engine, beside)) >= len(kinks(engine, x)):
        return False
    if engine.softest(beside, at, (x - beside)[None], 4)[0] <= 0:
        return False
    return engine.expansion(beside, at, foot.anchor.x - beside)[2] > 0


def _stretches(engine: Engine, plane: Plane, domain: Domain, limit: Limit) -> Iterator[_Stretch]:
    """Cut a limit at the tips that it turns around, and at sharp corners that are tips."""
    nothing = np.empty((0, 2))
    before, first, start = limit.ends[0], nothing, 0
    for k in sorted({*limit.turns, *_corners(limit)}):
        tip = tip_before(engine, plane, domain, limit, k) if 0 < k < len(limit.feet) else None
        if tip is None and k not in limit.turns:
            continue
        kind, line = ("corner", nothing) if tip is None else (tip.kind, tip.line)
        last, following = line, line[-1:]
        if tip is not None and not tip.of_first:
            last, following = line[-1:], line[::-1]
        if k - start > 1:
            yield _Stretch(start, k, (before, kind), (first, last))
        before, first, start = kind, following, k
    if len(limit.feet) - start > 1:
        yield _Stretch(start, len(limit.feet), (before, limit.ends[1]), (first, nothing))


def _corners(limit: Limit) -> Iterator[int]:
    """Yield the feet before which a limit turns sharply without having been walked around."""
    rolled = [foot.rolled for foot in limit.feet]
    start = 0
    for k in range(1, len(rolled)):
        if rolled[k] and not rolled[k - 1]:
            start = k
        if rolled[k - 1] and not rolled[k] and start > 2 and k < len(rolled) - 2:
            before = limit.positions[start - 1] - limit.positions[start - 2]
            after = limit.positions[k + 1] - limit.positions[k]
            sharp = before @ after < _SHARP * np.linalg.norm(before) * np.linalg.norm(after)
            if sharp and not any(start - 1 <= turn <= k + 1 for turn in limit.turns):
                yield (start + k) // 2


def _named(
    engine: Engine,
    plane: Plane,
    limit: Limit,
    points: _Points,
    stretch: _Stretch,
    domain: Domain,
    names_of: Names,
) -> Iterator[Spinodal]:
    """Cut a stretch where the minimum gets another name, or does not end."""
    line = points.positions[stretch.start : stretch.stop]
    feet = limit.feet[stretch.start : stretch.stop]
    here = slice(stretch.start, stretch.stop)
    goes_on = points.goes_on[here]
    names = names_of(np.array([foot.anchor.x for foot in feet]), np.array([f.at for f in feet]))
    names = [_CONTINUOUS if on else own for own, on in zip(names, goes_on, strict=True)]
    runs = _runs(names, line)
    for k, (start, stop, called) in enumerate(runs):
        if called == _CONTINUOUS:
            continue
        piece = line[start : min(stop + 1, len(line))]
        ends = ["", ""]
        for side, other in enumerate((k - 1, k + 1)):
            if 0 <= other < len(runs):
                after = runs[other][2]
                ends[side] = after if after == _CONTINUOUS else f"goes on as {after}"
                if after != _CONTINUOUS:
                    continue
                node = tricritical_near(engine, plane, domain, feet[stop if side else start - 1])
                if node is None:
                    continue
                piece = piece[:-1] if side and stop < len(line) else piece
                inwards = feet[start:stop][::-1] if side else feet[start:stop]
                fold = fold_towards(engine, plane, domain, inwards, node.position)
                extra = np.vstack([fold, node.position])[:: 1 if side else -1]
                ends[side] = node.kind
            else:
                ends[side] = stretch.ends[side]
                extra = stretch.tips[side]
            if ends[side] == "edge":
                extra = _landed(piece if side else piece[::-1], domain)
            piece = _joined(piece, extra) if side else _joined(piece[::-1], extra[::-1])[::-1]
        if len(piece) > 1 and not _is_point(piece):
            yield Spinodal(called, piece, (ends[0], ends[1]))


def _runs(names: list[str], line: Array) -> list[tuple[int, int, str]]:
    """Return runs of one name as (start, stop, name), short ones joined to what is beside them."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    starts = [0, *(k for k in range(1, len(names)) if names[k] != names[k - 1])]
    runs = [(start, stop, names[start]) for start, stop in pairwise([*starts, len(names)])]
    long = [
        (start, stop, label)
        for k, (start, stop, label) in enumerate(runs)
        if along[stop - 1] - along[start] > _SHORT or (stop - start > 1 and _is_apart(runs, k))
    ]
    if not long:
        return [(0, len(names), max(set(names), key=names.count))]
    joined = [(0, long[0][1], long[0][2])]
    for (_, end, _), (start, stop, called) in pairwise(long):
        first, _, before = joined[-1]
        if called == before:
            joined[-1] = (first, stop, before)
            continue
        cut = end if before == _CONTINUOUS else start
        joined[-1] = (first, cut, before)
        joined.append((cut, stop, called))
    joined[-1] = (joined[-1][0], len(names), joined[-1][2])
    return joined


def _is_apart(runs: list[tuple[int, int, str]], k: int) -> bool:
    """Whether a minimum goes on continuously along a run, or along all that is beside it."""
    beside = [runs[j][2] for j in (k - 1, k + 1) if 0 <= j < len(runs)]
    return runs[k][2] == _CONTINUOUS or (bool(beside) and set(beside) == {_CONTINUOUS})


def _is_point(line: Array) -> bool:
    """Whether a line comes back to the special point that it starts from, with nothing between."""
    far = np.linalg.norm(line - line[0], axis=1)
    return bool(far[-1] == 0 and far.max() < _BEYOND)


def _joined(line: Array, extra: Array) -> Array:
    """Return a line with points behind it, without its last ones that are beyond these."""
    if len(extra):
        while len(line) > 2 and (line[-1] - line[-2]) @ (extra[0] - line[-1]) < 0:
            if np.linalg.norm(extra[0] - line[-1]) > _BEYOND:
                break
            line = line[:-1]
    return np.vstack([line, extra])


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
