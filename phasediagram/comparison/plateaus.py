"""Where the features of trained networks settle: in which groups, the lowest or others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.grouping.families import FeatureGroup, GroupCatalogue
from phasediagram.grouping.solving import geometry
from phasediagram.model import as_density, as_real
from phasediagram.naming.geometry import dimensionalities
from phasediagram.results.wording import counted, span
from phasediagram.training.result import TrainingResult
from phasediagram.values import Result

Array = NDArray[np.float64]
Names = NDArray[np.str_]

IGNORED, EQUILIBRIUM, METASTABLE, NONE = "ignored", "equilibrium", "metastable", "none"
STANDINGS = (EQUILIBRIUM, METASTABLE, NONE)

TOLERANCE = 0.02
MAX_TOLERANCE = 0.5
_REPRESENTED = 0.5  # norm; what is shorter is called ignored
_TOUCHING = 0.2  # cosine above which two trained features belong to one group
_RANK = 0.3  # singular values relative to the largest, above which they are dimensions of a group


@dataclass(frozen=True, eq=False, repr=False)
class PlateauAgreement(Result):
    """Where the features of trained networks settled; see `compare_geometry`.

    Attributes
    ----------
    density : ndarray, shape (p,)
        Of each network.
    loss : ndarray, shape (p,)
        Of each network, as it was given.
    lowest : ndarray, shape (p,)
        Lowest loss over orthogonal groups.
    norm, dimensionality : ndarray, shape (p, n)
        ``|W_i|`` and D_i.
    by_group, by_dimensionality : ndarray of str, shape (p, n)
        ``"equilibrium"``, ``"metastable"``, ``"none"``, or ``"ignored"`` for a norm below 1/2:
        judged by the group that a feature forms with others, and by its D_i alone.
    group : ndarray of str, shape (p, n)
        Name of the group that a feature is in, empty if it is none of the catalogue.
    formed : ndarray of str, shape (p, n)
        Number of features and of dimensions of what it is in, such as ``"(5, 2)"``.
    tolerance : float
        Largest difference of a dimensionality from that of a group.
    """

    density: Array
    loss: Array
    lowest: Array
    norm: Array
    dimensionality: Array
    by_group: Names
    by_dimensionality: Names
    group: Names
    formed: Names
    tolerance: float

    def shares(self, *, by_group: bool = True) -> Array:
        """Return which share of the represented features has each standing, shape (p, 3).

        In the order ``"equilibrium"``, ``"metastable"``, ``"none"``; NaN if none is represented.
        """
        found = self.by_group if by_group else self.by_dimensionality
        counts = np.array([(found == standing).sum(axis=1) for standing in STANDINGS]).T
        total = counts.sum(axis=1, keepdims=True)
        return np.where(total > 0, counts / np.maximum(total, 1), np.nan)

    def groups_of(self, k: int) -> dict[str, int]:
        """Return how many features of the k-th network are in groups of each name, most first.

        What is no group of the catalogue is called by its numbers of features and dimensions.
        """
        named = np.where(self.group[k] == "", self.formed[k], self.group[k])
        return dict(Counter(named[self.by_group[k] != IGNORED].tolist()).most_common())

    def _lines(self) -> list[str]:
        lines = [
            f"PlateauAgreement: {counted(len(self.density), 'network')}, "
            f"density {span(self.density)}; within {self.tolerance:g}"
        ]
        for p, row in zip(self.density, self.shares(), strict=True):
            said = ", ".join(
                f"{100 * v:.0f} % {name}" for v, name in zip(row, STANDINGS, strict=True)
            )
            lines.append(f"{p:.4g}: {said}")
        return lines


def compare_geometry(
    training: TrainingResult, groups: GroupCatalogue, *, tolerance: float = TOLERANCE
) -> PlateauAgreement:
    """Say which groups the features of trained networks form, and whether these are the lowest.

    Two represented features (norm of 1/2 or more) belong together if the cosine between them
    exceeds 0.2, directly or through others.  What they form is a group of the catalogue if that
    has as many represented features and dimensions, and their dimensionalities among themselves,
    sorted, differ from its by at most `tolerance`; of several such groups it is the nearest.  A
    group of the lowest mixture at that density is in *equilibrium*, another that exists there is
    *metastable*.  A looser judgement asks only whether a feature's dimensionality among all
    features is near that of any feature of such a group.

    Parameters
    ----------
    training : TrainingResult
        Of features of equal importance.  Runs that were not completed are left out.
    groups : GroupCatalogue
        From `find_groups`, over a range that holds the densities.
    tolerance : float
        In (0, 0.5].

    Returns
    -------
    PlateauAgreement
        Networks point by point, seed by seed.

    Raises
    ------
    ValueError
        If an argument is outside its range, or features are not all alike.

    Examples
    --------
    >>> import phasediagram as phd
    >>> groups = phd.find_groups((0.3, 0.5), max_features=3, searched=[0.4], starts=10)
    >>> runs = phd.train(0.4, model=phd.ToyModel(4, 2), seeds=4, steps=20000, optimizer="exact")
    >>> agreement = phd.compare_geometry(runs, groups)
    >>> agreement.groups_of(int(agreement.loss.argmin()))
    {'antipodal': 4}
    """
    if not isinstance(training, TrainingResult):
        raise ValueError(f"training must be a TrainingResult, got {training!r}")
    alike = training.importance is None and training.relative_density == 1
    if training.model is not None or not alike or (training.relative_importance != 1).any():
        raise ValueError("training must be of the paper's model, all features alike")
    if not isinstance(groups, GroupCatalogue):
        raise ValueError(f"groups must be a GroupCatalogue, got {groups!r}")
    runs = training.completed.ravel() & np.isfinite(training.loss.ravel())
    density = np.repeat(training.density.ravel(), training.seeds)[runs]
    W = training.W.reshape(-1, training.n_hidden, training.n_features)[runs]
    return plateaus_of(W, density, training.loss.ravel()[runs], groups, tolerance=tolerance)


def plateaus_of(
    W: ArrayLike,
    density: ArrayLike,
    loss: ArrayLike,
    groups: GroupCatalogue,
    *,
    tolerance: float = TOLERANCE,
) -> PlateauAgreement:
    """Do what `compare_geometry` does, for any weights (p, m, n) at densities and losses (p,)."""
    weights, densities = as_real("W", W), as_density(density)
    if weights.ndim != 3 or densities.shape != weights.shape[:1]:
        raise ValueError(
            f"W must have shape (p, m, n) and density (p,), got {weights.shape} and "
            f"{densities.shape}"
        )
    if isinstance(tolerance, bool) or not 0 < tolerance <= MAX_TOLERANCE:
        raise ValueError(f"tolerance must be positive and at most 0.5, got {tolerance!r}")
    count, m, n = weights.shape
    D, norm = dimensionalities(weights), np.linalg.norm(weights, axis=1)
    names, formed, by_group, by_level = (np.full((count, n), "", dtype="U64") for _ in range(4))
    lowest = np.empty(count)
    for p in np.unique(densities):
        best = geometry(p, n, m, groups=groups)
        in_it, others = _existing(groups, set(best.mixture()), float(p))
        for k in np.flatnonzero(densities == p).tolist():
            lowest[k] = best.loss[0]
            strong = norm[k] >= _REPRESENTED
            by_group[k] = by_level[k] = np.where(strong, NONE, IGNORED)
            for standing, candidates in ((METASTABLE, others), (EQUILIBRIUM, in_it)):
                by_level[k, strong & _near(D[k], candidates, tolerance)] = standing
            for members, rank in _formed(weights[k], strong):
                formed[k, members] = f"({len(members)}, {rank})"
                own = dimensionalities(weights[k][:, members])
                found = _nearest([*in_it, *others], own, rank, tolerance)
                if found is not None:
                    names[k, members] = found.name
                    is_lowest = any(found.name == c.name for c in in_it)
                    by_group[k, members] = EQUILIBRIUM if is_lowest else METASTABLE
    return PlateauAgreement(
        densities,
        np.array(loss, dtype=np.float64),
        lowest,
        norm,
        D,
        by_group,
        by_level,
        names,
        formed,
        float(tolerance),
    )


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A group at one density: its represented features' dimensionalities, sorted."""

    name: str
    n_hidden: int
    levels: Array


