"""The exact loss against 40-digit arithmetic, sampling, symmetries and limits."""

from __future__ import annotations

import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import monte_carlo_loss, mpmath_derivative, mpmath_loss

from phasediagram.kernel import loss as public
from phasediagram.kernel.loss import loss_derivatives

ADVERSARIAL_WEIGHTS = [0.0, 1e-300, 1e-8, -1e-8, 1e3, -1e3, 1.0, -1.0, 0.5, 1 + 1e-9]
ADVERSARIAL_DENSITIES = [1.0, 1e-6, 0.5]


def random_parameters(rng, n, m):
    W, b = rng.normal(size=(m, n)), rng.normal(size=n) / 2
    return W, b, rng.uniform(0.02, 1, n), rng.uniform(0.1, 10, n)


def adversarial_parameters(rng):
    """Special weights, collinear features, biases exactly on kinks, extreme densities."""
    n = int(rng.choice([1, 2, 2, 3, 3, 4]))
    m = int(rng.integers(1, n + 1))
    special = rng.choice(ADVERSARIAL_WEIGHTS, (m, n))
    W = np.where(rng.random((m, n)) < 0.5, special, rng.normal(size=(m, n)))
    if rng.random() < 0.2:  # collinear features
        W = np.outer(W[:, 0], rng.choice([1.0, -1.0, 2.0, 1e-8, 0.3], n))
    gram = W.T @ W
    b = np.array(
        [
            rng.choice([0.0, rng.normal(), -rng.choice(gram[i]), -gram[i].sum(), 1e-9, -1e-300])
            for i in range(n)
        ]
    )
    density = rng.choice([*ADVERSARIAL_DENSITIES, rng.uniform(0.01, 1)], n)
    return W, b, density, rng.choice([1.0, 1e-12, 1e5, rng.uniform(0.1, 10)], n)


