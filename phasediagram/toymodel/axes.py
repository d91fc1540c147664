"""Axes of diagrams: which quantity varies, over which range, on which scale."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.model import MAX_IMPORTANCE, as_real
from phasediagram.toymodel.models import CORRELATED, HIERARCHICAL, ToyModel

Array = NDArray[np.float64]

DENSITY, RELATIVE_IMPORTANCE = "density", "relative_importance"
RELATIVE_DENSITY, CORRELATION, FOLLOW = "relative_density", "correlation", "follow"
INTERFERENCE_PENALTY, WEIGHT_DECAY = "interference_penalty", "weight_decay"
LOG, LINEAR_SCALE = "log", "linear"

_OF_FEATURE = re.compile(r"(density|importance)\[(\d+)\]")
_LENGTH = 4.0  # of a linear axis in coordinates of the tracer, whose steps suit logarithms
_LARGEST = {DENSITY: 1.0, CORRELATION: 1.0, FOLLOW: 1.0}
_FROM_ZERO = (CORRELATION, FOLLOW, INTERFERENCE_PENALTY, WEIGHT_DECAY)
_NAMES = (
    DENSITY,
    RELATIVE_IMPORTANCE,
    RELATIVE_DENSITY,
    "density[i]",
    "importance[i]",
    INTERFERENCE_PENALTY,
    WEIGHT_DECAY,
    CORRELATION,
    FOLLOW,
)
_LABELS = {
    DENSITY: "Feature density $p$",
    RELATIVE_IMPORTANCE: "Relative importance $r$",
    RELATIVE_DENSITY: "Relative density of the extra feature",
    INTERFERENCE_PENALTY: r"Interference penalty $\lambda$",
    WEIGHT_DECAY: r"Weight decay $\mu$",
    CORRELATION: "Correlation $c$",
    FOLLOW: "Probability that the secondary feature follows",
}


@dataclass(frozen=True)
class Axis:
    """One axis of a diagram, or the line of a section.

    Parameters
    ----------
    name : str
        ``"density"`` of all features; ``"relative_importance"`` of the last one, the others'
        being what they are held at, by default 1; ``"relative_density"``, the last feature's
        density over that of the others; ``"density[i]"`` and ``"importance[i]"`` of one feature,
        counted from 0; ``"interference_penalty"``; ``"weight_decay"``; ``"correlation"`` of all
        correlated groups; ``"follow"`` of all hierarchical groups.
    start, stop : float
        The range, ascending.
    scale : {"log", "linear"}
    points : int
        Of a grid, 2 to 4096.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> import phasediagram as phd
    >>> phd.Axis("correlation", 0, 1, scale="linear", points=3).values
    array([0. , 0.5, 1. ])
    """

    name: str
    start: float
    stop: float
    scale: str = LOG
    points: int = 128

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or (
            self.name not in _NAMES and _OF_FEATURE.fullmatch(self.name) is None
        ):
            raise ValueError(f"name of an axis must be one of {_listed(_NAMES)}, got {self.name!r}")
        if self.scale not in (LOG, LINEAR_SCALE):
            raise ValueError(f"scale must be 'log' or 'linear', got {self.scale!r}")
        start, stop = (_number(name, getattr(self, name)) for name in ("start", "stop"))
        if not start < stop:
            raise ValueError(f"{self.name} must run from less to more, got {start:g} to {stop:g}")
        if start < 0 or (start == 0 and self.quantity not in _FROM_ZERO):
            least = "at least 0" if self.quantity in _FROM_ZERO else "above 0"
            raise ValueError(f"{self.name} must be {least}, got a range from {start:g}")
        if start == 0 and self.scale == LOG:
            raise ValueError(f"scale must be 'linear' for {self.name} from 0, got 'log'")
        largest = _LARGEST.get(self.quantity, MAX_IMPORTANCE)
        if stop > largest:
            raise ValueError(f"{self.name} must be at most {largest:g}, got a range to {stop:g}")
        if isinstance(self.points, bool) or not isinstance(self.points, int | np.integer):
            raise ValueError(f"points must be an integer, got {self.points!r}")
        if not 2 <= self.points <= 4096:
            raise ValueError(f"points must be between 2 and 4096, got {self.points}")
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "stop", stop)

    @property
    def quantity(self) -> str:
        """What varies, without the feature: ``"density"`` for ``"density[2]"``."""
        return self.name.partition("[")[0]

    @property
    def feature(self) -> int | None:
        """Which feature's density or importance it is, None if not of one."""
        found = _OF_FEATURE.fullmatch(self.name)
        return None if found is None else int(found[2])

    @property
    def values(self) -> Array:
        """Values of a grid, ascending, shape (points,)."""
        space = np.geomspace if self.scale == LOG else np.linspace
        return np.asarray(space(self.start, self.stop, self.points))

    @property
    def label(self) -> str:
        """What to write at the axis of a figure."""
        if self.feature is not None:
            return f"{self.quantity.capitalize()} of feature {self.feature + 1}"
        return _LABELS[self.name]

    def coordinates(self, values: ArrayLike) -> Array:
        """Return the coordinates in which values of this axis are traced."""
        given = np.asarray(values, dtype=np.float64)
        if self.scale == LOG:
            return np.asarray(np.log(given))
        return np.asarray(_LENGTH * (given - self.start) / (self.stop - self.start))

    def at(self, coordinates: ArrayLike) -> Array:
        """Return the values at coordinates."""
        given = np.asarray(coordinates, dtype=np.float64)
        if self.scale == LOG:
            return np.asarray(np.exp(given))
        return np.asarray(self.start + given * (self.stop - self.start) / _LENGTH)

    def slope(self, coordinates: ArrayLike) -> Array:
        """Return the derivatives of values by coordinates."""
        if self.scale == LOG:
            return self.at(coordinates)
        return np.full(np.shape(coordinates), (self.stop - self.start) / _LENGTH)


