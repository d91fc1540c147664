"""The page as people use it: pointer, touch, keyboard, typed numbers, and what it shows."""

from __future__ import annotations

import json
import time
from urllib.parse import urlsplit

import numpy as np
import pytest

import phasediagram as phd
from phasediagram.plotting import phase_style

DIAGRAM, ARROWS = "#diagram", "#arrows"


def drag(page, selector, start, end, steps=4):
    """Press at an offset from an element's middle, move, let go."""
    from selenium.webdriver import ActionChains

    actions = ActionChains(page.driver, 0)
    actions.move_to_element_with_offset(page.find(selector), *map(round, start)).click_and_hold()
    step = (np.array(end) - start) / steps
    for _ in range(steps):
        actions.move_by_offset(*map(round, step))
    actions.release().perform()
    time.sleep(0.1)


def press(page, selector, place):
    drag(page, selector, place, place, 1)


def type_into(page, selector, text):
    from selenium.webdriver import Keys

    field = page.find(selector)
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(Keys.DELETE, text, Keys.ENTER)


def weights(page):
    state = page.state()
    x, n, m = np.array(state["x"]), state["n"], state["m"]
    return x[: m * n].reshape(m, n), x[m * n :]


def table(page, selector):
    """The numbers of a table with all their digits, row by row."""
    script = (
        "return [...document.querySelectorAll(arguments[0] + ' tr')].map((row) => "
        "[...row.querySelectorAll('td[title], input')].map((cell) => Number(cell.title)))"
    )
    return [row for row in page.run(script, selector) if row]


def touch(page, kind, *points):
    points = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(points)]
    page.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def in_window(page, selector, shares):
    script = (
        "const box = document.querySelector(arguments[0]).getBoundingClientRect();"
        "return [box.left + arguments[1] * box.width, box.top + arguments[2] * box.height]"
    )
    return page.run(script, selector, *shares)


# ---- the point ----


def test_a_press_and_a_drag_move_the_point(page):
    page.settle()
    for density, relative_importance in [(0.2, 2.0), (0.7, 0.4)]:
        press(page, DIAGRAM, page.position(density, relative_importance))
        state = page.state()
        assert state["p"] == pytest.approx(density, rel=0.02)
        assert state["r"] == pytest.approx(relative_importance, rel=0.02)
        solution = phd.solve(state["p"], state["r"])
        assert page.shown_minima() == [
            (minimum.phase, pytest.approx(minimum.loss, rel=1e-12)) for minimum in solution.minima
        ]
        assert page.text("#phase").startswith(solution.phase)
    drag(page, DIAGRAM, page.position(0.7, 0.4), page.position(0.05, 5.0))
    assert page.state()["p"] == pytest.approx(0.05, rel=0.05)
    assert page.state()["r"] == pytest.approx(5.0, rel=0.05)


def test_typed_numbers_are_taken_exactly(page):
    type_into(page, "#density-number", "0.123456789012345")
    type_into(page, "#importance-number", "7e-1")
    page.settle()
    state = page.state()
    assert (state["p"], state["r"]) == (0.123456789012345, 0.7)
    loss = page.shown_minima()[0][1]
    assert loss == pytest.approx(phd.solve(state["p"], 0.7).loss, rel=1e-12)


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("density", "0", "The density p must be a number from 0.01 to 1, got “0”."),
        ("density", "NaN", "got “NaN”"),
        ("density", "2", "got “2”"),
        ("density", "dense", "got “dense”"),
        ("density", "", "got “”"),
        ("density", "0x1", "got “0x1”"),
        ("importance", "-1", "The relative importance r must be a number from 0.1 to 10, got “-1”"),
        ("importance", "Infinity", "got “Infinity”"),
        ("importance", "1,2,3", "got “1,2,3”"),
    ],
)
def test_bad_input_gets_a_message_and_changes_nothing(page, field, text, message):
    before = page.state()
    type_into(page, f"#{field}-number", text)
    assert message in page.text("#place-message")
    assert page.find("#place-message").is_displayed()
    assert page.find(f"#{field}-number").get_attribute("aria-invalid") == "true"
    assert (page.state()["p"], page.state()["r"]) == (before["p"], before["r"])
    type_into(page, f"#{field}-number", "0.5")
    page.settle()
    assert not page.find("#place-message").is_displayed()


