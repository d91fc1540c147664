"""A page of four features, whose lists are shown before their search has ended."""

from __future__ import annotations

import copy

import pytest
from browsing import Page

from phasediagram.explorer.page import rendered

SIZE = (4, 2)


@pytest.fixture(scope="module")
def four(browser, content, tmp_path_factory):
    """Minima do not depend on the curves, so those of three features may stand there."""
    shown = copy.deepcopy(content)
    shown["models"] = shown["models"][1:]
    shown["models"][0] |= {"n_features": SIZE[0], "n_hidden": SIZE[1]}
    path = tmp_path_factory.mktemp("four") / "explorer.html"
    path.write_text(rendered(shown), encoding="utf-8")
    return Page(browser, path).open("#n=4&m=2&p=0.2&r=0.9").settle()


def type_density(page, density):
    """Type a density, and return what the list said at once, and whether more was to come."""
    script = (
        "const field = document.getElementById('density-number');"
        "field.value = arguments[0]; field.dispatchEvent(new Event('change', {bubbles: true}));"
        "const done = arguments[1];"
        "requestAnimationFrame(() => requestAnimationFrame(() => done({"
        "searching: !document.getElementById('searching').hidden,"
        "losses: [...document.querySelectorAll('#minima-list .loss')].map((one) => +one.title)})))"
    )
    return page.driver.execute_async_script(script, str(density))


def test_a_list_on_the_way_says_so_and_becomes_complete(four):
    said = []
    for density in (0.21, 0.35, 0.12, 0.05):
        early = type_density(four, density)
        four.settle()
        ((*complete,),) = four.solve(*SIZE, [[density, 0.9]])
        losses = [loss for _, loss in four.shown_minima()]
        assert losses == pytest.approx([one["loss"] for one in complete], rel=1e-12)
        assert [phase for phase, _ in four.shown_minima()] == [one["phase"] for one in complete]
        for loss in early["losses"]:  # what was shown at once are minima, too
            assert min(abs(loss / other - 1) for other in losses) < 1e-10
        said.append(early["searching"])
        assert four.run("return document.getElementById('searching').hidden")
        assert four.state()["p"] == density
    assert any(said)


def test_nothing_is_said_on_the_console(four):
    assert [entry for entry in four.driver.get_log("browser") if entry["level"] != "INFO"] == []
