"""Names of minima: those of two and three features stay, different minima never share one.

``named_minima.json`` holds

* ``named``: the Gram matrices (upper triangles) of all minima at 200 random points of (2, 1) and
  (3, 2), and the names that they have in the published diagrams;
* ``coexisting``: minima with a short and with a long extra feature that coexist, at points beside
  the boundaries and spinodals of such phases, the most extreme ratios of norms among them;
* ``near_critical``: the same on the lines where their losses are equal, beside the critical points;
* ``larger``: all minima at points of larger models.

The weights of the last three were found with the numpy engine of version 0.1 (Newton's method on
the exact loss from random starts) and rounded to nine decimals.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import phasediagram as phd
from phasediagram.naming.phases import PHASES, distinct_names, phase_of, phases_of

DATA = json.loads((Path(__file__).parent / "named_minima.json").read_text())
LARGER = [
    pytest.param(
        point, id="{n_features}-{n_hidden}-{density}-{relative_importance}".format(**point)
    )
    for point in DATA["larger"]
]
GOLDEN = (1 + np.sqrt(5)) / 2


def _weights(gram_triangle, n, m):
    """Return W (m, n) with this Gram matrix, from its eigenvectors."""
    gram = np.zeros((n, n))
    gram[np.triu_indices(n)] = gram_triangle
    values, vectors = np.linalg.eigh(gram + np.triu(gram, 1).T)
    return np.sqrt(np.maximum(values[-m:], 0))[:, None] * vectors[:, -m:].T


def _copies(W, rng, count=5):
    """Rotate and reflect the hidden space, and exchange features but for the last."""
    m, n = W.shape[-2:]
    for _ in range(count):
        rotation = np.linalg.qr(rng.normal(size=(m, m)))[0]
        yield (rotation @ W)[..., [*rng.permutation(n - 1), n - 1]]


def _simplex(size):
    """Return the vertices of a regular simplex as columns, shape (size - 1, size)."""
    centred = np.eye(size) - 1 / size
    values, vectors = np.linalg.eigh(centred)
    return (vectors[:, values > 0.5].T @ centred) / np.sqrt(1 - 1 / size)


def _polygon(size):
    angles = 2 * np.pi * np.arange(size) / size
    return np.stack([np.cos(angles), np.sin(angles)])


def _antiprism(size):
    """Return the vertices of a uniform antiprism over a regular polygon, of norm 1."""
    angles = np.pi * np.arange(2 * size) / size
    # edges across are as long as those of the two polygons
    height = np.sqrt((np.cos(np.pi / size) - np.cos(2 * np.pi / size)) / 2)
    heights = np.where(np.arange(2 * size) % 2, height, -height)
    vertices = np.stack([np.cos(angles), np.sin(angles), heights])
    return vertices / np.linalg.norm(vertices, axis=0)


def _beside(*blocks):
    """Return groups in dimensions of their own, the last of the last group the extra feature."""
    m, n = np.sum([block.shape for block in blocks], axis=0)
    W = np.zeros((m, n))
    row = column = 0
    for block in blocks:
        W[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return W


DIGON, ALONE, IGNORED = np.array([[1.0, -1.0]]), np.ones((1, 1)), np.zeros((0, 1))


@pytest.mark.parametrize(
    ("W", "name"),
    [
        (_simplex(3), "triangle"),
        (_simplex(4), "tetrahedron"),
        (_simplex(5), "4-simplex"),
        (_simplex(6), "5-simplex"),
        (_polygon(5), "pentagon"),
        (_polygon(7), "heptagon"),
        (_antiprism(4), "square-antiprism"),
        (_antiprism(3) * [[1], [1], [1.5]], "triangular-antiprism"),
        (np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]).T, "cube"),
        (np.vstack([np.tile(_polygon(3), 2), [*3 * [0.9], *3 * [-0.9]]]), "triangular-prism"),
        (_beside(ALONE, IGNORED), "ignored"),
        (_beside(IGNORED, ALONE), "dedicated"),
        (_beside(DIGON, ALONE), "others-antipodal"),
        (_beside(DIGON, IGNORED), "ignored-others-antipodal"),
        (_beside(ALONE, DIGON), "antipodal"),
        (_beside(DIGON, DIGON), "antipodal-others-antipodal"),
        (_beside(DIGON, DIGON, DIGON), "antipodal-others-2-antipodal"),
        (_beside(DIGON, DIGON, ALONE), "others-2-antipodal"),
        (_beside(_simplex(3), DIGON), "antipodal-others-triangle"),
        (_beside(DIGON, _simplex(3)), "triangle-others-antipodal"),
        (_beside(DIGON, _simplex(3), ALONE), "others-antipodal+triangle"),
        (_beside(_simplex(4), IGNORED), "ignored-others-tetrahedron"),
        (_beside(_polygon(5), DIGON), "antipodal-others-pentagon"),
        (np.array([[1.0, -1.0, -1.0]]), "2-against-1"),
        (np.array([[-1.0, -1.0, 1.0]]), "1-against-2"),
        (np.array([[1.0, 1.0, 1.0]]), "3-aligned"),
        (_simplex(4) * [-1, 1, 1, 1], "scalene-tetrahedron-aligned-other"),
        (_simplex(4) * [-1, -1, 1, 1], "scalene-tetrahedron-aligned-2-others"),
        (_simplex(4) * [1, 1, 1, -1], "aligned-tetrahedron"),
        (_simplex(4) * [0.7, 1, 1, 1], "scalene-tetrahedron"),
        (_simplex(4) * [1, 1, 1, 0.05], "partial-tetrahedron"),
        (_simplex(3)[:, [0, 1, 2, 2]] * [1, 1, 1, 0.4], "shared-triangle"),
        (_simplex(3)[:, [0, 1, 1, 2]] * [1, 0.6, 0.8, 1], "triangle-shared-other"),
        (_simplex(3)[:, [0, 1, 1, 2]] * [1, 0.4, 0.6, 1], "scalene-shared-other"),
        (_beside(_simplex(3)[:, [0, 1, 1, 2]] * [1, 0.6, 0.8, 1], ALONE), "others-triangle-shared"),
    ],
)
def test_regular_shapes_and_their_kin(W, name):
    """Exact coordinates, at a density at which every one of norm 1 needs its ReLU."""
    assert phase_of(W, 0.1) == name
    for copy in _copies(W, np.random.default_rng(0)):
        assert phase_of(copy, 0.1) == name


def test_a_pentagon_is_no_simplex():
    """The lowest minimum of five features in the plane at (0.05, 1)."""
    angle = 2 * np.pi / 5
    point = DATA["larger"][
        [(q["n_features"], q["density"]) for q in DATA["larger"]].index((5, 0.05))
    ]
    W = np.array(point["minima"][0]["W"])
    cosines = W.T @ W / np.sum(W[:, 0] ** 2)
    np.testing.assert_allclose(
        np.sort(cosines[0]), [*2 * [np.cos(2 * angle)], *2 * [np.cos(angle)], 1], atol=1e-6
    )
    assert phase_of(W, 0.05) == "pentagon"


def test_deformed_polytopes_keep_their_names():
    """Where the extra feature has another norm, and the others give way symmetrically."""
    pentagon = _polygon(5)[:, [1, 2, 3, 4, 0]]
    pulled = pentagon * [1, 0.9, 0.9, 1, 0.8] + np.array([[0.05, 0, 0, 0.05, 0], 5 * [0]])
    assert phase_of(pulled, 0.05) == "pentagon"
    assert phase_of(pulled * [1.01, 1, 1, 1, 1], 0.05) == "scalene-pentagon"
    long = _simplex(4) * [0.9, 0.9, 0.9, 1.2]
    assert phase_of(long, 0.1) == "tetrahedron"


@pytest.mark.parametrize("n", [2, 3])
def test_the_published_names_stay(n):
    """Every minimum at 200 random points, 100 of each model."""
    seen = Counter()
    for point in DATA["named"]:
        if point["n_features"] != n:
            continue
        minima = point["minima"]
        W = np.array([_weights(minimum["gram"], n, n - 1) for minimum in minima])
        names = [minimum["phase"] for minimum in minima]
        assert phases_of(W, np.full(len(W), point["density"])).tolist() == names
        distinct = distinct_names(W, point["density"]).tolist()
        assert len(set(distinct)) == len(distinct)
        assert distinct[0] == names[0]  # the lowest
        alone = [i for i, name in enumerate(names) if names.count(name) == 1]
        assert [distinct[i] for i in alone] == [names[i] for i in alone]
        seen.update(names)
    expected = {
        2: {"ignored", "dedicated", "antipodal", "partial", "partial-other", "aligned"},
        3: {*PHASES} - {"dedicated", "partial", "partial-other"},
    }
    assert set(seen) == expected[n]


def _biases_of_extra(point):
    """Return the bias of the extra feature's output in units of the interference on it."""
    W, b = np.array(point["W"]), np.array(point["b"])
    interference = -np.minimum(np.einsum("kmi,km->ki", W[..., :-1], W[..., -1]), 0).sum(axis=1)
    return b[:, -1] / interference


