"""Comparing results of training."""

from __future__ import annotations

import numpy as np


def assert_same_result(result, expected):
    for name in ("W", "b", "loss", "diverged", "completed"):
        np.testing.assert_array_equal(getattr(result, name), getattr(expected, name))
    for name in ("steps", "W", "b", "loss"):
        np.testing.assert_array_equal(
            getattr(result.history, name), getattr(expected.history, name)
        )
