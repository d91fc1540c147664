"""The catalogue of named configurations of n features in n - 1 hidden dimensions.

One feature too many for the dimensions: in each configuration a block of k features
shares k - 1 dimensions as a simplex and every other feature has a dimension of its
own.  A block of one is an ignored feature, of two an antipodal pair, of three a
triangle.  The block either includes the extra (last) feature or it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasediagram import closed_forms
from phasediagram.catalogue.blocks import BlockParameters, block_weights, canonical_angle
from phasediagram.catalogue.minimization import minimize_block
from phasediagram.model import ModelSize, as_density, as_importance
from phasediagram.results.wording import grid, span
from phasediagram.values import Result

Array = NDArray[np.float64]

_SIMPLEX_NAMES = {
    1: "ignored",
    2: "antipodal",
    3: "triangle",
    4: "tetrahedron",
    5: "4-simplex",
    6: "5-simplex",
}
_CANONICAL_OUTPUT_LOSS: dict[int, Callable[[ArrayLike], Array]] = {
    1: closed_forms.simplex_output_loss_1,
    2: closed_forms.simplex_output_loss_2,
    3: closed_forms.simplex_output_loss_3,
    4: closed_forms.simplex_output_loss_4,
    5: closed_forms.simplex_output_loss_5,
    6: closed_forms.simplex_output_loss_6,
}


@dataclass(frozen=True, eq=False, repr=False)
class ConfigurationMinimum(Result):
    """The global minimum of the loss within one configuration, at many points.

    All arrays share the leading axes (...) of the densities and relative importances.

    Attributes
    ----------
    loss : ndarray, shape (...)
    W : ndarray, shape (..., m, n)
    b : ndarray, shape (..., n)
    gradient_norm : ndarray, shape (...)
        Norm of the gradient with respect to the block's scales, angle and biases.
    """

    loss: Array
    W: Array
    b: Array
    gradient_norm: Array

    @property
    def scales(self) -> Array:
        """Norm of each feature's direction, shape (..., n)."""
        return np.asarray(np.linalg.norm(self.W, axis=-2))

    @property
    def biases(self) -> Array:
        """Bias of each output, shape (..., n): the same as `b`."""
        return self.b

    def _lines(self) -> list[str]:
        return [
            f"ConfigurationMinimum: {grid(self.loss.shape)}, loss {span(self.loss)}",
            f"norms {span(self.scales)}, biases {span(self.b)}, "
            f"gradient norm up to {self.gradient_norm.max(initial=0.0):.1e}",
        ]


@dataclass(frozen=True)
class Configuration:
    """A named family of weights for n features in n - 1 hidden dimensions.

    Attributes
    ----------
    name : str
        For example ``"ignored"``, ``"dedicated"``, ``"antipodal"``,
        ``"others-antipodal"``, ``"triangle"``.
    size : ModelSize
    block_size : int
        Number k of features that share k - 1 dimensions.
    includes_extra : bool
        Whether the extra (last) feature belongs to the block.
    """

    name: str
    size: ModelSize
    block_size: int
    includes_extra: bool

    @property
    def in_literature(self) -> bool:
        """Whether it is a candidate of the published diagrams, which stop at pairs."""
        return self.block_size <= 2

    def canonical_weights(self, density: ArrayLike) -> tuple[Array, Array]:
        """Return the hand-picked W and b at each density.

        Unit norms, a regular simplex within the block, biases 0, and bias p/2 for an
        ignored feature (Wattenberg's notebook; Elhage et al. 2022).

        Parameters
        ----------
        density : array_like, shape (...)

        Returns
        -------
        W : ndarray, shape (..., m, n)
        b : ndarray, shape (..., n)
        """
        p = as_density(density)
        W = np.broadcast_to(self._canonical_W, (*p.shape, *self._canonical_W.shape))
        b = np.zeros((*p.shape, self.size.n_features))
        if self.block_size == 1:
            b[..., self.first_feature] = p / 2
        return W, b

    @cached_property
    def _canonical_W(self) -> Array:
        if self.block_size == 1:
            return self._embed(np.zeros((0, 1)), np.zeros(1))[0]
        one, zero = np.array(1.0), np.array(0.0)
        angle = np.array(canonical_angle(self.block_size))
        return self._from_block(BlockParameters(one, one, angle, zero, zero))[0]

    @property
    def first_feature(self) -> int:
        """The block's first feature; the block's first dimension has the same number."""
        return self.size.n_features - self.block_size if self.includes_extra else 0

    def canonical_loss(self, density: ArrayLike, relative_importance: ArrayLike) -> Array:
        """Return the loss at the canonical weights, in closed form.

        Parameters
        ----------
        density, relative_importance : array_like
            Broadcast against each other to shape (...).

        Returns
        -------
        ndarray, shape (...)

        Raises
        ------
        ValueError
            If a density lies outside (0, 1] or an importance is not positive.

        Notes
        -----
        Every output of a regular simplex has the same loss, so the sum of the block's
        importances multiplies it (`derivations.triangle`, `phasediagram.closed_forms`).

        Examples
        --------
        >>> import phasediagram as phd
        >>> antipodal = phd.configurations(2, 1)[2]
        >>> float(antipodal.canonical_loss(0.6, 1.0))  # (1 + r) p^2 / 6
        0.12
        """
        p, r = as_density(density), as_importance(relative_importance, "relative_importance")
        shape = _broadcast_shape(p, r)
        block_loss = self._block_importance(r) * _CANONICAL_OUTPUT_LOSS[self.block_size](p)
        return np.broadcast_to(block_loss, shape)

    def minimize(self, density: ArrayLike, relative_importance: ArrayLike) -> ConfigurationMinimum:
        """Minimise the loss over the configuration's scales, angle and biases.

        The minimum is the global one within the configuration, its limits included: if
        the loss falls until a scale reaches 0, that limit (a simpler configuration) is
        returned.  The dedicated features are represented perfectly and cost nothing.

        Parameters
        ----------
        density, relative_importance : array_like
            Broadcast against each other to shape (...).

        Returns
        -------
        ConfigurationMinimum

        Raises
        ------
        ValueError
            If a density lies outside (0, 1] or an importance is not positive.
        """
        p, r = as_density(density), as_importance(relative_importance, "relative_importance")
        shape = _broadcast_shape(p, r)
        if self.block_size == 1:
            W, b = self.canonical_weights(p)
            return _spread(self.canonical_loss(p, r), W, b, np.zeros(p.shape), shape)
        if not self.includes_extra:  # equal importances: one problem for each density
            r = np.ones(p.shape)
        p, r = np.broadcast_arrays(p, r)
        found = minimize_block(self.block_size, p.ravel(), r.ravel())
        W, b = self._from_block(found.parameters)
        return _spread(
            found.loss.reshape(p.shape),
            W.reshape(*p.shape, *W.shape[1:]),
            b.reshape(*p.shape, *b.shape[1:]),
            found.gradient_norm.reshape(p.shape),
            shape,
        )

    def _block_importance(self, relative_importance: Array) -> Array:
        if self.includes_extra:
            return self.block_size - 1 + relative_importance
        return np.array(float(self.block_size))

    def _from_block(self, parameters: BlockParameters) -> tuple[Array, Array]:
        block_b = np.repeat(parameters.bias_other[..., None], self.block_size, axis=-1)
        block_b[..., -1] = parameters.bias_extra
        return self._embed(block_weights(self.block_size, parameters), block_b)

    def _embed(self, block_W: Array, block_b: Array) -> tuple[Array, Array]:
        """Give the block its features and dimensions, and the rest one dimension each."""
        n, m, k = self.size.n_features, self.size.n_hidden, self.block_size
        leading = block_b.shape[:-1]
        W, b = np.zeros((*leading, m, n)), np.zeros((*leading, n))
        first = self.first_feature
        W[..., first : first + k - 1, first : first + k] = block_W
        b[..., first : first + k] = block_b
        dedicated = [i for i in range(n) if not first <= i < first + k]
        dimensions = [d for d in range(m) if not first <= d < first + k - 1]
        W[..., dimensions, dedicated] = 1.0
        return W, b


