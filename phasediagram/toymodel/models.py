"""Toy models as values: what is assumed besides the paper's model.

The loss is linear in the probabilities of the sets of active features, in the importances and in
the penalties, so that every model here is solved and traced by the same code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import ArrayLike

from phasediagram.model import (
    MAX_FEATURES,
    MAX_IMPORTANCE,
    MAX_TRAINED_FEATURES,
    FreeSize,
    as_real,
    free_size,
    integer,
)

RELU, LINEAR = "relu", "linear"
ACTIVATIONS = (RELU, LINEAR)
CORRELATED, ANTICORRELATED, HIERARCHICAL = "correlated", "anticorrelated", "hierarchical"
ALONE = "alone"  # a feature in no group
_LAW_TOLERANCE = 1e-12  # of probabilities that add up to 1
_DEFAULT_FEATURES = 2  # where a caller does not say


@dataclass(frozen=True)
class Group:
    """Features whose activity is not independent: see `correlated` and its siblings.

    Attributes
    ----------
    kind : {"correlated", "anticorrelated", "hierarchical"}
    features : tuple of int
        Counted from 0; of a hierarchical group first the primary, then the secondary one.
    strength : float
        The correlation of a correlated group, `follow` of a hierarchical one.
    """

    kind: str
    features: tuple[int, ...]
    strength: float = 1.0

    def __repr__(self) -> str:
        arguments = list(map(str, self.features))
        if self.kind == CORRELATED and self.strength != 1.0:
            arguments.append(f"correlation={self.strength:g}")
        if self.kind == HIERARCHICAL:
            arguments.append(f"follow={self.strength:g}")
        return f"{self.kind}({', '.join(arguments)})"


def correlated(*features: int, correlation: float = 1.0) -> Group:
    """Return a group of features that are active together.

    Parameters
    ----------
    features : int
        Two or more, counted from 0.
    correlation : float
        Pearson's c of whether two of them are active, in [0, 1].  With 1, the paper's: with
        probability p, their common density, all are active, else none.  Else the set is
        switched on with probability p_a and each member then with p_i, where p = p_a p_i and
        ``c = p_i (1 - p_a) / (1 - p_a p_i)``; 0 is independence.

    Returns
    -------
    Group

    Raises
    ------
    ValueError
        If features repeat, are fewer than two or no integers of at least 0, or `correlation`
        lies outside [0, 1].

    Examples
    --------
    >>> import phasediagram as phd
    >>> phd.ToyModel(4, 2, groups=[phd.correlated(0, 1), phd.correlated(2, 3)])
    ToyModel(4, 2, groups=(correlated(0, 1), correlated(2, 3)))
    """
    return Group(CORRELATED, _members(features), _share("correlation", correlation))


def anticorrelated(*features: int) -> Group:
    """Return a group of which one feature at a time is active.

    With probability p, the density of the group, exactly one is active, each as likely: each
    by itself has the density p / k if there are k.

    Parameters
    ----------
    features : int
        Two or more, counted from 0.

    Returns
    -------
    Group

    Raises
    ------
    ValueError
        As `correlated`.

    Examples
    --------
    >>> import phasediagram as phd
    >>> model = phd.ToyModel(2, 1, groups=[phd.anticorrelated(0, 1)])
    >>> print(phd.expected_loss([[1.0, -1.0]], [0.0, 0.0], 0.6, model=model))  # no interference
    0.0
    """
    return Group(ANTICORRELATED, _members(features))


def hierarchical(primary: int, secondary: int, *, follow: float = 0.5) -> Group:
    """Return a secondary feature that can be active only if its primary feature is.

    The primary feature is active with probability p, the density of the group, and then the
    secondary one with probability `follow`.

    Parameters
    ----------
    primary, secondary : int
        Counted from 0.
    follow : float
        In [0, 1].

    Returns
    -------
    Group

    Raises
    ------
    ValueError
        As `correlated`.

    Examples
    --------
    >>> import phasediagram as phd
    >>> phd.ToyModel(3, 2, groups=[phd.hierarchical(0, 1, follow=0.3)])
    ToyModel(3, 2, groups=(hierarchical(0, 1, follow=0.3),))
    """
    return Group(HIERARCHICAL, _members((primary, secondary)), _share("follow", follow))


@dataclass(frozen=True, repr=False)
class ToyModel:
    """What is assumed of a model: its size, its activation, how features are active, penalties.

    Parameters
    ----------
    n_features : int
        Number of features n, 2 to 1000; what computes exactly takes fewer.
    n_hidden : int, optional
        Number of hidden dimensions m < n; n - 1 by default.
    bias : bool
        Whether there are biases; without, b = 0.
    activation : {"relu", "linear"}
        ``x' = ReLU(W^T W x + b)``, or ``x' = W^T W x + b``.
    groups : sequence of Group
        From `correlated`, `anticorrelated` and `hierarchical`, without common features; features
        in no group are independent.  The members of a group have one density.
    activity : array_like, shape (2^n,), optional
        For full freedom instead of densities and groups: the probabilities of all sets of active
        features; bit j of the index says whether feature j is active.
    interference_penalty : float
        lambda >= 0: the loss has the term ``lambda sum_(i != j) (W_i . W_j)^2``.
    weight_decay : float
        mu >= 0: the loss has the term ``mu |W|^2``.

    Raises
    ------
    ValueError
        If an argument is outside its range, groups overlap, or `activity` is no probability law.

    Examples
    --------
    >>> import phasediagram as phd
    >>> model = phd.ToyModel(2, bias=False)
    >>> model, model == phd.ToyModel(2, 1, bias=False)
    (ToyModel(2, 1, bias=False), True)
    """

    n_features: int
    n_hidden: int | None = None
    bias: bool = field(default=True, kw_only=True)
    activation: str = field(default=RELU, kw_only=True)
    groups: tuple[Group, ...] = field(default=(), kw_only=True)
    activity: tuple[float, ...] | None = field(default=None, kw_only=True)
    interference_penalty: float = field(default=0.0, kw_only=True)
    weight_decay: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        n = integer("n_features", self.n_features)
        if not 2 <= n <= MAX_TRAINED_FEATURES:
            raise ValueError(f"n_features must be between 2 and {MAX_TRAINED_FEATURES}, got {n}")
        m = n - 1 if self.n_hidden is None else integer("n_hidden", self.n_hidden)
        if not 1 <= m < n:
            raise ValueError(f"n_hidden must be at least 1 and below n_features = {n}, got {m}")
        if not isinstance(self.bias, bool | np.bool_):
            raise ValueError(f"bias must be True or False, got {self.bias!r}")
        if self.activation not in ACTIVATIONS:
            allowed = " or ".join(map(repr, ACTIVATIONS))
            raise ValueError(f"activation must be {allowed}, got {self.activation!r}")
        groups = _groups(self.groups, n)
        activity = None if self.activity is None else _law(self.activity, n)
        if groups and activity is not None:
            raise ValueError("groups and activity exclude each other: activity says everything")
        values = {
            "n_features": n,
            "n_hidden": m,
            "bias": bool(self.bias),
            "groups": groups,
            "activity": activity,
            "interference_penalty": _penalty("interference_penalty", self.interference_penalty),
            "weight_decay": _penalty("weight_decay", self.weight_decay),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        parts = [str(self.n_features), str(self.n_hidden)]
        for item in fields(self)[2:]:
            value = getattr(self, item.name)
            if value != item.default:
                shown = "..." if item.name == "activity" else repr(value)
                parts.append(f"{item.name}={shown}")
        return f"ToyModel({', '.join(parts)})"

    @property
    def hidden(self) -> int:
        """Number of hidden dimensions m."""
        assert self.n_hidden is not None
        return self.n_hidden

    @property
    def is_standard(self) -> bool:
        """Whether nothing but the size differs from the paper's model."""
        return self == ToyModel(self.n_features, self.n_hidden)

    @property
    def has_terms(self) -> bool:
        """Whether the loss has more than the importances' terms, or fewer variables."""
        return bool(self.interference_penalty or self.weight_decay or not self.bias)

    @property
    def blocks(self) -> tuple[Group, ...]:
        """The groups, and each other feature as a group of one, by their first features."""
        grouped = {i for group in self.groups for i in group.features}
        alone = [Group(ALONE, (i,)) for i in range(self.n_features) if i not in grouped]
        return tuple(sorted([*self.groups, *alone], key=lambda group: min(group.features)))


