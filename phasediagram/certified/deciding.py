"""Decide what every global minimiser in a cell of parameters looks like, n = 2, m = 1."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from phasediagram.certified.cells import Corners, excluded, outweighed, polar_tables
from phasediagram.certified.checker import exact_loss
from phasediagram.certified.problem import Problem, root_box

Array = NDArray[np.float64]

UNDECIDED, IGNORED, SUPERPOSED = "undecided", "ignored", "superposed"

_MAX_BOXES = 4000
_NARROWEST = 2.0**-11  # boxes of weights below which a cell is given up
_FINE = 2.0**-8  # the same, in units of the smallest second weight
_PARTS = 4  # parts of a range of densities that are tried one by one
_SMALL = (0.8, 0.25, 0.08)  # second weights left to the proof for small ones, in quarters of p


@dataclass(frozen=True)
class Cell:
    """Densities, relative importances and factors of an interference penalty, from and to."""

    density: tuple[float, float]
    relative_importance: tuple[float, float]
    penalty: tuple[float, float] = (0.0, 0.0)

    def problems(self) -> list[Problem]:
        """Return the problems of which the loss in the cell is a mixture."""
        low, high = map(Fraction, self.density)
        tables = polar_tables(low, high, 2) if high > low else polar_tables(low, high, 2)[:1]
        return [
            Problem(2, 1, table, (Fraction(1), Fraction(r)), Fraction(penalty))
            for table in tables
            for r in sorted(set(self.relative_importance))
            for penalty in sorted(set(self.penalty))
        ]


def decide(cell: Cell, W: Array, b: Array) -> str:
    """Return what is proved of all global minimisers in a cell.

    Parameters
    ----------
    cell : Cell
        Within r <= 1, or anywhere if no minimiser there ignores a feature.
    W, b : ndarray, shapes (1, 2) and (2,)
        The minimum at the cell's centre, for all that is known.

    Returns
    -------
    str
        ``"ignored"``: every minimiser has W_2 = 0 (or W_1 = 0, where r = 1); ``"superposed"``:
        every one has W_1 W_2 < 0; else ``"undecided"``.
    """
    problems = cell.problems()
    if W[0, 0] * W[0, 1] < 0:
        return SUPERPOSED if _superposed(problems, W, b) else UNDECIDED
    if max(cell.relative_importance) <= 1:
        proved = _ignored(cell) or all(_ignored(part) for part in _parts(cell))
        return IGNORED if proved else UNDECIDED
    return UNDECIDED


def _parts(cell: Cell) -> list[Cell]:
    edges = np.linspace(*cell.density, _PARTS + 1).tolist()
    return [replace(cell, density=pair) for pair in pairwise(edges)]


def _superposed(problems: list[Problem], W: Array, b: Array) -> bool:
    """Prove that W costs less than any weights with W_1 W_2 >= 0."""
    least = [exact_loss(x.table, x.importance, x.penalty, W, b) for x in problems]
    corners = _corners(problems, least)
    end = _reach(problems, least)
    return excluded(1, corners, (0.0, 0.0), end, _MAX_BOXES, _NARROWEST) > 0


def _ignored(cell: Cell) -> bool:
    """Prove that ignoring the second feature costs less than any W_2 other than 0."""
    r, p = max(cell.relative_importance), min(cell.density)
    problems = cell.problems()
    variances = [_variance(x) for x in problems]
    least = [x.importance[1] * v for x, v in zip(problems, variances, strict=True)]
    corners = _corners(problems, least)
    scaled = np.array([float(x) for x in least])
    for share in _SMALL:
        small = math.floor(share * p / 4 * 2**20) / 2**20
        reach = math.sqrt(18 * r) * (1 + 2.0**-40)
        first = math.sqrt(1 + small * reach)  # the largest first weight
        if small == 0 or not (
            (small * (small + first)) * (1 + 2.0**-40) <= p / 4
            and small * (reach + small) <= 1
            and 18 * r * small**2 <= 1
        ):
            continue
        # the small ones first: whether they are outweighed does not cost much
        if not outweighed(corners, small, reach, scaled, _MAX_BOXES, small * _NARROWEST):
            continue
        if _large_excluded(problems, least, corners, small, both=max(cell.penalty) > 0):
            return True
    return False


def _large_excluded(
    problems: list[Problem], least: list[Fraction], corners: Corners, small: float, both: bool
) -> bool:
    first, second = _reach(problems, least)
    start = small if both else 0.0
    return all(
        excluded(1, corners, low, high, _MAX_BOXES, small * _FINE) > 0
        for low, high in (
            ((start, -second), (first, -small)),
            ((start, small), (first, second)),
        )
    )


def _variance(problem: Problem) -> Fraction:
    """Return the polarised variance p/3 - p^2/4 of a feature."""
    return problem.active[1] / 3 - problem.table[3] / 4


def _reach(problems: list[Problem], least: list[Fraction]) -> tuple[float, float]:
    """Return weights beyond which no minimiser is."""
    ends = [root_box(x, upper)[1] for x, upper in zip(problems, least, strict=True)]
    first, second = np.max(ends, axis=0)
    return float(first), float(second)


def _corners(problems: list[Problem], least: list[Fraction]) -> Corners:
    return Corners(
        np.stack([x.tables for x in problems]),
        np.array([[float(y) for y in x.importance] for x in problems]),
        np.array([[float(y) for y in x.active] for x in problems]),
        np.array([float(x.penalty) for x in problems]),
        np.array([np.nextafter(float(x), np.inf) for x in least]),
    )
