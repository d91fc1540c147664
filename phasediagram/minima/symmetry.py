"""Which features the parameters make equal, and the space of states that follows."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from phasediagram.minima.engine import Engine
from phasediagram.minima.state import Space
from phasediagram.naming.geometry import dimensionalities
from phasediagram.parameters import Parameters, Plane
from phasediagram.toymodel.models import ToyModel

Array = NDArray[np.float64]

_DIGITS = 6  # of shares of dimensions, which are equal beyond
_SAME = 1e-13  # relative difference of parameters that are equal but for rounding
# shares of the ranges of axes at which nothing is equal that is not so everywhere
_GENERIC = ((0.3819, 0.7236), (0.6271, 0.2187), (0.1543, 0.5408))


def plane_engine(plane: Plane, m: int, threads: int = 1) -> Engine:
    """Return the compiled functions for a plane's model."""
    space = plane_space(plane, m)
    if plane.model is None:
        return Engine(space, threads)
    return Engine(space, threads, plane.model.activation, plane.has_terms)


def plane_space(plane: Plane, m: int) -> Space:
    """Return the space of states with the symmetry that holds all over a plane."""
    if plane.model is None:
        return Space(plane.n, m, (tuple(range(plane.n - 1)), (plane.n - 1,)))
    positions = [
        np.array(
            [
                low + share * (high - low)
                for share, (low, high) in zip(
                    shares,
                    (axis.coordinates([axis.start, axis.stop]) for axis in plane.axes),
                    strict=False,
                )
            ]
        )
        for shares in _GENERIC
    ]
    return space_of_parameters(plane.model, [plane.at(position) for position in positions], m)


def space_of_parameters(model: ToyModel, points: list[Parameters], m: int) -> Space:
    """Return the space of states with the symmetry that holds at all points."""
    n = model.n_features
    swaps = {(i, j) for i in range(n) for j in range(i) if _holds(points, _swapped(n, i, j))}
    classes: list[list[int]] = []
    for i in range(n):
        home = next((members for members in classes if (i, members[0]) in swaps), None)
        if home is None:
            classes.append([i])
        else:
            home.append(i)
    equal = tuple(map(tuple, classes))
    symmetries: tuple[tuple[int, ...], ...] = ()
    if model.groups or model.activity is not None:
        found = tuple(order for order in permutations(range(n)) if _holds(points, order))
        if len(found) > math.prod(math.factorial(len(members)) for members in classes):
            symmetries = found
    return Space(n, m, equal, symmetries, model.bias)


def least_of_the_last(space: Space, x: Array) -> Array:
    """Return the copy of a state in which the last feature has the fewest dimensions.

    Of several that with the most features in their places.
    """
    last = space.orders[:, -1]
    if (last == space.n - 1).all():
        return x
    W, b = space.weights(x), space.biases(x)
    shares = dimensionalities(W).round(_DIGITS)
    least = space.orders[shares[last] == shares[last].min()]
    order = least[int((least != np.arange(space.n)).sum(axis=1).argmin())]
    if (order == np.arange(space.n)).all():
        return x
    return np.concatenate([W[:, order].ravel(), b[order]])


def _swapped(n: int, i: int, j: int) -> tuple[int, ...]:
    order = list(range(n))
    order[i], order[j] = j, i
    return tuple(order)


def _holds(points: list[Parameters], order: tuple[int, ...]) -> bool:
    """Whether an order of the features changes neither table nor importances."""
    n = len(order)
    sets = np.arange(1 << n)
    moved = sum((sets >> i & 1) << j for i, j in enumerate(order))
    for at in points:
        pairs = (at.table[moved], at.table[: 1 << n]), (at.importance[list(order)], at.importance)
        if not all(np.allclose(one, other, _SAME, 0.0) for one, other in pairs):
            return False
    return True
