"""Train many models under other assumptions, and count those that end below theory: none should.

Each on the exact gradient from random weights; an excess is the exact loss of where a run ends,
or of the minimum that it leads to, less the lowest minimum that theory knows.
"""

import argparse
import time

import numpy as np

import phasediagram as phd

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--runs", type=int, default=1000, help="of each model")
parser.add_argument("--steps", type=int, default=3000, help="of each run")
parser.add_argument("--only", help="models whose names contain this")
options = parser.parse_args()

pairs = (0, 1), (2, 3)
DENSITIES = [0.1, 0.3, 0.5, 0.7, 0.9]
MODELS = {
    "no bias": ({"model": phd.ToyModel(2, bias=False)}, DENSITIES, [0.5, 1.0]),
    "penalty 0.02": ({"model": phd.ToyModel(2, interference_penalty=0.02)}, DENSITIES, [0.5, 1.0]),
    "penalty 0.05": ({"model": phd.ToyModel(2, interference_penalty=0.05)}, DENSITIES, [0.5, 1.0]),
    "pentagon, one 2.5 times sparser": (
        {"n_features": 5, "n_hidden": 2, "relative_density": 0.4},
        [0.05, 0.1],
        [1.0],
    ),
    "pentagon, one 4 times sparser": (
        {"n_features": 5, "n_hidden": 2, "relative_density": 0.25},
        [0.05, 0.1],
        [1.0],
    ),
    "two correlated pairs": (
        {"model": phd.ToyModel(4, 2, groups=[phd.correlated(*f) for f in pairs])},
        DENSITIES,
        [1.0],
    ),
    "two correlated pairs, c = 0.4": (
        {"model": phd.ToyModel(4, 2, groups=[phd.correlated(*f, correlation=0.4) for f in pairs])},
        DENSITIES,
        [1.0],
    ),
    "three correlated pairs": (
        {"model": phd.ToyModel(6, 2, groups=[phd.correlated(*f) for f in (*pairs, (4, 5))])},
        DENSITIES,
        [1.0],
    ),
    "two anticorrelated pairs": (
        {"model": phd.ToyModel(4, 2, groups=[phd.anticorrelated(*f) for f in pairs])},
        DENSITIES,
        [1.0],
    ),
}

for name, (arguments, density, importance) in MODELS.items():
    if options.only and options.only not in name:
        continue
    begin = time.process_time()
    grid = np.meshgrid(density, importance, indexing="ij")
    seeds = -(-options.runs // grid[0].size)
    runs = phd.train(
        *grid, seeds=seeds, steps=options.steps, optimizer="exact", learning_rate=5e-3, **arguments
    )
    agreement = phd.compare(phd.phase_diagram(density, importance, **arguments), runs)
    shares = {outcome: round(share, 3) for outcome, share in agreement.shares().items() if share}
    print(
        f"{name}: {agreement.runs} runs at {grid[0].size} points, "
        f"{int((agreement.excess < -1e-12).sum())} below theory, "
        f"lowest excess {agreement.lowest_excess:.1e}; {shares}; "
        f"{time.process_time() - begin:.0f} s of a processor",
        flush=True,
    )
