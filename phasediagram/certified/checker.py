"""Check a certificate: ``python -m phasediagram.certified.checker FILE [SAMPLE [SEED]]``.

Uses exact fractions of the standard library and nothing of the code that made the file.  What
it proves: (1) the loss of the stated weights is `upper`; (2) weights outside the root box cost
at least that; (3) the boxes of the tree cover the root box, up to symmetries of the model; (4)
in each box (or SAMPLE of them, drawn at random) the loss is at least `lower`, and above `upper`
unless the box is marked as one that may hold a minimiser.  `phasediagram derive lower-bound`
has the theorems.  Exit status: 0 if all of it holds, 1 if not.
"""

import gzip
import json
import random
import sys
from fractions import Fraction
from itertools import product
from math import factorial, prod


def moments(gains, bias, table, only_first=False):
    """Return E[x_j ReLU(Z)] for each j, E[ReLU(Z)], E[ReLU(Z)^2], Z = bias + gains.x."""
    n, scale = len(gains), max(x.denominator for x in (*gains, bias))
    g, z = [int(x * scale) for x in gains], [int(bias * scale)]  # all are dyadic
    for gain in g:
        z += [value + gain for value in z]
    bits, result = [sum(1 << j for j in range(n) if g[j])], [Fraction(0)] * (n + 2)
    subsets = [[v for v in range(2**n) if v & mask == v] for mask in range(2**n)]

    def mean(mask, power, shift=0):  # of ReLU^power, coordinates of `mask` free, `shift` at 1
        k = mask.bit_count()
        total = sum((1 - 2 * ((k - v.bit_count()) % 2)) * max(z[v | shift], 0) ** (k + power)
                    for v in subsets[mask])
        divisor = factorial(k + power) * prod(g[j] for j in range(n) if mask >> j & 1)
        return Fraction(total * factorial(power), divisor * scale**power)

    for active, weight in enumerate(table):
        mask = active & bits[0]
        first = square = None
        for j in range(1 if only_first else n):
            if active >> j & 1 and mask >> j & 1:
                square = mean(mask, 2) if square is None else square
                result[j] += weight * (mean(mask & ~(1 << j), 2, 1 << j) - square) * scale / 2 / g[j]
            elif active >> j & 1:
                first = mean(mask, 1) if first is None else first
                result[j] += weight * first / 2
        if not only_first:
            result[n] += weight * (mean(mask, 1) if first is None else first)
            result[n + 1] += weight * (mean(mask, 2) if square is None else square)
    return result


def dyadic(x, bits=60):
    return Fraction(round(x * 2**bits), 2**bits)


def order(i, n):
    return [i if j == 0 else (0 if j == i else j) for j in range(n)]


def gain(W, V, i, j):
    return sum((a[i] * b[j] for a, b in zip(W, V)), Fraction(0))


def own_first(table, i):  # features 0 and i exchanged
    return [table[a ^ ((a ^ a >> i) & 1) * (1 | 1 << i)] if i else table[a] for a in range(len(table))]


def exact_loss(table, importance, penalty, W, b):
    """Return the loss of weights and biases, all of them exact dyadic numbers."""
    n, total = len(importance), Fraction(0)
    W, b = [[Fraction(float(x)) for x in row] for row in W], [Fraction(float(x)) for x in b]
    for i in range(n):
        g, own = [gain(W, W, i, f) for f in order(i, n)], own_first(table, i)
        x, active = moments(g, b[i], own), sum(own[1::2])
        total += importance[i] * (active / 3 - 2 * x[0] + x[-1])
        total += penalty * sum(y * y for y in g[1:])
    return total


