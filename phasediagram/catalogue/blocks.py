"""Blocks: k features that share k - 1 hidden dimensions symmetrically.

Every configuration of the catalogue is one block and otherwise dedicated features.
A block of k >= 2 features is a simplex with free scales: k - 1 *others*, equal to
each other, and one *extra* feature opposite to their mean.  With the angle phi
between each other feature and the direction opposite to the extra,

    W_extra = -scale_extra e_1,
    W_other = scale_other (cos(phi) e_1 + sin(phi) v),

where the v are the k - 1 unit vectors of a regular simplex in the remaining k - 2
dimensions.  k = 2 is the antipodal pair (phi = 0), k = 3 the triangle.  The Gram
matrix then has the entries

    A = scale_other^2, C = scale_extra^2, -B = -scale_other scale_extra cos(phi),
    D = scale_other^2 (cos(phi)^2 - sin(phi)^2 / (k - 2))        (between two others)

and the loss is (k - 1) times one other output plus r times the extra one
(`derivations.triangle`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.expectation import expected_squared_error

Array = NDArray[np.float64]

_GRAM_VARIABLES = 6  # A, D, B, C, bias_other, bias_extra


@dataclass(frozen=True)
class BlockParameters:
    """Free parameters of many blocks of one size; all arrays have one shape (...).

    Attributes
    ----------
    scale_other, scale_extra : ndarray
        Norms of the directions, >= 0.
    angle : ndarray
        phi, in [0, pi/2]; 0 for a block of two.
    bias_other, bias_extra : ndarray
    """

    scale_other: Array
    scale_extra: Array
    angle: Array
    bias_other: Array
    bias_extra: Array

    @staticmethod
    def from_vector(x: Array) -> BlockParameters:
        """Inverse of `to_vector`; the last axis of `x` has 4 (k = 2) or 5 entries."""
        scale_other, scale_extra, *angle, bias_other, bias_extra = np.moveaxis(x, -1, 0)
        phi = angle[0] if angle else np.zeros_like(scale_other)
        return BlockParameters(scale_other, scale_extra, phi, bias_other, bias_extra)


def canonical_angle(k: int) -> float:
    """Return the angle phi at which k unit vectors form a regular simplex."""
    return float(np.arccos(1 / (k - 1)))


def block_weights(k: int, parameters: BlockParameters) -> Array:
    """Return the directions of a block, shape (..., k - 1, k), the extra feature last."""
    scale_other = parameters.scale_other[..., None, None]
    W = np.zeros((*parameters.scale_other.shape, k - 1, k))
    W[..., 0, :-1] = (parameters.scale_other * np.cos(parameters.angle))[..., None]
    W[..., 1:, :-1] = (
        scale_other * np.sin(parameters.angle)[..., None, None] * regular_simplex(k - 1)
    )
    W[..., 0, -1] = -parameters.scale_extra
    return W


def regular_simplex(k: int) -> Array:
    """Return k unit vectors in k - 1 dimensions with equal angles, shape (k - 1, k)."""
    vectors = np.zeros((k - 1, k))
    for row in range(k - 1):
        rest = k - 1 - row
        height = np.sqrt(1 - (vectors[:row, row] ** 2).sum())
        vectors[row, row] = height
        vectors[row, row + 1 :] = -height / rest
    return vectors


class BlockLoss:
    """Loss of a block of k features at many points (density, relative importance).

    An instance is an objective for `phasediagram.catalogue.newton.minimize_batch`; its variables
    are scale_other, scale_extra, angle (k >= 3 only), bias_other, bias_extra.

    Parameters
    ----------
    k : int
        Number of features in the block, at least 2.
    density, relative_importance : ndarray, shape (points,)
    """

    def __init__(self, k: int, density: Array, relative_importance: Array) -> None:
        self.k = k
        self.density = density
        self.relative_importance = relative_importance
        self._other, self._extra = _row_maps(k)
        self._variables = [0, 1, 3, 4] if k == 2 else [0, 1, 2, 3, 4]

    def value(self, x: Array, points: NDArray[np.intp]) -> Array:
        """Return the loss of the given points, shape (len(points),)."""
        return self._evaluate(x, points, derivatives=0)[0]

    def value_and_gradient(self, x: Array, points: NDArray[np.intp]) -> tuple[Array, Array]:
        """Return the loss and its gradient with respect to the variables."""
        value, by_gram, _ = self._evaluate(x, points, derivatives=1)
        jacobian, _ = _gram_derivatives(self.k, x)
        gradient = np.einsum("pqi,qp->pi", jacobian, by_gram)
        return value, gradient[:, self._variables]

    def __call__(self, x: Array, points: NDArray[np.intp]) -> tuple[Array, Array, Array]:
        """Return value (k,), gradient (k, d) and Hessian (k, d, d) for `points` (k,)."""
        value, by_gram, gram_hessian = self._evaluate(x, points, derivatives=2)
        jacobian, curvature = _gram_derivatives(self.k, x)
        gradient = np.einsum("pqi,qp->pi", jacobian, by_gram)
        hessian = jacobian.swapaxes(1, 2) @ gram_hessian.transpose(2, 0, 1) @ jacobian
        hessian += np.einsum("pqij,qp->pij", curvature, by_gram[:4])
        kept = self._variables
        return value, gradient[:, kept], hessian[:, kept][:, :, kept]

    def _evaluate(
        self, x: Array, points: NDArray[np.intp], derivatives: int
    ) -> tuple[Array, Array, Array]:
        """Return loss, gradient (6, points), Hessian (6, 6, points) in the Gram entries."""
        gram = _gram(self.k, BlockParameters.from_vector(x))
        count = len(points)
        rows = np.concatenate([self._other @ gram, self._extra @ gram], axis=1)
        density = np.tile(self.density[points], (self.k, 2))
        error = expected_squared_error(
            rows[:-1], np.zeros_like(rows[:-1]), rows[-1], density, derivatives
        )
        weight = self.relative_importance[points]
        value = (self.k - 1) * error.value[:count] + weight * error.value[count:]
        empty = np.empty(0)
        if error.gradient is None:
            return value, empty, empty
        other, extra = (self.k - 1) * self._other.T, self._extra.T
        gradient = other @ error.gradient[:, :count] + weight * (extra @ error.gradient[:, count:])
        if error.hessian is None:
            return value, gradient, empty
        hessian = _congruence(self._other, error.hessian[:, :, :count]) * (self.k - 1)
        hessian += weight * _congruence(self._extra, error.hessian[:, :, count:])
        return value, gradient, hessian


def _row_maps(k: int) -> tuple[Array, Array]:
    """Return how (gains, bias) of the two kinds of output depend on the Gram variables."""
    other = np.zeros((k + 1, _GRAM_VARIABLES))
    extra = np.zeros((k + 1, _GRAM_VARIABLES))
    other[0, 0] = other[1 : k - 1, 1] = other[k, 4] = 1.0
    other[k - 1, 2] = -1.0
    extra[0, 3] = extra[k, 5] = 1.0
    extra[1:k, 2] = -1.0
    return other, extra


def _congruence(row_map: Array, hessian: Array) -> Array:
    half = np.tensordot(row_map.T, hessian, axes=1)  # (6, k + 1, points)
    return np.asarray(np.einsum("qjp,js->qsp", half, row_map))


def _between_others(k: int, angle: Array) -> tuple[Array, Array, Array]:
    """Return cos^2 - sin^2 / (k - 2) and its first two derivatives (k = 2: unused)."""
    ratio = 1 + 1 / max(k - 2, 1)
    return (
        1 - ratio * np.sin(angle) ** 2,
        -ratio * np.sin(2 * angle),
        -2 * ratio * np.cos(2 * angle),
    )


def _gram(k: int, parameters: BlockParameters) -> Array:
    a, c = parameters.scale_other, parameters.scale_extra
    shape, _, _ = _between_others(k, parameters.angle)
    return np.stack(
        [
            a * a,
            a * a * shape,
            a * c * np.cos(parameters.angle),
            c * c,
            parameters.bias_other,
            parameters.bias_extra,
        ]
    )


def _gram_derivatives(k: int, x: Array) -> tuple[Array, Array]:
    """Return first (points, 6, 5) and second (points, 4, 5, 5) derivatives of the Gram entries."""
    parameters = BlockParameters.from_vector(x)
    a, c, phi = parameters.scale_other, parameters.scale_extra, parameters.angle
    cosine, sine = np.cos(phi), np.sin(phi)
    shape, slope, bend = _between_others(k, phi)
    first = np.zeros((len(x), _GRAM_VARIABLES, 5))
    first[:, 0, 0] = 2 * a
    first[:, 1, 0], first[:, 1, 2] = 2 * a * shape, a * a * slope
    first[:, 2, 0], first[:, 2, 1], first[:, 2, 2] = c * cosine, a * cosine, -a * c * sine
    first[:, 3, 1] = 2 * c
    first[:, 4, 3] = first[:, 5, 4] = 1.0
    second = np.zeros((len(x), 4, 5, 5))
    second[:, 0, 0, 0] = second[:, 3, 1, 1] = 2.0
    second[:, 1, 0, 0], second[:, 1, 2, 2] = 2 * shape, a * a * bend
    second[:, 1, 0, 2] = second[:, 1, 2, 0] = 2 * a * slope
    second[:, 2, 0, 1] = second[:, 2, 1, 0] = cosine
    second[:, 2, 0, 2] = second[:, 2, 2, 0] = -c * sine
    second[:, 2, 1, 2] = second[:, 2, 2, 1] = -a * sine
    second[:, 2, 2, 2] = -a * c * cosine
    return first, second