def _existing(
    groups: GroupCatalogue, lowest: set[str], density: float
) -> tuple[list[_Candidate], list[_Candidate]]:
    """Return the groups of the lowest mixture, and the others that exist."""
    made = [_candidate(g, density) for g in groups.groups if g.n_hidden and g.exists(density)]
    return (
        [c for c in made if c.name in lowest],
        [c for c in made if c.name not in lowest],
    )


def _candidate(group: FeatureGroup, density: float) -> _Candidate:
    _, W, _ = group.state(density)
    strong = W[:, np.linalg.norm(W, axis=0) >= _REPRESENTED]
    return _Candidate(group.name, group.n_hidden, np.sort(dimensionalities(strong)))


def _near(D: Array, candidates: list[_Candidate], tolerance: float) -> NDArray[np.bool_]:
    """Return which dimensionalities are near one of a group."""
    levels = np.concatenate([*(c.levels for c in candidates), np.empty(0)])
    return np.asarray((np.abs(D[:, None] - levels) <= tolerance).any(axis=1))


def _nearest(
    candidates: list[_Candidate], D: Array, rank: int, tolerance: float
) -> _Candidate | None:
    """Return the group that some features form, None if there is none."""
    best, distance = None, tolerance
    for candidate in candidates:
        if candidate.n_hidden != rank or len(candidate.levels) != len(D):
            continue
        difference = float(np.abs(candidate.levels - np.sort(D)).max(initial=0.0))
        if difference <= distance and (best is None or difference < distance):
            best, distance = candidate, difference
    return best


def _formed(W: Array, strong: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Yield the features that belong together, and the number of dimensions that they use."""
    from scipy.sparse.csgraph import connected_components

    features = np.flatnonzero(strong)
    unit = W[:, features] / np.linalg.norm(W[:, features], axis=0)
    count, label = connected_components(np.abs(unit.T @ unit) > _TOUCHING, directed=False)
    for number in range(count):
        members = features[label == number]
        values = np.linalg.svd(W[:, members], compute_uv=False)
        yield members, int((values > _RANK * values[0]).sum())
