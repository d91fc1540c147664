"""Networks that were trained elsewhere, against the theory: their phases, and what they cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.atlas.diagram import phase_diagram
from phasediagram.comparison.agreement import Agreement, Runs, compare_runs, require_comparable
from phasediagram.kernel.loss import expected_loss
from phasediagram.kernel.tables import marginals
from phasediagram.model import as_density, as_importance, as_parameters
from phasediagram.naming.phases import phases_of
from phasediagram.results import PhaseDiagram
from phasediagram.toymodel.models import ToyModel

Array = NDArray[np.float64]

_SAME_LOSS = 1e-9  # relative


def classify(W: ArrayLike, density: ArrayLike) -> NDArray[np.str_]:
    """Name the phase of weights by their geometry alone.

    For weights at a minimum.  A trained network is near one, not at it: a feature that it
    ignores has a small direction instead of none, which counts as represented.  For such
    networks use `compare_weights`, which names the minimum that they lead to.

    Parameters
    ----------
    W : array_like, shape (..., m, n)
        ``W[..., :, i]`` is feature i's direction, the last feature is the extra one.
    density : array_like, shape (...)
        Densities in (0, 1], which what counts as *partial* depends on; the leading axes
        broadcast.

    Returns
    -------
    ndarray of str, shape (...)
        Names as in `phasediagram.naming`.

    Raises
    ------
    ValueError
        If a number is not finite, a density lies outside (0, 1], or n > 8.

    Examples
    --------
    >>> import phasediagram as phd
    >>> phd.classify([[[1.0, 0.0]], [[1.0, -0.9]], [[1.0, -0.4]]], density=0.6).tolist()
    ['ignored', 'antipodal', 'partial']
    """
    p = as_density(density)
    n = np.shape(W)[-1] if np.ndim(W) else 1
    parameters = as_parameters(W, np.zeros(n), p[..., None], 1.0).flattened()
    shape = np.broadcast_shapes(np.shape(W)[:-2], p.shape)
    return phases_of(parameters.W, parameters.density[:, 0]).reshape(shape)


def compare_weights(
    W: ArrayLike,
    b: ArrayLike,
    density: ArrayLike,
    relative_importance: ArrayLike,
    diagram: PhaseDiagram | None = None,
    *,
    model: ToyModel | None = None,
    relative_density: float = 1.0,
) -> Agreement:
    """Compare networks that were trained elsewhere with the theoretical minima.

    As `compare`, for weights and biases from any source: each network is followed downhill
    by Newton's method on the exact loss, to the minimum in whose basin it lies.

    Parameters
    ----------
    W : array_like, shape (..., networks, m, n)
        Weights of one or more networks at each point; ``W[..., :, i]`` is feature i's
        direction, the last feature is the extra one.
    b : array_like, shape (..., networks, n)
    density : array_like
        Densities in (0, 1] that the networks were trained at.
    relative_importance : array_like
        Importances r > 0 of the extra feature, those of the others being 1; broadcasts
        against `density` to shape (...).
    diagram : PhaseDiagram, optional
        Of free weights, with every one of the points; by default that of all the different
        densities by all the different importances is computed.
    model : ToyModel, optional
        What is assumed besides the paper's model.
    relative_density : float
        The last feature's density over that of the others.

    Returns
    -------
    Agreement
        `Agreement.outcome` is ``"diverged"`` for networks that only ever output zero.

    Raises
    ------
    ValueError
        If shapes do not fit, an argument is outside its range, or `diagram` is of another
        size, has other than free weights or lacks a point.

    Examples
    --------
    >>> import phasediagram as phd
    >>> agreement = phd.compare_weights([[[1.02, -0.97]]], [[0.01, -0.02]], 0.2, 1.0)
    >>> agreement.outcome.tolist(), agreement.phase.tolist(), str(agreement.theory_phase)
    (['unfinished'], ['antipodal'], 'antipodal')
    >>> print((agreement.excess / agreement.theory_loss).round(3))  # relative excess loss
    [0.076]
    """
    runs = _as_runs(W, b, density, relative_importance, model, relative_density)
    if diagram is None:
        diagram = phase_diagram(
            np.unique(runs.density),
            np.unique(runs.relative_importance),
            runs.n_features,
            runs.n_hidden,
            model=runs.model,
            relative_density=relative_density,
        )
    require_comparable(diagram, runs)
    return compare_runs(diagram, runs)


def _as_runs(
    W: ArrayLike,
    b: ArrayLike,
    density: ArrayLike,
    relative_importance: ArrayLike,
    model: ToyModel | None,
    relative_density: float,
) -> Runs:
    p, r = np.broadcast_arrays(
        as_density(density), as_importance(relative_importance, "relative_importance")
    )
    shape = np.shape(W)
    if len(shape) != p.ndim + 3 or shape[:-3] != p.shape:
        raise ValueError(
            "W must have shape (..., networks, m, n) with (...) the shape of density and "
            f"relative_importance, {p.shape}; got shape {shape}"
        )
    importance = np.ones((*p.shape, 1, shape[-1]))
    importance[..., -1] = r[..., None]
    densities = np.repeat(p[..., None, None], shape[-1], axis=-1)
    densities[..., -1] *= as_importance(relative_density, "relative_density")
    parameters = as_parameters(W, b, densities, importance)
    biases = np.broadcast_to(parameters.b, (*shape[:-2], shape[-1]))
    loss = expected_loss(
        parameters.W, biases, parameters.density, parameters.importance, model=model
    )
    marginal = densities if model is None else marginals(model, densities)
    silent = (marginal * importance).sum(axis=-1) / 3
    return Runs(
        W=parameters.W,
        b=biases,
        loss=loss,
        diverged=np.isclose(loss, silent, rtol=_SAME_LOSS, atol=0.0),
        completed=np.ones(loss.shape, dtype=bool),
        density=p,
        relative_importance=r,
        n_features=shape[-1],
        n_hidden=shape[-2],
        model=None if model is None or model.is_standard else model,
        relative_density=float(relative_density),
    )
