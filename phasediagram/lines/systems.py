"""Equations that hold along a curve: what is solved, in (states, position).

A system's unknowns are a vector y that ends with the position in the plane; its equations are
one fewer, so that their solutions form curves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasediagram.lines.steps import pair_step, solve
from phasediagram.minima.engine import Engine
from phasediagram.parameters import Plane

Array = NDArray[np.float64]

_SAME_SLOPE = 1e-2  # moves of the position within which a derivative by it is used again
_REDUCED = 0.1  # of the curvature in a step of Newton's method with a derivative used again
_SOLVED = 1e-9  # curvature that says nothing of that, for the step was the last
_POSITION_STEP = 1e-6  # of differences by position, which only steer Newton's method


@dataclass(frozen=True)
class Residual:
    """A system's equations and their Jacobian at one y.

    Attributes
    ----------
    value : ndarray, shape (q,)
    jacobian : ndarray, shape (q, q + 1)
    """

    value: Array
    jacobian: Array


@dataclass(frozen=True)
class Local:
    """Loss and derivatives of one state at one position."""

    loss: float
    gradient: Array
    hessian: Array
    loss_by_position: Array
    gradient_by_position: Array  # (d, 2)


@dataclass(frozen=True)
class Softest:
    """A state, and the loss ``L + t^2 curvature / 2 + t^3 cubic`` along its softest direction."""

    state: Array
    direction: Array
    curvature: float
    cubic: float


class System(ABC):
    """One kind of curve.

    Parameters
    ----------
    engine : Engine
    plane : Plane
    """

    def __init__(self, engine: Engine, plane: Plane) -> None:
        self.engine, self.plane = engine, plane

    @abstractmethod
    def step(self, y: Array, constraint: Array, offset: float) -> Array:
        """Return Newton's step from y whose product with `constraint` is ``-offset``.

        Not finite where the equations are not.
        """

    @abstractmethod
    def tangent(self, y: Array) -> Array:
        """Return a unit tangent of the curve at y, of either sense."""

    @abstractmethod
    def states(self, y: Array) -> tuple[Array, ...]:
        """Return the states at y."""

    def commit(self, y: Array) -> None:  # noqa: B027
        """Take y as a point of the curve, from which the next one is looked for."""

    def local(self, x: Array, position: Array) -> Local:
        """Return loss and derivatives of a state, also by position."""
        losses, gradients, hessian = self.engine.with_slopes(x, *self.plane.expanded(position))
        return Local(float(losses[0]), gradients[0], hessian, losses[1:], gradients[1:].T)


class EqualLoss(System):
    """Two stationary states have the same loss: y = (first, second, position)."""

    def states(self, y: Array) -> tuple[Array, ...]:
        d = self.engine.space.size
        return y[:d], y[d : 2 * d]

    def step(self, y: Array, constraint: Array, offset: float) -> Array:
        """Return Newton's step, see `System.step`."""
        step, space = np.empty(len(y)), self.engine.space
        tables, importances = self.plane.expanded(y[-2:])
        pair_step(
            self.engine.rows, space.m, space.n, y, tables, importances, constraint, offset, step
        )
        return step

    def tangent(self, y: Array) -> Array:
        """Return a unit tangent: along it the losses stay equal and the states respond."""
        slope = self.slope(y)
        along = np.array([-slope[1], slope[0]]) / np.linalg.norm(slope)
        responses = []
        for x in self.states(y):
            here = self.local(x, y[-2:])
            right = -here.gradient_by_position @ along
            responses.append(np.linalg.lstsq(here.hessian, right, rcond=1e-9)[0])
        tangent = np.concatenate([*responses, along])
        return np.asarray(tangent / np.linalg.norm(tangent))

    def slope(self, y: Array) -> Array:
        """Return the derivative by position of the first loss less the second."""
        first, second = (self.local(x, y[-2:]) for x in self.states(y))
        return first.loss_by_position - second.loss_by_position


class Equations(System):
    """One kind of curve, of which the equations and their Jacobian are written out."""

    @abstractmethod
    def residual(self, y: Array) -> Residual:
        """Return the equations and their Jacobian."""

    def step(self, y: Array, constraint: Array, offset: float) -> Array:
        """Return Newton's step, see `System.step`."""
        here = self.residual(y)
        matrix = np.vstack([here.jacobian, constraint])
        return solve(matrix, -np.append(here.value, offset))

    def tangent(self, y: Array) -> Array:
        """Return a unit tangent of the curve at y, of either sense."""
        jacobian = self.residual(y).jacobian
        scale = np.abs(jacobian).max(axis=1)
        scale[scale == 0] = 1.0
        return np.asarray(np.linalg.svd(jacobian / scale[:, None])[2][-1])


