"""Minima that the search of `solve` misses, against ten times its starts from other numbers.

python benchmarks/missed_minima.py 3 2
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from phasediagram.minima.search import State, search, starts_needed
from phasediagram.minima.state import SAME_STATE, Space
from phasediagram.minima.symmetry import plane_engine
from phasediagram.parameters import Plane

_MORE = 10  # times the starts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features", type=int)
    parser.add_argument("hidden", type=int)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    n = arguments.features
    plane = Plane(n)
    engine = plane_engine(plane, arguments.hidden)
    count = starts_needed(engine.space)
    rng = np.random.default_rng(arguments.seed)
    density = np.exp(rng.uniform(np.log(0.01), 0.0, arguments.points))
    importance = np.exp(rng.uniform(np.log(0.1), np.log(10.0), arguments.points))
    used, known, missed, extra = time.process_time(), 0, 0, 0
    for p, r in zip(density, importance, strict=True):
        at = plane.at(np.log([p, r]))
        usual = search(engine, at, count, np.random.default_rng(0))
        more = search(engine, at, _MORE * count, rng)
        lacking = _absent(engine.space, more, usual)
        extra += len(_absent(engine.space, usual, more))
        known, missed = known + len(more), missed + len(lacking)
        for state in lacking:
            lowest = min(s.loss for s in more)
            print(
                f"missed at ({p:.6f}, {r:.6f}): {state.loss / lowest - 1:.2e} above the lowest,"
                f" curvature {state.curvature:.1e}",
                flush=True,
            )
    print(
        f"({n}, {arguments.hidden}), {arguments.points} points: {missed} missed of {known},"
        f" {extra} that ten times the starts miss;"
        f" {time.process_time() - used:.0f} s of the processors"
    )


def _absent(space: Space, states: list[State], others: list[State]) -> list[State]:
    known = np.array([other.x for other in others])
    far = [space.distances(state.x[None], known).min() for state in states]
    return [s for s, distance in zip(states, far, strict=True) if distance > SAME_STATE]


if __name__ == "__main__":
    main()
