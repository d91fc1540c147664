"""Phase boundaries as curves: first order, continuous, spinodal; and their special points."""

from __future__ import annotations

import os
import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.boundaries.crossings import crossings
from phasediagram.boundaries.survey import survey
from phasediagram.lines.tracer import Domain
from phasediagram.minima.symmetry import plane_engine
from phasediagram.model import (
    DENSITY_RANGE,
    MAX_TRACED_FEATURES,
    RELATIVE_IMPORTANCE_RANGE,
    as_density,
    as_importance,
)
from phasediagram.parameters import Plane, plane_of
from phasediagram.progress import Progress
from phasediagram.results import PhaseBoundaries
from phasediagram.toymodel.axes import DENSITY, RELATIVE_IMPORTANCE, Axis
from phasediagram.toymodel.models import LINEAR, ToyModel, sized_model

Array = NDArray[np.float64]


def phase_boundaries(
    n_features: int = 2,
    n_hidden: int | None = None,
    weights: str = "free",
    spinodals: bool = True,
    progress: Progress | None = None,
    *,
    density: ArrayLike = DENSITY_RANGE,
    relative_importance: ArrayLike = RELATIVE_IMPORTANCE_RANGE,
    rng: int | np.random.Generator = 0,
    x: Axis | None = None,
    y: Axis | None = None,
    model: ToyModel | None = None,
    importance: ArrayLike | None = None,
    relative_density: float = 1.0,
) -> PhaseBoundaries:
    """Return every phase boundary of a window of the diagram as a curve, and the special points.

    Parameters
    ----------
    n_features : int
        Number of features n, 2 to 5; of linear models, whose boundaries have a closed form, 6.
    n_hidden : int, optional
        Number of hidden dimensions m < n; n - 1 by default.
    weights : {"free"}
        W and b unrestricted.
    spinodals : bool
        Whether to trace the limits of metastability too.
    progress : callable, optional
        Called now and then with the share of the work that is done, 0 to 1.
    density, relative_importance : tuple of float
        The window: lowest and highest density, in (0, 1], and relative importance.
    rng : int or numpy.random.Generator
        For the starts from which minima are searched.
    x, y : Axis, optional
        The window on other axes; then `density` and `relative_importance` are numbers, or one
        density a feature, at which the rest is held, and may be left out.
    model : ToyModel, optional
        What is assumed besides the paper's model, and its size.
    importance : float or array_like, shape (n,), optional
        Importances at which the rest is held, instead of `relative_importance`.
    relative_density : float
        The last feature's density over that of the others, unless it is an axis.

    Returns
    -------
    PhaseBoundaries
        Its `unresolved` says what could not be closed; a warning says so too.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> import phasediagram as phd
    >>> boundaries = phd.phase_boundaries(2, spinodals=False)
    >>> point = boundaries.special_points[0]
    >>> point.kind, sorted(point.phases)
    ('triple point', ['antipodal', 'ignored', 'partial'])
    >>> print(f"p = {point.density:.8f}, r = {point.relative_importance:.8f}")
    p = 0.51173803, r = 0.56413137
    >>> sorted({boundary.order for boundary in boundaries.boundaries})  # first order, continuous
    [1, 2]
    """
    if weights != "free":
        raise ValueError(f"weights must be 'free' to trace boundaries, got {weights!r}")
    chosen = sized_model(n_features, n_hidden, model)
    n, m = chosen.n_features, chosen.hidden
    is_linear = chosen.activation == LINEAR
    if n > MAX_TRACED_FEATURES and not is_linear:
        raise ValueError(
            f"n_features must be at most {MAX_TRACED_FEATURES} to trace boundaries, got {n}"
        )
    plane, domain = _plane_and_domain(
        chosen, x, y, density, relative_importance, importance, relative_density
    )
    report = progress or (lambda share: None)
    if is_linear:  # no minimum but the lowest, so that there are no spinodals
        result = crossings(plane, m, domain)
        report(1.0)
    else:
        found = survey(
            plane_engine(plane, m, threads=os.cpu_count() or 1),
            plane,
            domain,
            np.random.default_rng(rng),
            spinodals,
            report,
        )
        result = found.result()
    if result.unresolved:
        warnings.warn(
            f"{len(result.unresolved)} ends of curves could not be closed; "
            "they are listed as unresolved",
            stacklevel=2,
        )
    return result


def _plane_and_domain(
    model: ToyModel,
    x: Axis | None,
    y: Axis | None,
    density: ArrayLike,
    relative_importance: ArrayLike,
    importance: ArrayLike | None,
    relative_density: float,
) -> tuple[Plane, Domain]:
    """Return the plane that is traced, and the window."""
    if (x is None) != (y is None):
        raise ValueError(f"x and y must both be given or both be left out, got {x!r} and {y!r}")
    if x is None or y is None:
        p = _range("density", as_density(density))
        r = _range(RELATIVE_IMPORTANCE, as_importance(relative_importance, RELATIVE_IMPORTANCE))
        axes = Axis(DENSITY, *p.tolist()), Axis(RELATIVE_IMPORTANCE, *r.tolist())
        plane = plane_of(model, axes, None, 1.0, importance, relative_density)
    else:
        axes = y, x
        held = None if density is DENSITY_RANGE else density
        is_left_out = relative_importance is RELATIVE_IMPORTANCE_RANGE
        held_r = 1.0 if is_left_out else relative_importance
        plane = plane_of(model, axes, held, held_r, importance, relative_density)
    window = [axis.coordinates([axis.start, axis.stop]) for axis in axes]
    domain = Domain(*np.transpose(window))
    return (Plane(model.n_features) if plane.is_papers else plane), domain


def _range(name: str, values: Array) -> Array:
    if values.shape != (2,) or not values[0] < values[1]:
        raise ValueError(f"{name} must be a pair of ascending numbers, got {values.tolist()}")
    return values
