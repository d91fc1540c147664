"""Legends below the axes, where there is no data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.legend import Legend
from matplotlib.transforms import Bbox, ScaledTranslation

from phasediagram.plotting.elements.canvas import below_label
from phasediagram.plotting.elements.layout import legend_shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase


_LEFTWARDS = 0.3  # inches, below the labels of the y axis


class LegendBelow(Legend):
    """A legend below the axes, which remembers what it explains, to be added to."""

    def __init__(
        self,
        ax: Axes,
        handles: Sequence[Artist],
        handlers: Mapping[Any, Any],
        columns: int,
        tall: bool,
    ) -> None:
        self.given = list(handles), dict(handlers), columns, tall
        super().__init__(
            ax,
            list(handles),
            [str(handle.get_label()) for handle in handles],
            handler_map=dict(handlers),
            loc="upper left",
            bbox_to_anchor=(0.0, 0.0),
            bbox_transform=below_label(ax)
            + ScaledTranslation(-_LEFTWARDS, 0, ax.figure.dpi_scale_trans),
            **legend_shape(columns, tall),
        )

    def get_tightbbox(self, renderer: RendererBase | None = None) -> Bbox:
        """Return the room that it needs: below the axes, which need not be as wide."""
        needed = super().get_tightbbox(renderer)
        assert needed is not None
        assert self.axes is not None
        across = self.axes.get_window_extent().intervalx
        left, right = np.clip(needed.intervalx, *across)
        return Bbox.from_extents(left, needed.y0, right, needed.y1)


def add_below(
    ax: Axes,
    handles: Sequence[Artist],
    handlers: Mapping[Any, Any] | None = None,
    columns: int | None = None,
    tall: bool = False,
) -> None:
    """Explain something below the axes, after what is explained there already."""
    before = ax.get_legend()
    if isinstance(before, LegendBelow):
        old_handles, old_handlers, old_columns, was_tall = before.given
        handles = [*old_handles, *handles]
        handlers = {**old_handlers, **(handlers or {})}
        columns, tall = columns or old_columns, tall or was_tall
    if handles:
        ax.legend_ = LegendBelow(ax, handles, handlers or {}, columns or 1, tall)
        ax.legend_.set_clip_on(False)  # it is outside the axes, and needs room
