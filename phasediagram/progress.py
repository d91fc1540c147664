"""How far long work is: whom it tells, and whom a part of it tells."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float], None]  # called with the share of the work that is done, 0 to 1


def part_of(progress: Progress | None, begin: float, length: float) -> Progress | None:
    """Return what a part of the work reports to, which reports the share of the whole.

    Parameters
    ----------
    progress : callable or None
        What the whole work reports to.
    begin, length : float
        Share of the whole that is done when the part begins, and share that the part is.

    Returns
    -------
    callable or None
        None if `progress` is.
    """
    if progress is None:
        return None
    report = progress
    return lambda share: report(begin + length * share)
