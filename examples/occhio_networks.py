"""Lay networks that occhio trained over the theory: independent, correlated and hierarchical."""

import argparse
import os

import numpy as np

import phasediagram as phd
from phasediagram.plotting import PAGE_WIDTH, paper_figure, plot_agreement, plot_phases, save_figure

os.environ.setdefault("TQDM_DISABLE", "1")
import torch
from occhio.autoencoder import TiedLinearRelu
from occhio.distributions import CorrelatedPairs, HierarchicalPairs, SparseUniform
from occhio.model_grid import Axis, ModelGrid
from occhio.toy_model import ToyModel

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--grid", type=int, default=64, help="points of the theory along each axis")
parser.add_argument("--points", type=int, default=5, help="of networks along each axis")
parser.add_argument("--networks", type=int, default=4, help="at each point")
parser.add_argument("--steps", type=int, default=2500, help="at each of four learning rates")
options = parser.parse_args()
RATES = (1e-2, 3e-3, 1e-3, 3e-4)
random = torch.Generator().manual_seed(0)


def independent(density, importance):
    return SparseUniform(2, density, generator=random), [1.0, importance]


def correlated(density, correlation):
    pairs = CorrelatedPairs(4, correlation=correlation, density=density, generator=random)
    return pairs, [1.0] * 4


def hierarchical(density, follow):
    return HierarchicalPairs(2, p_active=density, p_follow=follow, generator=random), [1.0] * 2


def train(world, n_hidden, rows, columns):
    """Weights and biases of networks, (rows, columns, networks, m, n) and (..., n)."""

    def create(params):
        row, column = int(params["row"]), int(params["column"])
        features, importances = world(float(rows[row]), float(columns[column]))
        network = TiedLinearRelu(features.n_features, n_hidden, generator=random)
        return ToyModel(features, network, importances=importances)

    lengths = {"row": len(rows), "column": len(columns), "network": options.networks}
    axes = [Axis(label, range(length)) for label, length in lengths.items()]
    grid = ModelGrid(create, axes, cache_samples=False)
    for rate in RATES:  # its weight decay is no term of a loss; without it the losses are ours
        grid.fit(options.steps, batch_size=1024, learning_rate=rate, weight_decay=0.0)
    networks = [model.ae for model in grid.models.ravel()]
    return tuple(
        np.stack(
            [getattr(network, name).detach().double().numpy() for network in networks]
        ).reshape(*grid.shape, *getattr(networks[0], name).shape)
        for name in ("W", "b")
    )


def axes(points, inset=0.0):
    """The columns of each panel, and the rows; networks are inside."""

    def axis(name, start, stop, scale):
        if scale == "linear":
            margin = inset * (stop - start)
            return phd.Axis(name, start + margin, stop - margin, scale=scale, points=points)
        factor = (stop / start) ** inset
        return phd.Axis(name, start * factor, stop / factor, points=points)

    columns = (
        axis("relative_importance", 0.3, 3, "log"),
        axis("correlation", 0, 1, "linear"),
        axis("follow", 0.1, 1, "linear"),
    )
    return columns, axis("density", 0.1, 0.9, "log")


pairs = [phd.correlated(0, 1), phd.correlated(2, 3)]
worlds = (
    (independent, phd.ToyModel(2, 1)),
    (correlated, phd.ToyModel(4, 2, groups=pairs)),
    (hierarchical, phd.ToyModel(2, 1, groups=[phd.hierarchical(0, 1)])),
)
with paper_figure(PAGE_WIDTH) as figure:
    for k, (ax, (world, model)) in enumerate(zip(figure.subplots(1, 3), worlds, strict=True)):
        columns, rows = axes(options.points, inset=0.1)
        W, b = train(world, model.n_hidden, rows.values, columns[k].values)
        theory = phd.phase_diagram(x=columns[k], y=rows, model=model)
        agreement = phd.compare_weights(W, b, rows.values[:, None], columns[k].values, theory)
        columns, rows = axes(options.grid)
        background = phd.phase_diagram(x=columns[k], y=rows, model=model)
        plot_phases(background, ax, legend="names", show_weights=False, label_size=None)
        plot_agreement(agreement, ax, size=14, color_key=k == 2)
        ax.set_title(f"{world.__name__}, ({model.n_features}, {model.n_hidden})")
        shares = {name: round(share, 3) for name, share in agreement.shares().items() if share}
        relative = agreement.excess / agreement.theory_loss[..., None]
        print(f"{world.__name__}: {agreement.runs} networks, {shares}")
        print(
            f"  relative excess loss: least {relative.min():.1e}, median {np.median(relative):.1e}"
        )
        for phase in np.unique(agreement.phase):
            here = agreement.phase == phase
            best = (agreement.outcome[here] == "global").sum()
            print(f"  {here.sum():4d} lead to {phase}, {best} of them the lowest minimum")
save_figure(figure, "occhio_networks.pdf")
save_figure(figure, "occhio_networks.svg")
