"""The chain of steps that every simplex configuration shares."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial

import sympy
from sympy import Eq, Expr, Integer, Rational

from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.direct_integral import exact_output_loss
from derivations.displayed import (
    Output,
    Values,
    displayed_in_every_cell,
    displayed_total_by_quadrature,
    displayed_total_exactly,
    rational_between,
)
from derivations.simplex import (
    BLOCK_SYMBOLS,
    SimplexBlock,
    a,
    b_extra,
    b_other,
    c,
    canonical_output_loss,
    irwin_hall_output_loss,
    p,
    r,
    u,
)
from derivations.truncated_power import PositivePart, active_set_loss, subsets

SOURCE = (
    "Elhage et al., Toy Models of Superposition (2022), section 'Superposition as a Phase "
    "Change'; canonical weights of M. Wattenberg's notebook wattenberg/superposition."
)
LOSS = sympy.Symbol("L")

_SCALES = tuple(Rational(n, 12) for n in (3, 7, 10, 13, 17))
_COSINES = tuple(Rational(n, 16) for n in (1, 5, 9, 12, 15))


def simplex_derivation(
    name: str,
    title: str,
    statement: str,
    k: int,
    equal_scales: bool = False,
) -> Derivation:
    """Return the derivation of a block of k >= 2 features that includes the extra one.

    Parameters
    ----------
    name, title, statement : str
    k : int
        Size of the block.
    equal_scales : bool
        Whether all norms are equal (c = a).
    """
    block = SimplexBlock(k)
    special = {c: a} if equal_scales else {}
    other_row = [entry.subs(special) for entry in block.row(0)]
    extra_row = [entry.subs(special) for entry in block.row(k - 1)]
    other, extra = sympy.symbols("l_o l_e")
    other_formulas = active_set_formulas("l_o", b_other, other_row)
    extra_formulas = active_set_formulas("l_e", b_extra, extra_row)
    result = Eq(LOSS, (k - 1) * other + r * extra)
    return Derivation(
        name=name,
        title=title,
        statement=statement,
        symbols=tuple(s for s in BLOCK_SYMBOLS if s.symbol in _used(block, special)),
        steps=(
            geometry_step(block, special),
            separation_step(k, other_row),
            Step(
                "The outputs of the k - 1 other features are equal by symmetry, that of the "
                "extra one is weighted with r. Each is a mixture over the sets of active "
                "features. For an other output, by which features are active (own, or the first, "
                "second ... entry of the rest of its row):",
                other_formulas,
                (output_check(other_formulas, b_other, other_row),),
            ),
            Step(
                "The same for the extra output:",
                extra_formulas,
                (output_check(extra_formulas, b_extra, extra_row),),
            ),
            canonical_step(k),
        ),
        result=(result,),
        source=SOURCE,
        checks=(
            whole_model_check(block, special),
            *total_checks((result, *other_formulas, *extra_formulas), block_outputs(k, special)),
        ),
    )


def geometry_step(block: SimplexBlock, special: dict[Expr, Expr]) -> Step:
    """The Gram matrix of the block, and that k - 1 dimensions suffice for it."""
    gram = block.gram.subs(special)
    k = block.k

    def realised() -> Outcome:
        weights = explicit_weights(k).subs(special)
        gap = (weights.T * weights - gram).applyfunc(sympy.simplify)
        return gap == sympy.zeros(k, k) and weights.rows == k - 1, f"W is {k - 1} x {k}"

    return Step(
        "Geometry: the extra feature points opposite to the mean of the others, which are "
        "equal to each other. In k - 1 hidden dimensions the Gram matrix W^T W of the block is",
        (Eq(sympy.Symbol("G"), gram, evaluate=False),),
        (Check("some W of shape (k - 1, k) has this Gram matrix", realised),),
    )


def explicit_weights(k: int) -> sympy.Matrix:
    """Return W of shape (k - 1, k): the extra direction last, along -e_1."""
    cosine = u if k > 2 else Integer(1)
    sine = sympy.sqrt(1 - u**2)
    simplex = _regular_simplex(k - 1)
    top = [a * cosine] * (k - 1) + [-c]
    rest = [[a * sine * value for value in row] + [Integer(0)] for row in simplex.tolist()]
    return sympy.Matrix([top, *rest]) if rest else sympy.Matrix([top])


def _regular_simplex(k: int) -> sympy.Matrix:
    """Return k unit vectors in k - 1 dimensions with equal angles, as columns."""
    vectors = sympy.zeros(max(k - 1, 0), k)
    for row in range(k - 1):
        height = sympy.sqrt(1 - sum(vectors[i, row] ** 2 for i in range(row)))
        vectors[row, row] = height
        for column in range(row + 1, k):
            vectors[row, column] = -height / (k - 1 - row)
    return vectors


def separation_step(k: int, row: Sequence[Expr]) -> Step:
    """Dedicated features do not change the loss of the block's outputs, nor it theirs."""

    def unchanged() -> Outcome:
        gains = [
            entry.subs({a: Rational(4, 5), c: Rational(6, 5), u: Rational(2, 5)}) for entry in row
        ]
        alone = exact_output_loss(Rational(2, 7), Rational(1, 9), gains)
        for dedicated in (1, 2):
            padded = [*gains, *[Integer(0)] * dedicated]
            if exact_output_loss(Rational(2, 7), Rational(1, 9), padded) != alone:
                return False, f"changes with {dedicated} dedicated features"
        return True, "1 and 2 dedicated features, direct integral"

    return Step(
        f"The other n - {k} features of n are dedicated: orthogonal to the block and to each "
        "other. Their gains in the block's outputs are 0, so they drop out of the mixture, and "
        "the loss is the block's plus what the dedicated outputs cost (derivation 'dedicated-"
        "output'), which is 0 at norm 1 and bias 0. So the formula holds for n features in "
        "n - 1 dimensions.",
        (),
        (Check("zero gains drop out", unchanged),),
    )


