"""The solution at a point: every minimum there, named."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.catalogue.components import components_of
from phasediagram.catalogue.configurations import configurations
from phasediagram.catalogue.diagram import TOLERANCES, candidates, catalogue
from phasediagram.minima.curvature import KINK
from phasediagram.minima.engine import Engine
from phasediagram.minima.search import State, search, starts_needed
from phasediagram.minima.state import Space
from phasediagram.minima.symmetry import least_of_the_last, plane_engine, space_of_parameters
from phasediagram.model import FreeSize, as_density, as_importance
from phasediagram.naming.geometry import extra_feature_outcome
from phasediagram.naming.phases import distinct_names
from phasediagram.parameters import (
    Parameters,
    Plane,
    naming_density,
    parameters_of,
    point,
)
from phasediagram.progress import Progress
from phasediagram.results import Minimum, Solution
from phasediagram.toymodel.models import ToyModel, sized_model
from phasediagram.toymodel.settings import Setting, as_setting, needs_terms

Array = NDArray[np.float64]

WEIGHTS = ("free", "optimized", "canonical")


def solve(
    density: ArrayLike | None = None,
    relative_importance: float = 1.0,
    n_features: int = 2,
    n_hidden: int | None = None,
    weights: str = "free",
    *,
    importance: ArrayLike | None = None,
    model: ToyModel | None = None,
    rng: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> Solution:
    """Return the lowest loss at one density and relative importance.

    Parameters
    ----------
    density : float or array_like, shape (n,)
        Probability that a feature is active, in (0, 1]; with free weights also one for each
        feature.  Left out if the model's activity says it.
    relative_importance : float
        Importance r > 0 of the extra (last) feature; the others have importance 1.
    n_features, n_hidden : int
        Numbers of features n (2 to 6) and hidden dimensions m; m = n - 1, the default, or
        with free weights any m < n.
    weights : {"free", "optimized", "canonical"}
        What may vary: W and b altogether; the scales and biases of each configuration of
        the catalogue; or nothing, the hand-picked weights of the literature.
    importance : float or array_like, shape (n,), optional
        With free weights: the importance of each feature, instead of `relative_importance`.
    model : ToyModel, optional
        With free weights: what is assumed besides the paper's model, and its size.
    rng : int or numpy.random.Generator
        For free weights: seed or source of the random starts of the search.
    progress : callable, optional
        For free weights: called now and then with the share of the work that is done, 0 to 1.

    Returns
    -------
    Solution

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> import phasediagram as phd
    >>> solution = phd.solve(0.2)
    >>> solution.phase, solution.outcome
    ('antipodal', 'superposition')
    >>> f"{solution.loss:.10f}"
    '0.0131845552'
    """
    if density is None or model is not None or importance is not None or np.ndim(density):
        require_free(weights)
        chosen = sized_model(n_features, n_hidden, model)
        setting = as_setting(chosen, density, relative_importance, importance)
        if not is_papers(chosen, setting):
            return _solve_model(chosen, setting, density, rng, progress)
        n_features, n_hidden = chosen.n_features, chosen.n_hidden
        density, relative_importance = setting.density[0], setting.importance[-1]
    m = hidden_dimensions(n_features, n_hidden, weights)
    p = _scalar(as_density(density), "density")
    r = _scalar(as_importance(relative_importance, "relative_importance"), "relative_importance")
    arguments = float(p), float(r), n_features, m, weights
    if weights == "free":
        minima = _free_minima(n_features, m, float(p), float(r), rng, progress)
        return Solution(*arguments, minima)
    return Solution(
        *arguments, _catalogue_minima(n_features, m, p, r, weights), TOLERANCES[weights]
    )


def hidden_dimensions(n_features: int, n_hidden: int | None, weights: str) -> int:
    """Return the number of hidden dimensions, n - 1 if None is given.

    Raises
    ------
    ValueError
        Unless these weights can have this size.
    """
    if weights not in WEIGHTS:
        allowed = ", ".join(map(repr, WEIGHTS))
        raise ValueError(f"weights must be one of {allowed}, got {weights!r}")
    if n_hidden is None:
        FreeSize(n_features, 1)
        n_hidden = n_features - 1
    if weights == "free":
        FreeSize(n_features, n_hidden)
    else:
        configurations(n_features, n_hidden)
    return n_hidden


def require_free(weights: str) -> None:
    """Raise ValueError unless weights are free, as other models than the paper's need."""
    if weights != "free":
        raise ValueError(
            "weights must be 'free' for a model, axes, importances or densities of one's own, "
            f"got {weights!r}"
        )


def is_papers(model: ToyModel, setting: Setting) -> bool:
    """Whether a setting has one density and importances (1, ..., 1, r) of the paper's model."""
    densities = setting.densities
    return model.is_standard and bool(
        (densities == densities[0]).all() and (setting.importance[:-1] == 1).all()
    )


