"""Labelled arrays as xarray datasets and NetCDF files; needs the extra ``[xarray]``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from phasediagram import archives
from phasediagram.files.labelled import LabelledArrays, Variable

if TYPE_CHECKING:
    import xarray

_KIND = "phasediagram_kind"
_FORMAT = "phasediagram_format"
_OWN = (_KIND, _FORMAT)


def dataset(arrays: LabelledArrays, format_version: int) -> xarray.Dataset:
    """Return labelled arrays as a dataset.

    Raises
    ------
    ImportError
        If xarray is not installed.
    """
    variables = {
        name: (variable.dimensions, variable.values, variable.attributes)
        for name, variable in arrays.variables.items()
    }
    data: xarray.Dataset = require_xarray().Dataset(
        {name: value for name, value in variables.items() if name not in arrays.coordinates},
        {name: value for name, value in variables.items() if name in arrays.coordinates},
        {**arrays.attributes, _KIND: arrays.kind, _FORMAT: format_version},
    )
    return data


def write(path: Path, data: xarray.Dataset) -> None:
    """Write a dataset to a NetCDF file at `path`, replacing what is there in one step."""
    with archives.replacing(path) as partial:
        data.to_netcdf(partial, engine="scipy")


def read(path: Path, newest: int) -> LabelledArrays:
    """Return the labelled arrays in the NetCDF file at `path`.

    Raises
    ------
    ImportError
        If xarray is not installed.
    OSError
        If the file cannot be read.
    ValueError
        If it is truncated, foreign or newer than format `newest`.
    """
    with open(path, "rb"):
        pass  # a missing file is that, whatever the engine makes of it
    open_dataset = require_xarray().open_dataset
    try:
        with open_dataset(path, engine="scipy", decode_times=False) as opened:
            data = opened.load()
    except Exception:  # the engine raises whatever broken bytes lead it to
        raise ValueError(f"{str(path)!r} is truncated or foreign") from None
    if _KIND not in data.attrs:
        raise ValueError(f"{str(path)!r} is foreign: not a file of phasediagram")
    archives.require_readable(path, data.attrs.get(_FORMAT), newest)
    return LabelledArrays(
        kind=str(data.attrs[_KIND]),
        variables={str(name): _variable(data[name]) for name in data.variables},
        coordinates=tuple(map(str, data.coords)),
        attributes={str(k): v for k, v in data.attrs.items() if k not in _OWN},
    )


def _variable(array: xarray.DataArray) -> Variable:
    values = array.to_numpy()
    if values.dtype.kind in "OST":
        values = np.asarray(values, dtype=np.str_)
    values = values.astype(values.dtype.newbyteorder("="), copy=False)  # files are big-endian
    return Variable(tuple(map(str, array.dims)), values, str(array.attrs.get("long_name", "")))


def require_xarray() -> Any:
    """Return xarray, or raise ImportError saying how to install it."""
    try:
        import xarray
    except ImportError:
        raise ImportError(
            "labelled data and NetCDF need xarray: install the extra [xarray]"
        ) from None
    return xarray
