"""The faces of the unit cube as constant tables for compiled code (internal).

A face is a number in base 3 whose digit j says where coordinate j is: fixed at 0 or 1,
or free (digit 2).  Fixing a free coordinate lowers the number, so that counting upwards
meets every face after its facets; and the first 3^n faces are those of the n-cube,
whatever the number of coordinates the tables are made for.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from phasediagram.model import MAX_FEATURES

FREE = 2

#: Shape (faces, coordinates): 0, 1 or `FREE`.
DIGITS = np.array(list(product((0, 1, FREE), repeat=MAX_FEATURES)), dtype=np.int8)[:, ::-1].copy()
#: Shape (faces,): the dimension of each face.
DIMENSION = (DIGITS == FREE).sum(axis=1).astype(np.int8)
#: Shape (faces, coordinates): the free coordinates in order, then the fixed ones.
COORDINATES = np.argsort(DIGITS != FREE, axis=1, kind="stable").astype(np.int8)
#: Shape (faces,): the set of active features (bit j for feature j) whose face it is, or -1.
ACTIVE = np.where(
    (DIGITS == 1).any(axis=1), -1, (DIGITS == FREE) @ (1 << np.arange(MAX_FEATURES))
).astype(np.int16)
#: Shape (coordinates + 1,).
POWERS = 3 ** np.arange(MAX_FEATURES + 1)
