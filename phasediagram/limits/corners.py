"""Corners of limits: where what ends a minimum changes from one system to another."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from phasediagram.limits.polishing import Polished
from phasediagram.lines.systems import System
from phasediagram.lines.tracer import correct

Array = NDArray[np.float64]

_ITERATIONS = 12
_MET = 1e-11  # distance of points of two curves that are one
_APART = 6  # feet between two whose curves may meet there
_REACH = 5e-4  # how far from the chord a corner may be, about which triangles were rolled
_SHALLOW = 0.1  # the same as a share of the chord: walks stop before sharper corners
_STRAIGHT = np.cos(np.radians(2.0))  # of curves that do not cross


def corners(points: list[Polished]) -> dict[int, Array]:
    """Return, by the index of the nearest point, where the curves of neighbours cross."""
    found: dict[int, Array] = {}
    solved = [k for k, point in enumerate(points) if point.system is not None]
    bent = _bent(np.array([points[k].position for k in solved]).reshape(-1, 2))
    for (before, after), may_turn in zip(pairwise(solved), bent, strict=True):
        one, other = points[before], points[after]
        if after - before > _APART:
            continue
        if one.kind == other.kind and (not may_turn or _is_one_curve(one, other)):
            continue
        crossing = _crossing(one, other)
        if crossing is None:
            continue
        chord = other.position - one.position
        square = max(float(chord @ chord), 1e-300)
        share = min(max(float((crossing - one.position) @ chord) / square, 0.0), 1.0)
        off = float(np.linalg.norm(one.position + share * chord - crossing))
        if off > _REACH + _SHALLOW * np.sqrt(square):
            continue
        between = range(before, after + 1)
        nearest = min(between, key=lambda k: float(np.linalg.norm(points[k].position - crossing)))
        found[nearest] = crossing
    return found


def _bent(positions: Array) -> NDArray[np.bool_]:
    """Return between which of consecutive positions (k, 2) a polyline may turn, (k - 1,)."""
    chords = np.diff(positions, axis=0)
    length = np.linalg.norm(chords, axis=1)
    turns = (chords[1:] * chords[:-1]).sum(axis=1) < _STRAIGHT * length[1:] * length[:-1]
    sides = np.concatenate([[False], turns, [False]])
    return np.asarray(sides[1:] | sides[:-1])[: len(chords)]


def _is_one_curve(one: Polished, other: Polished) -> bool:
    """Whether the second point follows on the first on the same curve."""
    assert one.system is not None
    assert other.system is not None
    chord = other.position - one.position
    far = float(np.linalg.norm(chord))
    along = [_tangent(point.system, point.y) for point in (one, other) if point.system]
    if abs(along[0] @ along[1]) < _STRAIGHT:
        return False
    return far == 0 or bool(min(abs(t @ chord) for t in along) > _STRAIGHT * far)


def _tangent(system: System, y: Array) -> Array:
    """Return the direction of a curve in the plane."""
    along = system.tangent(y)[-2:]
    length = float(np.linalg.norm(along))
    return np.asarray(along / length) if length > 0 else np.array([1.0, 0.0])


def _crossing(one: Polished, other: Polished) -> Array | None:
    """Return where two curves cross: Newton's method, on both along their tangents."""
    assert one.system is not None
    assert other.system is not None
    systems, ys = (one.system, other.system), [one.y, other.y]
    for system, y in zip(systems, ys, strict=True):
        system.commit(y)
    for _ in range(_ITERATIONS):
        along = [_tangent(system, y) for system, y in zip(systems, ys, strict=True)]
        apart = ys[1][-2:] - ys[0][-2:]
        if np.linalg.norm(apart) < _MET:
            return np.asarray((ys[0][-2:] + ys[1][-2:]) / 2)
        matrix = np.stack([along[0], -along[1]], axis=1)
        if abs(np.linalg.det(matrix)) < np.sqrt(1 - _STRAIGHT**2):
            return None
        target = ys[0][-2:] + np.linalg.solve(matrix, apart)[0] * along[0]
        for k, system in enumerate(systems):
            constraint, guess = np.zeros(len(ys[k])), ys[k].copy()
            constraint[-2:], guess[-2:] = along[k], target
            solved = correct(system, guess, constraint)
            if solved is None:
                return None
            ys[k] = solved
    return None
