"""Arrays with named dimensions: what results become in files and in xarray."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Attributes = dict[str, str | int | float]

AXES = ("density", "relative_importance")
SEPARATOR = "|"  # between names in one string

_UNITS = "1"  # densities, importances, losses, weights and biases are pure numbers


class Variable(NamedTuple):
    """An array, the names of its dimensions, and what it is in a few words."""

    dimensions: tuple[str, ...]
    values: NDArray[Any]
    description: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """Description and units, under the names of the CF conventions."""
        attributes = {"long_name": self.description} if self.description else {}
        if self.values.dtype.kind == "f":
            attributes["units"] = _UNITS
        return attributes


@dataclass(frozen=True)
class LabelledArrays:
    """A result as arrays with named dimensions, and what made it.

    Attributes
    ----------
    kind : str
        Which type of result it is.
    variables : dict of str to Variable
        Data and coordinates.
    coordinates : tuple of str
        Which of the variables say where the others are.
    attributes : dict of str to str, int or float
        Version, arguments, tolerance and whatever else is not an array.
    """

    kind: str
    variables: dict[str, Variable]
    coordinates: tuple[str, ...]
    attributes: Attributes

    def values(self, name: str) -> NDArray[Any]:
        """Return an array by name."""
        return self.variables[name].values

    def names(self, name: str) -> NDArray[np.str_]:
        """Return an array of strings by name."""
        return np.asarray(self.values(name), dtype=np.str_)

    def number(self, name: str) -> int:
        """Return an attribute that is an integer."""
        return int(self.attributes[name])

    def text(self, name: str) -> str:
        """Return an attribute that is a string."""
        return str(self.attributes[name])


def joined(names: tuple[str, ...]) -> str:
    """Return names as one string."""
    return SEPARATOR.join(names)


def split(text: str) -> tuple[str, ...]:
    """Return the names in a string that `joined` made."""
    return tuple(text.split(SEPARATOR)) if text else ()
