"""Time and boxes of certificates: a grid of (2, 1), and points of (3, 2).

python benchmarks/certified.py [--three]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

import phasediagram as phd

#: Where two phases have the same least loss: the middle of each traced line of first order.
_CURVES = Path(__file__).parent.parent / "tests" / "reference" / "curves_3_2.json"
_ONE_PHASE = (
    (0.05, 0.5), (0.3, 3.0), (0.55, 1.0), (0.57, 1.0), (0.6, 1.0), (0.6, 1.05), (0.7, 1.0),
    (0.9, 1.0),
)  # fmt: skip
_CORNER = ((0.95, 0.97), (1.0, 1.0))


def coexistence() -> list[tuple[float, float]]:
    """Return the middle of every line of first order."""
    curves = json.loads(_CURVES.read_text(encoding="utf-8"))["boundaries"]
    points = []
    for curve in curves:
        if curve["kind"] == "equilibrium" and curve["order"] == 1:
            middle = len(curve["density"]) // 2
            points.append((curve["density"][middle], curve["relative_importance"][middle]))
    return points


def two_features() -> None:
    """Certify a grid of 504 points of (2, 1), and special points."""
    points = [
        (float(p), float(r)) for p in np.geomspace(0.01, 1, 24) for r in np.geomspace(0.1, 10, 21)
    ]
    special = phd.phase_boundaries(spinodals=False).special_points
    points += [(float(x.density), float(x.relative_importance)) for x in special]
    phd.certify(0.5)  # compiles
    begin = time.process_time()
    found = [phd.certify(p, r) for p, r in points]
    spent = (time.process_time() - begin) / len(points)
    seconds = np.array([x.seconds for x in found])
    boxes = np.array([x.boxes for x in found])
    print(f"(2, 1): {len(found)} points, {sum(not x.is_closed for x in found)} open")
    print(f"seconds: median {np.median(seconds):.3f}, most {seconds.max():.3f}")
    print(f"processor time: {spent:.3f} s a point")
    print(f"boxes: median {np.median(boxes):.0f}, most {boxes.max()}")
    print(f"the largest gap: {max(x.gap / x.upper for x in found):.1e} of the loss")


def three_features() -> None:
    """Certify points of (3, 2) to 1e-6 of the loss."""
    for title, points in (
        ("two phases with the same loss", coexistence()),
        ("one phase", _ONE_PHASE),
        ("the dense corner", _CORNER),
    ):
        print(f"(3, 2), {title}")
        for p, r in points:
            begin = time.process_time()
            found = phd.certify(p, r, 3, gap=1e-6)
            spent = time.process_time() - begin
            upper = np.max([np.triu(x.gram_high, 1).max() for x in found.minimiser_within])
            print(
                f"  p = {p:.6g}, r = {r:.6g}: {found}, {spent:.1f} s of processor time, "
                f"largest W_i.W_j {upper:.3f}",
                flush=True,
            )


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--three", action="store_true", help="three features, half an hour")
    three_features() if parser.parse_args().three else two_features()


if __name__ == "__main__":
    main()
