"""The checker: on its own, in other arithmetic, and it finds out whatever is claimed wrongly."""

from __future__ import annotations

import ast
import gzip
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import phasediagram as phd
from derivations.direct_integral import exact_output_loss
from phasediagram.certified import checker

PACKAGE = Path(phd.__file__).parent
STANDARD = {"gzip", "json", "random", "sys", "fractions", "itertools", "math"}


def contents(path):
    with gzip.open(path, "rt") as file:
        return json.load(file)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A small certificate in which every kind of leaf is met."""
    path = tmp_path_factory.mktemp("saved") / "small.gz"
    phd.certify(0.3, interference_penalty=0.01, gap=0.1).save(path)
    found = contents(path)
    assert set(found["tree"]) >= set(".os01")
    return found


def wrong(file, *sample):
    """The first claim that does not hold, as `main` looks for it."""
    return next((claim for claim, holds in checker.claims(file, *sample) if not holds), None)


def test_every_leaf_of_a_small_certificate_holds(saved):
    held = list(checker.claims(saved))
    assert [claim for claim, holds in held if not holds] == []
    bounds = [claim for claim, _ in held if claim.startswith("the bound in")]
    assert len(bounds) == saved["tree"].count(".") + saved["tree"].count("o") > 40
    assert Fraction(saved["lower"]) < Fraction(saved["upper"])


def change(saved, old, new, which=0):
    """The tree with one mark exchanged for another."""
    at = [k for k, mark in enumerate(saved["tree"]) if mark == old][which]
    return {**saved, "tree": saved["tree"][:at] + new + saved["tree"][at + 1 :]}


def without_leaf(saved):
    """A halving replaced by the lower half alone: one leaf less, its tangent too."""
    tree = saved["tree"]
    at = next(k for k in range(len(tree) - 2) if tree[k] in "01" and tree[k + 1 : k + 3] == "..")
    number = sum(mark in ".o" for mark in tree[:at]) + 1
    shorter = {key: saved[key][:number] + saved[key][number + 1 :] for key in TOUCHING}
    return {**saved, **shorter, "tree": tree[:at] + "." + tree[at + 3 :]}


def moved(saved, key, change):
    return {**saved, key: [change(x) for x in saved[key]]}


TOUCHING = "touch_weights", "touch_biases"
MUTATIONS = {
    "a lower bound above the loss": (
        lambda x: {**x, "lower": str(2 * Fraction(x["upper"]) - Fraction(x["lower"]))},
        "the cost of the weights",
    ),
    "a lower bound that is not reached": (
        lambda x: {**x, "lower": x["upper"]},
        "the bound in",
    ),
    "an upper bound a little lower": (
        lambda x: {**x, "upper": str(Fraction(x["upper"]) * (1 - Fraction(1, 10**12)))},
        "the cost of the weights",
    ),
    "an upper bound a little higher": (
        lambda x: {**x, "upper": str(Fraction(x["upper"]) * (1 + Fraction(1, 10**12)))},
        "the cost of the weights",
    ),
    "other weights": (
        lambda x: moved(x, "weights", lambda w: w * (1 + 1e-9)),
        "the cost of the weights",
    ),
    "other biases": (
        lambda x: moved(x, "biases", lambda b: b + 1e-9),
        "the cost of the weights",
    ),
    "biases where there are none": (lambda x: {**x, "bias": False}, "the cost of the weights"),
    "another density": (
        lambda x: {**x, "density": [x["density"][0], "5/16"]},
        "the cost of the weights",
    ),
    "another importance": (
        lambda x: {**x, "importance": ["1", "17/16"]},
        "the cost of the weights",
    ),
    "no penalty": (lambda x: {**x, "penalty": "0"}, "the cost of the weights"),
    "a negative importance": (lambda x: {**x, "importance": ["1", "-1"]}, "arguments"),
    "a density above 1": (lambda x: {**x, "density": ["3/2", "3/2"]}, "arguments"),
    "a smaller root box": (lambda x: moved(x, "reach", lambda r: r - 0.5), "the limits of norms"),
    "a root box within the unit circle": (
        lambda x: moved(x, "reach", lambda r: 0.01),
        "the limits of norms",
    ),
    "a leaf with minimisers said to have none": (lambda x: change(x, "o", "."), "the bound in"),
    "a leaf that is missing": (without_leaf, "the bound in"),
    "a copy that is none": (lambda x: change(x, ".", "s"), "a copy of"),
    "a box halved along the other weight": (lambda x: change(x, "0", "1"), "the bound in|a copy"),
    "the root as one leaf": (
        lambda x: {**x, "tree": ".", "touch_weights": ["PP"], "touch_biases": [[0.0, 0.0]]},
        "the bound in",
    ),
    "tangents at a corner": (
        lambda x: moved(x, "touch_weights", lambda codes: "0" * len(codes)),
        "the bound in",
    ),
    "tangents at other biases": (
        lambda x: moved(x, "touch_biases", lambda b: [y + 0.5 for y in b]),
        "the bound in",
    ),
    "one tangent more": (
        lambda x: {**x, **{key: [*x[key], x[key][-1]] for key in TOUCHING}},
        "as many tangents",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_checker_finds_out(saved, name):
    mutate, message = MUTATIONS[name]
    found = wrong(mutate(saved))
    assert found is not None
    assert any(found.startswith(x) for x in message.split("|"))


def save(file, path):
    with gzip.open(path, "wt") as handle:
        json.dump(file, handle)
    return str(path)


@pytest.mark.parametrize(
    "mutate",
    [
        lambda x: {**x, "tree": x["tree"][:-1]},
        lambda x: {**x, "tree": x["tree"] + "."},
        lambda x: {**x, "tree": change(x, "0", "7")["tree"]},
        lambda x: {**x, "tree": change(x, "0", "x")["tree"]},
        lambda x: {**x, "touch_weights": x["touch_weights"][:-1]},
        lambda x: {**x, "reach": x["reach"][:1]},
        lambda x: {**x, "weights": [float("nan"), 1.0]},
        lambda x: {**x, "weights": [float("inf"), 1.0]},
        lambda x: {**x, "density": "0.3"},
        lambda x: {key: x[key] for key in x if key != "upper"},
        lambda x: [],
    ],
)
def test_files_that_are_no_certificates_are_refused(saved, mutate, tmp_path, capsys):
    assert checker.main([save(mutate(saved), tmp_path / "bad.gz"), "1"]) == 1
    assert "does not hold" in capsys.readouterr().out


def test_files_that_cannot_be_read_are_refused(tmp_path, capsys):
    path = tmp_path / "bad.gz"
    path.write_bytes(b"no certificate")
    assert checker.main([str(path)]) == 1
    assert checker.main([str(tmp_path / "none.gz")]) == 1
    assert capsys.readouterr().out.count("does not hold") == 2


def test_a_sample_finds_most_wrong_certificates(saved, tmp_path):
    """Of all leaves wrong but a few, one among six is met."""
    path = save(moved(saved, "touch_biases", lambda b: [y + 0.5 for y in b]), tmp_path / "x.gz")
    assert [checker.main([path, "6", str(seed)]) for seed in range(3)] == [1, 1, 1]
    assert checker.main([save(saved, tmp_path / "right.gz"), "6", "1"]) == 0


@pytest.mark.parametrize(
    ("density", "arguments"),
    [
        (0.05, {"n_features": 3, "gap": 1e-2}),
        ([0.2, 0.4], {"relative_importance": 0.7, "gap": 1e-6}),
        (0.9, {"relative_importance": 0.8, "bias": False, "gap": 1e-6}),
    ],
)
def test_boxes_of_other_certificates_hold(density, arguments, tmp_path):
    """Three features; densities that differ; no biases."""
    path = tmp_path / "certificate.gz"
    phd.certify(density, **arguments).save(path)
    assert checker.main([str(path), "12"]) == 0


def model(density=("1/4", "1/3"), importance=("1", "3/4"), penalty="0"):
    numbers = [[Fraction(x) for x in values] for values in (density, importance)]
    return checker.Model(*numbers, Fraction(penalty), True)


def test_its_errors_are_those_of_direct_integration():
    """Another derivation, by integrals over cells, not by truncated powers."""
    alike = model(("1/3", "1/3"))
    rng = np.random.default_rng(1)
    for _ in range(25):
        own, other, bias = (Fraction(int(x), 16) for x in rng.integers(-24, 24, 3))
        other *= int(rng.random() < 0.7)
        value, slope = alike.convex(0, [own, other, bias])
        assert value - slope[0] == exact_output_loss(Fraction(1, 3), bias, (own, other))


def test_its_slope_is_that_of_its_value():
    rng = np.random.default_rng(2)
    for n in (2, 3):
        one = model(["1/4", "1/3", "1/2"][:n], ["1"] * n, "1/5")
        for _ in range(20):
            y = [Fraction(int(x), 16) for x in rng.integers(-24, 24, n + 1)]
            step = Fraction(1, 2**40)
            value, slope = one.convex(1, y)
            for k in range(n + 1):
                ahead = one.convex(1, [*y[:k], y[k] + step, *y[k + 1 :]])[0]
                assert abs((ahead - value) / step - slope[k]) < 20 * step


def test_its_bound_is_below_losses_in_the_box_and_close():
    rng = np.random.default_rng(3)
    one, closest = model(penalty="1/10"), 1.0
    for width in (Fraction(1, 4), Fraction(1, 16), Fraction(1, 64)):
        for _ in range(5):
            start = [Fraction(int(x), 64) for x in (rng.integers(16, 80), rng.integers(-80, 80))]
            box = [(x, x + width) for x in start]
            losses = []
            for _ in range(12):
                W = [a + width * Fraction(int(rng.integers(9)), 8) for a in start]
                for _ in range(12):
                    b = [Fraction(int(x), 64) for x in rng.integers(-40, 40, 2)]
                    losses.append((cost(one, W, b), b))
            least, best = min(losses)
            bound = one.bound(box, [x + width / 2 for x in start], best)
            assert bound <= least
            closest = min(closest, float((least - bound) / least))
    assert closest < 0.05


def cost(one, W, b):
    parts = [one.convex(i, y) for i, y in enumerate(one.rows(W, b))]
    errors = [value - slope[i] for i, (value, slope) in enumerate(parts)]
    return checker.dot(one.importance, errors)


def test_a_wrong_constant_of_the_theorem_would_be_noticed(saved, monkeypatch):
    """The tree is too coarse for a curvature that is a little larger: bounds are not slack."""
    convex = checker.Model.convex

    def steeper(self, i, y):
        value, slope = convex(self, i, y)
        return value, [s * Fraction(21, 20) for s in slope]

    monkeypatch.setattr(checker.Model, "convex", steeper)
    assert wrong(saved) is not None


def test_leaves_cover_the_root_box_once():
    """Volumes of the leaves add up to that of the root, whatever the tree."""
    root = [(Fraction(0), Fraction(2)), (Fraction(-1), Fraction(1))]
    tree = "01..10..1.o"
    boxes = list(checker.leaves(tree, root))
    assert "".join(mark for mark, _ in boxes) == "....." + "o"
    volume = [(b - a) * (d - c) for _, ((a, b), (c, d)) in boxes]
    assert sum(volume) == 4
    rng = np.random.default_rng(4)
    for _ in range(50):
        x, y = (Fraction(int(v), 97) for v in (rng.integers(1, 194), rng.integers(-96, 97)))
        inside = [((a, b), (c, d)) for _, ((a, b), (c, d)) in boxes if a <= x <= b and c <= y <= d]
        assert len(inside) >= 1


def imports(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{'.' * node.level}{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_the_checker_is_short_and_imports_the_standard_library_alone():
    path = Path(checker.__file__)
    assert len(path.read_text(encoding="utf-8").splitlines()) < 150
    assert {name.split(".")[0] for name in imports(path)} <= STANDARD
    assert "__import__" not in path.read_text(encoding="utf-8")


def test_nothing_of_the_package_imports_the_checker():
    users = [
        str(path)
        for path in PACKAGE.rglob("*.py")
        if any("certified.checker" in name for name in imports(path))
    ]
    assert users == []


def test_the_checker_runs_as_a_file_of_its_own(saved, tmp_path):
    """Copied elsewhere, without the package, site-packages or environment."""
    alone = tmp_path / "checker.py"
    alone.write_text(Path(checker.__file__).read_text())
    command = [sys.executable, "-I", "-S", str(alone), save(saved, tmp_path / "c.gz"), "3"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "all that was drawn holds\n")
