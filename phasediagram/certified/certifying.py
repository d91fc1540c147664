"""Certify the least loss at one point."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from phasediagram.certified.candidates import lowest_known
from phasediagram.certified.certificate import Certificate, regions
from phasediagram.certified.exact import exact_loss
from phasediagram.certified.generations import Report, examine, halved
from phasediagram.certified.problem import Problem, independent, root_box
from phasediagram.certified.trees import OPEN, Boxes
from phasediagram.model import FreeSize, as_density, as_importance
from phasediagram.toymodel.models import ToyModel, sized_model

Array = NDArray[np.float64]

MAX_BOXES = 30_000_000
_SPARE = 0.05  # of the gap, for what the checker's exact arithmetic does a little differently
_LEVELS = 4  # lower bounds that are tried for what is left open, for each factor of ten


def certify(
    density: float | Sequence[float],
    relative_importance: float = 1.0,
    n_features: int = 2,
    n_hidden: int | None = None,
    *,
    model: ToyModel | None = None,
    importance: Sequence[float] | None = None,
    bias: bool = True,
    interference_penalty: float = 0.0,
    gap: float = 1e-9,
    max_boxes: int = MAX_BOXES,
    rng: int | np.random.Generator = 0,
    report: Report | None = None,
) -> Certificate:
    """Prove how low the loss can be at one point.

    A branch and bound over all weights and biases, whose lower bounds hold with their rounding
    errors (`phasediagram derive lower-bound`).

    Parameters
    ----------
    density : float or sequence of n floats
        Probability that a feature is active, in (0, 1].
    relative_importance : float
        Importance r > 0 of the extra (last) feature; the others have importance 1.
    n_features, n_hidden : int
        (2, 1) or (3, 2); n - 1 hidden dimensions by default.
    model : ToyModel, optional
        The size, `bias` and `interference_penalty`, instead of the arguments of these names; its
        features must be independent and its activation ReLU, without weight decay.
    importance : sequence of n floats, optional
        Importance of each feature, instead of `relative_importance`.
    bias : bool
        Whether biases are free; else they are 0.
    interference_penalty : float
        Factor of ``sum_{i != j} (W_i . W_j)^2``, which is added to the loss.
    gap : float
        Largest distance of the bounds, in units of the loss.
    max_boxes : int
        About how many boxes of weights are examined before giving up.
    rng : int or numpy.random.Generator
        Of the search for the minimum that is to be certified.
    report : callable, optional
        Called after each generation of boxes with the gap that those left promise, relative to
        the loss, the number of boxes examined, and that of those left.

    Returns
    -------
    Certificate

    Raises
    ------
    ValueError
        If an argument is outside its range, or the norms of the weights cannot be limited.

    Examples
    --------
    >>> import phasediagram as phd
    >>> certificate = phd.certify(0.2)
    >>> certificate.is_closed, f"{certificate.upper:.9f}"
    (True, '0.013184555')
    """
    start = time.monotonic()
    if model is not None:
        chosen = _provable(sized_model(n_features, n_hidden, model))
        n_features, n_hidden = chosen.n_features, chosen.hidden
        bias, interference_penalty = chosen.bias, chosen.interference_penalty
    problem = _problem(
        density, relative_importance, n_features, n_hidden, importance, bias, interference_penalty
    )
    if not 1e-12 <= gap < 1:
        raise ValueError(f"gap must lie in [1e-12, 1), got {gap!r}")
    if max_boxes < 1:
        raise ValueError(f"max_boxes must be at least 1, got {max_boxes!r}")
    W, b = lowest_known(problem, rng)
    upper = exact_loss(problem.table, problem.importance, problem.penalty, W, b)
    low, high = root_box(problem, upper)
    target = float(upper) * (1 - (1 - _SPARE) * gap)
    above = float(upper) * (1 + _SPARE * gap)
    tree = halved(problem, low, high, target, above, max_boxes, report=report)
    lower = upper * (1 - Fraction(gap))
    if tree.open:
        lower = min(lower, _level(problem, tree.candidates, float(upper), gap))
    return Certificate(
        density=tuple(map(float, problem.active)),
        importance=tuple(map(float, problem.importance)),
        n_features=problem.n,
        n_hidden=problem.m,
        bias=bias,
        interference_penalty=float(problem.penalty),
        exact_lower=lower,
        exact_upper=upper,
        is_closed=not tree.open,
        minimiser_within=regions(problem.m, problem.n, tree),
        W=W,
        b=b,
        tree=tree,
        seconds=time.monotonic() - start,
    )


def _provable(model: ToyModel) -> ToyModel:
    same = ToyModel(
        model.n_features,
        model.n_hidden,
        bias=model.bias,
        interference_penalty=model.interference_penalty,
    )
    if model != same:
        raise ValueError(
            "model must have independent features, activation 'relu' and no weight decay "
            f"to be certified, got {model!r}"
        )
    return model


def _problem(
    density: float | Sequence[float],
    relative_importance: float,
    n: int,
    n_hidden: int | None,
    importance: Sequence[float] | None,
    bias: bool,
    penalty: float,
) -> Problem:
    m = n - 1 if n_hidden is None else n_hidden
    if (n, m) not in ((2, 1), (3, 2)):
        raise ValueError(f"n_features and n_hidden must be 2 and 1 or 3 and 2, got {n} and {m}")
    FreeSize(n, m)
    densities = as_density(density)
    if densities.shape not in ((), (n,)):
        raise ValueError(f"density must be one number or {n}, got {density!r}")
    densities = np.broadcast_to(densities, (n,))
    if importance is None:
        extra = as_importance(relative_importance, "relative_importance")
        importances = np.append(np.ones(n - 1), extra)
    else:
        importances = as_importance(np.asarray(importance))
        if importances.shape != (n,):
            raise ValueError(f"importance must have {n} numbers, got {importance!r}")
    if not 0 <= penalty < 1e6:
        raise ValueError(f"interference_penalty must lie in [0, 1e6), got {penalty!r}")
    return Problem(
        n,
        m,
        independent([Fraction(float(p)) for p in densities]),
        tuple(Fraction(float(x)) for x in importances),
        Fraction(float(penalty)),
        bool(bias),
    )


def _level(problem: Problem, boxes: Boxes, upper: float, gap: float) -> Fraction:
    """Return a lower bound that holds in all boxes that were left open."""
    left = boxes.chosen(boxes.codes == OPEN)
    low, high = left.low, left.high
    with ThreadPoolExecutor() as pool:
        shortfall = gap
        while shortfall < 1 and len(low):
            shortfall *= 10 ** (1 / _LEVELS)
            target = upper * (1 - shortfall)
            found = examine(problem, low, high, target, target, pool)
            low, high = low[found.codes >= 0], high[found.codes >= 0]
    return Fraction(max(upper * (1 - shortfall), 0.0)) if not len(low) else Fraction(0)
