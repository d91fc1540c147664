"""The explorer: its minima, and the page as a browser shows it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import permutations, product
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imread
from oracles import mpmath_loss

import phasediagram as phd
from phasediagram.cli import main
from phasediagram.explorer import (
    ExploredModel,
    View,
    explore,
    explorer_page,
    local_minima,
    write_explorer,
)
from phasediagram.explorer import data as explorer_data
from phasediagram.explorer import page as explorer_page_module
from phasediagram.naming.orientation import upright
from phasediagram.plotting import phase_style

REFERENCE = json.loads(
    (Path(__file__).parent / "reference" / "all_minima.json").read_text(encoding="utf-8")
)
SIZES = ((2, 1), (3, 2))
FULL = np.geomspace(1, 0.01, 7), np.geomspace(0.1, 10, 7)
CORNER = np.geomspace(1, 0.45, 5), np.geomspace(0.5, 2, 5)
AXES = {"paper’s axes": FULL, "</script> \u2028 & corner": CORNER}
DEFAULT_MINIMA = {2: 12_700, 3: 17_400}  # of both views at the default grid
LIMIT = 2_000_000


def _curve(density, relative_importance, order, kind):
    place = np.array(density), np.array(relative_importance)
    return phd.Boundary(*place, ("ignored", "antipodal"), order, kind)


def _boundaries(n, m):
    """One line of each kind and one point, where the small grids are: only to be drawn."""
    lines = (
        _curve([0.2, 0.3, 0.5], [0.11, 0.2, 0.55], 1, "equilibrium"),
        _curve([0.6, 0.8], [0.65, 0.85], 2, "equilibrium"),
        _curve([0.1, 0.6], [0.3, 1.5], None, "spinodal"),
    )
    point = phd.SpecialPoint(0.5202477368, 0.5740419074, "tricritical point", ("ignored",))
    return phd.PhaseBoundaries(lines, (point,), n, m, "free")


@pytest.fixture(scope="module")
def diagrams():
    return {size: [phd.phase_diagram(*axes, *size) for axes in AXES.values()] for size in SIZES}


@pytest.fixture(scope="module")
def models(diagrams):
    return tuple(
        ExploredModel(
            tuple(
                View(title, local_minima(diagram))
                for title, diagram in zip(AXES, diagrams[size], strict=True)
            ),
            _boundaries(*size),
        )
        for size in SIZES
    )


@pytest.fixture(scope="module")
def all_minima(models):
    return [view.minima for model in models for view in model.views]


def _places(minima):
    """Return density (k, 1) and importances (k, n) of every minimum."""
    count = minima.count.ravel()
    p, r = (
        a.ravel() for a in np.meshgrid(minima.density, minima.relative_importance, indexing="ij")
    )
    importance = np.ones((len(minima.loss), minima.n_features))
    importance[:, -1] = np.repeat(r, count)
    return np.repeat(p, count)[:, None], importance


def _distance(W, b, other_W, other_b):
    """Return the largest difference of W^T W and b, up to the order of the other features."""
    n = len(b)
    gram, other = W.T @ W, other_W.T @ other_W
    orders = ([*order, n - 1] for order in permutations(range(n - 1)))
    return min(
        max(np.abs(gram[np.ix_(o, o)] - other).max(), np.abs(b[o] - other_b).max()) for o in orders
    )


# ---- minima ----


def test_the_lowest_is_that_of_the_diagram(diagrams, models):
    for model, size in zip(models, SIZES, strict=True):
        for view, diagram in zip(model.views, diagrams[size], strict=True):
            minima = view.minima
            for row, column in np.ndindex(diagram.loss.shape):
                here = minima.at(row, column)
                lowest = here.start
                assert minima.loss[lowest] <= diagram.loss[row, column] * (1 + 1e-9)
                assert minima.loss[lowest] == pytest.approx(diagram.loss[row, column], rel=1e-9)
                assert minima.phase[lowest] == diagram.phase[row, column]
                assert (np.diff(minima.loss[here]) >= -1e-12 * minima.loss[lowest]).all()


@pytest.mark.parametrize(
    ("model", "view", "row", "column"),
    [(0, 0, 2, 2), (0, 0, 5, 1), (0, 1, 3, 1), (0, 1, 2, 3), (1, 0, 3, 4), (1, 1, 3, 1)],
)
def test_minima_are_those_that_solve_finds_from_many_starts(models, model, view, row, column):
    minima = models[model].views[view].minima
    place = minima.density[row], minima.relative_importance[column]
    solution = phd.solve(*map(float, place), *SIZES[model])
    expected = [
        minimum
        for minimum in solution.minima
        if (minimum.b + np.maximum(minimum.gram, 0).sum(axis=1) > 0).all()  # all outputs switch on
    ]
    here = minima.at(row, column)
    assert minima.loss[here] == pytest.approx([m.loss for m in expected], rel=1e-9)
    assert minima.phase[here].tolist() == [m.phase for m in expected]
    for W, b, minimum in zip(minima.W[here], minima.b[here], expected, strict=True):
        assert _distance(W, b, minimum.W, minimum.b) < 1e-6


@pytest.mark.parametrize("n", [2, 3])
def test_minima_are_those_of_the_reference(n):
    """On a line of a few densities, the middle one that of an entry."""
    for entry in [e for e in REFERENCE if e["n_features"] == n][:8]:
        density = entry["density"] * np.array([0.9, 1.0, min(1.1, 1 / entry["density"])])
        minima = local_minima(phd.phase_diagram(density, [entry["relative_importance"]], n, n - 1))
        expected = sorted(minimum["loss"] for minimum in entry["minima"])
        assert minima.loss[minima.at(1, 0)] == pytest.approx(expected, rel=1e-9)


def test_minima_of_one_point_have_different_names(all_minima):
    for minima in all_minima:
        for row, column in np.ndindex(minima.count.shape):
            names = minima.phase[minima.at(row, column)].tolist()
            assert len(set(names)) == len(names)


def test_where_starts_come_from_changes_nothing(diagrams, models):
    for rng in (0, 1):
        minima = local_minima(diagrams[2, 1][1], rng=rng)
        expected = models[0].views[1].minima
        assert minima.phase.tolist() == expected.phase.tolist()
        np.testing.assert_allclose(minima.loss, expected.loss, rtol=1e-12)


def test_losses_are_those_of_the_weights_and_stationary(all_minima):
    for minima in all_minima:
        loss, by_W, by_b = phd.expected_loss_and_gradient(minima.W, minima.b, *_places(minima))
        np.testing.assert_allclose(minima.loss, loss, rtol=1e-12)
        assert np.abs(by_W).max() < 1e-9
        assert np.abs(by_b).max() < 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_losses_are_exact(all_minima, seed):
    """Against truncated power sums in 40 digits."""
    minima = all_minima[seed]
    for k in np.random.default_rng(seed).integers(0, len(minima.loss), 3):
        density, importance = (values[k] for values in _places(minima))
        exact = mpmath_loss(minima.W[k], minima.b[k], np.full(len(importance), density), importance)
        assert minima.loss[k] == pytest.approx(float(exact), rel=1e-13)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), length=st.sampled_from([1e-4, 1e-3]))
def test_no_loss_close_by_is_lower(all_minima, seed, length):
    rng = np.random.default_rng(seed)
    for minima in all_minima:
        W = minima.W + length * rng.normal(size=minima.W.shape)
        b = minima.b + length * rng.normal(size=minima.b.shape)
        nearby = phd.expected_loss(W, b, *_places(minima))
        assert (nearby >= minima.loss * (1 - 1e-10)).all()


def test_no_minimum_is_listed_twice(all_minima):
    for minima in all_minima:
        for row, column in np.ndindex(minima.count.shape):
            here = minima.at(row, column)
            states = list(zip(minima.W[here], minima.b[here], strict=True))
            for i, j in product(range(len(states)), repeat=2):
                assert i == j or _distance(*states[i], *states[j]) > 1e-4


@settings(max_examples=60, deadline=None)
@given(
    m=st.sampled_from([1, 2]),
    angle=st.floats(0, 6.28),
    flip=st.booleans(),
    seed=st.integers(0, 999),
)
def test_upright_weights_do_not_depend_on_how_they_were_turned(m, angle, flip, seed):
    W = np.random.default_rng(seed).normal(size=(4, m, m + 1))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])[:m, :m]
    turn = (turn if m == 2 else np.ones((1, 1))) * (np.array([-1, 1])[:m, None] if flip else 1)
    once = upright(W)
    np.testing.assert_allclose(np.swapaxes(once, 1, 2) @ once, np.swapaxes(W, 1, 2) @ W, atol=1e-12)
    np.testing.assert_allclose(upright(turn @ W), once, atol=1e-9)
    longest = np.linalg.norm(W[:, :, :-1], axis=1).argmax(axis=1)
    for turned, along in (
        (once, once[np.arange(4), :, longest]),
        (upright(W, 0), upright(W, 0)[:, :, 0]),
    ):
        np.testing.assert_allclose(
            np.abs(np.linalg.det(turned[:, :, :m])), np.abs(np.linalg.det(W[:, :, :m]))
        )
        assert (along[:, 0] > 0).all()
        assert np.abs(along[:, 1:]).max(initial=0) < 1e-12


def test_upright_without_the_feature_that_should_point_along_the_axis():
    dedicated = np.array([[[0.0, -1.0]]])
    np.testing.assert_array_equal(upright(dedicated, 0), [[[0.0, 1.0]]])
    np.testing.assert_array_equal(upright(np.zeros((2, 3))), np.zeros((2, 3)))
    extra = np.array([[0.0, 0.0, 0.6], [0.0, 0.0, -0.8]])
    np.testing.assert_allclose(upright(extra), [[0, 0, 1], [0, 0, 0]], atol=1e-15)


def test_explore_traces_on_an_executor_or_here(monkeypatch):
    monkeypatch.setattr(explorer_data, "phase_boundaries", _boundaries)
    shares = []
    (here,) = explore([(2, 1)], 5, shares.append)
    with ThreadPoolExecutor(1) as executor:
        (there,) = explore([(2, 1)], 5, executor=executor)
    assert [view.title for view in here.views] == ["paper’s axes", "dense corner"]
    for one, other in zip(here.views, there.views, strict=True):
        np.testing.assert_array_equal(one.minima.loss, other.minima.loss)
    assert here.views[0].minima.relative_importance[2] == 1
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": [(5, 4)]}, "n_features and n_hidden must be 2 and 1, or 3 and 2, to explore"),
        ({"sizes": []}, "at least one"),
        ({"sizes": [(2, 1), (2, 1)]}, "different models"),
        ({"grid": 4}, "grid must be between 5 and 201, got 4"),
        ({"executor": 3}, "executor must be None or"),
    ],
)
def test_bad_arguments(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        write_explorer(tmp_path / "page.html", **arguments)
    assert not list(tmp_path.iterdir())


# ---- the command ----


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--features", "5"], "n_features and n_hidden must be 2 and 1, or 3 and 2, to explore"),
        (["--features", "3", "--hidden", "1"], "got 3 and 1"),
        (["--hidden", "1"], "--hidden needs --features"),
        (["--grid", "500"], "grid must be between 5 and 201, got 500"),
        (["-o", "page.png"], "output must end in one of .html, got 'page.png'"),
        (["-o", "nowhere/page.html"], "output must be in an existing directory"),
    ],
)
def test_the_command_refuses_before_any_work(arguments, message, capsys, monkeypatch):
    monkeypatch.setattr(explorer_page_module, "explore", None)
    assert main(["explore", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("phasediagram explore: error: ")
    assert message in error


@pytest.mark.parametrize(("arguments", "sizes"), [([], SIZES), (["--features", "3"], ((3, 2),))])
def test_the_command_says_what_it_wrote(arguments, sizes, models, tmp_path, monkeypatch, capsys):
    asked = []

    def canned(sizes, grid, progress, executor):
        asked.append((tuple(sizes), grid))
        return models

    monkeypatch.setattr(explorer_page_module, "explore", canned)
    monkeypatch.chdir(tmp_path)
    assert main(["explore", *arguments]) == 0
    size = (tmp_path / "explorer.html").stat().st_size / 1e6
    assert capsys.readouterr().out == f"wrote explorer.html ({size:.2f} MB)\n"
    assert asked == [(sizes, 65)]


# ---- the page ----


def _browser_missing(reason):
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver")
    binary = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        _browser_missing("needs chromium and chromedriver (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1280,1000",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield started
    started.quit()


@pytest.fixture(scope="module")
def written(models, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "explorer.html"
    path.write_text(explorer_page(models), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, written):
    """The page, just loaded."""
    _open(browser, written)
    return browser


def _open(browser, path, place=""):
    browser.get("about:blank")
    browser.get(path.as_uri() + place)
    browser.execute_async_script("window.phasediagram.ready.then(arguments[arguments.length - 1])")


def _find(browser, selector):
    return browser.find_element("css selector", selector)


def _state(browser):
    return browser.execute_script("return window.phasediagram.state()")


def _minima_shown(browser):
    """Return phase and loss of each row of the list."""
    rows = browser.find_elements("css selector", "#minima-list label")
    cells = [row.find_elements("css selector", "span:not(.chip)") for row in rows]
    return [(phase.text, float(loss.text)) for phase, loss, _ in cells]


def _table(browser, selector):
    """Return the numbers of a table, with all their digits and as they are shown."""
    rows = browser.execute_script(
        "return [...document.querySelectorAll(arguments[0] + ' tr')].map((row) => "
        "[...row.querySelectorAll('td')].map((cell) => [cell.title, cell.textContent]))",
        selector,
    )
    exact, displayed = np.array([row for row in rows if row]).transpose(2, 0, 1)
    return exact.astype(float), np.char.replace(displayed, "−", "-").astype(float)


def _at(browser, *place):
    return browser.execute_script("return window.phasediagram.at(...arguments)", *place)


def _move_to(browser, row, column, click=False):
    """Point at a grid point of the first view."""
    from selenium.webdriver import ActionChains

    diagram = _find(browser, "#diagram")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", diagram)
    half = diagram.size["width"] / 2
    offset = (round(half * (place / 3 - 1) * 0.99) for place in (column, row))
    action = ActionChains(browser, 0).move_to_element_with_offset(diagram, *offset)
    (action.click() if click else action).perform()


def _picture(browser):
    """Return the diagram as it is on the screen, without the edge that it shares with its frame."""
    png = base64.b64decode(_find(browser, "#diagram").screenshot_as_base64)
    return imread(BytesIO(png))[2:-2, 2:-2, :3]


def _changed(before, after):
    """Return how many pixels changed visibly."""
    return int((np.abs(after - before).max(axis=2) > 0.05).sum())


def test_the_page_loads_alone_and_without_complaint(browser, written):
    browser.get_log("performance")
    browser.get_log("browser")
    _open(browser, written)
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requests = [
        (message["params"]["documentURL"], message["params"]["request"]["url"])
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert not [
        url for _, url in requests if urlsplit(url).scheme in ("http", "https", "ws", "wss")
    ]
    own = [url for document, url in requests if document == written.as_uri()]
    assert [url for url in own if not url.startswith("data:")] == [written.as_uri()]
    assert [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"] == []


def test_every_number_is_python_s_to_the_last_bit(opened, models):
    for i, model in enumerate(models):
        for j, view in enumerate(model.views):
            minima = view.minima
            for row, column in np.ndindex(minima.count.shape):
                found = _at(opened, i, j, row, column)
                here = minima.at(row, column)
                assert found["density"] == minima.density[row]
                assert found["relative_importance"] == minima.relative_importance[column]
                assert [one["phase"] for one in found["minima"]] == minima.phase[here].tolist()
                assert [one["loss"] for one in found["minima"]] == minima.loss[here].tolist()
                assert [one["W"] for one in found["minima"]] == minima.W[here].tolist()
                assert [one["b"] for one in found["minima"]] == minima.b[here].tolist()


def test_the_page_agrees_with_the_diagram(opened, diagrams):
    for i, size in enumerate(SIZES):
        for j, diagram in enumerate(diagrams[size]):
            for row, column in [(0, 1), (2, 2), (3, 4), (4, 3)]:
                lowest = _at(opened, i, j, row, column)["minima"][0]
                assert lowest["loss"] == pytest.approx(diagram.loss[row, column], rel=1e-12)
                assert lowest["phase"] == diagram.phase[row, column]
                W, b = np.array(lowest["W"]), np.array(lowest["b"])
                assert _distance(W, b, diagram.W[row, column], diagram.b[row, column]) < 1e-9


def test_hovering_shows_the_point_and_a_click_pins_it(opened, models):
    minima = models[0].views[0].minima
    for row, column in [(5, 4), (2, 1)]:
        _move_to(opened, row, column)
        here = minima.at(row, column)
        shown = _minima_shown(opened)
        assert [phase for phase, _ in shown] == minima.phase[here].tolist()
        # ten digits
        assert [loss for _, loss in shown] == [float(f"{x:.9e}") for x in minima.loss[here]]
        assert _find(opened, "#phase").text == minima.phase[here.start]
        place = _find(opened, "#place").text
        assert f"= {minima.density[row]:.4g}," in place
        assert place.endswith(f"= {minima.relative_importance[column]:.4g}")
    _move_to(opened, 3, 3, click=True)
    pinned = _find(opened, "#place").text
    _move_to(opened, 1, 1)
    assert _find(opened, "#place").text == pinned
    _find(opened, "#pin").click()
    _move_to(opened, 1, 1)
    assert _find(opened, "#place").text != pinned


def test_a_metastable_minimum_can_be_chosen(opened, models):
    minima = models[1].views[0].minima
    row, column = np.argwhere(minima.count > 1)[-1]
    opened.find_elements("css selector", "#models input")[1].click()
    _move_to(opened, row, column, click=True)
    here = minima.at(row, column)
    assert (_state(opened)["row"], _state(opened)["column"]) == (row, column)
    opened.find_elements("css selector", "#minima-list input")[1].click()
    k = here.start + 1
    assert _find(opened, "#phase").text == f"{minima.phase[k]} (metastable)"
    exact, displayed = _table(opened, "#parameters")
    np.testing.assert_array_equal(exact, [*minima.W[k], minima.b[k]])
    np.testing.assert_allclose(displayed, exact, rtol=0, atol=0.50001e-4)
    gram, displayed = _table(opened, "#gram")
    np.testing.assert_allclose(gram, minima.W[k].T @ minima.W[k], rtol=0, atol=1e-15)
    np.testing.assert_allclose(displayed, gram, rtol=0, atol=0.50001e-4)


def test_arrows_are_the_weights(opened, models):
    """The tips of the arrows, in the units of the drawing, are the columns of W."""
    opened.find_elements("css selector", "#models input")[1].click()
    for row, column in [(5, 1), (4, 5)]:
        _move_to(opened, row, column, click=True)
        minima = models[1].views[0].minima
        W = minima.W[minima.at(row, column).start]
        tips = [
            [float(value) for value in path.get_attribute("d")[1:].split("L")[0].split(",")]
            for path in opened.find_elements("css selector", "#arrows path")
        ]
        np.testing.assert_allclose(tips, (W * [[1], [-1]]).T, atol=1e-12)


def test_the_keyboard_moves_pins_and_chooses(opened):
    from selenium.webdriver import ActionChains, Keys

    diagram = _find(opened, "#diagram")
    diagram.send_keys(Keys.ARROW_UP)
    before = _state(opened)
    assert before["pinned"]
    diagram.send_keys(Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    after = _state(opened)
    assert (after["row"], after["column"]) == (before["row"] + 1, before["column"] + 2)
    diagram.send_keys(Keys.SHIFT, Keys.ARROW_LEFT)
    assert _state(opened)["column"] == 0  # stops at the edge
    diagram.send_keys(Keys.ESCAPE)
    assert not _state(opened)["pinned"]
    diagram.send_keys(Keys.ENTER)
    assert _state(opened)["pinned"]
    assert opened.execute_script("return document.activeElement.id") == "diagram"
    outline = opened.execute_script("return getComputedStyle(arguments[0]).outlineStyle", diagram)
    assert outline == "solid"
    _find(opened, "#density").send_keys(Keys.ARROW_RIGHT)  # denser is up
    assert _state(opened)["row"] == after["row"] - 1
    _find(opened, "#importance").send_keys(Keys.END)
    assert _state(opened)["column"] == len(FULL[1]) - 1
    time.sleep(0.4)  # announcements wait for the last of quick moves
    assert _find(opened, "#live").get_attribute("textContent").startswith("p = ")
    reached = []
    opened.execute_script("document.activeElement.blur()")
    for _ in range(30):
        ActionChains(opened, 0).send_keys(Keys.TAB).perform()
        reached.append(
            opened.execute_script(
                "const at = document.activeElement; return at.id || at.name || at.tagName"
            )
        )
    wanted = {"diagram", "density", "importance", "pin", "model", "view", "minimum", "first order"}
    assert wanted <= set(reached)


@pytest.mark.parametrize("layer", ["first order", "continuous", "spinodal", "special points"])
def test_lines_and_points_can_be_switched_by_keyboard(opened, layer):
    from selenium.webdriver import Keys

    _find(opened, "#views label:nth-of-type(2) input").click()
    _find(opened, "#pin").click()  # so that the mouse, wherever it is, changes nothing
    switch = _find(opened, f"#layers input[name='{layer}']")
    group = _find(opened, f"#overlay [data-layer='{layer}']")
    assert switch.is_selected()
    with_layer = _picture(opened)
    switch.send_keys(Keys.SPACE)
    assert not group.is_displayed()
    assert _changed(with_layer, _picture(opened)) > 30
    switch.send_keys(Keys.SPACE)
    assert _changed(with_layer, _picture(opened)) == 0


def test_regions_have_the_colours_of_the_lowest_phases(opened, diagrams):
    """At grid points that no line comes close to, those of the drawing."""
    for i, size in enumerate(SIZES):
        opened.find_elements("css selector", "#models input")[i].click()
        diagram = diagrams[size][0]
        for row, column in np.ndindex(diagram.loss.shape):
            if not _near_a_line(diagram, row, column):
                pixel = opened.execute_script(
                    "const canvas = document.getElementById('regions'), last = canvas.width - 1;"
                    "const [x, y] = [...arguments].map((share) => Math.round(share * last));"
                    "return [...canvas.getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3)",
                    column / 6,
                    row / 6,
                )
                expected = bytes.fromhex(phase_style(diagram.phase[row, column]).color[1:])
                assert bytes(pixel) == expected, (row, column)


def _near_a_line(diagram, row, column):
    place = np.log([diagram.density[row], diagram.relative_importance[column]])
    for line in _boundaries(2, 1).boundaries:
        p, r = np.log(line.density), np.log(line.relative_importance)
        t = np.linspace(0, len(p) - 1, 500)
        along = np.stack([np.interp(t, np.arange(len(p)), values) for values in (p, r)], axis=1)
        if np.linalg.norm(along - place, axis=1).min() < 0.06:
            return True
    return False


def test_the_address_keeps_a_pinned_point(opened, written):
    opened.find_elements("css selector", "#models input")[1].click()
    _move_to(opened, 2, 3, click=True)
    address = opened.execute_script("return location.hash")
    kept = _state(opened)
    _open(opened, written, address)
    assert _state(opened) == kept
    _open(opened, written, "#features=7&row=x")
    assert _state(opened)["model"] == 0
    _open(opened, written, "#features=3&view=9&row=-4&column=999&minimum=99")
    found = _state(opened)
    assert (found["view"], found["row"], found["column"]) == (1, 0, len(CORNER[1]) - 1)


def test_names_cannot_break_out_of_the_data(opened):
    labels = [label.text for label in opened.find_elements("css selector", "#views label")]
    assert labels == [" ".join(title.split()) for title in AXES]


def test_the_page_says_where_its_numbers_come_from(opened):
    about = _find(opened, "#about").text
    assert f"phasediagram {phd.__version__}" in about
    assert "n_features=3, n_hidden=2, weights='free'" in about
    assert "1e-13" in about
    assert "7 × 7" in about


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_colour_schemes(opened, scheme):
    """The contrast that WCAG 2.2 AA asks for, 4.5, by its formula."""
    features = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
    script = """
        const color = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
        return ['#place', '#meaning', '.hint', '.lede', '#about'].map((selector) => {
          const at = document.querySelector(selector), card = at.closest('.card') ?? document.body;
          return [color(getComputedStyle(at).color), color(getComputedStyle(card).backgroundColor)];
        })"""
    pairs = np.array(opened.execute_script(script)) / 255
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    linear = np.where(pairs <= 0.04045, pairs / 12.92, ((pairs + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert (luminance[:, 1] > 0.5).all() if scheme == "light" else (luminance[:, 1] < 0.1).all()
    brighter, darker = luminance.max(axis=1), luminance.min(axis=1)
    assert ((brighter + 0.05) / (darker + 0.05)).min() >= 4.5


def test_a_narrow_screen_needs_no_sideways_scrolling(opened):
    screen = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        for model in opened.find_elements("css selector", "#models input"):
            model.click()
            width = opened.execute_script("return document.documentElement.scrollWidth")
            assert width <= 360
            assert 200 < _find(opened, "#diagram").size["width"] < 360
    finally:
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_page_of_one_model_has_no_switch(browser, models, tmp_path):
    path = tmp_path / "one.html"
    path.write_text(explorer_page(models[1:]), encoding="utf-8")
    _open(browser, path)
    assert not _find(browser, "#models").is_displayed()
    assert "3 features in 2 dimensions" in _find(browser, "h1").text


def test_the_default_page_stays_below_two_megabytes(models, written):
    """Scaled from small grids, which compress less: the default page has 1.37 MB."""
    empty = len(explorer_page(models)) - sum(_packed_length([model]) for model in models)
    estimate = empty + sum(
        _packed_length([model])
        * DEFAULT_MINIMA[model.n_features]
        / sum(len(view.minima.loss) for view in model.views)
        for model in models
    )
    assert written.stat().st_size < LIMIT
    curves = 150_000  # of the traced boundaries of both models
    assert estimate + curves < LIMIT


def _packed_length(models):
    page = explorer_page(models)
    return len(page.split('id="packed">')[1].split("<")[0])
