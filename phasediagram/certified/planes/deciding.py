"""Decide what every global minimiser in a cell of parameters looks like, n = 2, m = 1."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from phasediagram.certified.candidates import lowest_from
from phasediagram.certified.exact import exact_loss
from phasediagram.certified.planes.cells import Corners, excluded, outweighed, polar_tables, ratios
from phasediagram.certified.problem import Problem, independent, root_box

Array = NDArray[np.float64]

UNDECIDED, IGNORED, DEDICATED = "undecided", "ignored", "dedicated"
SUPERPOSED, NOT_SUPERPOSED = "superposed", "not superposed"

_MAX_BOXES = 4000
_NARROWEST = 2.0**-11  # boxes of weights below which a cell is given up
_FINE = 2.0**-8  # the same, in units of the smallest second weight
_RATIO_WIDTH = 2.0**-6  # of boxes of weights, for the limits of |W_2 / W_1|
_EQUAL = 1e-9  # relative difference of losses below which ignoring is taken to be as good
#: Where minimisation starts at a cell's centre: W and b.
_STARTS = ((1.0, -1.0, 0.0, 0.0), (1.0, -0.3, 0.1, 0.2), (0.3, -1.0, 0.2, 0.1))
_PARTS = 4  # parts of a range of densities that are tried one by one
_SMALL = (0.8, 0.25, 0.08)  # second weights left to the proof for small ones, in quarters of p


@dataclass(frozen=True)
class Cell:
    """Densities, relative importances and factors of an interference penalty, from and to."""

    density: tuple[float, float]
    relative_importance: tuple[float, float]
    penalty: tuple[float, float] = (0.0, 0.0)

    @property
    def is_tied(self) -> bool:
        """Whether both features are equally important, so that either may be ignored."""
        return self.relative_importance == (1.0, 1.0)

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


@dataclass(frozen=True)
class Verdict:
    """What is proved of all global minimisers in a cell.

    Attributes
    ----------
    phase : str
        ``"ignored"``: W_2 = 0; ``"dedicated"``: W_1 = 0; ``"superposed"``: W_1 W_2 < 0;
        ``"not superposed"``: one of both is 0; or ``"undecided"``.
    ratio : tuple of float
        Bounds of ``|W_2 / W_1|``.
    """

    phase: str
    ratio: tuple[float, float] = (0.0, math.inf)


def decide(cell: Cell) -> Verdict:
    """Decide what every global minimiser in a cell looks like."""
    low, high = cell.relative_importance
    if low >= 1 and high > 1:  # exchanging the features divides the loss by r
        image = decide(replace(cell, relative_importance=(below(1 / high), above(1 / low))))
        swapped = {IGNORED: DEDICATED}.get(image.phase, image.phase)
        least, most = image.ratio
        limits = below(1 / most) if most else math.inf, above(1 / least) if least else math.inf
        return Verdict(swapped, limits)
    W, b = _known_minimum(cell)
    if W[0, 0] * W[0, 1] < 0:
        return _superposed(cell.problems(), W, b)
    proved = high <= 1 and (_ignored(cell) or all(_ignored(part) for part in _parts(cell)))
    if not proved:
        return Verdict(UNDECIDED)
    return Verdict(NOT_SUPERPOSED) if cell.is_tied else Verdict(IGNORED, (0.0, 0.0))


def _known_minimum(cell: Cell) -> tuple[Array, Array]:
    """Return the lowest minimum that is known at the cell's centre."""
    p, r = (math.sqrt(a * b) for a, b in (cell.density, cell.relative_importance))
    table = independent([Fraction(p)] * 2)
    centre = Problem(2, 1, table, (Fraction(1), Fraction(r)), Fraction(sum(cell.penalty) / 2))
    W, b, loss = lowest_from(centre, _STARTS)
    ignoring = r * float(_variance(centre))
    if loss < ignoring * (1 - _EQUAL):
        return W, b
    return np.array([[1.0, 0.0]]), np.array([0.0, p / 2])


def below(x: float) -> float:
    """Return the next lower number, to round a bound down."""
    return float(np.nextafter(x, -np.inf))


def above(x: float) -> float:
    """Return the next higher number, to round a bound up."""
    return float(np.nextafter(x, np.inf))


def _parts(cell: Cell) -> list[Cell]:
    edges = np.linspace(*cell.density, _PARTS + 1).tolist()
    return [replace(cell, density=pair) for pair in pairwise(edges)]


def _superposed(problems: list[Problem], W: Array, b: Array) -> Verdict:
    """Prove that W costs less than any weights with W_1 W_2 >= 0, and limit |W_2 / W_1|."""
    least = [exact_loss(x.table, x.importance, x.penalty, W, b) for x in problems]
    corners = _corners(problems, least)
    ends = _reach(problems, least)
    if ends is None or excluded(1, corners, (0.0, 0.0), ends, _MAX_BOXES, _NARROWEST) <= 0:
        return Verdict(UNDECIDED)
    limits = ratios(corners, (0.0, -ends[1]), (ends[0], 0.0), _MAX_BOXES, _RATIO_WIDTH)
    return Verdict(SUPERPOSED, limits)


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
        if _large_excluded(problems, least, corners, small, cell.is_tied):
            return True
    return False


def _large_excluded(
    problems: list[Problem], least: list[Fraction], corners: Corners, small: float, tied: bool
) -> bool:
    ends = _reach(problems, least)
    if ends is None:
        return False
    first, second = ends
    start = small if tied else 0.0  # if tied, either weight may be the small one
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


def _reach(problems: list[Problem], least: list[Fraction]) -> tuple[float, float] | None:
    """Return weights beyond which no minimiser is; None if they cannot be limited."""
    try:
        ends = [root_box(x, upper)[1] for x, upper in zip(problems, least, strict=True)]
    except ValueError:  # the cell is too large for its competitor
        return None
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
