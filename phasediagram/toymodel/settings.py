"""The numbers that a model is at: densities, importances, what groups and penalties have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.model import as_density, as_importance
from phasediagram.toymodel.axes import (
    DENSITY,
    RELATIVE_DENSITY,
    RELATIVE_IMPORTANCE,
    Axis,
    require_axes,
)
from phasediagram.toymodel.models import ToyModel
from phasediagram.values import Value

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Setting(Value):
    """The numbers that a model is at, or many such: with k of them, arrays have a leading axis.

    Attributes
    ----------
    density : ndarray, shape (..., n)
        Without the factor of the last feature.
    importance : ndarray, shape (..., n)
    relative_density : float or ndarray, shape (...)
    correlation, follow : float or ndarray, shape (...), or None
        Instead of those of the model's groups.
    interference_penalty, weight_decay : float or ndarray, shape (...)
    """

    density: Array
    importance: Array
    relative_density: float | Array = 1.0
    correlation: float | Array | None = None
    follow: float | Array | None = None
    interference_penalty: float | Array = 0.0
    weight_decay: float | Array = 0.0

    @property
    def densities(self) -> Array:
        """Densities with the factor of the last feature, shape (..., n)."""
        found = np.array(self.density)
        found[..., -1] *= self.relative_density
        return found

    def _lines(self) -> list[str]:
        shown = {name: value for name, value in vars(self).items() if value is not None}
        texts = [f"{name} {np.asarray(value).tolist()}" for name, value in shown.items()]
        return [f"Setting: {', '.join(texts)}"]


def as_setting(
    model: ToyModel,
    density: ArrayLike | None,
    relative_importance: ArrayLike = 1.0,
    importance: ArrayLike | None = None,
    relative_density: float = 1.0,
    axes: tuple[Axis, ...] = (),
) -> Setting:
    """Validate the numbers that a model is held at, besides those that axes give.

    Parameters
    ----------
    density : float or array_like, shape (n,), or None
        None if an axis gives it, or the model's activity does.
    importance : float or array_like, shape (n,), optional
        Instead of `relative_importance`, which stands for (1, ..., 1, r).

    Raises
    ------
    ValueError
        If a number is outside its range or missing, or said twice.
    """
    n = model.n_features
    require_axes(model, axes)
    names = [axis.name for axis in axes]
    if model.activity is not None or DENSITY in names:
        if density is not None:
            why = "an axis gives it" if DENSITY in names else "the model's activity gives it"
            raise ValueError(f"density must be left out, since {why}; got {density!r}")
        densities = np.ones(n)  # of no account
    elif density is None:
        raise ValueError("density must be given, a number or one for each feature")
    else:
        densities = _each("density", as_density(density), n)
    r = as_importance(relative_importance, RELATIVE_IMPORTANCE)
    if r.ndim:
        raise ValueError(f"{RELATIVE_IMPORTANCE} must be a number, got shape {r.shape}")
    importances = np.ones(n)
    importances[-1] = r
    if importance is not None:
        if r != 1:
            raise ValueError(
                f"importance and {RELATIVE_IMPORTANCE} exclude each other, got {importance!r} "
                f"and {float(r)!r}"
            )
        importances = _each("importance", as_importance(importance), n)
    ratio = as_importance(relative_density, RELATIVE_DENSITY)
    if ratio.ndim:
        raise ValueError(f"{RELATIVE_DENSITY} must be a number, got shape {ratio.shape}")
    _require_equal_in_groups(model, densities)
    if ratio != 1 and any(n - 1 in group.features for group in model.groups):
        raise ValueError(f"{RELATIVE_DENSITY} needs a last feature in no group, got {model!r}")
    setting = Setting(
        densities,
        importances,
        float(ratio),
        interference_penalty=model.interference_penalty,
        weight_decay=model.weight_decay,
    )
    _require_possible(setting, axes)
    return setting


def _each(name: str, values: Array, n: int) -> Array:
    if values.ndim > 1 or (values.ndim and len(values) != n):
        raise ValueError(
            f"{name} must be a number or have shape ({n},), one for each feature; "
            f"got shape {values.shape}"
        )
    return np.array(np.broadcast_to(values, (n,)))


def _require_equal_in_groups(model: ToyModel, density: Array) -> None:
    for group in model.groups:
        values = density[list(group.features)]
        if (values != values[0]).any():
            raise ValueError(f"density must be the same within {group!r}, got {values.tolist()}")


def _require_possible(setting: Setting, axes: tuple[Axis, ...]) -> None:
    """Raise ValueError if the last feature's density exceeds 1 anywhere."""
    stops = {axis.name: axis.stop for axis in axes}
    last = stops.get(
        DENSITY, stops.get(f"density[{len(setting.density) - 1}]", setting.density[-1])
    )
    ratio = stops.get(RELATIVE_DENSITY, setting.relative_density)
    if last * ratio > 1:
        raise ValueError(
            f"density times {RELATIVE_DENSITY} must be at most 1, got {last:g} times {ratio:g}"
        )


def needs_terms(model: ToyModel, setting: Setting) -> bool:
    """Whether the loss has penalties or frozen biases anywhere."""
    penalties = (setting.interference_penalty, setting.weight_decay)
    return not model.bias or any(np.any(np.asarray(value) != 0) for value in penalties)