def _solve_model(
    model: ToyModel,
    setting: Setting,
    density: ArrayLike | None,
    rng: int | np.random.Generator,
    progress: Progress | None,
) -> Solution:
    n, m = model.n_features, model.hidden
    at = parameters_of(model, setting)
    space = space_of_parameters(model, [at], m)
    terms = needs_terms(model, setting)
    engine = Engine(space, os.cpu_count() or 1, model.activation, terms)
    names = float(naming_density(model, setting))
    components = components_of(Plane(n, model, setting))
    if components is not None:
        (x,) = components.minima(np.zeros((1, 0)))[1]
        loss, gradient = engine.slope(x, at)
        state = State(x, loss, float(np.linalg.norm(gradient)), *engine.softest(x, at))
        minima = _named(engine, at, names, [state])
    else:
        minima = _minima_at(engine, at, names, np.random.default_rng(rng), progress)
    given = None if density is None else np.asarray(density, dtype=np.float64)
    return Solution(
        names if given is None else (float(given) if given.ndim == 0 else given),
        float(setting.importance[-1]),
        n,
        m,
        "free",
        minima,
        importance=setting.importance,
        model=model,
    )


def minima_in_plane(
    plane: Plane, m: int, position: Array, rng: int | np.random.Generator = 0
) -> tuple[Minimum, ...]:
    """Return all minima at a position of a plane, named, the lowest first."""
    if plane.model is None:
        p, r = (float(value[0]) for value in plane.values(np.asarray(position)[None]))
        return _free_minima(plane.n, m, p, r, rng, None)
    engine = plane_engine(plane, m, os.cpu_count() or 1)
    naming = float(plane.naming_densities(np.asarray(position)[None])[0])
    return _minima_at(engine, plane.at(position), naming, np.random.default_rng(rng), None)


def _minima_at(
    engine: Engine,
    at: Parameters,
    naming: float,
    rng: np.random.Generator,
    progress: Progress | None,
) -> tuple[Minimum, ...]:
    """Return all minima at a point, named by a density."""
    space = engine.space
    found = search(engine, at, starts_needed(space), rng, progress, flat=True)
    return _named(engine, at, naming, [_least_of_the_extra_feature(space, s) for s in found])


def _named(
    engine: Engine, at: Parameters, naming: float, found: list[State]
) -> tuple[Minimum, ...]:
    space = engine.space
    W = np.array([space.weights(state.x) for state in found])
    names = distinct_names(W.reshape(-1, space.m, space.n), naming)
    return tuple(
        Minimum(
            state.loss,
            W[k],
            space.biases(state.x),
            str(extra_feature_outcome(W[k])),
            str(names[k]),
            _curvature(engine, state, at),
            state.slope,
        )
        for k, state in enumerate(found)
    )


def _free_minima(
    n: int,
    m: int,
    density: float,
    relative_importance: float,
    rng: int | np.random.Generator,
    progress: Progress | None,
) -> tuple[Minimum, ...]:
    importance = np.ones(n)
    importance[-1] = relative_importance
    others = tuple(range(n - 1))
    equal = ((*others, n - 1),) if relative_importance == 1 else (others, (n - 1,))
    engine = Engine(Space(n, m, equal), threads=os.cpu_count() or 1)
    at = point(density, importance)
    return _minima_at(engine, at, density, np.random.default_rng(rng), progress)


def _curvature(engine: Engine, state: State, at: Parameters) -> float:
    """Return the smallest second directional derivative, at a kink without the next term."""
    if engine.nearest_kink(state.x)[0] > KINK:
        return state.curvature
    return engine.expansion(state.x, at, state.direction)[1]


def _least_of_the_extra_feature(space: Space, state: State) -> State:
    """Return the copy in which the extra feature has the fewest dimensions.

    There is a choice only where other features are equal to it.
    """
    x = least_of_the_last(space, state.x)
    if x is state.x:
        return state
    order = next(
        order
        for order in space.orders
        if (space.weights(state.x)[:, order] == space.weights(x)).all()
        and (space.biases(state.x)[order] == space.biases(x)).all()
    )
    W, b = space.weights(state.direction)[:, order], space.biases(state.direction)[order]
    return replace(state, x=x, direction=np.concatenate([W.ravel(), b]))


def _catalogue_minima(n: int, m: int, p: Array, r: Array, weights: str) -> tuple[Minimum, ...]:
    """Return every configuration's minimum, the lowest first."""
    found = candidates(n, m, p, r, weights)
    _, lowest = found.lowest(weights)
    names = [configuration.name for configuration in catalogue(n, m, weights)]
    order = sorted(range(len(names)), key=lambda i: (i != lowest, float(found.losses[i])))
    return tuple(
        Minimum(
            float(found.losses[i]),
            found.W[i],
            found.b[i],
            str(extra_feature_outcome(found.W[i])),
            names[i],
        )
        for i in order
    )


def _scalar(values: Array, name: str) -> Array:
    if values.ndim:
        raise ValueError(f"{name} must be a number, got shape {values.shape}")
    return values
