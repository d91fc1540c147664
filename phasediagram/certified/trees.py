"""How a box was halved: the record of a branch and bound, a generation at a time or depth first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Positions = NDArray[np.int64]

#: What is known of a leaf; any other code is the weight along which a box was halved.
EXCLUDED, CANDIDATE, SYMMETRIC, OPEN = -1, -2, -3, -4
_MARKS = {EXCLUDED: ".", CANDIDATE: "o", SYMMETRIC: "s"}


@dataclass(frozen=True)
class Boxes:
    """Boxes of weights, and what is known of them.

    Attributes
    ----------
    low, high : ndarray, shape (k, m n)
    codes : ndarray of int8, shape (k,)
    touched : ndarray, shape (k, m n + n)
        Weights and biases at which the tangent planes of each box touch.
    """

    low: Array
    high: Array
    codes: Codes
    touched: Array

    def chosen(self, which: NDArray[np.bool_]) -> Boxes:
        """Return some of the boxes."""
        return Boxes(self.low[which], self.high[which], self.codes[which], self.touched[which])


@dataclass(frozen=True)
class Tree:
    """How a box was halved.

    Attributes
    ----------
    low, high : ndarray, shape (m n,)
        The box.
    codes : tuple of ndarray of int8
        For each generation what became of its boxes.  The next generation consists of the
        lower halves of those that were halved, then of the upper halves.
    touched : ndarray, shape (leaves that are bounded, m n + n)
        Where the tangent planes touch, for the leaves other than `SYMMETRIC`, in order.
    candidates : Boxes
        Leaves that may hold a minimiser, and those left open.
    """

    low: Array
    high: Array
    codes: tuple[Codes, ...]
    touched: Array
    candidates: Boxes

    @property
    def boxes(self) -> int:
        """Number of boxes that were examined."""
        return sum(map(len, self.codes))

    @property
    def open(self) -> int:
        """Number of boxes of which nothing was proved."""
        return int((self.candidates.codes == OPEN).sum())

    def leaf_boxes(self) -> tuple[Array, Array]:
        """Return the boxes of all leaves that are bounded, in the order of `touched`."""
        return _leaf_boxes(self.low, self.high, self.codes)


def depth_first(codes: Sequence[Codes]) -> tuple[str, Positions]:
    """Return a tree as one string, and the order in which its bounded leaves come.

    A digit halves a box along that weight; the lower half comes first, with all its parts.
    """
    positions = list(_positions(codes, _sizes(codes)))
    text = np.empty(sum(map(len, codes)), dtype="U1")
    for at, generation in zip(positions, codes, strict=True):
        text[at] = [_MARKS.get(code, str(code)) for code in generation.tolist()]
    leaves = [at[_bounded(x)] for at, x in zip(positions, codes, strict=True)]
    return "".join(text.tolist()), np.argsort(np.concatenate(leaves))


def restored(low: Array, high: Array, text: str, touching: Array) -> Tree:
    """Return the tree of a string, with its tangents (shares of boxes and biases) in its order.

    Raises
    ------
    ValueError, IndexError, KeyError
        If the string is not a tree.
    """
    codes = _generations(text)
    at = np.concatenate(
        [p[_bounded(x)] for p, x in zip(_positions(codes, _sizes(codes)), codes, strict=True)]
    )
    parts = touching[np.argsort(np.argsort(at))]
    lows, highs = _leaf_boxes(low, high, codes)
    size = lows.shape[1]
    weights = lows + (highs - lows) * parts[:, :size]
    touched = np.concatenate([weights, parts[:, size:]], axis=1)
    marks = np.concatenate([x[_bounded(x)] for x in codes])
    kept = marks == CANDIDATE
    candidates = Boxes(lows[kept], highs[kept], marks[kept], touched[kept])
    return Tree(low, high, codes, touched, candidates)


def _bounded(codes: Codes) -> NDArray[np.bool_]:
    bounded: NDArray[np.bool_] = (codes < 0) & (codes != SYMMETRIC)
    return bounded


def _sizes(codes: Sequence[Codes]) -> list[Positions]:
    """Return for each box how many it and its parts are."""
    sizes, below = [], np.empty(0, dtype=np.int64)
    for generation in reversed(codes):
        size = np.ones(len(generation), dtype=np.int64)
        size[generation >= 0] += below[: len(below) // 2] + below[len(below) // 2 :]
        sizes.append(size)
        below = size
    return sizes[::-1]


def _positions(codes: Sequence[Codes], sizes: Sequence[Positions]) -> Iterator[Positions]:
    """Yield for each generation where its boxes come, depth first."""
    at = np.zeros(1, dtype=np.int64)
    for number, generation in enumerate(codes):
        yield at
        lower = at[generation >= 0] + 1
        if len(lower):
            at = np.concatenate([lower, lower + sizes[number + 1][: len(lower)]])


def _generations(text: str) -> tuple[Codes, ...]:
    """Return the generations of a string; each box carries the number of its parts' generation."""
    kinds = {mark: code for code, mark in _MARKS.items()}
    codes = np.array([kinds[x] if x in kinds else int(x) for x in text], dtype=np.int8)
    sizes = np.ones(len(codes), dtype=np.int64)
    waiting: list[int] = []
    for at in range(len(codes) - 1, -1, -1):
        if codes[at] >= 0:
            sizes[at] += waiting.pop() + waiting.pop()
        waiting.append(int(sizes[at]))
    if len(waiting) != 1:
        raise ValueError("more than one tree")
    generations, at_now = [], np.zeros(1, dtype=np.int64)
    while len(at_now):
        generations.append(codes[at_now])
        lower = at_now[codes[at_now] >= 0] + 1
        at_now = np.concatenate([lower, lower + sizes[lower]])
    return tuple(generations)


def _leaf_boxes(
    first_low: Array, first_high: Array, generations: Sequence[Codes]
) -> tuple[Array, Array]:
    low, high = first_low[None, :], first_high[None, :]
    lows, highs = [], []
    for codes in generations:
        bounded = _bounded(codes)
        lows.append(low[bounded])
        highs.append(high[bounded])
        low, high = halves(low, high, codes)
    return np.concatenate(lows), np.concatenate(highs)


def halves(low: Array, high: Array, codes: Codes) -> tuple[Array, Array]:
    """Return the halves of the boxes that are to be halved: all lower ones, then all upper."""
    split = codes >= 0
    each, along = np.arange(int(split.sum())), codes[split].astype(np.intp)
    below, above = low[split], high[split]
    middle = 0.5 * (below[each, along] + above[each, along])
    inner_low, inner_high = below.copy(), above.copy()
    inner_low[each, along] = inner_high[each, along] = middle
    return np.concatenate([below, inner_low]), np.concatenate([inner_high, above])
