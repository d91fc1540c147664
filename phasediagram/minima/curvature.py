"""How firmly a state is a minimum: its smallest second directional derivative (internal).

Where the pre-activation of no corner of the feature cube is 0, the loss has a Hessian, and the
smallest second directional derivative is its smallest eigenvalue.  At a kink (a perfectly
represented feature has bias 0) it has none: there the loss is ``L + t^2 D(d) / 2 + t^3 K(d)``
along t d, t > 0, where D is homogeneous of degree two but no quadratic form.  There the Hessian
H(x + t d) is that of D / 2, so that stationary directions on the unit sphere are those with
``H(x + t d) d = D(d) d``; Newton's method on the sphere finds them.  Directions that only rotate
the hidden space are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.compiling import compiled, inlined
from phasediagram.kernel.packing import ROWS, evaluate, work_size
from phasediagram.kernel.pointers import rows_at
from phasediagram.kernel.signatures import Boolean, Integer, Matrix, Nothing, Real, Vector
from phasediagram.minima.linear import eigen, solve_positive
from phasediagram.minima.newton import norm, stiffen_rotations

Array = NDArray[np.float64]

KINK = 1e-7  # a corner's pre-activation that is nearer to 0 is on the kink
_STEP = 5e-5  # t, for digits
_SMALLEST_STEP = 2e-7  # t, where the next kink is near
_ALMOST = 1e-5  # |Z| of a state on a kink to which a descent has not quite come
_BEFORE_KINK = 0.2  # t as a share of |Z| at the next kink
SPAN = 3e-4  # the same for the term of third order, which has fewer digits
_DAMPING = 1e-3  # of steps, as a share of the largest curvature
_SETTLING_STEPS = 20
_SETTLED = 1e-12  # a step of a direction; 1e-6 moves tricritical points by 5e-8
_ITERATIONS = 60
_CONVERGED = 1e-12  # relative residual of a direction
_CLOSE = 1e-3  # residual below which Newton's method needs no line search


@compiled(Real(Integer, Integer, Vector, Integer, Integer))
def preactivation_at(m: int, n: int, x: Array, output: int, corner: int) -> float:
    """Return Z of an output at a corner of the cube; bit j of `corner` is feature j."""
    z = x[m * n + output]
    for j in range(n):
        if corner >> j & 1:
            for k in range(m):
                z += x[k * n + output] * x[k * n + j]
    return float(z)


@compiled(Real(Integer, Integer, Vector, Vector))
def nearest_kink(m: int, n: int, x: Array, which: Array) -> float:
    """Return the smallest |Z| over outputs and corners; `which` gets (output, corner)."""
    smallest = np.inf
    for i in range(n):
        for corner in range(2**n):
            z = abs(preactivation_at(m, n, x, i, corner))
            if z < smallest:
                smallest = z
                which[0], which[1] = i, corner
    return smallest


@compiled(Real(Integer, Integer, Vector, Real))
def step_within_kinks(m: int, n: int, x: Array, on_kink: float) -> float:
    """Return a t at which states on kinks, |Z| < `on_kink`, have left these and met no other."""
    smallest = _STEP
    for i in range(n):
        for corner in range(2**n):
            z = abs(preactivation_at(m, n, x, i, corner))
            if z > on_kink:
                smallest = min(smallest, _BEFORE_KINK * z)
    return max(smallest, _SMALLEST_STEP)


@compiled(
    Real(ROWS, Integer, Integer, Vector, Vector, Vector, Vector, Real, Matrix, Vector, Vector)
)
def hessian_along(
    rows: Any,
    m: int,
    n: int,
    x: Array,
    direction: Array,
    table: Array,
    importance: Array,
    t: float,
    hessian: Array,
    product: Array,
    work: Array,
) -> float:
    """Fill H(x + t d), rotations made stiff, and H d; return d . H d."""
    size = x.size
    moved, gradient = np.empty(size), np.empty(size)
    for i in range(size):
        moved[i] = x[i] + t * direction[i]
    evaluate(rows, m, n, moved, table, importance, gradient, hessian, work, 2)
    largest = 0.0
    for i in range(size):
        largest = max(largest, abs(hessian[i, i]))
    stiffen_rotations(m, n, x, hessian, largest)
    curvature = 0.0
    for i in range(size):
        product[i] = 0.0
        for j in range(size):
            product[i] += hessian[i, j] * direction[j]
        curvature += direction[i] * product[i]
    return curvature


@compiled(Nothing(Vector))
def normalize(direction: Array) -> None:
    """Scale a vector to length 1."""
    length = norm(direction)
    for i in range(direction.size):
        direction[i] /= length


@compiled(
    Boolean(
        ROWS,
        Integer,
        Integer,
        Vector,
        Vector,
        Vector,
        Vector,
        Vector,
        Real,
        Real,
        Vector,
        Matrix,
        Vector,
        Vector,
    )
)
def _step(
    rows: Any,
    m: int,
    n: int,
    x: Array,
    direction: Array,
    towards: Array,
    table: Array,
    importance: Array,
    t: float,
    curvature: float,
    trial: Array,
    trial_hessian: Array,
    trial_product: Array,
    work: Array,
) -> bool:
    """Search along a line for a direction with a smaller D; fill `trial` and what is there."""
    share = 1.0
    for _ in range(12):
        for i in range(direction.size):
            trial[i] = direction[i] + share * towards[i]
        if norm(trial) > 1e-12:
            normalize(trial)
            found = hessian_along(
                rows, m, n, x, trial, table, importance, t, trial_hessian, trial_product, work
            )
            if found < curvature:
                return True
        share *= 0.5
    return False


@compiled(Real(Matrix, Vector, Vector, Real, Vector))
def _residual(
    hessian: Array, direction: Array, product: Array, curvature: float, right: Array
) -> float:
    """Write H d - D d into `right`; return its norm relative to the largest curvature."""
    largest, total = 0.0, 0.0
    for i in range(direction.size):
        largest = max(largest, abs(hessian[i, i]))
        right[i] = product[i] - curvature * direction[i]
        total += right[i] * right[i]
    return float(np.sqrt(total) / largest)


@compiled(Boolean(Matrix, Vector, Vector, Real, Vector, Matrix, Matrix, Vector, Real))
def _newton_step(
    hessian: Array,
    direction: Array,
    product: Array,
    curvature: float,
    right: Array,
    shifted: Array,
    factor: Array,
    towards: Array,
    damping: float,
) -> bool:
    """Write Newton's step on the sphere; False where d can't be next to a minimum."""
    size, largest = direction.size, 0.0
    for i in range(size):
        largest = max(largest, abs(hessian[i, i]))
    for i in range(size):
        for j in range(size):
            # (1 - d d') (H - D) (1 - d d') + d d', positive where d can be a minimum
            shifted[i, j] = (
                hessian[i, j]
                - product[i] * direction[j]
                - direction[i] * product[j]
                + (2.0 * curvature + largest) * direction[i] * direction[j]
            )
        shifted[i, i] += damping * largest - curvature
    if not solve_positive(shifted, right, factor, towards):
        return False
    for i in range(size):
        towards[i] = -towards[i]
    return True


@inlined
def descend_direction(
    rows: Any,
    m: int,
    n: int,
    x: Array,
    direction: Array,
    table: Array,
    importance: Array,
    t: float,
    work: Array,
) -> float:
    """Lower D from a unit direction, in place, to a stationary one; return D there."""
    size = x.size
    hessian, trial_hessian = np.empty((size, size)), np.empty((size, size))
    product, trial_product = np.empty(size), np.empty(size)
    shifted, factor = np.empty((size, size)), np.empty((size, size))
    values, vectors = np.empty(size), np.empty((size, size))
    right, towards, trial = np.empty(size), np.empty(size), np.empty(size)
    curvature = hessian_along(
        rows, m, n, x, direction, table, importance, t, hessian, product, work
    )
    residual = _residual(hessian, direction, product, curvature, right)
    for _ in range(_ITERATIONS):
        if not residual > _CONVERGED:
            break
        is_newton = _newton_step(
            hessian, direction, product, curvature, right, shifted, factor, towards, 0.0
        )
        improved = False
        if is_newton:
            for i in range(size):
                trial[i] = direction[i] + towards[i]
            normalize(trial)
            found = hessian_along(
                rows, m, n, x, trial, table, importance, t, trial_hessian, trial_product, work
            )
            reduced = _residual(trial_hessian, trial, trial_product, found, right)
            # close by, where D has no digits left, the residual decides
            improved = residual < _CLOSE and reduced < 0.5 * residual
            if not improved and found >= curvature:
                improved = _step(
                    rows,
                    m,
                    n,
                    x,
                    direction,
                    towards,
                    table,
                    importance,
                    t,
                    curvature,
                    trial,
                    trial_hessian,
                    trial_product,
                    work,
                )
            else:
                improved = True
        if not is_newton:  # towards the softest direction of the Hessian here
            for i in range(size):
                for j in range(size):
                    shifted[i, j] = hessian[i, j]
            eigen(shifted, values, vectors)
            along = 0.0
            for i in range(size):
                along += vectors[0, i] * direction[i]
            sign = 1.0 if along >= 0.0 else -1.0
            for i in range(size):
                towards[i] = sign * vectors[0, i] - direction[i]
            improved = _step(
                rows,
                m,
                n,
                x,
                direction,
                towards,
                table,
                importance,
                t,
                curvature,
                trial,
                trial_hessian,
                trial_product,
                work,
            )
        if not improved:
            break
        curvature = 0.0
        for i in range(size):
            direction[i], product[i] = trial[i], trial_product[i]
            curvature += direction[i] * product[i]
            for j in range(size):
                hessian[i, j] = trial_hessian[i, j]
        residual = _residual(hessian, direction, product, curvature, right)
    return float(curvature)


@compiled(Real(Integer, Integer, Integer, Vector, Vector, Vector, Matrix, Integer, Vector))
def softest(
    address: int,
    m: int,
    n: int,
    x: Array,
    table: Array,
    importance: Array,
    guesses: Array,
    count: int,
    direction: Array,
) -> float:
    """Return the smallest second directional derivative, and write its direction.

    Parameters
    ----------
    guesses : ndarray, shape (k, d)
        Directions, of any length, from which a kink is searched.
    count : int
        How many eigenvectors of the Hessian at x, the softest first, are tried as well.
    """
    rows = rows_at(address)
    size = x.size
    work, which = np.empty(work_size(n, m)), np.empty(2)
    hessian, product = np.empty((size, size)), np.empty(size)
    values, vectors = np.empty(size), np.empty((size, size))
    direction[:] = 0.0
    hessian_along(rows, m, n, x, direction, table, importance, 0.0, hessian, product, work)
    eigen(hessian, values, vectors)
    if nearest_kink(m, n, x, which) > KINK:
        for i in range(size):
            direction[i] = vectors[0, i]
        return float(values[0])
    smallest, trial, t = np.inf, np.empty(size), step_within_kinks(m, n, x, _ALMOST)
    for start in range(guesses.shape[0] + 2 * min(count, size)):
        for i in range(size):
            if start < guesses.shape[0]:
                trial[i] = guesses[start, i]
            else:
                k = start - guesses.shape[0]
                trial[i] = vectors[k // 2, i] * (1.0 if k % 2 == 0 else -1.0)
        length = norm(trial)
        if length == 0.0:
            continue
        normalize(trial)
        found = descend_direction(rows, m, n, x, trial, table, importance, t, work)
        if found < smallest:
            smallest = found
            for i in range(size):
                direction[i] = trial[i]
    return smallest


@inlined
def settle_direction(
    rows: Any,
    m: int,
    n: int,
    x: Array,
    direction: Array,
    table: Array,
    importance: Array,
    t: float,
    work: Array,
) -> float:
    """Move a direction that is nearly stationary to the stationary one; return D there.

    Components on which D does not depend hardly move, whatever smaller terms say of them.
    """
    size = x.size
    hessian, product, right = np.empty((size, size)), np.empty(size), np.empty(size)
    shifted, factor, towards = np.empty((size, size)), np.empty((size, size)), np.empty(size)
    for _ in range(_SETTLING_STEPS):
        curvature = hessian_along(
            rows, m, n, x, direction, table, importance, t, hessian, product, work
        )
        _residual(hessian, direction, product, curvature, right)
        if not _newton_step(
            hessian, direction, product, curvature, right, shifted, factor, towards, _DAMPING
        ):
            break
        for i in range(size):
            direction[i] += towards[i]
        normalize(direction)
        if norm(towards) < _SETTLED:
            break
    return float(
        hessian_along(rows, m, n, x, direction, table, importance, t, hessian, product, work)
    )


@compiled(Nothing(Integer, Integer, Integer, Vector, Vector, Vector, Vector, Vector, Vector))
def expansion(
    address: int,
    m: int,
    n: int,
    x: Array,
    direction: Array,
    table: Array,
    importance: Array,
    coefficients: Array,
    work: Array,
) -> None:
    """Write D and K of ``L + t^2 D / 2 + t^3 K`` along the softest curve from x.

    Parameters
    ----------
    direction : ndarray, shape (d,)
        A unit direction next to the softest one, which replaces it.

    Notes
    -----
    With the stationary direction d(t) at each t, d(t) . H(x + t d(t)) d(t) = D + 6 K t + ...,
    since H d = D d in the limit; fitted at t = SPAN times 1 to 5.  Where D does not depend on an
    angle, d keeps that angle, so that K is smooth.
    """
    rows = rows_at(address)
    at = np.empty(5)
    for k in range(5, 0, -1):
        at[k - 1] = settle_direction(rows, m, n, x, direction, table, importance, k * SPAN, work)
    coefficients[0] = 5.0 * at[0] - 10.0 * at[1] + 10.0 * at[2] - 5.0 * at[3] + at[4]
    slope = -77.0 * at[0] + 214.0 * at[1] - 234.0 * at[2] + 122.0 * at[3] - 25.0 * at[4]
    coefficients[1] = slope / (12.0 * 6.0 * SPAN)
