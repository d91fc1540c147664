"""Phase diagrams of superposition in toy models, from exact losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phasediagram._version import __version__

if TYPE_CHECKING:
    from phasediagram.atlas.diagram import phase_diagram
    from phasediagram.boundaries.tracing import phase_boundaries
    from phasediagram.catalogue.configurations import (
        Configuration,
        ConfigurationMinimum,
        configurations,
    )
    from phasediagram.certified.certificate import Certificate
    from phasediagram.certified.certifying import certify
    from phasediagram.certified.planes.diagram import CertifiedDiagram, certified_diagram
    from phasediagram.comparison.agreement import Agreement, compare
    from phasediagram.comparison.basins import Basin, Basins, basin_probabilities
    from phasediagram.comparison.edges import EdgeDistances, edge_distances
    from phasediagram.comparison.own_networks import classify, compare_weights
    from phasediagram.comparison.plateaus import PlateauAgreement, compare_geometry
    from phasediagram.files.storing import load, save, to_xarray
    from phasediagram.grouping.families import FeatureGroup, GroupCatalogue
    from phasediagram.grouping.finding import find_groups
    from phasediagram.grouping.importances import geometry_over_importance
    from phasediagram.grouping.result import Geometry, GeometryTransition
    from phasediagram.grouping.solving import geometry
    from phasediagram.kernel.loss import expected_loss_hessian
    from phasediagram.large.loss import (
        LossWithError,
        expected_loss,
        expected_loss_and_gradient,
        expected_loss_with_error,
    )
    from phasediagram.minima.solving import solve
    from phasediagram.notebook import to_html
    from phasediagram.plotting.dispatch import plot
    from phasediagram.regions.dividing import phase_regions
    from phasediagram.regions.result import PhaseRegion, PhaseRegions
    from phasediagram.results.curves import Boundary, PhaseBoundaries, SpecialPoint, Unresolved
    from phasediagram.results.grids import PhaseDiagram
    from phasediagram.results.lines import BranchLosses, LossSection, SectionTransition
    from phasediagram.results.points import Interference, Minimum, Solution
    from phasediagram.sections.loss import loss_section
    from phasediagram.toymodel.axes import Axis
    from phasediagram.toymodel.models import (
        Group,
        ToyModel,
        anticorrelated,
        correlated,
        hierarchical,
    )
    from phasediagram.toymodel.settings import Setting
    from phasediagram.training.descent import train
    from phasediagram.training.result import TrainingHistory, TrainingResult
else:
    # Where each public name is: importing the package loads none of it, so that it takes no time.
    _HOMES = {
        "atlas.diagram": ("phase_diagram",),
        "toymodel.axes": ("Axis",),
        "catalogue.configurations": ("Configuration", "ConfigurationMinimum", "configurations"),
        "certified.certificate": ("Certificate",),
        "certified.certifying": ("certify",),
        "certified.planes.diagram": ("CertifiedDiagram", "certified_diagram"),
        "comparison.agreement": ("Agreement", "compare"),
        "comparison.basins": ("Basin", "Basins", "basin_probabilities"),
        "comparison.edges": ("EdgeDistances", "edge_distances"),
        "comparison.own_networks": ("classify", "compare_weights"),
        "comparison.plateaus": ("PlateauAgreement", "compare_geometry"),
        "sections.loss": ("loss_section",),
        "boundaries.tracing": ("phase_boundaries",),
        "files.storing": ("load", "save", "to_xarray"),
        "grouping.families": ("FeatureGroup", "GroupCatalogue"),
        "grouping.finding": ("find_groups",),
        "grouping.importances": ("geometry_over_importance",),
        "grouping.result": ("Geometry", "GeometryTransition"),
        "grouping.solving": ("geometry",),
        "kernel.loss": ("expected_loss_hessian",),
        "large.loss": (
            "LossWithError",
            "expected_loss",
            "expected_loss_and_gradient",
            "expected_loss_with_error",
        ),
        "minima.solving": ("solve",),
        "notebook": ("to_html",),
        "plotting.dispatch": ("plot",),
        "regions.dividing": ("phase_regions",),
        "regions.result": ("PhaseRegion", "PhaseRegions"),
        "results.curves": ("Boundary", "PhaseBoundaries", "SpecialPoint", "Unresolved"),
        "results.grids": ("PhaseDiagram",),
        "results.lines": ("BranchLosses", "LossSection", "SectionTransition"),
        "results.points": ("Interference", "Minimum", "Solution"),
        "toymodel.settings": ("Setting",),
        "toymodel.models": ("Group", "ToyModel", "anticorrelated", "correlated", "hierarchical"),
        "training.descent": ("train",),
        "training.result": ("TrainingHistory", "TrainingResult"),
    }
    _MODULES = ("closed_forms", "explorer", "naming", "plotting")  # those that are public

    def __getattr__(name):
        """Load what a public name stands for, the first time that it is used."""
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        for home, names in _HOMES.items():
            if name in names:
                value = getattr(import_module(f"{__name__}.{home}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        """Return every name, loaded or not."""
        return sorted({*globals(), *__all__, *_MODULES})


__all__ = [
    "Agreement",
    "Axis",
    "Basin",
    "Basins",
    "Boundary",
    "BranchLosses",
    "Certificate",
    "CertifiedDiagram",
    "Configuration",
    "ConfigurationMinimum",
    "EdgeDistances",
    "FeatureGroup",
    "Geometry",
    "GeometryTransition",
    "Group",
    "GroupCatalogue",
    "Interference",
    "LossSection",
    "LossWithError",
    "Minimum",
    "PhaseBoundaries",
    "PhaseDiagram",
    "PhaseRegion",
    "PhaseRegions",
    "PlateauAgreement",
    "SectionTransition",
    "Setting",
    "Solution",
    "SpecialPoint",
    "ToyModel",
    "TrainingHistory",
    "TrainingResult",
    "Unresolved",
    "__version__",
    "anticorrelated",
    "basin_probabilities",
    "certified_diagram",
    "certify",
    "classify",
    "compare",
    "compare_geometry",
    "compare_weights",
    "configurations",
    "correlated",
    "edge_distances",
    "expected_loss",
    "expected_loss_and_gradient",
    "expected_loss_hessian",
    "expected_loss_with_error",
    "find_groups",
    "geometry",
    "geometry_over_importance",
    "hierarchical",
    "load",
    "loss_section",
    "phase_boundaries",
    "phase_diagram",
    "phase_regions",
    "plot",
    "save",
    "solve",
    "to_html",
    "to_xarray",
    "train",
]