def require_axes(model: ToyModel, axes: tuple[Axis, ...]) -> None:
    """Raise ValueError unless the model has these axes, and they differ."""
    for axis in axes:
        if not isinstance(axis, Axis):
            raise ValueError(f"an axis must be an Axis, got {axis!r}")
        _require_axis(model, axis)
    places = [_place(model, axis) for axis in axes]
    if len(set(places)) < len(places):
        raise ValueError(f"axes must differ, got {' and '.join(axis.name for axis in axes)}")


def _require_axis(model: ToyModel, axis: Axis) -> None:
    n = model.n_features
    if axis.feature is not None and axis.feature >= n:
        raise ValueError(f"{axis.name} must be of a feature below n_features = {n}")
    kinds = {group.kind for group in model.groups}
    for name, kind in ((CORRELATION, CORRELATED), (FOLLOW, HIERARCHICAL)):
        if axis.name == name and kind not in kinds:
            raise ValueError(f"{name} must be of a model with {kind} groups, got {model!r}")
    if axis.quantity in (DENSITY, RELATIVE_DENSITY) and model.activity is not None:
        raise ValueError(f"{axis.name} is no axis of a model with a given activity")
    grouped = {i for group in model.groups for i in group.features}
    if axis.name == RELATIVE_DENSITY and n - 1 in grouped:
        raise ValueError(f"{axis.name} needs a last feature in no group, got {model!r}")


def _place(model: ToyModel, axis: Axis) -> tuple[str, int | None]:
    """Return what an axis changes, the same for axes that change the same."""
    if axis.name == RELATIVE_IMPORTANCE:
        return "importance", model.n_features - 1
    if axis.name == RELATIVE_DENSITY:
        return DENSITY, model.n_features - 1
    if axis.quantity == DENSITY and axis.feature is not None:
        (block,) = (block for block in model.blocks if axis.feature in block.features)
        return DENSITY, max(block.features)
    return axis.quantity, axis.feature


def _number(name: str, value: float) -> float:
    number = as_real(name, value)
    if number.ndim or not np.isfinite(number):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    return float(number)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names))