def active_set_formulas(output: str, bias: Expr, row: Sequence[Expr]) -> tuple[Eq, ...]:
    """Return the mixture of an output, and its terms for each set of active features."""
    formulas = []
    mixture = Integer(0)
    for active in subsets(range(len(row))):
        position = active.index(0) if 0 in active else None
        term = active_set_loss(bias, [row[j] for j in active], position)
        label = "+".join("own" if j == 0 else str(j) for j in active) or "none"
        symbol = sympy.Symbol(f"l_{label}" if output == "L" else f"{output},{label}")
        mixture += p ** len(active) * (1 - p) ** (len(row) - len(active)) * symbol
        formulas.append(Eq(symbol, _by_corner(term), evaluate=False))
    return (Eq(sympy.Symbol(output), mixture, evaluate=False), *formulas)


def _by_corner(expression: Expr) -> Expr:
    """Collect the truncated powers of the corner values, each with its coefficient."""
    expanded = sympy.expand(expression)
    powers = sorted(
        (e for e in expanded.atoms(sympy.Pow) if isinstance(e.base, PositivePart)),
        key=sympy.default_sort_key,
    )
    parts = sympy.collect(expanded, powers, evaluate=False)
    return sympy.Add(*(sympy.factor(parts[power]) * power for power in parts))


def canonical_step(k: int) -> Step:
    """The canonical weights: unit norms, equal angles, bias 0."""
    block = SimplexBlock(k)
    weights = {a: 1, c: 1, u: Rational(1, k - 1)}
    output = canonical_output_loss(k)
    total = sympy.factor((k - 1 + r) * output)

    def equal_outputs() -> Outcome:
        losses = [
            sympy.expand(loss.subs({**weights, b_other: 0, b_extra: 0}))
            for loss in (block.other_loss(), block.extra_loss())
        ]
        return all(sympy.expand(loss - output) == 0 for loss in losses), "both kinds of output"

    return Step(
        "At the canonical weights (unit norms, off-diagonal Gram entries -1/(k - 1), bias 0) "
        "every output has the same loss, so the block costs the sum of its importances times",
        (
            Eq(sympy.Symbol(f"S_{k}"), output),
            Eq(sympy.Symbol("L_canonical"), total),
        ),
        (
            Check("the free form at the canonical weights", equal_outputs),
            identity(
                "the free loss of the block at the canonical weights",
                lambda: block.loss().subs({**weights, b_other: 0, b_extra: 0}) - total,
            ),
            identity(
                "another route: the Irwin-Hall density of the other features' sum",
                lambda: output - irwin_hall_output_loss(k),
            ),
        ),
    )


