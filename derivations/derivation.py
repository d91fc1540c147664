"""What a derivation is: a statement, a chain of steps, and a check of every step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sympy

Outcome = tuple[bool, str]


@dataclass(frozen=True)
class Check:
    """Something that can fail.

    Attributes
    ----------
    name : str
        What is checked.
    run : callable
        Returns whether it holds, and what was looked at ("10 cells", "max error 3e-16").
    """

    name: str
    run: Callable[[], Outcome]


@dataclass(frozen=True)
class CheckResult:
    """What a check found.

    Attributes
    ----------
    derivation, name : str
    passed : bool
    detail : str
    seconds : float
    """

    derivation: str
    name: str
    passed: bool
    detail: str
    seconds: float


@dataclass(frozen=True)
class Step:
    """One step of the chain.

    Attributes
    ----------
    text : str
        What is done and why.
    formulas : tuple of sympy expressions
        What it gives, one displayed line each.
    checks : tuple of Check
        At least one.
    """

    text: str
    formulas: tuple[sympy.Basic, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Symbol:
    """A symbol of a derivation, with its meaning and its range."""

    symbol: sympy.Basic
    meaning: str


@dataclass(frozen=True)
class Derivation:
    """A statement with its proof.

    Attributes
    ----------
    name : str
        What it is called on the command line.
    title : str
    statement : str
        What is proved, in words.
    symbols : tuple of Symbol
    steps : tuple of Step
    result : tuple of sympy expressions
        The closed form.
    checks : tuple of Check
        Checks of the result as a whole, by routes independent of the steps.
    source : str
        Where the formula or the question comes from.
    """

    name: str
    title: str
    statement: str
    symbols: tuple[Symbol, ...]
    steps: tuple[Step, ...]
    result: tuple[sympy.Basic, ...]
    source: str
    checks: tuple[Check, ...] = field(default=())

    def check(self) -> tuple[CheckResult, ...]:
        """Run the check of every step and of the result."""
        steps = [
            (f"step {number}: {check.name}", check)
            for number, step in enumerate(self.steps, start=1)
            for check in step.checks
        ]
        result = [(f"result: {check.name}", check) for check in self.checks]
        return tuple(_run(self.name, name, check) for name, check in steps + result)


def _run(derivation: str, name: str, check: Check) -> CheckResult:
    start = time.perf_counter()
    try:
        passed, detail = check.run()
    except Exception as error:  # a wrong formula may raise anything: that is a failure too
        passed, detail = False, f"{type(error).__name__}: {error}"
    return CheckResult(derivation, name, passed, detail, time.perf_counter() - start)


def identity(name: str, difference: Callable[[], sympy.Expr]) -> Check:
    """Return the check that an expression simplifies to exactly 0."""

    def run() -> Outcome:
        import sympy

        rest = sympy.simplify(sympy.expand(difference()))
        return rest == 0, "identically zero" if rest == 0 else f"differs by {rest}"

    return Check(name, run)
