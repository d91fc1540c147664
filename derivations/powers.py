"""Rational functions as sums of powers of one variable, as they are displayed."""

from __future__ import annotations

import sympy
from sympy import Expr


def by_powers(expression: Expr, variable: Expr) -> Expr:
    """Return a polynomial in one variable as a sum of its powers, each coefficient factored.

    Parameters
    ----------
    expression : Expr
        Its coefficients may be rational functions of other symbols.
    variable : Expr

    Returns
    -------
    Expr
    """
    numerator, denominator = sympy.fraction(sympy.cancel(expression))
    coefficients = sympy.Poly(numerator, variable).all_coeffs()[::-1]
    powers = (
        sympy.factor(value / denominator) * variable**k for k, value in enumerate(coefficients)
    )
    return sympy.Add(*powers)
