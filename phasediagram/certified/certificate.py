"""What a certificate says, and its file."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, field
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasediagram._version import __version__
from phasediagram.archives import replacing, require_readable
from phasediagram.certified.problem import triangular
from phasediagram.certified.trees import Tree, depth_first, restored
from phasediagram.results.wording import matrix
from phasediagram.values import Result, Value

Array = NDArray[np.float64]

FORMAT = 1
_PARTS = 64  # of a box, in which it is said where tangent planes touch
_THEOREM = (
    "x' = ReLU(W^T W x + b); feature i is active with probability density_i, independently, and "
    "then uniform on [0, 1], else 0; loss = sum_i importance_i E[(x_i - x'_i)^2] + penalty "
    "sum_{i != j} (W_i . W_j)^2.  Every W, b costs at least `lower`; `weights`, `biases` cost "
    "`upper`.  Up to rotations, reflections and exchanges of equal features every minimiser lies "
    "in a box marked 'o'.",
    "reach: weights of norm above reach_i cost at least importance_i density_i / 3 "
    "((reach_i^2 - 1) / (reach_i^2 + 1))^2 >= upper.  The root box holds all upper triangular W "
    "with 0 <= W_ii <= reach_i, |W_ki| <= reach_i.",
    "tree: depth first, a digit halves a box along that weight (row-major), the lower half coming "
    "first; '.' the loss is at least `upper`, 'o' at least `lower`, 's' a copy with equal features "
    "exchanged is elsewhere.",
    "touch_weights, touch_biases: where tangent planes touch in each box '.' or 'o', in order: "
    "weights in 64ths of the box, the character of code 48 being 0.",
)


@dataclass(frozen=True, eq=False, repr=False)
class Region(Value):
    """A box of weights that may hold global minimisers.

    Attributes
    ----------
    low, high : ndarray, shape (m, n)
        Bounds of W, rotated and reflected so that it is upper triangular with a diagonal
        that is not negative, equal features in order of descending norms.
    gram_low, gram_high : ndarray, shape (n, n)
        Bounds of W^T W.
    """

    low: Array
    high: Array
    gram_low: Array
    gram_high: Array

    def _lines(self) -> list[str]:
        return [f"Region: W^T W from {matrix(self.gram_low)} to {matrix(self.gram_high)}"]


@dataclass(frozen=True, eq=False, repr=False)
class Certificate(Result):
    """Bounds of the least loss at one point, with their proof.

    Attributes
    ----------
    density, importance : tuple of float
        Of each feature.
    n_features, n_hidden : int
    bias : bool
        Whether biases are free, else 0.
    interference_penalty : float
    lower, upper : float
        No weights and biases cost less than `lower`; `W` and `b` cost `upper`.
    exact_lower, exact_upper : Fraction
        The same numbers without rounding.
    is_closed : bool
        Whether `upper - lower` is at most the gap that was asked for.
    boxes : int
        How many boxes of weights were examined.
    minimiser_within : tuple of Region
        Every global minimiser lies in one of them, up to symmetries of the model.
    W, b : ndarray, shapes (m, n) and (n,)
        The weights and biases that cost `upper`.
    tree : Tree
        The proof.
    seconds : float
        What it took.
    version : str
    """

    density: tuple[float, ...]
    importance: tuple[float, ...]
    n_features: int
    n_hidden: int
    bias: bool
    interference_penalty: float
    exact_lower: Fraction
    exact_upper: Fraction
    is_closed: bool
    minimiser_within: tuple[Region, ...]
    W: Array
    b: Array
    tree: Tree
    seconds: float = field(compare=False)
    version: str = field(default=__version__, compare=False)

    @property
    def lower(self) -> float:
        """The lower bound, rounded down."""
        rounded = float(self.exact_lower)
        return rounded if rounded <= self.exact_lower else float(np.nextafter(rounded, -np.inf))

    @property
    def upper(self) -> float:
        """The upper bound, rounded up."""
        rounded = float(self.exact_upper)
        return rounded if rounded >= self.exact_upper else float(np.nextafter(rounded, np.inf))

    @property
    def gap(self) -> float:
        """How far the bounds are apart."""
        return float(self.exact_upper - self.exact_lower)

    @property
    def boxes(self) -> int:
        """How many boxes of weights were examined."""
        return self.tree.boxes

    def __repr__(self) -> str:
        state = "closed" if self.is_closed else f"open, {self.tree.open} boxes left"
        return (
            f"Certificate({self.lower:.12g} <= least loss <= {self.upper:.12g}, "
            f"gap {self.gap:.1e}, {state}, {self.boxes} boxes, {self.seconds:.2f} s)"
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write the certificate, compressed JSON, for ``python -m phasediagram.certified.checker``.

        Raises
        ------
        ValueError
            If parts were left open, so that there is nothing to check.
        """
        if self.tree.open:
            raise ValueError(f"{self.tree.open} boxes are open: only the rest could be checked")
        with replacing(Path(path)) as partial, gzip.open(partial, "wt", encoding="utf-8") as file:
            json.dump(self._contents(), file)

    @staticmethod
    def load(path: str | Path) -> Certificate:
        """Return the certificate in a file, as it was saved; it is not checked again.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it holds no certificate.
        """
        try:
            with gzip.open(path, "rt", encoding="utf-8") as file:
                contents = json.load(file)
            require_readable(Path(path), contents["format"], FORMAT)
            return _restored(contents)
        except (EOFError, KeyError, TypeError, IndexError, zlib.error, gzip.BadGzipFile):
            raise ValueError(f"{str(path)!r} is truncated or foreign") from None

    def _contents(self) -> dict[str, Any]:
        tree, size = self.tree, self.n_features * self.n_hidden
        text, order = depth_first(tree.codes)
        low, high = tree.leaf_boxes()
        width = np.where(high > low, high - low, 1.0)
        parts = np.rint((tree.touched[:, :size] - low) / width * _PARTS).astype(np.uint8) + 48
        return {
            "format": FORMAT,
            "version": self.version,
            "seconds": self.seconds,
            "theorem": _THEOREM,
            "bias": self.bias,
            "density": [str(Fraction(x)) for x in self.density],
            "importance": [str(Fraction(x)) for x in self.importance],
            "penalty": str(Fraction(self.interference_penalty)),
            "lower": str(self.exact_lower),
            "upper": str(self.exact_upper),
            "weights": self.W.ravel().tolist(),
            "biases": self.b.tolist(),
            "reach": tree.high[: self.n_features].tolist(),
            "tree": text,
            "touch_weights": [row.tobytes().decode("ascii") for row in parts[order]],
            "touch_biases": tree.touched[order, size:].tolist(),
        }


