"""The linear model, its optimum, and how the ReLU changes the split of the loss."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import sympy
from sympy import Eq, Expr, Integer, KroneckerDelta, Matrix, Rational, Sum, symbols

from derivations.derivation import Check, Derivation, Outcome, Step, Symbol, identity
from derivations.direct_integral import exact_square_error_one_active
from derivations.displayed import written_out

i, j, n, m = symbols("i j n m", integer=True, positive=True)
importance = sympy.IndexedBase("I")
gram = sympy.IndexedBase("G")
variance = sympy.IndexedBase("V")
mean = sympy.IndexedBase("mu")
bias = sympy.IndexedBase("b")
density = sympy.IndexedBase("p")
LOSS = sympy.Symbol("L")
SOURCE = (
    "Elhage et al., Toy Models of Superposition (2022), sections 'Mathematical Understanding' "
    "and 'Superposition as a Phase Change'."
)
_SYMBOLS = (
    Symbol(importance[i], "importance of feature i"),
    Symbol(gram[i, j], "entry of the Gram matrix: W_i . W_j"),
    Symbol(bias[i], "bias of output i"),
    Symbol(density[j], "density of feature j"),
    Symbol(mean[j], "mean of feature j: p_j / 2"),
    Symbol(variance[j], "variance of feature j: p_j / 3 - p_j^2 / 4"),
)


def linear() -> Derivation:
    """Return the split of the linear loss, and when the paper's form holds."""
    general = _general_loss()
    paper = _paper_form()
    best = Eq(bias[i], mean[i] - Sum(gram[i, j] * mean[j], (j, 1, n)))
    return Derivation(
        name="linear",
        title="The linear model: feature benefit and interference",
        statement=(
            "Without the ReLU, x' = W^T W x + b, the loss is a sum of a variance term and a term "
            "of means. The paper's form, feature benefit plus interference, holds times the "
            "common variance V exactly when all variances are equal (equal densities) and the "
            "mean term vanishes: for the best bias, or for features of zero mean and no bias."
        ),
        symbols=_SYMBOLS,
        steps=(
            Step(
                "Output i errs by x_i - sum_j G_ij x_j - b_i. Features are independent, so its "
                "mean square is its variance plus the square of its mean.",
                (general,),
                (
                    Check("expanded second moments, n = 1, 2, 3", _second_moments),
                    Check("the displayed sum, written out for n = 1, 2, 3", _displayed_general),
                ),
            ),
            Step(
                "The bias enters the second term alone; the best one makes it vanish.",
                (best,),
                (
                    Check("stationary and a minimum, n = 2, 3", _best_bias),
                    Check(
                        "the displayed bias, written out for n = 2, 3",
                        partial(_displayed_bias, best.rhs),
                    ),
                ),
            ),
            Step(
                "With equal variances V the diagonal of the first term is the feature benefit "
                "(1 - |W_i|^2)^2, its rest the interference (W_j . W_i)^2.",
                (paper,),
                (
                    Check("equal to the general loss at the best bias, n = 2, 3", _paper_holds),
                    Check("fails for unequal densities, and at bias 0", _paper_fails_otherwise),
                    Check(
                        "holds for zero means and no bias, n = 2, 3", _paper_holds_for_zero_means
                    ),
                ),
            ),
        ),
        result=(paper,),
        source=SOURCE,
        checks=(
            Check("numbers: direct moments at rational W", _numbers),
            Check("the displayed sum, written out for n = 2, 3", _displayed_paper),
        ),
    )


