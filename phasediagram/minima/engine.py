"""The compiled functions, bound to one space of states."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from phasediagram.kernel.packing import work_size
from phasediagram.kernel.pointers import evaluate_at, evaluate_with_slopes_at
from phasediagram.kernel.rows import rows_address
from phasediagram.minima.curvature import KINK, expansion, nearest_kink, softest, step_within_kinks
from phasediagram.minima.following import follow_rows
from phasediagram.minima.newton import minimize_rows, settle, stiffen_rotations
from phasediagram.minima.state import Space
from phasediagram.parameters import Parameters
from phasediagram.toymodel.models import RELU

Array = NDArray[np.float64]

_ITERATIONS = 200
_FIRST_RADIUS = 0.25
_ROWS_WORTH_THREADS = 256  # of three features; fewer are done before threads are, on busy cores
_DEARER = 8  # how much longer a row takes with one feature more


@dataclass(frozen=True)
class Ends:
    """Where descents ended.

    Attributes
    ----------
    x : ndarray, shape (k, d)
    loss, slope : ndarray, shape (k,)
        The loss and the norm of its gradient.
    """

    x: Array
    loss: Array
    slope: Array


@dataclass(frozen=True)
class Followed:
    """Where minima went; see `phasediagram.minima.following`.

    Attributes
    ----------
    x, direction : ndarray, shape (k, d)
        States, and their softest directions.
    loss, slope, curvature : ndarray, shape (k,)
    outcome : ndarray, shape (k,)
        ``ARRIVED``, ``LOST`` or ``SADDLE``.
    """

    x: Array
    direction: Array
    loss: Array
    slope: Array
    curvature: Array
    outcome: Array


@dataclass(frozen=True)
class Engine:
    """Loss, descent and curvature of the states of one space.

    Attributes
    ----------
    space : Space
    threads : int
        Over how many threads descents are spread; results do not depend on it.
    activation : {"relu", "linear"}
    terms : bool
        Whether parameters have terms, see `phasediagram.kernel.cube.terms`.
    """

    space: Space
    threads: int = 1
    activation: str = RELU
    terms: bool = False

    @cached_property
    def rows(self) -> int:
        """Address of the outputs' errors."""
        return rows_address(self.space.n, self.activation, self.terms)

    @cached_property
    def _work(self) -> Array:
        return np.empty(work_size(self.space.n, self.space.m))

    def minimize(
        self,
        starts: Array,
        tables: Array,
        importances: Array,
        tolerances: Array,
        radius: float = _FIRST_RADIUS,
        iterations: int = _ITERATIONS,
    ) -> Ends:
        """Descend from every row of `starts`; parameters of one row hold for all."""
        x = np.array(starts, dtype=np.float64, order="C")
        if not self.space.bias:
            x[:, self.space.m * self.space.n :] = 0.0
        loss, slope = np.empty(len(x)), np.empty(len(x))

        def run(part: slice) -> None:
            def of(values: Array) -> Array:
                return values if len(values) == 1 else values[part]

            minimize_rows(
                self.rows,
                self.space.m,
                self.space.n,
                x[part],
                of(tables),
                of(importances),
                of(tolerances),
                iterations,
                radius,
                loss[part],
                slope[part],
            )

        self._spread(run, len(x))
        return Ends(x, loss, slope)

    def _spread(self, run: Callable[[slice], None], count: int) -> None:
        """Run over parts of so many rows, in threads if that pays."""
        enough = _ROWS_WORTH_THREADS // _DEARER ** max(self.space.n - 3, 0)
        if self.threads == 1 or count < max(enough, 2):
            run(slice(0, count))
            return
        bounds = np.linspace(0, count, 4 * self.threads + 1).astype(int)
        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(run, map(slice, bounds[:-1], bounds[1:])))

    def follow(
        self,
        x: Array,
        directions: Array,
        there: tuple[Array, Array, Array],
        back: tuple[Array, Array, Array],
    ) -> Followed:
        """Follow minima x (k, d) with their softest directions from `back` to `there`.

        These are tables (k, 2^n), importances (k, n) and tolerances (k,).
        """
        count, size = x.shape
        starts = np.ascontiguousarray(x)
        moved, softer = np.empty((count, size)), np.array(directions, order="C")
        info, outcome = np.empty((count, 3)), np.empty(count)

        def run(part: slice) -> None:
            follow_rows(
                self.rows,
                self.space.m,
                self.space.n,
                starts[part],
                *(values[part] for values in there),
                *(values[part] for values in back),
                moved[part],
                softer[part],
                info[part],
                outcome[part],
            )

        self._spread(run, count)
        return Followed(moved, softer, info[:, 0], info[:, 1], info[:, 2], outcome)

    def minimize_at(
        self,
        starts: Array,
        at: Parameters,
        radius: float = _FIRST_RADIUS,
        iterations: int = _ITERATIONS,
    ) -> Ends:
        """Descend from every row of `starts` at one point."""
        parameters = at.table[None], at.importance[None], np.array([at.tolerance])
        return self.minimize(starts, *parameters, radius, iterations)

    def derivatives(
        self, x: Array, at: Parameters, stiff: bool = True
    ) -> tuple[float, Array, Array]:
        """Return loss, gradient and Hessian, rotations made stiff on request."""
        size = self.space.size
        gradient, hessian = np.empty(size), np.empty((size, size))
        loss = evaluate_at(
            self.rows,
            self.space.m,
            self.space.n,
            x,
            at.table,
            at.importance,
            gradient,
            hessian,
            self._work,
            2,
        )
        if stiff:
            stiffen_rotations(self.space.m, self.space.n, x, hessian, 1.0)
        return loss, gradient, hessian

    def with_slopes(
        self, x: Array, tables: Array, importances: Array
    ) -> tuple[Array, Array, Array]:
        """Return losses (k + 1,) and gradients (k + 1, d) here and of derivatives, and the Hessian.

        Rotations are made stiff.  `tables` and `importances` have k + 1 rows, those of the point
        first, then those whose losses are the derivatives.
        """
        size = self.space.size
        losses, gradients = np.empty(len(tables)), np.empty((len(tables), size))
        hessian = np.empty((size, size))
        evaluate_with_slopes_at(
            self.rows,
            self.space.m,
            self.space.n,
            x,
            tables[0],
            importances[0],
            tables[1:],
            importances[1:],
            losses,
            gradients,
            hessian,
            self._work,
        )
        stiffen_rotations(self.space.m, self.space.n, x, hessian, 1.0)
        return losses, gradients, hessian

    def slope(self, x: Array, at: Parameters) -> tuple[float, Array]:
        """Return loss and gradient; linear in table and importances."""
        gradient = np.empty(self.space.size)
        loss = evaluate_at(
            self.rows,
            self.space.m,
            self.space.n,
            x,
            at.table,
            at.importance,
            gradient,
            np.empty((0, 0)),
            self._work,
            1,
        )
        return loss, gradient

    def softest(
        self, x: Array, at: Parameters, guesses: Array | None = None, eigenvectors: int = 99
    ) -> tuple[float, Array]:
        """Return the smallest second directional derivative and its unit direction.

        At kinks it is searched from `guesses` and from that many eigenvectors of the Hessian.
        """
        direction = np.empty(self.space.size)
        start = np.zeros((0, self.space.size)) if guesses is None else guesses
        curvature = softest(
            self.rows,
            self.space.m,
            self.space.n,
            x,
            at.table,
            at.importance,
            start,
            eigenvectors,
            direction,
        )
        return curvature, direction

    def settle(
        self, x: Array, at: Parameters, loosely: float = 1.0, iterations: int = 8
    ) -> tuple[Array, bool]:
        """Return the stationary state next to x, minimum or not, and whether it is stationary.

        Its gradient is below `loosely` times the tolerance.
        """
        moved = np.array(x)
        return moved, self._settled(moved, at, loosely, iterations, self._work)

    def settle_all(
        self, x: Array, at: Parameters, loosely: float, iterations: int
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Return what `settle` returns of each row of x (k, d)."""
        moved, settled = np.array(x, dtype=np.float64, order="C"), np.empty(len(x), dtype=bool)

        def run(part: slice) -> None:
            work = np.empty(len(self._work))
            settled[part] = [
                self._settled(row, at, loosely, iterations, work) for row in moved[part]
            ]

        self._spread(run, len(x))
        return moved, settled

    def _settled(
        self, x: Array, at: Parameters, loosely: float, iterations: int, work: Array
    ) -> bool:
        """Settle x in place."""
        m, n, tolerance = self.space.m, self.space.n, loosely * at.tolerance
        return bool(
            settle(self.rows, m, n, x, at.table, at.importance, tolerance, iterations, work)
        )

    def curvatures(self, x: Array, at: Parameters, eigenvectors: int) -> Array:
        """Return the smallest second directional derivative at each row of x; see `softest`."""
        found = np.empty(len(x))

        def run(part: slice) -> None:
            found[part] = [self.softest(row, at, None, eigenvectors)[0] for row in x[part]]

        self._spread(run, len(x))
        return found

    def expansion(self, x: Array, at: Parameters, direction: Array) -> tuple[Array, float, float]:
        """Return the softest direction next to a given one, and D and K of the loss along it.

        The loss is ``L + t^2 D / 2 + t^3 K`` at the distance t.
        """
        coefficients = np.empty(2)
        softest_direction = direction / np.linalg.norm(direction)
        expansion(
            self.rows,
            self.space.m,
            self.space.n,
            x,
            softest_direction,
            at.table,
            at.importance,
            coefficients,
            self._work,
        )
        return softest_direction, float(coefficients[0]), float(coefficients[1])

    def step_within_kinks(self, x: Array) -> float:
        """Return a distance at which no other kink is met; see `phasediagram.minima.curvature`."""
        return float(step_within_kinks(self.space.m, self.space.n, x, KINK))

    def nearest_kink(self, x: Array) -> tuple[float, int, int]:
        """Return the smallest |Z| over outputs and corners, and which output and corner."""
        which = np.empty(2)
        distance = nearest_kink(self.space.m, self.space.n, x, which)
        return distance, int(which[0]), int(which[1])
