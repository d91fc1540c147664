"""Training: its gradients, its reproducibility, and the exact loss as its floor."""

from __future__ import annotations

import numpy as np
import pytest
from training_results import assert_same_result

import phasediagram as phd
from phasediagram.training import gradients as training_gradients
from phasediagram.training import sampling
from phasediagram.training import sweep as training_sweep
from phasediagram.training.gradients import BatchGradient, SampledGradient, pack, unpack
from phasediagram.training.sampling import FeatureSampler, stream, unit

SMALL = {
    "density": [[1.0], [0.3], [0.05]],
    "relative_importance": [0.5, 1.0],
    "seeds": 3,
    "steps": 600,
    "batch_size": 64,
    "record": [0, 1, 256, 600],
}


def random_models(rng, models, n, m):
    return (
        rng.normal(size=(models, m, n)),
        rng.normal(size=(models, n)) / 4,
        rng.uniform(0.02, 1, models),
        rng.uniform(0.1, 10, (models, n)),
    )


def batch_loss(W, b, x, importance):
    """The loss on a batch x (n, samples) as the definition has it."""
    output = np.maximum(W.T @ W @ x + b[:, None], 0)
    return (importance[:, None] * (x - output) ** 2).mean(axis=1).sum()


@pytest.mark.parametrize(("n", "m"), [(2, 1), (3, 2), (5, 2)])
def test_batch_gradient_agrees_with_finite_differences(n, m):
    rng = np.random.default_rng([n, m])
    models, samples = 4, 40
    W, b, density, importance = random_models(rng, models, n, m)
    batch = BatchGradient(models, n, samples)
    x = np.where(rng.random((n, models, samples)) < density[:, None], rng.random(), 0)
    inputs = np.ones((n + 1, models, samples), np.float32)
    inputs[:n] = x / unit(density)[:, None]
    gradient = batch(W, b, importance, inputs, unit(density))
    parameters = pack(W, b)
    for k in range(models):
        for i in range(parameters.shape[1]):
            step = np.eye(parameters.shape[1])[i] * 1e-6
            high, low = (
                batch_loss(*unpack(parameters[k] + s, n), x[:, k], importance[k])
                for s in (step, -step)
            )
            difference = (high - low) / 2e-6
            assert gradient[k, i] == pytest.approx(difference, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(("n", "m"), [(2, 1), (3, 2), (4, 2)])
def test_sampled_gradient_is_the_exact_one_within_5_standard_errors(n, m):
    models, batches = 40, 300
    W, b, density, importance = random_models(np.random.default_rng([n, m]), models, n, m)
    numbers = np.arange(models)
    densities, model = np.repeat(density[:, None], n, axis=1), phd.ToyModel(n)
    sampled = SampledGradient(densities, importance, model, 512, 0, numbers, 0 * numbers, block=1)
    draws = np.array([sampled(pack(W, b)) for _ in range(batches)])
    _, *exact = phd.expected_loss_and_gradient(W, b, density[:, None], importance)
    standard_error = draws.std(axis=0) / np.sqrt(batches)
    error = np.abs(draws.mean(axis=0) - pack(*exact))
    assert (error <= 5 * standard_error + 1e-6).all()  # the latter where an output is off


@pytest.mark.parametrize("density", [1.0, 0.3, 0.01, 1e-4])
def test_features_are_sparse_and_uniform(density):
    samples = 400_000
    sampler = FeatureSampler(np.array([density]), [stream(0, 0, 0, 1)], 2, samples)
    x = sampler.draw()[:2] * unit(density)
    assert x.min() >= 0
    assert x.max() == pytest.approx(1, abs=0.3 if density < 0.01 else 1e-2)
    for power, mean in ((0, 1.0), (1, 1 / 2), (2, 1 / 3)):
        moment = np.where(x > 0, x**power, 0.0)
        error = abs(moment.mean() - density * mean)
        assert error < 5 * moment.std() / np.sqrt(2 * samples) + 1e-8
    if density < 1:
        assert abs(np.corrcoef(x[0, 0], x[1, 0])[0, 1]) < 5 / np.sqrt(samples)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "exact"])
