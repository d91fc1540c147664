"""Saving and loading results: NPZ with numpy alone, NetCDF and datasets with xarray."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from phasediagram import archives
from phasediagram.atlas.diagram import load_blocks
from phasediagram.catalogue.configurations import ConfigurationMinimum
from phasediagram.certified.certificate import Certificate
from phasediagram.certified.planes.diagram import CertifiedDiagram
from phasediagram.comparison.agreement import Agreement
from phasediagram.comparison.basins import Basins
from phasediagram.comparison.edges import EdgeDistances
from phasediagram.comparison.plateaus import PlateauAgreement
from phasediagram.files import netcdf
from phasediagram.files.labelled import LabelledArrays, Variable
from phasediagram.files.labels.catalogued import (
    certified_from,
    label_certified,
    label_loss,
    label_minimum,
    loss_from,
    minimum_from,
)
from phasediagram.files.labels.comparisons import (
    agreement_from,
    basins_from,
    edges_from,
    label_agreement,
    label_basins,
    label_edges,
    label_plateaus,
    plateaus_from,
)
from phasediagram.files.labels.curves import boundaries_from, label_boundaries
from phasediagram.files.labels.diagrams import (
    diagram_from,
    label_diagram,
    label_solution,
    solution_from,
)
from phasediagram.files.labels.geometries import (
    catalogue_from,
    geometry_from,
    label_catalogue,
    label_geometry,
)
from phasediagram.files.labels.regions import label_regions, regions_from
from phasediagram.files.labels.runs import label_training, training_from
from phasediagram.files.labels.sections import label_section, section_from
from phasediagram.grouping.families import GroupCatalogue
from phasediagram.grouping.result import Geometry
from phasediagram.large.loss import LossWithError
from phasediagram.regions.result import PhaseRegions
from phasediagram.results import LossSection, PhaseBoundaries, PhaseDiagram, Solution
from phasediagram.training.result import TrainingResult

if TYPE_CHECKING:
    import xarray

Labelled = (
    PhaseDiagram
    | PhaseBoundaries
    | PhaseRegions
    | Solution
    | LossSection
    | TrainingResult
    | Agreement
    | Basins
    | EdgeDistances
    | CertifiedDiagram
    | ConfigurationMinimum
    | Geometry
    | GroupCatalogue
    | LossWithError
    | PlateauAgreement
)
Result = Labelled | Certificate
Expected = TypeVar("Expected", bound=Result)

FORMAT = "phasediagram"
FORMAT_VERSION = 1
SUFFIXES = (".npz", ".nc")
CERTIFICATE_SUFFIX = ".gz"


class _Kind(NamedTuple):
    type: type
    label: Callable[[Any], LabelledArrays]
    restore: Callable[[LabelledArrays], Any]


_KINDS = {
    "phase diagram": _Kind(PhaseDiagram, label_diagram, diagram_from),
    "phase boundaries": _Kind(PhaseBoundaries, label_boundaries, boundaries_from),
    "phase regions": _Kind(PhaseRegions, label_regions, regions_from),
    "solution": _Kind(Solution, label_solution, solution_from),
    "loss section": _Kind(LossSection, label_section, section_from),
    "training result": _Kind(TrainingResult, label_training, training_from),
    "agreement": _Kind(Agreement, label_agreement, agreement_from),
    "basins": _Kind(Basins, label_basins, basins_from),
    "edge distances": _Kind(EdgeDistances, label_edges, edges_from),
    "certified diagram": _Kind(CertifiedDiagram, label_certified, certified_from),
    "configuration minimum": _Kind(ConfigurationMinimum, label_minimum, minimum_from),
    "plateau agreement": _Kind(PlateauAgreement, label_plateaus, plateaus_from),
    "loss with error": _Kind(LossWithError, label_loss, loss_from),
    "geometry": _Kind(Geometry, label_geometry, geometry_from),
    "group catalogue": _Kind(GroupCatalogue, label_catalogue, catalogue_from),
}


def save(path: str | PathLike[str], result: Result) -> None:
    """Write a result to a file, replacing what is there in one step.

    Parameters
    ----------
    path : path
        Ends in ``.npz``, or in ``.nc`` for NetCDF, which needs the extra ``[xarray]``; that of
        a `Certificate` in ``.gz``.
    result : Solution, PhaseDiagram, PhaseBoundaries, PhaseRegions, LossSection, TrainingResult, \
            Agreement, Basins, EdgeDistances, Certificate, CertifiedDiagram, \
            ConfigurationMinimum, Geometry, GroupCatalogue, LossWithError or PlateauAgreement

    Raises
    ------
    ImportError
        If NetCDF is asked for and xarray is not installed.
    OSError
        If the file cannot be written.
    ValueError
        If `path` has another ending, or a certificate was left open.
    TypeError
        If `result` is no result.

    Examples
    --------
    >>> import tempfile, phasediagram as phd
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     phd.save(f"{directory}/solution.npz", phd.solve(0.2, 1.0))
    ...     print(phd.load(f"{directory}/solution.npz").phase)
    antipodal
    """
    if isinstance(result, Certificate):
        result.save(_certificate_path(path))
        return
    path = storable_path(path)
    arrays = _labelled(result)
    if path.suffix == ".nc":
        netcdf.write(path, netcdf.dataset(arrays, FORMAT_VERSION))
        return
    header = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "kind": arrays.kind,
        "attributes": arrays.attributes,
        "coordinates": arrays.coordinates,
        "dimensions": {name: v.dimensions for name, v in arrays.variables.items()},
        "descriptions": {name: v.description for name, v in arrays.variables.items()},
    }
    archives.write(path, header, {name: v.values for name, v in arrays.variables.items()})


@overload
def load(path: str | PathLike[str]) -> Result: ...


@overload
def load(path: str | PathLike[str], expected: type[Expected]) -> Expected: ...


def load(path: str | PathLike[str], expected: type[Any] | None = None) -> Result:
    """Read the result that a file holds; nothing is unpickled.

    Parameters
    ----------
    path : path
        Ends in ``.npz``, in ``.nc`` for NetCDF, which needs the extra ``[xarray]``, or in ``.gz``
        for a certificate, which is not checked again; or the `directory` of a
        `phasediagram.phase_diagram`, whose arrays are memory-mapped.
    expected : type, optional
        Which of the results it must be, such as `phasediagram.PhaseDiagram`.

    Returns
    -------
    result
        Any that `phasediagram.save` writes; equal to what was saved, to the last bit.

    Raises
    ------
    ImportError
        If it is NetCDF and xarray is not installed.
    OSError
        If the file cannot be read.
    ValueError
        If it is truncated, foreign, or of a newer version than this one can read; or holds
        another type of result than is expected.

    Examples
    --------
    >>> import tempfile, phasediagram as phd
    >>> diagram = phd.phase_diagram([1.0, 0.1], [0.5, 2.0], weights="canonical")
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     phd.save(f"{directory}/diagram.npz", diagram)
    ...     print(phd.load(f"{directory}/diagram.npz").phase)
    [['ignored' 'dedicated']
     ['antipodal' 'antipodal']]
    """
    result = _loaded(Path(path))
    if expected is not None and not isinstance(result, expected):
        held = type(result).__name__
        raise ValueError(f"{str(path)!r} holds a {held}, not a {expected.__name__}")
    return result


def _loaded(path: Path) -> Result:
    if path.is_dir():
        return load_blocks(path)
    if path.suffix == CERTIFICATE_SUFFIX:
        return Certificate.load(path)
    return _from_file(storable_path(path, (*SUFFIXES, CERTIFICATE_SUFFIX)))


def _certificate_path(path: str | PathLike[str]) -> Path:
    path = Path(path)
    if path.suffix != CERTIFICATE_SUFFIX:
        raise ValueError(f"path of a certificate must end in .gz, got {str(path)!r}")
    return path


def _from_file(path: Path) -> Labelled:
    arrays = netcdf.read(path, FORMAT_VERSION) if path.suffix == ".nc" else _from_archive(path)
    if arrays.kind not in _KINDS:
        raise ValueError(f"{str(path)!r} holds {arrays.kind!r}, which is not a result")
    try:
        result: Labelled = _KINDS[arrays.kind].restore(arrays)
    except (KeyError, TypeError, ValueError, IndexError):
        raise ValueError(f"{str(path)!r} is truncated or foreign") from None
    return result


def to_xarray(result: Labelled) -> xarray.Dataset:
    """Return a result as an xarray dataset; needs the extra ``[xarray]``.

    Parameters
    ----------
    result : result
        Any that `phasediagram.save` writes, but a `Certificate`.

    Returns
    -------
    xarray.Dataset
        Dimensions ``density``, ``relative_importance``, ``feature``, ``hidden``, ``seed``,
        ``minimum`` as far as they apply.  Attributes: the arguments, the version and the
        tolerance that made it; units and a description of each variable.

    Raises
    ------
    ImportError
        If xarray is not installed.

    Examples
    --------
    >>> import phasediagram as phd
    >>> dataset = phd.to_xarray(phd.phase_diagram([1.0, 0.1], [0.5, 2.0], weights="canonical"))
    >>> dataset.phase.sel(density=0.1, relative_importance=2.0).item()
    'antipodal'
    """
    return netcdf.dataset(_labelled(result), FORMAT_VERSION)


def storable_path(path: str | PathLike[str], suffixes: tuple[str, ...] = SUFFIXES) -> Path:
    """Return the path if it has a known ending whose library is there.

    Raises
    ------
    ImportError
        If it ends in ``.nc`` and xarray is not installed.
    ValueError
        If it has another ending.
    """
    path = Path(path)
    if path.suffix not in suffixes:
        raise ValueError(f"path must end in one of {', '.join(suffixes)}, got {str(path)!r}")
    if path.suffix == ".nc":
        netcdf.require_xarray()
    return path


def _labelled(result: Labelled) -> LabelledArrays:
    for kind in _KINDS.values():
        if isinstance(result, kind.type):
            return kind.label(result)
    allowed = ", ".join(kind.type.__name__ for kind in _KINDS.values())
    raise TypeError(f"result must be one of {allowed}, got {type(result).__name__}")


def _from_archive(path: Path) -> LabelledArrays:
    header, arrays = archives.read(path)
    if header.get("format") != FORMAT:
        raise ValueError(f"{str(path)!r} is foreign: not a file of phasediagram")
    archives.require_readable(path, header.get("format_version"), FORMAT_VERSION)
    try:
        variables = {
            name: Variable(tuple(dimensions), arrays[name], header["descriptions"][name])
            for name, dimensions in header["dimensions"].items()
        }
        coordinates = tuple(header["coordinates"])
        return LabelledArrays(header["kind"], variables, coordinates, header["attributes"])
    except (KeyError, TypeError, AttributeError):
        raise ValueError(f"{str(path)!r} is truncated or foreign") from None
