"""Check a certificate: ``python -m phasediagram.certified.checker FILE [SAMPLE [SEED]]``.

Exact fractions, standard library, none of the code that makes certificates.  It proves: the stated
weights cost `upper`; weights outside the root box cost no less; the leaves cover that box, up to
symmetry; in each leaf (or in about SAMPLE of them) the loss is at least `lower` if it is marked
'o', else at least `upper`.  Exit status 0 if so.  Theorems: `phasediagram derive lower-bound`.
"""

import gzip
import json
import random
import sys
from fractions import Fraction
from itertools import pairwise, product
from math import factorial, prod


def dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


class Model:  # y = (row i of W^T W, bias): what output i depends on.  W and boxes of it are flat
    def __init__(self, density, importance, penalty, bias):
        self.n, self.density, self.importance, self.bias = len(density), density, importance, bias
        self.penalty = [penalty / x for x in importance]
        self.law = [([], Fraction(1))]  # sets of active features and their probabilities
        for j, p in enumerate(density):
            added = [([*active, j], w * p) for active, w in self.law]
            self.law = [(active, w * (1 - p)) for active, w in self.law] + added

    def convex(self, i, y):  # E[x_i^2 + ReLU(Z)^2] + penalty, and its gradient; Z = bias + gains.x
        others = [*y[:i], 0, *y[i + 1 : -1], 0]  # the error is that less 2 E[x_i ReLU(Z)],
        value = self.density[i] / 3 + self.penalty[i] * dot(others, others)
        slope = [2 * self.penalty[i] * g for g in others]  # which is slope[i], and convex too
        for active, weight in self.law:  # truncated powers at the corners of the cube
            used, mean = [j for j in active if y[j]], Fraction(0)
            scale = 2 * weight / prod(y[j] for j in used) / factorial(len(used) + 1)
            for at in product((0, 1), repeat=len(used)):
                z = y[-1] + sum(y[j] for j, end in zip(used, at, strict=True) if end)
                term = scale * (-1) ** (len(at) - sum(at)) * max(z, 0) ** (len(at) + 1)
                part = term * z / (len(at) + 2)
                value, mean = value + part, mean + term
                for j, end in zip(used, at, strict=True):
                    slope[j] += end * term - part / y[j]
            for j in active:
                slope[j] += 0 if y[j] else mean / 2
            slope[-1] += mean
        return value, slope

    def rows(self, W, b):
        each = range(self.n)
        return [[*(dot(W[i :: self.n], W[f :: self.n]) for f in each), b[i]] for i in each]

    def span(self, box, i, f):  # of W_i.W_f in a box
        pairs = list(zip(box[i :: self.n], box[f :: self.n], strict=True))
        ends = [[x * y for x in a for y in ([x] if i == f else b)] for a, b in pairs]
        low = [0 if i == f and a[0] < 0 < a[1] else min(e) for (a, _), e in zip(pairs, ends)]
        return sum(low), sum(map(max, ends))

    def least(self, i, y, gains):  # of the error less tilt.gains over a box, any bias; the tilt
        top = (self.density[i] - dot(self.density, [low for low, _ in gains])) / 2
        ends = (-sum(max(high, 0) for _, high in gains), top) if self.bias else (y[-1], y[-1])
        half = float(sum(high - low for low, high in gains) / 16)  # pieces grow from here on
        cuts = [y[-1] + Fraction(s * half * 1.5**k) for k in range(80) for s in (-1, 1)]
        edges = sorted({*ends, *(min(max(cut, ends[0]), ends[1]) for cut in cuts)})
        pieces = sorted(pairwise(edges), key=lambda piece: abs(sum(piece) / 2 - y[-1])) or [ends]
        step, tilt, bounds = 1 / (2 * sum(self.density) / 3 + 2 * self.penalty[i]), [], []
        for piece in pieces:  # that around the bias y[-1] first
            values = [(v, self.convex(i, v)[1][i]) for v in product(*gains, piece)]
            rises = [sum(f if v[k] == g[1] else -f for v, f in values) for k, g in enumerate(gains)]
            means = [2 * x / len(values) / (b - a) for x, (a, b) in zip(rises, gains)]
            touch, moves = [*y[:-1], min(max(y[-1], piece[0]), piece[1])], 8 if tilt else 0
            tilt = tilt or [Fraction(float(s - f)) for s, f in zip(self.convex(i, touch)[1], means)]
            for _ in range(moves):  # towards where the tangent plane had best touch
                falls = [f + t - s for s, f, t in zip(self.convex(i, touch)[1], means, tilt)]
                moved = [Fraction(float(x + step * f)) for x, f in zip(touch, falls)]
                touch = [*(min(max(x, a), b) for x, (a, b) in zip(moved, gains)), touch[-1]]
            value, slope = self.convex(i, touch)
            rest = [s - t for s, t in zip(slope, [*tilt, 0], strict=True)]
            bounds.append(value - dot(slope, touch) + min(dot(rest, v) - f for v, f in values))
        return min(bounds), tilt

    def bound(self, box, W, b):  # of the loss in a box; W, b: where tangent planes touch
        scale, each = self.importance, range(self.n)
        gains = [[self.span(box, i, f) for f in each] for i in each]
        least, tilts = zip(*map(self.least, each, self.rows(W, b), gains), strict=True)
        total = dot(scale, least)
        for c, w in enumerate(W):  # sum_i I_i tilt_i.(row i of W^T W), a quadratic form, from W on
            i, first = c % self.n, c - c % self.n
            form = [scale[i] * tilts[i][f] + scale[f] * tilts[f][i] for f in each]
            line, moves = dot(form, W[first : first + self.n]), [x - w for x in box[c]]
            turn = min(max(-line / form[i], moves[0]), moves[1]) if form[i] > 0 else moves[0]
            total += w * line / 2 + min(x * (line + form[i] / 2 * x) for x in (*moves, turn))
            for e in range(first, c):
                total += min(form[e - first] * x * (z - W[e]) for x in moves for z in box[e])
        return total


