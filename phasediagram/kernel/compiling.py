"""How everything compiled in this package is compiled (internal).

Every compiled function has an explicit signature, so that it is compiled where it is
defined, once on a machine: numba keeps the result on disk, beside the module, or in the
user's cache folder if the package's is not writable (or in ``NUMBA_CACHE_DIR``).  numba
checks only the file in which a function stands: who edits a function that others call
must touch, or delete the cache of, the files that call it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core import event
from numba.extending import intrinsic

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_MESSAGE = "phasediagram: compiling for this machine, about 20 s, once ..."


class _Announcer(event.Listener):  # type: ignore[misc]
    """Says once in a process that something is being compiled."""

    def __init__(self) -> None:
        self.silent = False

    def on_start(self, event: Any) -> None:
        if not self.silent:
            self.silent = True
            print(_MESSAGE, file=sys.stderr, flush=True)

    def on_end(self, event: Any) -> None:
        pass


_announcer = _Announcer()


def compiled(signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return the decorator that compiles a function for one signature.

    The result is cached on disk and releases the GIL while it runs; division by zero
    gives infinity or NaN, as in numpy.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        # The event fires only if the function is not in the cache on disk.
        with event.install_listener("numba:compile", _announcer):
            try:
                return njit(signature, cache=True, **_OPTIONS)(function)
            except RuntimeError:  # no folder to keep it in is writable, not even the user's
                return njit(signature, **_OPTIONS)(function)

    return decorate


def emitted(function: Callable[..., Any]) -> Any:
    """Make an intrinsic, a function that emits its own instructions, of its description."""
    return intrinsic(function)
