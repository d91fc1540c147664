"""Gradients that training follows: of the loss on sampled batches, and of the exact loss."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.packing import evaluate_many
from phasediagram.kernel.rows import rows_kernel
from phasediagram.kernel.tables import activity_table, with_terms
from phasediagram.model import MAX_MAGNITUDE
from phasediagram.toymodel.models import LINEAR, RELU, ToyModel
from phasediagram.training.assumptions import ModelSampler, add_terms
from phasediagram.training.sampling import FeatureSampler, stream, unit
from phasediagram.training.wide import WideBatchGradient, is_wide

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]

_CACHE = 2**19  # numbers of single precision in the arrays of a group of models


class Gradient(Protocol):
    """The gradient of the loss of some models, step by step."""

    def __call__(self, parameters: Array) -> Array:
        """Return the gradient at `parameters`, both of shape (models, m * n + n)."""
        ...


class ExactGradient:
    """The gradient of the exact expected loss; NaN where that is not defined.

    Parameters
    ----------
    densities, importance : ndarray, shape (models, n)
    model : ToyModel
    """

    def __init__(self, densities: Array, importance: Array, model: ToyModel) -> None:
        self._n = importance.shape[1]
        self._rows = rows_kernel(self._n, model.activation, model.has_terms)
        self._tables = activity_table(model, densities)
        if model.has_terms:
            penalties = np.array([model.interference_penalty, model.weight_decay])
            self._tables = with_terms(model, self._tables, importance, penalties)
        self._importance = np.array(importance, dtype=np.float64, order="C")
        self._losses, self._no_hessian = np.empty(len(densities)), np.empty((1, 1, 1))

    def __call__(self, parameters: Array) -> Array:
        """Return the gradient at `parameters`, both of shape (models, m * n + n)."""
        usable = within_bounds(parameters)
        x = np.array(np.where(usable[:, None], parameters, 0.0), order="C")
        gradient = np.empty_like(x)
        evaluate_many(
            self._rows,
            x.shape[1] // self._n - 1,
            self._n,
            x,
            self._tables,
            self._importance,
            self._losses,
            gradient,
            self._no_hessian,
            1,
        )
        return np.where(usable[:, None], gradient, np.nan)


class SampledGradient:
    """The gradient of the loss on a fresh batch at every step of a block of steps.

    Parameters
    ----------
    densities, importance : ndarray, shape (models, n)
    model : ToyModel
    batch_size : int
    seed : int
    points, runs : ndarray of int, shape (models,)
    block : int
        Which random streams to use, see `phasediagram.training.sampling.stream`.
    """

    def __init__(
        self,
        densities: Array,
        importance: Array,
        model: ToyModel,
        batch_size: int,
        seed: int,
        points: NDArray[np.intp],
        runs: NDArray[np.intp],
        block: int,
    ) -> None:
        models, n = importance.shape
        self._model, self._importance = model, importance
        length = min(models, max(1, _CACHE // ((4 * n + 2) * batch_size)))
        self._groups = [slice(i, min(i + length, models)) for i in range(0, models, length)]
        self._batch: BatchGradient | WideBatchGradient
        if is_wide(n, model.hidden):
            self._batch = WideBatchGradient(n, model.hidden, batch_size, model.activation)
        else:
            self._batch = BatchGradient(length, n, batch_size, model.activation)
        generators = [
            stream(seed, point, run, block)
            for point, run in zip(points.tolist(), runs.tolist(), strict=True)
        ]
        self._samplers: list[FeatureSampler | ModelSampler]
        is_plain = not model.groups and model.activity is None
        if is_plain and (densities == densities[:, :1]).all():
            density = densities[:, 0]
            self._unit = unit(density)
            self._samplers = [
                FeatureSampler(density[group], generators[group], n, batch_size)
                for group in self._groups
            ]
        else:
            self._unit = np.ones(models)
            self._samplers = [
                ModelSampler(model, densities[group], generators[group], batch_size)
                for group in self._groups
            ]

    def __call__(self, parameters: Array) -> Array:
        """Return the gradient at `parameters`, both of shape (models, m * n + n)."""
        W, b = unpack(parameters, self._importance.shape[1])
        gradient = np.empty_like(parameters)
        for group, sampler in zip(self._groups, self._samplers, strict=True):
            gradient[group] = self._batch(
                W[group],
                b[group],
                self._importance[group],
                sampler.draw(),
                self._unit[group],
            )
        return add_terms(self._model, W, gradient) if self._model.has_terms else gradient


class BatchGradient:
    """The gradient of the loss on given batches, one for each of up to `models` models.

    The loss is ``sum_i importance_i (x_i - x'_i)^2``, averaged over the batch.  Sums
    over the batch are in single precision, whose rounding is far below their noise.

    Parameters
    ----------
    models, n_features, batch_size : int
    activation : {"relu", "linear"}
    """

    def __init__(
        self, models: int, n_features: int, batch_size: int, activation: str = RELU
    ) -> None:
        self._is_linear = activation == LINEAR
        self.shape = (models, n_features, batch_size)
        self._errors = np.empty((n_features, models, batch_size), np.float32)
        self._signs = np.empty((n_features, models, batch_size), np.int32)

    def __call__(
        self, W: Array, b: Array, importance: Array, inputs: Array32, unit: Array
    ) -> Array:
        """Return the gradient, shape (models, m * n + n).

        Parameters
        ----------
        W : ndarray, shape (models, m, n)
        b, importance : ndarray, shape (models, n)
        inputs : ndarray of single precision, shape (n + 1, models, batch_size)
            The features; the last row holds ones, which carry the bias through the
            matrix products.
        unit : ndarray, shape (models,)
            What to multiply the features in `inputs` by.
        """
        models, n, batch_size = len(W), *self.shape[1:]
        errors = self._errors[:, :models]
        affine = np.empty((models, n, n + 1), np.float32)
        np.matmul(W.swapaxes(1, 2), -W, out=affine[:, :, :n], casting="same_kind")
        affine[:, :, n] = -b / unit[:, None]
        np.matmul(affine, inputs.swapaxes(0, 1), out=errors.swapaxes(0, 1))
        self._to_errors(models, inputs)
        moments = np.matmul(errors.swapaxes(0, 1), inputs.transpose(1, 2, 0)).astype(np.float64)
        moments *= (-2 / batch_size * importance * unit[:, None])[:, :, None]
        gradient_gram = moments[:, :, :n] * unit[:, None, None]
        gradient_W = np.matmul(W, gradient_gram + gradient_gram.swapaxes(1, 2))
        return pack(gradient_W, moments[:, :, n])

    def _to_errors(self, models: int, inputs: Array32) -> None:
        """Turn minus the pre-activations into x - x' where an output is on, 0 elsewhere.

        The sign bit, spread over the word, is the mask: no branch and no conversion.
        """
        errors, signs = self._errors[:, :models], self._signs[:, :models]
        if self._is_linear:
            np.add(errors, inputs[:-1], out=errors)
            return
        bits = errors.view(np.int32)
        np.right_shift(bits, 31, out=signs)
        np.add(errors, inputs[:-1], out=errors)
        np.bitwise_and(bits, signs, out=bits)


def pack(W: Array, b: Array) -> Array:
    """Return W (..., m, n) and b (..., n) as vectors (..., m * n + n)."""
    return np.concatenate([W.reshape(*W.shape[:-2], -1), b], axis=-1)


def unpack(parameters: Array, n: int) -> tuple[Array, Array]:
    """Return W (..., m, n) and b (..., n) from vectors (..., m * n + n)."""
    W = parameters[..., :-n]
    return W.reshape(*W.shape[:-1], W.shape[-1] // n, n), parameters[..., -n:]


def within_bounds(parameters: Array) -> NDArray[np.bool_]:
    """Return which of the vectors (..., size) the exact loss accepts."""
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(parameters) <= MAX_MAGNITUDE).all(axis=-1))
