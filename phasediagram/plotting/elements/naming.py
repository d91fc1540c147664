"""Names in regions, placed when they are drawn, when everything else has its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke
from matplotlib.text import Annotation
from matplotlib.transforms import IdentityTransform, ScaledTranslation

from phasediagram.plotting.elements.areas import Area
from phasediagram.plotting.elements.labels import Place, Room, text_size
from phasediagram.plotting.elements.pictures import picture_lines
from phasediagram.plotting.elements.styles import (
    DARK,
    LIGHT,
    luminance,
    phase_colors,
    readable_on,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase

_PICTURE = 24.0  # points across a picture of W
_SMALLEST_CALLED_OUT = 1e-3  # share of the axes
_APART = 4.0  # points between a name that stands elsewhere and what it does not name
_ABOVE = 5.0  # order of drawing: lines and markers are below


class RegionNames(Artist):
    """Each phase's name in its areas, with a picture of W where there is room.

    Names avoid lines, markers and each other, whatever is drawn into the axes.  An area without
    room is named from outside, unless it is in a box that is magnified elsewhere.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    areas : sequence of Area
    size : float or str
        Of the names.
    show_weights : bool
    elsewhere : sequence of float, optional
        The box: left, bottom, right, top in fractions of the axes.
    """

    def __init__(
        self,
        ax: Axes,
        areas: Sequence[Area],
        size: float | str,
        show_weights: bool,
        elsewhere: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self._areas, self._size, self._show_weights = areas, size, show_weights
        self._elsewhere = elsewhere
        self._colors = phase_colors(area.phase for area in areas)
        self._children: list[Artist] = []
        self._drawn_for: object = None
        self.set_zorder(_ABOVE)
        self.set_in_layout(False)
        ax.add_artist(self)

    def get_children(self) -> list[Artist]:
        """Return the names and pictures, as they were drawn last."""
        return list(self._children)

    def draw(self, renderer: RendererBase) -> None:
        """Draw names and pictures, placing them again if the axes have changed."""
        assert self.axes is not None
        ax = self.axes
        state = (ax.get_window_extent().bounds, ax.get_xlim(), ax.get_ylim(), len(ax.lines))
        if state != self._drawn_for:
            self._drawn_for, self._children = state, []
            self._arrange(ax)  # type: ignore[arg-type]
        for child in self._children:
            child.draw(renderer)

    def _arrange(self, ax: Axes) -> None:
        room = Room(ax)
        if self._elsewhere is not None:
            left, bottom, right, top = self._elsewhere
            room.add_fractions((left + right) / 2, (bottom + top) / 2, right - left, top - bottom)
        unnamed = []
        for area in sorted(self._areas, key=lambda area: -area.share):
            if area.mask.any() and not self._is_elsewhere(area) and not self._inside(area, room):
                unnamed.append(area)
        for area in unnamed:
            if area.share >= _SMALLEST_CALLED_OUT:
                self._from_outside(area, room)

    def _is_elsewhere(self, area: Area) -> bool:
        if self._elsewhere is None:
            return False
        left, bottom, right, top = self._elsewhere
        x, y = area.anchor
        return left <= x <= right and bottom <= y <= top

    def _inside(self, area: Area, room: Room) -> bool:
        width, height = text_size(area.phase, self._size)
        color = readable_on(self._colors[area.phase])
        if self._show_weights:
            wide, tall = max(width, _PICTURE), height + _PICTURE + 1
            place = room.place(area.mask, wide, tall)
            if place is not None and place.clear:
                self._picture(area, place, (height + 1) / 2, color)
                self._write(area.phase, place, -(_PICTURE + 1) / 2, color)
                room.add_label(place.x, place.y, wide, tall)
                return True
        place = room.place(area.mask, width, height)
        if place is None:
            return False
        self._write(area.phase, place, 0.0, color, self._colors[area.phase])
        room.add_label(place.x, place.y, width, height)
        return True

    def _from_outside(self, area: Area, room: Room) -> None:
        """Write a name in another area, with a line to the one that it names."""
        width, height = text_size(area.phase, self._size)
        grounds = [other for other in self._areas if other is not area and other.mask.any()]
        apart = width + 2 * _APART, height + 2 * _APART
        place = room.near([other.mask for other in grounds], area.anchor, *apart)
        if place is None:
            return
        row, column = (int(c * area.mask.shape[0]) for c in (place.y, place.x))
        (below,) = (other for other in grounds if other.mask[row, column])
        color = readable_on(self._colors[below.phase])
        arrow = {"arrowstyle": "-", "lw": 0.6, "color": color, "shrinkA": 0, "shrinkB": 0}
        self._annotate(area.phase, area.anchor, color, (place.x, place.y), "axes fraction", arrow)
        room.add_label(place.x, place.y, width, height)
        room.add_leader(area.anchor, (place.x, place.y))

    def _write(
        self, text: str, place: Place, up: float, color: str, ground: str | None = None
    ) -> None:
        name = self._annotate(text, (place.x, place.y), color, (0, up), "offset points")
        if ground is not None and not place.clear:
            name.set_path_effects([Stroke(linewidth=1.6, foreground=ground), Normal()])

    def _annotate(
        self,
        text: str,
        at: tuple[float, float],
        color: str,
        xytext: tuple[float, float],
        textcoords: str,
        arrow: dict[str, Any] | None = None,
    ) -> Annotation:
        name = Annotation(
            text,
            at,
            xycoords="axes fraction",
            xytext=xytext,
            textcoords=textcoords,
            ha="center",
            va="center",
            fontsize=self._size,
            color=color,
            arrowprops=arrow,
            annotation_clip=False,
        )
        if name.arrow_patch is not None:  # it may cross light and dark fields
            ground = LIGHT if luminance(color) < 0.5 else DARK
            name.arrow_patch.set_path_effects([Stroke(linewidth=1.8, foreground=ground), Normal()])
        self._adopt(name)
        return name

    def _picture(self, area: Area, place: Place, up: float, color: str) -> None:
        """Draw W around a place, so many points above it."""
        assert self.axes is not None
        ax = self.axes
        x, y = ax.transAxes.transform((place.x, place.y))
        points = ax.figure.dpi_scale_trans
        moved = ScaledTranslation(0, up / 72, points) + ScaledTranslation(x, y, IdentityTransform())
        for line in picture_lines(area.W, _PICTURE / 2.6 / 72, color):
            self._adopt(line)
            line.set_transform(points + moved)

    def _adopt(self, child: Artist) -> None:
        assert self.axes is not None
        child.set_figure(self.axes.figure)
        child.axes = self.axes
        if isinstance(child, Annotation | Line2D):
            child.set_clip_on(False)
        self._children.append(child)
