"""Bounds hold: against exact moments, sampled losses, and claims that are false."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import phasediagram as phd
from derivations import moments as generator
from derivations.roundings import exact_moments, roundings
from phasediagram.certified.bounds.box import box_bound
from phasediagram.certified.bounds.gains import gain_box, shared_part
from phasediagram.certified.bounds.outputs import GRID, majorant, moments, tilted_bound
from phasediagram.certified.exact import exact_loss
from phasediagram.certified.exact import moments as truncated_powers
from phasediagram.certified.generations import examine, halved
from phasediagram.certified.problem import Problem, independent, root_box
from phasediagram.certified.trees import SYMMETRIC

UNIT = Fraction(1, 2**53)


def random_table(rng, n):
    weights = rng.integers(1, 100, 2**n)
    return tuple(Fraction(int(w), int(weights.sum())) for w in weights)


@pytest.mark.parametrize("n", generator.SIZES)
def test_the_generated_code_is_up_to_date(n):
    path = Path(generator.TARGET) / f"moments_{n}.py"
    assert path.read_text(encoding="utf-8") == generator.generate(n)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("scale", [2.0**-38, 2.0**-20, 1.0, 24.0**2])
def test_moments_have_a_small_relative_error(n, scale):
    """Also where they are tiny: no more roundings than were counted, which never cancel."""
    rng = np.random.default_rng(1)
    points = np.rint(rng.uniform(-1, 1, (n + 1, 40)) * scale * GRID) / GRID
    points[:n, :8] *= rng.random((n, 8)) < 0.5  # gains of zero
    table = random_table(rng, n)
    out = np.empty((n + 2, 40))
    moments(n, points, 40, np.array([float(x) for x in table]), out)
    for k in range(40):
        numbers = [Fraction(x) for x in points[:, k]]
        exact = truncated_powers(numbers[:n], numbers[n], table)
        assert exact == exact_moments(numbers[:n], numbers[n], table)
        for found, value, count in zip(out[:, k], exact, roundings(n), strict=True):
            assert abs(Fraction(found) - value) <= (count + 1) * UNIT * value


def random_box(rng, n, widths=(0.5, 0.1, 0.01)):
    """A box of gains and a bias on the grid, and points in it, all corners among them."""
    low = np.rint(rng.uniform(-1.2, 1.2, n + 1) * 1024) / 1024
    high = low + np.rint(rng.choice(widths, n + 1) * 1024) / 1024
    corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(n + 1, -1)
    inside = rng.uniform(low, high, (60, n + 1)).T
    return low, high, np.concatenate([corners, inside], axis=1)


def moments_of(points, table):
    n, count = len(points) - 1, points.shape[1]
    padded = np.zeros((n + 1, count + 8))
    padded[:, :count] = points
    out = np.empty((n + 2, count + 8))
    moments(n, padded, count, table, out)
    return out[:, :count]


@pytest.mark.parametrize("n", [2, 3])
def test_the_plane_lies_above_the_products_and_touches_them(n):
    rng = np.random.default_rng(5)
    for _ in range(100):
        low, high, points = random_box(rng, n)
        table = np.array([float(x) for x in random_table(rng, n)])
        slope = np.empty(n + 1)
        scratch = np.zeros((n + 1, 32)), np.empty((n + 2, 32))
        alpha = majorant(n, low, high, table, slope, *scratch)
        above = alpha + slope @ (points - (low + high)[:, None] / 2)
        gaps = above - moments_of(points, table)[0]
        assert gaps.min() > -1e-14
        assert gaps.min() < 1e-14  # at a corner


@pytest.mark.parametrize("n", [2, 3])
def test_tilted_errors_are_above_their_bound(n):
    rng = np.random.default_rng(6)
    closest = np.inf
    for _ in range(200):
        low, high, points = random_box(rng, n)
        table = np.array([float(x) for x in random_table(rng, n)])
        slope, tilt = np.empty(n + 1), rng.uniform(-0.3, 0.3, n)
        scratch = np.zeros((n + 1, 32)), np.empty((n + 2, 32))
        alpha = majorant(n, low, high, table, slope, *scratch)
        third, penalty = table[1::2].sum() / 3, 0.2
        at, pivot = points[:, rng.integers(points.shape[1])].copy(), low[:n].copy()
        at = np.clip(np.rint(at * GRID) / GRID, low, high)
        bound = tilted_bound(
            n, low, high, table, slope, alpha, at, tilt, pivot, third, penalty, *scratch
        )
        found = moments_of(points, table)
        values = third + found[-1] - 2 * found[0] + penalty * (points[1:n] ** 2).sum(axis=0)
        values -= tilt @ (points[:n] - pivot[:, None])
        assert values.min() >= bound
        closest = min(closest, values.min() - bound)
    assert closest < 1e-4


@pytest.mark.parametrize(("n", "m"), [(2, 1), (3, 2)])
def test_the_shared_part_is_above_its_bound(n, m):
    rng = np.random.default_rng(7)
    closest = np.inf
    for _ in range(200):
        low = np.triu(rng.uniform(-1.2, 1.2, (m, n))).ravel()
        high = low + np.triu(rng.choice([0.5, 0.1, 0.01], (m, n))).ravel()
        importance, tilt = rng.uniform(0.2, 2, n), rng.uniform(-1, 1, (n, n))
        pivot, form = rng.uniform(-1, 1, (n, n + 1)), np.empty((n, n))
        touch = rng.uniform(low, high)
        bound = shared_part(m, n, low, high, touch, tilt, importance, pivot, form)
        ends = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(m * n, -1).T
        W = np.concatenate([ends, rng.uniform(low, high, (50, m * n))]).reshape(-1, m, n)
        gram = np.einsum("xki,xkj->xij", W, W)
        orders = [[i if j == 0 else (0 if j == i else j) for j in range(n)] for i in range(n)]
        rows = np.stack([gram[:, i, orders[i]] for i in range(n)], axis=1)
        values = np.einsum("i,ij,xij->x", importance, tilt, rows - pivot[:, :n])
        assert values.min() >= bound
        closest = min(closest, values.min() - bound)
    assert closest < 1e-4


@pytest.mark.parametrize(("n", "m"), [(2, 1), (3, 2)])
def test_intervals_of_gains_hold_them_and_are_narrow(n, m):
    rng = np.random.default_rng(8)
    for _ in range(100):
        low = np.triu(rng.uniform(-0.6, 0.4, (m, n))).ravel()
        high = low + np.triu(rng.choice([0.5, 0.1], (m, n))).ravel()
        gain_low, gain_high = np.empty((n, n)), np.empty((n, n))
        gain_box(m, n, low, high, gain_low, gain_high)
        W = rng.uniform(low, high, (4000, m * n))
        W[:400] *= np.where((low < 0) & (high > 0), rng.random(m * n) < 0.5, 1.0)  # zeros
        W = np.clip(W, low, high).reshape(-1, m, n)
        gram = np.einsum("xki,xkj->xij", W, W)
        for i in range(n):
            order = [i if j == 0 else (0 if j == i else j) for j in range(n)]
            least, most = gram[:, i, order].min(axis=0), gram[:, i, order].max(axis=0)
            assert (gain_low[i] <= least).all()
            assert (most <= gain_high[i]).all()
            assert (gain_high[i] - gain_low[i] < 1.5 * (most - least) + 1e-9).all()


def test_only_boxes_of_ascending_norms_are_left_out_as_copies():
    """And never of features that are not equal."""
    rng = np.random.default_rng(9)
    alike = independent([Fraction(1, 4)] * 3)
    left_out = 0
    with ThreadPoolExecutor(1) as pool:
        for importance, pairs in (((1, 1, 2), [(0, 1)]), ((1, 1, 1), [(0, 1), (1, 2)])):
            problem = Problem(3, 2, alike, tuple(map(Fraction, importance)))
            low = np.triu(rng.uniform(-1.2, 1.2, (300, 2, 3))).reshape(300, 6)
            high = low + np.triu(np.full((2, 3), 0.2)).ravel()
            found = examine(problem, low, high, 1e9, 1e9, pool)
            for k in np.flatnonzero(found.codes == SYMMETRIC):
                W = rng.uniform(low[k], high[k], (200, 6)).reshape(-1, 2, 3)
                norms = (W**2).sum(axis=1)
                assert any((norms[:, i] < norms[:, j]).all() for i, j in pairs)
                left_out += 1
    assert left_out > 50


def bounded(problem, low, high, target=1e-9, above=np.inf):
    """The bound of a box, with the highest target that is reached."""
    weights, biases = np.empty(problem.m * problem.n), np.empty(problem.n)
    return box_bound(
        problem.m,
        problem.n,
        low,
        high,
        problem.tables,
        np.array([float(x) for x in problem.importance]),
        np.array([float(x) for x in problem.active]),
        float(problem.penalty),
        problem.free_bias,
        target,
        max(target, above) if np.isfinite(above) else target,
        weights,
        biases,
    )


def best_biases(problem, W, count=400):
    """The least loss for these weights over a fine grid of biases: an upper bound of it."""
    gram = W.T @ W
    total = 0.0
    for i in range(problem.n):
        order = [i if j == 0 else (0 if j == i else j) for j in range(problem.n)]
        gains = gram[i, order]
        biases = (
            np.linspace(-np.maximum(gains, 0).sum(), 1.5, count) if problem.free_bias else [0.0]
        )
        points = np.empty((problem.n + 1, len(biases)))
        points[: problem.n], points[problem.n] = gains[:, None], biases
        out = np.empty((problem.n + 2, len(biases) + 8))
        padded = np.zeros((problem.n + 1, len(biases) + 8))
        padded[:, : len(biases)] = points
        moments(problem.n, padded, len(biases), problem.tables[i], out)
        errors = float(problem.active[i]) / 3 + out[-1] - 2 * out[0]
        penalty = float(problem.penalty) * (gains[1:] ** 2).sum()
        total += float(problem.importance[i]) * errors[: len(biases)].min() + penalty
    return total


@pytest.mark.parametrize(("n", "m"), [(2, 1), (3, 2)])
@pytest.mark.parametrize("free_bias", [True, False])
@pytest.mark.parametrize("penalty", [0, 1])
def test_no_sampled_loss_is_below_the_bound_of_its_box(n, m, free_bias, penalty):
    rng = np.random.default_rng(2)
    closest = np.inf
    for _ in range(60):
        problem = Problem(
            n,
            m,
            random_table(rng, n),
            tuple(Fraction(int(x), 64) for x in rng.integers(8, 128, n)),
            Fraction(penalty, 5),
            free_bias,
        )
        width = rng.choice([0.5, 0.1, 0.02])
        start = np.triu(np.rint(rng.uniform(-1.3, 1.2, (m, n)) * 256) / 256)
        low = start.ravel()
        high = low + np.triu(np.full((m, n), np.rint(width * 256) / 256)).ravel()
        lowest = min(best_biases(problem, rng.uniform(low, high).reshape(m, n)) for _ in range(30))
        for target in lowest * (1 - 2.0 ** -np.arange(12)[::-1]):
            bound = bounded(problem, low, high, target)
            assert bound < target or bound <= lowest
            if bound >= target:
                closest = min(closest, (lowest - bound) / lowest)
    assert closest < 0.02  # or the test would say nothing


def local_minima_over_the_bias(problem, W):
    """The lowest two local minima of the second output's error, over a fine grid of biases."""
    gains = (W.T @ W)[1, ::-1]
    biases = np.linspace(-gains.sum(), 0.5, 4000)
    points = np.stack([np.full(4000, gains[0]), np.full(4000, gains[1]), biases])
    out = np.empty((4, 4000))
    moments(2, points, 4000, problem.tables[1], out)
    errors = out[-1] - 2 * out[0]
    inner = np.flatnonzero((errors[1:-1] < errors[:-2]) & (errors[1:-1] < errors[2:])) + 1
    return biases[inner], errors[inner]