def leaves(tree, root):  # marks and boxes; digits halve a box along that weight, lower half first
    stack = [root]
    for code in tree:
        box = stack.pop()
        if code in ".os":
            yield code, box
            continue
        c, (a, b) = int(code), box[int(code)]
        stack += [[*box[:c], half, *box[c + 1 :]] for half in (((a + b) / 2, b), (a, (a + b) / 2))]
    yield from (("open", box) for box in stack)


def claims(file, sample=None, seed=0):  # all that must hold, and whether it does
    keys, rng = ("density", "importance", "weights", "biases", "reach"), random.Random(seed)
    density, importance, W, b, reach = ([Fraction(x) for x in file[key]] for key in keys)
    lower, upper, penalty = (Fraction(file[key]) for key in ("lower", "upper", "penalty"))
    kinds, model = list(zip(density, importance)), Model(density, importance, penalty, file["bias"])
    yield "arguments", all(0 < p <= 1 and x > 0 for p, x in kinds) and penalty >= 0
    parts = [model.convex(i, y) for i, y in enumerate(model.rows(W, b))]
    cost = dot(importance, [value - slope[i] for i, (value, slope) in enumerate(parts)])
    yield "the cost of the weights", cost == upper >= lower and (model.bias or not any(b))
    far = [x * p / 3 * ((r**2 - 1) / (r**2 + 1)) ** 2 for (p, x), r in zip(kinds, reach) if r > 1]
    yield "the limits of norms", len(far) == model.n and min(far) >= upper
    rows, touching = range(len(W) // model.n), zip(file["touch_weights"], file["touch_biases"])
    root = [(-r * (k < i), r * (k <= i)) for k in rows for i, r in enumerate(reach)]
    for mark, box in leaves(file["tree"], root):
        if mark == "s":
            pairs = pairwise((kind, model.span(box, i, i)) for i, kind in enumerate(kinds))
            yield f"a copy of {box}", any(k == j and a[1] < b[0] for (k, a), (j, b) in pairs)
            continue
        target, (codes, biases) = {"o": lower, ".": upper}[mark], next(touching, None)
        if sample is None or rng.random() * len(file["touch_biases"]) < sample:
            at = [a + (b - a) * Fraction(ord(x) - 48, 64) for (a, b), x in zip(box, codes)]
            yield f"the bound in {box}", model.bound(box, at, list(map(Fraction, biases))) >= target
    yield "as many tangents as leaves", next(touching, None) is None


def main(arguments):
    try:
        with gzip.open(arguments[0], "rt", encoding="utf-8") as handle:
            file = json.load(handle)
        wrong = next((c for c, holds in claims(file, *map(int, arguments[1:])) if not holds), None)
    except (OSError, EOFError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        wrong = repr(error)
    held = "all that was drawn holds" if arguments[1:] else "all of it holds"
    print(held if wrong is None else f"does not hold: {wrong}")
    return int(wrong is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
