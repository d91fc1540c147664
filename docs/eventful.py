"""Sections where something happens: around changes of the lowest minimum with metastable ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

import phasediagram as phd

Array = NDArray[np.float64]

_FIRST_REACH = 0.3  # in the logarithm, around a change, where two minima may coexist
_FINER = 3.0  # times, where they do in a narrower range
_FEWEST = 8  # points on which they must be seen to coexist
_NARROWEST = 1e-6
_GAP = 1.5  # between changes that are shown together, in widths of what is shown
_AROUND = 0.5  # of the width, on each side


def eventful_section(
    held: dict[str, float], along: str, ends: tuple[float, float], n: int, points: int
) -> phd.LossSection:
    """Return the section over the ranges in which first-order changes have two minima.

    Changes that are near each other are shown together; of several groups the widest.
    """

    def section(low: float, high: float, count: int) -> phd.LossSection:
        line = np.geomspace(max(low, ends[0]), min(high, ends[1]), count)
        return phd.loss_section(**{**held, along: line}, n_features=n, n_hidden=n - 1)

    whole = section(*ends, max(points, 24))
    ranges = []
    for change in whole.transitions:
        if change.order == 1:
            reach = _FIRST_REACH
            while reach > _NARROWEST:
                near = section(*change.position * np.exp([-reach, reach]), 97)
                found = _coexistence(near, change.position, along)
                if found is not None:
                    ranges.append(np.log(found))
                    break
                reach /= _FINER
    groups = _groups(sorted(ranges, key=lambda pair: float(pair[0])))
    low, high = max(groups, key=lambda pair: round(pair[1] - pair[0], 6))
    reach = _AROUND * (high - low)
    return section(float(np.exp(low - reach)), float(np.exp(high + reach)), points)


def _coexistence(section: phd.LossSection, change: float, along: str) -> Array | None:
    """Return from where to where the minima that are the lowest beside a change both exist."""
    at = getattr(section, along)
    exist = [np.isfinite(branch.loss) for branch in section.branches]
    losses = np.array([np.nan_to_num(branch.loss, nan=np.inf) for branch in section.branches])
    k = int(np.searchsorted(at, change))
    if not 0 < k < len(at):
        return None
    both = exist[int(losses[:, k - 1].argmin())] & exist[int(losses[:, k].argmin())]
    low, high = k - 1, k
    if losses[:, k - 1].argmin() == losses[:, k].argmin() or not both[[low, high]].all():
        return None
    while low > 0 and both[low - 1]:
        low -= 1
    while high < len(at) - 1 and both[high + 1]:
        high += 1
    return np.array([at[low], at[high]]) if high - low >= _FEWEST else None


def _groups(ranges: list[Array]) -> list[tuple[float, float]]:
    groups = [tuple(map(float, ranges[0]))]
    for _, after in pairwise(ranges):
        low, high = groups[-1]
        width = (high - low) + float(after[1] - after[0])
        if after[0] - high < _GAP * width:
            groups[-1] = (low, max(high, float(after[1])))
        else:
            groups.append((float(after[0]), float(after[1])))
    return groups  # type: ignore[return-value]
