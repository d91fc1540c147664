"""Where the lowest minimum changes between neighbouring nodes of an atlas."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from phasediagram.atlas.following import End, trace_end
from phasediagram.lines.curves import Seed
from phasediagram.lines.mapper import Mapper
from phasediagram.minima.search import State

Array = NDArray[np.float64]

_DEPTH = 10  # halvings of an edge of the grid
_BISECTIONS = 30  # of the place where two losses are equal
_NEAR = 0.1  # distance of states that may be one branch
_SAME_PLACE = 0.02  # share of a segment


def equal_loss_seeds(mapper: Mapper) -> Iterator[Seed]:
    """Yield a seed for every change of the lowest minimum along the edges of the grid."""
    atlas = mapper.atlas
    for node, states in atlas.states.items():
        if not states:
            continue
        for other in atlas.neighbours(node):
            if other < node or not atlas.states[other]:
                continue
            first, second = atlas.lowest(node), atlas.lowest(other)
            if atlas.links.get((node, first, other)) == second:
                continue
            yield from _between(
                mapper,
                atlas.position(node),
                states[first],
                atlas.position(other),
                atlas.states[other][second],
                0,
            )


def _between(
    mapper: Mapper, start: Array, first: State, stop: Array, second: State, depth: int
) -> Iterator[Seed]:
    engine, plane = mapper.engine, mapper.plane
    ahead = trace_end(engine, plane, first, start, stop)
    back = trace_end(engine, plane, second, stop, start)
    if not isinstance(ahead, End) and engine.space.distance(ahead.x, second.x) < 1e-5:
        return
    if not isinstance(back, End) and engine.space.distance(back.x, first.x) < 1e-5:
        return
    crossing = _crossing(mapper, start, first, ahead, stop, second, back)
    if crossing is not None:
        yield crossing
        return
    if isinstance(ahead, End) and isinstance(back, End):
        apart = np.abs(ahead.position - back.position).max()
        close = engine.space.distance(ahead.state.x, back.state.x)
        if apart < _SAME_PLACE * np.abs(stop - start).max() and close < _NEAR:
            mapper.continuous.append((ahead.position + back.position) / 2)
            return
    if depth == _DEPTH:
        if engine.space.distance(first.x, second.x) > _NEAR:
            mapper.unresolved.append(((start + stop) / 2, "the lowest minimum changes"))
        else:
            mapper.continuous.append((start + stop) / 2)
        return
    middle = (start + stop) / 2
    x, loss = mapper.rivals.low_minima(middle)
    at = plane.at(middle)
    for k in np.argsort(loss):
        curvature, direction = engine.softest(
            x[k], at, np.array([first.direction, second.direction]), 4
        )
        if curvature > 0:
            break
    lowest = State(x[k], float(loss[k]), 0.0, curvature, direction)
    yield from _between(mapper, start, first, middle, lowest, depth + 1)
    yield from _between(mapper, middle, lowest, stop, second, depth + 1)


def _crossing(
    mapper: Mapper,
    start: Array,
    first: State,
    ahead: State | End,
    stop: Array,
    second: State,
    back: State | End,
) -> Seed | None:
    """Return where both minima have the same loss, on the part where both exist."""
    low = back.position if isinstance(back, End) else start
    second_at_low = back.state if isinstance(back, End) else back
    high = ahead.position if isinstance(ahead, End) else stop
    first_at_high = ahead.state if isinstance(ahead, End) else ahead
    if (high - low) @ (stop - start) <= 0:
        return None
    first_at_low: State | End = first
    second_at_high: State | End = second
    if isinstance(back, End):
        first_at_low = trace_end(mapper.engine, mapper.plane, first, start, low)
    if isinstance(ahead, End):
        second_at_high = trace_end(mapper.engine, mapper.plane, second, stop, high)
    if isinstance(first_at_low, End) or isinstance(second_at_high, End):
        return None
    gap = first_at_low.loss - second_at_low.loss
    if gap * (first_at_high.loss - second_at_high.loss) > 0:
        return None
    seed = _bisect(mapper, low, first_at_low, second_at_low, high, first_at_high, second_at_high)
    if mapper.rivals.third(np.concatenate([seed.first, seed.second, seed.position])) is not None:
        return None
    return seed


def _bisect(
    mapper: Mapper,
    start: Array,
    first: State,
    second_at_start: State,
    stop: Array,
    first_at_stop: State,
    second: State,
) -> Seed:
    """Return where two minima that exist at both ends of a segment have the same loss."""
    low, high = (first.x, second_at_start.x, start), (first_at_stop.x, second.x, stop)
    gap_low, gap_high = first.loss - second_at_start.loss, first_at_stop.loss - second.loss
    for _ in range(_BISECTIONS):
        share = gap_low / (gap_low - gap_high) if gap_low * gap_high < 0 else 0.5
        share = min(max(share, 0.05), 0.95)
        position = low[2] + share * (high[2] - low[2])
        near = low if share < 0.5 else high
        at = mapper.plane.at(position)
        ends = mapper.engine.minimize_at(np.array(near[:2]), at, 0.1)
        gap = float(ends.loss[0] - ends.loss[1])
        middle = (ends.x[0], ends.x[1], position)
        if gap * gap_low > 0:
            low, gap_low = middle, gap
        else:
            high, gap_high = middle, gap
        if np.abs(high[2] - low[2]).max() < 1e-6 or gap == 0:
            break
    return Seed(middle[2], middle[0], middle[1])
