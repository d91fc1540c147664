"""Pages of other models and on other axes: what they solve, against Python, and their use."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from browsing import Page
from test_page import DIAGRAM, press, type_into

import phasediagram as phd
from phasediagram.cli import main
from phasediagram.explorer import explorer_page, write_explorer
from phasediagram.minima.solving import minima_in_plane
from phasediagram.minima.symmetry import space_of_parameters
from phasediagram.parameters import plane_of

RELATIVE = 1e-12
FAR = 1.4  # times the lowest loss
PAIRS = [phd.correlated(0, 1, correlation=0.3), phd.anticorrelated(2, 3)]
DENSITY = phd.Axis("density", 0.05, 0.9)
LAW = np.random.default_rng(4).dirichlet(np.ones(8))


def linear(name, start, stop):
    return phd.Axis(name, start, stop, scale="linear")


# a model, its axes x and y, and what is held
CASES = {
    "no bias": (phd.ToyModel(2, bias=False), phd.Axis("relative_importance", 0.3, 3), DENSITY, {}),
    "penalty": (phd.ToyModel(2), phd.Axis("interference_penalty", 1e-3, 0.1), DENSITY, {}),
    "decay": (
        phd.ToyModel(3, 2, weight_decay=0.1),
        phd.Axis("weight_decay", 1e-5, 1e-2),
        phd.Axis("importance[0]", 0.5, 2),
        {"density": 0.3, "importance": [1.0, 0.8, 0.6]},
    ),
    "relative density": (
        phd.ToyModel(3, 2, interference_penalty=0.01),
        phd.Axis("relative_density", 0.2, 1),
        DENSITY,
        {"relative_importance": 0.9},
    ),
    "one density": (
        phd.ToyModel(3, 2),
        linear("density[1]", 0.1, 0.9),
        phd.Axis("relative_importance", 0.2, 5),
        {"density": [0.3, 0.3, 0.2], "relative_density": 0.7},
    ),
    "hierarchy": (
        phd.ToyModel(2, 1, groups=[phd.hierarchical(0, 1)]),
        linear("follow", 0.1, 1),
        DENSITY,
        {},
    ),
    "activity": (
        phd.ToyModel(3, 2, activity=LAW),
        phd.Axis("importance[1]", 0.3, 3),
        phd.Axis("relative_importance", 0.3, 3),
        {},
    ),
    "linear": (
        phd.ToyModel(3, 2, activation="linear"),
        phd.Axis("relative_importance", 0.3, 3),
        DENSITY,
        {"importance": [1.0, 1.7, 1.0]},
    ),
    "groups": (phd.ToyModel(4, 2, groups=PAIRS), linear("correlation", 0, 1), DENSITY, {}),
    "one dimension": (
        phd.ToyModel(4, 1, groups=[phd.correlated(1, 3)], bias=False),
        phd.Axis("density[1]", 0.1, 0.9),
        phd.Axis("density", 0.1, 0.9),
        {},
    ),
}


def untraced(case):
    """Boundaries without curves, which is all that the solver needs."""
    model, x, y, held = CASES[case]
    plane = plane_of(model, (y, x), **{"density": None, **held})
    found = phd.PhaseBoundaries(
        (), (), model.n_features, model.hidden, "free", model=model, x=x, y=y, held=plane.held
    )
    return found, plane


def places(case, count, seed=0):
    """Random values of the axes, rows first."""
    _, x, y, _ = CASES[case]
    shares = np.random.default_rng(seed).random((count, 2))
    ends = [axis.coordinates([axis.start, axis.stop]) for axis in (y, x)]
    columns = [
        axis.at(low + share * (high - low))
        for axis, share, (low, high) in zip((y, x), shares.T, ends, strict=True)
    ]
    return np.stack(columns, axis=1)


@pytest.fixture(scope="module")
def pages(browser, tmp_path_factory):
    """A page of each case, written once."""
    folder, written = tmp_path_factory.mktemp("pages"), {}

    def opened(case):
        if case not in written:
            path = folder / f"{len(written)}.html"
            path.write_text(explorer_page([untraced(case)[0]]), encoding="utf-8")
            assert path.stat().st_size < 500_000
            written[case] = Page(browser, path)
        return written[case].open()

    return opened


@pytest.mark.parametrize("case", CASES)
def test_parameters_are_pythons(pages, case):
    page, (_, plane) = pages(case), untraced(case)
    values = places(case, 40)
    script = "return arguments[0].map((place) => window.phasediagram.parametersHere(...place))"
    positions = plane.coordinates(tuple(values.T))
    settings, naming = plane.settings(positions), plane.naming_densities(positions)
    space = space_of_parameters
    for k, found in enumerate(page.run(script, values.tolist())):
        at = plane.at(positions[k])
        n = len(at.importance)
        np.testing.assert_allclose(found["table"], at.table[: 1 << n], rtol=RELATIVE, atol=1e-15)
        np.testing.assert_allclose(found["importance"], at.importance, rtol=RELATIVE)
        for name, key in (("interference", "interference_penalty"), ("decay", "weight_decay")):
            assert found[name] == pytest.approx(float(getattr(settings, key)[k]), rel=RELATIVE)
        assert found["naming"] == pytest.approx(float(naming[k]), rel=RELATIVE)
        orders = space(plane.model, [at], plane.model.hidden).orders
        assert sorted(found["orders"]) == sorted(orders.tolist())


@pytest.mark.parametrize("case", CASES)
def test_losses_and_derivatives_are_pythons(pages, case):
    page, (_, plane) = pages(case), untraced(case)
    model, rng = plane.model, np.random.default_rng(1)
    n, m = model.n_features, model.hidden
    values = places(case, 40, seed=1)
    networks = [
        (rng.normal(size=(m, n)), 0.4 * rng.normal(size=n) * model.bias) for _ in range(len(values))
    ]
    cases = [[W.tolist(), b.tolist(), *p] for (W, b), p in zip(networks, values, strict=True)]
    script = "return arguments[0].map((one) => window.phasediagram.evaluateHere(...one))"
    for k, found in enumerate(page.run(script, [[W, b, *map(float, p)] for W, b, *p in cases])):
        W, b = networks[k]
        position = plane.coordinates(tuple(values[k : k + 1].T))[0]
        here, density, importance = plane.assumed(position)
        loss, by_W, by_b = phd.expected_loss_and_gradient(W, b, density, importance, model=here)
        assert found["loss"] == pytest.approx(float(loss), rel=RELATIVE)
        gradient = np.concatenate([by_W.ravel(), by_b])
        scale = 1 + np.abs(gradient).max()
        np.testing.assert_allclose(found["gradient"], gradient, rtol=0, atol=1e-12 * scale)
        size = m * n + n
        hessian = phd.expected_loss_hessian(W, b, density, importance, model=here)
        np.testing.assert_allclose(
            np.reshape(found["hessian"], (size, size)), hessian, atol=1e-11 * np.abs(hessian).max()
        )
        plain = phd.ToyModel(
            n, m, activation=model.activation, groups=here.groups, activity=here.activity
        )
        errors = phd.expected_loss(W, b, density, importance, model=plain)
        assert np.dot(found["errors"], importance) == pytest.approx(float(errors), rel=RELATIVE)


@pytest.mark.parametrize("case", CASES)
def test_minima_are_pythons(pages, case):
    """All that Python finds up to 40 % above the lowest; what is found besides are minima."""
    page, (_, plane) = pages(case), untraced(case)
    n, m = plane.model.n_features, plane.model.hidden
    values = places(case, 3 if n == 4 else 12, seed=2)
    is_linear = plane.model.activation == "linear"
    for place in values:
        found = page.run("return window.phasediagram.solveHere(...arguments)", *map(float, place))
        losses = np.array([one["loss"] for one in found])
        position = plane.coordinates(tuple(place[None].T))[0]
        if is_linear:
            here, density, importance = plane.assumed(position)
            expected = phd.solve(density, importance=importance, model=here).minima
        else:
            expected = minima_in_plane(plane, m, position)
        assert losses[0] == pytest.approx(expected[0].loss, rel=RELATIVE)
        for minimum in expected:
            if minimum.loss > FAR * expected[0].loss:
                continue  # far above the lowest the page's few starts can miss one
            nearest = int(np.abs(losses - minimum.loss).argmin())
            assert losses[nearest] == pytest.approx(minimum.loss, rel=RELATIVE), (place, losses)
        if n < 4 and len(expected) == len(found):  # what distinguishes names depends on all minima
            names = sorted(one["phase"] for one in found)
            assert names == sorted(minimum.phase for minimum in expected)
        for one in found:
            assert one["slope"] < 1e-10
            assert one["curvature"] > -1e-9


def copied_python(page):
    page.run(
        "window.copied = null; Object.defineProperty(navigator, 'clipboard', {value:"
        " {writeText: async (text) => { window.copied = text; }}})"
    )
    page.find("#copy-python").click()
    names = {}
    code = page.run("return window.copied")
    exec(compile(code, "copied", "exec"), names)  # what the page wrote, in this test
    return names


@pytest.mark.parametrize("case", CASES)
def test_copies_are_runnable_python(pages, case):
    page = pages(case)
    names = copied_python(page)
    lowest = page.shown_minima()[0]
    assert names["solution"].loss == pytest.approx(lowest[1], rel=1e-11)
    assert float(names["loss"]) == pytest.approx(names["solution"].loss, rel=1e-9)
    assert names["model"].bias == CASES[case][0].bias


@pytest.mark.parametrize("case", ["hierarchy", "penalty"])
def test_a_page_on_other_axes_is_used_like_any(pages, case):
    """Its labels, pointer, typed numbers, address; no message on the console."""
    _, x, _, _ = CASES[case]
    symbol, phrase = {
        "hierarchy": ("f", "probability to follow f"),
        "penalty": ("λ", "interference penalty λ"),
    }[case]
    page = pages(case)
    page.driver.get_log("browser")
    page.settle()
    assert symbol in page.text("#place")
    assert symbol in page.text("#along-importance-title")
    assert page.text("#axes").count(symbol) >= 1
    window = page.state()["window"]
    low, high = (float(v) if x.scale == "linear" else np.log10(v) for v in (x.start, x.stop))
    assert (window["left"], window["right"]) == pytest.approx((low, high))
    press(page, DIAGRAM, (60, -40))
    page.settle()
    width = page.find(DIAGRAM).size["width"]
    place = low + (high - low) * (0.5 + 60 / width)
    value = place if x.scale == "linear" else 10**place
    assert page.state()["r"] == pytest.approx(value, rel=0.02)
    type_into(page, "#importance-number", "7")
    assert f"The {phrase} must be a number from {x.start:g} to {x.stop:g}" in page.text(
        "#place-message"
    )
    middle = float(np.sqrt(x.start * x.stop))
    type_into(page, "#importance-number", repr(middle))
    type_into(page, "#density-number", "0.37")
    page.settle()
    assert (page.state()["p"], page.state()["r"]) == (0.37, middle)
    plane = untraced(case)[1]
    expected = minima_in_plane(plane, 1, plane.coordinates(([0.37], [middle]))[0])
    assert page.shown_minima()[0][1] == pytest.approx(expected[0].loss, rel=RELATIVE)
    page.find("#descend").click()
    page.find("#train").click()
    page.find("#train").click()
    page.find("#reset").click()
    for key in ("+", "-", "0"):
        page.find(DIAGRAM).send_keys(key)
    page.settle()
    address = page.run("return location.hash")
    page.open(address)
    assert (page.state()["p"], page.state()["r"]) == (0.37, middle)
    assert page.driver.get_log("browser") == []


def test_without_biases_there_are_none_to_type(pages):
    page = pages("no bias").settle()
    assert len(page.all("#parameters input")) == 2
    page.run("document.getElementById('pasted').value = 'W = [[1, -1]]; b = [0, 0.1]'")
    page.find("#use-pasted").click()
    assert "b must be 0 in a model without biases" in page.text("#paste-message")
    page.run("document.getElementById('pasted').value = 'W = [[1, -0.5]]; b = [0, 0]'")
    page.find("#use-pasted").click()
    state = page.state()
    loss = phd.expected_loss(
        [[1, -0.5]], [0, 0], state["p"], [1, state["r"]], model=phd.ToyModel(2, bias=False)
    )
    assert page.loss() == pytest.approx(float(loss), rel=RELATIVE)


def test_the_command_writes_a_page_of_any_model(browser, tmp_path, capsys):
    """With curves, which its regions agree with: painted is the name of the lowest minimum."""
    path = tmp_path / "page.html"
    axes = ["--x", "interference_penalty", "0.002", "0.1", "--y", "density", "0.05", "1"]
    assert main(["explore", *axes, "--no-spinodals", "-o", str(path)]) == 0
    assert capsys.readouterr().out.startswith(f"wrote {path}")
    text = path.read_text(encoding="utf-8")
    (model,) = json.loads(text.split('id="content">')[1].split("</script>")[0])["models"]
    assert (model["y"]["name"], model["x"]["name"]) == ("density", "interference_penalty")
    assert len(model["curves"]) > 0
    page = Page(browser, path).open().settle()
    rng, compared = np.random.default_rng(3), 0
    for _ in range(40):
        place = np.exp(rng.uniform(np.log([0.05, 0.002]), np.log([1, 0.1])))
        solved = (
            [
                page.run("return window.phasediagram.solveHere(...arguments)[0].phase", *at)
                for at in (place * [a, b] for a in (0.985, 1.015) for b in (0.985, 1.015))
            ]
            if (place < [0.98, 0.098]).all() and (place > [0.052, 0.0021]).all()
            else [1, 2]
        )
        if len(set(solved)) > 1:
            continue
        compared += 1
        painted = page.run("return window.phasediagram.phaseAt(...arguments)", *map(float, place))
        assert painted == solved[0], place
    assert compared > 20
    special = model["special_points"]
    assert special
    for button, point in zip(page.all("#points button"), special, strict=True):
        page.run("arguments[0].click()", button)
        assert page.state()["p"] == pytest.approx(point["density"], rel=1e-9)


def test_several_models_share_a_page(browser, tmp_path):
    """Of one size, told apart by the switch and in the address."""
    path = tmp_path / "two.html"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_explorer(path, boundaries=[untraced("no bias")[0], untraced("penalty")[0]])
    page = Page(browser, path).open().settle()
    assert "bias=False" in page.text("#models label")
    page.all("#models input")[1].click()
    page.settle()
    assert "λ" in page.text("#place")
    page.open("#n=2&m=1&model=2&p=0.3&r=0.02")
    assert (page.state()["p"], page.state()["r"]) == (0.3, 0.02)
    assert "λ" in page.text("#place")