def test_sliders_and_keys_move_the_point(page):
    from selenium.webdriver import ActionChains, Keys

    before = page.state()
    page.find("#density").send_keys(Keys.ARROW_RIGHT)
    page.settle()
    assert page.state()["p"] > before["p"]
    page.find("#importance").send_keys(Keys.END)
    page.settle()
    assert page.state()["r"] == 10
    diagram = page.find(DIAGRAM)
    diagram.send_keys(Keys.ARROW_LEFT)
    page.settle()
    left = page.state()["r"]
    assert left < 10
    diagram.send_keys(Keys.SHIFT, Keys.ARROW_LEFT)
    page.settle()
    assert np.log(left / page.state()["r"]) > 5 * np.log(10 / left)
    assert page.text("#live").startswith("p = ")
    page.run("document.activeElement.blur()")
    reached = set()
    for _ in range(45):
        ActionChains(page.driver, 0).send_keys(Keys.TAB).perform()
        reached.add(
            page.run(
                "const at = document.activeElement;"
                "return at.id || at.name || at.dataset.feature || at.dataset.at || at.tagName"
            )
        )
    wanted = {"diagram", "density", "density-number", "model", "minimum", "descend", "train"}
    assert wanted | {"0", "1", "basins-plane", "pasted", "zoom-in", "shade"} <= reached


def test_zoom_and_pan(page):
    from selenium.webdriver import ActionChains, Keys

    page.settle()
    press(page, DIAGRAM, page.position(0.51, 0.56))
    diagram = page.find(DIAGRAM)
    for _ in range(6):
        diagram.send_keys("+")
    window = page.state()["window"]
    assert window["right"] - window["left"] == pytest.approx(2 / 1.6**6)
    assert window["left"] < np.log10(page.state()["r"]) < window["right"]
    ActionChains(page.driver, 0).key_down(Keys.SHIFT).perform()
    point = page.state()["p"], page.state()["r"]
    drag(page, DIAGRAM, (0, 0), (100, 0))
    ActionChains(page.driver, 0).key_up(Keys.SHIFT).perform()
    panned = page.state()["window"]
    assert panned["left"] < window["left"]
    assert (page.state()["p"], page.state()["r"]) == point
    page.find("#zoom-all").click()
    assert page.state()["window"] == {"left": -1, "right": 1, "bottom": -2, "top": 0}
    page.run(
        "document.getElementById('diagram').dispatchEvent(new WheelEvent('wheel',"
        " {deltaY: -500, clientX: 300, clientY: 300, cancelable: true}))"
    )
    assert page.state()["window"]["right"] - page.state()["window"]["left"] < 1.5


@pytest.mark.parametrize("index", [0, 1])
def test_regions_have_the_phase_that_is_lowest(page, index):
    """Wherever no boundary is within two pixels, in the whole window and in a close-up."""
    page.all("#models input")[index].click()
    n = page.state()["n"]
    rng = np.random.default_rng(index)
    views = [(-1, 1, -2, 0), (-0.3, 0.3, -0.3, 0)]
    for left, right, bottom, top in views:
        page.open(f"#n={n}&m={n - 1}&p=0.3&r=0.5&view={left} {right} {bottom} {top}").settle()
        logs = rng.uniform([bottom, left], [top, right], (40, 2))
        compared = 0
        for log_p, log_r in logs:
            around = [
                (
                    10 ** (log_p + dy * (top - bottom) / 300),
                    10 ** (log_r + dx * (right - left) / 300),
                )
                for dx, dy in [(0, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)]
            ]
            around = [(min(p, 1.0), r) for p, r in around]
            names = {found[0]["phase"] for found in page.solve(n, n - 1, around)}
            if len(names) > 1:
                continue
            compared += 1
            painted = page.run("return window.phasediagram.phaseAt(...arguments)", *around[0])
            assert {painted} == names, around[0]
        assert compared > 25
        pixel = page.run(
            "const canvas = document.getElementById('regions'), half = canvas.width >> 1;"
            "return [...canvas.getContext('2d').getImageData(half, canvas.width - 20, 1, 1).data]"
        )
        middle = 10 ** (bottom + 20 / 581 * (top - bottom)), 10 ** ((left + right) / 2)
        name = page.run("return window.phasediagram.phaseAt(...arguments)", *middle)
        assert bytes(pixel[:3]) == bytes.fromhex(phase_style(name).color[1:])


# ---- the network ----


