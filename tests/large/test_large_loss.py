"""The loss of many features and its bounds, next to the exact recursion and to samples."""

from __future__ import annotations

import numpy as np
import pytest

import phasediagram as phd
from phasediagram.kernel.loss import expected_loss_and_gradient as exact


def random_set(kind, rng):
    """W, b, density and importance of 4 to 8 features, random or against the method."""
    n = int(rng.integers(4, 9))
    m = int(rng.integers(1, n + 1))
    W = rng.normal(size=(m, n)) * 10 ** rng.uniform(-1.5, 0.3)
    b = rng.normal(size=n) * 0.3
    p = 10 ** rng.uniform(-3, 0, size=n)
    if kind == "tiny columns":
        W *= 10 ** rng.uniform(-9, 0, size=n)
    elif kind == "tiny and silent":
        W *= 10 ** rng.uniform(-4, 0)
        b *= 10 ** rng.uniform(-9, 0, size=n)
    elif kind == "kinks":
        W = rng.integers(-1, 2, size=(m, n)).astype(float)
        b = rng.integers(-1, 2, size=n) / 2.0
    elif kind == "certain":
        p = np.where(rng.random(n) < 0.5, 1.0, p)
    elif kind == "rare":
        p *= 1e-4
    elif kind == "collinear":
        W = rng.normal(size=(1, n)) * np.ones((m, 1))
    elif kind == "large":
        W *= 30
    elif kind == "orthogonal":
        W = np.zeros((m, n))
        W[rng.integers(0, m, size=n), np.arange(n)] = rng.choice([-1.0, 1.0], size=n)
        W = np.linalg.qr(rng.normal(size=(m, m)))[0] @ W
    return W, b, p, 10 ** rng.uniform(-1, 1, size=n)


KINDS = (
    "random",
    "tiny columns",
    "tiny and silent",
    "kinks",
    "certain",
    "rare",
    "collinear",
    "large",
    "orthogonal",
    "random",
)


@pytest.mark.parametrize(("number", "kind"), list(enumerate(KINDS)))
def test_bounds_hold_and_are_small(number, kind):
    """1,000 sets altogether: every error is within its bound, value and gradient."""
    rng = np.random.default_rng(number)
    for _ in range(100):
        W, b, p, importance = random_set(kind, rng)
        found = phd.expected_loss_with_error(W, b, p, importance)
        loss, gradient_W, gradient_b = exact(W, b, p, importance)
        unit = 1e-15 * loss  # the recursion's own
        assert abs(found.loss - loss) <= found.error + unit
        size = max(1.0, np.abs(W).max()) ** 3 * importance.max()
        assert (abs(found.gradient_W - gradient_W) <= found.gradient_W_error + 1e-14 * size).all()
        assert (abs(found.gradient_b - gradient_b) <= found.gradient_b_error + 1e-14 * size).all()
        assert abs(found.loss - loss) <= 1e-12 * loss
        assert found.error <= 1e-9 * loss


def test_orthogonal_groups_add_up():
    """24 features in 9 dimensions, three groups turned together: the sum of exact losses."""
    rng = np.random.default_rng(0)
    W, b, losses = np.zeros((9, 24)), np.zeros(24), 0.0
    for k in range(3):
        part = slice(8 * k, 8 * k + 8)
        own = rng.normal(size=(3, 8)) / 3**0.5
        W[3 * k : 3 * k + 3, part] = own
        b[part] = rng.normal(size=8) * 0.2
        losses += phd.expected_loss(own, b[part], 0.15)
    turned = np.linalg.qr(rng.normal(size=(9, 9)))[0] @ W
    found = phd.expected_loss_with_error(turned, b, 0.15)
    assert abs(found.loss - losses) <= found.error
    assert found.error < 1e-9 * losses


