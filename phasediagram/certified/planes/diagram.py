"""A phase diagram with a proof: cells of parameters, halved until each is decided."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasediagram._version import __version__
from phasediagram.certified.planes.deciding import SUPERPOSED, UNDECIDED, Cell, Verdict, decide
from phasediagram.executors import Part, Workers, require_executor
from phasediagram.model import DENSITY_RANGE, RELATIVE_IMPORTANCE_RANGE
from phasediagram.progress import Progress
from phasediagram.results.wording import counted, shares, span
from phasediagram.values import DrawnResult

Array = NDArray[np.float64]
Place = tuple[int, int, int]  # level, row (density) and column in a grid of 2^level cells a side

FORMAT = 1
#: Norms are comparable, as in *antipodal*, if neither is below this share of the other.
COMPARABLE = 0.6
_FILE = "cells.jsonl"
_DEEPEST = 12
_BATCH = 64  # cells between two looks at the clock


@dataclass(frozen=True, eq=False, repr=False)
class CertifiedDiagram(DrawnResult):
    """What is proved of all global minimisers, cell by cell.

    Attributes
    ----------
    name : str
        Of the second axis: ``"relative_importance"`` or ``"interference_penalty"``.
    density : ndarray, shape (k, 2)
        From and to, for each cell.
    other : ndarray, shape (k, 2)
        Likewise along the second axis.
    phase : tuple of str, length k
        ``"ignored"``: every minimiser has W_2 = 0; ``"dedicated"``: W_1 = 0; ``"superposed"``:
        W_1 W_2 < 0; ``"not superposed"``: W_1 = 0 or W_2 = 0; or ``"undecided"``.
    ratio : ndarray, shape (k, 2)
        Bounds of ``|W_2 / W_1|`` of all minimisers.
    seconds : float
    version : str
    """

    name: str
    density: Array
    other: Array
    phase: tuple[str, ...]
    ratio: Array
    seconds: float = field(compare=False)
    version: str = field(default=__version__, compare=False)

    def _lines(self) -> list[str]:
        return [
            f"CertifiedDiagram: {shares(self.shares())}",
            f"{counted(len(self.phase), 'cell')}, density {span(self.density)}, "
            f"{self.name} {span(self.other)}, {self.seconds:.1f} s",
        ]

    @property
    def finer_phase(self) -> tuple[str, ...]:
        """The same, superposed cells divided by the ratio where its bounds allow it.

        ``"antipodal"``: 0.6 < ``|W_2 / W_1|`` < 1/0.6; ``"partial"``: below 0.6;
        ``"partial-other"``: above 1/0.6; ``"superposed"`` where it may be on either side.
        """
        return tuple(
            _divided(*limits) if phase == SUPERPOSED else phase
            for phase, limits in zip(self.phase, self.ratio.tolist(), strict=True)
        )

    def shares(self, *, finer: bool = False) -> dict[str, float]:
        """Return what share of the logarithmic area each verdict has.

        Parameters
        ----------
        finer : bool
            Whether to divide what is superposed, as `finer_phase`.
        """
        area = np.prod([np.log(x[:, 1] / x[:, 0]) for x in (self.density, self.other)], axis=0)
        phases = np.array(self.finer_phase if finer else self.phase)
        total = float(area.sum())
        return {str(x): float(area[phases == x].sum()) / total for x in np.unique(phases)}


def _divided(least: float, most: float) -> str:
    if least > COMPARABLE and most < 1 / COMPARABLE:
        return "antipodal"
    if most < COMPARABLE:
        return "partial"
    return "partial-other" if least > 1 / COMPARABLE else SUPERPOSED


@dataclass(frozen=True)
class _Plane:
    name: str
    density: tuple[float, float]
    other: tuple[float, float]

    def cell(self, place: Place) -> Cell:
        level, row, column = place
        parts = 2**level
        density = _edge(self.density, row, parts), _edge(self.density, row + 1, parts)
        other = _edge(self.other, column, parts), _edge(self.other, column + 1, parts)
        if self.name == "relative_importance":
            return Cell(density, other)
        return Cell(density, (1.0, 1.0), other)


def certified_diagram(
    n_features: int = 2,
    n_hidden: int | None = None,
    *,
    density: tuple[float, float] = DENSITY_RANGE,
    relative_importance: tuple[float, float] = RELATIVE_IMPORTANCE_RANGE,
    interference_penalty: tuple[float, float] | None = None,
    undecided: float = 0.005,
    max_seconds: float = 600.0,
    executor: Executor | None = None,
    directory: str | PathLike[str] | None = None,
    progress: Progress | None = None,
) -> CertifiedDiagram:
    """Prove what minimisers look like over a window of parameters.

    Every cell that is decided holds a theorem: whatever density and relative importance are
    taken from it, every global minimiser looks as stated (`phasediagram derive proved-cells`).

    Parameters
    ----------
    n_features, n_hidden : int
        2 and 1, the only size so far.
    density, relative_importance : tuple of float
        From and to; cells are equal in the logarithms.
    interference_penalty : tuple of float, optional
        From and to, above 0: the second axis is then the factor of ``sum_{i != j} (W_i . W_j)^2``
        at relative importance 1.
    undecided : float
        Share of the area that may stay undecided.
    max_seconds : float
        After this time no further cells are begun.
    executor : concurrent.futures.Executor, optional
        Where cells are decided; threads of this process by default.
    directory : path-like, optional
        Where results are kept as they come, and found again by the next call.
    progress : callable, optional
        Called now and then with the share of the area that is decided.

    Returns
    -------
    CertifiedDiagram

    Raises
    ------
    ValueError
        If an argument is outside its range, or the directory holds another diagram.

    Examples
    --------
    >>> import phasediagram as phd
    >>> diagram = phd.certified_diagram(
    ...     density=(0.02, 0.1), relative_importance=(0.5, 2.0), undecided=0.5
    ... )
    >>> diagram.shares()  # in all of this window
    {'superposed': 1.0}
    """
    if (n_features, n_hidden) not in ((2, None), (2, 1)):
        raise ValueError(
            f"n_features and n_hidden must be 2 and 1, got {n_features} and {n_hidden}"
        )
    require_executor(executor)
    if not 0 < undecided < 1:
        raise ValueError(f"undecided must lie in (0, 1), got {undecided!r}")
    plane = _plane(density, relative_importance, interference_penalty)
    begin = time.monotonic()
    known = {} if directory is None else _opened(Path(directory), plane)
    workers = Workers(executor, os.cpu_count() or 1)
    verdicts: dict[Place, Verdict] = {}
    front: list[Place] = [(0, 0, 0)]
    while front:
        for place, verdict in _decided(workers, plane, front, known, begin + max_seconds):
            verdicts[place] = verdict
            if directory is not None and place not in known:
                _append(Path(directory), place, verdict)
            if progress is not None and verdict.phase != UNDECIDED:
                progress(1 - _area(verdicts, UNDECIDED) - _unseen(front, verdicts))
        stopped = any(place not in verdicts for place in front)
        left = [place for place in front if _phase(verdicts, place) == UNDECIDED]
        share = sum(4.0 ** -place[0] for place in left)
        if stopped or share <= undecided or (left and left[0][0] == _DEEPEST):
            break
        for place in left:
            del verdicts[place]
        front = [child for place in left for child in _quarters(place)]
    for place in front:
        verdicts.setdefault(place, Verdict(UNDECIDED))
    return _collected(plane, verdicts, time.monotonic() - begin)


def _decided(
    workers: Workers, plane: _Plane, front: list[Place], known: dict[Place, Verdict], end: float
) -> Iterator[tuple[Place, Verdict]]:
    for place in front:
        if place in known:
            yield place, known[place]

    new = [place for place in front if place not in known]
    for start in range(0, len(new), _BATCH):
        if time.monotonic() > end:
            return
        batch = new[start : start + _BATCH]
        yield from workers.run(decide, [Part(place, (plane.cell(place),)) for place in batch])


def _phase(verdicts: dict[Place, Verdict], place: Place) -> str:
    return verdicts[place].phase if place in verdicts else UNDECIDED


def _area(verdicts: dict[Place, Verdict], phase: str) -> float:
    return sum(4.0 ** -place[0] for place, x in verdicts.items() if x.phase == phase)


def _unseen(front: list[Place], verdicts: dict[Place, Verdict]) -> float:
    return sum(4.0 ** -place[0] for place in front if place not in verdicts)


def _quarters(place: Place) -> list[Place]:
    level, row, column = place
    return [(level + 1, 2 * row + a, 2 * column + b) for a in (0, 1) for b in (0, 1)]


def _edge(ends: tuple[float, float], index: int, parts: int) -> float:
    """Return an edge of a cell; the same number, whatever the level it belongs to."""
    if index in (0, parts):
        return ends[index == parts]
    low, high = map(math.log, ends)
    share = index / parts
    return math.exp(low * (1 - share) + high * share)


def _plane(
    density: tuple[float, float],
    relative_importance: tuple[float, float],
    penalty: tuple[float, float] | None,
) -> _Plane:
    if not 0 < density[0] < density[1] <= 1:
        raise ValueError(f"density must be two ascending numbers in (0, 1], got {density!r}")
    name = "relative_importance" if penalty is None else "interference_penalty"
    other = relative_importance if penalty is None else penalty
    if not 0 < other[0] < other[1] < 1e6:
        raise ValueError(f"{name} must be two ascending numbers in (0, 1e6), got {other!r}")
    low, high = density
    return _Plane(name, (float(low), float(high)), (float(other[0]), float(other[1])))


def _header(plane: _Plane) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": __version__,
        "axis": plane.name,
        "density": list(plane.density),
        "other": list(plane.other),
    }


def _opened(directory: Path, plane: _Plane) -> dict[Place, Verdict]:
    """Return the verdicts that a directory holds; begin its file if there is none."""
    path, header = directory / _FILE, _header(plane)
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(header) + "\n", encoding="utf-8")
        return {}
    whole = path.read_text(encoding="utf-8")
    complete = whole[: whole.rfind("\n") + 1]
    if complete != whole:  # a line that was cut off
        path.write_text(complete, encoding="utf-8")
    first, *lines = complete.splitlines() or [""]
    try:
        if json.loads(first) != header:
            raise ValueError
        rows = [json.loads(line) for line in lines]
        return {(int(a), int(b), int(c)): Verdict(str(x), (u, v)) for a, b, c, x, u, v in rows}
    except (ValueError, TypeError):
        raise ValueError(f"directory {str(directory)!r} holds something else") from None


def _append(directory: Path, place: Place, verdict: Verdict) -> None:
    with open(directory / _FILE, "a", encoding="utf-8") as file:
        file.write(json.dumps([*place, verdict.phase, *verdict.ratio]) + "\n")


def _collected(plane: _Plane, verdicts: dict[Place, Verdict], seconds: float) -> CertifiedDiagram:
    cells = [plane.cell(place) for place in verdicts]
    penalised = plane.name == "interference_penalty"
    other = [cell.penalty if penalised else cell.relative_importance for cell in cells]
    return CertifiedDiagram(
        plane.name,
        np.array([cell.density for cell in cells]),
        np.array(other),
        tuple(verdict.phase for verdict in verdicts.values()),
        np.array([verdict.ratio for verdict in verdicts.values()]),
        seconds,
    )