@pytest.mark.parametrize("point", DATA["coexisting"])
def test_short_and_long_extra_features_that_coexist(point):
    """Each by itself, and by the bias that it has, which the name does not look at."""
    W = np.array(point["W"])
    density = np.full(len(W), point["density"])
    if "triangle" not in point["names"]:
        assert phases_of(W, density).tolist() == point["names"]
    assert distinct_names(W, point["density"]).tolist() == point["names"]
    for copy in _copies(W, np.random.default_rng(0)):
        assert distinct_names(copy, point["density"]).tolist() == point["names"]
    short = [name.startswith("partial") for name in phases_of(W, density)]
    assert (_biases_of_extra(point) > 3 / 4).tolist() == short


def test_coexisting_triangles_by_themselves():
    """The rule for one triangle errs beside the spinodal of the long one, once in this sample."""
    points = [point for point in DATA["coexisting"] if "triangle" in point["names"]]
    wrong = [
        point
        for point in points
        if phases_of(np.array(point["W"]), np.full(2, point["density"])).tolist() != point["names"]
    ]
    assert len(points) > 30
    assert len(wrong) <= 1
    assert all(0.75 < _biases_of_extra(point)[1] < 0.7521 for point in wrong)


def test_triangles_beside_their_critical_points():
    """No constant bias separates them up to both points, but the two together have two names."""
    by_themselves = Counter()
    for point in DATA["near_critical"]:
        W = np.array(point["W"])
        assert distinct_names(W, point["density"]).tolist() == point["names"]
        assert distinct_names(W[::-1], point["density"]).tolist() == point["names"][::-1]
        by_themselves.update(phases_of(W, np.full(2, point["density"])).tolist())
    assert set(by_themselves) == {"triangle", "partial-triangle"}


