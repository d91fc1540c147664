"""The groups of each size, kept in a directory while a catalogue is searched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from phasediagram import archives
from phasediagram.grouping.families import FeatureGroup
from phasediagram.grouping.searching import GroupSpace

_FORMAT = "phasediagram groups of one size 1"
_EACH = ("density", "loss", "W", "b", "ends")


@dataclass(frozen=True)
class SizeStore:
    """A directory with one file for each size that is done.

    Attributes
    ----------
    directory : Path
    arguments : dict
        What decides which groups are found, as plain numbers and lists.
    """

    directory: Path
    arguments: dict[str, Any]

    def prepare(self) -> None:
        """Make the directory, and refuse one that holds sizes of other arguments.

        Raises
        ------
        OSError
            If the directory cannot be made.
        ValueError
            If a file in it is foreign or was made with other arguments.
        """
        self.directory.mkdir(exist_ok=True)
        for path in sorted(self.directory.glob("*.npz")):
            self._read(path)

    def save(self, space: GroupSpace, groups: list[FeatureGroup], poor: int) -> None:
        """Keep the groups of a size (named), and how many poor minima were met."""
        arrays = {
            f"{name}_{k}": np.array(getattr(group, name))
            for k, group in enumerate(groups)
            for name in _EACH
        }
        header = {"format": _FORMAT, "arguments": self.arguments, "poor": poor}
        header["names"] = [group.name for group in groups]
        archives.write(self._path(space), header, arrays)

    def load(self, space: GroupSpace) -> tuple[list[FeatureGroup], int] | None:
        """Return what was kept of a size, None if it is not done."""
        path = self._path(space)
        if not path.exists():
            return None
        header, arrays = self._read(path)
        try:
            groups = [
                FeatureGroup(
                    str(name),
                    space.n_features,
                    space.n_hidden,
                    space.n_second,
                    space.relative_importance,
                    **{each: arrays[f"{each}_{k}"] for each in _EACH[:-1]},
                    ends=(str(arrays[f"ends_{k}"][0]), str(arrays[f"ends_{k}"][1])),
                )
                for k, name in enumerate(header["names"])
            ]
            return groups, int(header["poor"])
        except (KeyError, TypeError, IndexError):
            raise ValueError(f"{str(path)!r} is truncated or foreign") from None

    def _path(self, space: GroupSpace) -> Path:
        return self.directory / f"{space.n_features}-{space.n_hidden}-{space.n_second}.npz"

    def _read(self, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        header, arrays = archives.read(path)
        if header.get("format") != _FORMAT:
            raise ValueError(f"{str(path)!r} is truncated or foreign")
        found = header.get("arguments")
        for name, value in self.arguments.items():
            if not isinstance(found, dict) or found.get(name) != value:
                held = found.get(name) if isinstance(found, dict) else found
                raise ValueError(
                    f"directory {str(self.directory)!r} holds groups searched with "
                    f"{name} = {held!r}, not {value!r}"
                )
        return header, arrays
