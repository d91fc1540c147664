"""Whether orthogonal groups are together a minimum: can features tilt out of their group?

Let a feature i of group A move by u_i into the dimensions of group B, and one of B into those of
A.  To second order the loss changes by

    1/2 sum_(i,k in A) S_ik u_i.u_k + the same of B
        + 1/2 sum_(i in A, j in B) (h_i V_j + h_j V_i) g_ij^2

with ``g_ij = u_i.W_j + W_i.u_j``, ``S_ik = I_i dL_i/dG_ik + I_k dL_k/dG_ki``,
``h_i = I_i d2L_i/db_i2`` and V the variance of a feature.  Moves within the groups, and those
between other pairs of groups, do not mix with it, once each bias has taken up the mean of the
interference: so the whole is a minimum if each pair is (docs/geometry.md has the proof).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.grouping.searching import GroupSpace
from phasediagram.kernel.packing import gram_matrix, work_size
from phasediagram.kernel.rows import rows_kernel
from phasediagram.kernel.tables import independent_table

Array = NDArray[np.float64]

_KINK = 1e-9
_NO_ROTATION = 1e-12  # singular values of rotations below which they move nothing
_SIDE = 1e-7  # how far from a kink curvatures on its two sides are taken


@dataclass(frozen=True, eq=False)
class Response:
    """What of a group matters to others.

    Attributes
    ----------
    W : ndarray, shape (d, k)
    slope : ndarray, shape (k, k)
        S.
    low, high : ndarray, shape (k,)
        h, on the two sides of a kink if the group lies on one.
    variance : float
    """

    W: Array
    slope: Array
    low: Array
    high: Array
    variance: float


def response(space: GroupSpace, W: Array, b: Array, density: float) -> Response:
    """Return the response of a group at a density; of an ignored or a dedicated feature too."""
    variance, importance = density / 3 - density**2 / 4, space.importance
    if space.n_features == 1:
        full = 2.0 * importance
        if space.n_hidden == 0:
            return Response(W, np.array([[-4.0 * importance[0] * variance]]), full, full, variance)
        return Response(W, np.zeros((1, 1)), density * full, full, variance)
    slope, h = _row_derivatives(W, b, density, importance)
    sides = [h]
    gram = W.T @ W
    corners = np.arange(2**space.n_features) >> np.arange(space.n_features)[:, None] & 1
    if np.abs(gram @ corners + b[:, None]).min() < _KINK:
        sides += [_row_derivatives(W, b + side, density, importance)[1] for side in (-_SIDE, _SIDE)]
    return Response(W, slope, np.min(sides, axis=0), np.max(sides, axis=0), variance)


def _row_derivatives(W: Array, b: Array, density: float, importance: Array) -> tuple[Array, Array]:
    """Return S and h."""
    d, k = W.shape
    gram, tail, out = np.empty((k, k)), np.empty((k, k)), np.zeros((k, k + 2 + (k + 1) ** 2))
    gram_matrix(d, k, np.concatenate([W.ravel(), b]), gram, tail)
    table = independent_table(np.full(k, density))
    rows_kernel(k)(gram, tail, np.array(b), table, out, np.zeros(work_size(k, d)), 2)
    by_gain = importance[:, None] * out[:, 1 : k + 1]
    return by_gain + by_gain.T, importance * out[:, -1]


def pair_curvature(one: Response, other: Response) -> tuple[float, float]:
    """Return bounds of the smallest curvature against tilting, rotations left out.

    Both are equal unless a group lies on a kink.
    """
    return softest_tilt(one, other)[0], softest_tilt(one, other, high=True)[0]


def softest_tilt(
    one: Response, other: Response, *, high: bool = False
) -> tuple[float, Array, Array]:
    """Return the smallest curvature, and how the features of both groups move, of length 1.

    Those of the first move into the dimensions of the other, (e, k), and the other way, (d, q).
    """
    (d, k), (e, q) = one.W.shape, other.W.shape
    size = e * k + d * q
    if size == 0:
        return np.inf, np.zeros((e, k)), np.zeros((d, q))
    h_one, h_other = (one.high, other.high) if high else (one.low, other.low)
    form = np.zeros((size, size))
    form[: e * k, : e * k] = np.kron(np.eye(e), one.slope)
    form[e * k :, e * k :] = np.kron(np.eye(d), other.slope)
    for i in range(k):
        for j in range(q):
            gain = np.zeros(size)
            gain[: e * k].reshape(e, k)[:, i] = other.W[:, j]
            gain[e * k :].reshape(d, q)[:, j] = one.W[:, i]
            weight = h_one[i] * other.variance + h_other[j] * one.variance
            form += weight * np.outer(gain, gain)
    rotations = []
    for a in range(d):
        for c in range(e):
            turned = np.zeros(size)
            turned[: e * k].reshape(e, k)[c] = one.W[a]
            turned[e * k :].reshape(d, q)[a] = -other.W[c]
            rotations.append(turned)
    rest = np.eye(size)
    if rotations:
        _, values, vectors = np.linalg.svd(np.array(rotations))
        rest = vectors[(values > _NO_ROTATION).sum() :]
    if not len(rest):
        return np.inf, np.zeros((e, k)), np.zeros((d, q))
    values, vectors = np.linalg.eigh(rest @ form @ rest.T)
    moved = vectors[:, 0] @ rest
    return float(values[0]), moved[: e * k].reshape(e, k), moved[e * k :].reshape(d, q)
