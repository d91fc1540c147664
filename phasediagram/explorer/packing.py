"""Minima as compressed text for the page, every float64 kept to the last bit.

All views follow each other.  A view of D x R points with k minima of d = m n + n parameters is

    D R bytes       number of minima of each point, row after row
    k bytes         phase of each minimum, point after point, by number
    8 k (1 + d)     loss, W row after row, and b: one column after the other, minima of
                    the same phase together, the lowest bytes of all numbers of a column
                    first and the highest last

Neighbouring minima of a phase share their high bytes, which so compress.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from phasediagram.explorer.minima import LocalMinima

_LEVEL = 9


def pack(views: Iterable[tuple[LocalMinima, Sequence[str]]]) -> str:
    """Return views as text.

    Parameters
    ----------
    views : iterable of (LocalMinima, sequence of str)
        With the names of phases in the order of their numbers, at most 256.

    Returns
    -------
    str
        Base64 of a zlib stream.
    """
    content = b"".join(_view_bytes(minima, phases) for minima, phases in views)
    return base64.b64encode(zlib.compress(content, _LEVEL)).decode("ascii")


def _view_bytes(minima: LocalMinima, phases: Sequence[str]) -> bytes:
    numbers = {phase: number for number, phase in enumerate(phases)}
    phase = np.array([numbers[name] for name in minima.phase.tolist()], dtype=np.uint8)
    columns = np.column_stack([minima.loss, minima.W.reshape(len(phase), -1), minima.b])
    together = columns[np.argsort(phase, kind="stable")].T
    count = minima.count.astype(np.uint8)
    return b"".join([count.tobytes(), phase.tobytes(), *map(_byte_planes, together)])


def _byte_planes(column: NDArray[np.float64]) -> bytes:
    return column.astype("<f8").view(np.uint8).reshape(-1, 8).T.tobytes()
