"""The verb that repeats the paper's first demonstration: demonstrate."""

from __future__ import annotations

import argparse
from typing import Any

from phasediagram.cli.options import (
    Parser,
    add_figure,
    add_json,
    answer,
    figure_path,
    progress_bar,
    will_write,
)

_DENSITIES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)


def add_demonstrate(verbs: argparse._SubParsersAction[Parser]) -> None:
    demonstrate = verbs.add_parser(
        "demonstrate",
        help="train many features in few dimensions, linear and ReLU, as the paper does",
        description="Train a linear and several ReLU models of features of falling importance, "
        "draw W^T W, the biases and each feature's norm, and print losses: the linear model next "
        "to its exact optimum, ReLU models on a large fixed sample, with its standard error. "
        "Takes about a minute.",
    )
    demonstrate.add_argument("--features", type=int, default=20, metavar="N", help="default: 20")
    demonstrate.add_argument("--hidden", type=int, default=5, metavar="M", help="default: 5")
    demonstrate.add_argument(
        "--decay",
        type=float,
        default=0.7,
        metavar="Q",
        help="feature i has importance Q^i; default: 0.7",
    )
    demonstrate.add_argument(
        "--densities",
        type=float,
        nargs="+",
        default=_DENSITIES,
        metavar="P",
        help="of the ReLU models; default: 1 to 0.001",
    )
    demonstrate.add_argument(
        "--steps", type=int, default=10_000, metavar="K", help="default: 10000"
    )
    demonstrate.add_argument("--seeds", type=int, default=3, metavar="K", help="default: 3")
    add_figure(demonstrate, "demonstration.png")
    add_json(demonstrate)
    demonstrate.set_defaults(run=_demonstrate)


def _demonstrate(options: argparse.Namespace) -> int:
    import numpy as np

    from phasediagram.naming import superposition_of_each
    from phasediagram.plotting import draw_demonstration, save_figure
    from phasediagram.toymodel.models import ToyModel
    from phasediagram.training.descent import train

    path = figure_path(options.output)
    if not 0 < options.decay <= 1:
        raise ValueError(f"--decay must lie in (0, 1], got {options.decay:g}")
    n, m = options.features, options.hidden
    importance = options.decay ** np.arange(n)
    size = {"importance": importance, "seeds": options.seeds, "steps": options.steps}
    first = options.densities[:1]
    linear = train(first, model=ToyModel(n, m, activation="linear"), **size)
    with progress_bar("training", will_write(path)) as progress:
        relu = train(options.densities, model=ToyModel(n, m), progress=progress, **size)
    weights, biases, titles = [], [], []
    lines = ["model   density   loss                   represented  superposition"]
    rows: list[dict[str, Any]] = []
    for name, result in (("linear", linear), ("ReLU", relu)):
        for row, p in enumerate(result.density):
            best = int(np.nanargmin(result.loss[row]))
            W, b = result.W[row, best], result.b[row, best]
            loss = f"{result.loss[row, best]:.6f}"
            if result.loss_error is not None:
                loss += f" ± {result.loss_error[row, best]:.6f}"
            norm, shared = superposition_of_each(W)
            kept = int((norm > 0.5).sum())
            most = float(shared[norm > 0.5].mean()) if kept else 0.0
            lines.append(f"{name:<7} {p:<9g} {loss:<22} {kept:<12} {most:.2f}")
            rows.append(
                {
                    "model": name,
                    "density": float(p),
                    "loss": float(result.loss[row, best]),
                    "loss_error": None
                    if result.loss_error is None
                    else float(result.loss_error[row, best]),
                    "represented": kept,
                    "superposition": most,
                }
            )
            weights.append(W)
            biases.append(b)
            titles.append(f"{name}\n$p$ = {p:g}")
    optimum = _linear_optimum(float(first[0]), importance, m)
    lines.append(f"the linear model's exact optimum keeps the {m} most important: {optimum:.6f}")
    save_figure(draw_demonstration(weights, biases, titles), path)
    document = {"trained": rows, "linear_optimum": optimum}
    answer(options, "\n".join(lines), lambda: document, [path])
    return 0


def _linear_optimum(density: float, importance: object, m: int) -> float:
    """Return the least loss without an activation: the variances of all but m features."""
    import numpy as np

    costs = np.sort(np.asarray(importance) * (density / 3 - density**2 / 4))
    return float(costs[: len(costs) - m].sum())
