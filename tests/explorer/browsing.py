"""A browser, and what the tests ask of it."""

from __future__ import annotations

import time

PATIENCE = 120.0  # seconds to wait for the page's work


class Page:
    """A browser, and what the tests ask of it."""

    def __init__(self, driver, path):
        self.driver, self.path = driver, path

    def open(self, place=""):
        """Load the page afresh, with an address of its own."""
        self.driver.get("about:blank")
        self.driver.get(self.path.as_uri() + place)
        return self

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def text(self, selector):
        return self.find(selector).get_attribute("textContent")

    def state(self):
        return self.run("return window.phasediagram.state()")

    def settle(self):
        """Wait until nothing is computed any more, also what waits for a rest."""
        quiet, end = 0, time.monotonic() + PATIENCE
        while quiet < 4 and time.monotonic() < end:
            quiet = 0 if self.state()["busy"] else quiet + 1
            time.sleep(0.06)
        assert quiet == 4, "the page did not come to rest"
        return self

    def solve(self, n, m, points):
        """All minima at each of many points (density, relative importance)."""
        script = (
            "const [n, m, points] = arguments;"
            "return points.map(([p, r]) => window.phasediagram.solve(n, m, p, r));"
        )
        return self.run(script, n, m, points)

    def loss(self):
        """The network's loss, with all digits."""
        return self.run("return Number(document.getElementById('loss').title)")

    def shown_minima(self):
        """Phase and loss, with all digits, of each row of the list."""
        script = (
            "return [...document.querySelectorAll('#minima-list label')].map((row) => "
            "[row.dataset.phase, Number(row.querySelector('.loss').title)])"
        )
        return [tuple(row) for row in self.run(script)]

    def position(self, density, relative_importance):
        """Where a point is in the diagram: pixels from its middle, for the mouse."""
        script = (
            "const {window: w} = window.phasediagram.state();"
            "const box = document.getElementById('diagram').getBoundingClientRect();"
            "const [p, r] = arguments;"
            "return [((Math.log10(r) - w.left) / (w.right - w.left) - 0.5) * box.width,"
            " ((w.top - Math.log10(p)) / (w.top - w.bottom) - 0.5) * box.height]"
        )
        return self.run(script, density, relative_importance)
