"""What a minimum is called, from its geometry.

Features interfere if their directions are not orthogonal; those that interfere, directly or
through others, form a group.  A name says first what became of the extra feature (the last
one), then what the others do without it::

    name    = own | own "-others-" others | "others-" others
    own     = "ignored" | "dedicated" | shape        the extra feature, or its group
    others  = [count "-"] shape {"+" [count "-"] shape}      groups without the extra feature

``ignored`` has no direction.  ``dedicated`` is alone in its dimension while no others form a
group; if others do, the name begins with ``others-``.  Features that are alone, and others that
are ignored, are not mentioned.  A shape is a group of g features in d dimensions:

    antipodal            g = 2, opposite: a digon; norms comparable
    partial              as antipodal, the extra feature too short to need its ReLU
    partial-other        as antipodal, the other feature so short
    aligned              g = 2, in the same direction
    1-against-2, ...     g > 2 on one line: so many the extra feature's way, so many the other
    3-aligned, ...       g > 2 on one line, all the same way
    triangle, tetrahedron, 4-simplex, ...        d = g - 1
    quadrilateral, pentagon, hexagon, ...        d = 2
    triangular-prism, triangular-antiprism, cube, square-antiprism      d = 3
    5-in-3, ...          anything else: g-in-d

A polytope bears its name if the group is as symmetric about the extra feature as the regular
polytope is about a vertex; the extra feature itself may have any norm.  Before and after it stand

    partial-             the extra feature is too short to need its ReLU
    aligned-             the extra feature is on the same side as the others
    scalene-             not so symmetric; ``scalene`` alone is a triangle
    -aligned-other       a scalene simplex of g > 3, another feature on the same side as the rest
    -aligned-2-others    two others on the same side as the rest
    shared-              the extra feature has its direction in common with another
    -shared-other        others have a direction in common; the shape is that of the directions
    oblique-             d = g

A group without the extra feature is judged from that of its features about which it is most
symmetric, the shortest among equals; then there is no *partial-other* but *partial*, and
*-shared* stands for *-shared-other*.

*Too short to need its ReLU* (`phasediagram.naming.shapes.lets_interference_pass`) means that its
output is on while its own feature is inactive and the others of the group are at 3/4, the
centre of their interference; the best bias for W is meant, so the density matters.  An output
that is off there filters the interference, which is what makes superposition work.

Minima that coexist can be alike in all this.  `distinct_names` tells them apart.  It says of
scalene triangles too who is on the same side (``aligned-scalene`` the extra feature,
``scalene-aligned-longer`` the longer of the others, ``-shorter`` the shorter), of aligned pairs
whether the other feature is the shorter (``aligned-other``), of features on one line on which
side the longest is (``-longest-first``, ``-longest-last``), and of other groups than simplices
how many pairs are at acute angles (``-3-acute``).  Of two that remain alike the one
with the shorter extra feature, relative to its group, is ``partial-`` and the other is not.  So
*triangle* and *partial-triangle*, which turn into each other without a transition between their
critical points, have names of their own wherever both exist.  The last resort are numbers, by
that length, the longest first: ``-2``, ``-3``.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from phasediagram.naming.geometry import DEDICATED, IGNORED, interference_groups
from phasediagram.naming.shapes import shape_names

Array = NDArray[np.float64]
Names = NDArray[np.str_]

PHASES = (
    IGNORED,
    DEDICATED,
    "antipodal",
    "partial",
    "partial-other",
    "aligned",
    "others-antipodal",
    "others-partial",
    "others-aligned",
    "partial-triangle",
    "triangle",
    "scalene",
    "aligned-triangle",
)

_OTHERS = "others-"
_PARTIAL = "partial-"


def phase_of(W: Array, density: float) -> str:
    """Return the phase of one minimum.

    Parameters
    ----------
    W : ndarray, shape (m, n)
    density : float
        Decides which bias is best, and so what is *partial*.

    Returns
    -------
    str
        See the module's docstring.
    """
    return str(phases_of(W[None], np.array([density]))[0])


def phases_of(W: Array, density: Array) -> Names:
    """Return the phases of many minima, each by itself.

    Parameters
    ----------
    W : ndarray, shape (k, m, n)
    density : ndarray, shape (k,)

    Returns
    -------
    ndarray of str, shape (k,)
    """
    return _names(W, density, fine=False)


def distinct_names(W: Array, density: float) -> Names:
    """Return the phases of all minima at one point, with different names for different minima.

    Parameters
    ----------
    W : ndarray, shape (k, m, n)
        Minima that are different up to symmetry.
    density : float

    Returns
    -------
    ndarray of str, shape (k,)
        As `phases_of`, except where two would have the same name.
    """
    everywhere = np.full(len(W), float(density))
    names = phases_of(W, everywhere).tolist()
    clashing = _clashing(names)
    if not clashing:
        return np.array(names, dtype=np.str_)
    rows = np.concatenate(list(clashing.values()))
    finer = _names(W[rows], everywhere[rows], fine=True)
    for row, name in zip(rows.tolist(), finer.tolist(), strict=True):
        names[row] = name
    for name, alike in _clashing(names).items():
        longest_first = sorted(alike, key=lambda row: _length_key(W[row]), reverse=True)
        taken = {other for row, other in enumerate(names) if row not in alike}
        for row, new in zip(longest_first, _ranked(name, len(alike), taken), strict=True):
            names[row] = new
    return np.array(names, dtype=np.str_)


def _names(W: Array, density: Array, *, fine: bool) -> Names:
    names = np.empty(len(W), dtype="U128")
    for rows, groups in interference_groups(W):
        names[rows] = _names_of_pattern(W[rows], density[rows], groups, fine)
    return names.astype(f"U{np.strings.str_len(names).max(initial=1)}")


def _names_of_pattern(W: Array, density: Array, groups: list[list[int]], fine: bool) -> Names | str:
    """Return the names of minima with the same groups."""
    last = W.shape[2] - 1
    own = next((group for group in groups if last in group), [])
    others = [
        shape_names(W[..., group], density, of_extra=False, fine=fine)
        for group in groups
        if group is not own and len(group) > 1
    ]
    if len(own) > 1:
        name: Names | str = shape_names(W[..., own], density, of_extra=True, fine=fine)
    else:
        name = DEDICATED if own else IGNORED
    if not others:
        return name
    if own == [last]:
        return np.char.add(_OTHERS, _listed(others))
    return np.char.add(np.char.add(name, f"-{_OTHERS}"), _listed(others))


def _listed(groups: list[Names]) -> Names:
    """Return the shapes of several groups in one word, in an order of their own."""
    if len(groups) == 1:
        return groups[0]
    listed = []
    for shapes in zip(*(names.tolist() for names in groups), strict=True):
        counts = sorted(Counter(shapes).items())
        listed.append("+".join(f"{count}-{name}" if count > 1 else name for name, count in counts))
    return np.array(listed, dtype=np.str_)


def _clashing(names: list[str]) -> dict[str, list[int]]:
    """Return the names that occur more than once, and where."""
    return {
        name: [row for row, other in enumerate(names) if other == name]
        for name, count in Counter(names).items()
        if count > 1
    }


def _length_key(W: Array) -> tuple[float, ...]:
    """Return how long the extra feature is, relative to its group, then all of the geometry.

    Where it is alone or ignored, the shortest of each group relative to its longest is meant.
    """
    last = W.shape[1] - 1
    norms = np.linalg.norm(W, axis=0)
    ((_, groups),) = interference_groups(W[None])
    own = next((group for group in groups if last in group), [])
    products = np.sort((W.T @ W)[np.triu_indices(last + 1)]).tolist()
    if len(own) > 1:
        return float(norms[-1] / norms[[i for i in own if i != last]].mean()), *products
    ratios = sorted(float(norms[group].min() / norms[group].max()) for group in groups)
    return *ratios, *products


def _ranked(name: str, count: int, taken: set[str]) -> list[str]:
    """Return distinct names for minima that would all have the same, the longest first."""
    if count == 2:
        pair = [_lengthened(name), _shortened(name)]
        if not taken & set(pair):
            return pair
    return [name, *(f"{name}-{number}" for number in range(2, count + 1))]


def _shortened(name: str) -> str:
    head, shape, tail = _parts(name)
    if shape == "antipodal":
        return f"{head}partial{tail}"
    return name if shape.startswith("partial") else f"{head}{_PARTIAL}{shape}{tail}"


def _lengthened(name: str) -> str:
    head, shape, tail = _parts(name)
    if shape.startswith("partial"):
        return f"{head}{shape.removeprefix(_PARTIAL) if shape != 'partial' else 'antipodal'}{tail}"
    return name


def _parts(name: str) -> tuple[str, str, str]:
    """Return what comes before the first shape, the shape, and what comes after."""
    for head in (f"{IGNORED}-{_OTHERS}", _OTHERS):
        if name.startswith(head):
            return head, name.removeprefix(head), ""
    shape, dash, tail = name.partition(f"-{_OTHERS}")
    return "", shape, dash + tail