def test_the_bound_covers_biases_far_from_the_best_one():
    """Where two biases are equally good one is better in one half of a box, one in the other."""
    table = independent([Fraction(1, 10)] * 2)
    problem = Problem(2, 1, table, (Fraction(1, 64), Fraction(1)))
    low, high = 1.35, 1.5
    for _ in range(30):
        middle = (low + high) / 2
        biases, errors = local_minima_over_the_bias(problem, np.array([[middle, 0.5]]))
        assert len(biases) == 2
        low, high = (middle, high) if errors[1] < errors[0] else (low, middle)
    assert biases[1] - biases[0] > 0.2
    rng = np.random.default_rng(4)
    reached = 0
    for width in (0.1, 0.03, 0.01):
        for shift in np.linspace(-0.5, 0.5, 9):
            centre = np.array([low, 0.5]) + shift * width
            start = np.rint((centre - width / 2) * 1024) / 1024
            end = start + np.rint(width * 1024) / 1024
            samples = rng.uniform(start, end, (60, 2))
            corners = [(a, b) for a in (start[0], end[0]) for b in (start[1], end[1])]
            lowest = min(best_biases(problem, np.array([w]), 20_000) for w in [*samples, *corners])
            for target in lowest * (1 - 2.0 ** -np.arange(1, 16)[::-1]):
                bound = bounded(problem, start, end, target)
                assert bound <= lowest
                reached += bound > 0
    assert reached > 50