def linear_optimum() -> Derivation:
    """Return that the linear optimum is weighted PCA: no superposition."""
    w_1, w_2 = symbols("w_1 w_2", real=True)
    r = symbols("r", positive=True)
    lowest = Sum(importance[i] * variance[i], (i, m + 1, n))
    return Derivation(
        name="linear-optimum",
        title="The linear optimum is weighted PCA",
        statement=(
            "With the best biases, and features ordered by falling I_i V_i, the least loss of the "
            "linear model with m hidden dimensions is the sum of the n - m smallest I_i V_i. It is "
            "attained by giving a dimension to each of the first m features and ignoring the "
            "rest: a linear model gains nothing by superposition."
        ),
        symbols=(
            *_SYMBOLS,
            Symbol(m, "number of hidden dimensions"),
            Symbol(r, "relative importance of the second feature, n = 2"),
            Symbol(w_1, "weight of the first feature, n = 2, m = 1"),
            Symbol(w_2, "weight of the second feature, n = 2, m = 1"),
        ),
        steps=(
            Step(
                "The loss is the squared Frobenius distance of A = diag(sqrt(I_i V_i)) from the "
                "matrix with entries sqrt(I_i) G_ij sqrt(V_j), whose rank is at most m.",
                (),
                (Check("entry by entry, n = 2, 3", _frobenius),),
            ),
            Step(
                "By Eckart, Young and Mirsky no matrix of rank m is closer to A than the sum of "
                "the squares of its n - m smallest singular values, and those squares are I_i V_i.",
                (Eq(sympy.Symbol("L_min"), lowest),),
                (Check("no random rational W of rank m is lower", _bound_holds),),
            ),
            Step(
                "The bound is attained with tied weights: G = diag(1, ..., 1, 0, ..., 0).",
                (),
                (Check("value at the projection, n = 2 ... 5", partial(_attained, lowest)),),
            ),
            Step(
                "For n = 2, m = 1 and equal variances every critical point can be listed. Where "
                "both weights differ from 0 the point needs r = 1, and there a whole circle of "
                "minima w_1^2 + w_2^2 = 1 joins the two: the tie that the ReLU breaks.",
                (Eq(LOSS, sympy.Symbol("V") * _two_features(w_1, w_2, r)),),
                (
                    identity("the paper's form at n = 2, m = 1", _two_features_against_the_form),
                    Check("all critical points, r symbolic", _critical_points),
                    identity(
                        "the circle of minima at r = 1",
                        lambda: _two_features(w_1, w_2, Integer(1)).subs(w_2**2, 1 - w_1**2) - 1,
                    ),
                ),
            ),
        ),
        result=(Eq(sympy.Symbol("L_min"), lowest),),
        source=SOURCE + " Eckart and Young, Psychometrika 1 (1936); Mirsky (1960).",
    )


def relu_interference() -> Derivation:
    """Return the split of the ReLU loss with one active feature."""
    positive = sympy.Function("relu")
    benefit = Sum(importance[i] * (1 - gram[i, i]) ** 2, (i, 1, n))
    interference = Sum(
        importance[j] * positive(gram[i, j]) ** 2 * (1 - KroneckerDelta(i, j)), (i, 1, n), (j, 1, n)
    )
    p = symbols("p", positive=True)
    result = Eq(sympy.Symbol("L_1"), p * (1 - p) ** (n - 1) / 3 * (benefit + interference))
    return Derivation(
        name="relu-interference",
        title="With a ReLU, negative interference is free",
        statement=(
            "With bias 0 and equal densities p, the contribution to the loss of inputs with "
            "exactly one active feature splits into feature benefit and interference, but only "
            "positive interference counts: a ReLU cuts off a negative pre-activation. With no "
            "active feature there is no loss, so this is the loss to first order in p."
        ),
        symbols=(*_SYMBOLS[:2], Symbol(p, "density of every feature, in (0, 1]")),
        steps=(
            Step(
                "If only feature i is active, output i is ReLU(G_ii x_i) = G_ii x_i, since "
                "G_ii = |W_i|^2 >= 0: it errs by (1 - G_ii) x_i.",
                (Eq(sympy.Symbol("l_benefit"), (1 - gram[i, i]) ** 2 / 3),),
                (Check("own output, direct integral", _own_output),),
            ),
            Step(
                "Every other output j should be 0 and is ReLU(G_ji x_i): 0 if the directions are "
                "at 90 degrees or more.",
                (Eq(sympy.Symbol("l_interference"), positive(gram[j, i]) ** 2 / 3),),
                (Check("another output, direct integral", _another_output),),
            ),
        ),
        result=(result,),
        source=SOURCE,
        checks=(
            Check(
                "the displayed loss at random W with one active feature",
                partial(_one_active, result.rhs, p, positive),
            ),
            Check("an antipodal pair interferes for free", _antipodal_is_free),
        ),
    )


