"""The minima of linear models, in closed form: principal components weighted by importance.

Of ``x' = W^T W x + b`` the lowest loss over all maps of rank m is known (Eckart and Young 1936;
Baldi and Hornik, *Neural Networks* 2, 53, 1989): the components with the m largest variances are
kept, and the variances of the others are lost.  With independent features the components are the
features, and the variances are I_i V_i with V = p / 3 - p^2 / 4.  With groups, and importances that
are all the same, they are the eigenvectors and eigenvalues of the covariance.  Both are reached by
maps W^T W.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from phasediagram.kernel.tables import marginal_densities
from phasediagram.parameters import Plane
from phasediagram.toymodel.axes import INTERFERENCE_PENALTY, WEIGHT_DECAY
from phasediagram.toymodel.models import LINEAR, ToyModel

Array = NDArray[np.float64]

_PRECISION = 1e-14  # of a share of a line
_ASIDE = 1e-9  # the same: how far beside a change it is seen what is kept
_SAME = 1e-12  # relative difference of importances that are equal
# of the ranges of axes, at which importances are compared
_SHARES = np.array([[0.03, 0.07], [0.91, 0.11], [0.13, 0.97], [0.89, 0.83]])


@dataclass(frozen=True)
class Components:
    """Principal components all over a plane, or along a line.

    Component k of a group, or of a single feature, is that with its k-th largest variance; they
    are numbered through, by the order of the model's blocks.

    Attributes
    ----------
    plane : Plane
        Of a linear model, see `obstacle_to_components`.
    """

    plane: Plane

    @cached_property
    def blocks(self) -> tuple[tuple[int, ...], ...]:
        """Features whose values are correlated, by blocks."""
        model = self.model
        if model.activity is not None:
            return (tuple(range(model.n_features)),)
        return tuple(block.features for block in model.blocks)

    @property
    def model(self) -> ToyModel:
        """The linear model."""
        assert self.plane.model is not None
        return self.plane.model

    def variances(self, positions: Array) -> Array:
        """Return the weighted variances of the components at positions (k, axes), shape (k, n)."""
        return self._solved(positions)[0]

    def minima(self, positions: Array) -> tuple[Array, Array]:
        """Return the lowest minima at positions (k, axes): losses (k,), W and b (k, m * n + n)."""
        n, m = self.model.n_features, self.model.hidden
        variances, components = self._solved(positions)
        order = np.argsort(-variances, axis=1, kind="stable")
        kept = np.sort(order[:, :m], axis=1)
        losses = np.take_along_axis(variances, order[:, m:], 1).sum(axis=1)
        W = np.take_along_axis(components, kept[:, :, None], 1)
        mean = marginal_densities(self.plane.many(positions)[0][:, : 1 << n], n) / 2
        b = mean - np.einsum("kai,kaj,kj->ki", W, W, mean)
        return losses, np.concatenate([W.reshape(len(W), -1), b], axis=1)

    def weights(self, kept: NDArray[np.intp], position: Array) -> Array:
        """Return W, shape (m, n), that keeps these m components."""
        return np.asarray(self._solved(position[None])[1][0, kept])

    def kept(self, position: Array) -> NDArray[np.intp]:
        """Return the m components of the largest variances; the first of those that are equal."""
        order = np.argsort(-self.variances(position[None])[0], kind="stable")
        return np.sort(order[: self.model.hidden])

    def state(self, kept: NDArray[np.intp], position: Array) -> Array:
        """Return W and b, as one vector, that keep these components."""
        W = self.weights(kept, position)
        n = self.model.n_features
        mean = marginal_densities(self.plane.at(position).table[: 1 << n], n) / 2
        return np.concatenate([W.ravel(), mean - W.T @ (W @ mean)])

    def changes(self, start: Array, stop: Array) -> list[tuple[Array, Array, Array]]:
        """Return where between two positions what is kept changes, and the states next to it."""
        before, after = self.kept(start), self.kept(stop)
        shares = set()
        for lost in np.setdiff1d(before, after).tolist():
            for gained in np.setdiff1d(after, before).tolist():

                def gap(share: float, pair: tuple[int, int] = (lost, gained)) -> float:
                    values = self.variances((start + share * (stop - start))[None])[0]
                    return float(values[pair[0]] - values[pair[1]])

                if gap(0.0) * gap(1.0) < 0:
                    shares.add(float(brentq(gap, 0.0, 1.0, xtol=_PRECISION, rtol=_PRECISION)))
        found = []
        for share in sorted(shares):
            beside = (start + (share + side) * (stop - start) for side in (-_ASIDE, _ASIDE))
            kept, follows = (self.kept(position) for position in beside)
            if (kept != follows).any():
                position = start + share * (stop - start)
                found.append((position, self.state(kept, position), self.state(follows, position)))
        return found

    def _solved(self, positions: Array) -> tuple[Array, Array]:
        """Return variances, (k, n), and the components as rows, (k, n, n)."""
        n = self.model.n_features
        tables, importances, _ = self.plane.many(positions)
        covariances = covariance(tables[:, : 1 << n], n)
        variances, components = np.empty(importances.shape), np.zeros((len(positions), n, n))
        for start, members in zip(
            np.cumsum([0, *map(len, self.blocks)]), self.blocks, strict=False
        ):
            rows = np.array(members)
            values, vectors = np.linalg.eigh(covariances[:, rows[:, None], rows])
            here = slice(start, start + len(rows))
            variances[:, here] = values[:, ::-1] * importances[:, rows[:1]]
            components[:, here, rows] = np.swapaxes(vectors[:, :, ::-1], 1, 2)
        return variances, components


def covariance(tables: Array, n: int) -> Array:
    """Return the covariances of the features, (k, n, n), from tables (k, 2^n).

    Active features are independent and uniform on [0, 1].
    """
    sets = np.arange(1 << n)
    active = (sets[:, None] >> np.arange(n) & 1).astype(np.float64)
    together = np.einsum("ks,si,sj->kij", tables, active, active)
    mean = np.einsum("kii->ki", together) / 2
    second = together / 4
    second[:, np.arange(n), np.arange(n)] = mean * 2 / 3
    return np.asarray(second - mean[:, :, None] * mean[:, None, :])


def components_of(plane: Plane | None) -> Components | None:
    """Return the components that decide the minima of a plane's model, None if none do."""
    if plane is None or plane.model is None or plane.model.activation != LINEAR:
        return None
    return Components(plane) if obstacle_to_components(plane) is None else None


