"""Results in files and as labelled arrays.

A result becomes labelled arrays (`labelled`), by one module for each type (`diagrams`,
`curves`, `solutions`, `runs`), and these become an NPZ or NetCDF file or an xarray dataset.
"""

from phasediagram.files.storing import load, save, to_xarray

__all__ = ["load", "save", "to_xarray"]