def _restored(contents: dict[str, Any]) -> Certificate:
    reach = np.array(contents["reach"], dtype=np.float64)
    n = len(reach)
    W = np.array(contents["weights"], dtype=np.float64).reshape(-1, n)
    m = len(W)
    low, high = triangular(m, reach)
    codes = np.array([list(map(ord, text)) for text in contents["touch_weights"]]) - 48.0
    touching = np.concatenate([codes / _PARTS, np.array(contents["touch_biases"])], axis=1)
    tree = restored(low, high, contents["tree"], touching)
    return Certificate(
        tuple(float(Fraction(x)) for x in contents["density"]),
        tuple(float(Fraction(x)) for x in contents["importance"]),
        n,
        m,
        bool(contents["bias"]),
        float(Fraction(contents["penalty"])),
        Fraction(contents["lower"]),
        Fraction(contents["upper"]),
        True,
        regions(m, n, tree),
        W,
        np.array(contents["biases"], dtype=np.float64),
        tree,
        float(contents["seconds"]),
        str(contents["version"]),
    )


def regions(m: int, n: int, tree: Tree) -> tuple[Region, ...]:
    """Return boxes around the candidates: those that touch are joined."""
    shape = m, n
    joined: list[tuple[Array, Array]] = []
    order = np.lexsort(tree.candidates.low.T)
    for low, high in zip(tree.candidates.low[order], tree.candidates.high[order], strict=True):
        joined = _with(joined, low, high)
    return tuple(
        Region(a, b, *_gram(a, b))
        for a, b in ((low.reshape(shape), high.reshape(shape)) for low, high in joined)
    )


def _with(boxes: list[tuple[Array, Array]], low: Array, high: Array) -> list[tuple[Array, Array]]:
    apart = []
    for a, b in boxes:
        if (a <= high).all() and (low <= b).all():
            low, high = np.minimum(low, a), np.maximum(high, b)
        else:
            apart.append((a, b))
    return [*apart, (low, high)]


def _gram(low: Array, high: Array) -> tuple[Array, Array]:
    """Return bounds of W^T W, rounded outwards."""
    ends = np.stack([low, high])
    products = ends[:, None, :, :, None] * ends[None, :, :, None, :]
    least, most = products.min((0, 1)), products.max((0, 1))
    n = low.shape[1]
    for i in range(n):
        squares = ends[:, :, i] ** 2
        crosses = (low[:, i] < 0) & (high[:, i] > 0)
        least[:, i, i] = np.where(crosses, 0.0, squares.min(0))
        most[:, i, i] = squares.max(0)
    gram_low, gram_high = least.sum(0), most.sum(0)
    slack = 2.0**-48 * (np.abs(least).sum(0) + np.abs(most).sum(0))
    return gram_low - slack, gram_high + slack
