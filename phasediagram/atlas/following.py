"""Following minima from one position of a plane to another, many at once."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from phasediagram.minima.engine import Engine, Followed
from phasediagram.minima.following import ARRIVED, SADDLE
from phasediagram.minima.search import State
from phasediagram.parameters import Plane

Array = NDArray[np.float64]
Result = TypeVar("Result")

FINEST = 2**-8  # share of a segment to which the end of a minimum is bracketed


@dataclass(frozen=True, eq=False)
class End:
    """Where a minimum that was followed ends.

    Attributes
    ----------
    state : State
        The minimum at the last position at which it exists.
    position, beyond : ndarray, shape (2,)
        That position, and one at which it does not exist.
    reason : str
        ``"saddle"``: beyond, it is stationary but no minimum; ``"lost"``: nothing is there.
    """

    state: State
    position: Array
    beyond: Array
    reason: str


@dataclass(frozen=True)
class Request:
    """A minimum, where it is, and where it is wanted."""

    state: State
    start: Array
    stop: Array


Walk = Generator[Request, State | str, Result]  # is sent the minimum there, or why there is none


def together(engine: Engine, plane: Plane, walks: Iterable[Walk[Result]]) -> list[Result]:
    """Run walks side by side, in bulk; return their results."""
    results: dict[int, Result] = {}
    waiting: list[tuple[int, Walk[Result], Request]] = []

    def resume(index: int, walk: Walk[Result], reply: State | str | None) -> None:
        try:
            request = next(walk) if reply is None else walk.send(reply)
        except StopIteration as stopped:
            results[index] = stopped.value
        else:
            waiting.append((index, walk, request))

    for index, walk in enumerate(walks):
        resume(index, walk, None)
    while waiting:
        asked, waiting = waiting, []
        replies = answers(engine, plane, [request for _, _, request in asked])
        for (index, walk, _), reply in zip(asked, replies, strict=True):
            resume(index, walk, reply)
    return [results[index] for index in sorted(results)]


def answers(engine: Engine, plane: Plane, requests: list[Request]) -> list[State | str]:
    """Follow each minimum in one step; return it there, or why there is none."""
    followed = follow(
        engine,
        plane,
        np.array([request.state.x for request in requests]),
        np.array([request.state.direction for request in requests]),
        np.array([request.start for request in requests]),
        np.array([request.stop for request in requests]),
    )
    return [outcome_of(followed, k) for k in range(len(requests))]


def follow(
    engine: Engine,
    plane: Plane,
    x: Array,
    directions: Array,
    starts: Array,
    stops: Array,
) -> Followed:
    """Follow minima x (k, d) from positions `starts` (k, 2) to `stops` (k, 2) in one step each."""
    return engine.follow(x, directions, plane.many(stops), plane.many(starts))


def outcome_of(followed: Followed, k: int) -> State | str:
    """Return one of many minima, or why there is none."""
    if followed.outcome[k] != ARRIVED:
        return "saddle" if followed.outcome[k] == SADDLE else "lost"
    return State(
        followed.x[k],
        float(followed.loss[k]),
        float(followed.slope[k]),
        float(followed.curvature[k]),
        followed.direction[k],
    )


def reach(
    state: State, start: Array, stop: Array, finest: float = FINEST, first: float = 1.0
) -> Walk[State | End]:
    """Follow a minimum along a segment in ever smaller steps, to its other end or where it ends.

    Parameters
    ----------
    finest, first : float
        The smallest and the first step, as shares of the segment.
    """
    share, step = 0.0, first
    while share < 1.0:
        step = min(step, 1.0 - share)
        here, there = (start + s * (stop - start) for s in (share, share + step))
        found = yield Request(state, here, there)
        if isinstance(found, State):
            share, state = share + step, found
            step *= 1.5
        elif step < finest:
            return End(state, here, there, found)
        else:
            step /= 2
    return state


def trace_end(engine: Engine, plane: Plane, state: State, start: Array, stop: Array) -> State | End:
    """Follow one minimum along a segment; see `reach`."""
    return together(engine, plane, [reach(state, start, stop)])[0]