def _general_loss() -> Eq:
    residual = KroneckerDelta(i, j) - gram[i, j]
    variance_term = Sum(importance[i] * variance[j] * residual**2, (j, 1, n), (i, 1, n))
    offset = bias[i] + Sum(gram[i, j] * mean[j], (j, 1, n)) - mean[i]
    return Eq(LOSS, variance_term + Sum(importance[i] * offset**2, (i, 1, n)))


def _paper_form() -> Eq:
    benefit = Sum(importance[i] * (1 - gram[i, i]) ** 2, (i, 1, n))
    interference = Sum(
        (1 - KroneckerDelta(i, j)) * importance[j] * gram[i, j] ** 2, (i, 1, n), (j, 1, n)
    )
    return Eq(LOSS, sympy.Symbol("V") * (benefit + interference))


def _symbolic_model(size: int) -> tuple[Matrix, Matrix, list[Expr], list[Expr]]:
    """Return symmetric Gram matrix, biases, densities and importances of a small model."""
    entries = Matrix(size, size, lambda a, b: symbols(f"g{min(a, b)}{max(a, b)}"))
    biases = Matrix(symbols(f"b1:{size + 1}"))
    return (
        entries,
        biases,
        list(symbols(f"p1:{size + 1}", positive=True)),
        list(symbols(f"I1:{size + 1}", positive=True)),
    )


def moment_loss(
    entries: Matrix, biases: Matrix, densities: list[Expr], weights: list[Expr]
) -> Expr:
    """Return the linear loss from the raw moments E[x_j] = p_j/2, E[x_j^2] = p_j/3."""
    size = entries.rows
    x = symbols(f"x1:{size + 1}")
    total = Integer(0)
    for row in range(size):
        residual = x[row] - biases[row] - sum(entries[row, k] * x[k] for k in range(size))
        for powers, coefficient in sympy.Poly(residual**2, *x).terms():
            moment = sympy.prod(
                densities[k] / (power + 1) for k, power in enumerate(powers) if power
            )
            total += weights[row] * coefficient * moment
    return total


def split_loss(entries: Matrix, biases: Matrix, densities: list[Expr], weights: list[Expr]) -> Expr:
    """Return the linear loss as variance term plus mean term."""
    size = entries.rows
    total = Integer(0)
    for row in range(size):
        offset = biases[row] - densities[row] / 2
        for k in range(size):
            spread = densities[k] / 3 - densities[k] ** 2 / 4
            total += weights[row] * spread * (int(row == k) - entries[row, k]) ** 2
            offset += entries[row, k] * densities[k] / 2
        total += weights[row] * offset**2
    return total


def _entries_of(values: Sequence[Expr]) -> Callable[[int], Expr]:
    return lambda a: values[a - 1]


def _entry_of(matrix: Matrix) -> Callable[[int, int], Expr]:
    return lambda a, b: matrix[a - 1, b - 1]


def _names(entries: Matrix, biases: Matrix, densities: list[Expr], weights: list[Expr]) -> Any:
    """Return what the indexed symbols of a displayed formula stand for."""
    return {
        "I": lambda a: weights[a - 1],
        "G": _entry_of(entries),
        "b": lambda a: biases[a - 1],
        "mu": lambda a: densities[a - 1] / 2,
        "V": lambda a: densities[a - 1] / 3 - densities[a - 1] ** 2 / 4,
    }


