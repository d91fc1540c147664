"""Draw trained features over the lowest groups, and the jumps of one run; print the numbers.

    phasediagram train --features 400 --hidden 30 --grid 10 --seeds 1 --steps 2500 \\
        --learning-rate 0.004 --groups docs/groups.npz --checkpoint trained.ckpt -o trained.npz
    python docs/make_trained_geometry_figures.py docs/groups.npz trained.npz

The first command takes three minutes of one processor, and goes on from its checkpoint.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import phasediagram as phd
from phasediagram.comparison.plateaus import PlateauAgreement, plateaus_of
from phasediagram.plotting import PAGE_WIDTH, paper_figure, plot_plateaus, save_figure

FIGURES = Path(__file__).parent / "figures"
DENSITY = np.geomspace(0.0101, 0.99, 121)
TOLERANCES = (0.01, 0.02, 0.05)
CERTAIN = (4, 5, 7)  # which networks are scored with a bound on the error, too

JUMPING = phd.ToyModel(40, 6)
JUMP_DENSITY = 0.3
JUMP_STEPS, JUMP_EVERY = 2000, 25


def trained(groups: phd.GroupCatalogue, runs: phd.TrainingResult) -> None:
    """Draw and print where trained features are."""
    found = phd.compare_geometry(runs, groups)
    for k, p in enumerate(found.density):
        group, level = found.shares()[k], found.shares(by_group=False)[k]
        print(
            f"| {1 / p:.3g} | {(found.by_group[k] != 'ignored').sum()} | "
            f"{(runs.W.reshape(-1, *runs.W.shape[-2:])[k] ** 2).sum() / runs.n_hidden:.3f} | "
            f"{found.loss[k]:.4f} | {found.lowest[k]:.4f} | "
            + " / ".join(f"{100 * v:.0f}" for v in group)
            + " | "
            + " / ".join(f"{100 * v:.0f}" for v in level)
            + f" | {found.groups_of(k)} |",
            flush=True,
        )
    for tolerance in TOLERANCES:
        at = phd.compare_geometry(runs, groups, tolerance=tolerance)
        for by_group in (True, False):
            table = at.by_group if by_group else at.by_dimensionality
            kept = table[table != "ignored"]
            shares = {kind: round(float((kept == kind).mean()), 4) for kind in set(kept.tolist())}
            print("tolerance", tolerance, "by group" if by_group else "by D", shares, flush=True)
    for k in CERTAIN:
        W, b = (values.reshape(-1, *values.shape[2:])[k] for values in (runs.W, runs.b))
        exact = phd.expected_loss_with_error(W, b, found.density[k])
        print(
            f"1/p = {1 / found.density[k]:.3g}: loss {exact.loss:.8f} within {exact.error:.1g}, "
            f"lowest sum of groups {found.lowest[k]:.8f}",
            flush=True,
        )
    lowest = phd.geometry(DENSITY, runs.n_features, runs.n_hidden, groups=groups)
    with paper_figure(PAGE_WIDTH, 4.0) as figure:
        plot_plateaus(found, lowest, figure.add_subplot())
        save_figure(figure, FIGURES / "trained_geometry.png")


def jumps(groups: phd.GroupCatalogue) -> None:
    """Draw the loss and the dimensionalities over one run, and name what changes."""
    steps = np.arange(0, JUMP_STEPS + 1, JUMP_EVERY)
    run = phd.train(
        JUMP_DENSITY, model=JUMPING, steps=JUMP_STEPS, schedule="constant", record=steps
    )
    W, b = run.history.W[:, 0], run.history.b[:, 0]
    loss = np.array(
        [phd.expected_loss(w, c, JUMP_DENSITY) for w, c in zip(W, b, strict=True)], dtype=float
    )
    found = plateaus_of(W, np.full(len(steps), JUMP_DENSITY), loss, groups, tolerance=0.05)
    changes = _changes(found)
    print("lowest sum of groups", found.lowest[0])
    for k, before, after in changes:
        print(f"step {steps[k]}: loss {loss[k - 1]:.5f} to {loss[k]:.5f}; {before} to {after}")
    print("end", loss[-1], found.groups_of(len(steps) - 1))
    with paper_figure(PAGE_WIDTH, 4.4) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.4])
        upper.plot(steps, loss, color="#222222", linewidth=1)
        upper.set_ylabel("Loss")
        strong = np.where(found.norm >= 0.5, found.dimensionality, np.nan)
        weak = np.where(found.norm < 0.5, found.dimensionality, np.nan)
        lower.plot(steps, weak, color="#c8c8c8", linewidth=0.5)
        lower.plot(steps, strong, color="#1f77b4", linewidth=0.8)
        lower.set_ylabel("Dimensionality $D_i$")
        lower.set_xlabel("Step")
        for name in ("antipodal", "pentagon", "triangle"):
            level = float(groups.named(name).dimensionality()[0, 0])
            lower.axhline(level, color="#d95f02", linewidth=0.6, linestyle="--")
            lower.annotate(name, (steps[-1], level), ha="right", va="bottom", fontsize=6)
        for k, *_ in changes:
            for ax in (upper, lower):
                ax.axvline(steps[k], color="#999999", linewidth=0.4, linestyle=":")
        lower.set_ylim(0, 1.05)
        save_figure(figure, FIGURES / "training_jumps.png")


def _changes(found: PlateauAgreement) -> list[tuple[int, dict[str, int], dict[str, int]]]:
    """Return where the groups change for at least two records."""
    named = [found.groups_of(k) for k in range(len(found.density))]
    changes = []
    last = named[0]
    for k in range(1, len(named) - 1):
        if named[k] != last and named[k] == named[k + 1]:
            changes.append((k, last, named[k]))
            last = named[k]
    return changes


def main() -> None:
    """Draw both figures."""
    groups = phd.load(sys.argv[1], phd.GroupCatalogue)
    trained(groups, phd.load(sys.argv[2], phd.TrainingResult))
    jumps(groups)


if __name__ == "__main__":
    main()
