"""Groups of features, their mixtures, and whether a mixture is a minimum of the whole model."""

from __future__ import annotations

from dataclasses import fields
from itertools import product

import numpy as np
import pytest

import phasediagram as phd
from phasediagram.grouping.mixtures import Problem
from phasediagram.grouping.stability import pair_curvature, response, softest_tilt
from phasediagram.kernel.loss import expected_loss_hessian

PENTAGONS_END = 0.2248754494  # (5, 2): where two digons and an ignored feature take over


@pytest.fixture(scope="module")
def groups():
    return phd.find_groups((0.05, 0.6), max_features=5, searched=[0.06, 0.2, 0.5], starts=30)


def assembled(geometry, k=0):
    """W and b of the whole model."""
    p, blocks, biases = float(geometry.density[k]), [], []
    for group, count in zip(geometry.groups, geometry.counts[k], strict=True):
        for _ in range(count):
            _, W, b = group.state(p)
            blocks.append(W)
            biases.append(b)
    W = np.zeros((sum(len(w) for w in blocks), sum(w.shape[1] for w in blocks)))
    row = column = 0
    for w in blocks:
        W[row : row + len(w), column : column + w.shape[1]] = w
        row, column = row + len(w), column + w.shape[1]
    return W, np.concatenate(biases)


def test_regular_groups_are_found(groups):
    """By name, with the dimensionality of the paper."""
    for name, value in (
        ("antipodal", 1 / 2),
        ("triangle", 2 / 3),
        ("tetrahedron", 3 / 4),
        ("pentagon", 2 / 5),
    ):
        group = groups.named(name)
        off = np.abs(group.dimensionality() - value).max(axis=1)
        # at an end the state is as soft as can be: rounding moves it
        inside = group.density < group.density[-1] * (1 - 1e-6)
        assert off[inside].max() < 1e-9
        assert off.max() < 2e-8


@pytest.mark.parametrize(("n", "m"), [(3, 1), (4, 2), (5, 2), (5, 3)])
@pytest.mark.parametrize("density", [0.1, 0.2, 0.3, 0.5])
def test_the_lowest_mixture_is_the_global_minimum(groups, n, m, density):
    """Where the search of the whole model finds nothing lower; and its loss is what is said."""
    found = phd.geometry(density, n, m, groups=groups)
    W, b = assembled(found)
    assert phd.expected_loss(W, b, density) == pytest.approx(found.loss[0], rel=1e-12)
    solution = phd.solve(density, 1.0, n, m)
    assert solution.loss == pytest.approx(found.loss[0], rel=1e-9)


def test_pentagons_end_where_two_digons_are_as_low(groups):
    found = phd.geometry(np.geomspace(0.15, 0.3, 4), 5, 2, groups=groups)
    (change,) = found.transitions
    assert change.density == pytest.approx(PENTAGONS_END, abs=1e-10)
    assert (change.below, change.above) == ({"pentagon": 1}, {"ignored": 1, "antipodal": 2})
    lowest, second, *_ = phd.solve(change.density, 1.0, 5, 2).minima
    assert lowest.loss == pytest.approx(second.loss, rel=1e-11)


def test_many_features_change_where_few_do(groups):
    """Digons and pentagons in 30 dimensions: the same density, 15 pentagons for 30 digons."""
    names = ["antipodal", "triangle", "tetrahedron", "pentagon"]
    found = phd.geometry([0.15, 0.2, 0.3], 400, 30, groups=groups, only=names)
    (change,) = found.transitions
    assert change.density == pytest.approx(PENTAGONS_END, abs=1e-10)
    assert change.below["pentagon"] == 15
    assert change.above["antipodal"] == 30