def sized_model(n_features: int, n_hidden: int | None, model: ToyModel | None) -> ToyModel:
    """Return the model that a caller means: the given one, or the paper's of this size.

    Raises
    ------
    ValueError
        If `model` is none, or the size that it has is not the one asked for.
    """
    if model is None:
        size = free_size(n_features, n_hidden)
        return ToyModel(size.n_features, size.n_hidden)
    if not isinstance(model, ToyModel):
        raise ValueError(f"model must be a ToyModel, got {model!r}")
    require_same_size(n_features, n_hidden, model)
    FreeSize(model.n_features, model.hidden)
    return model


def require_same_size(n_features: int, n_hidden: int | None, model: ToyModel) -> None:
    """Raise ValueError if a size is given that is not the model's."""
    given = (n_features, n_hidden)
    if n_features not in (_DEFAULT_FEATURES, model.n_features) or (
        n_hidden is not None and given != (model.n_features, model.n_hidden)
    ):
        raise ValueError(
            f"n_features and n_hidden must be those of the model, "
            f"({model.n_features}, {model.n_hidden}), or be left out, got {given}"
        )


def _members(features: tuple[int, ...]) -> tuple[int, ...]:
    members = tuple(integer("a feature of a group", i) for i in features)
    if len(members) < 2 or len(set(members)) < len(members) or min(members) < 0:
        raise ValueError(
            "a group must consist of two or more different features, counted from 0, "
            f"got {features!r}"
        )
    return members


