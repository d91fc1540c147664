"""The lowest minimum at each point of a grid, followed from point to point; compiled (internal).

A grid is held as arrays over its points, numbered row * stride + column, rows by density and
columns by relative importance; only the first `columns` of each row are looked at.  Tables and
tolerances have one row for each row of the grid, importances one for each of its columns; or both
have one for each point.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled, inlined
from phasediagram.kernel.packing import evaluate, work_size
from phasediagram.kernel.pointers import rows_at
from phasediagram.kernel.signatures import Integer, Matrix, Nothing, Real, Vector
from phasediagram.minima.newton import minimize

Array = NDArray[np.float64]
Points = NDArray[np.int64]

Integers = types.int64[::1]

COMPETITIVE = 1.1  # a minimum whose loss is this many times the lowest can become lowest near by
IMPROVEMENT = 1e-12  # a smaller relative gain is rounding

_ITERATIONS = 100
_RADIUS = 0.1
_DIFFERENT = 0.02  # of `invariants`: more is another minimum, or a long step
_COARSE_SLOPE = 1e7  # times the tolerance: where it shows whether a pushed state comes back
_BACK = 1e-4  # of `invariants`: a state that has come back
_TIED = 1e-9  # relative gain that a coarse descent does not settle


@compiled(Nothing(Integer, Integer, Vector, Vector, Vector))
def invariants(m: int, n: int, x: Array, label: Array, out: Array) -> None:
    """Write numbers, shape (3 n + 2,), that rotations and exchanges leave the same.

    Features with the same label can be exchanged: sums over them of |W_i|^2, |W_i|^4 and b_i,
    and the sums of all products of directions, and of their squares.
    """
    out[:] = 0.0
    for i in range(n):
        for j in range(n):
            product = 0.0
            for k in range(m):
                product += x[k * n + i] * x[k * n + j]
            out[3 * n] += product
            out[3 * n + 1] += product * product
            if i == j:
                place = 3 * int(label[i])
                out[place] += product
                out[place + 1] += product * product
                out[place + 2] += x[m * n + i]


@compiled(Real(Integer, Integer, Vector, Vector, Vector, Vector, Vector))
def difference(
    m: int, n: int, x: Array, other: Array, label: Array, own: Array, others: Array
) -> float:
    """Return the largest difference of the invariants of two states."""
    invariants(m, n, x, label, own)
    invariants(m, n, other, label, others)
    largest = 0.0
    for i in range(own.size):
        largest = max(largest, abs(own[i] - others[i]))
    return largest


@inlined
def _minimize_at(
    rows: Any,
    m: int,
    n: int,
    tables: Array,
    importances: Array,
    tolerances: Array,
    in_tables: int,
    in_importances: int,
    factor: float,
    x: Array,
    info: Array,
    work: Array,
) -> float:
    """Descend from x, in place, at a point of the grid to `factor` times the tolerance."""
    value = minimize(
        rows,
        m,
        n,
        x,
        tables[in_tables],
        importances[in_importances],
        factor * tolerances[in_tables],
        _ITERATIONS,
        _RADIUS,
        info,
        work,
    )
    return float(value)


@compiled(
    Nothing(
        Integer,
        Integer,
        Integer,
        Matrix,
        Matrix,
        Vector,
        Vector,
        Vector,
        Matrix,
        Vector,
        Integer,
        Integers,
        Vector,
    )
)
def flood(
    address: int,
    m: int,
    n: int,
    tables: Array,
    importances: Array,
    tolerances: Array,
    log_density: Array,
    log_importance: Array,
    x: Array,
    loss: Array,
    stride: int,
    block: Points,
    start: Array,
) -> None:
    """Follow a minimum from a node over a block of the grid, and keep it where it is lowest.

    It is followed along the node's column and from there along each row, until it costs much
    more than what is known.

    Parameters
    ----------
    block : ndarray of int, shape (6,)
        First and last row, plus one; first and last column, plus one; the node's row and column.
    start : ndarray, shape (d,)
        The minimum at the node.
    """
    rows = rows_at(address)
    first_row, end_row, first_column, end_column, node_row, node_column = (
        block[0], block[1], block[2], block[3], block[4], block[5],
    )  # fmt: skip
    size = start.size
    many_tables, many_importances = (
        tables.shape[0] == x.shape[0],
        importances.shape[0] == x.shape[0],
    )
    work, info = np.empty(work_size(n, m)), np.empty(2)
    width = end_column - first_column
    branch = np.empty(((end_row - first_row) * width, size))
    known = np.zeros((end_row - first_row) * width)
    trial = np.empty(size)
    # along the node's column (line = -1), then along every row, both ways from the node's column
    for line in range(-1, end_row - first_row):
        for way in (-1, 1):
            if line == -1:
                begin, end = node_row, (first_row - 1 if way == -1 else end_row)
            else:
                begin, end = node_column, (first_column - 1 if way == -1 else end_column)
                if known[line * width + node_column - first_column] == 0.0:
                    continue
            before, last = -1, -1
            for step in range(abs(end - begin)):
                at = begin + way * step
                row, column = (at, node_column) if line == -1 else (first_row + line, at)
                place = (row - first_row) * width + column - first_column
                if step == 0 and (line >= 0 or way == 1):
                    if known[place] == 0.0:
                        break
                    last = place
                    continue
                for i in range(size):
                    trial[i] = start[i] if last < 0 else branch[last, i]
                if before >= 0:
                    axis = log_density if line == -1 else log_importance
                    step_before = axis[at - way] - axis[at - 2 * way]
                    if step_before != 0.0:
                        share = min((axis[at] - axis[at - way]) / step_before, 2.0)
                        for i in range(size):
                            trial[i] += share * (branch[last, i] - branch[before, i])
                point = row * stride + column
                t, c = (point if many_tables else row), (point if many_importances else column)
                value = _minimize_at(
                    rows, m, n, tables, importances, tolerances, t, c, 1.0, trial, info, work
                )
                if not value < COMPETITIVE * loss[point]:
                    break
                known[place] = 1.0
                for i in range(size):
                    branch[place, i] = trial[i]
                if value < loss[point] * (1.0 - IMPROVEMENT):
                    loss[point] = value
                    for i in range(size):
                        x[point, i] = trial[i]
                before, last = last, place


@compiled(
    Nothing(
        Integer,
        Integer,
        Integer,
        Matrix,
        Matrix,
        Vector,
        Vector,
        Matrix,
        Vector,
        Integer,
        Integer,
        Integers,
        Integers,
        Integers,
        Integers,
    )
)
def exchange(
    address: int,
    m: int,
    n: int,
    tables: Array,
    importances: Array,
    tolerances: Array,
    label: Array,
    x: Array,
    loss: Array,
    stride: int,
    columns: int,
    active: Points,
    changed: Points,
    contested: Points,
    counts: Points,
) -> None:
    """Let the eight neighbours of active points try their minima.

    Eight, since a phase can be narrower than the grid's steps and lie across it.

    Parameters
    ----------
    label : ndarray, shape (n,)
        See `invariants`.
    active : ndarray of int
        Points.
    changed, contested : ndarray of int, eight times as long
        Take the points that are lower now, and those at which a neighbour's minimum exists too.
    counts : ndarray of int, shape (2,)
        Takes how many these are.
    """
    rows = rows_at(address)
    size, grid_rows = x.shape[1], x.shape[0] // stride
    many_tables, many_importances = (
        tables.shape[0] == x.shape[0],
        importances.shape[0] == x.shape[0],
    )
    counts[:] = 0
    work, info, trial = np.empty(work_size(n, m)), np.empty(2), np.empty(size)
    own, others = np.empty(3 * n + 2), np.empty(3 * n + 2)
    for k in range(active.size):
        point = active[k]
        for way in range(9):
            row, column = point // stride + way // 3 - 1, point % stride + way % 3 - 1
            if way == 4 or row < 0 or row >= grid_rows or column < 0 or column >= columns:
                continue
            target = row * stride + column
            if difference(m, n, x[point], x[target], label, own, others) < _DIFFERENT:
                continue
            for i in range(size):
                trial[i] = x[point, i]
            t, c = (target if many_tables else row), (target if many_importances else column)
            here = evaluate(rows, m, n, trial, tables[t], importances[c], trial, x, work, 0)
            if not here < COMPETITIVE * loss[target]:
                continue
            value = _minimize_at(
                rows, m, n, tables, importances, tolerances, t, c, 1.0, trial, info, work
            )
            if difference(m, n, x[target], trial, label, own, others) > _BACK:
                contested[counts[1]] = target
                counts[1] += 1
            if value < loss[target] * (1.0 - IMPROVEMENT):
                loss[target] = value
                for i in range(size):
                    x[target, i] = trial[i]
                changed[counts[0]] = target
                counts[0] += 1


@compiled(
    Integer(
        Integer,
        Integer,
        Integer,
        Matrix,
        Matrix,
        Vector,
        Vector,
        Matrix,
        Vector,
        Integer,
        Integers,
        Matrix,
        Integers,
    )
)
def push(
    address: int,
    m: int,
    n: int,
    tables: Array,
    importances: Array,
    tolerances: Array,
    label: Array,
    x: Array,
    loss: Array,
    stride: int,
    points: Points,
    pushes: Array,
    changed: Points,
) -> int:
    """Descend anew from the minima of points after pushes both ways, which no saddle survives.

    At a kink often only one of the two ways leads down.

    Parameters
    ----------
    points : ndarray of int, shape (k,)
    pushes : ndarray, shape (k, d)
    changed : ndarray of int, shape (k,)
        Takes the points that are lower now.

    Returns
    -------
    int
        How many those are.
    """
    rows = rows_at(address)
    size, count = x.shape[1], 0
    many_tables, many_importances = (
        tables.shape[0] == x.shape[0],
        importances.shape[0] == x.shape[0],
    )
    work, info, trial = np.empty(work_size(n, m)), np.empty(2), np.empty(size)
    start = np.empty(size)
    own, others = np.empty(3 * n + 2), np.empty(3 * n + 2)
    for k in range(points.size):
        point = points[k]
        t = point if many_tables else point // stride
        c = point if many_importances else point % stride
        start[:] = x[point]
        lower = False
        for way in (-1.0, 1.0):
            for i in range(size):
                trial[i] = start[i] + way * pushes[k, i]
            value = _minimize_at(
                rows,
                m,
                n,
                tables,
                importances,
                tolerances,
                t,
                c,
                _COARSE_SLOPE,
                trial,
                info,
                work,
            )
            if not value < loss[point] * (1.0 + _TIED):
                continue
            if difference(m, n, start, trial, label, own, others) < _BACK:
                continue
            value = _minimize_at(
                rows, m, n, tables, importances, tolerances, t, c, 1.0, trial, info, work
            )
            if value < loss[point] * (1.0 - IMPROVEMENT):
                lower = True
                loss[point] = value
                for i in range(size):
                    x[point, i] = trial[i]
        if lower:
            changed[count] = point
            count += 1
    return count