def test_the_network_of_a_minimum_is_shown_in_full(page):
    page.all("#models input")[1].click()
    page.settle()
    state = page.state()
    solution = phd.solve(state["p"], state["r"], 3)
    W, b = weights(page)
    np.testing.assert_allclose(
        np.linalg.eigvalsh(W.T @ W), np.linalg.eigvalsh(solution.gram), atol=1e-8
    )
    assert page.loss() == pytest.approx(solution.loss, rel=1e-12)
    np.testing.assert_array_equal(table(page, "#parameters"), [*W, b])
    np.testing.assert_allclose(table(page, "#gram"), W.T @ W, atol=1e-14)
    errors = [row[0] for row in table(page, "#errors")]
    assert np.dot(errors, [1, 1, state["r"]]) == pytest.approx(solution.loss, rel=1e-12)
    assert "|∇L| 0" in page.text("#network-state")


@pytest.mark.parametrize("index", [0, 1])
def test_an_arrow_can_be_dragged(page, index):
    page.all("#models input")[index].click()
    page.settle()
    before, b = weights(page)
    box = page.find(ARROWS).size
    scale = box["width"] / 2.9  # pixels of a unit of W
    i = 1  # the extra feature of two, the second of three
    lane = (0.5 - i) * 0.42 if index == 0 else before[1, i]
    tip = scale * before[0, i], -scale * lane
    drag(page, ARROWS, tip, (tip[0] + 40, tip[1] - 20))
    W, moved_b = weights(page)
    moved = W[:, i] - before[:, i]
    np.testing.assert_allclose(moved, np.array([40, 20])[: len(moved)] / scale, atol=3 / scale)
    others = [j for j in range(len(b)) if j != i]
    np.testing.assert_array_equal(W[:, others], before[:, others])
    np.testing.assert_array_equal(moved_b, b)
    state = page.state()
    importance = [1] * (len(b) - 1) + [state["r"]]
    loss, by_W, by_b = phd.expected_loss_and_gradient(W, b, state["p"], importance)
    shown = page.loss()
    assert shown == pytest.approx(float(loss), rel=1e-12)
    slope = np.sqrt((by_W**2).sum() + (by_b**2).sum())
    said = page.text("#network-state").split("|∇L| ")[1]
    assert float(said) == pytest.approx(slope, rel=0.05)
    assert state["chosen"] == -1


def test_weights_can_be_typed_and_nudged(page):
    from selenium.webdriver import Keys

    page.settle()
    type_into(page, "#parameters input[data-at='1']", "-0.25")
    assert page.state()["x"][1] == -0.25
    type_into(page, "#parameters input[data-at='2']", "1e9")
    assert "must be a number between" in page.text("#network-message")
    assert page.state()["x"][2] != 1e9
    feature = page.find("#arrows [data-feature='1']")
    feature.send_keys(Keys.ARROW_RIGHT)
    assert page.state()["x"][1] == pytest.approx(-0.23)


@pytest.mark.parametrize("index", [0, 1])
def test_descend_reaches_a_minimum_in_the_list(page, index):
    page.all("#models input")[index].click()
    page.settle()
    n = page.state()["n"]
    for seed in range(3):
        W, b = np.random.default_rng(seed).normal(size=(n - 1, n)) * 0.6, np.full(n, 0.1)
        page.find("#pasted").clear()
        page.find("#pasted").send_keys(f"W = {W.tolist()}; b = {b.tolist()}")
        page.find("#use-pasted").click()
        start = page.loss()
        page.find("#descend").click()
        for _ in range(600):
            if page.state()["motion"] is None:
                break
            time.sleep(0.05)
        state = page.state()
        assert state["motion"] is None
        if state["chosen"] < 0:
            assert "plateau or a saddle" in page.text("#network-message")
            continue
        reached = page.shown_minima()[state["chosen"]]
        assert reached[1] < start
        W, b = weights(page)
        importance = [1] * (n - 1) + [state["r"]]
        _, by_W, by_b = phd.expected_loss_and_gradient(W, b, state["p"], importance)
        assert max(np.abs(by_W).max(), np.abs(by_b).max()) < 1e-10


def test_training_is_noisy_and_goes_down(page):
    page.settle()
    page.find("#pasted").send_keys("W = [[0.3, 0.2]]\nb = [0.0, 0.0]")
    page.find("#use-pasted").click()
    start = page.loss()
    page.find("#train").click()
    assert page.find("#train").get_attribute("aria-pressed") == "true"
    losses = []
    for _ in range(40):
        time.sleep(0.1)
        losses.append(page.loss())
    page.find("#train").click()
    assert page.state()["motion"] is None
    assert min(losses) < start
    changes = np.diff(losses)
    assert (changes > 0).any()
    assert (changes < 0).any()


