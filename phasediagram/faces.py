"""The faces of the unit cube, and how each is bounded by smaller ones (internal)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

IndexArray = NDArray[np.intp]
_FREE = 2  # a coordinate that runs over [0, 1]; 0 and 1 mean "fixed there"


@dataclass(frozen=True)
class FaceLevel:
    """All faces of one dimension k of the n-cube.

    Attributes
    ----------
    fixed_value : ndarray, shape (faces, n)
        0.0 or 1.0 where a coordinate is fixed, 0.0 where it is free.
    is_free : ndarray of bool, shape (faces, n)
    free : ndarray, shape (faces, k)
        The free coordinates of each face.
    low, high : ndarray, shape (faces, k)
        For each free coordinate, the facet where it is 0 (`low`) or 1 (`high`), as
        an index into the faces of dimension k - 1.
    at_origin : ndarray, shape (faces with no coordinate fixed at 1,)
        The faces that contain the origin: inactive features at 0, active ones free.
    """

    fixed_value: NDArray[np.float64]
    is_free: NDArray[np.bool_]
    free: IndexArray
    low: IndexArray
    high: IndexArray
    at_origin: IndexArray


@lru_cache(maxsize=16)
def face_levels(n: int) -> tuple[FaceLevel, ...]:
    """Return the faces of the n-cube by dimension, from the 2^n corners to the cube."""
    levels = []
    below: dict[tuple[int, ...], int] = {}
    for k in range(n + 1):
        faces = [face for face in product((0, 1, _FREE), repeat=n) if face.count(_FREE) == k]
        levels.append(_level(faces, k, below))
        below = {face: position for position, face in enumerate(faces)}
    return tuple(levels)


def _level(faces: list[tuple[int, ...]], k: int, below: dict[tuple[int, ...], int]) -> FaceLevel:
    codes = np.array(faces)
    free = [[j for j, code in enumerate(face) if code == _FREE] for face in faces]

    def facets(side: int) -> IndexArray:
        rows = [
            [below[(*face[:j], side, *face[j + 1 :])] for j in coordinates]
            for face, coordinates in zip(faces, free, strict=True)
        ]
        return np.array(rows, dtype=np.intp).reshape(len(faces), k)

    return FaceLevel(
        fixed_value=(codes == 1).astype(np.float64),
        is_free=codes == _FREE,
        free=np.array(free, dtype=np.intp).reshape(len(faces), k),
        low=facets(0),
        high=facets(1),
        at_origin=np.flatnonzero(~(codes == 1).any(axis=1)),
    )
