"""Independent parts of a computation, here or on any executor, whatever happens to it."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

Key = TypeVar("Key")

_IN_FLIGHT = 256  # parts given to an executor at once: what is waiting to be taken stays small


class Part(NamedTuple, Generic[Key]):
    """A part of the work: what its result is called, and the arguments of the function."""

    key: Key
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class _Outcome:
    """What a function returned or raised, to tell its errors from those of the executor."""

    result: Any = None
    error: Exception | None = None


class Workers:
    """Where parts are computed: here, on threads of this process, or on an executor.

    An executor that fails (a killed worker breaks a process pool) is not used again: what
    it did not deliver is computed here.

    Parameters
    ----------
    executor : concurrent.futures.Executor or None
    threads : int
        Without an executor.  More than one only pays where most of the time goes to few calls
        on large arrays: many small ones wait for the interpreter.
    """

    def __init__(self, executor: Executor | None = None, threads: int = 1) -> None:
        self._executor = executor
        self._threads = threads

    def run(
        self, function: Callable[..., Any], parts: Iterable[Part[Key]]
    ) -> Iterator[tuple[Key, Any]]:
        """Yield the key and the result of each part, as they are done, each of them once.

        Parameters
        ----------
        function : callable
            Importable by name, so that it can be sent to other processes.
        parts : iterable of Part
            A deque may be added to while results are taken.

        Yields
        ------
        key, object

        Warns
        -----
        RuntimeWarning
            If the executor failed.
        """
        waiting = parts if isinstance(parts, deque) else deque(parts)
        if self._executor is not None:
            try:
                yield from _run(self._executor, _IN_FLIGHT, function, waiting)
                return
            except _ExecutorFailedError as failure:
                self._executor = None
                warnings.warn(
                    f"the executor failed ({failure}): computing the rest here",
                    RuntimeWarning,
                    stacklevel=2,
                )
        if self._threads > 1:
            with ThreadPoolExecutor(self._threads) as pool:
                yield from _run(pool, self._threads, function, waiting)
        while waiting:
            key, arguments = waiting.popleft()
            yield key, function(*arguments)


class _ExecutorFailedError(Exception):
    """An executor did not do what it was given."""


def _run(
    executor: Executor,
    in_flight: int,
    function: Callable[..., Any],
    waiting: deque[Part[Key]],
) -> Iterator[tuple[Key, Any]]:
    """Yield results until no part is waiting; leave there what an executor that fails had."""
    running: dict[Future[_Outcome], Part[Key]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < in_flight:
                future = _submit(executor, function, waiting[0])
                running[future] = waiting.popleft()
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                outcome = _outcome(future)
                key = running.pop(future).key
                if outcome.error is not None:
                    raise outcome.error
                yield key, outcome.result
    except _ExecutorFailedError:
        waiting.extendleft(reversed(running.values()))
        raise
    finally:
        for future in running:
            future.cancel()


def _submit(executor: Executor, function: Callable[..., Any], part: Part[Any]) -> Future[_Outcome]:
    try:
        return executor.submit(_attempt, function, part.arguments)
    except Exception as error:
        raise _ExecutorFailedError(_described(error)) from error


def _outcome(future: Future[_Outcome]) -> _Outcome:
    try:
        return future.result()
    except Exception as error:  # also of a worker that was killed, of any kind of executor
        raise _ExecutorFailedError(_described(error)) from error


def _attempt(function: Callable[..., Any], arguments: tuple[Any, ...]) -> _Outcome:
    try:
        return _Outcome(function(*arguments))
    except Exception as error:
        return _Outcome(error=error)


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def require_executor(executor: Executor | None) -> None:
    """Raise ValueError unless `executor` is None or can be given work."""
    if executor is not None and not isinstance(executor, Executor):
        raise ValueError(
            f"executor must be None or a concurrent.futures.Executor, got {executor!r}"
        )
