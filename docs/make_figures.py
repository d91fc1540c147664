"""Make every figure of the repository anew: those of these documents, and the gallery.

python docs/make_figures.py                      # hours of processor time: proofs and training
python docs/make_figures.py --only phase         # names that begin so
python docs/make_figures.py --keep build/kept    # what takes long is kept there, and read again
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from eventful import eventful_section
from matplotlib.figure import Figure
from training_report import report

import phasediagram as phd
from phasediagram.plotting import (
    PAGE_WIDTH,
    PHASE_STYLES,
    draw_comparison,
    draw_figure,
    draw_training,
    paper_figure,
    plot_certified,
    plot_losses,
    plot_regions,
    plot_weights,
    save_figure,
)

DOCS = Path(__file__).parent
EXAMPLES = DOCS.parent / "examples"
DENSITY, IMPORTANCE = (0.01, 1.0), (0.1, 10.0)
SECTIONS = (  # what is held, and in what size: a change of every kind
    ({"density": 0.55}, 2),
    ({"density": 0.7}, 2),
    ({"relative_importance": 0.65}, 3),
    ({"density": 0.9}, 3),
)
COARSE_ARGUMENTS = {
    "correlated": ["--grid", "8"],
    "five_features": ["--densities", "1", "0.8", "0.2"],
    "own_networks": ["--grid", "3", "--steps", "500"],
    "own_training_loop": ["--steps", "300"],
    "pentagon": ["--grid", "4", "--quick"],
    "phase_weights": ["--phases", "triangle", "antipodal"],
    "trained_points": ["--grid", "3", "--steps", "300"],
}
WITHOUT_FIGURE = ("boundary_table",)
NEEDING = {"occhio_networks": "occhio"}  # packages that only one script needs
WITHOUT_GRID = (*WITHOUT_FIGURE, *COARSE_ARGUMENTS)
TRACING = ("no_bias", "penalty", "unequal_densities")  # models of their own
OF_BOUNDARIES = {  # whose boundaries a script draws, which it can be given
    "two_features": 2,
    "three_features": 3,
    "canonical_and_free": 3,
    "superposition": 3,
    "own_networks": 2,
    "trained_points": 2,
}


@dataclass(frozen=True)
class Settings:
    """How fine everything is."""

    grid: int = 256
    section: int = 240
    trained: tuple[int, int] = (24, 20)
    seeds: int = 8
    steps: int = 10_000
    certified: dict[str, Any] | None = None
    penalised: dict[str, Any] | None = None
    coarse: bool = False


COARSE = Settings(
    grid=16,
    section=16,
    trained=(3, 3),
    seeds=2,
    steps=100,
    certified={"density": (0.02, 0.1), "relative_importance": (0.5, 2.0), "undecided": 0.5},
    penalised={"density": (0.05, 0.3), "undecided": 0.9},
    coarse=True,
)


class Maker:
    """Makes figures, and computes what several of them need once.

    Parameters
    ----------
    settings : Settings
    output : Path
        Folder of ``figures`` and ``gallery``.
    keep : Path or None
        Where boundaries and training are kept, and read if they are there.
    """

    def __init__(self, settings: Settings, output: Path, keep: Path | None) -> None:
        self.settings, self.output, self.keep = settings, output, keep
        self.boundaries = cache(self._boundaries)
        self.regions = cache(lambda n: phd.phase_regions(self.boundaries(n)))
        self.diagram = cache(self._diagram)

    def figures(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the name of each figure, and what makes it."""
        for n, suffix in ((2, ""), (3, "_3")):
            yield f"phase_diagram{suffix}", self._saved(self.phase_diagram, n, suffix)
            yield f"close_up{suffix}", self._saved(self.close_up, n, suffix)
            yield f"phases{suffix}", self._saved(self.phases, n, suffix)
            yield f"comparison{suffix}", self._saved(self.comparison, n, suffix)
            yield f"training{suffix}", self._saved(self.training, n, suffix)
        yield "losses", lambda: self._save(self.losses(), "losses")
        yield "certified", lambda: self._save(self.certified(), "certified")
        yield "certified_penalty", lambda: self._save(self.penalised(), "certified_penalty")
        for path in sorted(EXAMPLES.glob("*.py")):
            if path.stem not in WITHOUT_FIGURE and _is_possible(path.stem):
                yield path.stem, lambda path=path: self.example(path)  # type: ignore[misc]

    def phase_diagram(self, n: int) -> Figure:
        """Draw the diagram, what is crowded in it, and the paper's colouring."""
        return draw_figure(self.diagram(n, "free"), self.regions(n))

    def close_up(self, n: int) -> Figure:
        """Draw what is around the special points, with the limits of metastability."""
        points = self.boundaries(n).special_points
        positions = np.log([(p.density, p.relative_importance) for p in points])
        reach = 0.2 * np.ptp(positions, axis=0).max()
        lower, upper = np.exp(positions.min(axis=0) - reach), np.exp(positions.max(axis=0) + reach)
        density, importance = zip(lower, np.minimum(upper, (1, np.inf)), strict=True)
        with paper_figure(0.75 * PAGE_WIDTH) as figure:
            plot_regions(
                self.regions(n),
                figure.add_subplot(),
                spinodals=True,
                density=density,
                relative_importance=importance,
                legend="names",
                legend_columns=3,
            )
        return figure

    def phases(self, n: int) -> Figure:
        """Draw the directions in every phase at a point well inside it."""
        largest: dict[str, Any] = {}
        for region in self.regions(n).regions:
            largest.setdefault(region.phase, region)
        columns = 5 if n == 2 else 4
        rows = -(-len(largest) // columns)
        with paper_figure(PAGE_WIDTH, height=1.85 * rows) as figure:
            axes = figure.subplots(rows, columns, squeeze=False).ravel()
            for ax in axes[len(largest) :]:
                ax.remove()
            for ax, region in zip(axes, largest.values(), strict=False):
                point = "$p$ = {:.4g}, $r$ = {:.4g}".format(*region.inside)
                norms = ", ".join(f"{norm:.3f}" for norm in np.linalg.norm(region.W, axis=0))
                plot_weights(region.W, ax)
                ax.set_title(f"{region.phase}\n{point}", fontsize="small")
                ax.text(0, -1.45, f"norms {norms}", ha="center", fontsize="x-small")
        return figure

    def comparison(self, n: int) -> Figure:
        """Draw hand-picked weights beside free ones."""
        free, canonical = (self.diagram(n, weights) for weights in ("free", "canonical"))
        return draw_comparison(free, canonical, self.regions(n))

    def training(self, n: int) -> Figure:
        """Draw trained models over theory, and print what docs/training.md says of them."""
        points = self.settings.trained[n - 2]
        density, importance = (
            np.geomspace(*DENSITY[::-1], points),
            np.geomspace(*IMPORTANCE, points),
        )
        name = f"training_{n}_{n - 1}"
        runs = self._kept(
            name,
            lambda: phd.train(
                density[:, None],
                importance,
                n,
                n - 1,
                seeds=self.settings.seeds,
                steps=self.settings.steps,
                record=[0],
                checkpoint=self._file(f"{name}_unfinished"),
            ),
            phd.TrainingResult,
        )
        diagram = phd.phase_diagram(runs.density[:, 0], runs.relative_importance[0], n, n - 1)
        agreement = phd.compare(diagram, runs)
        print("\n".join(report(runs, agreement, self.boundaries(n))))
        return draw_training(runs, agreement, diagram, self.regions(n), spinodals=True)

    def losses(self) -> Figure:
        """Draw four sections where something happens."""
        axes = {"density": DENSITY, "relative_importance": IMPORTANCE}
        explained: dict[str, Any] = {}
        with paper_figure(PAGE_WIDTH, height=5.2) as figure:
            for ax, (held, n) in zip(figure.subplots(2, 2).flat, SECTIONS, strict=True):
                ((along, ends),) = ((name, e) for name, e in axes.items() if name not in held)
                section = eventful_section(held, along, ends, n, self.settings.section)
                plot_losses(section, ax, legend_columns=None)
                for handle, name in zip(*ax.get_legend_handles_labels(), strict=True):
                    y = np.asarray(handle.get_ydata())
                    if not ((ax.get_ylim()[0] < y) & (y < ax.get_ylim()[1])).any():
                        continue
                    if (
                        name not in explained
                        or explained[name].get_linewidth() < handle.get_linewidth()
                    ):
                        explained[name] = handle
            handles = [explained[name] for name in PHASE_STYLES if name in explained]
            handles += [line for name, line in explained.items() if name not in PHASE_STYLES]
            figure.legend(
                handles=handles,
                loc="outside lower center",
                ncols=5,
                frameon=False,
                fontsize="small",
            )
        return figure

    def certified(self) -> Figure:
        """Draw what is proved, with ten minutes of computing at most."""
        with paper_figure(0.75 * PAGE_WIDTH) as figure:
            window = self.settings.certified or {}
            plot_certified(phd.certified_diagram(**window), figure.add_subplot())
        return figure

    def penalised(self) -> Figure:
        """Draw when a penalty provably ends superposition."""
        window = {"interference_penalty": (0.001, 0.1), "undecided": 0.02}
        window |= self.settings.penalised or {}
        with paper_figure(0.75 * PAGE_WIDTH) as figure:
            plot_certified(phd.certified_diagram(**window), figure.add_subplot())
        return figure

    def example(self, path: Path) -> None:
        """Run a script of the gallery, where its figures shall be."""
        name, arguments = path.stem, []
        if self.settings.coarse:
            arguments = COARSE_ARGUMENTS.get(name, ["--grid", str(self.settings.grid)])
            arguments = [*arguments, *(["--no-boundaries"] if name in TRACING else [])]
        if name in OF_BOUNDARIES:
            n = OF_BOUNDARIES[name]
            self.boundaries(n)
            arguments = [*arguments, "--boundaries", str(self._file(f"boundaries_{n}_{n - 1}"))]
        folder = self.output / "gallery"
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, path.resolve(), *arguments], cwd=folder, check=True)

    def _diagram(self, n: int, weights: str) -> phd.PhaseDiagram:
        grid = self.settings.grid
        density, importance = np.geomspace(*DENSITY[::-1], grid), np.geomspace(*IMPORTANCE, grid)
        return phd.phase_diagram(density, importance, n, n - 1, weights=weights)

    def _boundaries(self, n: int) -> phd.PhaseBoundaries:
        name = f"boundaries_{n}_{n - 1}"
        return self._kept(name, lambda: phd.phase_boundaries(n, n - 1), phd.PhaseBoundaries)

    def _kept(self, name: str, compute: Callable[[], Any], kind: type[Any]) -> Any:
        file = self._file(name)
        if not file.exists():
            phd.save(file, compute())
        return phd.load(file, kind)

    def _file(self, name: str) -> Path:
        assert self.keep is not None
        return self.keep.resolve() / f"{name}.npz"

    def _saved(self, draw: Callable[[int], Figure], n: int, suffix: str) -> Callable[[], None]:
        return lambda: self._save(draw(n), f"{draw.__name__}{suffix}")

    def _save(self, figure: Figure, name: str) -> None:
        folder = self.output / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        save_figure(figure, folder / f"{name}.png")


def _is_possible(name: str) -> bool:
    """Whether a script's packages are installed; says what is left out."""
    package = NEEDING.get(name)
    if package is None or find_spec(package) is not None:
        return True
    print(f"left out: {name}, which needs {package}")
    return False


def main() -> None:
    """Write every figure, or those asked for."""
    parser = argparse.ArgumentParser(description="Make every figure of the repository anew.")
    parser.add_argument(
        "--coarse", action="store_true", help="on coarse grids, to see that it runs"
    )
    parser.add_argument("--output", type=Path, default=DOCS, help="default: this folder")
    parser.add_argument(
        "--keep",
        type=Path,
        default=DOCS.parent / "build" / "kept",
        help="where boundaries and training are kept; default: build/kept",
    )
    parser.add_argument("--only", nargs="+", default=[""], metavar="NAME", help="how names begin")
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    maker = Maker(COARSE if options.coarse else Settings(), options.output, options.keep)
    for name, make in maker.figures():
        if name.startswith(tuple(options.only)):
            print(f"{name} ...", flush=True)
            make()


if __name__ == "__main__":
    main()
