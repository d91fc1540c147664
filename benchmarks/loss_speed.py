"""Speed and error of the exact loss, next to sampling and to nested quadrature.

    python benchmarks/loss_speed.py

For each number of features n (n - 1 hidden dimensions) the same random parameter sets
are evaluated by `expected_loss`, by `expected_loss_and_gradient`, by a Monte Carlo
estimate with 1024 samples in numpy, and by `scipy.integrate.nquad` over every set of
active features.  Errors are relative, against 40-digit arithmetic.  Two tables follow:
microseconds of a single call, from Python and inside compiled code.  All with one thread
and compiled code from the cache.
"""

from __future__ import annotations

import itertools
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.integrate import IntegrationWarning, nquad

from phasediagram.kernel import loss as phd
from phasediagram.kernel.packing import evaluate_many
from phasediagram.kernel.rows import rows_kernel
from phasediagram.kernel.tables import independent_table

sys.path.append(str(Path(__file__).parent.parent / "tests"))
from oracles import monte_carlo_loss, mpmath_loss

COUNTS = {2: 1_000_000, 3: 200_000, 4: 40_000, 5: 8_000, 6: 2_000}
SAMPLES = 1024
QUADRATURE_UP_TO = 3  # one loss already takes some 20 s
SECONDS_PER_SLOW_METHOD = 5.0


def parameter_sets(n: int, count: int) -> tuple[np.ndarray, ...]:
    """Random weights, biases, densities and importances, leading axis `count`."""
    rng = np.random.default_rng(n)
    return (
        rng.normal(size=(count, n - 1, n)) / np.sqrt(n - 1),
        rng.normal(size=(count, n)) / 4,
        rng.uniform(0.05, 1, (count, n)),
        rng.uniform(0.1, 10, (count, n)),
    )


def quadrature_loss(W, b, density, importance) -> float:
    """The loss by `nquad`: one integral for each output and set of active features."""
    gram = W.T @ W
    n = len(b)
    total = 0.0
    for active in itertools.product((False, True), repeat=n):
        probability = np.prod(np.where(active, density, 1 - density))
        free = np.flatnonzero(active)
        for i in range(n):

            def error(*values, i=i, free=free):
                x = np.zeros(n)
                x[free] = values
                return (x[i] - max(b[i] + gram[i] @ x, 0.0)) ** 2

            integral = nquad(error, [(0, 1)] * len(free))[0] if len(free) else error()
            total += importance[i] * probability * integral
    return total


def timed(function, sets, count: int):
    """Call `function` on single parameter sets for a few seconds: losses and rate."""
    start, losses = time.perf_counter(), []
    while len(losses) < count and time.perf_counter() - start < SECONDS_PER_SLOW_METHOD:
        losses.append(function(*(values[len(losses)] for values in sets)))
    return np.array(losses), len(losses) / (time.perf_counter() - start)


def worst_error(losses, exact) -> float:
    """Largest relative error over the sets whose exact loss is known."""
    count = min(len(losses), len(exact))
    return float(np.max(np.abs(losses[:count] / exact[:count] - 1)))


def microseconds(function, repetitions: int) -> float:
    """Shortest mean duration of a call among five rounds."""
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(repetitions):
            function()
        rounds.append((time.perf_counter() - start) / repetitions)
    return 1e6 * min(rounds)


def print_single_calls() -> None:
    """Print the duration of calls from Python."""
    print("one call from Python, microseconds")
    print(f"{'n':>2} {'loss':>8} {'gradient':>9} {'Hessian':>8}")
    for n in COUNTS:
        arguments = [values[0] for values in parameter_sets(n, 1)]
        durations = [
            microseconds(lambda f=f, a=arguments: f(*a), max(1, 4000 // 6 ** (n - 2)))
            for f in (phd.expected_loss, phd.expected_loss_and_gradient, phd.expected_loss_hessian)
        ]
        print("{:>2} {:8.1f} {:9.1f} {:8.1f}".format(n, *durations))


def print_compiled_calls() -> None:
    """Print the duration of one state inside compiled code."""
    print("one state inside compiled code, microseconds")
    print(f"{'n':>2} {'loss':>8} {'gradient':>9} {'Hessian':>8}")
    for n in COUNTS:
        m, count = n - 1, max(10, 20_000 // 6 ** (n - 2))
        W, b, density, importance = parameter_sets(n, count)
        X = np.concatenate([W.reshape(count, m * n), b], axis=1)
        tables, rows, size = independent_table(density), rows_kernel(n), m * n + n
        into = np.empty(count), np.empty((count, size)), np.empty((count, size, size))
        durations = [
            microseconds(
                lambda order=order, a=(rows, m, n, X, tables, importance, *into): evaluate_many(
                    *a, order
                ),
                1,
            )
            / count
            for order in range(3)
        ]
        print("{:>2} {:8.2f} {:9.2f} {:8.2f}".format(n, *durations))


def main() -> None:
    """Print three tables."""
    warnings.simplefilter("ignore", IntegrationWarning)
    phd.os.cpu_count = lambda: 1  # one thread
    print_single_calls()
    print_compiled_calls()
    rng = np.random.default_rng(0)
    print("evaluations per second, one core, and the largest relative error")
    print(f"{'n':>2} {'method':<28} {'per second':>12} {'error':>9}")
    for n, count in COUNTS.items():
        sets = parameter_sets(n, count)
        exact = np.array([float(mpmath_loss(*(v[i] for v in sets))) for i in range(20)])
        start = time.perf_counter()
        losses = phd.expected_loss(*sets)
        rate = count / (time.perf_counter() - start)
        print(f"{n:>2} {'expected_loss':<28} {rate:>12,.0f} {worst_error(losses, exact):>9.1e}")
        start = time.perf_counter()
        losses = phd.expected_loss_and_gradient(*sets)[0]
        rate = count / (time.perf_counter() - start)
        error = worst_error(losses, exact)
        print(f"{n:>2} {'expected_loss_and_gradient':<28} {rate:>12,.0f} {error:>9.1e}")
        sampled, rate = timed(
            lambda *s: monte_carlo_loss(*s, rng, samples=SAMPLES)[0], sets, min(count, 5000)
        )
        error = worst_error(sampled, exact)
        print(f"{n:>2} {'Monte Carlo, 1024 samples':<28} {rate:>12,.0f} {error:>9.1e}")
        if n <= QUADRATURE_UP_TO:
            integrated, rate = timed(quadrature_loss, sets, 20)
            error = worst_error(integrated, exact)
            print(f"{n:>2} {'scipy.integrate.nquad':<28} {rate:>12,.2f} {error:>9.1e}")
        else:
            print(f"{n:>2} {'scipy.integrate.nquad':<28} {'not run':>12}")


if __name__ == "__main__":
    main()
