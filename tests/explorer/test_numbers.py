"""The page's solver, in a browser, against Python's."""

from __future__ import annotations

import numpy as np
import pytest
from oracles import mpmath_loss

import phasediagram as phd
from phasediagram.naming import distinct_names, phase_of

SIZES = ((2, 1), (3, 2))
RELATIVE = 1e-12


def random_points(seed, count, density=(0.01, 1.0), relative_importance=(0.1, 10.0)):
    rng = np.random.default_rng(seed)
    ranges = np.log([density, relative_importance])
    return np.exp(ranges[:, 0] + (ranges[:, 1] - ranges[:, 0]) * rng.random((count, 2))).tolist()


def assert_same_minima(found, solution):
    """Every minimum, its loss, its name and its geometry."""
    expected = [(minimum.loss, minimum.phase) for minimum in solution.minima]
    place = solution.density, solution.relative_importance
    assert len(found) == len(expected), place
    np.testing.assert_allclose(
        [one["loss"] for one in found], [loss for loss, _ in expected], rtol=RELATIVE
    )
    # of equal losses rounding decides the order
    assert sorted(one["phase"] for one in found) == sorted(name for _, name in expected), place
    assert {one["phase"]: one["outcome"] for one in found} == {
        minimum.phase: minimum.outcome for minimum in solution.minima
    }
    by_name = {minimum.phase: minimum for minimum in solution.minima}
    for one in found:
        gram = np.array(one["W"]).T @ np.array(one["W"])
        other = by_name[one["phase"]].gram
        np.testing.assert_allclose(
            np.sort(np.linalg.eigvalsh(gram)), np.sort(np.linalg.eigvalsh(other)), atol=1e-6
        )
        np.testing.assert_allclose(sorted(one["b"]), sorted(by_name[one["phase"]].b), atol=1e-6)


@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize(
    "window",
    [{}, {"density": (0.45, 1.0), "relative_importance": (0.5, 2.0)}],
    ids=["everywhere", "dense corner"],
)
def test_all_minima_at_random_points_are_pythons(loaded, n, m, window):
    points = random_points(n, 300 if not window else 100, **window)
    for found, point in zip(loaded.solve(n, m, points), points, strict=True):
        assert_same_minima(found, phd.solve(*point, n, m))


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_minima_where_symmetries_are_special(loaded, n, m):
    """At density 1, and where all features are equal."""
    points = [[1.0, 0.3], [1.0, 1.0], [1.0, 4.0], [0.2, 1.0], [0.6, 1.0], [0.95, 1.0]]
    for found, point in zip(loaded.solve(n, m, points), points, strict=True):
        expected = phd.solve(*point, n, m)
        lowest = [minimum.loss for minimum in expected.minima]
        assert found[0]["loss"] == pytest.approx(lowest[0], rel=RELATIVE)
        if point[0] < 1:  # at density 1 a direction and its opposite can be as good
            assert_same_minima(found, expected)


@pytest.mark.parametrize("index", [0, 1])
def test_all_minima_at_special_points_are_pythons(loaded, content, index):
    n, m = SIZES[index]
    for point in content["models"][index]["special_points"]:
        place = point["density"], point["relative_importance"]
        (found,) = loaded.solve(n, m, [place])
        solution = phd.solve(*place, n, m)
        assert found[0]["loss"] == pytest.approx(solution.loss, rel=RELATIVE)
        if point["kind"] == "triple point":  # elsewhere minima merge, and one may be lost
            losses = [minimum.loss for minimum in solution.minima]
            np.testing.assert_allclose([one["loss"] for one in found], losses, rtol=RELATIVE)


def test_three_minima_are_equal_at_triple_points(page, content):
    """As the list shows them after a press on the point's button, to the last digit."""
    for index, model in enumerate(content["models"]):
        page.all("#models input")[index].click()
        buttons = page.all("#points button")
        assert len(buttons) == len(model["special_points"])
        for button, point in zip(buttons, model["special_points"], strict=True):
            page.run("arguments[0].click()", button)
            if point["kind"] != "triple point":
                continue
            shown = page.shown_minima()[:3]
            assert {phase for phase, _ in shown} == set(point["phases"])
            losses = [loss for _, loss in shown]
            assert max(losses) <= min(losses) * (1 + 1e-14)
            state = page.state()
            assert state["p"] == pytest.approx(point["density"], rel=1e-9)
            assert state["r"] == pytest.approx(point["relative_importance"], rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(2, 1), (3, 2), (4, 3), (4, 2)])
