"""Exact expected squared error of one output, without cancellation.

One output of the model reconstructs its own feature ``x_own`` as ``ReLU(Z)`` with
``Z = bias + sum_j gains_j x_j``.  Its expected squared error is a mixture over the
sets of active features; each set contributes the integral over one face of the
unit cube, where inactive features sit at 0 and active ones run over [0, 1].

The textbook form of that integral, a truncated power sum over corners
(`derivations.expectation`), loses every digit as a gain tends to 0.  Here it is
computed by *cone recursion*.  Let a face of dimension k meet the hyperplane
Z = 0 and take a point of the face on that hyperplane as apex.  Along every ray
from the apex the sign of Z is constant and the residual ``e = x_own - ReLU(Z)``
is linear; the face splits into pyramids over its facets f, whose height h_f is
the apex's distance from the facet, so that

    int_face e^2 = sum_f h_f [B0 e(apex)^2 + 2 B1 e(apex) int_f e + B2 int_f e^2],
    B_i = int_0^1 s^(k-1+i) (1-s)^(2-i) ds.

All heights and all B are positive and no gain is divided by.  A face that misses
the hyperplane is treated in the same way from its centre.  With the 2^n corner
values of Z summed in doubled precision the result has full *relative* accuracy
for any gains and bias.  The recursion visits each of the 3^n faces once, from the
corners up, for any number of outputs at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray

from phasediagram.compensated import add, two_sum
from phasediagram.faces import FaceLevel, face_levels

Array = NDArray[np.float64]
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
