"""Are there states of more than 8 features that cost less than every sum of groups?

    python docs/beyond_eight_features.py docs/groups.npz N M DENSITY [STARTS [HIGHEST]]

Descends the loss of N > 8 features in M dimensions from random starts and prints the lowest state
next to the lowest sum of orthogonal groups of at most 8 features.  Losses of more than 8 features
carry a proved bound on their error.  If HIGHEST is given, also where the state, followed from
DENSITY, costs as much as the lowest sum at a density up to that.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.optimize import brentq, minimize

import phasediagram as phd
from phasediagram.naming.geometry import dimensionalities, interference_groups

STARTS = 8
SEED = 0
ITERATIONS = 400


def descend(n: int, m: int, p: float, start: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the loss and the state where a descent ends."""

    def value(x: np.ndarray) -> tuple[float, np.ndarray]:
        loss, by_W, by_b = phd.expected_loss_and_gradient(x[: m * n].reshape(m, n), x[m * n :], p)
        return float(loss) / p, np.concatenate([by_W.ravel(), by_b]) / p

    options = {"maxiter": ITERATIONS, "ftol": 1e-14, "gtol": 1e-9}
    found = minimize(value, start, jac=True, method="L-BFGS-B", options=options)
    return found.fun * p, found.x


def random_start(n: int, m: int, rng: np.random.Generator) -> np.ndarray:
    """Return directions and norms at random."""
    W = rng.normal(size=(m, n))
    W *= rng.uniform(0.5, 1.1) / np.linalg.norm(W, axis=0)
    return np.concatenate([W.ravel(), rng.uniform(-0.2, 0.0, n)])


def crossing(
    groups: phd.GroupCatalogue, n: int, m: int, x: np.ndarray, low: float, high: float
) -> float:
    """Return the density at which a state, followed from `low`, costs what the lowest sum does."""
    states = {low: x}

    def gap(p: float) -> float:
        nearest = min(states, key=lambda q: abs(np.log(p / q)))
        loss, states[p] = descend(n, m, p, states[nearest])
        return (loss - float(phd.geometry(p, n, m, groups=groups).loss[0])) / p

    for p in np.geomspace(low, high, 9)[1:].tolist():
        before = max(states)
        if gap(p) > 0:
            return float(brentq(gap, before, p, xtol=1e-9))
    return np.nan


def main() -> None:
    """Search one size at one density and say what was found."""
    groups = phd.load(sys.argv[1], phd.GroupCatalogue)
    n, m, p = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    starts = int(sys.argv[5]) if len(sys.argv) > 5 else STARTS
    rng = np.random.default_rng(SEED)
    ends = sorted(
        (descend(n, m, p, random_start(n, m, rng)) for _ in range(starts)), key=lambda end: end[0]
    )
    W, b = ends[0][1][: m * n].reshape(m, n), ends[0][1][m * n :]
    exact = phd.expected_loss_with_error(W, b, p)
    lowest = phd.geometry(p, n, m, groups=groups)
    ((_, parts),) = interference_groups(W[None])
    print(f"({n}, {m}) at p = {p:g}")
    print(f"  lowest of {starts} descents {exact.loss:.10f} within {exact.error:.1g}")
    print(f"  lowest sum of groups {lowest.loss[0]:.10f}, {lowest.mixture(0)}")
    print(f"  lower by {1 - exact.loss / lowest.loss[0]:.3%}")
    variance = p / 3 - p**2 / 4
    saved = [(n - loss / variance) / m for loss in (float(exact.loss), float(lowest.loss[0]))]
    print("  saved for each dimension, in variances: {:.6f}, by the sum {:.6f}".format(*saved))
    print("  losses", " ".join(f"{loss:.8f}" for loss, _ in ends))
    print("  parts", sorted((len(part) for part in parts), reverse=True))
    order = np.argsort(-np.linalg.norm(W, axis=0))
    print("  norms", np.linalg.norm(W, axis=0)[order].round(3).tolist())
    print("  D    ", dimensionalities(W)[order].round(3).tolist())
    print("  b    ", b[order].round(3).tolist())
    if len(sys.argv) > 6:
        where = crossing(groups, n, m, ends[0][1], p, float(sys.argv[6]))
        print(f"  costs as much as the lowest sum at p = {where:.7f}")


if __name__ == "__main__":
    main()