def test_loss_and_derivatives_of_any_network_are_pythons(loaded, n, m):
    rng = np.random.default_rng(n)
    script = "return arguments[0].map(([W, b, p, r]) => window.phasediagram.evaluate(W, b, p, r))"
    cases = []
    for k in range(300):
        scale = 10.0 ** rng.uniform(-4, 0.5) if k % 3 == 0 else 1.0
        W, b = scale * rng.normal(size=(m, n)), 0.4 * rng.normal(size=n)
        if k % 5 == 0:  # on kinks, and without a direction
            b[0], W[:, -1] = 0.0, 0.0
        cases.append([W.tolist(), b.tolist(), *random_points(k, 1)[0]])
    for found, (W, b, p, r) in zip(loaded.run(script, cases), cases, strict=True):
        importance = np.array([1.0] * (n - 1) + [r])
        loss, by_W, by_b = phd.expected_loss_and_gradient(W, b, p, importance)
        assert found["loss"] == pytest.approx(float(loss), rel=RELATIVE)
        gradient = np.concatenate([by_W.ravel(), by_b])
        scale = 1 + np.abs(gradient).max()
        np.testing.assert_allclose(found["gradient"], gradient, rtol=0, atol=1e-13 * scale)
        hessian = phd.expected_loss_hessian(W, b, p, importance)
        size = m * n + n
        np.testing.assert_allclose(
            np.reshape(found["hessian"], (size, size)), hessian, atol=1e-11 * np.abs(hessian).max()
        )
        assert np.dot(found["errors"], importance) == pytest.approx(found["loss"], rel=1e-14)


def test_the_loss_is_exact(loaded):
    """Against truncated power sums in 40 digits, where doubles lose every digit of that sum."""
    rng = np.random.default_rng(5)
    for n, m in ((2, 1), (3, 2), (4, 3)):
        W, b = rng.normal(size=(m, n)), 0.3 * rng.normal(size=n)
        W[:, -1] *= 1e-6
        found = loaded.run(
            "return window.phasediagram.evaluate(...arguments)", W.tolist(), b.tolist(), 0.3, 0.7
        )
        importance = np.array([1.0] * (n - 1) + [0.7])
        exact = mpmath_loss(W, b, np.full(n, 0.3), importance)
        assert found["loss"] == pytest.approx(float(exact), rel=1e-14)


def test_minima_of_four_features_are_pythons(loaded):
    """All that Python finds; the page's starts may find some more, which must be minima."""
    for point in random_points(3, 6):
        (found,) = loaded.solve(4, 3, [point])
        solution = phd.solve(*point, 4, 3)
        losses = np.array([one["loss"] for one in found])
        for minimum in solution.minima:
            nearest = int(np.abs(losses - minimum.loss).argmin())
            assert losses[nearest] == pytest.approx(minimum.loss, rel=RELATIVE)
            assert found[nearest]["phase"] == minimum.phase
        for one in found:
            assert one["slope"] < 1e-10
            assert one["curvature"] > 0


@pytest.mark.parametrize(("n", "m"), [(2, 1), (3, 2), (3, 1), (4, 3), (4, 2), (4, 1)])
def test_names_of_any_network_are_pythons(loaded, n, m):
    """Also of shapes that are no minima: shared directions, lines, orthogonal groups."""
    rng = np.random.default_rng(10 * n + m)
    script = "return window.phasediagram.names(...arguments)"
    states, densities = [], rng.uniform(0.02, 1, 120)
    for k in range(120):
        W = rng.normal(size=(m, n))
        if k % 3 == 1:  # near axes, some exactly on them
            W = np.zeros((m, n))
            W[rng.integers(m, size=n), np.arange(n)] = rng.choice([-1, -0.4, 0, 0.4, 1], n)
        if k % 3 == 2:  # equal or opposite directions
            W[:, -1] = W[:, 0] * rng.choice([-1, 0.5, 1])
        states.append(W)
    for W, density in zip(states, densities.tolist(), strict=True):
        assert loaded.run(script, [W.tolist()], density) == [phase_of(W, density)]
    for k in range(0, 120, 4):  # several at one point
        some = np.array(states[k : k + 4])
        expected = distinct_names(some, 0.3).tolist()
        assert loaded.run(script, some.tolist(), 0.3) == expected


def test_a_point_is_solved_in_a_blink(loaded):
    """In processor time this is far below 30 ms; on a busy machine only the order can be told."""
    for n, m in SIZES:
        script = (
            "const [n, m, points] = arguments;"
            "return points.map(([p, r]) => { const begun = performance.now();"
            " window.phasediagram.solve(n, m, p, r); return performance.now() - begun; })"
        )
        times = loaded.run(script, n, m, random_points(1, 60))
        assert np.median(times) < 150