def _displayed_general() -> Outcome:
    for size in (1, 2, 3):
        model = _symbolic_model(size)
        shown = written_out(_general_loss().rhs, {n: size, **_names(*model)})
        if sympy.expand(shown - moment_loss(*model)) != 0:
            return False, f"fails at n = {size}"
    return True, "n = 1, 2, 3, identically"


def _displayed_bias(displayed: Expr) -> Outcome:
    """At the displayed biases every error has mean 0, its own density and all others any."""
    for size in (2, 3):
        entries, biases, densities, weights = _symbolic_model(size)
        names = _names(entries, biases, densities, weights)
        loss = moment_loss(entries, biases, densities, weights)
        shown = {
            biases[row]: written_out(displayed, {n: size, i: row + 1, **names})
            for row in range(size)
        }
        if any(sympy.expand(loss.diff(symbol).subs(shown)) != 0 for symbol in biases):
            return False, f"fails at n = {size}"
    return True, "slope 0, identically"


def _displayed_paper() -> Outcome:
    p = symbols("p", positive=True)
    for size in (2, 3):
        entries, _, _, weights = _symbolic_model(size)
        densities = [p] * size
        best = _best_biases(entries, densities)
        names = _names(entries, best, densities, weights)
        shown = written_out(_paper_form().rhs, {n: size, **names})
        shown = shown.subs(sympy.Symbol("V"), p / 3 - p**2 / 4)
        if sympy.expand(shown - moment_loss(entries, best, densities, weights)) != 0:
            return False, f"fails at n = {size}"
    return True, "n = 2, 3, identically"


def _paper_holds_for_zero_means() -> Outcome:
    """Features symmetric about 0 (moments 0 and V): the general loss at bias 0."""
    spread = sympy.Symbol("V")
    for size in (2, 3):
        entries, _, densities, weights = _symbolic_model(size)
        names = _names(entries, sympy.zeros(size, 1), densities, weights)
        names |= {"mu": lambda a: Integer(0), "V": lambda a: spread}
        general = written_out(_general_loss().rhs, {n: size, **names})
        paper = written_out(_paper_form().rhs, {n: size, **names})
        if sympy.expand(general - paper) != 0:
            return False, f"fails at n = {size}"
    return True, "n = 2, 3, identically"


def _best_biases(entries: Matrix, densities: list[Expr]) -> Matrix:
    means = Matrix([value / 2 for value in densities])
    return means - entries * means


def _paper_value(entries: Matrix, weights: list[Expr], spread: Expr) -> Expr:
    size = entries.rows
    benefit = sum(weights[a] * (1 - entries[a, a]) ** 2 for a in range(size))
    interference = sum(
        weights[b] * entries[a, b] ** 2 for a in range(size) for b in range(size) if a != b
    )
    return spread * (benefit + interference)


def _second_moments() -> Outcome:
    for size in (1, 2, 3):
        model = _symbolic_model(size)
        if sympy.expand(moment_loss(*model) - split_loss(*model)) != 0:
            return False, f"fails at n = {size}"
    return True, "n = 1, 2, 3, identically"


def _best_bias() -> Outcome:
    for size in (2, 3):
        entries, biases, densities, weights = _symbolic_model(size)
        loss = moment_loss(entries, biases, densities, weights)
        best = dict(zip(biases, _best_biases(entries, densities), strict=True))
        for row, symbol in enumerate(biases):
            slope = sympy.expand(loss.diff(symbol).subs(best))
            if slope != 0 or sympy.expand(loss.diff(symbol, 2)) != 2 * weights[row]:
                return False, f"fails at n = {size}"
    return True, "slope 0, curvature 2 I_i > 0"


def _paper_holds() -> Outcome:
    p = symbols("p", positive=True)
    for size in (2, 3):
        entries, _, _, weights = _symbolic_model(size)
        densities = [p] * size
        loss = moment_loss(entries, _best_biases(entries, densities), densities, weights)
        if sympy.expand(loss - _paper_value(entries, weights, p / 3 - p**2 / 4)) != 0:
            return False, f"fails at n = {size}"
    return True, "n = 2, 3, identically"


