"""One offline HTML page that solves the model at any point of its phase diagram."""

from phasediagram.explorer.page import explorer_page, write_explorer

__all__ = ["explorer_page", "write_explorer"]
