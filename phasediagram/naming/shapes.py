"""What the shape of one group of interfering features is called.

Everything is judged from one feature of the group, its apex: the extra feature, or in a group
without it the feature about which the group is most symmetric, the shortest among equals.  The
arrays here have the apex last.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.loss import expected_loss_and_gradient

Array = NDArray[np.float64]
Names = NDArray[np.str_]

EQUAL_NORMS_TOLERANCE = 1e-4  # norms, or products, that differ relatively by less are equal
PARALLEL_TOLERANCE = 1e-6  # of 1 less a cosine, and of eigenvalues of the matrix of cosines

# Where a feature that is uniform on [0, 1] does its damage: the mean of its values, each weighted
# with its square, E[x^3] / E[x^2].
_CENTRE_OF_INTERFERENCE = 3 / 4

_SCALENE = "scalene"
_SIMPLICES = {2: "antipodal", 3: "triangle", 4: "tetrahedron"}
_POLYGONS = {4: "quadrilateral", 5: "pentagon", 6: "hexagon", 7: "heptagon", 8: "octagon"}
# By the number of vertices and whether each has an opposite one: in how many kinds the other
# vertices fall at most, seen from one of them, and the name
_SOLIDS = {
    (6, True): (3, "triangular-antiprism"),
    (6, False): (3, "triangular-prism"),
    (8, True): (3, "cube"),
    (8, False): (4, "square-antiprism"),
}
_RADIX = np.array([1000, 10, 1])  # of (rank, distinct directions, opposed) in one number


def shape_names(W: Array, density: Array, *, of_extra: bool, fine: bool) -> Names:
    """Return what groups of equally many features are called.

    Parameters
    ----------
    W : ndarray, shape (k, m, g)
        The directions of the g features of each group, g at least 2.
    density : ndarray, shape (k,)
    of_extra : bool
        Whether the last feature is the extra one; else any may be the apex.
    fine : bool
        Whether to tell apart also what `phasediagram.naming.phases.distinct_names` does.

    Returns
    -------
    ndarray of str, shape (k,)
    """
    if W.shape[2] == 2:
        return _pair_names(W, density, of_extra, fine)
    if not of_extra:
        W = _with_apex_last(W)
    gram = np.swapaxes(W, 1, 2) @ W
    norms = np.sqrt(np.einsum("kii->ki", gram))
    cosines = gram / (norms[:, :, None] * norms[:, None, :])
    opposed = (cosines[:, -1] < PARALLEL_TOLERANCE - 1).any(axis=1)
    patterns = np.stack([_rank(cosines, W.shape[1]), _distinct_directions(cosines), opposed])
    codes, which = np.unique(_RADIX @ patterns, return_inverse=True)
    names = np.empty(len(W), dtype="U64")
    for number in range(len(codes)):
        rows = np.flatnonzero(which == number)
        dimensions, directions, has_opposite = patterns[:, rows[0]].tolist()
        if dimensions == 1:
            names[rows] = _collinear_names(gram[rows], of_extra, fine)
        elif directions < W.shape[2]:
            for row in rows:
                names[row] = _shared_name(W[row], density[row], of_extra, fine)
        else:
            shape = _shape(directions, dimensions, bool(has_opposite))
            names[rows] = _spread_names(W[rows], density[rows], shape)
            if dimensions == directions - 1:
                names[rows] = _with_sides(names[rows], gram[rows], fine)
            elif fine:
                acute = np.triu(gram[rows] > 0, k=1).sum(axis=(1, 2))
                names[rows] = [
                    f"{name}-{count}-acute"
                    for name, count in zip(names[rows].tolist(), acute.tolist(), strict=True)
                ]
    return names


def lets_interference_pass(W: Array, density: Array) -> NDArray[np.bool_]:
    """Whether the last feature's output hardly filters the interference of the others.

    Superposition works by filtering: the others' interference is negative, and the output's
    ReLU cuts it off.  An output still passes it on if it is on, its own feature being inactive,
    while the others of the group are all at 3/4, the centre of the interference (the mean of
    their values weighted with the squares of these).  It is on there if its bias is above 3/4
    of the sum of the negative gains, that is, if there the expected squared error still falls
    with the bias.

    Parameters
    ----------
    W : ndarray, shape (k, m, g)
    density : ndarray, shape (k,)

    Returns
    -------
    ndarray of bool, shape (k,)
    """
    gains = np.einsum("kmi,km->ki", W[..., :-1], W[..., -1])
    b = np.zeros((len(W), W.shape[2]))
    b[:, -1] = -_CENTRE_OF_INTERFERENCE * np.minimum(gains, 0).sum(axis=1)
    _, _, slope = expected_loss_and_gradient(W, b, density[:, None], 1.0)
    return np.asarray(slope[:, -1] < 0)


def _passing(W: Array, density: Array, asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of those that are asked for let interference pass."""
    passes = np.zeros(len(W), dtype=bool)
    if asked.any():
        passes[asked] = lets_interference_pass(W[asked], density[asked])
    return passes


