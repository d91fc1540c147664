"""One offline HTML page to look at every minimum of the diagrams: phases, losses, weights."""

from phasediagram.explorer.data import ExploredModel, View, explore
from phasediagram.explorer.minima import LocalMinima, local_minima
from phasediagram.explorer.page import explorer_page, write_explorer

__all__ = [
    "ExploredModel",
    "LocalMinima",
    "View",
    "explore",
    "explorer_page",
    "local_minima",
    "write_explorer",
]
