"""The lowest minimum that is known, which is to be certified: search, without any proof."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from phasediagram.certified.problem import Problem
from phasediagram.kernel.tables import with_terms
from phasediagram.minima.engine import Engine
from phasediagram.minima.search import starts_needed
from phasediagram.minima.starts import random_starts
from phasediagram.minima.state import Space
from phasediagram.parameters import Parameters
from phasediagram.toymodel.models import ToyModel

Array = NDArray[np.float64]

_FEW = 20  # random starts of one cell of a diagram, where a higher minimum only proves less
#: And others, W and b for n = 2, m = 1: in both orders of the features and about as strong.
_OPPOSITE = (
    (1.0, -1.0, 0.0, 0.0),
    (0.9, -0.5, 0.1, 0.1),
    (1.0, -0.2, 0.1, 0.2),
    (0.3, -1.0, 0.2, 0.1),
)


def lowest_known(problem: Problem, rng: int | np.random.Generator) -> tuple[Array, Array]:
    """Return weights and biases of the lowest minimum that is found.

    Returns
    -------
    W : ndarray, shape (m, n)
    b : ndarray, shape (n,)
    """
    space = _engine(problem.n, problem.m, problem.free_bias, bool(problem.penalty)).space
    starts = random_starts(space, starts_needed(space), np.random.default_rng(rng))
    return _lowest(problem, starts)[:2]


def lowest_of_few(problem: Problem) -> tuple[Array, Array, float]:
    """Return the lowest minimum below a few starts, always the same: W, b and the loss.

    For n = 2, m = 1.
    """
    return _lowest(problem, _few_starts())


def _lowest(problem: Problem, starts: Array) -> tuple[Array, Array, float]:
    engine = _engine(problem.n, problem.m, problem.free_bias, bool(problem.penalty))
    ends = engine.minimize_at(starts, _parameters(problem))
    lowest = int(np.argmin(ends.loss))
    x = ends.x[lowest]
    return engine.space.weights(x), engine.space.biases(x), float(ends.loss[lowest])


@lru_cache(maxsize=8)
def _engine(n: int, m: int, bias: bool, penalised: bool) -> Engine:
    alone = tuple((i,) for i in range(n))
    return Engine(Space(n, m, alone, bias=bias), terms=penalised or not bias)


@lru_cache(maxsize=1)
def _few_starts() -> Array:
    space = _engine(2, 1, True, False).space
    return np.concatenate([_OPPOSITE, random_starts(space, _FEW, np.random.default_rng(0))])


def _parameters(problem: Problem) -> Parameters:
    table = np.array([float(weight) for weight in problem.table])
    importance = np.array([float(x) for x in problem.importance])
    if problem.penalty or not problem.free_bias:
        model = ToyModel(problem.n, problem.m, bias=problem.free_bias)
        penalties = np.array([float(problem.penalty), 0.0])
        table = with_terms(model, table, importance, penalties)
    return Parameters(table, importance)
