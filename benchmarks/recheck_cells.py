"""Prove cells of a certified diagram again, in exact fractions and without the code that made it.

python benchmarks/recheck_cells.py DIRECTORY [--cells 20] [--seed 0] [--whole]

DIRECTORY is what `phd.certified_diagram(directory=...)` or `phasediagram certified-diagram
--directory` has written.  Of the package only the independent checker is used, for its bounds, and
`phd.solve`, for a competitor that costs little.  Boxes of weights are halved until each is proved
at every corner of the cell, as `phasediagram derive proved-cells` has it; of each cell one way from
the whole box to a box that is proved, drawn at random, or with --whole all boxes.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import phasediagram as phd
from phasediagram.certified.checker import Model

RING, RINGS = Fraction(3, 4), 24
DEEPEST = 60  # halvings, after which a cell is given up
Box = list[tuple[Fraction, Fraction]]


@dataclass(frozen=True)
class Corner:
    """A law of activity, an importance and a penalty; `ignoring` is what W_2 = 0 costs at best."""

    model: Model
    variance: Fraction
    importance: Fraction
    penalty: Fraction

    @property
    def ignoring(self) -> Fraction:
        """What it costs to ignore the second feature."""
        return self.importance * self.variance


def corner(low: Fraction, high: Fraction, k: int, r: Fraction, penalty: Fraction) -> Corner:
    """Return the k-th of three laws, k of two features at the higher density, which is drawn."""
    pairs = [(low, low)] if k == 0 else [(high, high)] if k == 2 else [(low, high), (high, low)]
    active = sum(sum(pair) for pair in pairs) / Fraction(2 * len(pairs))
    both = sum(p * q for p, q in pairs) / Fraction(len(pairs))
    model = Model([active, active], [Fraction(1), r], penalty, True)
    model.law = [([], 1 - 2 * active + both), *([[j], active - both] for j in (0, 1))]
    model.law.append(([0, 1], both))
    return Corner(model, active / 3 - both / 4, r, penalty)


def touching(model: Model, W: list[Fraction]) -> list[Fraction]:
    """Return biases that are about the best ones for these weights: floats, only to be good."""
    biases = []
    for i in range(2):
        gains = [float(W[i] * W[f]) for f in (0, 1)]
        low, high = -sum(max(g, 0.0) for g in gains), 1.5
        for _ in range(5):
            step = (high - low) / 16
            tried = [low + step * k for k in range(17)]
            errors = []
            for bias in tried:
                value, slope = model.convex(i, [*map(Fraction, gains), Fraction(bias)])
                errors.append(float(value - slope[i]))
            best = tried[errors.index(min(errors))]
            low, high = best - step, best + step
        biases.append(Fraction(round(best * 2**20), 2**20))
    return biases


def box_is_proved(corners: list[Corner], targets: list[Fraction], box: Box) -> bool:
    """Return whether all weights of a box cost at least the targets."""
    W = [(a + b) / 2 for a, b in box]
    return all(
        at.model.bound(box, W, touching(at.model, W)) >= target
        for at, target in zip(corners, targets, strict=True)
    )


@dataclass(frozen=True)
class Cell:
    """Ranges of density, relative importance and penalty."""

    density: tuple[Fraction, Fraction]
    importance: tuple[Fraction, Fraction]
    penalty: tuple[Fraction, Fraction]

    def exchanged(self) -> Cell:
        """Return the cell with the features exchanged, where losses are divided by r."""
        low, high = self.importance
        return Cell(self.density, (1 / high, 1 / low), self.penalty)

    def corners(self, penalty: Fraction) -> list[Corner]:
        """Return the corners at one penalty."""
        ends = sorted(set(self.importance))
        return [corner(*self.density, k, r, penalty) for k in range(3) for r in ends]

    def hardest(self) -> list[Corner]:
        """Return those at which ignoring has to be proved: lowest penalty, highest importance."""
        r, penalty = max(self.importance), min(self.penalty)
        return [corner(*self.density, k, r, penalty) for k in range(3)]

    def competitor(self) -> tuple[list[Fraction], list[Fraction]]:
        """Return weights and biases that cost little at the centre."""
        p, r = (math.sqrt(a * b) for a, b in (self.density, self.importance))
        model = phd.ToyModel(2, interference_penalty=float(sum(self.penalty)) / 2)
        found = phd.solve(p, r, model=model)
        return [Fraction(x) for x in found.W[0]], [Fraction(x) for x in found.b]


@dataclass(frozen=True)
class Walk:
    """How boxes are halved: all of them, or one way at random."""

    rng: random.Random
    whole: bool

    def proves(self, box: Box, proved: Callable[[Box], bool]) -> bool:
        """Return whether all boxes that are met are proved in the end."""
        waiting = [(box, 0)]
        while waiting:
            box, depth = waiting.pop()
            if proved(box):
                continue
            if depth == DEEPEST:
                return False
            k = max((0, 1), key=lambda k: box[k][1] - box[k][0])
            low, high = box[k]
            middle = (low + high) / 2
            halves = [[*box[:k], part, *box[k + 1 :]] for part in ((low, middle), (middle, high))]
            for half in halves if self.whole else [self.rng.choice(halves)]:
                waiting.append((half, depth + 1))
        return True


def reach(corners: list[Corner], targets: list[Fraction]) -> list[Fraction] | None:
    """Return norms beyond which weights cost at least the targets."""
    ends = []
    for i in (0, 1):
        for eighths in range(9, 200):
            square = Fraction(eighths, 8) ** 2
            share = ((square - 1) / (square + 1)) ** 2 / 3
            costs = [x.model.importance[i] * x.model.density[i] * share for x in corners]
            if all(cost >= target for cost, target in zip(costs, targets, strict=True)):
                ends.append(Fraction(eighths, 8))
                break
    return ends if len(ends) == 2 else None


def superposed(cell: Cell, walk: Walk) -> bool:
    """Prove that every minimiser has W_1 W_2 < 0."""
    corners, dearest = (cell.corners(end(cell.penalty)) for end in (min, max))
    W, b = cell.competitor()
    costs = []
    for at in dearest:
        parts = [at.model.convex(i, y) for i, y in enumerate(at.model.rows(W, b))]
        errors = [value - slope[i] for i, (value, slope) in enumerate(parts)]
        costs.append(errors[0] + at.importance * errors[1])
    ends = reach(corners, costs)
    zero = Fraction(0)
    if ends and walk.proves(
        [(zero, ends[0]), (zero, ends[1])], lambda box: box_is_proved(corners, costs, box)
    ):
        return True
    beaten = all(cost < at.ignoring for cost, at in zip(costs, corners, strict=True))
    return beaten and max(cell.importance) <= 1 and ignoring_wins(cell, (1,), walk)


def ignoring_wins(cell: Cell, signs: tuple[int, ...], walk: Walk) -> bool:
    """Prove that ignoring costs less than W with W_1 W_2 of these signs."""
    corners, r, p = cell.hardest(), max(cell.importance), min(cell.density)
    targets = [at.ignoring for at in corners]
    ends = reach(corners, targets)
    width = Fraction(math.ceil(math.sqrt(18 * r) * 2**20) + 1, 2**20)
    for share in (Fraction(4, 5), Fraction(1, 4), Fraction(2, 25)):
        small = Fraction(math.floor(share * p / 4 * 2**20), 2**20)
        first = Fraction(math.ceil(math.sqrt(1 + small * width) * 2**20) + 1, 2**20)
        fits = small * (small + first) <= p / 4 and small * (width + small) <= 1
        if ends is None or not fits or 18 * r * small**2 > 1:
            continue
        start = small if cell.importance == (1, 1) else Fraction(0)
        if all(
            small_outweighed(corners, small, width, first, sign, walk)
            and walk.proves(
                [(start, ends[0]), (small, ends[1]) if sign > 0 else (-ends[1], -small)],
                lambda box: box_is_proved(corners, targets, box),
            )
            for sign in signs
        ):
            return True
    return False


def small_outweighed(
    corners: list[Corner], small: Fraction, width: Fraction, first: Fraction, sign: int, walk: Walk
) -> bool:
    """Prove that second weights up to `small` of one sign do not pay: all, or ring by ring."""
    for _ in range(RINGS):
        if outweighed(corners, small, width, first, sign, walk, Fraction(0)):
            return True
        if not outweighed(corners, small, width, first, sign, walk, RING):
            return False
        small *= RING
    return False


def outweighed(
    corners: list[Corner],
    small: Fraction,
    width: Fraction,
    first: Fraction,
    sign: int,
    walk: Walk,
    inner: Fraction,
) -> bool:
    """Prove that second weights from `inner` small to small cost more than they gain."""
    least = 1 - small * width
    root = Fraction(math.floor(math.sqrt(max(least, 0)) * 2**20) - 1, 2**20)

    def proved(box: Box) -> bool:
        (a, b), (c, d) = box
        if d * d < min(1 + inner * (a - 1), a) or c * c > max(1 + inner * (b - 1), b):
            return True  # where the square of no first weight lies
        gains = [(a, b), tuple(sorted((sign * small * c, sign * small * d)))]
        y = [sum(ends) / 2 for ends in gains]
        for at in corners:
            price = at.ignoring + 2 * at.penalty
            model = Model(at.model.density, [Fraction(1)] * 2, price, True)
            model.law = at.model.law
            bias = touching(model, [Fraction(1), y[1]])[0] + (1 - y[0]) / 2 * model.density[0]
            bound, tilt = model.least(0, [*y, bias], gains)
            bound += sum(min(t * low, t * high) for t, (low, high) in zip(tilt, gains, strict=True))
            if bound <= 2 * at.ignoring * small**2:
                return False
        return True

    return walk.proves([(least, 1 + small * width), (root, first)], proved)


def proved(cell: Cell, phase: str, walk: Walk) -> bool:
    """Prove what a diagram says of a cell."""
    if phase == "dedicated":
        return proved(cell.exchanged(), "ignored", walk)
    if phase == "superposed":
        return superposed(cell if max(cell.importance) <= 1 else cell.exchanged(), walk)
    return ignoring_wins(cell, (-1, 1), walk)


def cells(directory: Path) -> list[tuple[str, Cell]]:
    """Return what a directory says that is proved, and where."""
    first, *lines = (directory / "cells.jsonl").read_text(encoding="utf-8").splitlines()
    header = json.loads(first)
    found = []
    for line in lines:
        level, *place, phase, _, _ = json.loads(line)
        ranges = []
        for index, ends in zip(place, (header["density"], header["other"]), strict=True):
            parts = [index / 2**level, (index + 1) / 2**level]
            logs = [math.log(end) for end in ends]
            edges = [
                ends[int(t)] if t in (0, 1) else math.exp(logs[0] * (1 - t) + logs[1] * t)
                for t in parts
            ]
            ranges.append((Fraction(edges[0]), Fraction(edges[1])))
        one, none = (Fraction(1), Fraction(1)), (Fraction(0), Fraction(0))
        penalised = header["axis"] == "interference_penalty"
        cell = Cell(ranges[0], one, ranges[1]) if penalised else Cell(*ranges, none)
        if phase != "undecided":
            found.append((phase, cell))
    return found


def main() -> int:
    """Check what is asked for; 1 if a cell was not proved again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--cells", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--whole", action="store_true", help="all boxes of a cell, not one way")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    known = cells(options.directory)
    failed = 0
    for phase, cell in rng.sample(known, min(options.cells, len(known))):
        held = proved(cell, phase, Walk(rng, options.whole))
        failed += not held
        ranges = [[f"{float(x):.6g}" for x in ends] for ends in (cell.density, cell.importance)]
        print(f"{phase} over {ranges}: {'proved' if held else 'NOT proved'}", flush=True)
    print(f"{failed} cells were not proved again")
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
