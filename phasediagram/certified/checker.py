"""Check a certificate: ``python -m phasediagram.certified.checker FILE [SAMPLE [SEED]]``.

Exact fractions of the standard library, nothing of the code that bounds and halves boxes.  What
it proves: (1) the stated weights cost `upper`; (2) weights outside the root box cost no less;
(3) the tree's boxes cover the root box, up to symmetry; (4) in each box (or SAMPLE of them, drawn
at random) the loss is at least `lower`, and above `upper` unless marked as holding minimisers.
`phasediagram derive lower-bound` has the theorems.  Exit status 0 if all of it holds, else 1.
"""

import gzip
import json
import random
import sys
from fractions import Fraction
from itertools import product

from phasediagram.certified.exact import dot, dyadic, exact_loss, moments, order, own_first, span
# fmt: off


def require(holds, what):
    if not holds:
        raise ValueError(what)


class Model:
    def __init__(self, file):
        n, self.m, self.bias = file["n_features"], file["n_hidden"], file["bias"]
        self.density, self.importance = ([Fraction(x) for x in file[key]]
                                         for key in ("density", "importance"))
        self.n, self.penalty, self.table = n, Fraction(file["penalty"]), [Fraction(1)]
        for p in self.density:
            self.table = [x * (1 - p) for x in self.table] + [x * p for x in self.table]
        self.tables, kinds = [own_first(self.table, i) for i in range(n)], [*zip(self.density, self.importance)]
        self.equal = [(i, i + 1) for i in range(n - 1) if kinds[i] == kinds[i + 1]]

    def plane(self, i, box):  # above E[x_i ReLU] over the box: its height, slope and centre
        at = {v: moments(v[:-1], v[-1], self.tables[i], True)[0] for v in product(*map(set, box))}
        slope = [dyadic(2 * sum(f if v[k] == b else -f for v, f in at.items()) / len(at) / (b - a))
                 if b > a else Fraction(0) for k, (a, b) in enumerate(box)]
        centre = [(a + b) / 2 for a, b in box]
        return max(f - dot(slope, v, centre) for v, f in at.items()), slope, centre

    def convex(self, i, y, plane):  # the output's convex bound at y and its gradient there
        x, extra = moments(y[:-1], y[-1], self.tables[i]), self.penalty / self.importance[i]
        value = self.density[i] / 3 + x[-1] - 2 * (plane[0] + dot(plane[1], y, plane[2]))
        rise = [2 * (a - s + extra * g * (0 < k < self.n))
                for k, (a, s, g) in enumerate(zip(x, plane[1], y))]
        return value + extra * sum(g * g for g in y[1:-1]), rise

    def bound(self, i, box, plane, y, tilt, pivot):  # of the error less tilt.(gains - pivot)
        value, rise = self.convex(i, y, plane)
        rest = [r - t for r, t in zip(rise, [*tilt, 0])]
        return value - dot(tilt, y, pivot) + sum(
            min(r * (a - x), r * (b - x)) for r, x, (a, b) in zip(rest, y, box))

    def shared(self, low, high, W, tilts, pivots):  # bound of sum_i I_i tilt_i.(row_i - pivot_i)
        N, total = [[Fraction(0)] * self.n for _ in W[0]], Fraction(0)
        for i, j in product(range(self.n), repeat=2):
            f, share = order(i, self.n)[j], self.importance[i] * tilts[i][j]
            N[i][f], N[f][i] = (N[i][f] + share / 2, N[f][i] + share / 2) if i != f else [N[i][i] + share] * 2
            total += share * (sum(row[i] * row[f] for row in W) - pivots[i][j])
        for row, bottom, top in zip(W, low, high):
            moves = [(a - x, b - x) for a, b, x in zip(bottom, top, row)]
            for i, (a, b) in enumerate(moves):
                line, square = 2 * dot(N[i], row, [0] * self.n), N[i][i]
                turn = min(max(-line / 2 / square, a), b) if square > 0 else a
                total += min(x * (line + square * x) for x in (a, b, turn))
                total += sum(min(2 * N[i][f] * x * y for x in (a, b) for y in moves[f]) for f in range(i))
        return total

    def proves(self, low, high, W, b, target):  # W, b say where tangent planes touch
        n, parts = self.n, []
        for i in range(n):
            features = order(i, n)
            box = [tuple(map(sum, zip(*(span(a[i], c[i], a[f], c[f], f == i)
                                        for a, c in zip(low, high))))) for f in features]
            top = (self.density[i] - sum(self.density[f] * a for f, (a, _) in zip(features, box))) / 2
            ends, half = (-sum(max(c, 0) for _, c in box), top), sum(c - a for a, c in box) / 16
            half = max(half, Fraction(1, 2**34))
            box.append((max(b[i] - half, ends[0]), min(b[i] + half, ends[1])) if self.bias else (b[i],) * 2)
            y, plane = [*(sum(row[i] * row[f] for row in W) for f in features), b[i]], self.plane(i, box)
            tilt = [dyadic(x) for x in self.convex(i, y, plane)[1][:-1]]
            parts.append((box, y, tilt, ends, self.bound(i, box, plane, y, tilt, y)))
        total = sum(x * part[4] for x, part in zip(self.importance, parts))
        total += self.shared(low, high, W, [x[2] for x in parts], [x[1] for x in parts])
        return total >= target and (not self.bias or all(
            self.others(i, *parts[i], (total - target) / n / self.importance[i]) for i in range(n)))

    def others(self, i, box, at, tilt, ends, reached, spare):  # biases outside the first interval
        step = 1 / (2 * sum(self.density) / 3 + 2 * self.penalty / self.importance[i])
        for position, end, sign in ((box[-1][0], ends[0], -1), (box[-1][1], ends[1], 1)):
            width = length = box[-1][1] - box[-1][0]
            while position != end:
                if length < width / 64:
                    return False
                ahead = dyadic(position + sign * length, 45)
                ahead = max(ahead, end) if sign < 0 else min(ahead, end)
                piece, y = [*box[:-1], tuple(sorted((position, ahead)))], [*at[:-1], position]
                plane = self.plane(i, piece)
                for _ in range(8):  # towards where the tangent plane had best touch
                    y = [min(max(dyadic(x - step * (r - t), 45), a), c) for x, r, t, (a, c) in
                         zip(y, self.convex(i, y, plane)[1], tilt, box)] + [position]
                if self.bound(i, piece, plane, y, tilt, at) >= reached - spare:
                    position, length = ahead, 3 * length
                else:
                    length = length * 2 / 5
        return True