def sampled(W, b, p, count, rng):
    """The mean of the loss of so many samples, and its standard error."""
    n = W.shape[1]
    x = rng.random((count, n)) * (rng.random((count, n)) < p)
    losses = ((x - np.maximum(x @ (W.T @ W) + b, 0)) ** 2).sum(axis=1)
    return losses.mean(), losses.std() / count**0.5


@pytest.mark.parametrize(("n", "m", "p"), [(20, 5, 0.1), (20, 5, 0.6), (100, 20, 0.02)])
def test_samples_agree(n, m, p):
    rng = np.random.default_rng(1)
    W = rng.normal(size=(m, n)) / m**0.5
    b = -rng.uniform(0, 0.3, size=n)
    found = phd.expected_loss_with_error(W, b, p)
    mean, error = sampled(W, b, p, 100_000, rng)
    assert abs(mean - found.loss) < 4.5 * error
    assert found.error < 1e-8 * found.loss


def test_the_gradient_is_that_of_the_loss():
    rng = np.random.default_rng(2)
    W, b = rng.normal(size=(4, 15)) / 2, rng.normal(size=15) * 0.1
    direction_W, direction_b = rng.normal(size=W.shape), rng.normal(size=15)
    found = phd.expected_loss_with_error(W, b, 0.2)
    along = (found.gradient_W * direction_W).sum() + found.gradient_b @ direction_b
    h = 1e-4
    values = [
        phd.expected_loss(W + k * h * direction_W, b + k * h * direction_b, 0.2)
        for k in (-2, -1, 1, 2)
    ]
    assert (values @ np.array([1, -8, 8, -1])) / (12 * h) == pytest.approx(along, rel=1e-7)


def test_it_broadcasts_and_is_deterministic():
    rng = np.random.default_rng(3)
    W, b = rng.normal(size=(2, 3, 10)) / 2, rng.normal(size=10) * 0.1
    density = np.array([0.1, 0.3])
    both = phd.expected_loss(W, b, density[:, None], np.arange(1.0, 11.0))
    each = [phd.expected_loss(W[k], b, density[k], np.arange(1.0, 11.0)) for k in range(2)]
    assert both.tolist() == [float(value) for value in each]


def test_an_error_that_is_not_small_is_told():
    W, b = np.random.default_rng(4).normal(size=(4, 12)) / 2, np.zeros(12)
    few = phd.expected_loss_with_error(W, b, 0.1, max_terms=10)
    assert few.error > 1e-5 * few.loss
    assert abs(few.loss - phd.expected_loss(W, b, 0.1)) < few.error


def test_a_warning_says_so():
    """Many gains of sizes between what is resolved and what is merged, next to large ones."""
    rng = np.random.default_rng(5)
    W = np.concatenate([np.eye(3), 1e-5 * rng.normal(size=(3, 40))], axis=1)
    with pytest.warns(RuntimeWarning, match="relative error of the loss may be"):
        phd.expected_loss(W, np.zeros(43), 0.1, [1.0] * 3 + [1e-9] * 40)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tolerance": 0.0}, "tolerance must lie between 1e-15 and 1, got 0.0"),
        ({"max_terms": 0}, "max_terms must be at least 1, got 0"),
        ({"W": np.full((2, 9), 1e7)}, "W must be at most 1e[+]06 in magnitude, got 10000000.0"),
        ({"density": 0.0}, "density must lie in"),
    ],
)
def test_bad_input_is_named(arguments, message):
    given = {"W": np.ones((2, 9)), "b": np.zeros(9), "density": 0.5, **arguments}
    with pytest.raises(ValueError, match=message):
        phd.expected_loss_with_error(**given)


def test_models_that_are_not_independent_are_refused():
    model = phd.ToyModel(9, 2, groups=[phd.correlated(0, 1)])
    with pytest.raises(ValueError, match="biases only for more than 8 features"):
        phd.expected_loss(np.ones((2, 9)), np.zeros(9), 0.5, model=model)
    with pytest.raises(ValueError, match="at most 1000 columns"):
        phd.expected_loss(np.ones((2, 1001)), np.zeros(1001), 0.5)