def _share(name: str, value: float) -> float:
    number = as_real(name, value)
    if number.ndim or not 0 <= number <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {value!r}")
    return float(number)


def _penalty(name: str, value: float) -> float:
    number = as_real(name, value)
    if number.ndim or not 0 <= number <= MAX_IMPORTANCE:
        raise ValueError(f"{name} must lie in [0, {MAX_IMPORTANCE:g}], got {value!r}")
    return float(number)


def _groups(groups: Sequence[Group], n: int) -> tuple[Group, ...]:
    if isinstance(groups, Group):
        groups = (groups,)
    seen: dict[int, Group] = {}
    for group in groups:
        if not isinstance(group, Group):
            raise ValueError(
                f"groups must come from correlated, anticorrelated or hierarchical, got {group!r}"
            )
        for i in group.features:
            if i >= n:
                raise ValueError(f"groups must have features below n_features = {n}, got {group!r}")
            if i in seen:
                raise ValueError(
                    f"groups must not overlap, got feature {i} in {seen[i]!r} and {group!r}"
                )
            seen[i] = group
    return tuple(groups)


def _law(activity: ArrayLike, n: int) -> tuple[float, ...]:
    if n > MAX_FEATURES:
        raise ValueError(f"activity must be of at most {MAX_FEATURES} features, got {n}")
    values = as_real("activity", activity)
    if values.shape != (1 << n,):
        raise ValueError(
            f"activity must have shape ({1 << n},), one probability for each set of the {n} "
            f"features, got shape {values.shape}"
        )
    if not (values >= 0).all():
        raise ValueError(f"activity must consist of probabilities, got {float(values.min())!r}")
    if abs(values.sum() - 1) > _LAW_TOLERANCE:
        raise ValueError(f"activity must add up to 1, got {float(values.sum())!r}")
    return tuple(values.tolist())