def obstacle_to_components(plane: Plane) -> str | None:
    """Return why the minima of a plane's linear model have no closed form, None if they have."""
    model, held = plane.model, plane.held
    assert model is not None
    assert held is not None
    varied = {axis.name for axis in plane.axes}
    if not model.bias:
        return "bias must be True, since without biases the features' means count"
    if WEIGHT_DECAY in varied or held.weight_decay:
        return "weight_decay must be 0"
    if not model.groups and model.activity is None:
        return None  # what interferes with nothing has no interference to penalize
    if INTERFERENCE_PENALTY in varied or held.interference_penalty:
        return "interference_penalty must be 0 where features are correlated"
    ends = [axis.coordinates([axis.start, axis.stop]) for axis in plane.axes]
    low, high = np.transpose(ends)
    importances = plane.many(low + _SHARES[:, : len(ends)] * (high - low))[1]
    if not np.allclose(importances, importances[:, :1], _SAME, 0.0):
        return "importance must be the same for all features where these are correlated"
    return None


def require_components(plane: Plane) -> None:
    """Raise ValueError unless the minima of a plane's linear model have a closed form."""
    why = obstacle_to_components(plane)
    if why is not None:
        raise ValueError(
            f"{why}, to trace boundaries of a linear model: else its minimum has no closed form; "
            f"got {plane.model!r}"
        )
