"""The regions between boundaries, and the phase of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.minima.solving import minima_in_plane
from phasediagram.model import DENSITY_RANGE, RELATIVE_IMPORTANCE_RANGE
from phasediagram.parameters import Plane
from phasediagram.regions.arrangement import Arrangement, Face, LooseEnd, arrange
from phasediagram.regions.crossovers import crossovers
from phasediagram.regions.interior import inside
from phasediagram.regions.result import PhaseRegion, PhaseRegions
from phasediagram.regions.smoothing import smoothed
from phasediagram.results import Boundary, PhaseBoundaries, Unresolved

Array = NDArray[np.float64]

_CRITICAL = "critical point"  # the only kind of end that a boundary has by itself


def phase_regions(
    boundaries: PhaseBoundaries,
    *,
    density: Sequence[float] | None = None,
    relative_importance: Sequence[float] | None = None,
) -> PhaseRegions:
    """Return the regions into which boundaries divide a window, as polygons.

    Their phases are those of the lowest minimum at a point inside each, which `phasediagram.solve`
    finds; whether the boundaries around say the same is checked.

    Parameters
    ----------
    boundaries : PhaseBoundaries
    density, relative_importance : pair of float, optional
        The window, which must be within that in which the boundaries were traced; by default the
        paper's.  On other axes it is the range of these, and may not be given.

    Returns
    -------
    PhaseRegions
        Without regions if boundaries end inside where nothing else is, which its `open_ends` say.

    Raises
    ------
    ValueError
        If a range does not ascend from above 0, or is given for boundaries on other axes.

    Examples
    --------
    >>> import phasediagram as phd
    >>> regions = phd.phase_regions(phd.phase_boundaries(2, spinodals=False))
    >>> for phase, share in sorted(regions.shares().items()):
    ...     print(f"{phase:13} {share:.6f}")
    antipodal     0.785206
    dedicated     0.102928
    ignored       0.102928
    partial       0.004469
    partial-other 0.004469
    """
    plane = _plane(boundaries)
    window = _window(boundaries, plane, density, relative_importance)
    lower, upper = (plane.coordinates(tuple(np.array([w[k]]) for w in window))[0] for k in (0, 1))
    lower, upper = lower[::-1], upper[::-1]  # columns first, as in a figure
    kept = [b for b in boundaries.boundaries if b.kind == "equilibrium"]
    curves = smoothed([_positions(plane, b) for b in kept])
    critical = {
        (k, end)
        for k, boundary in enumerate(kept)
        for end in (0, -1)
        if boundary.ends and boundary.ends[end] == _CRITICAL
    }
    divided = arrange(curves, lower, upper, critical)
    loose = [end for end in divided.loose_ends if (end.curve, end.end) in critical]
    values = tuple(_values(plane, curve) for curve in curves)
    open_ends = tuple(_open_ends(plane, divided, loose))
    if open_ends:
        return PhaseRegions((), boundaries, *window, values, open_ends=open_ends)
    names = [frozenset(boundary.phases) for boundary in kept]
    corners = np.array([lower, [upper[0], lower[1]], upper, [lower[0], upper[1]]])
    added = crossovers(loose, [names[end.curve] for end in loose], curves, corners)
    divided = arrange([*curves, *added], lower, upper) if added else divided
    labelled = [_labelled(plane, boundaries.n_hidden, face, names) for face in divided.faces]
    whole = float(np.prod(upper - lower))
    regions = [
        _region(plane, face, label, whole)
        for face, label in zip(divided.faces, labelled, strict=True)
    ]
    return PhaseRegions(
        tuple(sorted(regions, key=lambda region: -region.share)),
        boundaries,
        *window,
        values,
        tuple(_values(plane, line) for line in added),
        (),
        tuple(label.disagreement for label in labelled if label.disagreement),
    )


@dataclass(frozen=True)
class _Label:
    phase: str
    place: Array
    W: Array
    disagreement: str


def _plane(boundaries: PhaseBoundaries) -> Plane:
    if boundaries.model is None or boundaries.x is None or boundaries.y is None:
        return Plane(boundaries.n_features)
    axes = boundaries.y, boundaries.x
    return Plane(boundaries.n_features, boundaries.model, boundaries.held, axes)


def _window(
    boundaries: PhaseBoundaries,
    plane: Plane,
    density: Sequence[float] | None,
    relative_importance: Sequence[float] | None,
) -> tuple[tuple[float, float], tuple[float, float]]:
    if plane.axes:
        if density is not None or relative_importance is not None:
            raise ValueError("density and relative_importance are for the paper's axes only")
        (by_row, by_column) = plane.axes
        return (by_row.start, by_row.stop), (by_column.start, by_column.stop)
    return (
        _range("density", DENSITY_RANGE if density is None else density),
        _range(
            "relative_importance",
            RELATIVE_IMPORTANCE_RANGE if relative_importance is None else relative_importance,
        ),
    )


def _range(name: str, given: Sequence[float]) -> tuple[float, float]:
    values = np.asarray(given, dtype=np.float64)
    if values.shape != (2,) or not 0 < values[0] < values[1] < np.inf:
        raise ValueError(f"{name} must be two ascending positive numbers, got {given!r}")
    return float(values[0]), float(values[1])


def _positions(plane: Plane, boundary: Boundary) -> Array:
    return plane.coordinates((boundary.density, boundary.relative_importance))[:, ::-1]


def _values(plane: Plane, points: Array) -> Array:
    return np.stack(plane.values(points[:, ::-1]), axis=1)


def _open_ends(plane: Plane, divided: Arrangement, critical: list[LooseEnd]) -> list[Unresolved]:
    found = [
        (end.position, "a boundary ends where no other is")
        for end in divided.loose_ends
        if not any(end is other for other in critical)
    ]
    found += [(place, "two boundaries cross") for place in divided.crossings]
    at = [(_values(plane, place[None])[0], why) for place, why in found]
    return [Unresolved(float(p), float(r), why) for (p, r), why in at]


def _labelled(plane: Plane, m: int, face: Face, names: list[frozenset[str]]) -> _Label:
    """Return the phase inside a face, and what the boundaries around say about it."""
    place = inside(face)
    lowest = minima_in_plane(plane, m, place[::-1])[0]
    around = [names[side.curve] for side in face.sides if side.curve < len(names)]
    if not around or all(lowest.phase in pair for pair in around):
        return _Label(lowest.phase, place, lowest.W, "")
    p, r = _values(plane, place[None])[0]
    listed = "; ".join(sorted({" | ".join(sorted(pair)) for pair in around}))
    said = f"{lowest.phase} at {p:.10g}, {r:.10g}, between the boundaries {listed}"
    common = frozenset.intersection(*around)
    phase = next(iter(common)) if len(common) == 1 else lowest.phase
    return _Label(phase, place, lowest.W, said)


def _region(plane: Plane, face: Face, label: _Label, whole: float) -> PhaseRegion:
    p, r = _values(plane, label.place[None])[0]
    return PhaseRegion(
        label.phase,
        _values(plane, face.outline),
        tuple(_values(plane, hole) for hole in face.holes),
        face.area / whole,
        (float(p), float(r)),
        label.W,
    )
