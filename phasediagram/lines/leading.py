"""What decides the order of a transition at a stability limit: the first term that does not vanish.

Beyond ``t^2 D / 2``, which vanishes there, the loss along the softest curve is ``K t^3``.  Where a
symmetry of the state turns the softest direction d into -d, as where two equal features begin to
differ, K is 0, and ``Q t^4`` decides: with Q > 0 the minimum goes on continuously, with Q < 0
another one was lower before.  By elimination of the fast variables, which respond as t^2,
``Q = L4[d, d, d, d] / 24 - L3[d, d, .] H^-1 L3[d, d, .] / 8``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.lines.systems import Softest
from phasediagram.minima.curvature import KINK
from phasediagram.minima.engine import Engine
from phasediagram.parameters import Parameters

Array = NDArray[np.float64]

_STEP = 5e-5  # t, for digits
_BEFORE_KINK = 0.2  # t as a share of |Z| at the next kink
_IS_TURNED = 0.01  # distance of x - t d from a copy of x + t d that is none, as a share of 2 t


def leading_coefficient(engine: Engine, at: Parameters, here: Softest) -> float:
    """Return K, or Q if K vanishes by symmetry; only their signs can be compared."""
    x, d = here.state, here.direction
    corners = np.abs(engine.space.preactivations(x))
    # without biases the output of nothing is 0 and has no kink
    nearest = corners[:, 0 if engine.space.bias else 1 :].min()
    if nearest <= KINK:  # there d and -d differ, and K has terms |t|^3
        return here.cubic
    step = min(_STEP, _BEFORE_KINK * nearest)
    if engine.space.distance(x + step * d, x - step * d) > 2 * step * _IS_TURNED:
        return here.cubic
    return quartic(engine, at, x, d, step)


def quartic(engine: Engine, at: Parameters, x: Array, direction: Array, step: float) -> float:
    """Return Q of ``t^4 Q``, by differences of Hessians at a distance `step`.

    Parameters
    ----------
    x : ndarray, shape (d,)
        A stationary state.
    direction : ndarray, shape (d,)
        The softest, of length 1.
    """
    hessian = engine.derivatives(x, at)[2]  # rotations, which cost nothing, made stiff
    plain, ahead, behind = (
        engine.derivatives(x + side * step * direction, at, stiff=False)[2] @ direction
        for side in (0, 1, -1)
    )
    third = (ahead - behind) / (2 * step)
    fourth = direction @ (ahead - 2 * plain + behind) / step**2
    fast = third - (third @ direction) * direction
    largest = np.abs(np.diag(hessian)).max()
    along = np.outer(direction, direction)
    across = np.eye(len(x)) - along
    response = np.linalg.solve(across @ hessian @ across + largest * along, fast)
    return float(fourth / 24 - fast @ response / 8)
