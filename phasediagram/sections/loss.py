"""Sections through the diagram: the losses of all minima along a line."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.kernel.loss import expected_loss
from phasediagram.minima.engine import Engine
from phasediagram.naming.phases import phases_of
from phasediagram.results import BranchLosses, LossSection
from phasediagram.sections.course import Course, course_of, engine_on
from phasediagram.sections.line import Line
from phasediagram.sections.transitions import transitions_along
from phasediagram.toymodel.axes import Axis
from phasediagram.toymodel.models import ToyModel, sized_model

Array = NDArray[np.float64]


def loss_section(
    density: ArrayLike | None = None,
    relative_importance: ArrayLike = 1.0,
    n_features: int = 2,
    n_hidden: int | None = None,
    *,
    rng: int | np.random.Generator = 0,
    x: Axis | None = None,
    model: ToyModel | None = None,
    importance: ArrayLike | None = None,
    relative_density: float = 1.0,
) -> LossSection:
    """Return the losses of all minima with free weights along a line.

    Every minimum is followed, metastable or not, to where it ends.  At a continuous transition it
    goes on as the lowest of the minima that it turns into.

    Parameters
    ----------
    density, relative_importance : array_like
        One is a number, the other an ascending or descending list of at least two.  With `x` both
        are numbers, or one density a feature, at which the rest is held.
    n_features, n_hidden : int
        Numbers of features n (2 to 6) and hidden dimensions m < n, by default n - 1.
    rng : int or numpy.random.Generator
        Where the starts of searches come from.
    x : Axis, optional
        What varies, instead of density or relative importance.
    model : ToyModel, optional
        What is assumed besides the paper's model, and its size.
    importance : float or array_like, shape (n,), optional
        Importances at which the rest is held, instead of `relative_importance`.
    relative_density : float
        The last feature's density over that of the others, unless it is the axis.

    Returns
    -------
    LossSection

    Raises
    ------
    ValueError
        If an argument is outside its range, not exactly one is a list, or its values neither
        ascend nor descend throughout.

    Examples
    --------
    >>> import numpy as np, phasediagram as phd
    >>> section = phd.loss_section(0.55, np.linspace(0.6, 0.75, 16))
    >>> sorted({phase for branch in section.branches for phase in branch.phases if phase})
    ['aligned', 'antipodal', 'ignored', 'partial']
    """
    chosen = sized_model(n_features, n_hidden, model)
    n, m = chosen.n_features, chosen.hidden
    course = course_of(chosen, x, density, relative_importance, importance, relative_density)
    line = Line(engine_on(course, m), course.plane, course.positions)
    paths = line.paths(np.random.default_rng(rng))
    branches = [_branch(path, course, line.engine, n, m) for path in paths]
    lowest = np.nanmin([branch.loss for branch in branches], axis=0)
    transitions = transitions_along(line, paths, branches, course)
    branches.sort(key=lambda branch: float(np.nanmin(branch.loss - lowest)))
    is_papers = course.plane.model is None
    return LossSection(
        course.density,
        course.relative_importance,
        tuple(branches),
        n,
        m,
        transitions=transitions,
        values=None if is_papers else course.values,
        x=None if is_papers else course.axis,
        model=course.plane.model,
        held=course.plane.held,
    )


def _branch(path: Array, course: Course, engine: Engine, n: int, m: int) -> BranchLosses:
    exists = np.isfinite(path[:, 0])
    W, b = path[:, : m * n].reshape(-1, m, n), path[:, m * n :]
    loss = np.full(len(path), np.nan)
    if course.plane.model is None:
        importance = np.ones((len(path), n))
        importance[:, -1] = course.relative_importance
        density = course.density[exists, None]
        loss[exists] = expected_loss(W[exists], b[exists], density, importance[exists])
    else:
        parameters = course.plane.many(course.positions[exists])
        loss[exists] = engine.minimize(path[exists], *parameters, iterations=0).loss
    phases = np.full(len(path), "", dtype=object)
    phases[exists] = phases_of(W[exists], course.density[exists]).tolist()
    return BranchLosses(tuple(phases.tolist()), loss, W, b)