def leaves(file):  # mark and box of each leaf, a generation of the tree at a time
    boxes = [(file["low"], file["high"])]
    for codes in file["tree"]:
        halves = [], []
        for (low, high), code in zip(boxes, codes, strict=True):
            if not code.isdigit():
                yield code, low, high
                continue
            middle, at = (low[int(code)] + high[int(code)]) / 2, int(code)
            halves[0].append((low, [*high[:at], middle, *high[at + 1:]]))
            halves[1].append(([*low[:at], middle, *low[at + 1:]], high))
        boxes = halves[0] + halves[1]
    require(not boxes, "the tree ends in boxes that are not leaves")


def check(file, sample=None, seed=0):
    """Return the exact upper bound, numbers of leaves and of those checked, or raise ValueError."""
    model, lower = Model(file), Fraction(file["lower"])
    n = model.n
    rows = lambda x: [[Fraction(y) for y in x[k * n : k * n + n]] for k in range(model.m)]  # noqa: E731
    require(model.bias or not any(file["biases"]), "biases are not 0")
    upper = exact_loss(model.table, model.importance, model.penalty, rows(file["weights"]), file["biases"])
    low, high = rows(file["low"]), rows(file["high"])
    for k, f in product(range(model.m), range(n)):
        end = high[k][f]
        require(low[k][f] == (-end if f > k else 0) and (end == 0 if f < k else end > 1), "root box")
        most = model.importance[f] * model.density[f] / 3 * ((end**2 - 1) / (end**2 + 1)) ** 2
        require(f < k or most >= upper, "weights outside the root box may cost less")
    todo, touching = [], iter(zip(file["touch_weights"], file["touch_biases"], strict=True))
    for mark, a, c in leaves(file):
        if mark == "s":
            norms = [[sum(span(x, y, x, y, True)[side] for x, y in zip(a[f::n], c[f::n])) for side in (0, 1)]
                     for f in range(n)]
            require(any(norms[i][1] < norms[j][0] for i, j in model.equal), "a copy that is none")
        else:
            todo.append((mark, a, c, *next(touching)))
    require(all(x[0] in ".o" for x in todo) and next(touching, None) is None, "marks of leaves")
    chosen = todo if sample is None else random.Random(seed).sample(todo, min(sample, len(todo)))
    for mark, a, c, codes, b in chosen:
        at = [x + (y - x) * (ord(code) - 48) / 64 for x, y, code in zip(a, c, codes, strict=True)]
        target = lower if mark == "o" else upper
        held = model.proves(rows(a), rows(c), rows(at), [Fraction(x) for x in b], target)
        require(held, f"bound in the box from {a} to {c}")
    return upper, len(todo), len(chosen)


def main(arguments):
    with gzip.open(arguments[0], "rt", encoding="utf-8") as handle:
        file = json.load(handle)
    try:
        upper, count, checked = check(file, *map(int, arguments[1:]))
    except ValueError as error:
        return print(f"does not hold: {error}") or 1
    print(f"holds: {float(Fraction(file['lower']))!r} <= least loss <= {float(upper)!r}; "
          f"{checked} of {count} boxes checked exactly")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
