"""Independent parts of a computation on any executor, whatever happens to its workers."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from typing import Any

_IN_FLIGHT = 256  # parts given to an executor at once: what is waiting to be taken stays small


def run_parts(
    function: Callable[..., Any], parts: Sequence[tuple[Any, ...]], executor: Executor | None
) -> Iterator[tuple[int, Any]]:
    """Yield the index and the result of each part, as they are done, each of them once.

    Parameters
    ----------
    function : callable
        Importable by name, so that it can be sent to other processes.
    parts : sequence of tuple
        Arguments of each call.
    executor : concurrent.futures.Executor or None
        Where to run; None runs the parts here, one after the other.  What an executor that
        breaks (a killed worker breaks a process pool) did not deliver is computed here.

    Yields
    ------
    int, object

    Warns
    -----
    RuntimeWarning
        If the executor broke.
    """
    if executor is None:
        for index, part in enumerate(parts):
            yield index, function(*part)
        return
    waiting = deque(range(len(parts)))
    running: dict[Future[Any], int] = {}
    try:
        while waiting or running:
            while waiting and len(running) < _IN_FLIGHT:
                running[executor.submit(function, *parts[waiting[0]])] = waiting[0]
                waiting.popleft()
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                yield running.pop(future), result
    except BrokenExecutor as error:
        delivered = [future for future in running if _has_result(future)]
        for future in delivered:
            yield running.pop(future), future.result()
        missing = sorted([*waiting, *running.values()])
        warnings.warn(
            f"the executor broke ({error}): computing {len(missing)} of {len(parts)} parts here",
            RuntimeWarning,
            stacklevel=2,
        )
        for index in missing:
            yield index, function(*parts[index])
    finally:
        for future in running:
            future.cancel()


def _has_result(future: Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def require_executor(executor: Executor | None) -> None:
    """Raise ValueError unless `executor` is None or can be given work."""
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise ValueError(
            f"executor must be None or a concurrent.futures.Executor, got {executor!r}"
        )
