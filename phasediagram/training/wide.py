"""The gradient on a batch for many features in few dimensions, through the hidden layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.toymodel.models import LINEAR, RELU

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]

_LEAST_FEATURES = 32  # below, calls cost more than arithmetic


def is_wide(n_features: int, n_hidden: int) -> bool:
    """Whether going through the hidden layer costs less than through W^T W.

    Per sample five products of m n numbers against two of n^2.
    """
    return n_features >= _LEAST_FEATURES and 5 * n_hidden < 2 * n_features


class WideBatchGradient:
    """The gradient of the loss on given batches, one for each model.

    The same as `phasediagram.training.gradients.BatchGradient`, but the products with W^T W are
    done with W one after the other, model by model: with h = W x and the errors e of the outputs
    that are on, the gradient of a sample is ``2 (h e^T + (W e) x^T)`` for W, ``2 e`` for b.

    Parameters
    ----------
    n_features, n_hidden, batch_size : int
    activation : {"relu", "linear"}
    """

    def __init__(
        self, n_features: int, n_hidden: int, batch_size: int, activation: str = RELU
    ) -> None:
        self._is_linear = activation == LINEAR
        self._hidden = np.ones((n_hidden + 1, batch_size), np.float32)
        self._errors = np.empty((n_features, batch_size), np.float32)
        self._on = np.empty((n_features, batch_size), np.bool_)
        self._back = np.empty((n_hidden, batch_size), np.float32)

    def __call__(
        self, W: Array, b: Array, importance: Array, inputs: Array32, unit: Array
    ) -> Array:
        """Return the gradient, shape (models, m * n + n).

        Parameters
        ----------
        W : ndarray, shape (models, m, n)
        b, importance : ndarray, shape (models, n)
        inputs : ndarray of single precision, shape (n + 1, models, batch_size)
            The features; the last row, of ones, is not needed.
        unit : ndarray, shape (models,)
            What to multiply the features in `inputs` by.
        """
        gradient = np.empty((len(W), W[0].size + b.shape[1]))
        for k in range(len(W)):
            gradient[k] = self._of_one(W[k], b[k], importance[k], inputs[:-1, k], float(unit[k]))
        return gradient

    def _of_one(self, W: Array, b: Array, importance: Array, x: Array32, unit: float) -> Array:
        m, n = W.shape
        affine = np.empty((m + 1, n), np.float32)
        affine[:m], affine[m] = W, b / unit
        np.matmul(affine[:m], x, out=self._hidden[:m])
        errors = np.matmul(affine.T, self._hidden, out=self._errors)
        if self._is_linear:
            errors -= x
        else:
            np.greater(errors, 0, out=self._on)
            errors -= x
            errors *= self._on
        by_hidden = np.matmul(self._hidden, errors.T).astype(np.float64)
        np.matmul((W * importance).astype(np.float32), errors, out=self._back)
        by_input = np.matmul(self._back, x.T).astype(np.float64)
        scale = 2 * unit / x.shape[1]
        gradient_W = (scale * unit) * (by_hidden[:m] * importance + by_input)
        return np.concatenate([gradient_W.ravel(), scale * importance * by_hidden[m]])
