"""Where the page is that the guide ships."""

from pathlib import Path

SHIPPED = Path(__file__).parents[2] / "docs" / "_static" / "explorer.html"
