"""How often training from random weights ends in each of the minima."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from phasediagram._version import __version__
from phasediagram.comparison.agreement import DIVERGED, UNFINISHED
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
from phasediagram.results.wording import counted, number, size
from phasediagram.toymodel.models import ToyModel
from phasediagram.training.descent import train
from phasediagram.values import Result, Value


@dataclass(frozen=True, eq=False, repr=False)
class Basin(Value):
    """A local minimum, and how often training from random weights ends in it.

    Attributes
    ----------
    phase : str
        Of the minimum; ``"unfinished"`` for the runs that arrived nowhere, ``"diverged"`` for
        those that diverged.
    loss : float
        Of the minimum; NaN for runs that are in none.
    share : float
        Share of the runs.
    error : float
        Binomial standard error of the share.
    """

    phase: str
    loss: float
    share: float
    error: float

    @property
    def arrived(self) -> bool:
        """Whether it is a minimum, and not the runs that are in none."""
        return not np.isnan(self.loss)

    def _lines(self) -> list[str]:
        loss = f", loss {number(self.loss)}" if self.arrived else ""
        return [f"Basin: {self.phase}{loss}, {_percent(self)}"]


def _percent(basin: Basin) -> str:
    return f"{100 * basin.share:.1f} % ± {100 * basin.error:.1f} %"


@dataclass(frozen=True, eq=False, repr=False)
class Basins(Result):
    """Where training from random weights ends: the minima, lowest first, and nowhere.

    It has the length and the items of `basins`, and is iterated over in their order.

    Attributes
    ----------
    basins : tuple of Basin
        Their shares add up to 1: after the minima follow, if there are any, the runs that
        arrived nowhere (``"unfinished"``) and those that diverged.
    runs : int
        Completed ones, of which shares are.
    density, relative_importance : float
        As they were given; density is 1 if the model's activity gives it.
    n_features, n_hidden : int
    optimizer : str
    steps : int
    model : ToyModel or None
        None for the paper's.
    version : str
        Version of the package that computed it.
    """

    basins: tuple[Basin, ...]
    runs: int
    density: float
    relative_importance: float
    n_features: int
    n_hidden: int
    optimizer: str
    steps: int
    model: ToyModel | None = None
    version: str = field(default=__version__, compare=False)

    def __len__(self) -> int:
        return len(self.basins)

    def __iter__(self) -> Iterator[Basin]:
        return iter(self.basins)

    def __getitem__(self, index: int) -> Basin:
        return self.basins[index]

    def shares(self) -> dict[str, float]:
        """Return the share of runs of each phase, ``"unfinished"`` and ``"diverged"`` included."""
        found: dict[str, float] = {}
        for basin in self.basins:
            found[basin.phase] = found.get(basin.phase, 0.0) + basin.share
        return found

    def _lines(self) -> list[str]:
        width = max((len(basin.phase) for basin in self.basins), default=0)
        return [
            f"Basins: {counted(self.runs, 'run')} ({self.optimizer}, {self.steps} steps) at "
            f"density {self.density:g}, relative importance {self.relative_importance:g}, "
            f"{size(self.n_features, self.n_hidden, self.model)}",
            *(
                f"{basin.phase:<{width}}  {_percent(basin)}"
                + (f"  loss {number(basin.loss)}" if basin.arrived else "")
                for basin in self.basins
            ),
        ]


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
) -> Basins:
    """Return where training from random weights ends: the minima, and how often in each.

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
    Basins
        The minima, lowest first, then the runs that arrived nowhere or diverged, if any: shares
        add up to 1.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> import phasediagram as phd
    >>> phd.basin_probabilities(0.5, 0.5, runs=40, steps=4000)
    Basins: 40 runs (exact, 4000 steps) at density 0.5, relative importance 0.5, n = 2, m = 1
      ignored     50.0 % ± 7.9 %  loss 0.05208333333
      antipodal   25.0 % ± 6.8 %  loss 0.05363157141
      unfinished  25.0 % ± 6.8 %
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
    ended = int(result.completed.sum())
    if not ended:
        raise KeyboardInterrupt  # which cut training short
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
    groups: list[tuple[str, float, int]] = []
    order = there[np.argsort(losses[there], kind="stable")]
    breaks = np.flatnonzero(np.diff(losses[order]) > SAME_LOSS * losses[order[:-1]]) + 1
    for group in np.split(order, breaks) if len(order) else []:
        phase = str(phases_of(space.weights(states[group[:1]]), naming)[0])
        groups.append((phase, float(losses[group[0]]), len(group)))
    for phase, count in (
        (UNFINISHED, int(usable.sum()) - len(there)),
        (DIVERGED, ended - int(usable.sum())),
    ):
        groups += [(phase, float("nan"), count)] if count else []
    return Basins(
        tuple(_basin(*group, ended) for group in groups),
        ended,
        float(p),
        float(result.relative_importance),
        n,
        m,
        optimizer,
        steps,
        result.model,
    )


def _basin(phase: str, loss: float, count: int, runs: int) -> Basin:
    share = count / runs
    return Basin(phase, loss, share, float(np.sqrt(share * (1 - share) / runs)))
