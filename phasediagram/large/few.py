"""One output's error while at most two other features are active, exactly; compiled.

Every such set with the output's own feature is a face of a cube of three dimensions, which
the generated code of `phasediagram.kernel.cube.rows_3` integrates, four at a time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.cube.lanes import LANES, rows_work_size
from phasediagram.kernel.cube.rows_3 import lanes_3
from phasediagram.kernel.signatures import Integer, Nothing, Real, Vector

Array = NDArray[np.float64]

_TAILS, _BIAS, _WEIGHTS, _RESULTS = 3 * LANES, 6 * LANES, 7 * LANES, 15 * LANES
_SUMMED = 256  # blocks that are added up on their own, to keep the rounding of long sums small


@compiled(Nothing(Vector, Integer, Integer, Integer, Integer, Vector, Vector))
def _place(work: Array, lane: int, own: int, j: int, k: int, gains: Array, tails: Array) -> None:
    """Write three gains into a lane; a feature -1 has none."""
    for position, feature in enumerate((own, j, k)):
        work[position * LANES + lane] = gains[feature] if feature >= 0 else 0.0
        work[_TAILS + position * LANES + lane] = tails[feature] if feature >= 0 else 0.0


@compiled(Nothing(Vector, Integer, Vector, Integer))
def _weigh(work: Array, lane: int, weights: Array, first: int) -> None:
    """Write the weights of the sets {} or {j} or {j, k}, without and with the own feature."""
    for active in range(8):
        work[_WEIGHTS + active * LANES + lane] = 0.0
    work[_WEIGHTS + first * LANES + lane] = weights[0]
    work[_WEIGHTS + (first + 1) * LANES + lane] = weights[1]


@compiled(Nothing(Vector, Vector, Vector, Vector, Vector, Integer))
def _collect(
    work: Array, which_j: Array, which_k: Array, out: Array, common: Array, count: int
) -> None:
    """Add the results of `count` lanes: derivatives by others' gains, and what is `common` to all.

    That is the value and the derivatives by own gain and bias.
    """
    for lane in range(count):
        at = _RESULTS + lane
        common[0] += work[at]
        common[1] += work[at + LANES]
        if which_j[lane] >= 0:
            out[1 + int(which_j[lane])] += work[at + 2 * LANES]
        if which_k[lane] >= 0:
            out[1 + int(which_k[lane])] += work[at + 3 * LANES]
        common[2] += work[at + 4 * LANES]


@compiled(Nothing(Integer, Vector, Vector))
def _flush(own: int, common: Array, out: Array) -> None:
    """Add to `out` what is common to all sets so far, and forget it."""
    for position, place in enumerate((0, 1 + own, out.size - 1)):
        out[place] += common[position]
        common[position] = 0.0


@compiled(Real(Integer, Vector, Vector, Real, Vector, Vector))
def few_active(
    own: int, gains: Array, tails: Array, bias: float, density: Array, out: Array
) -> float:
    """Add the error from sets of at most two others; return the probability of these sets.

    Parameters
    ----------
    own : int
        The output's feature.
    gains, tails : ndarray, shape (n,)
        The output's row of the Gram matrix in doubled precision.
    bias : float
    density : ndarray, shape (n,)
    out : ndarray, shape (n + 2,)
        To which the value and its derivatives by the gains and the bias are added.
    """
    n = gains.size
    certain, silence = 0, 1.0  # how many others are always active; none of the rest is
    for j in range(n):
        if j != own:
            if density[j] == 1.0:
                certain += 1
            else:
                silence *= 1.0 - density[j]
    if certain > 2 or silence == 0.0:
        return 0.0
    work = np.zeros(int(rows_work_size(3)))
    which_j, which_k, weights = np.empty(LANES), np.empty(LANES), np.empty(2)
    for lane in range(LANES):
        _place(work, lane, own, -1, -1, gains, tails)
        work[_BIAS + lane] = bias
    total, lane, blocks, common = 0.0, 0, 0, np.zeros(3)
    for j in range(-1, n):
        for k in range(-1, max(j, 0)):
            if own in (j, k):
                continue
            probability, left, size = silence, certain, 0
            for feature in (j, k):
                if feature < 0:
                    continue
                size += 1
                if density[feature] == 1.0:
                    left -= 1
                else:
                    probability *= density[feature] / (1.0 - density[feature])
            if left > 0 or probability == 0.0:
                continue
            total += probability
            weights[0] = probability * (1.0 - density[own])
            weights[1] = probability * density[own]
            _place(work, lane, own, j, k, gains, tails)
            _weigh(work, lane, weights, (0, 2, 6)[size])
            which_j[lane], which_k[lane] = j, k
            lane += 1
            if lane == LANES:
                lanes_3(work, 1)
                _collect(work, which_j, which_k, out, common, lane)
                lane, blocks = 0, blocks + 1
                if blocks % _SUMMED == 0:
                    _flush(own, common, out)
    if lane:
        lanes_3(work, 1)
        _collect(work, which_j, which_k, out, common, lane)
    _flush(own, common, out)
    return total
