"""The cone recursion in numpy, an oracle for the compiled kernels.

Written before and independently of them: all outputs of all parameter sets at once,
level by level of the faces' dimension, each output's own feature first.  The mathematics
is told in `docs/exact_loss.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import factorial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_SPLITTER = 134217729.0  # 2**27 + 1: splits a 53-bit significand in two


def two_sum(x: Array, y: Array) -> tuple[Array, Array]:
    """Return the rounded sum of `x` and `y`, and its rounding error, exactly."""
    total = x + y
    y_seen = total - x
    return total, (x - (total - y_seen)) + (y - y_seen)


def two_product(x: Array, y: Array) -> tuple[Array, Array]:
    """Return the rounded product of `x` and `y`, and its rounding error.

    Exact unless a partial product underflows; needs |x|, |y| below 1e300.
    """
    result = x * y
    x_head, x_tail = _split(x)
    y_head, y_tail = _split(y)
    error = ((x_head * y_head - result) + x_head * y_tail + x_tail * y_head) + x_tail * y_tail
    return result, error


def _split(x: Array) -> tuple[Array, Array]:
    scaled = _SPLITTER * x
    head = scaled - (scaled - x)
    return head, x - head


def add(head: Array, tail: Array, other_head: Array, other_tail: Array) -> tuple[Array, Array]:
    """Add two doubled numbers; head and tail of the result do not overlap."""
    total, error = two_sum(head, other_head)
    low, low_error = two_sum(tail, other_tail)
    total, error = _renormalise(total, error + low)
    return _renormalise(total, error + low_error)


def _renormalise(head: Array, tail: Array) -> tuple[Array, Array]:
    total = head + tail
    return total, tail - (total - head)


def dot(x: Array, y: Array) -> tuple[Array, Array]:
    """Return the dot product over the first axis as a doubled number.

    Parameters
    ----------
    x, y : ndarray, shape (length, ...)

    Returns
    -------
    head, tail : ndarray, shape (...)
        The product is ``head + tail``, to about twice the working precision.
    """
    head, tail = two_product(x[0], y[0])
    for x_term, y_term in zip(x[1:], y[1:], strict=True):
        head, tail = add(head, tail, *two_product(x_term, y_term))
    return head, tail


IndexArray = NDArray[np.intp]
_FREE = 2  # a coordinate that runs over [0, 1]; 0 and 1 mean "fixed there"


@dataclass(frozen=True)
class FaceLevel:
    """All faces of one dimension k of the n-cube.

    Attributes
    ----------
    fixed_value : ndarray, shape (faces, n)
        0.0 or 1.0 where a coordinate is fixed, 0.0 where it is free.
    is_free : ndarray of bool, shape (faces, n)
    free : ndarray, shape (faces, k)
        The free coordinates of each face.
    low, high : ndarray, shape (faces, k)
        For each free coordinate, the facet where it is 0 (`low`) or 1 (`high`), as
        an index into the faces of dimension k - 1.
    at_origin : ndarray, shape (faces with no coordinate fixed at 1,)
        The faces that contain the origin: inactive features at 0, active ones free.
    """

    fixed_value: NDArray[np.float64]
    is_free: NDArray[np.bool_]
    free: IndexArray
    low: IndexArray
    high: IndexArray
    at_origin: IndexArray


@lru_cache(maxsize=16)
def face_levels(n: int) -> tuple[FaceLevel, ...]:
    """Return the faces of the n-cube by dimension, from the 2^n corners to the cube."""
    levels = []
    below: dict[tuple[int, ...], int] = {}
    for k in range(n + 1):
        faces = [face for face in product((0, 1, _FREE), repeat=n) if face.count(_FREE) == k]
        levels.append(_level(faces, k, below))
        below = {face: position for position, face in enumerate(faces)}
    return tuple(levels)


def _level(faces: list[tuple[int, ...]], k: int, below: dict[tuple[int, ...], int]) -> FaceLevel:
    codes = np.array(faces)
    free = [[j for j, code in enumerate(face) if code == _FREE] for face in faces]

    def facets(side: int) -> IndexArray:
        rows = [
            [below[(*face[:j], side, *face[j + 1 :])] for j in coordinates]
            for face, coordinates in zip(faces, free, strict=True)
        ]
        return np.array(rows, dtype=np.intp).reshape(len(faces), k)

    return FaceLevel(
        fixed_value=(codes == 1).astype(np.float64),
        is_free=codes == _FREE,
        free=np.array(free, dtype=np.intp).reshape(len(faces), k),
        low=facets(0),
        high=facets(1),
        at_origin=np.flatnonzero(~(codes == 1).any(axis=1)),
    )


_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class SquaredError:
    """Expected squared error of many outputs, with its derivatives on request.

    Attributes
    ----------
    value : ndarray, shape (rows,)
        E[(x_own - ReLU(Z))^2].
    gradient : ndarray, shape (n + 1, rows), or None
        Derivatives with respect to the n gains (own feature first), then the bias.
    hessian : ndarray, shape (n + 1, n + 1, rows), or None
        Second derivatives in the same order.  Where they jump (some set of active
        features has a corner with Z = 0) this is their limit as the bias tends to
        its value from below.
    """

    value: Array
    gradient: Array | None = None
    hessian: Array | None = None


def expected_squared_error(
    gains: Array,
    gains_tail: Array,
    bias: Array,
    density: Array,
    derivatives: int = 0,
) -> SquaredError:
    """Return E[(x_own - ReLU(bias + sum_j gains_j x_j))^2] for many outputs at once.

    Parameters
    ----------
    gains, gains_tail : ndarray, shape (n, rows)
        Rows of the Gram matrix W^T W, the output's own feature first and never
        negative, as doubled numbers ``gains + gains_tail``.
    bias : ndarray, shape (rows,)
    density : ndarray, shape (n, rows)
        Probability that each feature is active, in the order of `gains`.
    derivatives : {0, 1, 2}
        How many derivatives to compute.

    Returns
    -------
    SquaredError

    Notes
    -----
    Source: theory in the module's docstring; the mixture over sets of active
    features is derived in `derivations.expectation`.
    """
    n = gains.shape[0]
    channels = _Channels(n, derivatives)
    levels = face_levels(n)
    z, residual = _corner_values(gains, gains_tail, bias)
    moments = _corner_moments(levels[0], z, residual, channels)
    mixture = _mix(levels[0], density, moments)
    sections = section_mixture = None
    if derivatives == 2:
        sections = np.zeros((2**n, 1 + n + 2 * n * n, bias.size))
        section_mixture = np.zeros(sections.shape[1:])
    lowest = highest = z
    for k, level in enumerate(levels[1:], start=1):
        lowest = np.minimum(lowest[level.low[:, 0]], lowest[level.high[:, 0]])
        highest = np.maximum(highest[level.low[:, 0]], highest[level.high[:, 0]])
        cone = _cone(level, gains, lowest, highest)
        moments = _face_moments(k, cone, moments, lowest > 0, channels)
        mixture += _mix(level, density, moments)
        if sections is not None and section_mixture is not None:
            sections = _section_moments(k, cone, sections, highest - lowest)
            section_mixture += _mix(level, density, sections)
    return _squared_error(mixture, section_mixture, channels)


class _Channels:
    """Where each moment of a face is kept on the channel axis of one stacked array.

    H is 1 where Z > 0 and 0 elsewhere, e the residual.  Order 0 needs int e and
    int e^2; order 1 also int H, int H e, int H x_a, int H e x_a; order 2 also
    int H x_a x_b.
    """

    def __init__(self, n: int, derivatives: int) -> None:
        self.n = n
        self.derivatives = derivatives
        self.volume, self.volume_e = 2, 3
        self.x = slice(4, 4 + n)
        self.x_e = slice(4 + n, 4 + 2 * n)
        self.pairs = np.triu_indices(n)
        self.x_x = slice(4 + 2 * n, 4 + 2 * n + len(self.pairs[0]))
        self.count = (2, self.x_e.stop, self.x_x.stop)[derivatives]


@dataclass(frozen=True)
class _Cone:
    """The apex of each face of one dimension, and its heights over the facets."""

    level: FaceLevel
    crosses: NDArray[np.bool_]  # (faces, rows): the face meets the hyperplane Z = 0
    apex: Array  # (faces, n, rows)
    low_heights: Array  # (faces, k, rows): distance from the facet at 0 of each free coordinate
    high_heights: Array  # (faces, k, rows): the same for the facet at 1

    def sum_over_facets(self, moments: Array) -> Array:
        """Return sum_f h_f moments_f, shape (faces, channels, rows)."""
        level = self.level
        total = self.low_heights[:, 0, None] * moments[level.low[:, 0]]
        total += self.high_heights[:, 0, None] * moments[level.high[:, 0]]
        for j in range(1, level.low.shape[1]):
            total += self.low_heights[:, j, None] * moments[level.low[:, j]]
            total += self.high_heights[:, j, None] * moments[level.high[:, j]]
        return total


def _corner_values(gains: Array, gains_tail: Array, bias: Array) -> tuple[Array, Array]:
    """Return Z and x_own - Z at the 2^n corners, shape (2^n, rows), correctly rounded.

    Corner v has x_j = 1 where bit n - 1 - j of v is set, the order of `face_levels`.
    """
    head, tail = bias[None], np.zeros_like(bias)[None]
    for gain, gain_tail in zip(gains, gains_tail, strict=True):
        raised_head, raised_tail = add(head, tail, gain, gain_tail)
        head = np.stack([head, raised_head], axis=1).reshape(-1, bias.size)
        tail = np.stack([tail, raised_tail], axis=1).reshape(-1, bias.size)
    own = np.repeat([0.0, 1.0], len(head) // 2)[:, None]
    difference, error = two_sum(own, -head)
    return head, difference + (error - tail)


def _corner_moments(level: FaceLevel, z: Array, residual: Array, channels: _Channels) -> Array:
    positive = z > 0
    x = level.fixed_value[:, :, None]
    moments = np.empty((len(z), channels.count, z.shape[1]))
    moments[:, 0] = np.where(positive, residual, x[:, 0])
    moments[:, 1] = moments[:, 0] ** 2
    if channels.derivatives >= 1:
        moments[:, channels.volume] = positive
        moments[:, channels.volume_e] = positive * residual
        moments[:, channels.x] = x * positive[:, None]
        moments[:, channels.x_e] = x * moments[:, channels.volume_e, None]
    if channels.derivatives == 2:
        a, b = channels.pairs
        moments[:, channels.x_x] = x[:, a] * x[:, b] * positive[:, None]
    return moments


def _cone(level: FaceLevel, gains: Array, lowest: Array, highest: Array) -> _Cone:
    """Choose the apexes: where the diagonal from lowest to highest corner has Z = 0."""
    crosses = (lowest <= 0) & (highest > 0)
    span = np.where(crosses, highest - lowest, 1.0)
    rise = np.where(crosses, -lowest / span, 0.5)[:, None]
    fall = np.where(crosses, highest / span, 0.5)[:, None]
    rising = gains >= 0
    free = level.is_free[:, :, None]
    apex = np.where(free, np.where(rising, rise, fall), level.fixed_value[:, :, None])
    complement = np.where(rising, fall, rise)
    faces = np.arange(len(lowest))[:, None]
    return _Cone(level, crosses, apex, apex[faces, level.free], complement[faces, level.free])


def _face_moments(
    k: int, cone: _Cone, below: Array, positive: NDArray[np.bool_], channels: _Channels
) -> Array:
    level, apex = cone.level, cone.apex
    facets = cone.sum_over_facets(below)
    centre = (below[level.low[:, 0], 0] + below[level.high[:, 0], 0]) / 2
    e = np.where(positive, centre, apex[:, 0])
    moments = np.empty((len(e), channels.count, e.shape[1]))
    cross_weight = 1 / ((k + 1) * (k + 2))
    moments[:, 0] = (e + facets[:, 0]) / (k + 1)
    moments[:, 1] = 2 * cross_weight * e * (e + facets[:, 0]) + facets[:, 1] / (k + 2)
    if channels.derivatives == 0:
        return moments
    volume = facets[:, channels.volume] / k
    facets_e, facets_x = facets[:, channels.volume_e], facets[:, channels.x]
    moments[:, channels.volume] = volume
    moments[:, channels.volume_e] = (e * volume + facets_e) / (k + 1)
    moments[:, channels.x] = (apex * volume[:, None] + facets_x) / (k + 1)
    moments[:, channels.x_e] = cross_weight * (
        apex * (2 * e * volume + facets_e)[:, None] + e[:, None] * facets_x
    ) + facets[:, channels.x_e] / (k + 2)
    if channels.derivatives == 2:
        a, b = channels.pairs
        moments[:, channels.x_x] = cross_weight * (
            2 * apex[:, a] * apex[:, b] * volume[:, None]
            + apex[:, a] * facets_x[:, b]
            + apex[:, b] * facets_x[:, a]
        ) + facets[:, channels.x_x] / (k + 2)
    return moments


def _section_moments(k: int, cone: _Cone, below: Array, span: Array) -> Array:
    """Moments over the section Z = 0: int delta(Z) {1, x_a, x_a x_b, x_own x_a x_b}.

    The same recursion: on the pyramid over a facet, delta(Z) scales as 1/s.
    """
    apex = cone.apex
    n = apex.shape[1]
    pair = apex[:, :, None] * apex[:, None]
    if k == 1:
        density = (cone.crosses / np.maximum(span, _TINY))[:, None]
        first = apex * density
        second = pair * density[:, None]
        return _stack_sections(density, first, second, second * apex[:, :1, None])
    sums = cone.sum_over_facets(below)
    volume, first, second, third = _unstack_sections(sums, n)
    own = apex[:, :1, None]
    own_first = second[:, :1]  # x_own x_b, shape (faces, 1, n, rows)
    mixed = apex[:, :, None] * first[:, None]
    mixed = mixed + mixed.swapaxes(1, 2)
    mixed_own = apex[:, :, None] * own_first
    mixed_own = mixed_own + mixed_own.swapaxes(1, 2)
    volume_pair = volume[:, None] * pair
    return _stack_sections(
        volume / (k - 1),
        _beta(k - 1, 2) * apex * volume + first / k,
        _beta(k - 1, 3) * volume_pair + _beta(k, 2) * mixed + second / (k + 1),
        _beta(k - 1, 4) * own * volume_pair
        + _beta(k, 3) * (own * mixed + pair * first[:, :1, None])
        + _beta(k + 1, 2) * (own * second + mixed_own)
        + third / (k + 2),
    )


def _beta(a: int, b: int) -> float:
    """Return int_0^1 s^(a-1) (1-s)^(b-1) ds."""
    return factorial(a - 1) * factorial(b - 1) / factorial(a + b - 1)


def _stack_sections(volume: Array, first: Array, second: Array, third: Array) -> Array:
    faces, n, rows = first.shape
    flat = (faces, n * n, rows)
    return np.concatenate([volume, first, second.reshape(flat), third.reshape(flat)], axis=1)


def _unstack_sections(stacked: Array, n: int) -> tuple[Array, Array, Array, Array]:
    square = (len(stacked), n, n, stacked.shape[-1])
    volume, first, second, third = np.split(stacked, [1, 1 + n, 1 + n + n * n], axis=1)
    return volume, first, second.reshape(square), third.reshape(square)


def _mix(level: FaceLevel, density: Array, moments: Array) -> Array:
    """Sum the moments over sets of active features, each with its probability."""
    active = level.is_free[level.at_origin][:, :, None]
    probability = np.where(active, density, 1 - density).prod(axis=1)
    return np.asarray(np.einsum("fr,fcr->cr", probability, moments[level.at_origin]))


def _squared_error(moments: Array, sections: Array | None, channels: _Channels) -> SquaredError:
    value = moments[1]
    if channels.derivatives == 0:
        return SquaredError(value)
    gradient = -2 * np.concatenate([moments[channels.x_e], moments[channels.volume_e, None]])
    if sections is None:
        return SquaredError(value, gradient)
    n = channels.n
    hessian = np.empty((n + 1, n + 1, value.size))
    a, b = channels.pairs
    hessian[a, b] = hessian[b, a] = moments[channels.x_x]
    hessian[n, :n] = hessian[:n, n] = moments[channels.x]
    hessian[n, n] = moments[channels.volume]
    _, first, second, third = _unstack_sections(sections[None], n)
    hessian[:n, :n] -= third[0]
    hessian[n, :n] -= second[0, 0]
    hessian[:n, n] -= second[0, 0]
    hessian[n, n] -= first[0, 0]
    return SquaredError(value, gradient, 2 * hessian)


def loss_derivatives(
    W: Array, b: Array, density: Array, importance: Array, derivatives: int = 2
) -> tuple[Array, Array | None, Array | None, Array | None]:
    """Loss, gradient in W and b, and Hessian of parameter sets along one leading axis."""
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
        return loss, None, None, None
    by_output = scale * error.gradient.reshape(n + 1, n, points)
    gram_gradient = np.empty((n, n, points))  # d loss / d G_ij, all entries independent
    gram_gradient[np.arange(n)[:, None], order] = by_output[:n].swapaxes(0, 1)
    symmetric = gram_gradient + gram_gradient.swapaxes(0, 1)
    gradient_W = np.einsum("kjp,jip->pki", weights, symmetric)
    gradient_b = by_output[n].T
    if error.hessian is None:
        return loss, gradient_W, gradient_b, None
    by_row = scale * error.hessian.reshape(n + 1, n + 1, n, points)
    hessian = _hessian(W, order, by_row, symmetric)
    return loss, gradient_W, gradient_b, hessian


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
