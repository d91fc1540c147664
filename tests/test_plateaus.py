"""Trained features next to the groups: hand-made networks, gradients and what is kept."""

from __future__ import annotations

import numpy as np
import pytest

import phasediagram as phd
from phasediagram.comparison.plateaus import plateaus_of
from phasediagram.training.wide import WideBatchGradient, is_wide


@pytest.fixture(scope="module")
def groups():
    return phd.find_groups((0.2, 0.4), max_features=5, max_hidden=2, searched=[0.25], starts=24)


def network(*blocks, ignored, rng):
    """Return W of groups in dimensions of their own, turned, and of features that are left out."""
    m = sum(len(block) for block in blocks)
    W = np.zeros((m, sum(block.shape[1] for block in blocks) + ignored))
    row = column = 0
    for block in blocks:
        W[row : row + len(block), column : column + block.shape[1]] = block
        row, column = row + len(block), column + block.shape[1]
    turn, _ = np.linalg.qr(rng.normal(size=(m, m)))
    return (turn @ W)[:, rng.permutation(W.shape[1])]


def test_groups_of_a_network_are_those_that_it_was_made_of(groups):
    """At density 0.25 digons are the lowest, and pentagons exist (both known by symmetry)."""
    angles = 2 * np.pi * np.arange(5) / 5
    digon, pentagon = np.array([[1.0, -1.0]]), np.array([np.cos(angles), np.sin(angles)])
    heptagon = np.array([f(2 * np.pi * np.arange(7) / 7) for f in (np.cos, np.sin)])
    rng = np.random.default_rng(0)
    made = network(digon, digon, digon, pentagon, heptagon, ignored=2, rng=rng)
    found = plateaus_of(made[None], [0.25], [1.0], groups)
    assert found.groups_of(0) == {"(7, 2)": 7, "antipodal": 6, "pentagon": 5}
    assert (found.by_group[0] == "ignored").sum() == 2
    assert found.shares()[0] == pytest.approx([6 / 18, 5 / 18, 7 / 18])
    assert sorted(set(found.dimensionality[0].round(12))) == [0, 0.285714285714, 0.4, 0.5]


def test_a_digon_of_unequal_norms_is_none_within_a_small_tolerance(groups):
    W = np.array([[[1.0, -0.8]]])
    assert plateaus_of(W, [0.25], [1.0], groups).groups_of(0) == {"(2, 1)": 2}
    assert plateaus_of(W, [0.25], [1.0], groups, tolerance=0.2).groups_of(0) == {"antipodal": 2}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((np.ones((2, 1)), [0.25], [1.0]), "W must have shape"),
        ((np.ones((1, 1, 2)), [0.25, 0.3], [1.0]), "W must have shape"),
    ],
)
def test_wrong_shapes_are_named(arguments, named, groups):
    with pytest.raises(ValueError, match=named):
        plateaus_of(*arguments, groups)


@pytest.mark.parametrize("tolerance", [0, -0.1, 0.6, True])
def test_a_wrong_tolerance_is_named(tolerance, groups):
    with pytest.raises(ValueError, match="tolerance must be"):
        plateaus_of(np.ones((1, 1, 2)), [0.25], [1.0], groups, tolerance=tolerance)


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_the_gradient_through_the_hidden_layer_is_that_of_the_batch(activation):
    """Against differences of the mean loss of the same batch, in double precision."""
    rng = np.random.default_rng(3)
    n, m, batch, unit = 40, 5, 64, 0.25
    assert is_wide(n, m)
    W, b = 0.4 * rng.normal(size=(m, n)), rng.uniform(-0.2, 0.2, n)
    importance = rng.uniform(0.5, 2.0, n)
    inputs = np.ones((n + 1, 1, batch), np.float32)
    inputs[:-1, 0] = rng.uniform(0, 4, (n, batch)) * (rng.random((n, batch)) < 0.3)
    x = unit * inputs[:-1, 0].astype(np.float64)

    def loss(state):
        V, c = state[: m * n].reshape(m, n), state[m * n :]
        output = V.T @ (V @ x) + c[:, None]
        output = output if activation == "linear" else np.maximum(output, 0)
        return (importance[:, None] * (x - output) ** 2).sum(axis=0).mean()

    state = np.concatenate([W.ravel(), b])
    gradient = WideBatchGradient(n, m, batch, activation)(
        W[None], b[None], importance[None], inputs, np.array([unit])
    )[0]
    for k in rng.permutation(len(state))[:60]:
        step = np.zeros(len(state))
        step[k] = 1e-6
        slope = (loss(state + step) - loss(state - step)) / 2e-6
        assert gradient[k] == pytest.approx(slope, abs=2e-5 * np.abs(gradient).max())


def test_groups_that_were_kept_are_not_searched_again(tmp_path, groups):
    searched = {"max_features": 3, "searched": [0.25], "starts": 10}
    first = phd.find_groups((0.2, 0.4), **searched, directory=tmp_path)
    files = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = phd.find_groups((0.2, 0.4), **searched, directory=tmp_path)
    assert files
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files
    assert [group.name for group in again.groups] == [group.name for group in first.groups]
    for one, other in zip(first.groups, again.groups, strict=True):
        assert (one.loss == other.loss).all()
        assert one.ends == other.ends
    with pytest.raises(ValueError, match="holds groups searched with"):
        phd.find_groups((0.2, 0.3), **searched, directory=tmp_path)


def test_hundreds_of_features_are_trained_and_go_on(tmp_path):
    """Interrupted and gone on with, a run ends as one that was not interrupted."""
    model = phd.ToyModel(48, 4)
    whole = phd.train(0.1, model=model, seeds=1, steps=40)

    def stop(share):
        if share > 0.4:
            raise KeyboardInterrupt

    file = tmp_path / "runs.ckpt"
    phd.train(0.1, model=model, seeds=1, steps=40, checkpoint=file, progress=stop)
    resumed = phd.train(0.1, model=model, seeds=1, steps=40, checkpoint=file)
    assert (resumed.W == whole.W).all()
    assert whole.loss_error.max() > 0  # estimated, for want of a closed form
    start = phd.train(0.1, model=model, seeds=1, steps=1)
    assert whole.loss.item() < start.loss.item()
