"""The exact expected loss of the model, its gradient and its Hessian.

``L = sum_i importance_i E[(x_i - ReLU(sum_j (W^T W)_ij x_j + b_i))^2]``, an exact
integral, not an estimate (Elhage et al., *Toy Models of Superposition*, 2022,
section "Superposition as a Phase Change"; expectation in `phasediagram.kernel.cube.general`).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.kernel.packing import evaluate_many
from phasediagram.kernel.rows import rows_address, rows_kernel
from phasediagram.kernel.single import evaluate_single
from phasediagram.kernel.tables import activity_table, independent_table, with_terms
from phasediagram.model import MAX_FEATURES, Parameters, as_parameters
from phasediagram.toymodel.models import ToyModel

Array = NDArray[np.float64]

_CHUNK = 2**20  # over 6^n, the parameter sets of one chunk, which takes some milliseconds


def expected_loss(
    W: ArrayLike,
    b: ArrayLike,
    density: ArrayLike | None = None,
    importance: ArrayLike = 1.0,
    *,
    model: ToyModel | None = None,
) -> Array:
    """Return the exact expected loss of at most 8 features; see `phasediagram.expected_loss`.

    Examples
    --------
    >>> float(expected_loss([[1.0, -1.0]], [0.0, 0.0], density=0.6))  # 2 p^2 / 6
    0.12
    """
    return _evaluate(W, b, density, importance, order=0, model=model).loss


def expected_loss_and_gradient(
    W: ArrayLike,
    b: ArrayLike,
    density: ArrayLike | None = None,
    importance: ArrayLike = 1.0,
    *,
    model: ToyModel | None = None,
) -> tuple[Array, Array, Array]:
    """Return the exact expected loss of at most 8 features and its gradient.

    See `phasediagram.expected_loss_and_gradient`.
    """
    result = _evaluate(W, b, density, importance, order=1, model=model)
    assert result.gradient_W is not None
    assert result.gradient_b is not None
    return result.loss, result.gradient_W, result.gradient_b


def expected_loss_hessian(
    W: ArrayLike,
    b: ArrayLike,
    density: ArrayLike | None = None,
    importance: ArrayLike = 1.0,
    *,
    model: ToyModel | None = None,
) -> Array:
    """Return the Hessian of the exact expected loss.

    Parameters are those of `expected_loss`, and so are the errors raised; n is at most 8.

    Returns
    -------
    ndarray, shape (..., m * n + n, m * n + n)
        Second derivatives; the order of the variables is ``W.ravel()``, then b.

    Notes
    -----
    The second derivative jumps where a set of active features that has positive
    probability puts Z_i exactly on the kink of the ReLU: at ``b_i = 0``, since with
    probability ``prod(1 - density)`` no feature is active, and where
    ``b_i + sum_{j in v} (W^T W)_ij = 0`` for a single corner v on which the error
    does not vanish.  There, what is returned is the limit of the bias b_i tending to
    its value from below: a pre-activation of exactly 0 counts as switched off.
    A perfectly represented feature (unit norm, orthogonal to the others, bias 0) sits
    on such a kink, so this matrix is then not a test of stability.

    Examples
    --------
    >>> import phasediagram as phd
    >>> phd.expected_loss_hessian([[1.0]], [0.2], density=1.0).round(3)
    array([[3.067, 2.   ],
           [2.   , 2.   ]])
    """
    result = _evaluate(W, b, density, importance, order=2, model=model)
    assert result.hessian is not None
    return result.hessian


@dataclass(frozen=True)
class LossDerivatives:
    """Loss and derivatives of many parameter sets.

    Attributes
    ----------
    loss : ndarray, shape (...)
    gradient_W : ndarray, shape (..., m, n), or None
    gradient_b : ndarray, shape (..., n), or None
    hessian : ndarray, shape (..., m * n + n, m * n + n), or None
    """

    loss: Array
    gradient_W: Array | None
    gradient_b: Array | None
    hessian: Array | None


def loss_derivatives(
    W: ArrayLike, b: ArrayLike, density: ArrayLike, importance: ArrayLike = 1.0
) -> LossDerivatives:
    """Return loss, gradient and Hessian in one evaluation (arguments of `expected_loss`)."""
    return _evaluate(W, b, density, importance, order=2)


def _evaluate(
    W: ArrayLike,
    b: ArrayLike,
    density: ArrayLike | None,
    importance: ArrayLike,
    order: int,
    model: ToyModel | None = None,
) -> LossDerivatives:
    if model is not None:
        return _evaluate_model(W, b, density, importance, order, model)
    if density is None:
        raise ValueError("density must be given, a number or one for each feature")
    one = _evaluate_one(W, b, density, importance, order)
    return _evaluate_batch(as_parameters(W, b, density, importance), order) if one is None else one


def _evaluate_model(
    W: ArrayLike,
    b: ArrayLike,
    density: ArrayLike | None,
    importance: ArrayLike,
    order: int,
    model: ToyModel,
) -> LossDerivatives:
    if not isinstance(model, ToyModel):
        raise ValueError(f"model must be a ToyModel, got {model!r}")
    if np.ndim(W) < 2 or np.shape(W)[-2:] != (model.hidden, model.n_features):
        raise ValueError(
            f"W must have shape (..., {model.hidden}, {model.n_features}) to go with {model!r}, "
            f"got shape {np.shape(W)}"
        )
    if (density is None) != (model.activity is not None):
        verb = "be given" if density is None else "be left out, since the model's activity gives it"
        raise ValueError(f"density must {verb}")
    if model.is_standard and density is not None:
        return _evaluate(W, b, density, importance, order)
    parameters = as_parameters(W, b, 1.0 if density is None else density, importance)
    _require_fitting(model, parameters)
    densities, importances = (
        np.broadcast_to(values, (*values.shape[:-1], model.n_features))
        for values in (parameters.density, parameters.importance)
    )
    table = activity_table(model, densities)
    if model.has_terms:
        shape = np.broadcast_shapes(table.shape[:-1], importances.shape[:-1])
        table = np.broadcast_to(table, (*shape, table.shape[-1]))
        penalties = np.array([model.interference_penalty, model.weight_decay])
        table = with_terms(model, table, importances, penalties)
    return _evaluate_batch(
        parameters, order, table, rows_kernel(model.n_features, model.activation, model.has_terms)
    )


def _require_fitting(model: ToyModel, parameters: Parameters) -> None:
    if not model.bias and parameters.b.any():
        raise ValueError("b must be 0 in a model without biases")
    for group in model.groups:
        if parameters.density.shape[-1] == 1:
            continue
        values = parameters.density[..., list(group.features)]
        if (values != values[..., :1]).any():
            raise ValueError(f"density must be the same within {group!r}, got {values.tolist()}")


def _evaluate_one(
    W: ArrayLike, b: ArrayLike, density: ArrayLike, importance: ArrayLike, order: int
) -> LossDerivatives | None:
    """Evaluate a single parameter set fast; None if it is not one, or not valid."""
    try:
        weights, biases, densities, importances = map(np.asarray, (W, b, density, importance))
    except ValueError:  # ragged
        return None
    if weights.ndim != 2 or biases.ndim != 1 or densities.ndim > 1 or importances.ndim > 1:
        return None
    m, n = weights.shape
    if m == 0 or not 1 <= n <= MAX_FEATURES or len(biases) != n:
        return None
    if densities.size not in (1, n) or importances.size not in (1, n):
        return None
    given = (weights, biases, densities, importances)
    if any(array.dtype.kind not in "iuf" for array in given):
        return None
    # Copies: compiled code takes no array that is read-only or in another byte order.
    arrays = [np.array(array, dtype=np.float64, order="C").reshape(-1) for array in given]
    size = m * n + n
    gradient = np.empty(size if order else 1)
    hessian = np.empty((size, size) if order == 2 else (1, 1))
    loss = evaluate_single(rows_address(n), m, n, *arrays, gradient, hessian, order)
    if np.isnan(loss):
        return None
    return LossDerivatives(
        np.asarray(loss),
        gradient[: m * n].reshape(m, n) if order else None,
        gradient[m * n :] if order else None,
        hessian if order == 2 else None,
    )


def _evaluate_batch(
    parameters: Parameters, order: int, table: Array | None = None, rows: Any = None
) -> LossDerivatives:
    """Evaluate in chunks, with as many threads as there are processors.

    Parameters
    ----------
    table : ndarray, shape (..., 2^n) or longer, optional
        Instead of that of independent features.
    rows : `phasediagram.kernel.rows.ROWS`, optional
    """
    m, n = parameters.W.shape[-2:]
    points, shape = parameters.flattened(), parameters.leading_shape
    count, size = len(points.W), m * n + n
    shared = slice(0, 1)  # one table, one row of importances, serves all
    common_density = math.prod(parameters.density.shape[:-1]) == 1
    common_importance = math.prod(parameters.importance.shape[:-1]) == 1
    result = LossDerivatives(
        np.empty(count),
        np.empty((count, m, n)) if order else None,
        np.empty((count, n)) if order else None,
        np.empty((count, size, size)) if order == 2 else None,
    )
    rows = rows_kernel(n) if rows is None else rows
    tables = None
    if table is not None:
        common_density = math.prod(table.shape[:-1]) == 1
        tables = table if common_density else np.broadcast_to(table, (*shape, table.shape[-1]))
        tables = tables.reshape(-1, table.shape[-1])

    def table_of(part: slice) -> Array:
        if tables is None:
            return independent_table(points.density[part])
        return np.array(tables[part], order="C")

    def evaluate(chunk: slice) -> None:
        length = chunk.stop - chunk.start
        gradients = np.empty((length if order else 1, size))
        hessian = np.empty((1, size, size)) if result.hessian is None else result.hessian[chunk]
        evaluate_many(
            rows,
            m,
            n,
            np.ascontiguousarray(
                np.concatenate([points.W[chunk].reshape(length, m * n), points.b[chunk]], axis=1)
            ),
            table_of(shared if common_density else chunk),
            np.array(  # a copy: compiled code takes no read-only view
                points.importance[shared if common_importance else chunk], order="C"
            ),
            result.loss[chunk],
            gradients,
            hessian,
            order,
        )
        if result.gradient_W is not None and result.gradient_b is not None:
            result.gradient_W[chunk] = gradients[:, : m * n].reshape(length, m, n)
            result.gradient_b[chunk] = gradients[:, m * n :]

    _for_each_chunk(evaluate, count, max(1, _CHUNK // 6**n))
    return LossDerivatives(
        result.loss.reshape(shape),
        None if result.gradient_W is None else result.gradient_W.reshape(*shape, m, n),
        None if result.gradient_b is None else result.gradient_b.reshape(*shape, n),
        None if result.hessian is None else result.hessian.reshape(*shape, size, size),
    )


def _for_each_chunk(function: Callable[[slice], None], count: int, length: int) -> None:
    """Call the function for each chunk, whose limits do not depend on the number of threads."""
    chunks = [slice(start, min(start + length, count)) for start in range(0, count, length)]
    threads = min(len(chunks), os.cpu_count() or 1)
    if threads <= 1:
        for chunk in chunks:
            function(chunk)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(function, chunks):
            pass
