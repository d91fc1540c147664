"""Decide what every global minimiser in a cell of parameters looks like, n = 2, m = 1."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from phasediagram.certified.candidates import lowest_of_few
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
_EQUAL = 1e-11  # relative difference of losses below which ignoring is taken to be as good
_PARTS = 4  # parts of a range of densities that are tried one by one
_RING, _RINGS = 0.75, 24  # inner radius of a ring of second weights, and how many are tried
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
    if low >= 1 and high > 1:
        image = decide(_exchanged(cell))
        swapped = {IGNORED: DEDICATED}.get(image.phase, image.phase)
        least, most = image.ratio
        limits = below(1 / most) if most else math.inf, above(1 / least) if least else math.inf
        return Verdict(swapped, limits)
    W, b, gain = _known_minimum(*_middle(cell))
    if gain > _EQUAL:
        # no effort for a cell in which superposition gains nothing somewhere
        if any(_known_minimum(*corner)[2] <= _EQUAL for corner in _least_superposed(cell)):
            return Verdict(UNDECIDED)
        proved = _superposed(cell, W, b) or all(
            _superposed(part, *_known_minimum(*_middle(part))[:2]) for part in _parts(cell)
        )
        return Verdict(SUPERPOSED, _limits(cell, W, b)) if proved else Verdict(UNDECIDED)
    if high > 1 or any(_known_minimum(*corner)[2] > _EQUAL for corner in _most_superposed(cell)):
        return Verdict(UNDECIDED)
    if not (_ignored(cell) or all(_ignored(part) for part in _parts(cell))):
        return Verdict(UNDECIDED)
    return Verdict(NOT_SUPERPOSED) if cell.is_tied else Verdict(IGNORED, (0.0, 0.0))


def _exchanged(cell: Cell) -> Cell:
    """Return the cell with the features exchanged, which divides loss and penalty by r."""
    (low, high), (least, most) = cell.relative_importance, cell.penalty
    penalty = max(below(least / high), 0.0), above(most / low) if most else 0.0
    return Cell(cell.density, (below(1 / high), above(1 / low)), penalty)


def _middle(cell: Cell) -> tuple[float, float, float]:
    """Return a cell's centre, at the penalty at which superposition gains least."""
    p, r = (math.sqrt(a * b) for a, b in (cell.density, cell.relative_importance))
    return p, r, cell.penalty[1]


def _least_superposed(cell: Cell) -> list[tuple[float, float, float]]:
    """Return the corners of a cell at which superposition gains least."""
    return [(p, cell.relative_importance[0], cell.penalty[1]) for p in cell.density]


def _most_superposed(cell: Cell) -> list[tuple[float, float, float]]:
    """Return the corners of a cell at which superposition gains most."""
    return [(p, cell.relative_importance[1], cell.penalty[0]) for p in cell.density]


def _known_minimum(p: float, r: float, penalty: float) -> tuple[Array, Array, float]:
    """Return the lowest minimum known at a point, and its gain against ignoring a feature."""
    table = independent([Fraction(p)] * 2)
    point = Problem(2, 1, table, (Fraction(1), Fraction(r)), Fraction(penalty))
    W, b, loss = lowest_of_few(point)
    return W, b, 1 - loss / (r * float(_variance(point))) if W[0, 0] * W[0, 1] < 0 else 0.0


def below(x: float) -> float:
    """Return the next lower number, to round a bound down."""
    return float(np.nextafter(x, -np.inf))


def above(x: float) -> float:
    """Return the next higher number, to round a bound up."""
    return float(np.nextafter(x, np.inf))


def _parts(cell: Cell) -> list[Cell]:
    edges = np.linspace(*cell.density, _PARTS + 1).tolist()
    return [replace(cell, density=pair) for pair in pairwise(edges)]


