"""How often training from random weights ends in each of the minima."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from phasediagram.comparison.downhill import (
    SAME_LOSS,
    arrived,
    minima_below,
    plane_for,
    positions_of,
)
from phasediagram.minima.symmetry import plane_space
from phasediagram.model import as_density, as_importance
from phasediagram.naming.phases import phases_of
from phasediagram.toymodel.models import ToyModel
from phasediagram.training.descent import train


@dataclass(frozen=True)
class Basin:
    """A local minimum, and how often training from random weights ends in it.

    Attributes
    ----------
    phase : str
    loss : float
    share : float
        Share of the runs.
    error : float
        Binomial standard error of the share.
    """

    phase: str
    loss: float
    share: float
    error: float


def basin_probabilities(
    density: float | None = None,
    relative_importance: float = 1.0,
    n_features: int = 2,
    n_hidden: int | None = None,
    runs: int = 400,
    optimizer: str = "exact",
    rng: int | np.random.Generator = 0,
    steps: int = 10_000,
    *,
    model: ToyModel | None = None,
    importance: ArrayLike | None = None,
    relative_density: float = 1.0,
) -> tuple[Basin, ...]:
    """Return the minima that training ends in, lowest first, with their shares of the runs.

    Parameters
    ----------
    density, relative_importance : float
        One point: a density in (0, 1] and an importance r > 0 of the extra feature.
    n_features, n_hidden : int
        Numbers of features n (2 to 6) and hidden dimensions m < n, by default n - 1.
    runs : int
        Initialisations.
    optimizer : {"exact", "adam", "sgd"}
        As in `train`; "exact" follows the gradient without sampling noise.
    rng : int or numpy.random.Generator
        Where random numbers come from.
    steps : int
        Updates.
    model : ToyModel, optional
        What is assumed besides the paper's model, and its size.
    importance : float or array_like, shape (n,), optional
        Instead of `relative_importance`.
    relative_density : float
        The last feature's density over that of the others.

    Returns
    -------
    tuple of Basin
        Shares add up to 1 less the share of runs that diverged or arrived nowhere.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> import phasediagram as phd
    >>> [basin.phase for basin in phd.basin_probabilities(0.5, 0.5, runs=40, steps=4000)]
    ['ignored', 'antipodal']
    """
    p = as_density(1.0 if density is None else density)
    r = as_importance(relative_importance, "relative_importance")
    if p.ndim or r.ndim:
        raise ValueError("density and relative_importance must be numbers")
    result = train(
        None if density is None else p,
        r,
        n_features,
        n_hidden,
        seeds=runs,
        steps=steps,
        optimizer=optimizer,
        rng=rng,
        model=model,
        importance=importance,
        relative_density=relative_density,
    )
    n, m = result.n_features, result.n_hidden
    usable = result.completed & ~result.diverged
    ends = np.concatenate([result.W.reshape(runs, -1), result.b], axis=-1)[usable]
    points = np.full(len(ends), float(p)), np.full(len(ends), float(r))
    plane = plane_for(n, m, result.model, result.importance, result.relative_density)
    positions = positions_of(plane, *points)
    states, losses = minima_below(plane, m, positions, ends)
    space = plane_space(plane, m)
    naming = plane.naming_densities(positions[:1])
    there = np.flatnonzero(arrived(space, ends, states, result.loss[usable], losses))
    basins: list[Basin] = []
    order = there[np.argsort(losses[there], kind="stable")]
    breaks = np.flatnonzero(np.diff(losses[order]) > SAME_LOSS * losses[order[:-1]]) + 1
    for group in np.split(order, breaks) if len(order) else []:
        share = len(group) / runs
        W = space.weights(states[group[:1]])
        basins.append(
            Basin(
                str(phases_of(W, naming)[0]),
                float(losses[group[0]]),
                share,
                float(np.sqrt(share * (1 - share) / runs)),
            )
        )
    return tuple(basins)