def test_the_program_finds_what_counting_finds(groups):
    problem = Problem(groups.groups, (7,), 4)
    for density in (0.06, 0.2, 0.4):
        sizes = [(g.n_features, g.n_hidden) for g in groups.groups]
        usable = [k for k, g in enumerate(groups.groups) if g.exists(density)]
        best = np.inf
        for counts in product(
            *(range(1 + min(7 // sizes[k][0], 4 // max(sizes[k][1], 1), 3)) for k in usable[2:])
        ):
            features = sum(c * sizes[k][0] for c, k in zip(counts, usable[2:], strict=True))
            hidden = sum(c * sizes[k][1] for c, k in zip(counts, usable[2:], strict=True))
            if features > 7 or hidden > 4:
                continue
            alone = min(7 - features, 4 - hidden)
            loss = sum(
                c * problem.loss_of(k, density)
                for c, k in zip(counts, usable[2:], strict=True)
                if c
            )
            best = min(best, loss + (7 - features - alone) * problem.loss_of(0, density))
        lowest = problem.total(problem.lowest(density), density)
        assert lowest == pytest.approx(best, rel=1e-12)


def pieces(groups, names, density):
    """Responses of groups, and W and b of their sum."""
    found, blocks = [], []
    for name in names:
        group = groups.named(name)
        _, W, b = group.state(density)
        found.append(response(group.space, W, b, density))
        blocks.append((W, b))
    (one, first), (other, second) = blocks
    W = np.block(
        [
            [one, np.zeros((len(one), other.shape[1]))],
            [np.zeros((len(other), one.shape[1])), other],
        ]
    )
    return found, W, np.concatenate([first, second])


@pytest.mark.parametrize("density", [0.06, 0.12, 0.2])
@pytest.mark.parametrize(
    "names",
    [("antipodal", "triangle"), ("pentagon", "ignored"), ("pentagon", "antipodal"),
     ("antipodal", "antipodal"), ("triangle", "ignored")],
)  # fmt: skip
def test_tilting_is_what_the_whole_hessian_says(groups, names, density):
    """The whole has a negative eigenvalue exactly if the pair's form has one (Sylvester)."""
    (one, other), W, b = pieces(groups, names, density)
    low, high = pair_curvature(one, other)
    assert low == high
    values = np.linalg.eigvalsh(expected_loss_hessian(W, b, density))
    assert (values[0] < -1e-9) == (low < -1e-9)


@pytest.mark.parametrize(("density", "stable"), [(0.055, False), (0.12, True)])
def test_sparse_pentagons_tilt_into_each_other(groups, density, stable):
    """Two pentagons, 10 features: the exact loss along the softest tilt has that curvature."""
    (one, other), W, b = pieces(groups, ("pentagon", "pentagon"), density)
    curvature, u, v = softest_tilt(one, other)
    assert (curvature > 0) == stable
    losses = []
    for t in (-2e-2, -1e-2, 0.0, 1e-2, 2e-2):
        tilted = W.copy()
        tilted[2:, :5] += t * u
        tilted[:2, 5:] += t * v
        gram = tilted.T @ tilted
        between = np.zeros_like(gram)
        between[:5, 5:], between[5:, :5] = gram[:5, 5:], gram[5:, :5]
        losses.append(phd.expected_loss(tilted, b - density / 2 * between.sum(axis=1), density))
    measured = (losses @ np.array([-1, 16, -30, 16, -1])) / (12 * 1e-2**2)
    assert measured == pytest.approx(curvature, rel=2e-3, abs=1e-6)
    found = phd.geometry(density, 10, 4, groups=groups, only=["pentagon"])
    assert found.stability == (("minimum",) if stable else ("saddle",))


def test_two_classes_of_importance():
    """Important features get dimensions of their own, at r = 1 the classes do not matter."""
    classes = phd.find_groups(
        (0.2, 0.3), max_features=3, relative_importance=0.02, searched=[0.25], starts=20
    )
    found = phd.geometry(0.25, 4, 2, groups=classes, relative_importance=0.02, n_second=2)
    assert found.mixture() == {"dedicated": 2, "ignored-second": 2}
    equal = phd.find_groups(
        (0.2, 0.3), max_features=3, relative_importance=1.0, searched=[0.25], starts=20
    )
    two = phd.geometry(0.25, 4, 2, groups=equal, relative_importance=1.0, n_second=2)
    one = phd.geometry(0.25, 4, 2)
    assert two.loss == pytest.approx(one.loss, rel=1e-12)


def digons_of_two_classes(r):
    return phd.find_groups(
        (0.3, 0.5), max_features=2, searched=[0.4], relative_importance=r, starts=8
    )


def test_changes_along_the_importance_are_those_along_the_density():
    """Located on a line of constant density, met again on the line of constant importance."""
    rows = [digons_of_two_classes(r) for r in (0.6, 0.2)]
    (change,) = phd.geometry_over_importance(0.4, 4, 2, 2, rows)
    assert (change.below, change.above) == (
        {"dedicated": 2, "ignored-second": 2},
        {"antipodal-1:1": 2},
    )
    r = change.relative_importance
    there = digons_of_two_classes(r)
    across = phd.geometry(
        [0.35, 0.45], 4, 2, groups=there, relative_importance=r, n_second=2
    ).transitions[0]
    assert (across.below, across.above) == (change.above, change.below)
    assert across.density == pytest.approx(0.4, abs=1e-10)
    lowest, second, *_ = phd.solve(0.4, n_features=2, n_hidden=1, relative_importance=r).minima
    assert lowest.loss == pytest.approx(second.loss, rel=1e-9)
    assert "at 0.4 and importance 0.33728" in change.description


def test_bad_importances_are_refused(groups):
    row = digons_of_two_classes(0.2)
    for arguments, message in (
        ((0.4, 4, 2, 2, [row]), r"catalogues must be at least two, of different importances"),
        ((0.4, 4, 2, 2, [row, groups]), r"catalogues\[1\] must be of two classes"),
        ((0.4, 4, 2, 2, [row, 3]), r"catalogues\[1\] must be a GroupCatalogue, got 3"),
        ((0.1, 4, 2, 2, [row, row]), r"density must lie in the range of catalogues\[0\]"),
        ((0.4, 4, 4, 2, [row, row]), "n_hidden must be at least 1 and below n_features = 4"),
        ((0.4, 4, 2, 5, [row, row]), "n_second must be between 1 and n_features = 4, got 5"),
    ):
        with pytest.raises(ValueError, match=message):
            phd.geometry_over_importance(*arguments)


def test_ends_of_groups_are_located():
    """Digons of equal features end where their smallest curvature vanishes."""
    digon = phd.find_groups((0.5, 0.9), max_features=2, searched=[0.6], starts=8).named("antipodal")
    end = float(digon.density[-1])
    assert digon.ends == ("edge of the range", "saddle")
    space, before = digon.space, end - 1e-6
    curvature = []
    for p in (before, end):
        _, W, b = digon.state(p)
        at = space.at(p)
        curvature.append(space.engine().softest(np.concatenate([W.ravel(), b]), at)[0])
    slope = (curvature[1] - curvature[0]) / (end - before)
    assert slope < 0
    assert end - curvature[1] / slope == pytest.approx(end, abs=5e-9)


@pytest.mark.parametrize("ending", ["npz", "nc"])
def test_files_keep_everything(groups, tmp_path, ending):
    if ending == "nc":
        pytest.importorskip("xarray")
    found = phd.geometry(np.geomspace(0.1, 0.3, 3), 20, 5, groups=groups)
    for number, result in enumerate((found, groups)):
        path = tmp_path / f"{number}.{ending}"
        phd.save(path, result)
        read = phd.load(path, type(result))
        for field in fields(result):
            if field.name != "groups":
                np.testing.assert_array_equal(
                    np.array(getattr(read, field.name), dtype=object),
                    np.array(getattr(result, field.name), dtype=object),
                )
        for ours, theirs in zip(read.groups, result.groups, strict=True):
            for field in fields(ours):
                assert np.array_equal(getattr(ours, field.name), getattr(theirs, field.name))


def test_the_command_line(groups, tmp_path, capsys):
    from phasediagram.cli import main

    phd.save(tmp_path / "groups.npz", groups)
    arguments = ["--features", "5", "--hidden", "2", "--density-range", "0.15", "0.3"]
    arguments += ["--groups", str(tmp_path / "groups.npz"), "-o", str(tmp_path / "figure.png")]
    assert main(["geometry", *arguments]) == 0
    assert f"at {PENTAGONS_END:.10f}" in capsys.readouterr().out
    assert (tmp_path / "figure.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_features": 1}, "n_features must be between 2 and 1000, got 1"),
        ({"n_hidden": 5}, "n_hidden must be at least 1 and below n_features = 5, got 5"),
        ({"density": 0.01}, "density must lie in the catalogue's range, 0.05 to 0.6"),
        ({"only": ["cube"]}, "name must be that of a group of the catalogue, got 'cube'"),
        ({"n_second": 2}, "n_second must be between 1 and n_features"),
        ({"model": phd.ToyModel(5, 2, bias=False)}, "model must be the paper's but for its size"),
    ],
)
def test_bad_input_is_named(groups, arguments, message):
    given = {"density": 0.2, "n_features": 5, "n_hidden": 2, "groups": groups, **arguments}
    with pytest.raises(ValueError, match=message):
        phd.geometry(given.pop("density"), given.pop("n_features"), given.pop("n_hidden"), **given)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_features": 9}, "max_features must be between 2 and 8, got 9"),
        ({"max_hidden": 0}, "max_hidden must be between 1 and 7, got 0"),
        ({"density": (0.3, 0.1)}, "density must be the lowest and the highest one"),
        ({"searched": 0.9}, "searched must lie between 0.1 and 0.3"),
        ({"starts": 0}, "starts must be at least 1, got 0"),
    ],
)
def test_bad_searches_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        phd.find_groups(**{"density": (0.1, 0.3), **arguments})
