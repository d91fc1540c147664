"""Numbers in words, for what `print` shows of results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from phasediagram.toymodel.axes import Axis
from phasediagram.toymodel.models import ToyModel

_DIGITS = 10  # of losses and positions
_SHOWN = 4  # of weights


def number(value: float) -> str:
    """Return a loss or a position, to ten digits."""
    return f"{value:.{_DIGITS}g}"


def size(n_features: int, n_hidden: int, model: ToyModel | None = None) -> str:
    """Return the model's size, or the model if it is not the paper's."""
    if model is None or model.is_standard:
        return f"n = {n_features}, m = {n_hidden}"
    return repr(model)


def span(values: ArrayLike) -> str:
    """Return the least and the largest of some numbers, or the one that all are."""
    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found)]
    if not found.size:
        return "none"
    low, high = found.min(), found.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def listed(values: ArrayLike) -> str:
    """Return a few numbers."""
    return ", ".join(f"{value:g}" for value in np.ravel(values))


def matrix(values: ArrayLike) -> str:
    """Return a small array in one line."""
    rounded = np.round(np.asarray(values, dtype=np.float64), _SHOWN) + 0.0  # no sign of zero
    return str(rounded.tolist())


def grid(shape: Iterable[int]) -> str:
    """Return how many points there are along each axis."""
    lengths = tuple(shape)
    if not lengths or lengths == (1,):
        return "one point"
    return " x ".join(map(str, lengths)) + " points"


def shares(of_each: Mapping[str, float]) -> str:
    """Return shares in percent, the largest first."""
    ordered = sorted(of_each.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{name} {100 * share:.1f} %" for name, share in ordered)


def higher(excess: float) -> str:
    """Return by how much a loss is above another, the difference as a share of the latter."""
    return "equally low" if excess <= 0 else f"{100 * excess:.3g} % higher"


def counted(count: int, noun: str, nouns: str | None = None) -> str:
    """Return a number of things: ``1 minimum``, ``2 minima``."""
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"


def few(lines: Iterable[str], most: int = 3) -> list[str]:
    """Return the first few lines, and how many more there are."""
    every = list(lines)
    more = len(every) - most
    return every if more <= 0 else [*every[:most], f"and {more} more"]


def window(result: Any) -> str:
    """Return the axes of a diagram or of its boundaries, and their ranges."""
    axes: tuple[Axis | None, Axis | None] = result.y, result.x
    if axes[0] is not None and axes[1] is not None:
        return ", ".join(f"{axis.name} {span([axis.start, axis.stop])}" for axis in axes if axis)
    ranges = span(result.density), span(result.relative_importance)
    return f"density {ranges[0]}, relative importance {ranges[1]}"
