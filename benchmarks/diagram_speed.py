"""Speed of whole diagrams, next to the literature's plain double loop.

    python benchmarks/diagram_speed.py

The published notebook fills its 200 x 200 diagram with a double loop over Python
floats and the four canonical formulas; that loop is written here, in its own words.
The ratio is between two things timed in the same run.
"""

from __future__ import annotations

import resource
import time

import numpy as np

import phasediagram as phd

STEPS = 200
REPEATS = 5
SLICE_POINTS, SLICE_STEPS = 256, 200


def ignore_other(relative_weight: float, density: float) -> float:
    return density / 3 - density * density / 4


def ignore_extra(relative_weight: float, density: float) -> float:
    return relative_weight * ignore_other(relative_weight, density)


def others_antipodal(relative_weight: float, density: float) -> float:
    return density * density / 3


def extra_antipodal(relative_weight: float, density: float) -> float:
    return (1 + relative_weight) * density * density / 6


def between(start: float, stop: float, step: int) -> float:
    return start + (stop - start) * step / (STEPS - 1)


def double_loop() -> np.ndarray:
    """As the notebook does it: four formulas at each point, then the index of the lowest."""
    losses = np.zeros((STEPS, STEPS, 4))
    log_densities = np.zeros((STEPS, STEPS))
    log_weights = np.zeros((STEPS, STEPS))
    for i in range(STEPS):
        log_density = between(0, -2, i)
        density = 10**log_density
        for j in range(STEPS):
            log_weight = between(-1, 1, j)
            relative_weight = 10**log_weight
            log_densities[i][j] = log_density
            log_weights[i][j] = log_weight
            losses[i, j, 0] = ignore_extra(relative_weight, density)
            losses[i, j, 1] = ignore_other(relative_weight, density)
            losses[i, j, 2] = extra_antipodal(relative_weight, density)
            losses[i, j, 3] = others_antipodal(relative_weight, density)
    return np.argmin(losses, axis=2)


def diagram(n: int, steps: int, weights: str) -> phd.PhaseDiagram:
    """A diagram on the paper's axes."""
    density, relative_importance = np.geomspace(1, 0.01, steps), np.geomspace(0.1, 10, steps)
    return phd.phase_diagram(density, relative_importance, n, n - 1, weights)


def canonical_diagram() -> np.ndarray:
    """The same from the package: losses, the lowest, and whose it is."""
    return diagram(3, STEPS, "canonical").lowest


def training_hours(n: int, steps: int) -> float:
    """Hours that one run at each point would take at the literature's settings, extrapolated.

    10 000 steps of Adam on batches of 1024, with this package's trainer.
    """
    density = np.geomspace(1, 0.01, SLICE_POINTS)
    start = time.perf_counter()
    phd.train(density, 1.0, n, n - 1, steps=SLICE_STEPS)
    elapsed = time.perf_counter() - start
    return elapsed * (10_000 / SLICE_STEPS) * (steps**2 / SLICE_POINTS) / 3600


def seconds(function, repeats: int = REPEATS) -> float:
    """Shortest of several timings."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print the timings."""
    same = (double_loop() == canonical_diagram()).mean()
    loop, vectorised = seconds(double_loop), seconds(canonical_diagram, 50)
    print(f"{STEPS} x {STEPS} points; same phase at {same:.4%} of them")
    print(f"  double loop, n = 3         {loop:10.5f} s")
    print(f"  canonical diagram, n = 3   {vectorised:10.5f} s  {loop / vectorised:6.0f} x faster")
    for n in (2, 3):
        elapsed = seconds(lambda n=n: diagram(n, STEPS, "optimized"), 1)
        print(f"  optimized diagram, n = {n}   {elapsed:10.5f} s")
    for n, steps in ((2, 128), (2, 256), (2, 512), (3, 128)):
        elapsed = seconds(lambda n=n, steps=steps: diagram(n, steps, "free"), 1)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        trained = training_hours(n, steps)
        print(
            f"{steps} x {steps} points\n  free diagram, n = {n}        {elapsed:10.5f} s, "
            f"{1e6 * elapsed / steps**2:.0f} us a point, peak memory so far {memory:.0f} MiB\n"
            f"  one Adam run at each point {3600 * trained:10.0f} s, extrapolated from "
            f"{SLICE_POINTS} points and {SLICE_STEPS} steps: "
            f"{3600 * trained / elapsed:.0f} x slower"
        )


if __name__ == "__main__":
    main()