def _paper_fails_otherwise() -> Outcome:
    """The conditions are needed: the form misses by a nonzero amount without either."""
    p = symbols("p", positive=True)
    entries, _, densities, weights = _symbolic_model(2)
    equal = [p, p]
    at_zero_bias = moment_loss(entries, Matrix([0, 0]), equal, weights)
    first_gap = sympy.expand(at_zero_bias - _paper_value(entries, weights, p / 3 - p**2 / 4))
    unequal = moment_loss(entries, _best_biases(entries, densities), densities, weights)
    spread = sympy.Symbol("V")
    second_gap = sympy.Poly(
        sympy.expand(unequal - _paper_value(entries, weights, spread)), *set(entries)
    )
    solvable = sympy.solve(second_gap.coeffs(), [spread], dict=True)
    return first_gap != 0 and not solvable, "no single V fits unequal variances"


def _numbers() -> Outcome:
    weights = Matrix([[Rational(2, 3), Rational(-1, 2), Rational(1, 5)]])
    model = weights.T * weights, Matrix([Rational(1, 7), 0, Rational(-1, 3)])
    rest = [Rational(1, 2), Rational(1, 3), Integer(1)], [Integer(1), Integer(2), Rational(1, 4)]
    return moment_loss(*model, *rest) == split_loss(*model, *rest), "n = 3, exact"


def _frobenius() -> Outcome:
    for size in (2, 3):
        entries, _, _, weights = _symbolic_model(size)
        spreads = symbols(f"V1:{size + 1}", positive=True)
        scaled = sympy.diag(*map(sympy.sqrt, weights)) * entries
        scaled *= sympy.diag(*map(sympy.sqrt, spreads))
        target = sympy.diag(*(sympy.sqrt(w * v) for w, v in zip(weights, spreads, strict=True)))
        distance = sum(entry**2 for entry in target - scaled)
        loss = sum(
            weights[a] * spreads[b] * (int(a == b) - entries[a, b]) ** 2
            for a in range(size)
            for b in range(size)
        )
        if sympy.expand(distance - loss) != 0:
            return False, f"fails at n = {size}"
    return True, "n = 2, 3, identically"


def _variance_loss(entries: Matrix, weights: list[Expr], spreads: list[Expr]) -> Expr:
    return sum(
        weights[a] * spreads[b] * (int(a == b) - entries[a, b]) ** 2
        for a in range(entries.rows)
        for b in range(entries.rows)
    )


def _bound_holds() -> Outcome:
    source = random.Random(3)
    count = 0
    for size in (2, 3, 4):
        for hidden in range(1, size):
            for _ in range(20):
                weights = [Rational(source.randint(1, 20), 7) for _ in range(size)]
                spreads = [Rational(source.randint(1, 20), 9) for _ in range(size)]
                values = [Rational(source.randint(-12, 12), 8) for _ in range(hidden * size)]
                w = Matrix(hidden, size, values)
                products = sorted(a * b for a, b in zip(weights, spreads, strict=True))
                if _variance_loss(w.T * w, weights, spreads) < sum(products[: size - hidden]):
                    return False, f"lower at W = {w}"
                count += 1
    return True, f"{count} random W, exact"


def _attained(lowest: Expr) -> Outcome:
    for size in range(2, 6):
        weights = list(symbols(f"I1:{size + 1}", positive=True))
        spreads = list(symbols(f"V1:{size + 1}", positive=True))
        for hidden in range(1, size):
            projection = sympy.diag(*[1] * hidden, *[0] * (size - hidden))
            names = {"I": _entries_of(weights), "V": _entries_of(spreads)}
            bound = written_out(lowest, {n: size, m: hidden, **names})
            if sympy.expand(_variance_loss(projection, weights, spreads) - bound) != 0:
                return False, f"fails at n = {size}, m = {hidden}"
    return True, "n = 2 ... 5, all m, identically"