def _pair_names(W: Array, density: Array, of_extra: bool, fine: bool) -> Names:
    norms = np.linalg.norm(W, axis=1)
    aligned = np.einsum("km,km->k", W[..., 0], W[..., 1]) > 0
    other_is_short = norms[:, 0] < norms[:, 1]
    short_last = np.where(other_is_short[:, None, None], W[..., ::-1], W)
    partial = _passing(short_last, density, ~aligned)
    reversed_roles = other_is_short & of_extra
    return np.select(
        [aligned & reversed_roles & fine, aligned, partial & reversed_roles, partial],
        ["aligned-other", "aligned", "partial-other", "partial"],
        "antipodal",
    )


def _collinear_names(gram: Array, of_extra: bool, fine: bool) -> list[str]:
    """Name groups on one line by how many point which way, the apex's way first."""
    names = []
    for products in gram:
        along = products[-1] > 0
        if not of_extra and along.sum() > (~along).sum():
            along = ~along
        first, last = int(along.sum()), int((~along).sum())
        name = f"{first}-against-{last}" if first and last else f"{len(along)}-aligned"
        if fine and first and last:
            name += "-longest-first" if along[np.diag(products).argmax()] else "-longest-last"
        names.append(name)
    return names


def _shared_name(W: Array, density: float, of_extra: bool, fine: bool) -> str:
    """Name a group in which several features point the same way, by what their directions form.

    Features of one direction count as one, with the sum of their squared norms.
    """
    norms = np.linalg.norm(W, axis=0)
    parallel = (W.T @ W) / np.outer(norms, norms) > 1 - PARALLEL_TOLERANCE
    last_of_each = ~np.triu(parallel, k=1).any(axis=1)
    lengths = np.sqrt((parallel * norms**2).sum(axis=1))
    merged = (W / norms * lengths)[:, last_of_each]
    name = shape_names(merged[None], np.array([density]), of_extra=of_extra, fine=fine)[0]
    if not of_extra:
        return f"{name}-shared"
    return f"shared-{name}" if parallel[-1, :-1].any() else f"{name}-shared-other"


def _spread_names(W: Array, density: Array, shape: tuple[int, str]) -> Names:
    """Name groups of distinct directions."""
    most_kinds, name = shape
    gram = np.swapaxes(W, 1, 2) @ W
    irregular = _kinds_of_others(gram) > most_kinds
    aligned = gram[:, -1, :-1].sum(axis=1) > 0
    passes = _passing(W, density, ~irregular & ~aligned)
    return np.select(
        [irregular, aligned, passes],
        [
            _SCALENE if name == _SIMPLICES[3] else f"{_SCALENE}-{name}",
            f"aligned-{name}",
            f"partial-{name}",
        ],
        name,
    )


def _shape(size: int, dimensions: int, has_opposite: bool) -> tuple[int, str]:
    """Return in how many kinds the other vertices fall at most, and what the shape is called."""
    simplex = _SIMPLICES.get(size, f"{size - 1}-simplex")
    if dimensions == size - 1:
        return 1, simplex
    if dimensions == size:
        return 1, f"oblique-{simplex}"
    if dimensions == 2:
        return size // 2, _POLYGONS.get(size, f"{size}-gon")
    if dimensions == 3 and (size, has_opposite) in _SOLIDS:
        return _SOLIDS[size, has_opposite]
    return size, f"{size}-in-{dimensions}"


