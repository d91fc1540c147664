"""A box of weights halved again and again, until each part is proved; the search."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import types
from numpy.typing import NDArray

from phasediagram.certified.bounds.box import box_bound
from phasediagram.certified.problem import Problem
from phasediagram.certified.trees import CANDIDATE, OPEN, SYMMETRIC, Boxes, Codes, Tree, halves
from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.signatures import Boolean, Integer, Matrix, Nothing, Real, Vector

Array = NDArray[np.float64]

_CHUNK = 256  # boxes that a thread takes at a time
_pairs = types.int64[:, ::1]


@compiled(Boolean(Integer, Integer, Vector, Vector, _pairs))
def _has_a_copy(m: int, n: int, low: Array, high: Array, pairs: NDArray[np.int64]) -> bool:
    """Return whether norms of equal features ascend in all of a box: they may be exchanged."""
    for pair in range(len(pairs)):
        i, j = pairs[pair, 0], pairs[pair, 1]
        most, least = 0.0, 0.0
        for k in range(m):
            a, b, c, d = low[k * n + i], high[k * n + i], low[k * n + j], high[k * n + j]
            most += max(a * a, b * b)
            if not c < 0.0 < d:
                least += min(c * c, d * d)
        if most * (1.0 + 2.0**-40) < least:
            return True
    return False


@compiled(Integer(Integer, Integer, Vector, Vector, Vector))
def _most_uncertain(m: int, n: int, low: Array, high: Array, importance: Array) -> int:
    """Return the weight whose width makes gains, and so planes, the least certain."""
    chosen, most = -1, 0.0
    for c in range(m * n):
        k, f = c // n, c % n
        width = high[c] - low[c]
        if width <= 0.0:
            continue
        own, others = 0.0, 0.0
        for i in range(n):
            size = max(abs(low[k * n + i]), abs(high[k * n + i]))
            own += size if i != f else 2.0 * size
            if i != f:
                others += importance[i] * size * size
        effect = width * width * (importance[f] * own * own + others)
        if effect > most or chosen < 0:
            chosen, most = c, effect
    return chosen


@compiled(
    Nothing(
        Integer, Integer, Matrix, Matrix, Matrix, Vector, Vector, Real, Boolean, _pairs, Real, Real,
        types.int8[::1], Matrix, Vector,
    )
)  # fmt: skip
def _examine(
    m: int,
    n: int,
    low: Array,
    high: Array,
    tables: Array,
    importance: Array,
    active: Array,
    penalty: float,
    free_bias: bool,
    pairs: NDArray[np.int64],
    target: float,
    above: float,
    codes: Codes,
    touched: Array,
    reached: Array,
) -> None:
    """Say of each box what is proved, or along which weight to halve it, and what it promised."""
    for box in range(len(low)):
        if _has_a_copy(m, n, low[box], high[box], pairs):
            codes[box], reached[box] = -3, np.inf
            continue
        bound = box_bound(
            m, n, low[box], high[box], tables, importance, active, penalty, free_bias, target,
            above, touched[box, : m * n], touched[box, m * n :],
        )  # fmt: skip
        reached[box] = bound
        if bound >= target:
            codes[box] = -1 if bound >= above else -2
        else:
            codes[box] = _most_uncertain(m, n, low[box], high[box], importance)


#: Called with the gap, relative to the loss, and the numbers of boxes examined and left.
Report = Callable[[float, int, int], None]


def halved(
    problem: Problem,
    low: Array,
    high: Array,
    target: float,
    above: float,
    max_boxes: int,
    *,
    threads: int | None = None,
    report: Report | None = None,
) -> Tree:
    """Halve a box until the loss is proved to be at least `target` in every part.

    Parameters
    ----------
    problem : Problem
    low, high : ndarray, shape (m n,)
    target, above : float
        What must be proved, and what excludes a part from holding a minimiser.
    max_boxes : int
        About how many are examined before the rest is left open.
    threads : int, optional
        By default as many as there are processors.
    report : callable, optional
        Called after each generation of boxes.
    """
    fronts = low[None, :].copy(), high[None, :].copy()
    generations: list[Codes] = []
    touched: list[Array] = []
    kept: list[Boxes] = []
    examined, gap = 0, 1.0
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        while len(fronts[0]):
            if examined + len(fronts[0]) > max_boxes:
                boxes = _open(problem, *fronts)
            else:
                promised = np.empty(len(fronts[0]))
                boxes = examine(problem, *fronts, target, above, pool, promised)
                gap = _gap(promised[boxes.codes >= 0], above)
            examined += len(boxes.codes)
            generations.append(boxes.codes)
            bounded = (boxes.codes < 0) & (boxes.codes != SYMMETRIC)
            touched.append(boxes.touched[bounded])
            kept.append(boxes.chosen((boxes.codes == CANDIDATE) | (boxes.codes == OPEN)))
            fronts = halves(boxes.low, boxes.high, boxes.codes)
            if report is not None:
                report(gap, examined, len(fronts[0]))
    return Tree(low, high, tuple(generations), np.concatenate(touched), _joined(kept))


def _gap(promised: Array, above: float) -> float:
    """Return how far the boxes left are below the least known loss, by what they promise.

    It is proved only when none is left: other biases than the best ones are not looked at before.
    """
    finite = promised[np.isfinite(promised)]
    return float(np.clip(1 - finite.min() / above, 0.0, 1.0)) if len(finite) else 0.0


def examine(
    problem: Problem,
    low: Array,
    high: Array,
    target: float,
    above: float,
    pool: ThreadPoolExecutor,
    reached: Array | None = None,
) -> Boxes:
    """Examine boxes, on threads; `reached` is filled with bounds, or what they promise."""
    m, n = problem.m, problem.n
    boxes = Boxes(low, high, np.empty(len(low), np.int8), np.empty((len(low), m * n + n)))
    if reached is None:
        reached = np.empty(len(low))
    importance = np.array([float(x) for x in problem.importance])
    active = np.array([float(x) for x in problem.active])

    def part(chunk: slice) -> None:
        _examine(
            m, n, low[chunk], high[chunk], problem.tables, importance, active,
            float(problem.penalty), problem.free_bias, problem.equal_pairs, target, above,
            boxes.codes[chunk], boxes.touched[chunk], reached[chunk],
        )  # fmt: skip

    chunks = [slice(start, start + _CHUNK) for start in range(0, len(low), _CHUNK)]
    for _ in pool.map(part, chunks) if len(chunks) > 1 else map(part, chunks):
        pass
    return boxes


def _open(problem: Problem, low: Array, high: Array) -> Boxes:
    touched = np.zeros((len(low), problem.m * problem.n + problem.n))
    return Boxes(low, high, np.full(len(low), OPEN, np.int8), touched)


def _joined(parts: list[Boxes]) -> Boxes:
    return Boxes(
        np.concatenate([part.low for part in parts]),
        np.concatenate([part.high for part in parts]),
        np.concatenate([part.codes for part in parts]),
        np.concatenate([part.touched for part in parts]),
    )
