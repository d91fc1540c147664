"""Another code for the same models: loss by quadrature, minima by Newton's method.

Shares nothing with the package.  Given which features are active, the loss is an integral over a
cube whose integrand is a polynomial of degree two wherever the output is on, so that
Gauss-Legendre nodes between the kinks, one variable inside the other, integrate it exactly;
all weights are positive and nothing is divided by.  The second derivatives are differences of the
gradient.  A state is one vector, W row by row and then b; two features in one dimension or three
in two.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]

_HALF_ROOT_THIRD = 0.5 / np.sqrt(3.0)
_NODES_2 = np.array([0.5 - _HALF_ROOT_THIRD, 0.5 + _HALF_ROOT_THIRD])
_WEIGHTS_2 = np.array([0.5, 0.5])
_NODES_3 = np.array([0.5 - 0.5 * np.sqrt(0.6), 0.5, 0.5 + 0.5 * np.sqrt(0.6)])
_WEIGHTS_3 = np.array([5.0, 8.0, 5.0]) / 18.0

SAME = 1e-4  # distance below which two states are the same minimum
_STATIONARY = 1e-12  # norm of the gradient at which descent stops
_CONVERGED = 1e-6  # the same, above which it has got stuck
_DIFFERENCE = 1e-7  # of the differences that make the Hessian
_RADIUS = 0.1  # largest step of a variable
_CAREFUL = 0.02  # the same from hand-picked starts, which are near what they are to find
_SHORT = 2e-3  # the same where descent must not cross a barrier
_ITERATIONS = 400
_PROBE, _PROBES = 1e-4, 12  # size and number of the perturbations that a minimum withstands


@njit(cache=True)
def _add(x, z, weight, own, sums):
    """Add to the sums of Z^2, Z, x_own Z, x_own, and for each j of x_j Z and x_own x_j."""
    n = len(x)
    mine = x[own]
    sums[0] += weight * z * z
    sums[1] += weight * z
    sums[2] += weight * mine * z
    sums[3] += weight * mine
    for j in range(n):
        sums[4 + j] += weight * x[j] * z
        sums[4 + n + j] += weight * mine * x[j]


@njit(cache=True)
def _over_one(z, gain, variable, x, weight, own, sums):
    """Integrate over one variable, where z + gain x > 0."""
    low, high = 0.0, 1.0
    if z <= 0 and z + gain <= 0:
        return
    if z < 0:
        low = -z / gain
    elif z + gain < 0:
        high = -z / gain
    for k in range(2):
        x[variable] = low + (high - low) * _NODES_2[k]
        share = weight * (high - low) * _WEIGHTS_2[k]
        _add(x, z + gain * x[variable], share, own, sums)
    x[variable] = 0.0


@njit(cache=True)
def _kink(z, gain):
    """Return where in [0, 1] z + gain x changes sign; 1 if nowhere."""
    return -z / gain if z * (z + gain) < 0 else 1.0


@njit(cache=True)
def _over_two(z, gains, first, second, x, weight, own, sums):
    one, other = _kink(z, gains[first]), _kink(z + gains[second], gains[first])
    ends = (0.0, min(one, other), max(one, other), 1.0)
    for piece in range(3):
        width = ends[piece + 1] - ends[piece]
        if width == 0:
            continue
        for k in range(2):
            at = ends[piece] + width * _NODES_2[k]
            x[first] = at
            share = weight * width * _WEIGHTS_2[k]
            _over_one(z + gains[first] * at, gains[second], second, x, share, own, sums)
    x[first] = 0.0


@njit(cache=True)
def _over_three(z, gains, x, weight, own, sums):
    ends = np.ones(6)
    ends[0] = 0.0
    for k in range(4):
        offset = (gains[1] if k % 2 else 0.0) + (gains[2] if k >= 2 else 0.0)
        ends[k + 1] = _kink(z + offset, gains[0])
    ends.sort()
    for piece in range(5):
        width = ends[piece + 1] - ends[piece]
        if width == 0:
            continue
        for k in range(3):
            at = ends[piece] + width * _NODES_3[k]
            x[0] = at
            share = weight * width * _WEIGHTS_3[k]
            _over_two(z + gains[0] * at, gains, 1, 2, x, share, own, sums)
    x[0] = 0.0


@njit(cache=True)
def _expectations(gains, bias, density, own):
    n = len(gains)
    sums, x = np.zeros(4 + 2 * n), np.zeros(n)
    off = 1.0 - density
    if bias > 0:
        _add(x, bias, off**n, own, sums)
    for i in range(n):
        _over_one(bias, gains[i], i, x, density * off ** (n - 1), own, sums)
        for j in range(i + 1, n):
            _over_two(bias, gains, i, j, x, density**2 * off ** (n - 2), own, sums)
    if n == 3:
        _over_three(bias, gains, x, density**3, own, sums)
    return sums


@njit(cache=True)
def loss_and_gradient(state, density, importance, n, m):
    """Return the exact loss of one state and its gradient."""
    W = state[: m * n].reshape(m, n)
    gram = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            for k in range(m):
                gram[i, j] += W[k, i] * W[k, j]
    gradient = np.zeros(len(state))
    loss = 0.0
    for i in range(n):
        share = importance if i == n - 1 else 1.0
        sums = _expectations(gram[i], state[m * n + i], density, i)
        loss += share * (density / 3 - 2 * sums[2] + sums[0])
        gradient[m * n + i] = share * (2 * sums[1] - 2 * sums[3])
        for j in range(n):
            slope = share * 2 * (sums[4 + j] - sums[4 + n + j])
            for k in range(m):
                gradient[k * n + i] += slope * W[k, j]
                gradient[k * n + j] += slope * W[k, i]
    return loss, gradient


@njit(cache=True)
def _hessian(state, gradient, density, importance, n, m):
    size = len(state)
    hessian = np.empty((size, size))
    for k in range(size):
        kept = state[k]
        state[k] = kept + _DIFFERENCE
        _, beside = loss_and_gradient(state, density, importance, n, m)
        state[k] = kept
        hessian[k] = (beside - gradient) / _DIFFERENCE
    return (hessian + hessian.T) / 2


@njit(cache=True)
def _newton_step(hessian, shift, gradient):
    """Solve (H + shift) step = -gradient by Cholesky's method; False if it is not positive."""
    size = len(gradient)
    lower = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            total = hessian[i, j] + (shift if i == j else 0.0)
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            if i > j:
                lower[i, j] = total / lower[j, j]
            elif total <= 0:
                return gradient, False
            else:
                lower[i, i] = np.sqrt(total)
    step = np.empty(size)
    for i in range(size):
        total = -gradient[i]
        for k in range(i):
            total -= lower[i, k] * step[k]
        step[i] = total / lower[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            step[i] -= lower[k, i] * step[k]
        step[i] /= lower[i, i]
    return step, True


@njit(cache=True)
def minimise(start, density, importance, n, m, radius):
    """Descend from a start in short Newton steps; return the state, its loss and gradient."""
    state = start.copy()
    loss, gradient = loss_and_gradient(state, density, importance, n, m)
    shift = 1e-9
    for _ in range(_ITERATIONS):
        size = np.sqrt((gradient**2).sum())
        if size < _STATIONARY:
            break
        hessian = _hessian(state, gradient, density, importance, n, m)
        moved = False
        while shift < 1e4:
            step, positive = _newton_step(hessian, shift, gradient)
            if positive and np.abs(step).max() < radius:
                trial, slopes = loss_and_gradient(state + step, density, importance, n, m)
                trial_size = np.sqrt((slopes**2).sum())
                rounding = 1e-15 * (loss + 1e-3)
                if trial < loss - rounding or (trial <= loss + rounding and trial_size < size):
                    state, loss, gradient, moved = state + step, trial, slopes, True
                    shift = max(shift / 30, 1e-9)
                    break
            shift = max(shift * 10, 1e-7)
        if not moved:
            break
    return state, loss, np.sqrt((gradient**2).sum())


@dataclass(frozen=True)
class State:
    """A stationary state: its vector, loss, norm of the gradient, W^T W and b."""

    vector: Array
    loss: float
    slope: float
    gram: Array
    bias: Array


def hidden(n: int) -> int:
    return n - 1


def stationary(
    vector: Array, density: float, importance: float, n: int, radius: float = _RADIUS
) -> State:
    """Return the stationary state below a vector."""
    m = hidden(n)
    found, loss, slope = minimise(
        np.asarray(vector, dtype=float), density, importance, n, m, radius
    )
    W = found[: m * n].reshape(m, n)
    return State(found, loss, slope, W.T @ W, found[m * n :])


def vector_of(W, b) -> Array:
    return np.concatenate([np.ravel(W), np.ravel(b)]).astype(float)


def distance(one: State, other: State, equal: bool = False) -> float:
    """Return how far apart two states are, up to rotations and equal features.

    `equal` says that the importances are all equal, so that the last feature may change places.
    """
    n = len(one.bias)
    orders = permutations(range(n)) if equal else ((*q, n - 1) for q in permutations(range(n - 1)))
    return min(
        max(
            np.abs(one.gram - other.gram[np.ix_(order, order)]).max(),
            np.abs(one.bias - other.bias[list(order)]).max(),
        )
        for order in orders
    )


def always_off(state: State) -> bool:
    """Whether an output never switches on: a plateau."""
    return bool((state.bias + np.maximum(state.gram, 0).sum(axis=1) <= 1e-9).any())


def settled(state: State, density: float, importance: float, rng, probes: int = _PROBES) -> State:
    """Return the minimum that descent from close by leads to: the state, if it is one."""
    n = len(state.bias)
    for _ in range(probes):
        moved = state.vector + _PROBE * rng.normal(size=len(state.vector))
        below = stationary(moved, density, importance, n, _SHORT)
        if below.loss < state.loss - 1e-15:  # else only rounding tells them apart
            state = below
    return state


def random_starts(n: int, count: int, rng) -> Array:
    weights = rng.normal(size=(count, n * hidden(n))) * rng.choice([0.3, 0.7, 1.0], (count, 1))
    return np.hstack([weights, rng.normal(0.1, 0.3, (count, n))])


def hand_picked_starts(n: int, density: float) -> Array:
    """Return the states that ignore one feature, or give it a short or long partner."""
    starts = []
    for k in range(n):
        bias = np.where(np.arange(n) == k, density / 2, 0.0)
        others = np.insert(np.eye(n - 1), k, 0.0, axis=1)
        starts.append(vector_of(others, bias))
        for partner, norm in product(range(n - 1), (0.2, 1, -0.2, -1)):
            pair = others.copy()
            pair[partner, k] = norm
            starts.append(vector_of(pair, bias))
    return np.array(starts)


def all_minima(density: float, importance: float, n: int, rng, starts: int = 60) -> list[State]:
    """Return the minima that random and hand-picked starts end in, lowest first, each once."""
    found: list[State] = []
    radii = [(start, _RADIUS) for start in random_starts(n, starts, rng)]
    radii += [(start, _CAREFUL) for start in hand_picked_starts(n, density)]
    for start, radius in radii:
        state = stationary(start, density, importance, n, radius)
        if not always_off(state) and all(distance(state, other) >= SAME for other in found):
            found.append(state)
    kept: list[State] = []
    for state in sorted(found, key=lambda state: state.loss):
        minimum = settled(state, density, importance, rng)
        new = all(distance(minimum, other) >= SAME for other in kept)
        if new and minimum.slope < _CONVERGED:
            kept.append(minimum)
    return sorted(kept, key=lambda state: state.loss)


def hessian(vector: Array, density: float, importance: float, n: int, step: float = 1e-5) -> Array:
    """Return the Hessian from central differences of the gradient."""
    size = len(vector)
    rows = np.empty((size, size))
    for k in range(size):
        beside = [
            loss_and_gradient(vector + sign * step * np.eye(size)[k], density, importance, n, n - 1)
            for sign in (1, -1)
        ]
        rows[k] = (beside[0][1] - beside[1][1]) / (2 * step)
    return (rows + rows.T) / 2


@dataclass(frozen=True)
class Loss:
    """Where a minimum that was followed is lost: (log p, log r), and the minimum before."""

    position: Array
    state: State


def _at(position: Array) -> tuple[float, float]:
    return min(float(np.exp(position[0])), 1.0), float(np.exp(position[1]))


def follow(state: State, here: Array, there: Array, rng, finest: float = 1e-4) -> State | Loss:
    """Follow a minimum along a segment of (log p, log r), in steps that can be taken back.

    A step that cannot, however short, leaves the minimum behind: it has ended.
    """
    n = len(state.bias)
    share, step, longest = 0.0, 0.05, 0.1
    length = float(np.linalg.norm(there - here))
    while share < 1:
        ahead = min(1.0, share + step)
        where, before = _at(here + ahead * (there - here)), _at(here + share * (there - here))
        moved = settled(stationary(state.vector, *where, n, _SHORT), *where, rng, 4)
        back = settled(stationary(moved.vector, *before, n, _SHORT), *before, rng, 4)
        if distance(moved, state) < 0.15 and distance(back, state) < 1e-3:
            state, share, step = moved, ahead, min(2 * step, longest)
        elif step * length > finest:
            step /= 4
        else:
            return Loss(here + share * (there - here), state)
    return state