@pytest.mark.parametrize(
    "text",
    [
        "W = [[1.0, -0.9]]\nb = [0.0, 0.1]",
        "W = np.array([[1., -.9]])\nb = np.array([0., .1])",
        '{"W": [[1, -0.9]], "b": [0, 0.1]}',
        "b=tensor([0.0, 0.1]); W=tensor([[1.0,\n   -9e-1],])",
        "W: [1, -0.9]  b: [0, 0.1]",
    ],
)
def test_weights_can_be_pasted(page, text):
    page.run("document.getElementById('pasted').value = arguments[0]", text)
    page.find("#use-pasted").click()
    assert page.text("#paste-message") == ""
    assert page.state()["x"] == [1, -0.9, 0, 0.1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "No list of numbers for W found"),
        ("W = [[1, 2]]", "No list of numbers for b found"),
        ("W = [[1, 2, 3]]; b = [0, 0]", "W must be 1 row of 2 numbers up to 1000, got 1 of 3"),
        ("W = [[1, NaN]]; b = [0, 0]", "W must be a list of numbers, got [[1, NaN]]."),
        ("W = [[1, 1e9]]; b = [0, 0]", "W must be 1 row of 2 numbers"),
        ("W = [[1, 2], [3, 4]]; b = [0, 0]", "got 2 of 2"),
        ("W = [[1, 2]]; b = [0]", "b must be 2 numbers up to 1000, got [0]."),
        ("W = [alert(1), 2]; b = [0, 0]", "W must be a list of numbers"),
    ],
)
def test_bad_weights_get_a_message(page, text, message):
    before = page.state()["x"]
    page.run("document.getElementById('pasted').value = arguments[0]", text)
    page.find("#use-pasted").click()
    assert message in page.text("#paste-message")
    assert page.state()["x"] == before


def test_copies_are_runnable_python_and_json(page):
    page.settle()
    page.run(
        "window.copied = null; Object.defineProperty(navigator, 'clipboard', {value:"
        " {writeText: async (text) => { window.copied = text; }}})"
    )
    page.find("#copy-python").click()
    names = {}
    code = page.run("return window.copied")
    exec(compile(code, "copied", "exec"), names)  # what the page wrote, in this test
    state = page.state()
    assert names["solution"].loss == pytest.approx(page.shown_minima()[0][1], rel=1e-12)
    assert float(names["loss"]) == pytest.approx(names["solution"].loss, rel=1e-9)
    page.find("#copy-json").click()
    document = json.loads(page.run("return window.copied"))
    assert (document["density"], document["relative_importance"]) == (state["p"], state["r"])
    assert np.ravel([*document["W"], document["b"]]).tolist() == state["x"]
    assert [(one["phase"], one["loss"]) for one in document["minima"]] == page.shown_minima()
    page.find("#copy-link").click()
    address = page.run("return window.copied")
    page.open("#" + urlsplit(address).fragment)
    assert page.state()["p"] == state["p"]


def test_the_address_keeps_everything(page):
    page.open("#n=3&m=2&p=0.62&r=0.9&view=-0.5 0.5 -0.5 0&layers=3").settle()
    type_into(page, "#parameters input[data-at='0']", "0.5")
    time.sleep(0.5)
    kept, address = page.state(), page.run("return location.hash")
    page.open(address)
    again = page.state()
    for key in ("n", "m", "p", "r", "x", "chosen", "layers"):
        assert again[key] == kept[key], key
    assert again["window"] == pytest.approx(kept["window"])
    assert kept["layers"]["spinodal"]
    for bad in ("#n=9&p=x", "#p=-1&r=1e99&view=3 1 2 0&x=1 2&minimum=99&layers=77", "#%%%"):
        page.open(bad)
        state = page.state()
        assert (state["n"], state["p"], state["r"]) == (2, 0.3, 0.25)
        assert len(state["x"]) == 4


# ---- sections, basins, shading ----


