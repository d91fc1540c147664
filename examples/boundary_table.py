"""Print the special points of two features in one dimension as a LaTeX table."""

import argparse

import phasediagram as phd

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--digits", type=int, default=6, help="behind the decimal point")
options = parser.parse_args()

boundaries = phd.phase_boundaries(n_features=2, n_hidden=1, spinodals=False)
print(r"\begin{tabular}{llll}")
print(r"\hline")
print(r"point & $p$ & $r$ & phases \\")
print(r"\hline")
for point in boundaries.special_points:
    position = (
        f"{point.density:.{options.digits}f} & {point.relative_importance:.{options.digits}f}"
    )
    print(rf"{point.kind} & {position} & {', '.join(point.phases)} \\")
print(r"\hline")
print(r"\end{tabular}")