class Fold(Equations):
    """A stationary state's smallest curvature vanishes: y = (state, position)."""

    def __init__(self, engine: Engine, plane: Plane) -> None:
        super().__init__(engine, plane)
        self.direction: Array | None = None

    def commit(self, y: Array) -> None:
        v = self.softest(y)[1]
        turned = self.direction is not None and v @ self.direction < 0
        self.direction = -v if turned else v

    def oriented_cubic(self, y: Array) -> float:
        """Return the third derivative along the softest direction, of the sense last taken."""
        v = self.softest(y)[1]
        if self.direction is not None and v @ self.direction < 0:
            v = -v
        return self.cubic(y, v)

    def states(self, y: Array) -> tuple[Array, ...]:
        return (y[:-2],)

    def residual(self, y: Array) -> Residual:
        d = self.engine.space.size
        here = self.local(y[:-2], y[-2:])
        value, v = self._followed(here.hessian)
        jacobian = np.zeros((d + 1, d + 2))
        jacobian[:d, :d], jacobian[:d, -2:] = here.hessian, here.gradient_by_position
        jacobian[d, :d] = self._curvature_by_state(y, v)
        for k, by in enumerate(self.plane.derivatives(y[-2:])):
            jacobian[d, d + k] = v @ self.engine.derivatives(y[:-2], by, stiff=False)[2] @ v
        return Residual(np.append(here.gradient, value), jacobian)

    def _curvature_by_state(self, y: Array, v: Array) -> Array:
        at, step = self.plane.at(y[-2:]), self.engine.step_within_kinks(y[:-2])
        ahead, behind = (
            self.engine.derivatives(y[:-2] + side * v, at, stiff=False)[2] @ v
            for side in (step, -step)
        )
        return np.asarray((ahead - behind) / (2 * step))

    def softest(self, y: Array) -> tuple[float, Array]:
        """Return the eigenvalue that vanishes and its eigenvector."""
        return self._followed(self.local(y[:-2], y[-2:]).hessian)

    def _followed(self, hessian: Array) -> tuple[float, Array]:
        """Return the smallest eigenvalue, or that of the eigenvector nearest to the last.

        On kinks, across which the eigenvector does not lead, others may be anything.
        """
        values, vectors = np.linalg.eigh(hessian)
        k = 0
        if self.direction is not None:
            k = int(np.abs(self.direction @ vectors).argmax())
        return float(values[k]), vectors[:, k]

    def cubic(self, y: Array, v: Array) -> float:
        """Return the third derivative of the loss along v."""
        return float(self._curvature_by_state(y, v) @ v)


class KinkFold(Equations):
    """A stationary state has the pre-activation of one corner at 0: y = (state, position).

    Parameters
    ----------
    output, corner : int
        Bit j of `corner` is set if feature j is 1 there.
    """

    def __init__(
        self,
        engine: Engine,
        plane: Plane,
        output: int,
        corner: int,
    ) -> None:
        super().__init__(engine, plane)
        self.output, self.corner = output, corner

    def states(self, y: Array) -> tuple[Array, ...]:
        return (y[:-2],)

    def residual(self, y: Array) -> Residual:
        d = self.engine.space.size
        here = self.local(y[:-2], y[-2:])
        value, by_state = preactivation(self.engine, y[:-2], self.output, self.corner)
        jacobian = np.zeros((d + 1, d + 2))
        jacobian[:d, :d], jacobian[:d, -2:] = here.hessian, here.gradient_by_position
        jacobian[d, :d] = by_state
        return Residual(np.append(here.gradient, value), jacobian)


@dataclass(frozen=True)
class _Slope:
    """A curvature where it was last asked for, and its derivative by the position."""

    position: Array
    curvature: float
    slope: Array


class ZeroCurvature(Equations):
    """A minimum's smallest second directional derivative vanishes: y = position.

    The state stays on its kinks and the direction on its cone; both follow the position.
    """

    def __init__(self, engine: Engine, plane: Plane, state: Array, direction: Array) -> None:
        super().__init__(engine, plane)
        self.state, self.direction = state, direction
        self._slope: _Slope | None = None

    def states(self, y: Array) -> tuple[Array, ...]:
        return (self.follow(y).state,)

    def follow(self, y: Array) -> Softest:
        """Return the state and its softest direction at a position."""
        at = self.plane.at(y)
        x, _ = self.engine.settle(self.state, at)
        return Softest(x, *self.engine.expansion(x, at, self.direction))

    def residual(self, y: Array) -> Residual:
        here = self.follow(y).curvature
        last = self._slope
        if (
            last is None
            or np.abs(y - last.position).max() > _SAME_SLOPE
            or abs(here) > _REDUCED * abs(last.curvature) > _REDUCED * _SOLVED
        ):
            step = _POSITION_STEP
            ahead = [self.follow(y + step * axis).curvature for axis in np.eye(2)]
            slope = np.array([(a - here) / step for a in ahead])
        else:
            slope = last.slope
        self._slope = _Slope(y, here, slope)
        return Residual(np.array([here]), slope[None])

    def commit(self, y: Array) -> None:
        here = self.follow(y)
        self.state, self.direction = here.state, here.direction

    def cubic(self, y: Array) -> float:
        """Return K of ``t^3 K`` along the softest direction."""
        return self.follow(y).cubic


def preactivation(engine: Engine, x: Array, output: int, corner: int) -> tuple[float, Array]:
    """Return Z of one output at one corner of the cube, and its derivative by the state."""
    space = engine.space
    W, b = space.weights(x), space.biases(x)
    active = np.array([corner >> j & 1 for j in range(space.n)], dtype=np.float64)
    total = W @ active
    by_W = np.outer(W[:, output], active)
    by_W[:, output] += total
    by_b = np.zeros(space.n)
    by_b[output] = 1.0
    return float(W[:, output] @ total + b[output]), np.concatenate([by_W.ravel(), by_b])
