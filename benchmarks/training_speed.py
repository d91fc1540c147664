"""Speed of training, next to the literature's implementation in torch.

    python benchmarks/training_speed.py [seconds per measurement]

Both train n features in n - 1 dimensions at densities spread over the paper's range,
with Adam on fresh batches of 1024, and count model-steps: one update of one model.  The
torch code is what the literature does, in its own words: a leading axis of instances, two
`einsum`s, autograd.  Without torch a plain loop over models in numpy takes its place.
All figures are from the same machine and the same run, the best of three.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np

import phasediagram as phd

BATCH_SIZE = 1024
SIZES = (2, 3, 5)
REPEATS = 3
TORCH_INSTANCES = (10, 100, 1000)
OURS_MODELS = 512


def densities(models: int) -> np.ndarray:
    return np.geomspace(1, 0.01, models)


def run_phasediagram(n: int, models: int, steps: int, **arguments) -> None:
    phd.train(densities(models), 1.0, n, n - 1, steps=steps, batch_size=BATCH_SIZE, **arguments)


def run_torch(n: int, models: int, steps: int) -> None:
    """One batched model per density, as in the notebook of Toy Models of Superposition."""
    import torch

    W = torch.empty(models, n, n - 1)
    for instance in W:
        torch.nn.init.xavier_normal_(instance)
    W.requires_grad_()
    b = torch.zeros(models, n, requires_grad=True)
    probability = torch.tensor(densities(models), dtype=torch.float32)[:, None]
    importance = torch.ones(n)
    optimizer = torch.optim.Adam([W, b], lr=1e-3)
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        value = torch.rand(BATCH_SIZE, models, n)
        active = torch.rand(BATCH_SIZE, models, n) <= probability
        x = torch.where(active, value, torch.zeros(()))
        hidden = torch.einsum("...if,ifh->...ih", x, W)
        output = torch.relu(torch.einsum("...ih,ifh->...if", hidden, W) + b)
        loss = (importance * (x - output) ** 2).mean(dim=0).sum()
        loss.backward()
        optimizer.step()


def run_plain_numpy(n: int, models: int, steps: int) -> None:
    """The same update, one model after the other, in double precision."""
    rng = np.random.default_rng(0)
    for density in densities(models):
        W = rng.normal(size=(n - 1, n)) * np.sqrt(2 / (2 * n - 1))
        b = np.zeros(n)
        parameters, means, squares = [W, b], [0.0, 0.0], [0.0, 0.0]
        for step in range(1, steps + 1):
            active = rng.random((n, BATCH_SIZE)) <= density
            x = np.where(active, rng.random((n, BATCH_SIZE)), 0)
            hidden = W @ x
            output = np.maximum(W.T @ hidden + b[:, None], 0)
            error = np.where(output > 0, 2 * (output - x) / BATCH_SIZE, 0)
            gradients = [hidden @ error.T + W @ error @ x.T, error.sum(axis=1)]
            for i, gradient in enumerate(gradients):
                means[i] = 0.9 * means[i] + 0.1 * gradient
                squares[i] = 0.999 * squares[i] + 0.001 * gradient**2
                scale = np.sqrt(squares[i] / (1 - 0.999**step)) + 1e-8
                parameters[i] -= 1e-3 * means[i] / (1 - 0.9**step) / scale


def speed(run: Callable[[int], None], model_steps: int, seconds: float) -> float:
    """Model-steps per second, the best of three runs of about `seconds` each."""
    steps, elapsed = 2, 0.0
    run(steps)
    while elapsed < seconds / 2:
        steps *= 2
        elapsed = timed(run, steps)
    best = min(elapsed, *(timed(run, steps) for _ in range(REPEATS - 1)))
    return model_steps * steps / best


def timed(run: Callable[[int], None], steps: int) -> float:
    start = time.perf_counter()
    run(steps)
    return time.perf_counter() - start


def reference(n: int, seconds: float) -> tuple[str, float]:
    """Name and speed of what we compare with: torch at its best size and number of threads."""
    if importlib.util.find_spec("torch") is None:
        return "plain numpy", speed(partial(run_plain_numpy, n, 4), 4, seconds)
    speeds = [speed(lambda steps, k=k: run_torch(n, k, steps), k, seconds) for k in TORCH_INSTANCES]
    return "torch", max(speeds)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    if importlib.util.find_spec("torch") is None:
        print("torch is not installed: comparing with a plain numpy loop instead")
    else:
        import torch

        print(f"torch {torch.__version__}")
    print(
        f"numpy {np.__version__}, {os.cpu_count()} processors; "
        f"model-steps per second, batch size {BATCH_SIZE}"
    )
    for n in SIZES:
        cells = []
        for label, arguments in (
            ("sampled, all threads", {}),
            ("sampled, 1 thread", {"workers": 1}),
            ("exact, 1 thread", {"workers": 1, "optimizer": "exact"}),
        ):
            run = partial(run_phasediagram, n, OURS_MODELS, **arguments)
            rate = speed(run, OURS_MODELS, seconds)
            cells.append((label, rate))
        name, slow = reference(n, seconds)
        print(f"n = {n}, m = {n - 1}:  {name} {slow:,.0f}")
        for label, rate in cells:
            print(f"    {label:22s} {rate:10,.0f}   {rate / slow:6.1f} times {name}")


if __name__ == "__main__":
    main()
