"""The straight-line code of derivations/moments.py, evaluated in other numbers.

In fractions it gives exact moments; in `Bounded` numbers, how many roundings a result has met.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from derivations.moments import Recursion

_OPERATIONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_LARGEST = 360  # denominator of a constant: constants are simple fractions


@dataclass(frozen=True)
class Bounded:
    """A number that is not negative, or one on the grid of exact sums.

    Attributes
    ----------
    roundings : int
        It is right to a factor between (1 - u)^roundings and (1 - u)^-roundings.
    on_grid : bool
        Whether it is exact, and so are its sums and differences with others on the grid.
    """

    roundings: int
    on_grid: bool = False

    def __add__(self, other: Bounded) -> Bounded:
        if self.on_grid and other.on_grid:
            return self
        return Bounded(max(self.roundings, other.roundings) + 1)

    def __sub__(self, other: Bounded) -> Bounded:
        if not (self.on_grid and other.on_grid):
            raise ValueError("a difference of numbers that were rounded cancels")
        return self

    def __mul__(self, other: Bounded) -> Bounded:
        return Bounded(self.roundings + other.roundings + 1)

    def __truediv__(self, other: Bounded) -> Bounded:
        return Bounded(self.roundings + other.roundings + 1)

    def __neg__(self) -> Bounded:
        return self


def exact_moments(
    gains: Sequence[Fraction], bias: Fraction, table: Sequence[Fraction]
) -> list[Fraction]:
    """Return E[x_j ReLU(Z)] for each j, E[ReLU(Z)] and E[ReLU(Z)^2] by the generated formulas."""
    known: dict[str, Any] = {f"g{j}": gain for j, gain in enumerate(gains)}
    known["bias"] = bias
    known |= {f"weight{a}": weight for a, weight in enumerate(table)}

    def constant(value: float) -> Fraction:
        return Fraction(value).limit_denominator(_LARGEST)

    def select(condition: bool, one: Fraction, other: Fraction) -> Fraction:
        return one if condition else other

    return list(_run(len(gains), known, constant, select))


def roundings(n: int) -> list[int]:
    """Return how many roundings each moment meets, for exact gains, tables rounded once."""
    grid = Bounded(0, on_grid=True)
    known: dict[str, Any] = {f"g{j}": grid for j in range(n)} | {"bias": grid}
    known |= {f"weight{a}": Bounded(1) for a in range(2**n)}

    def constant(value: float) -> Bounded:
        halves = (2 * value).is_integer() and value in (0.0, 0.5, 1.0, 2.0)
        return Bounded(0 if halves else 1, on_grid=value == 0.0)

    def select(condition: object, one: Bounded, other: Bounded) -> Bounded:
        worst = max(one.roundings, other.roundings)
        return Bounded(worst, one.on_grid and other.on_grid)

    return [x.roundings for x in _run(n, known, constant, select)]


def _run(
    n: int,
    known: Mapping[str, Any],
    constant: Callable[[float], Any],
    select: Callable[[Any, Any, Any], Any],
) -> list[Any]:
    recursion, values = Recursion(n), dict(known)

    def value(node: ast.expr) -> Any:
        match node:
            case ast.Name():
                return values[node.id]
            case ast.Constant(value=float() as number):
                return constant(number)
            case ast.UnaryOp(op=ast.USub()):
                return -value(node.operand)
            case ast.BinOp(op=ast.BitAnd()):
                return condition(node.left) and condition(node.right)
            case ast.BinOp():
                left, right = value(node.left), value(node.right)
                if isinstance(node.op, ast.Mult) and _halves(node.left):
                    return left * right if isinstance(right, Fraction) else right
                return _OPERATIONS[type(node.op)](left, right)
            case ast.Call(args=[test, one, other]):
                return select(condition(test), value(one), value(other))
            case ast.Compare():
                return condition(node)
        raise ValueError(f"unexpected {ast.dump(node)}")

    def condition(node: ast.expr) -> Any:
        if not isinstance(node, ast.Compare):
            return value(node)
        one, other = value(node.left), value(node.comparators[0])
        if not isinstance(one, Fraction):
            return True  # both sides of a selection are looked at
        return {ast.Lt: one < other, ast.Gt: one > other, ast.GtE: one >= other}[type(node.ops[0])]

    def result(expression: str) -> Any:
        return value(ast.parse(expression, mode="eval").body)

    for name, expression in recursion.program.assignments:
        values[name] = result(expression)
    return [result(recursion.mixed(kind)) for kind in [*(f"x{j}" for j in range(n)), "m", "mm"]]


def _halves(node: ast.expr) -> bool:
    """Return whether a factor is a power of two, by which products are exact."""
    return isinstance(node, ast.Constant) and node.value in (0.5, 1.0, 2.0)
