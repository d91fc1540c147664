"""The expected loss of any number of features: exact up to 8, beyond with a bound on its error."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.kernel import loss as exact
from phasediagram.model import (
    MAX_FEATURES,
    MAX_LARGE_FEATURES,
    Parameters,
    as_parameters,
    as_real,
    integer,
)
from phasediagram.toymodel.models import ToyModel
from phasediagram.values import Result

Array = NDArray[np.float64]

TOLERANCE = 1e-10
MAX_TERMS = 40_000
_WARNED = 1e-8  # relative error above which a loss without its error is not given in silence
_PART = 8  # outputs that one thread does at a time


@dataclass(frozen=True, eq=False, repr=False)
class LossWithError(Result):
    """A loss, its gradient, and bounds of what they may be wrong by.

    Attributes
    ----------
    loss, error : ndarray, shape (...)
        The true loss is within `error` of `loss`.
    gradient_W, gradient_W_error : ndarray, shape (..., m, n)
        Derivatives with respect to W, and a bound of the error of each.
    gradient_b, gradient_b_error : ndarray, shape (..., n)
        Those with respect to b.
    """

    loss: Array
    error: Array
    gradient_W: Array
    gradient_W_error: Array
    gradient_b: Array
    gradient_b_error: Array

    def _lines(self) -> list[str]:
        loss, error = np.ravel(self.loss), np.ravel(self.error)
        if loss.size == 1:
            return [f"LossWithError: {loss[0]:.10g}, wrong by at most {error[0]:.1e}"]
        return [
            f"LossWithError: {loss.min(initial=np.inf):.10g} to {loss.max(initial=-np.inf):.10g} "
            f"at {loss.size} points, wrong by at most {error.max(initial=0.0):.1e}"
        ]


def expected_loss(
    W: ArrayLike,
    b: ArrayLike,
    density: ArrayLike | None = None,
    importance: ArrayLike = 1.0,
    *,
    model: ToyModel | None = None,
) -> Array:
    """Return the exact expected loss.

    Parameters
    ----------
    W : array_like, shape (..., m, n)
        Weights; ``W[..., :, i]`` is feature i's direction.
    b : array_like, shape (..., n)
        Biases.
    density : array_like, scalar or shape (..., n)
        Probability that a feature is active, in (0, 1].  Left out if the model's activity says
        it.
    importance : array_like, scalar or shape (..., n)
        Positive weight of each feature's squared error.
    model : ToyModel, optional
        What is assumed besides the paper's model; its size is that of W.  For more than 8
        features only its biases may differ.

    Returns
    -------
    ndarray, shape (...)
        The loss, a sum over features; the leading axes of all arguments broadcast.
        Up to 8 features its relative error is below 1e-12, however small the loss or the
        weights; beyond, `expected_loss_with_error` says what it is.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite or exceeds 1e75 in magnitude (1e6 for more
        than 8 features), a density lies outside (0, 1], an importance outside (0, 1e100],
        n > 1000, or the model does not fit.

    Warns
    -----
    RuntimeWarning
        If for more than 8 features the relative error may exceed 1e-8.

    Examples
    --------
    >>> import phasediagram as phd
    >>> float(phd.expected_loss([[1.0, -1.0]], [0.0, 0.0], density=0.6))  # 2 p^2 / 6
    0.12
    >>> phd.expected_loss([[1.0, -1.0]], [0.0, 0.0], density=[[0.3], [0.6]]).round(6)
    array([0.03, 0.12])
    """
    if not is_large(W):
        return exact.expected_loss(W, b, density, importance, model=model)
    return _large(W, b, density, importance, model).loss


def expected_loss_and_gradient(
    W: ArrayLike,
    b: ArrayLike,
    density: ArrayLike | None = None,
    importance: ArrayLike = 1.0,
    *,
    model: ToyModel | None = None,
) -> tuple[Array, Array, Array]:
    """Return the exact expected loss and its gradient.

    Parameters are those of `expected_loss`, and so are the errors raised.

    Returns
    -------
    loss : ndarray, shape (...)
    gradient_W : ndarray, shape (..., m, n)
        Derivative with respect to W.  The loss is once continuously differentiable.
    gradient_b : ndarray, shape (..., n)
        Derivative with respect to b.

    Examples
    --------
    >>> import phasediagram as phd
    >>> loss, gradient_W, gradient_b = phd.expected_loss_and_gradient(
    ...     [[1.0, 0.0]], [0.0, 0.3], density=0.6, importance=[1.0, 0.5]
    ... )
    >>> bool(abs(gradient_W).max() + abs(gradient_b).max() < 1e-16)  # "ignored" is stationary
    True
    """
    if not is_large(W):
        return exact.expected_loss_and_gradient(W, b, density, importance, model=model)
    found = _large(W, b, density, importance, model)
    return found.loss, found.gradient_W, found.gradient_b


def expected_loss_with_error(
    W: ArrayLike,
    b: ArrayLike,
    density: ArrayLike,
    importance: ArrayLike = 1.0,
    *,
    tolerance: float = TOLERANCE,
    max_terms: int = MAX_TERMS,
) -> LossWithError:
    """Return the expected loss of independent features, its gradient, and bounds of their errors.

    Deterministic, for up to 1000 features: sets of at most two active features besides the
    output's own are integrated exactly, all others by a contour integral (docs/exact_loss.md).

    Parameters
    ----------
    W : array_like, shape (..., m, n)
        Weights; ``W[..., :, i]`` is feature i's direction.  Magnitudes up to 1e6.
    b : array_like, shape (..., n)
        Biases.
    density : array_like, scalar or shape (..., n)
        Probability that a feature is active, in (0, 1].
    importance : array_like, scalar or shape (..., n)
        Positive weight of each feature's squared error.
    tolerance : float
        What the truncation of the contour integral may add to an output's error, relative to
        E[x_i^2], between 1e-15 and 1.
    max_terms : int
        The largest number of its terms, at least 1; if they do not reach the tolerance, the
        bounds say so.

    Returns
    -------
    LossWithError

    Raises
    ------
    ValueError
        As `expected_loss`, or if `tolerance` or `max_terms` is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> import phasediagram as phd
    >>> W = np.random.default_rng(0).normal(size=(5, 20)) / 5**0.5
    >>> found = phd.expected_loss_with_error(W, np.zeros(20), 0.1)
    >>> f"{found.loss:.9f}", bool(found.error < 1e-9 * found.loss)
    ('1.333327802', True)
    """
    if not 1e-15 <= float(as_real("tolerance", tolerance)) <= 1:
        raise ValueError(f"tolerance must lie between 1e-15 and 1, got {tolerance!r}")
    if integer("max_terms", max_terms) < 1:
        raise ValueError(f"max_terms must be at least 1, got {max_terms}")
    parameters = as_parameters(W, b, density, importance, MAX_LARGE_FEATURES)
    for name, values in (("W", parameters.W), ("b", parameters.b)):
        if np.abs(values).max() > _MAX_MAGNITUDE:
            raise ValueError(
                f"{name} must be at most {_MAX_MAGNITUDE:g} in magnitude, "
                f"got {float(np.abs(values).max())!r}"
            )
    points, shape = parameters.flattened(), parameters.leading_shape
    found = [_one(points, k, float(tolerance), int(max_terms)) for k in range(len(points.W))]
    m, n = parameters.W.shape[-2:]
    ends: tuple[tuple[int, ...], ...] = ((), (), (m, n), (m, n), (n,), (n,))
    return LossWithError(
        *(
            np.array([values[k] for values in found]).reshape((*shape, *end))
            for k, end in enumerate(ends)
        )
    )


def is_large(W: ArrayLike) -> bool:
    """Whether weights are of more features than the exact recursion takes."""
    try:
        shape = np.shape(W)
    except ValueError:  # ragged, as the exact loss will say
        return False
    return len(shape) >= 2 and shape[-1] > MAX_FEATURES


_MAX_MAGNITUDE = 1e6


def _large(
    W: ArrayLike,
    b: ArrayLike,
    density: ArrayLike | None,
    importance: ArrayLike,
    model: ToyModel | None,
) -> LossWithError:
    if model is not None:
        if not isinstance(model, ToyModel):
            raise ValueError(f"model must be a ToyModel, got {model!r}")
        if np.shape(W)[-2:] != (model.hidden, model.n_features):
            raise ValueError(
                f"W must have shape (..., {model.hidden}, {model.n_features}) to go with "
                f"{model!r}, got shape {np.shape(W)}"
            )
        if ToyModel(model.n_features, model.n_hidden, bias=model.bias) != model:
            raise ValueError(
                f"model may differ in its biases only for more than {MAX_FEATURES} features, "
                f"got {model!r}"
            )
        if not model.bias and np.any(b):
            raise ValueError("b must be 0 in a model without biases")
    if density is None:
        raise ValueError("density must be given, a number or one for each feature")
    found = expected_loss_with_error(W, b, density, importance)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(found.error > 0, found.error / found.loss, 0.0)
    if relative.size and relative.max() > _WARNED:
        warnings.warn(
            f"the relative error of the loss may be {float(relative.max()):.1g}; "
            "expected_loss_with_error takes more terms",
            RuntimeWarning,
            stacklevel=3,
        )
    return found


def _one(points: Parameters, k: int, tolerance: float, most: int) -> tuple[Array | float, ...]:
    """Return the attributes of `LossWithError` at one point."""
    from phasediagram.kernel.packing import gram_matrix
    from phasediagram.large.rows import output_errors

    W, importance = np.array(points.W[k]), points.importance[k]
    m, n = W.shape
    bias, density = np.array(points.b[k]), np.array(points.density[k])
    gram, tail = np.empty((n, n)), np.empty((n, n))
    gram_matrix(m, n, np.concatenate([W.ravel(), bias]), gram, tail)
    out, errors = np.empty((n, n + 2)), np.empty((n, 2))

    def run(start: int) -> None:
        stop = min(start + _PART, n)
        output_errors(start, stop, gram, tail, bias, density, tolerance, most, out, errors)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(run, range(0, n, _PART)))
    loss = float(importance @ out[:, 0])
    by_gain = importance[:, None] * out[:, 1 : n + 1]
    gradient = W @ (by_gain + by_gain.T)
    slack = importance * errors[:, 1]
    rounding = n * np.finfo(float).eps
    size = np.abs(W) @ np.abs(by_gain + by_gain.T)
    return (
        loss,
        float(importance @ errors[:, 0]) + rounding * loss,
        gradient,
        (np.abs(W) @ slack)[:, None] + np.abs(W).sum(axis=1)[:, None] * slack + rounding * size,
        importance * out[:, n + 1],
        slack + rounding * np.abs(importance * out[:, n + 1]),
    )
