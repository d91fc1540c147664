"""Points of a limit to all digits: whichever system ends the minimum there, solved across it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.limits.walking import Foot
from phasediagram.lines.systems import Fold, KinkFold, System, ZeroCurvature
from phasediagram.lines.tracer import correct
from phasediagram.minima.curvature import KINK
from phasediagram.minima.engine import Engine
from phasediagram.parameters import Plane

Array = NDArray[np.float64]

BRACKETED = "bracketed"  # the kind where no system has a solution
_KINDS = ("fold", "kink", "zero curvature", "begins")
_NEAR_KINK = 0.02  # |Z| of a kink on which a minimum may end
_NEAR_STATE = 0.05  # distance of states a bracket apart
_REACH = 1.5  # times the bracket, plus _ROUNDING: how far a solution may be from its middle
_ROUNDING = 3e-6  # to which walks tell where a minimum exists


@dataclass(frozen=True)
class Polished:
    """A point of a limit.

    Attributes
    ----------
    position : ndarray, shape (2,)
    kind : str
        ``"fold"``, ``"kink"``, ``"zero curvature"``, ``"begins"``, or ``"bracketed"`` if no system
        has a solution there.
    system : System, optional
        What holds there.
    y : ndarray
        Its solution.
    """

    position: Array
    kind: str
    system: System | None
    y: Array


def polish(engine: Engine, plane: Plane, foot: Foot, expected: str = "") -> Polished:
    """Solve what ends the minimum at a foot, the expected kind first."""
    end = foot.end
    across = end.beyond - end.position
    bracket = float(np.linalg.norm(across))
    reach = _REACH * bracket + _ROUNDING
    for kind in sorted(_KINDS, key=lambda kind: kind != expected):
        for system, guess in _systems(engine, plane, foot, kind):
            constraint = np.zeros(len(guess))
            constraint[-2:] = -across[1] / bracket, across[0] / bracket
            y = correct(system, guess, constraint)
            if y is None or np.linalg.norm(y[-2:] - foot.position) > reach:
                continue
            x = system.states(y)[0]
            if kind != "begins" and np.abs(x - end.state.x).max() > _NEAR_STATE:
                continue
            return Polished(y[-2:], kind, system, y)
    return Polished(foot.position, BRACKETED, None, foot.position)


def _systems(engine: Engine, plane: Plane, foot: Foot, kind: str) -> Iterator[tuple[System, Array]]:
    """Yield the systems of a kind that may hold at a foot, and from where to solve them."""
    x, position, space = foot.end.state.x, foot.end.position, engine.space
    if kind == "fold":
        yield Fold(engine, plane), np.concatenate([x, position])
    elif kind == "kink":
        distances = np.abs(space.preactivations(x))
        near = np.argwhere((distances > KINK) & (distances < _NEAR_KINK)).tolist()
        for i, corner in sorted(near, key=lambda place: distances[*place]):
            yield KinkFold(engine, plane, i, corner), np.concatenate([x, position])
    elif kind == "zero curvature":
        yield ZeroCurvature(engine, plane, x, foot.end.state.direction), position
    else:
        base, found = engine.settle(x, plane.at(foot.end.beyond), 10.0, 60)
        if found and KINK < np.abs(base - x).max() < _NEAR_STATE:
            yield ZeroCurvature(engine, plane, base, x - base), position
