"""Probabilities of the sets of active features, the weights that `packing` takes.

Features fall into independent blocks, groups and single features; a set's probability is the
product over the blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram.toymodel.models import (
    ALONE,
    ANTICORRELATED,
    CORRELATED,
    HIERARCHICAL,
    Group,
    ToyModel,
)

Array = NDArray[np.float64]


def independent_table(density: ArrayLike) -> Array:
    """Return the probability of every set of active features if they are independent.

    Parameters
    ----------
    density : array_like, shape (..., n)
        Probability that each feature is active.

    Returns
    -------
    ndarray, shape (..., 2^n)
        Entry A is the probability of the set A; feature j is active in it if bit j of A is set.
    """
    densities = np.asarray(density, dtype=np.float64)
    table = np.ones((*densities.shape[:-1], 1))
    for j in range(densities.shape[-1]):
        p = densities[..., j : j + 1]
        table = np.concatenate([table * (1 - p), table * p], axis=-1)
    return np.ascontiguousarray(table)


@dataclass(frozen=True)
class Law:
    """Probabilities of the 2^k sets of active members of a block, and their derivatives.

    Bit j of a set's number says whether the block's j-th member is active.

    Attributes
    ----------
    table, by_density, by_strength : ndarray, shape (..., 2^k)
        By the density of the block, and by its correlation or `follow`.
    """

    table: Array
    by_density: Array
    by_strength: Array


def activity_table(
    model: ToyModel,
    density: Array,
    correlation: Array | None = None,
    follow: Array | None = None,
) -> Array:
    """Return the probabilities of all sets of active features.

    Parameters
    ----------
    model : ToyModel
    density : ndarray, shape (..., n)
        Of a group the first member's counts.
    correlation, follow : ndarray, shape (...), optional
        Instead of those of the model's groups.

    Returns
    -------
    ndarray, shape (..., 2^n)
    """
    if model.activity is not None:
        table = np.array(model.activity)
        return np.array(np.broadcast_to(table, (*density.shape[:-1], table.size)), order="C")
    if not model.groups:
        return independent_table(density)
    blocks = model.blocks
    return _product(model, [_law(block, density, correlation, follow).table for block in blocks])


def activity_table_derivatives(
    model: ToyModel,
    density: Array,
    correlation: Array | None,
    follow: Array | None,
    by_density: Array,
    by_correlation: float,
    by_follow: float,
) -> Array:
    """Return the derivative of `activity_table` along a direction.

    Parameters
    ----------
    model, density, correlation, follow
        As for `activity_table`.
    by_density : ndarray, shape (..., n)
        By how much the densities change; of a group the first member's counts.
    by_correlation, by_follow : float

    Returns
    -------
    ndarray, shape (..., 2^n)
    """
    if model.activity is not None:
        return np.zeros((*density.shape[:-1], len(model.activity)))
    blocks = model.blocks
    laws = [_law(block, density, correlation, follow) for block in blocks]
    strengths = {CORRELATED: by_correlation, HIERARCHICAL: by_follow}
    total = np.zeros((*density.shape[:-1], 1 << model.n_features))
    for k, block in enumerate(blocks):
        change = by_density[..., block.features[0], None] * laws[k].by_density
        change = change + strengths.get(block.kind, 0.0) * laws[k].by_strength
        tables = [change if i == k else law.table for i, law in enumerate(laws)]
        total += _product(model, tables)
    return total


def with_terms(model: ToyModel, table: Array, importance: Array, penalties: Array) -> Array:
    """Return tables with what `phasediagram.kernel.cube.terms` needs behind, if the model has any.

    Parameters
    ----------
    model : ToyModel
    table : ndarray, shape (..., 2^n)
    importance : ndarray, shape (..., n)
    penalties : ndarray, shape (..., 2)
        Interference penalty and weight decay, or their derivatives.
    """
    shape = table.shape[:-1]
    frozen = np.full((*shape, 1), 0.0 if model.bias else 1.0)
    parts = [np.broadcast_to(part, (*shape, part.shape[-1])) for part in (penalties, importance)]
    return np.concatenate([table, parts[0], frozen, parts[1]], axis=-1)


def marginals(model: ToyModel, density: Array) -> Array:
    """Return the probability that each feature is active, (..., n), for any number of features."""
    if model.activity is not None:
        found = marginal_densities(np.array(model.activity), model.n_features)
        return np.broadcast_to(found, density.shape)
    found = np.array(density)
    for group in model.groups:
        members = list(group.features)
        p = density[..., members[:1]]
        found[..., members] = p / len(members) if group.kind == ANTICORRELATED else p
        if group.kind == HIERARCHICAL:
            found[..., members[1]] = p[..., 0] * group.strength
    return found


def marginal_densities(table: Array, n: int) -> Array:
    """Return the probability that each feature is active, (..., n), from tables (..., 2^n)."""
    sets = np.arange(1 << n)
    return np.stack([table[..., sets[sets >> j & 1 == 1]].sum(axis=-1) for j in range(n)], axis=-1)


def _product(model: ToyModel, tables: list[Array]) -> Array:
    sets = np.arange(1 << model.n_features)
    total = np.ones(1)
    for block, table in zip(model.blocks, tables, strict=True):
        inside = sum(
            ((sets >> i & 1) << j for j, i in enumerate(block.features)), np.zeros_like(sets)
        )
        total = total * table[..., inside]
    return np.ascontiguousarray(total)


def _law(block: Group, density: Array, correlation: Array | None, follow: Array | None) -> Law:
    p = density[..., block.features[0]]
    if block.kind == ALONE:
        ones = np.ones_like(p)
        return Law(_stack(1 - p, p), _stack(-ones, ones), _stack(0 * p, 0 * p))
    if block.kind == ANTICORRELATED:
        return _anticorrelated(len(block.features), p)
    given = correlation if block.kind == CORRELATED else follow
    strength = np.broadcast_to(block.strength if given is None else given, p.shape)
    if block.kind == HIERARCHICAL:
        return _hierarchical(p, strength)
    return _correlated(len(block.features), p, strength)


def _anticorrelated(size: int, p: Array) -> Law:
    """Exactly one member is active with probability p."""
    table = np.zeros((*p.shape, 1 << size))
    slope = np.zeros_like(table)
    table[..., 0], slope[..., 0] = 1 - p, -1.0
    for j in range(size):
        table[..., 1 << j], slope[..., 1 << j] = p / size, 1.0 / size
    return Law(table, slope, np.zeros_like(table))


def _hierarchical(p: Array, follow: Array) -> Law:
    """The first member is active with probability p, and then the second with `follow`."""
    return Law(
        _stack(1 - p, p * (1 - follow), 0 * p, p * follow),
        _stack(-np.ones_like(p), 1 - follow, 0 * p, follow),
        _stack(0 * p, -p, 0 * p, p),
    )


def _correlated(size: int, p: Array, c: Array) -> Law:
    """The set is switched on with probability p / q, each member then with q = p + c (1 - p)."""
    q = p + c * (1 - p)
    on = p / q
    on_by_p, on_by_c = c / q**2, -p * (1 - p) / q**2
    q_by_p, q_by_c = 1 - c, 1 - p
    table, by_p, by_c = (np.zeros((*p.shape, 1 << size)) for _ in range(3))
    for active in range(1 << size):
        s = active.bit_count()
        chance = q**s * (1 - q) ** (size - s)
        slope = np.zeros_like(q)
        if s:
            slope = slope + s * q ** (s - 1) * (1 - q) ** (size - s)
        if s < size:
            slope = slope - (size - s) * q**s * (1 - q) ** (size - s - 1)
        table[..., active] = on * chance
        by_p[..., active] = on_by_p * chance + on * slope * q_by_p
        by_c[..., active] = on_by_c * chance + on * slope * q_by_c
    table[..., 0] += 1 - on
    by_p[..., 0] -= on_by_p
    by_c[..., 0] -= on_by_c
    return Law(table, by_p, by_c)


def _stack(*values: Array) -> Array:
    return np.stack(np.broadcast_arrays(*values), axis=-1)
