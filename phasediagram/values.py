"""What results have in common: they cannot be changed, they compare, they say what they are."""

from __future__ import annotations

from dataclasses import Field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.axes import Axes

T = TypeVar("T")


class Value:
    """A frozen dataclass of numbers, arrays and other values.

    Its arrays are read-only; ``==`` holds if all numbers are the same to the last bit, NaN where
    the other has NaN, whichever version of the package and however many seconds it took.
    Dataclasses that derive from it leave ``eq`` and ``repr`` to it.
    """

    def __post_init__(self) -> None:
        for name, value in _numbers(self):
            object.__setattr__(self, name, read_only(value))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a copy or what was pickled, whose arrays are new ones."""
        self.__dict__.update({name: read_only(value) for name, value in state.items()})

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return _same(self, other)

    def __hash__(self) -> int:
        return hash((type(self), *(_key(value) for _, value in _numbers(self))))

    def __repr__(self) -> str:
        return "\n  ".join(self._lines())

    def _lines(self) -> list[str]:
        """Return what `print` shows, the answer first."""
        raise NotImplementedError


class Result(Value):
    """A value that a function returns to users: it can be saved, and shown in a notebook."""

    def save(self, path: str | PathLike[str]) -> None:
        """Write it to a file, as `phasediagram.save`.

        Parameters
        ----------
        path : path
            Ends in ``.npz``, or in ``.nc`` for NetCDF, which needs the extra ``[xarray]``.
        """
        import phasediagram  # the front door: results know neither files nor figures

        phasediagram.save(path, self)  # type: ignore[arg-type]

    def _repr_html_(self) -> str:
        import phasediagram

        return phasediagram.to_html(self)


class DrawnResult(Result):
    """A result that can be drawn."""

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw it, as `phasediagram.plot`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default.
        **options
            As `phasediagram.plot` takes them.

        Returns
        -------
        matplotlib.axes.Axes
        """
        import phasediagram

        return phasediagram.plot(self, ax, **options)  # type: ignore[arg-type]


def read_only(value: T) -> T:
    """Return arrays, also those in a tuple, as views that refuse to be written to.

    Whoever made an array can still write to it; what is read from a file or computed, nobody.
    """
    if isinstance(value, np.ndarray):
        view = value.view()
        view.flags.writeable = False
        return cast(T, view)
    if type(value) is tuple:
        parts = cast("tuple[object, ...]", value)
        if any(isinstance(part, np.ndarray) for part in parts):
            return cast(T, tuple(read_only(part) for part in parts))
    return value


def _numbers(value: Any) -> list[tuple[str, Any]]:
    """Return the names and values of the fields that count when values are compared."""
    compared: list[Field[Any]] = [field for field in fields(value) if field.compare]
    return [(field.name, getattr(value, field.name)) for field in compared]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return _same_arrays(np.asarray(one), np.asarray(other))
    if type(one) is not type(other):
        return bool(one == other)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if is_dataclass(one):
        return all(
            _same(a, b) for (_, a), (_, b) in zip(_numbers(one), _numbers(other), strict=True)
        )
    return bool(one == other or (one != one and other != other))


def _same_arrays(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    may_be_nan = one.dtype.kind == other.dtype.kind == "f"
    return np.array_equal(one, other, equal_nan=may_be_nan)


def _key(value: Any) -> Any:
    """Return what equal values have in common and that is quickly had."""
    if isinstance(value, np.ndarray):
        return value.shape
    return value if isinstance(value, int | str | None) else type(value).__name__