def _with_sides(names: Names, gram: Array, fine: bool) -> Names:
    """Say of scalene simplices who lies on the same side as the rest; of triangles if fine."""
    if gram.shape[1] == 3 and not fine:
        return names
    added = names.astype("U64")
    for row in np.flatnonzero(np.strings.startswith(names, _SCALENE)):
        added[row] = _with_side(str(names[row]), gram[row], fine)
    return added


def _with_side(name: str, gram: Array, fine: bool) -> str:
    """Say which features of a simplex must be turned around so that all oppose each other."""
    size = len(gram)
    turned = np.where(gram[-1] > 0, -1.0, 1.0)
    turned[-1] = 1.0
    products = gram * turned[:, None] * turned
    if (products[~np.eye(size, dtype=bool)] > 0).any():
        return name
    others = np.flatnonzero(turned < 0)
    if len(others) == size - 1:
        return f"aligned-{name}"
    if len(others) > 1:
        return f"{name}-aligned-{len(others)}-others"
    if len(others) == 0:
        return name
    if not fine:
        return f"{name}-aligned-other"
    squares = np.diag(gram)
    rest = [i for i in range(size - 1) if i != others[0]]
    return f"{name}-aligned-{'longer' if squares[others[0]] > squares[rest].mean() else 'shorter'}"


def _kinds_of_others(gram: Array) -> NDArray[np.intp]:
    """Return in how many kinds the other features fall, seen from the last one.

    Two are of one kind if they have equal norms, equal products with the last feature, and
    equal products with the rest.
    """
    count, size = gram.shape[:2]
    largest = np.einsum("kii->ki", gram).max(axis=1)
    keys = np.empty((count, size - 1, size))
    for i in range(size - 1):
        rest = [j for j in range(size - 1) if j != i]
        # a norm, so that its relative error is that of the tolerance
        keys[:, i, 0] = np.sqrt(gram[:, i, i] * largest)
        keys[:, i, 1] = gram[:, i, -1]
        keys[:, i, 2:] = np.sort(gram[:, i, rest], axis=1)
    limit = EQUAL_NORMS_TOLERANCE * largest
    kinds = np.zeros(count, dtype=np.intp)
    for i in range(size - 1):
        earlier: NDArray[np.bool_] = (
            np.abs(keys[:, :i] - keys[:, i : i + 1]).max(axis=2) <= limit[:, None]
        )
        kinds += ~earlier.any(axis=1)
    return kinds


def _with_apex_last(W: Array) -> Array:
    """Return groups with the feature last about which they are most symmetric."""
    size = W.shape[2]
    orders = np.array([[*(j for j in range(size) if j != i), i] for i in range(size)])
    kinds = np.empty((len(W), size))
    for i, order in enumerate(orders):
        turned = W[:, :, order]
        kinds[:, i] = _kinds_of_others(np.swapaxes(turned, 1, 2) @ turned)
    norms = np.linalg.norm(W, axis=1)
    apex = np.lexsort([norms, kinds], axis=1)[:, 0]
    return np.take_along_axis(W, orders[apex][:, None, :], axis=2)


def _rank(cosines: Array, m: int) -> NDArray[np.intp]:
    size = cosines.shape[1]
    if size == 3 and m == 2:  # most of all grids; spares the eigenvalues
        parallel = np.abs(cosines) > 1 - PARALLEL_TOLERANCE
        return np.where(parallel.all(axis=(1, 2)), 1, 2)
    return np.asarray((np.linalg.eigvalsh(cosines) > PARALLEL_TOLERANCE).sum(axis=1))


def _distinct_directions(cosines: Array) -> NDArray[np.intp]:
    earlier = np.tril(cosines > 1 - PARALLEL_TOLERANCE, k=-1)
    return np.asarray((~earlier.any(axis=2)).sum(axis=1))
