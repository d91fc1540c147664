"""States: W and b as one vector x = (W.ravel(), b), and what leaves a state the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.signatures import (
    Indices,
    Integer,
    Matrix,
    Nothing,
    Orders,
    Real,
    Vector,
)

Array = NDArray[np.float64]

SAME_STATE = 1e-5  # largest difference of W^T W and b of two computed copies of one state


@dataclass(frozen=True)
class Space:
    """The space of states of n features in m hidden dimensions, and its symmetry.

    States are the same up to rotations of the hidden space and up to the order of features
    that the parameters make equal.

    Attributes
    ----------
    n, m : int
    equal : tuple of tuple of int
        The classes of interchangeable features; together all of 0 ... n - 1.
    symmetries : tuple of tuple of int
        If groups of features can be exchanged too: all orders that change nothing, the identity
        first.
    bias : bool
        Whether biases vary; without, they are 0.
    """

    n: int
    m: int
    equal: tuple[tuple[int, ...], ...]
    symmetries: tuple[tuple[int, ...], ...] = ()
    bias: bool = True

    @property
    def size(self) -> int:
        """Number of variables, m n + n."""
        return self.m * self.n + self.n

    @cached_property
    def orders(self) -> NDArray[np.int64]:
        """Orders of the features that keep the classes, the identity first, (orders, n)."""
        if self.symmetries:
            return np.array(self.symmetries, dtype=np.int64)
        orders = [np.arange(self.n)]
        for members in self.equal:
            extended = []
            for order in orders:
                for arrangement in permutations(members):
                    changed = order.copy()
                    changed[list(members)] = order[list(arrangement)]
                    extended.append(changed)
            orders = extended
        return np.array(orders, dtype=np.int64)

    def weights(self, x: Array) -> Array:
        """Return W, shape (..., m, n)."""
        return x[..., : self.m * self.n].reshape(*x.shape[:-1], self.m, self.n)

    def biases(self, x: Array) -> Array:
        """Return b, shape (..., n)."""
        return x[..., self.m * self.n :]

    def gram(self, x: Array) -> Array:
        """Return W^T W, shape (..., n, n)."""
        W = self.weights(x)
        return np.asarray(np.swapaxes(W, -1, -2) @ W)

    def signature(self, x: Array) -> Array:
        """Return W^T W and b, (..., n, n + 1): the same for all rotations of a state."""
        return np.concatenate([self.gram(x), self.biases(x)[..., None]], axis=-1)

    def preactivations(self, x: Array) -> Array:
        """Return every output's Z at every corner of the feature cube, (..., n, 2^n)."""
        active = np.arange(2**self.n) >> np.arange(self.n)[:, None] & 1
        return np.asarray(self.gram(x) @ active + self.biases(x)[..., None])

    def distance(self, x: Array, other: Array) -> float:
        """Return the largest difference of W^T W and b over the nearest copies of states (d,)."""
        return float(self.distances(x[None], other[None])[0, 0])

    def distances(self, x: Array, others: Array) -> Array:
        """Return the distances of states x (k, d) from others (q, d), shape (k, q)."""
        out = np.empty((len(x), len(others)))
        rows = (np.ascontiguousarray(states, dtype=np.float64) for states in (x, others))
        distances_between(self.m, self.n, self.orders, *rows, out)
        return out

    def aligned_copies(self, x: Array, to: Array) -> Array:
        """Return the copies of a state in all orders, each turned towards another state."""
        W = self.weights(x)[:, self.orders].swapaxes(0, 1)
        left, _, right = np.linalg.svd(self.weights(to) @ W.swapaxes(1, 2))
        turned = left @ right @ W
        return np.concatenate([turned.reshape(len(W), -1), self.biases(x)[self.orders]], axis=1)

    def nearest_copy(self, x: Array, to: Array) -> Array:
        """Return the copy of a state that is nearest to another as a vector."""
        copies = self.aligned_copies(x, to)
        return np.asarray(copies[np.abs(copies - to).max(axis=1).argmin()])


@compiled(Nothing(Integer, Integer, Vector, Vector))
def _write_signature(m: int, n: int, x: Array, signature: Array) -> None:
    """Write W^T W, row by row, then b."""
    for i in range(n):
        for j in range(n):
            total = 0.0
            for k in range(m):
                total += x[k * n + i] * x[k * n + j]
            signature[i * n + j] = total
        signature[n * n + i] = x[m * n + i]


@compiled(Real(Integer, Orders, Vector, Vector))
def _nearest(n: int, orders: Array, signature: Array, other: Array) -> float:
    """Return the distance of one signature from the nearest copy of another."""
    nearest = np.inf
    for k in range(orders.shape[0]):
        order = orders[k]
        farthest = 0.0
        for i in range(n):
            far = abs(signature[n * n + order[i]] - other[n * n + i])
            if far > farthest:
                farthest = far
            for j in range(i + 1):
                far = abs(signature[order[i] * n + order[j]] - other[i * n + j])
                if far > farthest:
                    farthest = far
            if not farthest < nearest:
                break
        if farthest < nearest:
            nearest = farthest
    return nearest


@compiled(Nothing(Integer, Integer, Orders, Matrix, Matrix, Matrix))
def distances_between(m: int, n: int, orders: Array, x: Array, others: Array, out: Array) -> None:
    """Write the distances of states x (k, d) from others (q, d) into `out` (k, q)."""
    signature, signatures = np.empty(n * n + n), np.empty((len(others), n * n + n))
    for q in range(len(others)):
        _write_signature(m, n, others[q], signatures[q])
    for k in range(len(x)):
        _write_signature(m, n, x[k], signature)
        for q in range(len(others)):
            out[k, q] = _nearest(n, orders, signature, signatures[q])


@compiled(Integer(Integer, Integer, Orders, Matrix, Vector, Real, Real, Indices))
def select_distinct(
    m: int,
    n: int,
    orders: Array,
    x: Array,
    loss: Array,
    same_loss: float,
    same_state: float,
    kept: NDArray[np.int64],
) -> int:
    """Write the rows of x that no earlier one is a copy of into `kept`; return how many."""
    signatures = np.empty((len(x), n * n + n))
    count = 0
    for k in range(len(x)):
        _write_signature(m, n, x[k], signatures[count])
        is_new = True
        for q in range(count):
            if (
                abs(loss[k] - loss[kept[q]]) < same_loss
                and _nearest(n, orders, signatures[count], signatures[q]) < same_state
            ):
                is_new = False
                break
        if is_new:
            kept[count] = k
            count += 1
    return count