@pytest.mark.parametrize("point", LARGER)
def test_different_minima_of_larger_models_have_different_names(point):
    W = np.array([minimum["W"] for minimum in point["minima"]])
    b = np.array([minimum["b"] for minimum in point["minima"]])
    importance = np.ones(point["n_features"])
    importance[-1] = point["relative_importance"]
    loss = phd.expected_loss(W, b, point["density"], importance)
    np.testing.assert_allclose(loss, [minimum["loss"] for minimum in point["minima"]], rtol=1e-9)
    names = distinct_names(W, point["density"]).tolist()
    assert len(set(names)) == len(names)
    assert not any(re.search(r"(?<!against)-\d+$", name) for name in names)  # no number was needed
    for copy in _copies(W, np.random.default_rng(0)):
        assert distinct_names(copy, point["density"]).tolist() == names
    order = np.random.default_rng(1).permutation(len(W))
    assert distinct_names(W[order], point["density"]).tolist() == [names[i] for i in order]


def test_four_features_in_two_dimensions():
    """Minima that were once all *antipodal*, *ignored* or *tetrahedron*."""
    names = {
        (point["density"], point["relative_importance"]): distinct_names(
            np.array([minimum["W"] for minimum in point["minima"]]), point["density"]
        ).tolist()
        for point in DATA["larger"]
        if (point["n_features"], point["n_hidden"]) == (4, 2)
    }
    assert names[0.05, 1] == ["antipodal-others-antipodal", "antipodal-others-aligned"]
    assert names[0.2, 0.6] == [
        "antipodal-others-antipodal",
        "aligned-others-antipodal",
        "antipodal-others-aligned",
    ]
    assert names[0.5, 0.5] == [
        "ignored-others-antipodal",
        "ignored-others-triangle",
        "antipodal-others-antipodal",
        "antipodal-others-aligned",
    ]
    assert names[0.9, 1.1] == [
        "others-1-against-2-longest-first",
        "others-1-against-2-longest-last",
        "others-3-aligned",
    ]


def test_many_kinds_of_minima_at_one_point():
    """The densest crowd that was met: ten minima and more, most of them irregular."""
    point = max(DATA["larger"], key=lambda point: len(point["minima"]))
    W = np.array([minimum["W"] for minimum in point["minima"]])
    assert len(W) >= 10
    assert len(set(phases_of(W, np.full(len(W), point["density"])).tolist())) < len(W)
    assert len(set(distinct_names(W, point["density"]).tolist())) == len(W)


def test_a_last_resort():
    """Three minima of the same pattern are numbered by the relative length of the extra feature."""
    W = np.stack([_simplex(3) * [1, 0.9, length] for length in (0.8, 0.6, 0.7)])
    assert distinct_names(W, 0.1).tolist() == ["scalene", "scalene-3", "scalene-2"]
    assert distinct_names(W[:2], 0.1).tolist() == ["scalene", "partial-scalene"]


def test_many_rows_are_named_like_each():
    points = [
        (minimum["W"], p["density"])
        for p in DATA["larger"]
        for minimum in p["minima"]
        if p["n_features"] == 4 and p["n_hidden"] == 2
    ]
    W, density = np.array([W for W, _ in points]), np.array([p for _, p in points])
    together = phases_of(W, density).tolist()
    assert together == [phase_of(*point) for point in zip(W, density, strict=True)]
    assert phases_of(W[:0], density[:0]).tolist() == []


def test_no_minima_no_names():
    assert distinct_names(np.empty((0, 2, 3)), 0.5).tolist() == []
