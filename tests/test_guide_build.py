"""The guide as readers see it: built without a warning, offline, no formula wider than the page."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WIDTH = 1300  # of the window, in pixels
_TOO_WIDE = """
return [...document.querySelectorAll('div.math')]
  .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.slice(0, 60));
"""


@pytest.fixture(scope="module")
def guide(tmp_path_factory):
    pytest.importorskip("sphinx", reason="needs the extra [docs]")
    pytest.importorskip("ziamath", reason="needs the extra [docs]")
    built = tmp_path_factory.mktemp("guide")
    strict = ["--quiet", "--fail-on-warning", "--keep-going", "--nitpicky"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *strict, str(ROOT / "docs"), str(built)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return built


def pages(guide):
    return [page for page in sorted(guide.rglob("*.html")) if "_static" not in page.parts]


def test_nothing_is_loaded_from_elsewhere(guide):
    for page in pages(guide):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(
            r"<(?:script|img|link|iframe)[^>]*?(?:src|href)=\"(https?:[^\"]*)", text
        )
        assert loaded == [], page.name


def test_no_page_shows_an_error(guide):
    """Which some extensions write into a page instead of warning."""
    for page in pages(guide):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"ERROR:|class=\"(?:error|system-message)", text), page.name


def test_formulas_are_mathml(guide):
    text = (guide / "phases.html").read_text(encoding="utf-8")
    assert "<msub><mi>r</mi><mi>c</mi></msub>" in re.sub(r"\s*(<[^>]*>)\s*", r"\1", text)
    assert "r_c" not in re.sub(r"<code.*?</code>|<annotation.*?</annotation>", "", text, flags=re.S)


def test_the_table_of_public_names_links_to_each(guide):
    import phasediagram as phd

    text = (guide / "api.html").read_text(encoding="utf-8")
    for name in set(phd.__all__) - {"__version__"}:
        assert re.search(rf'href="reference/\w+\.html#phasediagram\.{name}"', text), name


def test_no_formula_needs_a_scroll_bar(guide):
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    driver, browser = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or browser is None:
        pytest.skip("needs chromium and its driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        f"--window-size={WIDTH},900",
    ):
        options.add_argument(argument)
    with_formulas = [page for page in pages(guide) if "<math" in page.read_text(encoding="utf-8")]
    assert len(with_formulas) > 20
    with webdriver.Chrome(options, webdriver.ChromeService(driver)) as window:
        wide = {}
        for page in with_formulas:
            window.get(page.as_uri())
            if found := window.execute_script(_TOO_WIDE):
                wide[page.name] = found
    assert wide == {}
