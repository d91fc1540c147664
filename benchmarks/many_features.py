"""Seconds of the loss of many features with its gradient, and the bound of its error.

python benchmarks/many_features.py
"""

from __future__ import annotations

import time

import numpy as np

import phasediagram as phd

SIZES = ((20, 5), (400, 30))
DENSITIES = (0.01, 0.1, 0.5)


def main() -> None:
    phd.expected_loss_with_error(np.eye(10)[:2], np.zeros(10), 0.1)  # compiles
    for n, m in SIZES:
        rng = np.random.default_rng(n)
        W = rng.normal(size=(m, n))
        W /= np.linalg.norm(W, axis=0)
        b = rng.uniform(-0.2, 0.0, n)
        for density in DENSITIES:
            started = time.process_time()
            found = phd.expected_loss_with_error(W, b, density)
            seconds = time.process_time() - started
            relative = float(found.error / found.loss)
            print(
                f"| ({n}, {m}) | {density} | {found.loss:.10g} | {relative:.1e} | {seconds:.2g} s |"
            )


if __name__ == "__main__":
    main()
