"""Lines on which the lowest minimum changes continuously, and their end points.

Two such lines are known: where the extra feature enters (`derivations.stability`, any n),
and for n = 3 where two others in partial superposition tilt into its dimension.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, root_scalar

from phasediagram import closed_forms
from phasediagram.branches import Model
from phasediagram.closed_forms import ignored_stability_limit, tricritical_points
from phasediagram.tilting import PairAndSingle

Array = NDArray[np.float64]

_POINTS = 60
_PARTIAL_PAIR = np.array([0.93, -0.45, 0.2, 0.48])
_OTHERS = PairAndSingle(extra_in_pair=False)
_TRICRITICAL_GUESS = np.log(0.80)
_END_BRACKET = np.log([0.735, 0.775])
_ROOT = 1e-15


@dataclass(frozen=True)
class ContinuousLine:
    """Positions (k, 2) where one phase turns into another, and the state (k, d) there."""

    phases: tuple[str, str]
    positions: Array
    states: Array


def ignored_state(n: int, density: float) -> Array:
    """Return the state in which the extra feature is ignored."""
    W = np.eye(n - 1, n)
    b = np.zeros(n)
    b[-1] = density / 2
    return np.concatenate([W.ravel(), b])


def dedicated_state(density: float) -> Array:
    """Return the state of two features in which the other one is ignored."""
    return np.array([0.0, 1.0, density / 2, 0.0])


def ignored_limit(density: Array) -> Array:
    """Return the positions where ignoring the extra feature loses stability."""
    return np.stack([np.log(density), np.log(ignored_stability_limit(density))], axis=1)


def aligned_limit(density: Array) -> Array:
    """Return the positions where *aligned* (n = 2) begins with an extra feature of norm 0."""
    return np.stack([np.log(density), np.log(closed_forms.aligned_limit(density))], axis=1)


def ignored_lines(n: int) -> list[ContinuousLine]:
    """Return where the extra feature enters continuously, for n = 2 also the mirror image."""
    (sparse, _), (dense, _) = tricritical_points()
    density = np.linspace(sparse, dense, _POINTS)
    positions = ignored_limit(density)
    positions[[0, -1]] = np.log(tricritical_points())
    states = np.array([ignored_state(n, p) for p in density])
    if n > 2:
        return [ContinuousLine((("ignored"), "partial-triangle"), positions, states)]
    mirrored = np.array([dedicated_state(p) for p in density])
    return [
        ContinuousLine(("ignored", "partial"), positions, states),
        ContinuousLine(("dedicated", "partial-other"), positions * [1, -1], mirrored),
    ]


@lru_cache
def tilt_tricritical() -> tuple[float, float]:
    """Return the position beyond which the others' tilt begins with a jump (n = 3)."""

    def cubic(u: float) -> float:
        v, pair = _tilt_limit(u)
        return _OTHERS.cubic(pair, u, v)

    u = float(root_scalar(cubic, x0=_TRICRITICAL_GUESS, xtol=1e-12, method="secant").root)
    return u, _tilt_limit(u)[0]


def tilt_line(end: float) -> ContinuousLine:
    """Return where two others in partial superposition tilt, from log density `end` on."""
    last, _ = tilt_tricritical()
    positions, pairs = others_partial_limits(np.linspace(end, last, _POINTS // 2))
    return ContinuousLine(("others-partial", "scalene"), positions, _OTHERS.states(pairs))


def others_partial_limits(u: Array) -> tuple[Array, Array]:
    """Return the positions where two others in partial superposition tilt, and the pairs."""
    pairs = _OTHERS.pairs(np.tile(_PARTIAL_PAIR, (len(u), 1)), u, np.zeros_like(u))
    return np.stack([u, _OTHERS.limits(pairs, u)], axis=1), pairs


def critical_end_point(competitor: Callable[[float, float], float]) -> tuple[float, float]:
    """Return where the line of tilts ends on another phase of equal loss.

    Parameters
    ----------
    competitor : callable
        The loss of that phase at a position (u, v).
    """
    model = Model(3, 2)

    def difference(u: float) -> float:
        v, pair = _tilt_limit(u)
        own = model.loss(_OTHERS.states(pair[None]), np.array([u]), np.array([v]))[0]
        return float(own) - competitor(u, v)

    u = float(brentq(difference, *_END_BRACKET, xtol=_ROOT))
    return u, _tilt_limit(u)[0]


def _tilt_limit(u: float) -> tuple[float, Array]:
    """Return the log importance of the limit, and the pair's state."""
    positions, pairs = others_partial_limits(np.array([u]))
    return float(positions[0, 1]), pairs[0]
