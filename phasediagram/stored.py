"""What all results can do: be saved, be loaded, become a labelled dataset."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import xarray


class Stored:
    """A result that can be kept in a file."""

    def save(self, path: str | PathLike[str]) -> None:
        """Write the result to an NPZ or NetCDF file, see `phasediagram.save`."""
        from phasediagram.files import save

        result: Any = self
        save(path, result)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a result of this type, see `phasediagram.load`.

        Raises
        ------
        ValueError
            If the file holds another type of result, or none.
        """
        from phasediagram.files import load

        result = load(path)
        if not isinstance(result, cls):
            raise ValueError(f"{str(path)!r} holds a {type(result).__name__}, not a {cls.__name__}")
        return result

    def to_xarray(self) -> xarray.Dataset:
        """Return the result as a labelled dataset, see `phasediagram.to_xarray`."""
        from phasediagram.files import to_xarray

        result: Any = self
        return to_xarray(result)
