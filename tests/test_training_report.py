"""What docs/training.md says of trained models, counted by hand on runs whose ends are chosen."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import phasediagram as phd

sys.path.insert(0, str(Path(__file__).parent.parent / "docs"))
from training_report import report

P, R = np.geomspace(0.8, 0.2, 7), np.array([1.0, 2.0, 4.0])


def spinodal(phase, density):
    curve = np.full(2, density), np.array([0.5, 8.0])
    return phd.Boundary(*curve, (phase,), None, "spinodal")


def lines_of(n, ends, boundaries):
    """The report on runs whose outcomes and phases are given, shape (D, R, seeds)."""
    runs = phd.train(
        P[:, None], R, n, n - 1, seeds=2, steps=3, optimizer="exact", record=[0], rng=4
    )
    agreement = phd.compare(phd.phase_diagram(P, R, n, n - 1), runs)
    agreement = replace(agreement, outcome=ends[0], phase=ends[1])
    return runs, agreement, report(runs, agreement, boundaries)


def test_signs_are_counted():
    shape = (len(P), len(R), 2)
    outcome = np.full(shape, "global", dtype="U10")
    outcome[:3] = "metastable"
    phase = np.full(shape, "aligned", dtype="U10")
    both = phd.PhaseBoundaries(
        (spinodal("ignored", 0.4), replace(spinodal("ignored", 0.5), kind="equilibrium")),
        (), 2, 1, "free",
    )  # fmt: skip
    runs, agreement, lines = lines_of(2, (outcome, phase), both)
    W = runs.history.W[0][..., 0, :]
    equal = (W[..., 0] > 0) == (W[..., 1] > 0)
    (said,) = (line for line in lines if "signs equal" in line)
    lowest = (agreement.outcome == "global")[equal].mean()
    assert f"{equal.sum()} runs, global {lowest:.3f} metastable {1 - lowest:.3f};" in said
    (said,) = (line for line in lines if "signs opposite" in line)
    assert f"{(~equal).sum()} runs" in said


def test_runs_are_counted_by_their_distance_from_a_spinodal():
    """Above it none, below it all end in the phase that ceases to exist there."""
    step = np.log(P[0] / P[1])
    at = float(P[3] * np.exp(-0.5 * step))  # half a step below the fourth density
    shape = (len(P), len(R), 2)
    outcome = np.full(shape, "metastable", dtype="U10")
    outcome[0] = "unfinished"  # not counted
    phase = np.full(shape, "others-antipodal", dtype="U20")
    phase[4:] = "antipodal"
    lines = [spinodal("antipodal", at), spinodal("ignored", 0.9)]
    lines.append(replace(spinodal("ignored", 0.5), kind="equilibrium"))
    both = phd.PhaseBoundaries(tuple(lines), (), 3, 2, "free")
    *_, said = lines_of(3, (outcome, phase), both)
    counted = [line.split(": ")[1:] for line in said if "steps above the spinodal" in line]
    # two columns beyond 1.2, two seeds; distances are 3.5 (not counted), 2.5, 1.5, 0.5, -0.5, ...
    assert counted == [
        ["4 runs, ended in antipodal", "1.00"],
        ["4 runs, ended in antipodal", "1.00"],
        ["4 runs, ended in antipodal", "1.00"],
        ["4 runs, ended in antipodal", "0.00"],
        ["4 runs, ended in antipodal", "0.00"],
        ["4 runs, ended in antipodal", "0.00"],
    ]


@pytest.mark.parametrize("phase", ["ignored", "antipodal"])
def test_no_spinodal_is_no_error(phase):
    shape = (len(P), len(R), 2)
    ends = np.full(shape, "global", dtype="U10"), np.full(shape, phase, dtype="U10")
    lines = (spinodal("ignored", 0.4), replace(spinodal("ignored", 0.5), kind="equilibrium"))
    *_, said = lines_of(3, ends, phd.PhaseBoundaries(lines, (), 3, 2, "free"))
    assert sum("0 runs, ended in antipodal: none" in line for line in said) == 6