def test_sections_are_the_losses_of_pythons_minima(page):
    page.open("#n=2&m=1&p=0.55&r=0.7").settle()
    sections = page.run("return window.phasediagram.sections()")
    for axis, branches in sections.items():
        points = {}
        for branch in branches:
            for one in branch:
                points.setdefault(one["at"], []).append(one["loss"])
        chosen = sorted(points)[3::9]
        assert len(chosen) > 5
        for at in chosen:
            place = (0.55, 10**at) if axis == "r" else (min(1.0, 10**at), 0.7)
            expected = [minimum.loss for minimum in phd.solve(*place).minima]
            assert min(points[at]) == pytest.approx(expected[0], rel=1e-10)
            for loss in points[at]:
                assert min(abs(loss / other - 1) for other in expected) < 1e-9


def test_basins_are_where_gradient_flow_ends(page):
    """Against an integration of another kind in Python, for some initial weights."""
    from scipy.integrate import solve_ivp

    page.settle()
    state, basins = page.state(), page.run("return window.phasediagram.basins()")
    cells, known = basins["cells"], np.reshape(basins["known"], (basins["cells"], -1))
    minima = phd.solve(state["p"], state["r"]).minima
    importance = [1, state["r"]]

    def slope(_, x):
        _, by_W, by_b = phd.expected_loss_and_gradient([x[:2]], x[2:], state["p"], importance)
        return -np.concatenate([by_W[0], by_b])

    rng = np.random.default_rng(0)
    for _ in range(8):
        row, column = rng.integers(2, cells - 2, 2)
        around = known[row - 2 : row + 3, column - 2 : column + 3]
        if (around != known[row, column]).any():
            continue
        w = (2 * (column + 0.5) / cells - 1) * 1.6, -(2 * (row + 0.5) / cells - 1) * 1.6
        end = solve_ivp(slope, (0, 3000), [*w, 0, 0], rtol=1e-6, method="LSODA").y[:, -1]
        gram = np.outer(end[:2], end[:2])
        distances = [np.abs(gram - minimum.gram).max() for minimum in minima]
        assert int(np.argmin(distances)) == known[row, column]


def test_a_metastable_minimum_is_shaded_where_it_exists(page):
    """Ignored, with two features, below its spinodal: at most where Python finds it too."""
    page.open("#n=2&m=1&p=0.3&r=0.25&minimum=2&layers=5").settle()
    assert page.shown_minima()[1][0] == "ignored"
    script = (
        "const canvas = document.getElementById('shade'), size = canvas.width;"
        "const data = canvas.getContext('2d').getImageData(0, 0, size, size).data;"
        "const {window: w} = window.phasediagram.state();"
        "return arguments[0].map(([p, r]) => {"
        " const x = Math.round((Math.log10(r) - w.left) / (w.right - w.left) * size);"
        " const y = Math.round((w.top - Math.log10(p)) / (w.top - w.bottom) * size);"
        " let drawn = 0;"
        " for (let i = -3; i <= 3; i++) for (let j = -3; j <= 3; j++)"
        "  drawn += data[4 * ((y + j) * size + x + i) + 3] > 0;"
        " return drawn; })"
    )
    rng = np.random.default_rng(2)
    points = np.exp(rng.uniform(np.log([0.02, 0.12]), np.log([0.9, 8]), (60, 2))).tolist()
    shaded = page.run(script, points)
    found = [
        any(one["phase"] == "ignored" for one in minima) for minima in page.solve(2, 1, points)
    ]
    near = [
        len(
            {
                any(one["phase"] == "ignored" for one in minima)
                for minima in page.solve(
                    2, 1, [[p * a, r * b] for a in (0.97, 1.03) for b in (0.97, 1.03)]
                )
            }
        )
        > 1
        for p, r in points
    ]
    for place, drawn, exists, edge in zip(points, shaded, found, near, strict=True):
        if not edge:
            assert (drawn > 10) == exists, place
    assert any(found)
    assert not all(found)


# ---- the page as a whole ----