def relative_error(value, exact):
    """Error relative to the exact loss, which itself is known to 1e-130 absolutely."""
    error = abs(mpmath.mpf(float(value)) - exact)
    return 0.0 if error < 1e-130 else float(error / abs(exact))


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 1), (2, 2), (3, 2), (4, 2), (5, 3), (6, 4)])
def test_loss_agrees_with_40_digits_at_random_parameters(n, m):
    rng = np.random.default_rng([n, m])
    for _ in range(200 // 2**n + 2):
        parameters = random_parameters(rng, n, m)
        assert relative_error(public.expected_loss(*parameters), mpmath_loss(*parameters)) < 1e-12


@pytest.mark.parametrize("seed", range(8))
def test_loss_agrees_with_40_digits_at_adversarial_parameters(seed):
    rng = np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with np.errstate(all="raise", under="ignore"):
            for _ in range(100):
                parameters = adversarial_parameters(rng)
                value = public.expected_loss(*parameters)
                assert np.isfinite(value)
                assert relative_error(value, mpmath_loss(*parameters)) < 1e-12, parameters


def test_loss_keeps_its_digits_where_the_truncated_power_sum_loses_them():
    """Nearly perfect reconstruction: the loss is 1e-20 of its terms."""
    for epsilon in [1e-3, 1e-6, 1e-10]:
        parameters = ([[1 + epsilon, epsilon], [-epsilon, 1.0]], [epsilon, -epsilon], [0.3, 0.7])
        exact = mpmath_loss(*parameters, [1.0, 1.0])
        assert relative_error(public.expected_loss(*parameters), exact) < 1e-12


def all_directions(size, order):
    if order == 1:
        return [(i,) for i in range(size)]
    return [(i, j) for i in range(size) for j in range(i + 1)]


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 1), (2, 2), (3, 2)])
def test_gradient_and_hessian_agree_with_high_precision_differences(n, m):
    rng = np.random.default_rng([7, n, m])
    for _ in range(3):
        W, b, density, importance = random_parameters(rng, n, m)
        variables = [*W.ravel(), *b]

        def loss(v, density=density, importance=importance):
            W = np.array(v[: m * n], dtype=object).reshape(m, n)
            return mpmath_loss(W, v[m * n :], density, importance, digits=100)

        _, gradient_W, gradient_b = public.expected_loss_and_gradient(W, b, density, importance)
        gradient = np.concatenate([gradient_W.ravel(), gradient_b])
        expected = [
            float(mpmath_derivative(loss, variables, d)) for d in all_directions(len(variables), 1)
        ]
        np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-12)
        hessian = public.expected_loss_hessian(W, b, density, importance)
        np.testing.assert_array_equal(hessian, hessian.T)
        for i, j in all_directions(len(variables), 2):
            exact = float(mpmath_derivative(loss, variables, (i, j)))
            assert hessian[i, j] == pytest.approx(exact, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("tiny", [0.0, 1e-300, 1e-8])
def test_gradient_at_tiny_weights_agrees_with_high_precision_differences(tiny):
    W, b, density = [[0.9, tiny]], [0.1, 0.3], [0.4, 0.4]

    def loss(v):
        return mpmath_loss(np.array([v[:2]], dtype=object), v[2:], density, [1, 2], digits=400)

    _, gradient_W, gradient_b = public.expected_loss_and_gradient(W, b, density, [1.0, 2.0])
    expected = [float(mpmath_derivative(loss, [0.9, tiny, 0.1, 0.3], (i,))) for i in range(4)]
    np.testing.assert_allclose([*gradient_W.ravel(), *gradient_b], expected, rtol=1e-10, atol=1e-12)


def test_hessian_on_a_kink_is_the_limit_from_below_the_bias():
    """At b = 0 the bias's own curvature jumps by 2 P(no feature active)."""
    W, density = [[1.0, -0.4]], 0.3
    at_kink = public.expected_loss_hessian(W, [0.0, 0.2], density)
    below = public.expected_loss_hessian(W, [-1e-9, 0.2], density)
    above = public.expected_loss_hessian(W, [1e-9, 0.2], density)
    np.testing.assert_allclose(at_kink, below, atol=1e-7)
    assert above[2, 2] - below[2, 2] == pytest.approx(2 * 0.7**2, abs=1e-7)


@pytest.mark.parametrize(("n", "m"), [(1, 2), (2, 1), (3, 2), (4, 3)])
def test_batches_equal_single_evaluations_to_the_last_bit(n, m):
    rng = np.random.default_rng([5, n])
    W, b = rng.normal(size=(4, 3, m, n)), rng.normal(size=(3, n))
    density, importance = rng.uniform(0.1, 1, (4, 1, n)), 2.0
    batch = loss_derivatives(W, b, density, importance)
    assert batch.loss.shape == (4, 3)
    for i in range(4):
        for j in range(3):
            one = loss_derivatives(W[i, j], b[j], density[i, 0], importance)
            np.testing.assert_array_equal(batch.loss[i, j], one.loss)
            np.testing.assert_array_equal(batch.gradient_W[i, j], one.gradient_W)
            np.testing.assert_array_equal(batch.gradient_b[i, j], one.gradient_b)
            np.testing.assert_array_equal(batch.hessian[i, j], one.hessian)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("per_point", [False, True])
def test_many_parameter_sets_agree_across_chunks_and_threads(monkeypatch, threads, per_point):
    """More parameter sets than one chunk holds give the numbers of one at a time."""
    monkeypatch.setattr(public.os, "cpu_count", lambda: threads)
    rng = np.random.default_rng(6)
    count = 3 * (public._CHUNK // 6**2) + 5
    W, b = rng.normal(size=(count, 1, 2)), rng.normal(size=(count, 2))
    density = rng.uniform(0.1, 1, (count, 2)) if per_point else np.array([0.4, 0.7])
    loss, gradient_W, gradient_b = public.expected_loss_and_gradient(W, b, density)
    for i in [0, count // 3 - 1, count // 3, count // 2, count - 1]:
        of_point = density[i] if per_point else density
        one = public.expected_loss_and_gradient(W[i], b[i], of_point)
        for many, single in zip((loss, gradient_W, gradient_b), one, strict=True):
            np.testing.assert_array_equal(many[i], single)


@pytest.mark.parametrize("leading", [(), (3,)])
@pytest.mark.parametrize(
    "variant",
    [
        lambda values: np.broadcast_to(values, values.shape),  # read-only
        lambda values: values.astype(">f8"),
        lambda values: np.asfortranarray(values),
        lambda values: values.astype(np.longdouble),
        lambda values: np.repeat(values, 2, axis=-1)[..., ::2],
    ],
)
def test_arrays_of_any_layout_are_taken(leading, variant):
    rng = np.random.default_rng(8)
    W, b = rng.normal(size=(*leading, 2, 3)), rng.normal(size=(*leading, 3))
    density, importance = rng.uniform(0.1, 1, (2, *leading, 3))
    expected = loss_derivatives(W, b, density, importance)
    found = loss_derivatives(*map(variant, (W, b, density, importance)))
    np.testing.assert_array_equal(found.loss, expected.loss)
    np.testing.assert_array_equal(found.hessian, expected.hessian)


def test_one_density_and_importance_for_all_features_of_each_point():
    """As many points as features: (3, 1) is one number a point, not one a feature."""
    rng = np.random.default_rng(9)
    W, b = rng.normal(size=(2, 3)), rng.normal(size=3)
    density, importance = rng.uniform(0.1, 1, (3, 1)), rng.uniform(0.1, 9, (3, 1))
    losses = public.expected_loss(W, b, density, importance)
    singles = [
        public.expected_loss(W, b, float(p), float(r))
        for p, r in zip(density[:, 0], importance[:, 0], strict=True)
    ]
    np.testing.assert_array_equal(losses, singles)


def test_an_empty_batch_has_no_losses():
    assert public.expected_loss(np.zeros((0, 1, 2)), [0.0, 0.0], 0.5).shape == (0,)


@pytest.mark.parametrize(("n", "m"), [(2, 1), (3, 2), (4, 3), (6, 2)])
def test_loss_agrees_with_monte_carlo_within_5_standard_errors(n, m):
    rng = np.random.default_rng([11, n])
    for _ in range(3):
        parameters = random_parameters(rng, n, m)
        mean, standard_error = monte_carlo_loss(*parameters, rng)
        assert abs(public.expected_loss(*parameters) - mean) < 5 * standard_error


sizes = st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))
seeds = st.integers(0, 2**32 - 1)


@given(sizes, seeds)
@settings(max_examples=40, deadline=None)
def test_permuting_the_features_changes_nothing(size, seed):
    rng = np.random.default_rng(seed)
    W, b, density, importance = random_parameters(rng, *size)
    order = rng.permutation(size[0])
    permuted = public.expected_loss(W[:, order], b[order], density[order], importance[order])
    assert permuted == pytest.approx(
        float(public.expected_loss(W, b, density, importance)), rel=1e-13
    )


@given(sizes, seeds)
@settings(max_examples=40, deadline=None)
def test_rotating_the_hidden_space_changes_nothing(size, seed):
    rng = np.random.default_rng(seed)
    W, b, density, importance = random_parameters(rng, *size)
    rotation = np.linalg.qr(rng.normal(size=(size[1], size[1])))[0]
    rotated = public.expected_loss(rotation @ W, b, density, importance)
    assert rotated == pytest.approx(
        float(public.expected_loss(W, b, density, importance)), rel=1e-12
    )


@given(sizes, seeds, st.floats(1e-3, 1e3))
@settings(max_examples=40, deadline=None)
def test_the_loss_scales_with_the_importances(size, seed, factor):
    rng = np.random.default_rng(seed)
    W, b, density, importance = random_parameters(rng, *size)
    scaled = public.expected_loss(W, b, density, factor * importance)
    expected = factor * float(public.expected_loss(W, b, density, importance))
    assert scaled == pytest.approx(expected, rel=1e-13)


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_mirror_symmetry_of_the_loss(seed):
    """Exchanging the features of n = 2 turns r into 1/r, up to the factor r."""
    rng = np.random.default_rng(seed)
    W, b = rng.normal(size=(1, 2)), rng.normal(size=2)
    p, r = rng.uniform(0.01, 1), rng.uniform(0.1, 9)
    loss = float(public.expected_loss(W, b, p, [1.0, r]))
    mirrored = float(public.expected_loss(W[:, ::-1], b[::-1], p, [1.0, 1 / r]))
    assert loss == pytest.approx(r * mirrored, rel=1e-12)


@given(sizes, seeds)
@settings(max_examples=40, deadline=None)
def test_the_loss_is_never_negative(size, seed):
    assert public.expected_loss(*random_parameters(np.random.default_rng(seed), *size)) >= 0


def test_perfect_reconstruction_has_exactly_no_loss():
    assert public.expected_loss(np.eye(3), np.zeros(3), 0.3) == 0.0


def test_low_density_limit_is_the_loss_with_one_active_feature():
    """p -> 0: L / p tends to (1/3) [sum (1 - |W_i|^2)^2 + sum (W_i . W_j)_+^2] at b = 0."""
    W = np.array([[0.9, -0.5, 0.3], [0.2, 0.7, -0.6]])
    gram = W.T @ W
    own = (1 - np.diag(gram)) ** 2
    interference = np.maximum(gram - np.diag(np.diag(gram)), 0) ** 2
    p = 1e-9
    ratio = public.expected_loss(W, np.zeros(3), p) / p
    assert ratio == pytest.approx((own.sum() + interference.sum()) / 3, rel=1e-7)


GOOD = {"W": [[1.0, -1.0]], "b": [0.0, 0.0], "density": 0.5, "importance": 1.0}


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("density", 1.5, r"density must lie in \(0, 1\], got 1.5"),
        ("density", 0.0, r"density must lie in \(0, 1\], got 0.0"),
        ("density", [0.5, -0.1], r"density must lie in \(0, 1\], got -0.1"),
        ("density", float("nan"), r"density must lie in \(0, 1\], got nan"),
        ("density", [0.5, 0.5, 0.5], r"density must be a scalar or have shape \(..., 2\)"),
        ("density", "0.5", "density must consist of real numbers, got '0.5'"),
        ("importance", 0.0, "importance must be positive and at most 1e[+]100, got 0.0"),
        ("importance", -1.0, "importance must be positive and at most 1e[+]100, got -1.0"),
        ("importance", float("inf"), "importance must be positive and at most 1e[+]100, got inf"),
        ("W", [[1.0, float("nan")]], "W must be finite and at most 1e[+]75 in magnitude, got nan"),
        ("W", [[1.0, 1e80]], "W must be finite and at most 1e[+]75 in magnitude, got 1e[+]80"),
        ("W", [1.0, -1.0], r"W must have shape \(..., m, n\), got shape \(2,\)"),
        ("W", [[1.0], [2.0, 3.0]], "W must be a rectangular array of real numbers"),
        ("W", np.zeros((1, 9)), "W must have at most 8 columns"),
        ("b", [0.0, 0.0, 0.0], r"b must have shape \(..., 2\)"),
        ("b", [0.0, float("inf")], "b must be finite"),
        ("b", np.zeros((3, 2)), "the leading axes of W, b, density and importance must broadcast"),
    ],
)
def test_bad_input_is_named(argument, value, message):
    arguments = GOOD | {argument: value}
    if argument == "b" and np.ndim(value) == 2:
        arguments["W"] = np.zeros((2, 1, 2))
    for function in (
        public.expected_loss,
        public.expected_loss_and_gradient,
        public.expected_loss_hessian,
    ):
        with pytest.raises(ValueError, match=message):
            function(**arguments)
