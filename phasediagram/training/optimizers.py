"""Update rules and learning-rate schedules for many models at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_FIRST_DECAY, _SECOND_DECAY, _EPSILON = 0.9, 0.999, 1e-8


@dataclass
class OptimizerState:
    """Where a batch of models stands.

    Attributes
    ----------
    parameters : ndarray, shape (models, size)
        ``W.ravel()``, then b.
    first, second : ndarray, shape (models, size)
        Adam's running means of the gradient and of its square; 0 for plain descent.
    """

    parameters: Array
    first: Array
    second: Array


def adam(state: OptimizerState, gradient: Array, step: int, rate: float) -> None:
    """Update `state` in place by Adam (Kingma & Ba, 2015, algorithm 1), `step` from 0.

    Decays 0.9 and 0.999, epsilon 1e-8.
    """
    state.first *= _FIRST_DECAY
    state.first += (1 - _FIRST_DECAY) * gradient
    state.second *= _SECOND_DECAY
    state.second += (1 - _SECOND_DECAY) * gradient**2
    scale = np.sqrt(state.second / (1 - _SECOND_DECAY ** (step + 1)))
    state.parameters -= (rate / (1 - _FIRST_DECAY ** (step + 1))) * state.first / (scale + _EPSILON)


def gradient_descent(state: OptimizerState, gradient: Array, step: int, rate: float) -> None:
    """Update `state` in place by one step of plain gradient descent."""
    state.parameters -= rate * gradient


@dataclass(frozen=True)
class Optimizer:
    """An update rule and what it follows.

    Attributes
    ----------
    update : callable
        Takes the state, the gradient, the step (from 0) and the learning rate.
    sampled : bool
        Whether the gradient comes from sampled batches or is exact.
    learning_rate : float
        The default.
    """

    update: Callable[[OptimizerState, Array, int, float], None]
    sampled: bool
    learning_rate: float


OPTIMIZERS = {
    "adam": Optimizer(adam, sampled=True, learning_rate=1e-3),
    # the largest round number that is stable up to relative importance 10
    "sgd": Optimizer(gradient_descent, sampled=True, learning_rate=1e-2),
    "exact": Optimizer(adam, sampled=False, learning_rate=1e-3),
}

# factor of the learning rate, given the share of the steps already taken
SCHEDULES: dict[str, Callable[[float], float]] = {
    "cosine": lambda share: 0.5 * (1 + cos(pi * share)),
    "linear": lambda share: 1 - share,
    "constant": lambda share: 1.0,
}
