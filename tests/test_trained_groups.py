"""Training of many features, and which groups trained features form."""

from __future__ import annotations

import json

import numpy as np
import pytest

import phasediagram as phd
from phasediagram.cli import main
from phasediagram.comparison.plateaus import plateaus_of
from phasediagram.training.gradients import BatchGradient
from phasediagram.training.sampling import FeatureSampler, stream, unit
from phasediagram.training.wide import WideBatchGradient, is_wide


@pytest.fixture(scope="module")
def groups():
    return phd.find_groups((0.1, 0.5), max_features=5, max_hidden=3, searched=[0.2], starts=20)


def whole(groups, names, n, m, density):
    """W of orthogonal groups, the rest ignored."""
    W = np.zeros((m, n))
    row = column = 0
    for name in names:
        _, part, _ = groups.named(name).state(density)
        W[row : row + len(part), column : column + part.shape[1]] = part
        row, column = row + len(part), column + part.shape[1]
    return W


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_the_gradient_through_the_hidden_layer_is_the_same(activation):
    n, m, batch, p = 50, 6, 128, np.array([0.2])
    rng = np.random.default_rng(1)
    W, b = rng.normal(size=(1, m, n)) / 3, rng.normal(size=(1, n)) / 10
    importance = rng.uniform(0.5, 2, (1, n))
    x = FeatureSampler(p, [stream(0, 0, 0, 1)], n, batch).draw()
    narrow = BatchGradient(1, n, batch, activation)(W, b, importance, x, unit(p))
    wide = WideBatchGradient(n, m, batch, activation)(W, b, importance, x, unit(p))
    assert wide == pytest.approx(narrow, rel=1e-4, abs=2e-6 * np.abs(narrow).max())


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


def test_many_features_resume_to_the_same_result(tmp_path):
    """Stopped in the middle, then on from the checkpoint: bitwise what never stopped gives."""
    arguments = {"model": phd.ToyModel(40, 4), "steps": 120, "batch_size": 256, "workers": 1}
    once = phd.train([0.1, 0.3], **arguments)

    def stop(share):
        if share > 0:
            raise KeyboardInterrupt

    import phasediagram.training.sweep as sweep

    seconds, sweep._SECONDS_BETWEEN_REPORTS = sweep._SECONDS_BETWEEN_REPORTS, 0.0
    try:
        path = tmp_path / "run.ckpt"
        cut = phd.train([0.1, 0.3], **arguments, checkpoint=path, progress=stop)
    finally:
        sweep._SECONDS_BETWEEN_REPORTS = seconds
    assert not cut.completed.all()
    again = phd.train([0.1, 0.3], **arguments, checkpoint=path)
    assert again == once


def test_orthogonal_groups_are_recognised(groups):
    """Two digons, a pentagon and ignored features: digons are the lowest at 0.3 only."""
    names = ["antipodal", "antipodal", "pentagon"]
    density = np.array([0.2, 0.3])
    W = np.array([whole(groups, names, 60, 4, p) for p in density])
    found = plateaus_of(W, density, np.zeros(2), groups)
    assert found.groups_of(0) == {"pentagon": 5, "antipodal": 4}
    for k, (digons, pentagon) in enumerate(
        [("metastable", "equilibrium"), ("equilibrium", "metastable")]
    ):
        for table in (found.by_group[k], found.by_dimensionality[k]):
            assert table.tolist() == [digons] * 4 + [pentagon] * 5 + ["ignored"] * 51
    assert found.shares() == pytest.approx(np.array([[5, 4, 0], [4, 5, 0]]) / 9)


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


def test_other_angles_are_no_group(groups):
    """Two features at 120 degrees in one plane: no digon, though each is represented."""
    W = np.zeros((1, 2, 30))
    W[0, :, :2] = np.array([[1.0, -0.5], [0.0, np.sqrt(0.75)]])
    found = plateaus_of(W, np.array([0.3]), np.zeros(1), groups)
    assert found.by_group[0, :2].tolist() == ["none", "none"]
    assert found.groups_of(0) == {"(2, 2)": 2}


def test_a_model_between_digons_is_told_from_one_of_digons(groups):
    """Digons that touch each other are one set of more features, which no group is."""
    W = whole(groups, ["antipodal", "antipodal"], 30, 3, 0.3)[None]
    turned = W.copy()
    turned[0, :2, 2:4] = [[0.4, -0.4], [0.9, -0.9]]
    assert plateaus_of(W, [0.3], [0.0], groups).groups_of(0) == {"antipodal": 4}
    assert plateaus_of(turned, [0.3], [0.0], groups).groups_of(0) == {"(4, 2)": 4}


