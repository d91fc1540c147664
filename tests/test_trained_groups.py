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


def test_the_gradient_of_many_features_is_that_of_the_loss_on_the_batch():
    """In double precision, by differences."""
    n, m, batch, p = 40, 3, 64, np.array([0.3])
    rng = np.random.default_rng(2)
    W, b, r = rng.normal(size=(m, n)) / 2, rng.normal(size=n) / 10, rng.uniform(0.5, 2, n)
    assert is_wide(n, m)
    drawn = FeatureSampler(p, [stream(3, 0, 0, 1)], n, batch).draw()
    x = drawn[:-1, 0].astype(float) * unit(p)[0]

    def loss(W, b):
        return (r @ (x - np.maximum(W.T @ (W @ x) + b[:, None], 0)) ** 2).mean()

    gradient = WideBatchGradient(n, m, batch)(W[None], b[None], r[None], drawn, unit(p))[0]
    for k in (0, n + 1, 2 * n + 5):
        step = np.zeros(m * n)
        step[k] = 1e-6
        slope = (loss(W + step.reshape(m, n), b) - loss(W - step.reshape(m, n), b)) / 2e-6
        assert gradient[k] == pytest.approx(slope, rel=1e-3, abs=1e-5)
    step = np.eye(n)[7] * 1e-6
    slope = (loss(W, b + step) - loss(W, b - step)) / 2e-6
    assert gradient[m * n + 7] == pytest.approx(slope, rel=1e-3, abs=1e-5)


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
