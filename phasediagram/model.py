"""The model's sizes, densities and importances: conventions, validated in one place.

The model has n features and m hidden dimensions, ``x' = ReLU(W^T W x + b)`` with W
of shape (m, n); feature i is active with probability density_i and then uniform on
[0, 1], else 0; the loss is ``sum_i importance_i E[(x_i - x'_i)^2]``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

MAX_FEATURES = 8
MAX_LARGE_FEATURES = 1000  # of the loss with a bound on its error
MAX_IMPORTANCE = 1e100  # beyond it, squares of gradients overflow
MAX_MAGNITUDE = 1e75  # beyond it, squares of pre-activations overflow
PAPER_SIZES = ((2, 1), (3, 2))  # n and m of the paper's "toy model of the toy model"
MAX_TRACED_FEATURES = 5  # for more, all minima at the nodes of an atlas take too long
DENSITY_RANGE = (0.01, 1.0)  # the paper's axes
RELATIVE_IMPORTANCE_RANGE = (0.1, 10.0)
MAX_TRAINED_FEATURES = 1000  # of models that are only trained on samples


@dataclass(frozen=True)
class FreeSize:
    """Numbers of features n and hidden dimensions m < n, for unrestricted weights.

    Raises
    ------
    ValueError
        Unless 2 <= n_features <= 6 and 1 <= n_hidden < n_features.
    """

    n_features: int = 2
    n_hidden: int = 1

    def __post_init__(self) -> None:
        n_features = integer("n_features", self.n_features)
        n_hidden = integer("n_hidden", self.n_hidden)
        if not 2 <= n_features <= 6:
            raise ValueError(f"n_features must be 2, 3, 4, 5 or 6, got {n_features}")
        if not 1 <= n_hidden < n_features:
            raise ValueError(
                f"n_hidden must be at least 1 and below n_features = {n_features}, got {n_hidden}"
            )


@dataclass(frozen=True)
class ModelSize(FreeSize):
    """One hidden dimension fewer than features: the sizes that the catalogue covers.

    The toy model of the toy model: n features, m = n - 1 hidden dimensions,
    importances (1, ..., 1, r).

    Raises
    ------
    ValueError
        Unless 2 <= n_features <= 6 and n_hidden = n_features - 1.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_hidden != self.n_features - 1:
            raise ValueError(
                f"n_hidden must be n_features - 1 = {self.n_features - 1}, got {self.n_hidden}"
            )


def free_size(n_features: int, n_hidden: int | None) -> FreeSize:
    """Return the size that users ask for: n - 1 hidden dimensions if they do not say.

    Raises
    ------
    ValueError
        As `FreeSize`.
    """
    if n_hidden is None:
        n_hidden = FreeSize(n_features, 1).n_features - 1
    return FreeSize(n_features, n_hidden)


def integer(name: str, value: int) -> int:
    """Return `value` as an int; raise ValueError unless it is an integer."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{name} must be an integer, got {value!r}")
    return int(value)


@dataclass(frozen=True)
class Parameters:
    """Weights, biases, densities and importances that broadcast against each other.

    Attributes
    ----------
    W : ndarray, shape (..., m, n)
    b, density, importance : ndarray, shape (..., n)
    leading_shape : tuple of int
        What the leading axes broadcast to.
    """

    W: Array
    b: Array
    density: Array
    importance: Array
    leading_shape: tuple[int, ...]

    def flattened(self) -> Parameters:
        """Return the same with one leading axis, all arrays of full length."""
        m, n = self.W.shape[-2:]
        count = int(np.prod(self.leading_shape))

        def rows(values: Array) -> Array:
            return np.broadcast_to(values, (*self.leading_shape, n)).reshape(count, n)

        W = np.broadcast_to(self.W, (*self.leading_shape, m, n)).reshape(count, m, n)
        return Parameters(W, rows(self.b), rows(self.density), rows(self.importance), (count,))


def as_parameters(
    W: ArrayLike,
    b: ArrayLike,
    density: ArrayLike,
    importance: ArrayLike,
    most: int = MAX_FEATURES,
) -> Parameters:
    """Validate the arguments of the loss (see `phasediagram.expected_loss`), `most` features."""
    weights = _bounded("W", as_real("W", W))
    if weights.ndim < 2 or 0 in weights.shape[-2:]:
        raise ValueError(f"W must have shape (..., m, n), got shape {weights.shape}")
    n = weights.shape[-1]
    if n > most:
        raise ValueError(f"W must have at most {most} columns (features), got {n}")
    biases = _bounded("b", as_real("b", b))
    if biases.ndim < 1 or biases.shape[-1] != n:
        raise ValueError(
            f"b must have shape (..., {n}) to go with W of shape {weights.shape}, "
            f"got shape {biases.shape}"
        )
    densities = _per_feature("density", as_density(density), n)
    importances = _per_feature("importance", as_importance(importance), n)
    try:
        leading_shape = np.broadcast_shapes(
            weights.shape[:-2], biases.shape[:-1], densities.shape[:-1], importances.shape[:-1]
        )
    except ValueError:
        raise ValueError(
            "the leading axes of W, b, density and importance must broadcast, got shapes "
            f"{weights.shape}, {biases.shape}, {densities.shape} and {importances.shape}"
        ) from None
    return Parameters(weights, biases, densities, importances, leading_shape)


def as_density(density: ArrayLike, name: str = "density") -> Array:
    """Return `density` as an array; raise ValueError unless it lies in (0, 1]."""
    values = as_real(name, density)
    _require(name, values, (values > 0) & (values <= 1), "lie in (0, 1]")
    return values


def as_importance(importance: ArrayLike, name: str = "importance") -> Array:
    """Return `importance` as an array; raise ValueError unless in (0, 1e100]."""
    values = as_real(name, importance)
    _require(
        name,
        values,
        (values > 0) & (values <= MAX_IMPORTANCE),
        f"be positive and at most {MAX_IMPORTANCE:g}",
    )
    return values


def as_real(name: str, values: ArrayLike) -> Array:
    """Return `values` as an array of floats; raise ValueError if they are not real numbers."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must be a rectangular array of real numbers") from None
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must consist of real numbers, got {values!r}")
    return array.astype(np.float64)


def _bounded(name: str, values: Array) -> Array:
    with np.errstate(invalid="ignore"):
        allowed = np.abs(values) <= MAX_MAGNITUDE
    _require(name, values, allowed, f"be finite and at most {MAX_MAGNITUDE:g} in magnitude")
    return values


def _per_feature(name: str, values: Array, n: int) -> Array:
    if values.ndim and values.shape[-1] not in (1, n):
        raise ValueError(
            f"{name} must be a scalar or have shape (..., {n}) or (..., 1): its last axis runs "
            f"over features; got shape {values.shape}"
        )
    return values if values.ndim else values[None]


def _require(name: str, values: Array, allowed: NDArray[np.bool_], what: str) -> None:
    if not allowed.all():
        offender = values[~allowed].flat[0] if values.ndim else values[()]
        raise ValueError(f"{name} must {what}, got {float(offender)!r}")
