"""The page that the guide ships, in a headless browser."""

from __future__ import annotations

import json
import os
import re
import shutil

import pytest
from browsing import PATIENCE, Page
from shipped import SHIPPED

from phasediagram.explorer.page import rendered


def _missing(reason):
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver")
    names = ("chromium", "chromium-browser", "google-chrome")
    binary = next(filter(None, map(shutil.which, names)), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        _missing("needs chromium and chromedriver (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1280,1400",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options, webdriver.ChromeService(driver))
    started.set_script_timeout(PATIENCE)
    yield started
    started.quit()


@pytest.fixture(scope="session")
def content():
    """What the shipped page is given: traced curves and special points of both models."""
    text = SHIPPED.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="content">(.*?)</script>', text, re.DOTALL)[1])


@pytest.fixture(scope="module")
def loaded(browser, content, tmp_path_factory):
    """A page with the present program, for one module of tests."""
    path = tmp_path_factory.mktemp("page") / "explorer.html"
    path.write_text(rendered(content), encoding="utf-8")
    return Page(browser, path).open()


@pytest.fixture
def page(loaded):
    """The same, just loaded."""
    return loaded.open()
