"""The exact expected loss of the model, its gradient and its Hessian.

``L = sum_i importance_i E[(x_i - ReLU(sum_j (W^T W)_ij x_j + b_i))^2]``, an exact
integral, not an estimate (Elhage et al., *Toy Models of Superposition*, 2022,
section "Superposition as a Phase Change"; expectation in `phasediagram.expectation`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.compensated import dot
from phasediagram.expectation import expected_squared_error
from phasediagram.model import as_parameters

Array = NDArray[np.float64]

_WORKING_SET = 2**20  # numbers per block of parameter sets: keeps a block in the cache


def expected_loss(
    W: ArrayLike, b: ArrayLike, density: ArrayLike, importance: ArrayLike = 1.0
) -> Array:
    """Return the exact expected loss.

    Parameters
    ----------
    W : array_like, shape (..., m, n)
        Weights; ``W[..., :, i]`` is feature i's direction.
    b : array_like, shape (..., n)
        Biases.
    density : array_like, scalar or shape (..., n)
        Probability that a feature is active, in (0, 1].
    importance : array_like, scalar or shape (..., n)
        Positive weight of each feature's squared error.

    Returns
    -------
    ndarray, shape (...)
        The loss, a sum over features; the leading axes of all arguments broadcast.
        Its relative error is below 1e-12, however small the loss or the weights.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite or exceeds 1e75 in magnitude, a
        density lies outside (0, 1], an importance outside (0, 1e100], or n > 8.

    Examples
    --------
    >>> import phasediagram as phd
    >>> float(phd.expected_loss([[1.0, -1.0]], [0.0, 0.0], density=0.6))  # 2 p^2 / 6
    0.12
    >>> phd.expected_loss([[1.0, -1.0]], [0.0, 0.0], density=[[0.3], [0.6]]).round(6)
    array([0.03, 0.12])
    """
    return _evaluate(W, b, density, importance, derivatives=0).loss


def expected_loss_and_gradient(
    W: ArrayLike, b: ArrayLike, density: ArrayLike, importance: ArrayLike = 1.0
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
    result = _evaluate(W, b, density, importance, derivatives=1)
    assert result.gradient_W is not None
    assert result.gradient_b is not None
    return result.loss, result.gradient_W, result.gradient_b


def expected_loss_hessian(
    W: ArrayLike, b: ArrayLike, density: ArrayLike, importance: ArrayLike = 1.0
) -> Array:
    """Return the Hessian of the exact expected loss.

    Parameters are those of `expected_loss`, and so are the errors raised.

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
    result = _evaluate(W, b, density, importance, derivatives=2)
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
    return _evaluate(W, b, density, importance, derivatives=2)


def _evaluate(
    W: ArrayLike, b: ArrayLike, density: ArrayLike, importance: ArrayLike, derivatives: int
) -> LossDerivatives:
    parameters = as_parameters(W, b, density, importance)
    m, n = parameters.W.shape[-2:]
    shape = parameters.leading_shape
    points = parameters.flattened()
    count = len(points.W)
    loss = np.empty(count)
    gradient_W = np.empty((count, m, n)) if derivatives else None
    gradient_b = np.empty((count, n)) if derivatives else None
    size = m * n + n
    hessian = np.empty((count, size, size)) if derivatives == 2 else None
    for block in _blocks(count, n, derivatives):
        part = _evaluate_block(
            points.W[block],
            points.b[block],
            points.density[block],
            points.importance[block],
            derivatives,
        )
        loss[block] = part.loss
        if gradient_W is not None and gradient_b is not None:
            gradient_W[block], gradient_b[block] = part.gradient_W, part.gradient_b
        if hessian is not None:
            hessian[block] = part.hessian
    return LossDerivatives(
        loss.reshape(shape),
        None if gradient_W is None else gradient_W.reshape(*shape, m, n),
        None if gradient_b is None else gradient_b.reshape(*shape, n),
        None if hessian is None else hessian.reshape(*shape, size, size),
    )


def _blocks(count: int, n: int, derivatives: int) -> Iterator[slice]:
    """Split the points into blocks of equal, bounded working set."""
    channels = (2, 4 + 2 * n, 5 + 3 * n + 3 * n * n)[derivatives]
    length = max(1, _WORKING_SET // (3**n * n * channels))
    for start in range(0, count, length):
        yield slice(start, min(start + length, count))


def _evaluate_block(
    W: Array, b: Array, density: Array, importance: Array, derivatives: int
) -> LossDerivatives:
    points, _, n = W.shape
    order = _own_first(n)
    weights = np.ascontiguousarray(W.transpose(1, 2, 0))  # (m, n, points)
    gains, gains_tail = dot(weights[:, order[:, 0], None], weights[:, order])
    rows = (n, n * points)
    error = expected_squared_error(
        gains.swapaxes(0, 1).reshape(rows),
        gains_tail.swapaxes(0, 1).reshape(rows),
        b.T.reshape(n * points),
        density.T[order].swapaxes(0, 1).reshape(rows),
        derivatives,
    )
    scale = importance.T
    loss = (scale * error.value.reshape(n, points)).sum(axis=0)
    if error.gradient is None:
        return LossDerivatives(loss, None, None, None)
    by_output = scale * error.gradient.reshape(n + 1, n, points)
    gram_gradient = np.empty((n, n, points))  # d loss / d G_ij, all entries independent
    gram_gradient[np.arange(n)[:, None], order] = by_output[:n].swapaxes(0, 1)
    symmetric = gram_gradient + gram_gradient.swapaxes(0, 1)
    gradient_W = np.einsum("kjp,jip->pki", weights, symmetric)
    gradient_b = by_output[n].T
    if error.hessian is None:
        return LossDerivatives(loss, gradient_W, gradient_b, None)
    by_row = scale * error.hessian.reshape(n + 1, n + 1, n, points)
    hessian = _hessian(W, order, by_row, symmetric)
    return LossDerivatives(loss, gradient_W, gradient_b, hessian)


def _own_first(n: int) -> NDArray[np.intp]:
    """Return for each output the features in order, its own first, shape (n, n)."""
    return np.array([[i, *(j for j in range(n) if j != i)] for i in range(n)], dtype=np.intp)


def _hessian(W: Array, order: NDArray[np.intp], by_row: Array, symmetric: Array) -> Array:
    """Chain rule from the rows of the Gram matrix and the biases to W and b.

    ``d G_ij / d W_kp = [p = i] W_kj + [p = j] W_ki``, and the second derivative of
    G_ij is constant.
    """
    points, m, n = W.shape
    size = m * n + n
    hessian = np.zeros((points, size, size))
    curvature = hessian[:, : m * n, : m * n].reshape(points, m, n, m, n)
    for k in range(m):
        curvature[:, k, :, k, :] += symmetric.transpose(2, 0, 1)
    for i in range(n):
        jacobian = np.zeros((points, n + 1, size))
        rows = jacobian[:, :n, : m * n].reshape(points, n, m, n)
        for position, j in enumerate(order[i]):
            rows[:, position, :, i] += W[:, :, j]
            rows[:, position, :, j] += W[:, :, i]
        jacobian[:, n, m * n + i] = 1.0
        hessian += jacobian.swapaxes(1, 2) @ by_row[:, :, i].transpose(2, 0, 1) @ jacobian
    return np.asarray((hessian + hessian.swapaxes(1, 2)) / 2)  # exactly symmetric
