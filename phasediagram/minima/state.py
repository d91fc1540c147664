"""States: W and b as one vector x = (W.ravel(), b), and what leaves a state the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

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
    def orders(self) -> NDArray[np.intp]:
        """Orders of the features that keep the classes, the identity first, (orders, n)."""
        if self.symmetries:
            return np.array(self.symmetries, dtype=np.intp)
        orders = [np.arange(self.n)]
        for members in self.equal:
            extended = []
            for order in orders:
                for arrangement in permutations(members):
                    changed = order.copy()
                    changed[list(members)] = order[list(arrangement)]
                    extended.append(changed)
            orders = extended
        return np.array(orders, dtype=np.intp)

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

    def copies(self, signature: Array) -> Array:
        """Return the signatures of all copies in other orders, (orders, ..., n, n + 1)."""
        rows, columns = self._places
        return np.moveaxis(signature[..., rows, columns], -3, 0)

    @cached_property
    def _places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns of the entries of a signature that copies have in its places."""
        last = np.full((len(self.orders), 1), self.n)
        columns = np.concatenate([self.orders, last], axis=1)
        return self.orders[:, :, None], columns[:, None, :]

    def distance(self, x: Array, other: Array) -> Array:
        """Return the largest difference of W^T W and b over the nearest copies, (...)."""
        difference = np.abs(self.copies(self.signature(x)) - self.signature(other))
        return np.asarray(difference.max(axis=(-1, -2)).min(axis=0))

    def distances(self, x: Array, others: Array) -> Array:
        """Return the distances of states x (k, d) from others (q, d), shape (k, q)."""
        copies = self.copies(self.signature(x))[:, :, None]
        difference = np.abs(copies - self.signature(others)[None, None])
        return np.asarray(difference.max(axis=(-1, -2)).min(axis=0))

    def aligned_copies(self, x: Array, to: Array) -> Array:
        """Return the copies of a state in all orders, each turned towards another state."""
        W, b, target = self.weights(x), self.biases(x), self.weights(to)
        copies = []
        for order in self.orders:
            left, _, right = np.linalg.svd(target @ W[:, order].T)
            copies.append(np.concatenate([(left @ right @ W[:, order]).ravel(), b[order]]))
        return np.array(copies)

    def nearest_copy(self, x: Array, to: Array) -> Array:
        """Return the copy of a state that is nearest to another as a vector."""
        copies = self.aligned_copies(x, to)
        return np.asarray(copies[np.abs(copies - to).max(axis=1).argmin()])
