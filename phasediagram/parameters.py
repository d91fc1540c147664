"""Points in the space of parameters, and planes of two parameters through it.

The loss is linear in the probabilities of the 2^n sets of active features, in the importances and
in the penalties; a point is these numbers.  A plane says how they depend on two coordinates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.kernel.equal_densities import equal_densities
from phasediagram.kernel.tables import (
    activity_table,
    activity_table_derivatives,
    independent_table,
    marginal_densities,
    with_terms,
)
from phasediagram.model import DENSITY_RANGE, RELATIVE_IMPORTANCE_RANGE
from phasediagram.toymodel.axes import (
    CORRELATION,
    DENSITY,
    FOLLOW,
    INTERFERENCE_PENALTY,
    RELATIVE_DENSITY,
    RELATIVE_IMPORTANCE,
    WEIGHT_DECAY,
    Axis,
)
from phasediagram.toymodel.models import CORRELATED, HIERARCHICAL, ToyModel
from phasediagram.toymodel.records import (
    axis_from_record,
    axis_record,
    model_from_record,
    model_record,
    setting_from_record,
    setting_record,
)
from phasediagram.toymodel.settings import Setting, as_setting, needs_terms

Array = NDArray[np.float64]

_SPARSE = 0.01  # below this density gradients, and their rounding, shrink in proportion
GRADIENT_TOLERANCE = 1e-13
_REMEMBERED = 64  # positions whose parameters are kept, since each is asked for several times


@dataclass(frozen=True)
class Parameters:
    """One point: what the loss needs besides W and b.

    Attributes
    ----------
    table : ndarray, shape (2^n,) or longer
        Probability of each set A of active features; bit j of A is set if feature j is active.
        Behind stands what `phasediagram.kernel.cube.terms` adds, if anything.
    importance : ndarray, shape (n,)
    """

    table: Array
    importance: Array

    @cached_property
    def tolerance(self) -> float:
        """Gradient norm at which a minimum is reached."""
        active = 1.0 - float(self.table[0])
        return GRADIENT_TOLERANCE * min(1.0, active / (_SPARSE * len(self.importance)))


def point(density: Array | float, importance: Array) -> Parameters:
    """Return the parameters of independent features.

    Parameters
    ----------
    density : float or ndarray, shape (n,)
    importance : ndarray, shape (n,)
    """
    densities = np.broadcast_to(np.asarray(density, dtype=np.float64), importance.shape)
    return Parameters(independent_table(np.ascontiguousarray(densities)), importance)


def parameters_of(model: ToyModel, setting: Setting) -> Parameters:
    """Return the parameters of a model at one setting."""
    table = _tables(model, setting)
    return Parameters(np.ascontiguousarray(table), np.array(setting.importance))


def naming_density(model: ToyModel, setting: Setting) -> Array:
    """Return the density, shape (...), by which phases are named: the features' mean."""
    if model.is_standard or (model.groups == () and model.activity is None):
        marginal = setting.densities
    else:
        head = activity_table(model, setting.densities, *_strengths(setting))
        marginal = marginal_densities(head, model.n_features)
    same = (marginal == marginal[..., :1]).all(axis=-1)
    return np.asarray(np.minimum(np.where(same, marginal[..., 0], marginal.mean(axis=-1)), 1.0))


def _tables(model: ToyModel, setting: Setting) -> Array:
    head = activity_table(model, setting.densities, *_strengths(setting))
    if not needs_terms(model, setting):
        return head
    penalties = np.stack(
        np.broadcast_arrays(
            *(
                np.broadcast_to(value, head.shape[:-1])
                for value in (setting.interference_penalty, setting.weight_decay)
            )
        ),
        axis=-1,
    )
    return with_terms(model, head, setting.importance, penalties)


def _strengths(setting: Setting) -> tuple[Array | None, Array | None]:
    correlation, follow = (
        None if value is None else np.asarray(value, dtype=np.float64)
        for value in (setting.correlation, setting.follow)
    )
    return correlation, follow