def test_no_message_on_the_console_and_no_request(page):
    page.driver.get_log("browser")
    page.driver.get_log("performance")
    page.open("#n=3&m=2&p=0.6&r=0.8&layers=3 5").settle()
    page.all("#models input")[0].click()
    page.find("#shuffle").click()
    page.find("#descend").click()
    page.settle()
    assert page.driver.get_log("browser") == []
    requested = {
        message["params"]["request"]["url"].split("#")[0]
        for entry in page.driver.get_log("performance")
        for message in [json.loads(entry["message"])["message"]]
        if message["method"] == "Network.requestWillBeSent"
    }
    assert {urlsplit(url).scheme for url in requested} <= {"file", "data", "about"}
    assert [url for url in requested if url.startswith("file")] == [page.path.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_colour_schemes(page, scheme):
    """All text but the diagram's: the contrast that WCAG 2.2 AA asks for, 4.5, by its formula."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    script = """
        const canvas = document.createElement('canvas');
        const drawing = canvas.getContext('2d', {willReadFrequently: true});
        const over = (color, below) => {
          for (const style of [`rgb(${below.join()})`, color]) {
            drawing.fillStyle = style;
            drawing.fillRect(0, 0, 1, 1);
          }
          return [...drawing.getImageData(0, 0, 1, 1).data].slice(0, 3);
        };
        const ground = (at) => at
          ? over(getComputedStyle(at).backgroundColor, ground(at.parentElement)) : [255, 255, 255];
        const texts = 'p, h1, h2, h3, small, label, button, caption, th, td, input[type=text], '
          + 'figcaption, legend, li, .excess';
        return [...document.querySelectorAll(texts)]
          .filter((at) => at.getClientRects().length && !at.closest('.hidden'))
          .map((at) => {
            const below = ground(at), name = at.id || at.className || at.tagName;
            return [name, over(getComputedStyle(at).color, below), below];
          })"""
    try:
        page.settle()
        found = page.run(script)
    finally:
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert len(found) > 60
    pairs = np.array([[color, below] for _, color, below in found]) / 255
    linear = np.where(pairs <= 0.04045, pairs / 12.92, ((pairs + 0.055) / 1.055) ** 2.4)
    luminance = np.sort(linear @ [0.2126, 0.7152, 0.0722], axis=1)
    contrast = (luminance[:, 1] + 0.05) / (luminance[:, 0] + 0.05)
    poor = {found[k][0]: round(float(contrast[k]), 2) for k in np.flatnonzero(contrast < 4.5)}
    assert poor == {}


@pytest.fixture
def phone(page):
    screen = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    yield page.open()
    page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_phone_needs_no_sideways_scrolling(phone):
    for index in (0, 1):
        phone.all("#models input")[index].click()
        phone.settle()
        assert phone.run("return document.documentElement.scrollWidth") <= 390
        assert 280 < phone.find(DIAGRAM).size["width"] <= 390


def test_a_finger_moves_the_point_and_does_not_scroll(phone):
    phone.settle()
    scrolled = phone.run("return scrollY")
    touch(phone, "touchStart", in_window(phone, DIAGRAM, (0.3, 0.3)))
    for share in (0.4, 0.5, 0.6):
        touch(phone, "touchMove", in_window(phone, DIAGRAM, (share, share)))
    touch(phone, "touchEnd")
    phone.settle()
    state = phone.state()
    assert np.log10(state["r"]) == pytest.approx(-1 + 2 * 0.6, abs=0.02)
    assert np.log10(state["p"]) == pytest.approx(-2 * 0.6, abs=0.02)
    assert phone.run("return scrollY") == scrolled


def test_two_fingers_zoom(phone):
    phone.settle()
    at = [in_window(phone, DIAGRAM, (share, 0.3)) for share in (0.4, 0.6)]
    apart = [in_window(phone, DIAGRAM, (share, 0.3)) for share in (0.2, 0.8)]
    touch(phone, "touchStart", *at)
    touch(phone, "touchMove", *apart)
    touch(phone, "touchEnd")
    window = phone.state()["window"]
    assert window["right"] - window["left"] == pytest.approx(2 / 3, rel=0.1)


def test_a_finger_drags_an_arrow(phone):
    phone.settle()
    phone.run("document.getElementById('arrows').scrollIntoView({block: 'center'})")
    before = phone.state()["x"]
    start = in_window(phone, ARROWS, (0.5 + before[0] / 2.9, 0.5 - 0.21 / 1.34))
    scrolled = phone.run("return scrollY")
    touch(phone, "touchStart", start)
    touch(phone, "touchMove", (start[0] - 40, start[1] + 30))
    touch(phone, "touchEnd")
    after = phone.state()["x"]
    assert after[0] < before[0] - 0.1
    assert after[1:] == before[1:]
    assert phone.run("return scrollY") == scrolled


def test_the_page_says_where_its_numbers_come_from(page, content):
    about = page.text("#about")
    assert f"phasediagram {content['version']}" in about
    assert "phase_boundaries(3, 2)" in about
    assert "1e-13" in about