class Model:
    def __init__(self, file):
        self.n, self.m, self.bias = file["n_features"], file["n_hidden"], file["bias"]
        density = [Fraction(x) for x in file["density"]]
        self.importance = [Fraction(x) for x in file["importance"]]
        self.penalty, self.active = Fraction(file["penalty"]), density
        self.table = [prod(p if a >> j & 1 else 1 - p for j, p in enumerate(density))
                      for a in range(2**self.n)]
        self.tables = [own_first(self.table, i) for i in range(self.n)]
        self.equal = [(i, i + 1) for i in range(self.n - 1)
                      if density[i] == density[i + 1] and file["importance"][i] == file["importance"][i + 1]]

    def majorant(self, i, box):  # alpha and slope of a plane above E[x_i ReLU] over the box
        sides = [sorted(set(side)) for side in box]
        at = {v: moments(v[:-1], v[-1], self.tables[i], True)[0] for v in product(*sides)}
        slope = [dyadic(sum(f if v[k] == side[1] else -f for v, f in at.items()) * 2
                        / len(at) / (side[1] - side[0])) if len(side) == 2 else Fraction(0)
                 for k, side in enumerate(sides)]
        middle = [(side[0] + side[-1]) / 2 for side in sides]
        return max(f - sum(s * (x - c) for s, x, c in zip(slope, v, middle))
                   for v, f in at.items()), slope, middle

    def gradient(self, i, y, slope):  # of H - 2 slope.y and the penalty, and the value of both
        x, extra = moments(y[:-1], y[-1], self.tables[i]), self.penalty / self.importance[i]
        rise = [2 * (a - s) + 2 * extra * g * (0 < k < self.n)
                for k, (a, s, g) in enumerate(zip(x[:-1], slope, y))]
        return rise, x[-1] + extra * sum(g * g for g in y[1:-1])

    def tilted(self, i, box, plane, y, tilt, pivot):  # bound of the error less tilt.(g - pivot)
        (alpha, slope, middle), tilts = plane, [*tilt, 0]
        rise, value = self.gradient(i, y, slope)
        value += self.active[i] / 3 - 2 * alpha
        for k, (a, b) in enumerate(box):
            rest = rise[k] - tilts[k]
            value += min(rest * (a - y[k]), rest * (b - y[k])) - 2 * slope[k] * (y[k] - middle[k])
            value -= tilts[k] * (y[k] - pivot[k])
        return value

    def shared(self, low, high, W, tilts, pivots):  # bound of sum_i I_i tilt_i.(row_i - pivot_i)
        n, N, total = self.n, [[Fraction(0)] * self.n for _ in range(self.n)], Fraction(0)
        for i in range(n):
            for j, f in enumerate(order(i, n)):
                share = self.importance[i] * tilts[i][j]
                N[i][f] += share / 2
                N[f][i] += share / 2
                total += share * (gain(W, W, i, f) - pivots[i][j])
        for k in range(self.m):
            moves = [(low[k][i] - W[k][i], high[k][i] - W[k][i]) for i in range(n)]
            for i, (a, b) in enumerate(moves):
                line, square = 2 * sum(N[i][f] * W[k][f] for f in range(n)), N[i][i]
                turn = min(max(-line / 2 / square, a), b) if square > 0 else a
                total += min(x * (line + square * x) for x in (a, b, turn))
                total += sum(min(2 * N[i][f] * x * y for x in (a, b) for y in moves[f]) for f in range(i))
        return total

    def proves(self, low, high, W, b, target):
        """Return whether the loss is at least `target` in a box; W and b say where planes touch."""
        n, parts, central = self.n, [], Fraction(0)
        for i in range(n):
            box = [tuple(map(sum, zip(*(span(a[i], c[i], a[f], c[f], f == i)
                                        for a, c in zip(low, high))))) for f in order(i, n)]
            rest = [self.active[f] * a / 2 for f, (a, _) in zip(order(i, n), box)]
            bottom, top = -sum(max(c, 0) for _, c in box), self.active[i] / 2 - sum(rest)
            half = max(sum(c - a for a, c in box) / 16, Fraction(1, 2**34))
            first = (max(b[i] - half, bottom), min(b[i] + half, top)) if self.bias else (0, 0)
            box.append(first)
            at, plane = [*(gain(W, W, i, f) for f in order(i, n)), b[i]], self.majorant(i, box)
            rise, _ = self.gradient(i, at, plane[1])
            tilt = [dyadic(x) for x in rise[:-1]]
            kappa = self.tilted(i, box, plane, at, tilt, at)
            parts.append((box, plane, at, rise, tilt, kappa, bottom, top))
            central += self.importance[i] * kappa
        central += self.shared(low, high, W, [x[4] for x in parts], [x[2] for x in parts])
        spare = (central - target) / n
        return central >= target and (not self.bias or all(
            self.others(i, parts[i], parts[i][5] - spare / self.importance[i]) for i in range(n)))

    def others(self, i, part, wanted):
        """Return whether the tilted error of an output reaches `wanted` for all other biases."""
        box, plane, at, rise, tilt, _, bottom, top = part
        reach = [(c - a) / 2 * (1 if y <= (a + c) / 2 else -1) for (a, c), y in zip(box, at)]
        moved = [self.gradient(i, [y + d * (j == k) for j, y in enumerate(at)], plane[1])[0]
                 if d else rise for k, d in enumerate(reach)]
        change = [[float((moved[k][j] - rise[j]) / d) if d else 0.0 for k, d in enumerate(reach)]
                  for j in range(self.n + 1)]
        hessian = [[(x + y) / 2 for x, y in zip(*z)] for z in zip(change, zip(*change))][:-1]
        width = box[-1][1] - box[-1][0]
        for position, end, sign in ((box[-1][0], bottom, -1), (box[-1][1], top, 1)):
            length = width
            while position != end:
                if length < width / 32:
                    return False
                ahead = dyadic(position + sign * length, 40)
                ahead = max(ahead, end) if sign < 0 else min(ahead, end)
                piece = [*box[:-1], (min(position, ahead), max(position, ahead))]
                here = self.majorant(i, piece)
                pull = [float(2 * (plane[1][k] - here[1][k])) + row[-1] * float(position - at[-1])
                        for k, row in enumerate(hessian)]
                step = descend(hessian, pull, [(float(a - y), float(c - y))
                                               for (a, c), y in zip(box[:-1], at)])
                touch = [min(max(y + dyadic(Fraction(x), 40), a), c)
                         for y, x, (a, c) in zip(at, step, box)]
                if self.tilted(i, piece, here, [*touch, position], tilt, at) >= wanted:
                    position, length = ahead, 3 * length
                else:
                    length = length * 2 / 5
        return True