def _two_features(w_1: Expr, w_2: Expr, r: Expr) -> Expr:
    return (1 - w_1**2) ** 2 + r * (1 - w_2**2) ** 2 + (1 + r) * w_1**2 * w_2**2


def _two_features_against_the_form() -> Expr:
    w_1, w_2, r = symbols("w_1 w_2 r", positive=True)
    row = Matrix([[w_1, w_2]])
    form = _paper_value(row.T * row, [Integer(1), r], Integer(1))
    return form - _two_features(w_1, w_2, r)


def _critical_points() -> Outcome:
    """Both weights nonzero leaves two linear equations in their squares, solvable at r = 1."""
    w_1, w_2 = symbols("w_1 w_2", real=True)
    r = symbols("r", positive=True)
    s_1, s_2 = symbols("s_1 s_2", positive=True)  # squares of the weights
    loss = _two_features(w_1, w_2, r)
    squares = _two_features(sympy.sqrt(s_1), sympy.sqrt(s_2), r)
    slopes = [sympy.expand(squares.diff(s)) for s in (s_1, s_2)]
    inside = sympy.solve(slopes, [s_1, s_2], dict=True)
    (both,) = inside
    value = sympy.simplify(squares.subs(both))
    on_axes = {
        loss.subs({zero: 0, other: value})
        for zero, other in ((w_1, w_2), (w_2, w_1))
        for value in sympy.solve(loss.diff(other).subs(zero, 0), other)
    }
    stationary = all(loss.diff(w).subs(w, 0) == 0 for w in (w_1, w_2))
    # squares of opposite sign: no such point, unless r = 1
    product = sympy.factor(both[s_1] * both[s_2])
    negative = bool(sympy.simplify(product * (r - 1) ** 2).is_negative)
    lowest = on_axes == {1 + r, r, Integer(1)}
    return stationary and negative and lowest, f"s_1 s_2 = {product}, loss there {value}"


def _row(source: random.Random, size: int, hidden: int) -> Matrix:
    values = [Rational(source.randint(-9, 9), 7) for _ in range(hidden * size)]
    return Matrix(hidden, size, values)


def _own_output() -> Outcome:
    gains = [Rational(value, 6) for value in (1, 5, 6, 9)]
    passed = all(
        exact_square_error_one_active(gain, own=True) == (1 - gain) ** 2 / 3 for gain in gains
    )
    return passed, f"{len(gains)} gains, exact"


def _another_output() -> Outcome:
    gains = [Rational(value, 6) for value in (-7, -2, 0, 3, 8)]
    passed = all(
        exact_square_error_one_active(gain, own=False) == max(gain, Integer(0)) ** 2 / 3
        for gain in gains
    )
    return passed, f"{len(gains)} gains, exact"


def _one_active(displayed: Expr, p: Expr, positive: Any) -> Outcome:
    """Each of the n features is the only active one with probability p (1 - p)^(n - 1)."""
    source = random.Random(4)
    for size, hidden in ((2, 1), (3, 2), (4, 2)):
        weights = _row(source, size, hidden)
        entries = weights.T * weights
        importances = [Rational(source.randint(1, 20), 9) for _ in range(size)]
        density_value = Rational(2, 7)
        direct = sum(
            importances[output]
            * exact_square_error_one_active(entries[output, active], own=output == active)
            for active in range(size)
            for output in range(size)
        )
        names = {"I": _entries_of(importances), "G": _entry_of(entries)}
        shown = written_out(displayed, {n: size, p: density_value, **names})
        shown = shown.replace(positive, lambda z: sympy.Max(z, 0))
        if shown != density_value * (1 - density_value) ** (size - 1) * direct:
            return False, f"fails at W = {weights}"
    return True, "n = 2, 3, 4, exact"


def _antipodal_is_free() -> Outcome:
    entries = Matrix([[1, -1], [-1, 1]])
    losses = [
        exact_square_error_one_active(entries[output, active], own=output == active)
        for output in range(2)
        for active in range(2)
    ]
    return all(loss == 0 for loss in losses), "W = (1, -1): no loss at all"