def _superposed(cell: Cell, W: Array, b: Array) -> bool:
    """Prove that W costs less than any weights with W_1 W_2 >= 0.

    Compared is what W costs at the highest penalty with what the others cost at the lowest.  If W
    gains little, one proves that W_1 W_2 > 0 is no better than ignoring.
    """
    lowest, highest = ((x, x) for x in cell.penalty)
    problems = replace(cell, penalty=highest).problems()
    costs = [exact_loss(x.table, x.importance, x.penalty, W, b) for x in problems]
    if any(cost >= _ignoring(x) for cost, x in zip(costs, problems, strict=True)):
        return False  # ignoring is as good at a corner, or better
    others = replace(cell, penalty=lowest).problems()
    corners, ends = _corners(others, costs), _reach(others, costs)
    if ends and excluded(1, corners, (0.0, 0.0), ends, _MAX_BOXES, _NARROWEST) > 0:
        return True
    return max(cell.relative_importance) <= 1 and _ignoring_wins(cell, (1.0,))


def _limits(cell: Cell, W: Array, b: Array) -> tuple[float, float]:
    """Return bounds of |W_2 / W_1| of all minimisers with W_1 W_2 < 0."""
    problems = cell.problems()
    costs = [exact_loss(x.table, x.importance, x.penalty, W, b) for x in problems]
    ends = _reach(problems, costs)
    if ends is None:
        return 0.0, math.inf
    corners = _corners(problems, costs)
    return ratios(corners, (0.0, -ends[1]), (ends[0], 0.0), _MAX_BOXES, _RATIO_WIDTH)


def _ignored(cell: Cell) -> bool:
    """Prove that ignoring the second feature costs less than any W_2 other than 0.

    A penalty raises what these cost, so that its lowest value is enough; what a higher importance
    does not pay for a lower one does not, so that its highest value is enough.
    """
    return _ignoring_wins(cell, (-1.0, 1.0))


def _ignoring_wins(cell: Cell, signs: tuple[float, ...]) -> bool:
    """Prove that ignoring costs less than any weights whose product has one of these signs."""
    r, p = max(cell.relative_importance), min(cell.density)
    hardest = replace(cell, relative_importance=(r, r), penalty=(min(cell.penalty),) * 2)
    problems = hardest.problems()
    least = [_ignoring(x) for x in problems]
    corners, ends = _corners(problems, least), _reach(problems, least)
    scaled = np.array([float(x) for x in least])
    reach = math.sqrt(18 * r) * (1 + 2.0**-40)
    if ends is None:
        return False
    for share in _SMALL:
        small = math.floor(share * p / 4 * 2**20) / 2**20
        first = math.sqrt(1 + small * reach)  # the largest first weight
        if small == 0 or not (
            (small * (small + first)) * (1 + 2.0**-40) <= p / 4
            and small * (reach + small) <= 1
            and 18 * r * small**2 <= 1
        ):
            continue
        # the small ones first: whether they are outweighed does not cost much
        if _small_outweighed(corners, small, reach, scaled, signs) and _large_excluded(
            corners, ends, small, cell.is_tied, signs
        ):
            return True
    return False


def _small_outweighed(
    corners: Corners, small: float, reach: float, scaled: Array, signs: tuple[float, ...]
) -> bool:
    """Prove that second weights up to `small` cost more than they gain: all, or ring by ring."""
    size = small
    for _ in range(_RINGS):
        narrowest = size * _NARROWEST
        if outweighed(corners, size, reach, scaled, _MAX_BOXES, narrowest, signs):
            return True
        following = math.ceil(size * _RING * 2**30) / 2**30
        inner = below(following / size)
        if not outweighed(corners, size, reach, scaled, _MAX_BOXES, narrowest, signs, inner):
            return False
        size = following
    return False


def _large_excluded(
    corners: Corners, ends: tuple[float, float], small: float, tied: bool, signs: tuple[float, ...]
) -> bool:
    first, second = ends
    start = small if tied else 0.0  # if tied, either weight may be the small one
    boxes = {-1.0: ((start, -second), (first, -small)), 1.0: ((start, small), (first, second))}
    return all(excluded(1, corners, *boxes[sign], _MAX_BOXES, small * _FINE) > 0 for sign in signs)


def _ignoring(problem: Problem) -> Fraction:
    """Return what it costs to ignore the second feature."""
    return problem.importance[1] * _variance(problem)


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