@pytest.mark.parametrize(("n", "m", "batch_size"), [(2, 1, 64), (3, 2, 7), (2, 1, 1)])
def test_same_seed_same_result_whatever_the_batching(monkeypatch, optimizer, n, m, batch_size):
    arguments = SMALL | {"n_features": n, "n_hidden": m, "batch_size": batch_size}
    arguments |= {"optimizer": optimizer, "steps": 300, "record": [17]}
    expected = phd.train(**arguments, workers=1)
    assert_same_result(phd.train(**arguments, workers=1), expected)
    monkeypatch.setattr(training_sweep, "_MODELS_AT_ONCE", 5)
    monkeypatch.setattr(training_gradients, "_CACHE", 3 * (4 * n + 2) * batch_size)
    monkeypatch.setattr(sampling, "_DRAWN_AT_ONCE", 1)
    assert_same_result(phd.train(**arguments, workers=3), expected)


def test_seeds_differ_and_more_of_them_keep_the_first():
    few = phd.train(0.3, [0.5, 1.0], seeds=2, steps=50, batch_size=32)
    many = phd.train(0.3, [0.5, 1.0], seeds=4, steps=50, batch_size=32)
    np.testing.assert_array_equal(few.W, many.W[:, :2])
    assert len(np.unique(many.W[..., 0])) == 8
    other = phd.train(0.3, [0.5, 1.0], seeds=2, steps=50, batch_size=32, rng=1)
    assert (other.W != few.W).all()


def test_a_generator_gives_a_seed_that_repeats_the_result():
    rng = np.random.default_rng(3)
    first = phd.train(0.3, 1.0, steps=20, batch_size=8, rng=rng)
    second = phd.train(0.3, 1.0, steps=20, batch_size=8, rng=rng)
    assert first.seed != second.seed
    assert_same_result(phd.train(0.3, 1.0, steps=20, batch_size=8, rng=first.seed), first)


@pytest.mark.parametrize(
    ("density", "relative_importance", "shape"),
    [(0.3, 1.0, ()), ([0.3], 1.0, (1,)), ([[0.3], [0.5]], [1.0, 2.0, 3.0], (2, 3))],
)
def test_points_broadcast(density, relative_importance, shape):
    result = phd.train(
        density, relative_importance, 3, 2, seeds=2, steps=5, batch_size=8, record=[0, 5]
    )
    assert result.density.shape == result.relative_importance.shape == shape
    assert result.W.shape == (*shape, 2, 2, 3)
    assert result.b.shape == (*shape, 2, 3)
    assert result.loss.shape == result.diverged.shape == result.completed.shape == (*shape, 2)
    assert result.history.W.shape == (2, *shape, 2, 2, 3)
    assert result.history.norms.shape == (2, *shape, 2, 3)
    assert result.history.loss.shape == (2, *shape, 2)


def test_the_loss_is_the_exact_one_and_the_history_ends_in_it():
    result = phd.train(**SMALL)
    importance = np.ones((3, 2, 1, 2))
    importance[..., 1] = result.relative_importance[..., None]
    exact = phd.expected_loss(result.W, result.b, result.density[..., None, None], importance)
    np.testing.assert_allclose(result.loss, exact, rtol=1e-14)
    np.testing.assert_array_equal(result.history.W[-1], result.W)
    np.testing.assert_array_equal(result.history.loss[-1], result.loss)
    assert (result.history.b[0] == 0).all()
    assert (np.abs(result.history.W[1] - result.history.W[0]) < 1.1e-3).all()  # one Adam step
    assert result.completed.all()
    assert not result.diverged.any()
    assert result.version == phd.__version__


def test_initial_weights_are_xavier_normal():
    result = phd.train(0.3, 1.0, 3, 2, seeds=2000, steps=1, batch_size=1, record=[0])
    W = result.history.W
    assert abs(W.mean()) < 5 * np.sqrt(0.4 / W.size)
    assert abs(W.var() - 2 / 5) < 5 * 0.4 * np.sqrt(2 / W.size)


POINTS = {2: ([[1.0], [0.6], [0.1]], [0.5, 1.0, 3.0]), 3: ([[1.0], [0.2]], [0.5, 3.0])}


@pytest.fixture(scope="module", params=POINTS)
def theory(request):
    """n, the points, and the lowest loss at each."""
    density, relative_importance = POINTS[request.param]
    minimum = [
        [phd.solve(p, r, request.param, request.param - 1).loss for r in relative_importance]
        for (p,) in density
    ]
    return request.param, density, relative_importance, np.array(minimum)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "exact"])