@dataclass(frozen=True, eq=False)
class Plane:
    """Two coordinates, or one, and the parameters at each position.

    Without a model the paper's axes: log density of all features, log relative importance of the
    last.

    Attributes
    ----------
    n : int
    model : ToyModel, optional
    held : Setting, optional
        What the axes do not change.
    axes : tuple of Axis
        That of the rows first.
    """

    n: int
    model: ToyModel | None = None
    held: Setting | None = None
    axes: tuple[Axis, ...] = ()
    _known: dict[bytes, Parameters] = field(default_factory=dict, repr=False)

    def at(self, position: Array) -> Parameters:
        """Return the parameters at a position, in coordinates of the axes."""
        if self.model is None:
            return _at(self.n, float(position[0]), float(position[1]))
        key = np.asarray(position, dtype=np.float64).tobytes()
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            tables, importances, _ = self.many(np.asarray(position)[None])
            self._known[key] = Parameters(tables[0], importances[0])
        return self._known[key]

    def derivatives(self, position: Array) -> tuple[Parameters, ...]:
        """Return parameters whose losses are the derivatives by the coordinates.

        The loss is linear in the table, the importances and the penalties.
        """
        if self.model is None:
            return _derivatives(self.n, float(position[0]), float(position[1]))
        return tuple(self._derivative(position, axis) for axis in range(len(self.axes)))

    def expanded(self, position: Array) -> tuple[Array, Array]:
        """Return tables (3, 2^n) and importances (3, n): `at`, then `derivatives`, of a plane."""
        if self.model is None:
            return _expanded(self.n, float(position[0]), float(position[1]))
        all_of_them = (self.at(position), *self.derivatives(position))
        return (
            np.array([point.table for point in all_of_them]),
            np.array([point.importance for point in all_of_them]),
        )

    def many(self, positions: Array) -> tuple[Array, Array, Array]:
        """Return tables (k, 2^n), importances (k, n) and tolerances (k,)."""
        if self.model is not None:
            setting = self.settings(positions)
            tables = np.ascontiguousarray(self._ended(setting))
            importances = np.array(setting.importance)  # one that compiled code may take
        else:
            density = np.exp(positions[:, 0])
            tables = np.ones((len(density), 1))
            for _ in range(self.n):
                tables = np.concatenate(
                    [tables * (1 - density)[:, None], tables * density[:, None]], axis=1
                )
            importances = np.ones((len(density), self.n))
            importances[:, -1] = np.exp(positions[:, 1])
        active = 1.0 - tables[:, 0]
        tolerances = GRADIENT_TOLERANCE * np.minimum(1.0, active / (_SPARSE * self.n))
        return tables, importances, tolerances

    def values(self, positions: Array) -> tuple[Array, ...]:
        """Return the values of the axes at positions (k, 2)."""
        if self.model is None:
            return np.minimum(np.exp(positions[:, 0]), 1.0), np.exp(positions[:, 1])
        return tuple(axis.at(positions[:, k]) for k, axis in enumerate(self.axes))

    def coordinates(self, values: tuple[ArrayLike, ...]) -> Array:
        """Return the positions at values of the axes, (k, 2)."""
        if self.model is None:
            return np.asarray(np.log(np.stack([np.asarray(value) for value in values], axis=1)))
        columns = [axis.coordinates(v) for axis, v in zip(self.axes, values, strict=True)]
        return np.stack(columns, axis=1)

    def slopes(self, positions: Array) -> Array:
        """Return the derivatives of the axes' values by their coordinates, (k, 2)."""
        if self.model is None:
            return np.stack(self.values(positions), axis=1)
        return np.stack([axis.slope(positions[:, k]) for k, axis in enumerate(self.axes)], axis=1)

    def naming_densities(self, positions: Array) -> Array:
        """Return the densities by which phases at positions (k, 2) are named."""
        if self.model is None:
            return np.minimum(np.exp(positions[:, 0]), 1.0)
        return naming_density(self.model, self.settings(positions))

    @cached_property
    def has_terms(self) -> bool:
        """Whether the loss has penalties or frozen biases somewhere in the plane."""
        if self.model is None or self.held is None:
            return False
        varied = {axis.name for axis in self.axes} & {INTERFERENCE_PENALTY, WEIGHT_DECAY}
        return bool(varied) or needs_terms(self.model, self.held)

    def settings(self, positions: Array) -> Setting:
        """Return the settings at positions (k, 2)."""
        assert self.held is not None
        count, held = len(positions), self.held
        density = np.repeat(held.density[None], count, axis=0)
        importance = np.repeat(held.importance[None], count, axis=0)
        others = {
            name: value if value is None else np.full(count, value)
            for name, value in (
                (RELATIVE_DENSITY, held.relative_density),
                (CORRELATION, held.correlation),
                (FOLLOW, held.follow),
                (INTERFERENCE_PENALTY, held.interference_penalty),
                (WEIGHT_DECAY, held.weight_decay),
            )
        }
        # the density of all features first, of one feature then
        order = sorted(range(len(self.axes)), key=lambda k: self.axes[k].feature is not None)
        for k in order:
            axis, values = self.axes[k], self.axes[k].at(positions[:, k])
            if axis.name == DENSITY:
                density[:] = values[:, None]
            elif axis.name == RELATIVE_IMPORTANCE:
                importance[:, -1] = values
            elif axis.feature is not None and axis.quantity == DENSITY:
                density[:, self._block(axis.feature)] = values[:, None]
            elif axis.feature is not None:
                importance[:, axis.feature] = values
            else:
                others[axis.name] = values
        return Setting(density, importance, **others)  # type: ignore[arg-type]

    def assumed(self, position: Array) -> tuple[ToyModel | None, Array | None, Array]:
        """Return the model at a position, densities (n,) if it needs them, and importances (n,).

        As `phasediagram.expected_loss` takes them.
        """
        if self.model is None:
            density, importance = self.values(np.asarray(position)[None])
            importances = np.ones(self.n)
            importances[-1] = importance[0]
            return None, np.full(self.n, density[0]), importances
        here = self.settings(np.asarray(position)[None])
        strengths = {CORRELATED: here.correlation, HIERARCHICAL: here.follow}
        groups = tuple(
            group
            if strengths.get(group.kind) is None
            else replace(group, strength=_first(strengths[group.kind]))
            for group in self.model.groups
        )
        model = replace(
            self.model,
            groups=groups,
            interference_penalty=_first(here.interference_penalty),
            weight_decay=_first(here.weight_decay),
        )
        if model.activity is not None:
            return model, None, here.importance[0]
        return model, np.minimum(here.densities[0], 1.0), here.importance[0]

    def _block(self, feature: int) -> list[int]:
        assert self.model is not None
        (block,) = (block for block in self.model.blocks if feature in block.features)
        return list(block.features)

    def _ended(self, setting: Setting) -> Array:
        """Return the tables, with what terms need behind if there are any in the plane."""
        assert self.model is not None
        head = activity_table(self.model, setting.densities, *_strengths(setting))
        if not self.has_terms:
            return head
        penalties = np.stack(
            [np.asarray(setting.interference_penalty), np.asarray(setting.weight_decay)], axis=-1
        )
        return with_terms(self.model, head, setting.importance, penalties)

    def _derivative(self, position: Array, k: int) -> Parameters:
        assert self.model is not None
        axis = self.axes[k]
        setting = self.settings(np.asarray(position, dtype=np.float64)[None])
        here = self.at(position)
        slope = float(axis.slope(position[k]))
        n, size = self.n, 1 << self.n
        by_importance = np.array(here.importance)
        penalties = np.zeros(2)
        head = np.zeros(size)
        if axis.name == RELATIVE_IMPORTANCE or axis.quantity == "importance":
            feature = n - 1 if axis.feature is None else axis.feature
            by_importance = np.zeros(n)
            by_importance[feature] = slope
            head = here.table[:size]
        elif axis.name in (INTERFERENCE_PENALTY, WEIGHT_DECAY):
            penalties[int(axis.name == WEIGHT_DECAY)] = slope
        else:
            head = self._table_derivative(setting, k, slope)
        if self.has_terms:
            head = with_terms(self.model, head, here.importance, penalties)
        return Parameters(np.ascontiguousarray(head), by_importance)

    def _table_derivative(self, setting: Setting, k: int, slope: float) -> Array:
        """Return the derivative of the table by a coordinate that densities or groups depend on."""
        assert self.model is not None
        axis = self.axes[k]
        by_density, by_strength = np.zeros(setting.density.shape), {CORRELATION: 0.0, FOLLOW: 0.0}
        ratio = np.asarray(setting.relative_density)
        if axis.name == DENSITY:
            by_density[:] = slope
            for other in self.axes:
                if other.feature is not None and other.quantity == DENSITY:
                    by_density[:, self._block(other.feature)] = 0.0
            by_density[:, -1] *= ratio
        elif axis.name == RELATIVE_DENSITY:
            by_density[:, -1] = slope * setting.density[:, -1]
        elif axis.feature is not None:
            by_density[:, self._block(axis.feature)] = slope
            by_density[:, -1] *= ratio
        else:
            by_strength[axis.name] = slope
        derivatives = activity_table_derivatives(
            self.model,
            setting.densities,
            *_strengths(setting),
            by_density,
            by_strength[CORRELATION],
            by_strength[FOLLOW],
        )
        return np.asarray(derivatives[0])

    @property
    def is_papers(self) -> bool:
        """Whether it is nothing but the paper's plane."""
        if self.model is None or self.held is None:
            return True
        same = self.held.relative_density == 1 and (self.held.importance[:-1] == 1).all()
        names = tuple((axis.name, axis.scale) for axis in self.axes)
        return self.model.is_standard and bool(same) and names == _PAPER_NAMES