def configurations(n_features: int = 2, n_hidden: int = 1) -> tuple[Configuration, ...]:
    """Return the catalogue of configurations, simplest first.

    Parameters
    ----------
    n_features : int
        Number of features n, 2 to 6.
    n_hidden : int
        Number of hidden dimensions, n_features - 1.

    Returns
    -------
    tuple of Configuration

    Raises
    ------
    ValueError
        For other sizes.

    Examples
    --------
    >>> import phasediagram as phd
    >>> [c.name for c in phd.configurations(3, 2)]
    ['ignored', 'dedicated', 'antipodal', 'others-antipodal', 'triangle']
    """
    return _catalogue(ModelSize(n_features, n_hidden))


@lru_cache(maxsize=8)
def _catalogue(size: ModelSize) -> tuple[Configuration, ...]:
    catalogue = []
    for k in range(1, size.n_features + 1):
        name = _SIMPLEX_NAMES[k]
        catalogue.append(Configuration(name, size, k, includes_extra=True))
        if k < size.n_features and (k == 1 or size.n_features > 2):
            others = "dedicated" if k == 1 else f"others-{name}"
            catalogue.append(Configuration(others, size, k, includes_extra=False))
    return tuple(catalogue)


def configuration(name: str, n_features: int = 2, n_hidden: int = 1) -> Configuration:
    """Return one configuration of the catalogue by its name.

    Raises
    ------
    ValueError
        If there is none of that name for this size.
    """
    catalogue = configurations(n_features, n_hidden)
    for candidate in catalogue:
        if candidate.name == name:
            return candidate
    allowed = ", ".join(repr(candidate.name) for candidate in catalogue)
    raise ValueError(
        f"name must be one of {allowed} for {n_features} features in {n_hidden} "
        f"dimensions, got {name!r}"
    )


def _broadcast_shape(density: Array, relative_importance: Array) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(density.shape, relative_importance.shape)
    except ValueError:
        raise ValueError(
            "density and relative_importance must broadcast against each other, got shapes "
            f"{density.shape} and {relative_importance.shape}"
        ) from None


def _spread(
    loss: Array, W: Array, b: Array, gradient_norm: Array, shape: tuple[int, ...]
) -> ConfigurationMinimum:
    """Broadcast what was found at fewer points to all points."""
    return ConfigurationMinimum(
        np.broadcast_to(loss, shape),
        np.broadcast_to(W, (*shape, *W.shape[-2:])),
        np.broadcast_to(b, (*shape, b.shape[-1])),
        np.broadcast_to(gradient_norm, shape),
    )
