"""Short names of the types in signatures of compiled functions (internal)."""

from __future__ import annotations

from numba import types

Nothing = types.void
Boolean, Integer, Real = types.boolean, types.int64, types.float64
Vector, Matrix, Cube = types.float64[::1], types.float64[:, ::1], types.float64[:, :, ::1]
Indices, Orders = types.int64[::1], types.int64[:, ::1]
