"""Speed of training 400 features in 30 dimensions, next to torch at the same batch.

    OPENBLAS_NUM_THREADS=1 python benchmarks/many_features_training.py [steps]

Both do one model, Adam, fresh batches of 1024, single precision in the sums, one thread; torch as
the literature writes it.  Processor time, turn by turn, the best of three turns.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

import phasediagram as phd
from phasediagram.training.settings import as_settings
from phasediagram.training.sweep import SweepState, train_block

N, M, BATCH = 400, 30, 1024
DENSITIES = (0.3, 0.03)
TURNS = 3


def ours(density: float, steps: int) -> None:
    settings = as_settings(
        density, 1.0, 2, None, model=phd.ToyModel(N, M), seeds=1, steps=steps, batch_size=BATCH,
        optimizer="adam", learning_rate=None, schedule="constant", record=(), rng=0,
    )  # fmt: skip
    state = SweepState.start(settings)
    while state.step[0] < steps:
        train_block(settings, np.arange(1), state)


def in_torch(density: float, steps: int) -> None:
    import torch

    torch.set_num_threads(1)
    W = torch.empty(N, M)
    torch.nn.init.xavier_normal_(W)
    W.requires_grad_()
    b = torch.zeros(N, requires_grad=True)
    optimizer = torch.optim.Adam([W, b], lr=1e-3)
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        value = torch.rand(BATCH, N)
        x = torch.where(torch.rand(BATCH, N) <= density, value, torch.zeros(()))
        output = torch.relu(x @ W @ W.T + b)
        loss = ((x - output) ** 2).mean(dim=0).sum()
        loss.backward()
        optimizer.step()


def seconds(run: Callable[[float, int], None], density: float, steps: int) -> float:
    """Return the processor time of a step."""
    started = time.process_time()
    run(density, steps)
    return (time.process_time() - started) / steps


def main() -> None:
    """Print milliseconds for each step and how many times faster."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 128
    for density in DENSITIES:
        ours(density, 16), in_torch(density, 4)  # warm
        turns = [
            (seconds(ours, density, steps), seconds(in_torch, density, steps)) for _ in range(TURNS)
        ]
        mine, theirs = (1e3 * min(column) for column in zip(*turns, strict=True))
        print(
            f"density {density}: {mine:.2f} ms a step, torch {theirs:.2f} ms: "
            f"{theirs / mine:.2f} times faster",
            flush=True,
        )


if __name__ == "__main__":
    main()