@pytest.mark.parametrize(
    ("density", "relative_importance"),
    [(0.2, 1.0), (0.01, 0.1), (0.5117380321, 0.5641313654), (0.9, 0.8), (1.0, 1.0)],
)
def test_a_false_claim_is_never_certified(density, relative_importance):
    """That all losses exceed the least one by 5e-8 of it."""
    problem = Problem(
        2, 1, independent([Fraction(density)] * 2), (Fraction(1), Fraction(relative_importance))
    )
    found = phd.solve(density, relative_importance)
    upper = exact_loss(problem.table, problem.importance, problem.penalty, found.W, found.b)
    low, high = root_box(problem, upper)
    false = float(upper) * (1 + 5e-8)
    assert halved(problem, low, high, false, false, 30_000).open > 0
    # while what is true is certified with fewer boxes
    true = float(upper) * (1 - 5e-8)
    assert halved(problem, low, high, true, true, 30_000).open == 0


def test_weights_outside_the_root_box_cost_more():
    rng = np.random.default_rng(3)
    for density, r in ((0.05, 0.3), (0.3, 2.0), (0.9, 0.7)):
        problem = Problem(2, 1, independent([Fraction(density)] * 2), (Fraction(1), Fraction(r)))
        least = phd.solve(density, r).loss
        _, high = root_box(problem, Fraction(least))
        for _ in range(200):
            W = rng.uniform(-1, 1, (1, 2)) * high
            k = rng.integers(2)
            W[0, k] = np.sign(W[0, k]) * high[k] * rng.uniform(1, 1.5)
            assert best_biases(problem, W) > least


def test_norms_that_cannot_be_limited_are_refused():
    problem = Problem(2, 1, independent([Fraction(1, 5)] * 2), (Fraction(1), Fraction(1)))
    with pytest.raises(ValueError, match="the norm of feature 0 cannot be limited"):
        root_box(problem, Fraction(1, 10))
