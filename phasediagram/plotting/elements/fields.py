"""Filled areas, their labels, and what explains them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import to_rgb
from matplotlib.image import AxesImage
from matplotlib.patches import Patch, PathPatch
from numpy.typing import NDArray

from phasediagram.plotting.elements.areas import Area, visible_phases
from phasediagram.plotting.elements.pictures import WeightsHandler
from phasediagram.plotting.elements.styles import (
    DARK,
    catalogue_order,
    phase_colors,
    phase_style,
    readable_on,
)
from phasediagram.regions.result import PhaseRegions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

_SEAM = 0.4  # points by which fields reach under the lines between them
_EDGE = 0.7
_BLENDED = 160  # pixels across what is blended
_OVER_FIELDS = 1.5  # order of drawing: fields are below, lines above


def fill(ax: Axes, areas: Sequence[Area], edge: str | None = None) -> None:
    """Fill polygons with the colours of their phases, their edges too unless they have one."""
    colors = phase_colors(area.phase for area in areas)
    for area in areas:
        assert area.path is not None
        color = colors[area.phase]
        width = _SEAM if edge is None else _EDGE
        patch = PathPatch(area.path, fc=color, ec=edge or color, lw=width)
        ax.add_patch(patch)


def blend(ax: Axes, areas: Sequence[Area], regions: PhaseRegions) -> None:
    """Let colours run into each other where a phase becomes another without a boundary."""
    colors = phase_colors(area.phase for area in areas)
    for crossover in regions.crossovers:
        line = ax.transScale.transform(crossover[:, ::-1])
        reach = 0.5 * float(np.linalg.norm(line[-1] - line[0]))
        lower, upper = line.min(axis=0) - reach, line.max(axis=0) + reach
        centres = [
            np.linspace(a, b, _BLENDED, endpoint=False) + (b - a) / _BLENDED / 2
            for a, b in zip(lower, upper, strict=True)
        ]
        x, y = np.meshgrid(*centres)
        far = _distances(line, np.stack([x, y], axis=-1)) / reach
        other = 0.5 * (1 - np.clip(far, 0, 1) ** 2 * (3 - 2 * np.clip(far, 0, 1)))
        middle = crossover[len(crossover) // 2]
        beside = [a for a in areas if a.path is not None and _touches(a.path.vertices, middle)]
        for area, opposite in zip(beside, beside[::-1], strict=True):
            if len(beside) != 2 or area.phase == opposite.phase:
                continue
            own, others = (np.array(to_rgb(colors[a.phase])) for a in (area, opposite))
            rgb = (1 - other[..., None]) * own + other[..., None] * others
            image = AxesImage(ax, origin="lower", interpolation="bilinear")
            image.set_data(np.dstack([rgb, (far < 1).astype(float)]))
            box = ax.transScale.inverted().transform([lower, upper])
            corners = (ax.transData - ax.transAxes).transform(box)
            image.set_extent((*corners[:, 0], *corners[:, 1]))
            image.set_transform(ax.transAxes)
            image.set_zorder(_OVER_FIELDS)
            ax.add_image(image)
            image.set_clip_path(area.path, ax.transData)


def _distances(line: Array, places: Array) -> Array:
    """Return the distances of places to a polyline."""
    start, along = line[:-1], np.diff(line, axis=0)
    square = np.maximum((along**2).sum(axis=1), np.finfo(float).tiny)
    away = places[..., None, :] - start
    share = np.clip((away * along).sum(axis=-1) / square, 0, 1)
    return np.asarray(np.linalg.norm(away - share[..., None] * along, axis=-1).min(axis=-1))


def _touches(vertices: Any, place: Array) -> bool:
    return bool(np.isclose(np.asarray(vertices)[:, ::-1], place, rtol=1e-12).all(axis=1).any())


def phase_handles(
    areas: Sequence[Area], explain: bool, show_weights: bool
) -> tuple[list[Artist], dict[Artist, WeightsHandler]]:
    """Return what explains the colours, with a picture of each phase's W."""
    handles: list[Artist] = []
    handlers: dict[Artist, WeightsHandler] = {}
    colors = phase_colors(area.phase for area in areas)
    for name in catalogue_order(visible_phases(areas)):
        largest = max((a for a in areas if a.phase == name), key=lambda area: area.share)
        label = f"{name}: {meaning}" if explain and (meaning := phase_style(name).meaning) else name
        patch = Patch(facecolor=colors[name], edgecolor=DARK, linewidth=0.4, label=label)
        handles.append(patch)
        if show_weights:
            handlers[patch] = WeightsHandler(largest.W, readable_on(colors[name]))
    return handles, handlers


def note(text: str) -> Artist:
    """Return a line of a legend that is only words."""
    return Patch(facecolor="none", edgecolor="none", label=text)
