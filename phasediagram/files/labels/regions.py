"""Regions of phases as labelled arrays, with the boundaries that they lie between.

The vertices of all rings (outlines, holes, curves and crossovers) follow each other along the
dimension ``vertex``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from phasediagram.files.labelled import LabelledArrays, Variable
from phasediagram.files.labels.curves import boundaries_from, label_boundaries
from phasediagram.regions.result import PhaseRegion, PhaseRegions
from phasediagram.results import Unresolved

Array = NDArray[np.float64]

_VERTEX, _RING, _REGION, _OPEN = ("vertex",), ("ring",), ("region",), ("open_end",)
_OF_NONE = -1  # region of a ring that belongs to none
_WINDOW = ("lowest_y", "highest_y", "lowest_x", "highest_x")


def label_regions(regions: PhaseRegions) -> LabelledArrays:
    """Return regions, and the boundaries they lie between, as labelled arrays."""
    of_boundaries = label_boundaries(regions.boundaries)
    rings = list(_rings(regions))
    vertices = np.concatenate([*(points for _, _, points in rings), np.empty((0, 2))])
    shape = (0, regions.boundaries.n_hidden, regions.boundaries.n_features)
    parts, ends = regions.regions, regions.open_ends
    W = np.array([part.W for part in parts]) if parts else np.empty(shape)
    variables = {
        "vertex_y": Variable(_VERTEX, vertices[:, 0], "density, or value of the axis y"),
        "vertex_x": Variable(_VERTEX, vertices[:, 1], "relative importance, or value of x"),
        "ring_length": Variable(
            _RING, np.array([len(points) for _, _, points in rings], np.int32), "its vertices"
        ),
        "ring_kind": Variable(
            _RING, _strings([kind for kind, _, _ in rings]), "outline, hole, curve or crossover"
        ),
        "ring_region": Variable(
            _RING, np.array([of for _, of, _ in rings], np.int32), "index of its region, or -1"
        ),
        "region_phase": Variable(_REGION, _strings([p.phase for p in parts]), "its phase"),
        "region_share": Variable(
            _REGION, np.array([p.share for p in parts], dtype=float), "of the window's area"
        ),
        "region_inside": Variable(
            ("region", "coordinate"),
            np.array([p.inside for p in parts], dtype=float).reshape(-1, 2),
            "a point well inside",
        ),
        "region_W": Variable(("region", "hidden", "feature"), W, "weights at that point"),
        "open_y": Variable(_OPEN, np.array([e.density for e in ends], dtype=float), "of an end"),
        "open_x": Variable(
            _OPEN, np.array([e.relative_importance for e in ends], dtype=float), "of an end"
        ),
        "open_reason": Variable(_OPEN, _strings([e.reason for e in ends]), "why it is open"),
        "disagreement": Variable(
            ("disagreement",), _strings(regions.disagreements), "minimum against boundaries"
        ),
    }
    window = dict(zip(_WINDOW, (*regions.density, *regions.relative_importance), strict=True))
    return LabelledArrays(
        "phase regions",
        {**of_boundaries.variables, **variables},
        of_boundaries.coordinates,
        {**of_boundaries.attributes, **window},
    )


def regions_from(arrays: LabelledArrays) -> PhaseRegions:
    """Return the regions that `label_regions` was given."""
    vertices = np.stack([arrays.values("vertex_y"), arrays.values("vertex_x")], axis=1)
    ends = np.cumsum(arrays.values("ring_length"))[:-1]
    rings = list(
        zip(
            arrays.names("ring_kind").tolist(),
            arrays.values("ring_region").tolist(),
            np.split(vertices, ends) if len(arrays.values("ring_length")) else [],
            strict=True,
        )
    )

    def of(wanted: str, region: int = _OF_NONE) -> tuple[Array, ...]:
        return tuple(points for kind, index, points in rings if (kind, index) == (wanted, region))

    columns = [arrays.values(f"region_{name}") for name in ("phase", "share", "inside", "W")]
    open_ends = zip(*(arrays.values(f"open_{name}") for name in ("y", "x", "reason")), strict=True)
    low_y, high_y, low_x, high_x = (float(arrays.attributes[name]) for name in _WINDOW)
    return PhaseRegions(
        tuple(
            PhaseRegion(
                str(phase),
                of("outline", k)[0],
                of("hole", k),
                float(share),
                (float(inside[0]), float(inside[1])),
                W,
            )
            for k, (phase, share, inside, W) in enumerate(zip(*columns, strict=True))
        ),
        boundaries_from(arrays),
        (low_y, high_y),
        (low_x, high_x),
        of("curve"),
        of("crossover"),
        tuple(Unresolved(float(p), float(r), str(why)) for p, r, why in open_ends),
        tuple(str(text) for text in arrays.names("disagreement")),
    )


def _rings(regions: PhaseRegions) -> Iterator[tuple[str, int, Array]]:
    """Yield what each ring is, the index of its region, and its vertices."""
    for k, region in enumerate(regions.regions):
        yield "outline", k, region.outline
        for hole in region.holes:
            yield "hole", k, hole
    for curve in regions.curves:
        yield "curve", _OF_NONE, curve
    for crossover in regions.crossovers:
        yield "crossover", _OF_NONE, crossover


def _strings(values: list[str] | tuple[str, ...]) -> NDArray[np.str_]:
    return np.array(list(values), dtype=np.str_)
