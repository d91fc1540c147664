"""Curves in the plane of density and relative importance, as polylines in logarithms."""

from __future__ import annotations

import re

import numpy as np


def of(curve):
    """Return the points of a boundary, (log p, log r), shape (k, 2)."""
    if isinstance(curve, dict):
        return np.log(np.column_stack([curve["density"], curve["relative_importance"]]))
    return np.log(np.column_stack([curve.density, curve.relative_importance]))


def distance(points, line):
    """Return the distance of each point from a polyline."""
    points, line = np.atleast_2d(points), np.asarray(line)
    if len(line) == 1:
        return np.linalg.norm(points - line, axis=1)
    start, along = line[:-1], np.diff(line, axis=0)
    length = (along**2).sum(axis=1)
    relative = points[:, None] - start
    share = (relative * along).sum(axis=2) / np.where(length == 0, 1, length)
    nearest = np.clip(share, 0, 1)[..., None] * along
    return np.linalg.norm(relative - nearest, axis=2).min(axis=1)


def nearest(points, lines):
    """Return the distance of each point from the nearest of several polylines."""
    if not lines:
        return np.full(len(np.atleast_2d(points)), np.inf)
    return np.min([distance(points, line) for line in lines], axis=0)


def crossings(line, here, there):
    """Return where along the segment, 0 to 1, a polyline crosses it."""
    along = there - here
    across = (line - here) @ np.array([-along[1], along[0]])
    share = (line - here) @ along / (along @ along)
    found = []
    for k in np.flatnonzero(across[:-1] * across[1:] < 0):
        weight = across[k] / (across[k] - across[k + 1])
        at = share[k] + weight * (share[k + 1] - share[k])
        if 0 <= at <= 1:
            found.append(float(at))
    return found


def at_density(curve, density):
    """Return the relative importances at which a curve crosses a density."""
    u, v = of(curve).T
    found = []
    for k in np.flatnonzero(np.diff(np.sign(u - np.log(density)))):
        ends = slice(k, k + 2)
        order = np.argsort(u[ends])
        found.append(float(np.exp(np.interp(np.log(density), u[ends][order], v[ends][order]))))
    return found


def plain(name):
    """Return a phase without the number that tells two minima of one shape apart."""
    return re.sub(r"-\d+$", "", name)
