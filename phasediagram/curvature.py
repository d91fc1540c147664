"""How firmly a local minimum is one: its smallest second directional derivative.

Where the pre-activation of no corner of the feature cube is 0, the loss has a Hessian, and the
smallest second directional derivative is its smallest eigenvalue.  At a kink (a perfectly
represented feature has bias 0) it has none: there the loss is ``L + t^2 D(d) / 2 + O(t^3)``
along t d, where D is homogeneous of degree two but no quadratic form.  Directions that only
rotate the hidden space are left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.free_minimization import FreeLoss

Array = NDArray[np.float64]

_KINK = 1e-5  # a corner's pre-activation that is nearer to 0 may be on the kink
_STEP = 1e-5  # t, far below the distance to the next kink
_RANDOM_DIRECTIONS = 24
_DESCENT_STEPS = 100
_DAMPING = 0.5
_SOFTEST = 1e-4  # relative curvature of the metric of descent
_CONVERGED = 1e-6  # relative residual of a direction
_POLISHING_STEPS = 20
_SINGULAR = 1e-9


def smallest_curvature(objective: FreeLoss, x: Array, rng: np.random.Generator) -> float:
    """Return the smallest second directional derivative at a local minimum.

    Parameters
    ----------
    objective : FreeLoss
        Its first point is meant.
    x : ndarray, shape (m * n + n,)
    rng : numpy.random.Generator
        For the directions from which a kink is searched.

    Returns
    -------
    float
        Over unit directions in (W, b) orthogonal to rotations of the hidden space.
    """
    basis = _without_rotations(objective, x)
    _, _, hessian = objective(x[None], np.zeros(1, dtype=np.intp))
    reduced = basis.T @ hessian[0] @ basis
    if not _is_on_kink(objective, x):
        return float(np.linalg.eigvalsh(reduced)[0])
    direction = _easiest_direction(objective, x, basis, reduced, rng)
    along = [_slopes(objective, x, basis, direction[None], t)[0] for t in (_STEP, _STEP / 2)]
    far, near = (float(slope @ direction) for slope in along)
    return 2 * near - far  # without the term of third order


def _is_on_kink(objective: FreeLoss, x: Array) -> bool:
    """Whether some set of features, active at the ends of their ranges, has Z = 0."""
    W, b = objective.unpack(x)
    corners = b[:, None]
    for gains in (W.T @ W).T:
        corners = np.concatenate([corners, corners + gains[:, None]], axis=1)
    return bool((np.abs(corners) < _KINK).any())


def _easiest_direction(
    objective: FreeLoss, x: Array, basis: Array, reduced: Array, rng: np.random.Generator
) -> Array:
    """Minimise D over unit directions: by descent from many, then from the best of them."""
    vectors = np.linalg.eigh(reduced)[1].T
    random = rng.normal(size=(_RANDOM_DIRECTIONS, len(vectors)))
    directions = _normalized(np.concatenate([vectors, -vectors, random]))
    scale, inverse = _metric(objective, x, basis, directions)
    curvature = np.empty(len(directions))
    for _ in range(_DESCENT_STEPS):
        slopes = _slopes(objective, x, basis, directions, _STEP)
        curvature = np.einsum("ki,ki->k", slopes, directions)
        residual = slopes - curvature[:, None] * directions
        if (np.linalg.norm(residual, axis=1) < _CONVERGED * scale).all():
            break
        directions = _normalized(directions - _DAMPING * residual @ inverse)
    return _polished(objective, x, basis, directions[curvature.argmin()])


def _metric(objective: FreeLoss, x: Array, basis: Array, directions: Array) -> tuple[float, Array]:
    """Return the largest curvature and the inverse of the mean Hessian on all sides of x."""
    points = np.zeros(len(directions), dtype=np.intp)
    _, _, hessians = objective(x + _STEP * directions @ basis.T, points)
    values, vectors = np.linalg.eigh(basis.T @ hessians.mean(axis=0) @ basis)
    largest = float(np.abs(values).max())
    return largest, vectors / np.maximum(values, _SOFTEST * largest) @ vectors.T


def _polished(objective: FreeLoss, x: Array, basis: Array, direction: Array) -> Array:
    """Rayleigh quotient iteration: a stationary d is an eigenvector of the Hessian at x + t d."""
    here = np.zeros(1, dtype=np.intp)
    best, smallest = direction, np.inf
    for _ in range(_POLISHING_STEPS):
        _, _, hessian = objective((x + _STEP * basis @ direction)[None], here)
        reduced = basis.T @ hessian[0] @ basis
        curvature = float(direction @ reduced @ direction)
        if not curvature < smallest:
            break
        best, smallest = direction, curvature
        shifted = reduced - curvature * np.eye(len(reduced))
        direction = np.linalg.lstsq(shifted, direction, rcond=None)[0]
        norm = np.linalg.norm(direction)
        if norm == 0:  # an eigenvector already
            break
        direction *= np.copysign(1 / norm, direction @ best)
    return best


def _slopes(objective: FreeLoss, x: Array, basis: Array, directions: Array, step: float) -> Array:
    """Return the gradient of D / 2 at the directions, shape (directions, basis)."""
    points = np.zeros(len(directions), dtype=np.intp)
    gradient = objective.gradient(x + step * directions @ basis.T, points)
    return np.asarray(gradient @ basis / step)


def _normalized(directions: Array) -> Array:
    return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True))


def _without_rotations(objective: FreeLoss, x: Array) -> Array:
    """Return an orthonormal basis of the directions orthogonal to rotations of W."""
    W, _ = objective.unpack(x)
    m, n = W.shape
    rotations = []
    for i in range(m):
        for j in range(i):
            turned = np.zeros_like(W)
            turned[i], turned[j] = W[j], -W[i]
            rotations.append(np.concatenate([turned.ravel(), np.zeros(n)]))
    if not rotations:
        return np.eye(x.size)
    left, singular, _ = np.linalg.svd(np.array(rotations).T)
    rank = int((singular > _SINGULAR).sum())
    return np.asarray(left[:, rank:])