def span(a, b, c, d, same):
    """Return the range of the product of two numbers, or the square of one, in [a, b], [c, d]."""
    ends = (a * a, b * b) if same else (a * c, a * d, b * c, b * d)
    return (Fraction(0) if same and a < 0 < b else min(ends)), max(ends)


def descend(hessian, pull, box):
    """Lower pull.x + x.hessian.x/2 over a box, about: where planes had best touch."""
    x = [min(max(0.0, a), b) for a, b in box]
    for _ in range(12):
        for k, (a, b) in enumerate(box):
            slope = pull[k] + sum(h * y for h, y in zip(hessian[k], x)) - hessian[k][k] * x[k]
            x[k] = min(max(-slope / hessian[k][k], a), b) if hessian[k][k] > 0 else (a if slope > 0 else b)
    return x


def leaves(file):
    """Yield the mark and the box of each leaf of the tree of halvings, a generation at a time."""
    boxes = [(file["low"], file["high"])]
    for codes in file["tree"]:
        lower, upper = [], []
        for (low, high), code in zip(boxes, codes, strict=True):
            if not code.isdigit():
                yield code, low, high
                continue
            c = int(code)
            middle = (low[c] + high[c]) / 2
            lower.append((low, [*high[:c], middle, *high[c + 1 :]]))
            upper.append(([*low[:c], middle, *low[c + 1 :]], high))
        boxes = lower + upper
    assert not boxes, "the tree ends in boxes that are not leaves"


def check(file, sample=None, seed=0):
    """Return the exact upper bound; raise AssertionError if something does not hold."""
    model = Model(file)
    n, m = model.n, model.m
    rows = lambda x: [[Fraction(y) for y in x[k * n : k * n + n]] for k in range(m)]
    upper = exact_loss(model.table, model.importance, model.penalty, rows(file["weights"]), file["biases"])
    lower = Fraction(file["lower"])
    low, high = rows(file["low"]), rows(file["high"])
    for k, l in product(range(m), range(n)):
        end = high[k][l]
        assert low[k][l] == (-end if l > k else 0) and (end == 0 if l < k else end > 1), "root box"
        worst = ((end**2 - 1) / (end**2 + 1)) ** 2 * model.active[l] / 3
        assert l < k or worst * model.importance[l] >= upper, "weights outside the root box"
    found = list(leaves(file))
    touching = iter(zip(file["touch_weights"], file["touch_biases"], strict=True))
    todo = []
    for mark, a, c in found:
        if mark == "s":
            norm = lambda j, f: sum(f(x[j]) for x in ends)
            ends = [list(zip(x, y)) for x, y in zip(rows(a), rows(c))]
            assert any(
                norm(i, lambda e: max(e[0] ** 2, e[1] ** 2)) < norm(j, lambda e: span(*e, *e, True)[0])
                for i, j in model.equal), "a box left out by symmetry"
        else:
            assert mark in ".o", mark
            todo.append((mark, a, c, *next(touching)))
    if sample is not None and sample < len(todo):
        todo = random.Random(seed).sample(todo, sample)
    for mark, a, c, codes, b in todo:
        at = [x + (y - x) * (ord(code) - 48) / 64 for x, y, code in zip(a, c, codes, strict=True)]
        W = [[min(max(x, p), q) for x, p, q in zip(*z)] for z in zip(rows(at), rows(a), rows(c))]
        held = model.proves(rows(a), rows(c), W, [Fraction(x) for x in b], lower if mark == "o" else upper)
        assert held, f"the bound in the box {a} to {c}"
    return upper, len(found), len(todo)


def main(arguments):
    with gzip.open(arguments[0], "rt", encoding="utf-8") as handle:
        file = json.load(handle)
    try:
        upper, count, checked = check(file, *map(int, arguments[1:]))
    except AssertionError as error:
        print(f"does not hold: {error}")
        return 1
    print(f"holds: {float(Fraction(file['lower']))!r} <= least loss <= {float(upper)!r}, "
          f"{checked} of {count} boxes checked exactly")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
