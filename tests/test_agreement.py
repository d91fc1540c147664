"""Theory against training: where runs end, and that none beats the theoretical minimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

import phasediagram as phd
from phasediagram.cli import main
from phasediagram.comparison import verification
from phasediagram.comparison.edges import mean_norm_and_superposition
from phasediagram.plotting import draw_training, plot_agreement

GRID = (np.array([0.7, 0.55, 0.2]), np.array([0.66, 1.0]))


@pytest.fixture(scope="module")
def diagram():
    return phd.phase_diagram(*GRID)


@pytest.fixture(scope="module")
def training():
    return phd.train(
        GRID[0][:, None], GRID[1][None], seeds=6, steps=6000, optimizer="exact", learning_rate=3e-3
    )


def placed(training, W, b):
    """The same training result with other ends."""
    loss = phd.expected_loss(
        W,
        b,
        training.density[..., None, None],
        np.stack(np.broadcast_arrays(1.0, training.relative_importance[..., None]), axis=-1),
    )
    none = np.zeros(loss.shape, dtype=bool)
    return replace(training, W=W, b=b, loss=loss, diverged=none, completed=~none)


def test_runs_placed_in_known_minima_are_recognised(training, diagram):
    """Seed 0 in the lowest minimum, 1 in the next, 2 far from any, at (0.55, 0.66)."""
    W, b = training.W.copy(), training.b.copy()
    minima = phd.solve(0.55, 0.66).minima
    for seed, minimum in enumerate(minima[:2]):
        W[1, 0, seed], b[1, 0, seed] = minimum.W, minimum.b
    W[1, 0, 2], b[1, 0, 2] = [[1.5, -1.5]], [0.3, 0.3]
    agreement = phd.compare(diagram, placed(training, W, b))
    assert agreement.outcome[1, 0, :3].tolist() == ["global", "metastable", "unfinished"]
    assert agreement.phase[1, 0, :2].tolist() == [minima[0].phase, minima[1].phase]
    expected = minima[1].loss - minima[0].loss
    assert agreement.excess[1, 0, 1] == pytest.approx(expected, rel=1e-6)


def test_a_run_at_a_saddle_is_followed_to_the_minimum_below_it(training, diagram):
    """*Ignored* is stationary everywhere, but at (0.55, 0.66) *partial* is below it."""
    W, b = training.W.copy(), training.b.copy()
    W[1, 0, 0], b[1, 0, 0] = [[1.0, 0.0]], [0.0, 0.275]
    _, by_W, by_b = phd.expected_loss_and_gradient(W[1, 0, 0], b[1, 0, 0], 0.55, [1, 0.66])
    assert max(np.abs(by_W).max(), np.abs(by_b).max()) < 1e-15
    minima = {minimum.phase: minimum.loss for minimum in phd.solve(0.55, 0.66).minima}
    assert "ignored" not in minima
    agreement = phd.compare(diagram, placed(training, W, b))
    found = agreement.minimum_excess[1, 0, 0] + agreement.theory_loss[1, 0]
    assert found == pytest.approx(minima[agreement.phase[1, 0, 0]], rel=1e-9)


def test_a_sign_or_rotation_changes_nothing(training, diagram):
    agreement = phd.compare(diagram, training)
    flipped = phd.compare(diagram, replace(training, W=-training.W))
    assert (agreement.outcome == flipped.outcome).all()
    np.testing.assert_allclose(agreement.excess, flipped.excess)


def test_no_run_of_thousands_is_below_the_theoretical_minimum():
    for n, seeds, steps in ((2, 400, 1500), (3, 60, 1200)):
        p, r = np.array([0.8, 0.53, 0.3]), np.array([0.6, 1.0])
        runs = phd.train(
            p[:, None],
            r[None],
            n,
            n - 1,
            seeds=seeds,
            steps=steps,
            optimizer="exact",
            learning_rate=1e-2,
        )
        agreement = phd.compare(phd.phase_diagram(p, r, n, n - 1), runs)
        assert agreement.runs == 6 * seeds
        assert agreement.lowest_excess >= -1e-12
        assert agreement.optimal
        assert agreement.best_seed_agrees.mean() > 0.8
        assert sum(agreement.shares().values()) == pytest.approx(1)


def test_the_check_of_optimality_can_fail(training, diagram):
    """A theoretical minimum that is too high by 1e-9 is found out."""
    wrong = replace(diagram, loss=diagram.loss + 1e-9)
    assert phd.compare(diagram, training).optimal
    assert not phd.compare(wrong, training).optimal


def test_diverged_and_interrupted_runs_are_told_apart(training, diagram):
    diverged, completed = training.diverged.copy(), training.completed.copy()
    diverged[0, 0, 0] = True
    completed[0, 0, 1] = False
    loss = training.loss.copy()
    loss[0, 0, 0], loss[0, 0, 1] = np.inf, np.nan
    changed = replace(training, diverged=diverged, completed=completed, loss=loss)
    agreement = phd.compare(diagram, changed)
    assert agreement.outcome[0, 0, :2].tolist() == ["diverged", ""]
    assert agreement.runs == training.loss.size - 1


def test_basins_have_binomial_errors_and_known_minima():
    basins = phd.basin_probabilities(0.5, 0.5, runs=100, steps=4000)
    minima = {round(minimum.loss, 9): minimum.phase for minimum in phd.solve(0.5, 0.5).minima}
    arrived = [basin for basin in basins if basin.arrived]
    assert len(arrived) >= 2
    for basin in arrived:
        assert minima[round(basin.loss, 9)] == basin.phase
    for basin in basins:
        assert basin.error == pytest.approx(np.sqrt(basin.share * (1 - basin.share) / 100))
    assert [basin.loss for basin in arrived] == sorted(basin.loss for basin in arrived)


def test_shares_of_basins_add_up_to_one_with_those_that_arrive_nowhere():
    """After ten steps no run is in a minimum yet, after some thousand most are."""
    early = phd.basin_probabilities(0.5, 0.5, runs=50, steps=10)
    assert [(basin.phase, basin.share) for basin in early] == [("unfinished", 1.0)]
    late = phd.basin_probabilities(0.55, 0.66, runs=50, steps=3000)
    assert sum(basin.share for basin in late) == pytest.approx(1, abs=1e-15)
    assert sum(late.shares().values()) == pytest.approx(1, abs=1e-15)
    assert late[-1].phase == "unfinished"
    assert 0 < late[-1].share < 1
    counts = np.array([basin.share for basin in late]) * late.runs
    np.testing.assert_allclose(counts, counts.round(), atol=1e-12)


def test_runs_end_in_antipodal_below_its_spinodal_only():
    """n = 3, r = 3: at density 0.388 the single feature tilts, and no antipodal minimum is left."""
    phases = []
    for density in (0.33, 0.45):
        basins = phd.basin_probabilities(density, 3.0, 3, 2, runs=60, steps=4000)
        phases.append({basin.phase for basin in basins if basin.arrived})
    assert "antipodal" in phases[0]
    assert "antipodal" not in phases[1]
    assert all("others-antipodal" in found for found in phases)


def stepped(training):
    """Runs that ignore the extra feature below importance 1 and share a dimension above."""
    shape = training.loss.shape
    W = np.where(
        (training.relative_importance < 1)[..., None, None, None], [[1.0, 0.0]], [[1.0, -1.0]]
    )
    return placed(training, np.broadcast_to(W, (*shape, 1, 2)).copy(), np.zeros((*shape, 2)))


def test_the_distance_of_an_edge_from_a_line():
    p, r = np.geomspace(1, 0.25, 5), np.geomspace(0.25, 4, 8)
    runs = phd.train(p[:, None], r[None], seeds=2, steps=1, optimizer="exact")
    line = phd.Boundary(np.array([0.1, 1.0]), np.array([1.0, 1.0]), ("a", "b"), 1, "equilibrium")
    away = phd.Boundary(
        np.array([0.1, 1.0]), np.array([r[5] / r[4], r[5] / r[4]]), ("a",), None, "spinodal"
    )
    boundaries = phd.PhaseBoundaries((line, away), (), 2, 1, "free")
    found = phd.edge_distances(stepped(runs), boundaries)
    assert len(found.edges) == 5
    np.testing.assert_allclose(found.edges[:, 1], 1.0)
    np.testing.assert_allclose(found.to_boundary, 0.0, atol=1e-9)
    np.testing.assert_allclose(found.to_spinodal, 1.0)
    assert found.everywhere_to_boundary > 0.5


def test_the_mean_leaves_out_the_worst_seed(training):
    W = training.W.copy()
    W[..., 0, :, 1] = 0.0
    changed = placed(training, W, training.b)
    worst = changed.loss.argmax(axis=-1)
    norm, _ = mean_norm_and_superposition(changed)
    norms = np.clip(np.abs(W[..., 0, 1]), 0, 1)
    kept = np.arange(training.seeds) != worst[..., None]
    expected = (norms * kept).sum(axis=-1) / (training.seeds - 1)
    np.testing.assert_allclose(norm, expected)


def test_figures(training, diagram):
    agreement = phd.compare(diagram, training)
    figure = draw_training(training, agreement, diagram)
    assert isinstance(figure, Figure)
    ax = plot_agreement(agreement, Figure().subplots())
    assert len(ax.collections[0].get_offsets()) == training.density.size


def test_training_is_drawn_with_spinodals_on_request(training, diagram):
    curve = np.array([0.2, 0.3]), np.array([0.5, 0.6])
    spinodal = phd.Boundary(*curve, ("ignored",), None, "spinodal")
    boundaries = phd.PhaseBoundaries((spinodal,), (), 2, 1, "free")
    agreement = phd.compare(diagram, training)
    for asked, drawn in (({}, 0), ({"spinodals": False}, 0), ({"spinodals": "all"}, 2)):
        figure = draw_training(training, agreement, diagram, boundaries, **asked)
        panels = [
            ax
            for ax in figure.axes
            if any(np.array_equal(line.get_xdata(), curve[1]) for line in ax.lines)
        ]
        assert len(panels) == drawn, asked


def test_bad_input(training, diagram):
    canonical = phd.phase_diagram(*GRID, weights="canonical")
    with pytest.raises(ValueError, match="diagram must have free weights, got 'canonical'"):
        phd.compare(canonical, training)
    with pytest.raises(ValueError, match="same n_features"):
        phd.compare(replace(diagram, n_features=3), training)
    with pytest.raises(ValueError, match="every density of training must be in the diagram"):
        phd.compare(replace(diagram, density=diagram.density * 1.01), training)
    with pytest.raises(ValueError, match="must be numbers"):
        phd.basin_probabilities([0.5, 0.6], 1.0)
    flat = phd.train(0.5, 1.0, steps=1, optimizer="exact")
    with pytest.raises(ValueError, match="grid of at least 2 x 2"):
        phd.edge_distances(flat, phd.PhaseBoundaries((), (), 2, 1, "free"))


def test_train_from_the_command_line(tmp_path, capsys):
    path = tmp_path / "runs.npz"
    arguments = ["train", "--grid", "3", "--seeds", "2", "--steps", "300", "--optimizer", "exact"]
    assert main([*arguments, "-o", str(path)]) == 0
    out = capsys.readouterr().out
    assert "no run is below the theoretical minimum" in out
    assert phd.load(path, phd.TrainingResult).loss.shape == (3, 3, 2)
    assert main(["train", "--grid", "1"]) == 2
    assert main(["train", "-o", str(tmp_path / "runs.txt")]) == 2
    assert main(["train", "--seeds", "0", "-o", str(path)]) == 2


def test_verify_training_fails_if_theory_does(monkeypatch, capsys):
    monkeypatch.setattr(verification, "_SWEEPS", (((2, 1), 2, 1.0),))
    trained = phd.train

    def quick(*arguments, **options):
        return trained(*arguments, **options | {"steps": 200, "seeds": 2, "optimizer": "exact"})

    monkeypatch.setattr(verification, "train", quick)
    assert main(["verify", "--training"]) == 0
    assert "lowest excess" in capsys.readouterr().out
    solved = phd.phase_diagram

    def too_high(*arguments):
        diagram = solved(*arguments)
        return replace(diagram, loss=diagram.loss + 1.0)

    monkeypatch.setattr(verification, "phase_diagram", too_high)
    assert main(["verify", "--training"]) == 1
    assert "A RUN IS BELOW" in capsys.readouterr().out