def test_no_run_ends_below_the_theoretical_minimum(theory, optimizer):
    n, density, relative_importance, minimum = theory
    result = phd.train(
        density,
        relative_importance,
        n,
        n - 1,
        seeds=4,
        steps=2000 if n == 2 else 500,
        batch_size=128,
        optimizer=optimizer,
        learning_rate=1e-2,
    )
    excess = result.loss - minimum[..., None]
    assert excess.min() > -1e-12
    assert not result.diverged.any()
    if n == 2 and optimizer != "sgd":  # and the best of four gets there
        assert (excess.min(axis=-1) < {"adam": 2e-3, "exact": 1e-5}[optimizer] * minimum).all()


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 100.0), ("adam", 1e3), ("exact", 1e6)])
def test_divergence_is_reported(optimizer, rate):
    result = phd.train(
        0.8, [1.0, 5.0], seeds=4, steps=40, optimizer=optimizer, learning_rate=rate,
        schedule="constant", record=[0, 40],
    )  # fmt: skip
    assert result.completed.all()
    assert result.diverged.any()
    assert not np.isnan(result.loss).any()
    lost = ~np.isfinite(result.W).all(axis=(-1, -2))
    assert result.diverged[lost].all()
    assert np.isinf(result.loss[lost]).all()
    assert lost.any() == (optimizer == "sgd")  # Adam's steps are bounded


def test_divergence_of_one_run_leaves_the_others_alone():
    alone = phd.train([0.8], 0.1, seeds=2, steps=60, optimizer="sgd", learning_rate=0.3)
    beside = phd.train([0.8, 0.8], [0.1, 100.0], seeds=2, steps=60, optimizer="sgd",
                       learning_rate=0.3)  # fmt: skip
    assert beside.diverged[1].all()
    assert not beside.diverged[0].any()
    np.testing.assert_array_equal(beside.W[0], alone.W[0])


def test_progress_rises_to_one():
    shares = []
    phd.train(**SMALL, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("density", 1.5, r"density must lie in \(0, 1\], got 1.5"),
        ("density", 1e-5, "density must be at least 0.0001 to be sampled, got 1e-05"),
        ("density", [], r"density must not be empty, got shape \(0,\)"),
        ("density", [0.1, 0.2, 0.3], r"must broadcast, got shapes \(3,\) and \(2,\)"),
        ("relative_importance", -1.0, "relative_importance must be positive .*, got -1.0"),
        ("n_features", 7, "n_features must be 2, 3, 4, 5 or 6, got 7"),
        ("n_hidden", 2, "n_hidden must be at least 1 and below n_features = 2, got 2"),
        ("seeds", 0, "seeds must be an integer of at least 1, got 0"),
        ("seeds", 2.0, "seeds must be an integer of at least 1, got 2.0"),
        ("steps", True, "steps must be an integer of at least 1, got True"),
        ("batch_size", -1, "batch_size must be an integer of at least 1, got -1"),
        ("optimizer", "lbfgs", "optimizer must be one of 'adam', 'sgd', 'exact', got 'lbfgs'"),
        ("rng", -1, "rng must be a non-negative integer or a numpy Generator, got -1"),
        ("rng", "0", "rng must be a non-negative integer or a numpy Generator, got '0'"),
        ("learning_rate", 0.0, r"learning_rate must be positive and at most 1e\+06, got 0.0"),
        ("learning_rate", float("nan"), "learning_rate must be positive .*, got nan"),
        ("learning_rate", "fast", "learning_rate must be positive .*, got 'fast'"),
        ("schedule", "step", "schedule must be one of 'cosine', 'linear', 'constant', got 'step'"),
        ("record", [5, 5], "record must be .* from 0 to steps = 10000, got "),
        ("record", [0, 10_001], "record must be .* from 0 to steps = 10000, got "),
        ("record", [0.5], "record must be .* from 0 to steps = 10000, got "),
        ("record", 5, "record must be .* from 0 to steps = 10000, got 5"),
        ("progress", 3, "progress must be callable, got 3"),
        ("checkpoint_seconds", 0, r"checkpoint_seconds must be positive .*, got 0"),
        ("workers", 0, "workers must be an integer of at least 1, got 0"),
    ],
)
def test_bad_input_is_named(argument, value, message):
    arguments = {"density": 0.3, "relative_importance": [1.0, 2.0]} | {argument: value}
    with pytest.raises(ValueError, match=message):
        phd.train(**arguments)


def test_hidden_dimensions_are_one_less_than_features_unless_given():
    assert phd.train(0.5, 1.0, 3, steps=1).W.shape == (1, 2, 3)
    assert phd.train(0.5, 1.0, 3, 1, steps=1).W.shape == (1, 1, 3)
    with pytest.raises(ValueError, match="n_features must be 2, 3, 4, 5 or 6, got 7"):
        phd.train(0.5, 1.0, 7, steps=1)