def test_trained_digons_cost_what_theory_says(groups):
    runs = phd.train(
        0.4, model=phd.ToyModel(12, 3), steps=4000, learning_rate=5e-3, seeds=4, workers=1
    )
    found = phd.compare_geometry(runs, groups)
    best = int(found.loss.argmin())
    assert found.groups_of(best) == {"antipodal": 6}
    exact = float(phd.expected_loss(runs.W[best], runs.b[best], 0.4))
    assert found.lowest[0] <= exact * (1 + 1e-12)
    assert exact == pytest.approx(found.lowest[0], rel=2e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tolerance": 0}, "tolerance must be positive and at most 0.5, got 0"),
        ({"groups": None}, "groups must be a GroupCatalogue, got None"),
        ({"training": 3}, "training must be a TrainingResult, got 3"),
    ],
)
def test_bad_input_is_named(groups, arguments, message):
    runs = phd.train(0.3, model=phd.ToyModel(10, 2), steps=1, batch_size=8)
    given = {"training": runs, "groups": groups, **arguments}
    with pytest.raises(ValueError, match=message):
        phd.compare_geometry(given.pop("training"), given.pop("groups"), **given)


def test_features_that_differ_are_refused(groups):
    runs = phd.train(0.3, 0.5, model=phd.ToyModel(10, 2), steps=1, batch_size=8)
    with pytest.raises(ValueError, match="all features alike"):
        phd.compare_geometry(runs, groups)


def test_the_command_line(groups, tmp_path, capsys):
    phd.save(tmp_path / "groups.npz", groups)
    size = ["--features", "12", "--hidden", "3", "--seeds", "1", "--steps", "2000"]
    files = ["--groups", str(tmp_path / "groups.npz"), "-o", str(tmp_path / "runs.npz")]
    figure = ["--figure", str(tmp_path / "figure.png")]
    rate = ["--learning-rate", "0.005", "--densities", "0.4", "0.3"]
    assert main(["train", *size, *rate, *files, *figure, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["networks"]
    assert [row["density"] for row in rows] == [0.4, 0.3]
    assert all(abs(row["loss"] - row["lowest_groups"]) < 0.2 for row in rows)
    assert rows[0]["equilibrium"] + rows[0]["metastable"] + rows[0]["none"] == pytest.approx(1)
    assert phd.load(tmp_path / "runs.npz", phd.TrainingResult).n_features == 12
    assert (tmp_path / "figure.png").stat().st_size > 5000
    assert main(["train", "--features", "3", "--densities", "0.4"]) == 2
    assert "--densities and --groups go with more than 8 features" in capsys.readouterr().err


def test_a_search_goes_on_from_its_directory(tmp_path):
    """Also to more features; other arguments and foreign files are refused."""
    arguments = {"searched": [0.2], "starts": 6}
    small = phd.find_groups((0.15, 0.3), max_features=3, directory=tmp_path, **arguments)
    files = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert set(files) == {"2-1-0.npz", "3-1-0.npz", "3-2-0.npz"}
    large = phd.find_groups((0.15, 0.3), max_features=4, directory=tmp_path, **arguments)
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in files} == files
    assert large == phd.find_groups((0.15, 0.3), max_features=4, **arguments)
    assert {g.name for g in small.groups} <= {g.name for g in large.groups}
    with pytest.raises(ValueError, match=r"holds groups searched with starts = 6, not 7"):
        phd.find_groups((0.15, 0.3), max_features=3, directory=tmp_path, searched=[0.2], starts=7)
    (tmp_path / "2-1-0.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="is truncated or foreign"):
        phd.find_groups((0.15, 0.3), max_features=3, directory=tmp_path, **arguments)


def test_networks_that_represent_nothing_are_told(groups, tmp_path, capsys):
    """With untrained small weights, no feature has a norm of 1/2."""
    phd.save(tmp_path / "groups.npz", groups)
    size = ["--features", "100", "--hidden", "3", "--seeds", "1", "--steps", "1"]
    files = ["--groups", str(tmp_path / "groups.npz"), "-o", str(tmp_path / "runs.npz")]
    assert main(["train", *size, "--densities", "0.4", *files]) == 0
    said = capsys.readouterr().out
    assert "no feature is represented" in said
    assert "nan" not in said
    assert main(["train", *size, "--densities", "0.4", *files, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["networks"][0]["none"] is None
