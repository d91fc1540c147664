"""Batches of sparse uniform features for many models, each from its own random stream.

A feature is active with probability p and then uniform on [0, 1].  One uniform number u
decides both: ``x = max(0, (u - (1 - p)) / p)``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]

# u has 32 random bits, of which single precision keeps 25 near 1: below this density
# an active feature would take fewer than some 3000 values
MIN_SAMPLED_DENSITY = 1e-4

_DRAWN_AT_ONCE = 2**14  # numbers per model: one call for several steps saves overhead


def stream(seed: int, point: int, run: int, block: int) -> np.random.Generator:
    """Return the random numbers of one block of steps of one run.

    They depend on these four numbers alone, so neither on what else is trained nor on
    where an interrupted run resumes.
    """
    key = np.random.SeedSequence(seed, spawn_key=(point, run, block))
    return np.random.Generator(np.random.SFC64(key))


def unit(density: Array) -> Array:
    """Return the value of a feature that 1 in `FeatureSampler.draw` stands for."""
    return np.asarray(1 / (2.0**32 * density))


class FeatureSampler:
    """Sampled features of a group of models, step by step.

    Parameters
    ----------
    density : ndarray, shape (models,)
    generators : list of Generator
        One per model.
    n_features, batch_size : int
    """

    def __init__(
        self,
        density: Array,
        generators: list[np.random.Generator],
        n_features: int,
        batch_size: int,
    ) -> None:
        models = len(generators)
        self._sources = [generator.bit_generator for generator in generators]
        self._offsets = (2.0**32 * (density - 0.5)).astype(np.float32)
        self._shape = (n_features, batch_size)
        self._words = -(-n_features * batch_size // 2)  # of 64 bits, two numbers each
        self._ahead = max(1, _DRAWN_AT_ONCE // (n_features * batch_size))
        shape = (self._ahead, n_features + 1, models, batch_size)
        self._drawn = np.ones(shape, np.float32)
        # with an array of zeros numpy takes its fast loop, with the scalar it does not
        self._zeros = np.zeros((self._ahead, n_features * batch_size), np.float32)
        self._next = self._ahead

    def draw(self) -> Array32:
        """Return the next step's features in multiples of `unit`, and a last row of ones.

        The shape is (n + 1, models, batch_size).  Later calls overwrite the array.
        """
        if self._next == self._ahead:
            self._refill()
        self._next += 1
        return np.asarray(self._drawn[self._next - 1])

    def _refill(self) -> None:
        n, batch_size = self._shape
        for model, source in enumerate(self._sources):
            words: NDArray[np.uint64] = source.random_raw(self._ahead * self._words)
            centred = words.view(np.int32).reshape(self._ahead, 2 * self._words)
            numbers = centred[:, : n * batch_size].astype(np.float32)
            numbers += self._offsets[model]
            np.maximum(numbers, self._zeros, out=numbers)
            self._drawn[:, :n, model] = numbers.reshape(self._ahead, n, batch_size)
        self._next = 0
