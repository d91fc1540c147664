"""Networks that were trained elsewhere, against the theory: their phases, and what they cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.atlas.diagram import phase_diagram
from phasediagram.comparison.agreement import Agreement, Runs, compare_runs
from phasediagram.comparison.placing import Places, places_of_values, require_free
from phasediagram.kernel.loss import expected_loss
from phasediagram.model import as_density, as_importance, as_parameters, as_real
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
        Densities in (0, 1] that the networks were trained at; with a diagram on other axes the
        values of its `y`.
    relative_importance : array_like
        Importances r > 0 of the extra feature, those of the others being 1; with a diagram on
        other axes the values of its `x`.  Broadcasts against `density` to shape (...).
    diagram : PhaseDiagram, optional
        Of free weights, with every one of the points, which says what is assumed; by default
        that of all the different densities by all the different importances is computed.
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
        size or model, has other than free weights or lacks a point.

    Examples
    --------
    >>> import phasediagram as phd
    >>> agreement = phd.compare_weights([[[1.02, -0.97]]], [[0.01, -0.02]], 0.2, 1.0)
    >>> agreement.outcome.tolist(), agreement.phase.tolist(), str(agreement.theory_phase)
    (['unfinished'], ['antipodal'], 'antipodal')
    >>> print((agreement.excess / agreement.theory_loss).round(3))  # relative excess loss
    [0.076]
    """
    values = as_real("density", density), as_real("relative_importance", relative_importance)
    by_row, by_column = np.broadcast_arrays(*values)
    weights, biases = _as_networks(W, b, by_row.shape)
    m, n = weights.shape[-2:]
    if diagram is None:
        diagram = phase_diagram(
            np.unique(as_density(by_row)),
            np.unique(as_importance(by_column, "relative_importance")),
            n,
            m,
            model=model,
            relative_density=relative_density,
        )
    else:
        _require_fitting(diagram, n, m, model, relative_density)
    places = places_of_values(diagram, by_row, by_column, "networks")
    return compare_runs(diagram, places, _as_runs(weights, biases, places))


def _as_networks(W: ArrayLike, b: ArrayLike, points: tuple[int, ...]) -> tuple[Array, Array]:
    """Return weights (..., networks, m, n) and biases (..., networks, n) at points (...)."""
    parameters = as_parameters(W, b, 1.0, 1.0)
    shape = parameters.W.shape
    if len(shape) != len(points) + 3 or shape[:-3] != points:
        raise ValueError(
            "W must have shape (..., networks, m, n) with (...) the shape of density and "
            f"relative_importance, {points}; got shape {shape}"
        )
    return parameters.W, np.broadcast_to(parameters.b, (*shape[:-2], shape[-1]))


def _require_fitting(
    diagram: PhaseDiagram, n: int, m: int, model: ToyModel | None, relative_density: float
) -> None:
    """Raise ValueError unless a diagram is of the networks' size, and of what else is said."""
    require_free(diagram)
    if (diagram.n_features, diagram.n_hidden) != (n, m):
        raise ValueError(
            "diagram must have the networks' n_features and n_hidden, "
            f"got {(diagram.n_features, diagram.n_hidden)} and {(n, m)}"
        )
    of_diagram = ToyModel(n, m) if diagram.model is None else diagram.model
    if model is not None and model != of_diagram:
        raise ValueError(f"model must be that of the diagram, {of_diagram!r}, got {model!r}")
    ratio = 1.0 if diagram.held is None else float(diagram.held.relative_density)
    if relative_density not in (1.0, ratio):
        raise ValueError(
            f"relative_density must be that of the diagram, {ratio:g}, got {relative_density!r}"
        )


def _as_runs(W: Array, b: Array, places: Places) -> Runs:
    """Return networks with their losses under what is assumed at their points."""
    shape = W.shape[:-2]
    loss, silent = np.empty(shape), np.empty(shape)
    for point in np.ndindex(*places.by_row.shape):
        model, density, importance = places.plane.assumed(places.positions[point])
        loss[point] = expected_loss(W[point], b[point], density, importance, model=model)
        nothing = np.zeros(W.shape[-2:]), np.zeros(W.shape[-1])
        silent[point] = expected_loss(*nothing, density, importance, model=model)
    return Runs(
        W=W,
        b=b,
        loss=loss,
        diverged=np.isclose(loss, silent, rtol=_SAME_LOSS, atol=0.0),
        completed=np.ones(loss.shape, dtype=bool),
    )
