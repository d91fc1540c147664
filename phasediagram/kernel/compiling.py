"""How everything compiled in this package is compiled (internal).

Every compiled function has an explicit signature, so that it is compiled where it is
defined, once on a machine: numba keeps the result on disk, beside the module, or in the
user's cache folder if the package's is not writable (or in ``NUMBA_CACHE_DIR``).

numba itself compiles anew only if the file changes in which the function stands, although
the code of all functions that it calls is linked into it.  Here a function's entry in the
cache also depends on what it calls, in other files too, and on the constants that it uses.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
from numba import njit
from numba.core import event
from numba.extending import intrinsic

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_MESSAGE = "phasediagram: compiling for this machine, half a minute to a minute, once ..."


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
        try:
            dispatcher = njit(cache=True, **_OPTIONS)(function)
        except RuntimeError:  # no folder to keep it in is writable, not even the user's
            dispatcher = njit(**_OPTIONS)(function)
        else:
            file = dispatcher._cache._cache_file
            file._source_stamp = (file._source_stamp, _fingerprint(function))
        # The event fires only if the function is not in the cache on disk.
        with event.install_listener("numba:compile", _announcer):
            dispatcher.compile(signature)
        dispatcher.disable_compile()
        return dispatcher

    return decorate


def inlined(function: Callable[..., Any]) -> Any:
    """Return a function that is written out where compiled ones call it, and not compiled itself.

    For long ones with a single caller, which would be optimised twice, and for those that only
    pass arguments on.
    """
    return njit(inline="always", **_OPTIONS)(function)


def _fingerprint(function: Callable[..., Any]) -> str:
    """Return a digest of the files and constants that a function's compiled code depends on."""
    digest = hashlib.sha256()
    seen: set[Callable[..., Any]] = set()

    def visit(python_function: Callable[..., Any]) -> None:
        if python_function in seen:
            return
        seen.add(python_function)
        code: CodeType = python_function.__code__
        file = Path(code.co_filename).stat()
        digest.update(f"{python_function.__qualname__} {file.st_mtime} {file.st_size}".encode())
        for name in code.co_names:
            value = python_function.__globals__.get(name)
            called = getattr(value, "py_func", None) or getattr(value, "_defn", None)
            if called is not None:
                visit(called)
            elif isinstance(value, np.ndarray):
                digest.update(value.tobytes())
            elif isinstance(value, bool | int | float):
                digest.update(f"{name} {value!r}".encode())

    visit(function)
    return digest.hexdigest()


def emitted(function: Callable[..., Any]) -> Any:
    """Make an intrinsic, a function that emits its own instructions, of its description."""
    return intrinsic(function)
