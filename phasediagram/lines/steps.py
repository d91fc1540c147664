"""Newton's steps in states and the position in the plane together, compiled (internal)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled
from phasediagram.kernel.packing import work_size
from phasediagram.kernel.pointers import evaluate_with_slopes_at
from phasediagram.kernel.signatures import Integer, Matrix, Nothing, Real, Vector
from phasediagram.minima.linear import solve_least
from phasediagram.minima.newton import stiffen_rotations

Array = NDArray[np.float64]

_SINGULAR = 1e-10  # pivots this much smaller than the largest are none


def solve(matrix: Array, right: Array) -> Array:
    """Solve linear equations; the shortest solution where a symmetry makes them singular."""
    solution = np.empty(len(right))
    solve_least(np.array(matrix, order="C"), np.array(right), _SINGULAR, solution)
    return solution


@compiled(
    Nothing(Integer, Integer, Integer, Vector, Matrix, Matrix, Vector, Real, Vector),
)
def pair_step(
    address: int,
    m: int,
    n: int,
    y: Array,
    tables: Array,
    importances: Array,
    constraint: Array,
    offset: float,
    step: Array,
) -> None:
    """Write Newton's step to where two stationary states have the same loss.

    Parameters
    ----------
    address : int
        Of the outputs' errors.
    m, n : int
    y : ndarray, shape (2 d + 2,)
        Both states and the position.
    tables, importances : ndarray, shape (3, 2^n) and (3, n)
        The parameters at the position, and those whose losses are the derivatives by it.
    constraint, offset : ndarray, shape (2 d + 2,) and float
        The last equation: the step's product with `constraint` is ``-offset``.
    step : ndarray, shape (2 d + 2,)
    """
    d = m * n + n
    work = np.empty(work_size(n, m))
    losses, gradients, hessian = np.empty(3), np.empty((3, d)), np.empty((d, d))
    matrix, right = np.zeros((2 * d + 2, 2 * d + 2)), np.zeros(2 * d + 2)
    for k in range(2):
        at, sign = k * d, 1.0 - 2.0 * k
        x = y[at : at + d]
        evaluate_with_slopes_at(
            address,
            m,
            n,
            x,
            tables[0],
            importances[0],
            tables[1:],
            importances[1:],
            losses,
            gradients,
            hessian,
            work,
        )
        stiffen_rotations(m, n, x, hessian, 1.0)
        for i in range(d):
            for j in range(d):
                matrix[at + i, at + j] = hessian[i, j]
            matrix[at + i, 2 * d] = gradients[1, i]
            matrix[at + i, 2 * d + 1] = gradients[2, i]
            right[at + i] = -gradients[0, i]
            matrix[2 * d, at + i] = sign * gradients[0, i]
        matrix[2 * d, 2 * d] += sign * losses[1]
        matrix[2 * d, 2 * d + 1] += sign * losses[2]
        right[2 * d] -= sign * losses[0]
    for i in range(2 * d + 2):
        matrix[2 * d + 1, i] = constraint[i]
    right[2 * d + 1] = -offset
    solve_least(matrix, right, _SINGULAR, step)