def whole_model_check(block: SimplexBlock, special: dict[Expr, Expr]) -> Check:
    """Compare the block's loss with the sum of direct integrals over all its outputs."""

    def run() -> Outcome:
        values = {a: Rational(9, 10), c: Rational(8, 7), u: Rational(3, 5), p: Rational(5, 9)}
        values |= {r: Rational(3, 2), b_other: Rational(1, 8), b_extra: Rational(-1, 11)}
        closed = block.loss().subs(special).subs(values)
        last = block.k - 1
        direct = sum(
            (values[r] if i == last else 1)
            * exact_output_loss(
                values[p],
                values[b_extra if i == last else b_other],
                [entry.subs(special).subs(values) for entry in block.row(i)],
            )
            for i in range(block.k)
        )
        return closed == direct, f"{block.k} outputs at a rational point, exact"

    return Check("the block's loss = sum of direct integrals over its outputs", run)


def _used(block: SimplexBlock, special: dict[Expr, Expr]) -> set[Expr]:
    return set(block.gram.subs(special).free_symbols) | {p, r, b_other, b_extra}


def output_check(formulas: Sequence[Eq], bias: Expr, row: Sequence[Expr]) -> Check:
    """Compare one output's displayed loss with direct integration in every cell."""
    free = sorted(set().union(*(entry.free_symbols for entry in row)), key=str)
    samples = {symbol: _COSINES if symbol == u else _SCALES for symbol in free}
    return displayed_in_every_cell(formulas, p, bias, row, samples)


def block_outputs(k: int, special: dict[Expr, Expr]) -> tuple[Output, ...]:
    """Return importance, bias and gains of every output, from an explicit W."""
    weights = explicit_weights(k).subs(special)
    gram = (weights.T * weights).applyfunc(sympy.simplify)
    last = k - 1
    return tuple(
        (
            r if i == last else Integer(1),
            b_extra if i == last else b_other,
            (gram[i, i], *(gram[i, j] for j in range(k) if j != i)),
        )
        for i in range(k)
    )


def total_checks(formulas: Sequence[Eq], outputs: Sequence[Output]) -> tuple[Check, ...]:
    """Compare a displayed total loss with integrals over all outputs, exact and numeric."""
    symbols: set[Expr] = {p}
    for importance, bias, gains in outputs:
        symbols.update(*(sympy.sympify(value).free_symbols for value in (importance, bias, *gains)))
    draw = partial(_draw, sorted(symbols, key=str))
    largest = max(len(gains) for _, _, gains in outputs)
    return (
        displayed_total_exactly(formulas, p, outputs, 6 if largest < 3 else 3, draw),
        displayed_total_by_quadrature(formulas, p, outputs, 12 if largest < 3 else 4, draw),
    )


def _draw(symbols: Sequence[Expr], source: random.Random) -> Values:
    """Return a random rational value within the range of every symbol."""
    ranges = {p: (0.05, 1.0), r: (0.1, 10.0), u: (0.1, 0.9)}
    return {
        symbol: rational_between(
            source, *ranges.get(symbol, (0.3, 1.3) if symbol.is_positive else (-0.6, 0.6))
        )
        for symbol in symbols
    }


def loss_symbols(*symbols: Symbol) -> tuple[Symbol, ...]:
    """Return density and relative importance, then the given symbols."""
    return (*BLOCK_SYMBOLS[:2], *symbols)
