"""Laws of activity from their definitions, for the tests to compare against."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import numpy as np


def law(n, density, groups):
    """Probabilities of the sets of active features, exactly, by walking through every choice.

    `groups` are tuples (kind, features, strength); `density` has one Fraction for each feature.
    """
    blocks = [_block(kind, features, density[features[0]], s) for kind, features, s in groups]
    grouped = {i for _, features, _ in groups for i in features}
    blocks += [
        {frozenset(): 1 - density[i], frozenset([i]): density[i]}
        for i in range(n)
        if i not in grouped
    ]
    table = {frozenset(): Fraction(1)}
    for block in blocks:
        grown = defaultdict(Fraction)
        for before, chance in table.items():
            for members, share in block.items():
                grown[before | members] += chance * share
        table = grown
    return [table[frozenset(j for j in range(n) if a >> j & 1)] for a in range(1 << n)]


def _block(kind, features, p, strength):
    found = defaultdict(Fraction)
    if kind == "anticorrelated":
        found[frozenset()] = 1 - p
        for i in features:
            found[frozenset([i])] += p / len(features)
    elif kind == "hierarchical":
        primary, secondary = features
        found[frozenset()] = 1 - p
        found[frozenset([primary])] = p * (1 - strength)
        found[frozenset([primary, secondary])] = p * strength
    else:
        member = strength + p - strength * p  # p_i of p = p_a p_i, c = p_i (1 - p_a) / (1 - p)
        on = p / member
        found[frozenset()] += 1 - on
        for a in range(1 << len(features)):
            inside = frozenset(i for j, i in enumerate(features) if a >> j & 1)
            found[inside] += (
                on * member ** len(inside) * (1 - member) ** (len(features) - len(inside))
            )
    return found


def sampled(n, density, groups, count, rng):
    """Samples of the features, (count, n), drawn as the definitions say."""
    active = rng.random((count, n)) < np.array(density, dtype=float)
    for kind, features, strength in groups:
        p, members = float(density[features[0]]), list(features)
        if kind == "anticorrelated":
            which = rng.integers(len(members), size=count)
            on = rng.random(count) < p
            active[:, members] = on[:, None] & (which[:, None] == np.arange(len(members)))
        elif kind == "hierarchical":
            on = rng.random(count) < p
            active[:, members[0]] = on
            active[:, members[1]] = on & (rng.random(count) < float(strength))
        else:
            member = float(strength + p - strength * p)
            on = rng.random(count) < p / member
            active[:, members] = on[:, None] & (rng.random((count, len(members))) < member)
    return rng.random((count, n)) * active


def sampled_loss(model_terms, W, b, x, importance):
    """Loss on samples and its standard error; terms are (linear, interference, decay)."""
    linear, interference, decay = model_terms
    output = x @ (W.T @ W) + b
    if not linear:
        output = np.maximum(output, 0.0)
    losses = ((x - output) ** 2 * importance).sum(axis=1)
    gram = W.T @ W
    extra = interference * ((gram**2).sum() - (np.diag(gram) ** 2).sum()) + decay * (W**2).sum()
    return losses.mean() + extra, losses.std(ddof=1) / np.sqrt(len(losses))
