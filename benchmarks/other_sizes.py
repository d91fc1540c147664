"""Boundaries of a size other than the paper's, next to what is proved for every number of features.

python benchmarks/other_sizes.py 4 3
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np

import phasediagram as phd
from phasediagram.closed_forms import ignored_stability_limit, tricritical_points


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features", type=int)
    parser.add_argument("hidden", type=int)
    parser.add_argument("--spinodals", action="store_true")
    arguments = parser.parse_args()
    started, used = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is left open is printed below
        found = phd.phase_boundaries(
            arguments.features, arguments.hidden, spinodals=arguments.spinodals
        )
    elapsed = time.perf_counter() - started
    print(f"{elapsed:.0f} s, of the processors {time.process_time() - used:.0f} s")
    for curve in found.boundaries:
        order = {1: "first order", 2: "continuous", None: "spinodal"}[curve.order]
        print(f"{order}: {', '.join(curve.phases)}; {' to '.join(curve.ends)}")
    for point in found.special_points:
        where = f"({point.density:.10f}, {point.relative_importance:.10f})"
        print(f"{point.kind} {where}: {', '.join(point.phases)}")
    for place in found.unresolved:
        print(f"open at ({place.density:.6g}, {place.relative_importance:.6g}): {place.reason}")
    _proved(found)


def _proved(found: phd.PhaseBoundaries) -> None:
    """Compare the line on which an ignored feature enters with its closed form."""
    if found.n_hidden != found.n_features - 1:
        return
    for curve in found.boundaries:
        if curve.order == 2 and "ignored" in curve.phases:
            off = np.abs(curve.relative_importance - ignored_stability_limit(curve.density)).max()
            print(f"from r_c(p): {off:.1e}")
    points = [p for p in found.special_points if p.kind == "tricritical point"]
    positions = np.array([(p.density, p.relative_importance) for p in points]).reshape(-1, 2)
    for expected in tricritical_points():
        off = np.abs(positions - expected).max(axis=1).min(initial=np.inf)
        print(f"from the tricritical point at p = {expected[0]:.10f}: {off:.1e}")


if __name__ == "__main__":
    main()