PAPER_AXES = (Axis(DENSITY, *DENSITY_RANGE), Axis(RELATIVE_IMPORTANCE, *RELATIVE_IMPORTANCE_RANGE))
_PAPER_NAMES = tuple((axis.name, axis.scale) for axis in PAPER_AXES)


def plane_of(
    model: ToyModel,
    axes: tuple[Axis, ...],
    density: ArrayLike | None = None,
    relative_importance: ArrayLike = 1.0,
    importance: ArrayLike | None = None,
    relative_density: float = 1.0,
) -> Plane:
    """Return the plane, or line, of some axes of a model; see `as_setting`."""
    held = as_setting(model, density, relative_importance, importance, relative_density, axes)
    return Plane(model.n_features, model, held, axes)


def plane_record(plane: Plane) -> dict[str, Any]:
    """Return a plane with a model as a record, for files."""
    assert plane.model is not None
    assert plane.held is not None
    return {
        "model": model_record(plane.model),
        "held": setting_record(plane.held),
        "axes": [axis_record(axis) for axis in plane.axes],
    }


def plane_from_record(record: dict[str, Any]) -> Plane:
    """Return the plane of a record; raises ValueError if it is none."""
    try:
        model = model_from_record(record["model"])
        held = setting_from_record(record["held"])
        axes = tuple(axis_from_record(axis) for axis in record["axes"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the record of a plane: {error}") from None
    return Plane(model.n_features, model, held, axes)


def _first(values: float | Array | None) -> float:
    assert values is not None
    return float(np.ravel(values)[0])


@lru_cache(maxsize=_REMEMBERED)
def _at(n: int, log_density: float, log_importance: float) -> Parameters:
    tables, importances = _expanded(n, log_density, log_importance)
    return Parameters(tables[0], importances[0])


@lru_cache(maxsize=_REMEMBERED)
def _derivatives(
    n: int, log_density: float, log_importance: float
) -> tuple[Parameters, Parameters]:
    tables, importances = _expanded(n, log_density, log_importance)
    return Parameters(tables[1], importances[1]), Parameters(tables[2], importances[2])


@lru_cache(maxsize=_REMEMBERED)
def _expanded(n: int, log_density: float, log_importance: float) -> tuple[Array, Array]:
    tables, importances = np.empty((3, 1 << n)), np.ones((3, n))
    density, importance = math.exp(log_density), math.exp(log_importance)
    equal_densities(density, tables)
    importances[:, -1] = importance
    importances[2, :-1] = 0.0
    return tables, importances
