"""What other models than the paper's need in training: samples, terms of the loss, scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.toymodel.models import (
    ALONE,
    ANTICORRELATED,
    CORRELATED,
    LINEAR,
    Group,
    ToyModel,
)

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]

SCORED_SAMPLES = 2**18  # of the estimate of a loss that is not computed exactly
_SCORED_AT_ONCE = 2**14


def sample(model: ToyModel, density: Array, count: int, generator: np.random.Generator) -> Array32:
    """Return samples of the features, shape (n, count).

    Parameters
    ----------
    model : ToyModel
    density : ndarray, shape (n,)
        Of a group the first member's counts.
    count : int
    generator : Generator
    """
    n = model.n_features
    values = generator.random((n, count), dtype=np.float32)
    if model.activity is not None:
        bounds = np.cumsum(model.activity)
        sets = np.searchsorted(bounds[:-1], generator.random(count), side="right")
        return np.asarray(values * (sets[None] >> np.arange(n)[:, None] & 1), dtype=np.float32)
    active = np.zeros((n, count), dtype=bool)
    for block in model.blocks:
        members = list(block.features)
        active[members] = _active(block, float(density[members[0]]), count, generator)
    return np.where(active, values, np.float32(0))


def _active(
    block: Group, p: float, count: int, generator: np.random.Generator
) -> NDArray[np.bool_]:
    """Return which members of a block are active, shape (members, count)."""
    size = len(block.features)
    if block.kind == CORRELATED:
        q = p + block.strength * (1 - p)
        on = generator.random(count) < p / q
        return np.asarray(on & (generator.random((size, count)) < q))
    on = generator.random(count) < p
    if block.kind == ALONE:
        return on[None]
    if block.kind == ANTICORRELATED:
        chosen = generator.integers(size, size=count)
        return np.asarray(on & (chosen[None] == np.arange(size)[:, None]))
    return np.stack([on, on & (generator.random(count) < block.strength)])


class ModelSampler:
    """Sampled features of a group of models, step by step, whatever is assumed of them.

    Parameters
    ----------
    model : ToyModel
    density : ndarray, shape (models, n)
    generators : list of Generator
        One per model.
    batch_size : int
    """

    def __init__(
        self,
        model: ToyModel,
        density: Array,
        generators: list[np.random.Generator],
        batch_size: int,
    ) -> None:
        self._model, self._density, self._generators = model, density, generators
        shape = (model.n_features + 1, len(generators), batch_size)
        self._drawn = np.ones(shape, np.float32)

    def draw(self) -> Array32:
        """Return the next step's features, and a last row of ones, (n + 1, models, batch_size)."""
        for k, generator in enumerate(self._generators):
            count = self._drawn.shape[2]
            self._drawn[:-1, k] = sample(self._model, self._density[k], count, generator)
        return self._drawn


def add_terms(model: ToyModel, W: Array, gradient: Array) -> Array:
    """Return gradients (k, m n + n) with what penalties add, and none for frozen biases.

    Parameters
    ----------
    model : ToyModel
    W : ndarray, shape (k, m, n)
    gradient : ndarray, shape (k, m * n + n)
    """
    found = np.array(gradient)
    split = W.shape[1] * W.shape[2]
    gram = np.swapaxes(W, 1, 2) @ W
    gram -= gram * np.eye(W.shape[2])
    added = 4 * model.interference_penalty * (W @ gram) + 2 * model.weight_decay * W
    found[:, :split] += added.reshape(len(W), split)
    if not model.bias:
        found[:, split:] = 0.0
    return found


def linear_loss(W: Array, b: Array, density: Array, importance: Array) -> Array:
    """Return the exact losses of linear models of independent features, for any n.

    Parameters
    ----------
    W : ndarray, shape (k, m, n)
    b, density, importance : ndarray, shape (k, n)

    Notes
    -----
    ``sum_i I_i [sum_j e_ij^2 (p_j / 3 - p_j^2 / 4) + (sum_j e_ij p_j / 2 - b_i)^2]`` with
    ``e = 1 - W^T W``.
    """
    e = np.eye(W.shape[2]) - np.swapaxes(W, 1, 2) @ W
    variance = density / 3 - density**2 / 4
    mean = np.einsum("kij,kj->ki", e, density) / 2 - b
    return np.asarray((importance * (np.einsum("kij,kj->ki", e**2, variance) + mean**2)).sum(1))


def penalties(model: ToyModel, W: Array) -> Array:
    """Return what penalties add to the losses of W (k, m, n)."""
    gram = np.swapaxes(W, 1, 2) @ W
    squares = gram**2
    off = squares.sum(axis=(1, 2)) - np.einsum("kii->k", squares)
    return np.asarray(
        model.interference_penalty * off + model.weight_decay * (W**2).sum(axis=(1, 2))
    )


def estimated_losses(
    model: ToyModel,
    W: Array,
    b: Array,
    density: Array,
    importance: Array,
    seed: int,
    samples: int = SCORED_SAMPLES,
) -> tuple[Array, Array]:
    """Return the losses of models on one fixed large sample, and their standard errors.

    Parameters
    ----------
    model : ToyModel
    W : ndarray, shape (k, m, n)
    b : ndarray, shape (k, n)
    density, importance : ndarray, shape (n,)
    seed : int
        The same one gives the same sample.
    samples : int

    Returns
    -------
    loss, error : ndarray, shape (k,)
    """
    generator = np.random.Generator(np.random.SFC64(seed))
    errors = np.empty((len(W), samples // _SCORED_AT_ONCE, _SCORED_AT_ONCE))
    for part in range(errors.shape[1]):
        x = sample(model, density, _SCORED_AT_ONCE, generator).astype(np.float64)
        for k in range(len(W)):
            z = W[k].T @ (W[k] @ x) + b[k][:, None]
            output = z if model.activation == LINEAR else np.maximum(z, 0)
            errors[k, part] = importance @ (x - output) ** 2
    found = errors.reshape(len(W), -1)
    return found.mean(axis=1) + penalties(model, W), found.std(axis=1) / np.sqrt(found.shape[1])
