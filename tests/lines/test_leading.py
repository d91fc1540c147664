"""The term that decides the order of a transition, against the loss along the softest curve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

import phasediagram as phd
from phasediagram.lines.stability import leading_coefficient, quartic
from phasediagram.lines.systems import Softest
from phasediagram.minima.symmetry import plane_engine
from phasediagram.parameters import plane_of

AXES = phd.Axis("density", 0.02, 0.95), phd.Axis("weight_decay", 1e-4, 0.2)
MODELS = {
    "a correlated pair": (phd.ToyModel(2, groups=[phd.correlated(0, 1, correlation=0.8)]), 0.2),
    "without biases": (phd.ToyModel(2, bias=False), 0.8),
    "an anticorrelated pair": (phd.ToyModel(2, groups=[phd.anticorrelated(0, 1)]), 0.8),
}


def symmetric_minimum(model, p):
    """The engine, the point, and a minimum whose two features are alike."""
    plane = plane_of(model, AXES)
    engine = plane_engine(plane, 1)
    position = np.array([AXES[0].coordinates(p), AXES[1].coordinates(0.01)])
    there = phd.ToyModel(2, bias=model.bias, groups=model.groups, weight_decay=0.01)
    for minimum in phd.solve(p, model=there).minima:
        W, b = minimum.W[0], minimum.b
        if abs(abs(W[0]) - abs(W[1])) < 1e-9 and abs(b[0] - b[1]) < 1e-9:
            return engine, plane.at(position), np.concatenate([W, b]), there
    raise AssertionError("no symmetric minimum")


def loss_along(model, p, x, d, t):
    """The least loss at the distance t along d, everything across d free to respond."""
    free = np.linalg.svd(d[None])[2][1:]
    if not model.bias:
        free = np.array([[d[1], -d[0], 0.0, 0.0]])

    def loss(z):
        y = x + t * d + z @ free
        value, by_W, by_b = phd.expected_loss_and_gradient(y[None, :2], y[2:], p, model=model)
        return 1e6 * value, 1e6 * free @ np.concatenate([by_W[0], by_b])

    found = minimize(loss, np.zeros(len(free)), jac=True, method="BFGS", options={"gtol": 1e-8})
    return found.fun / 1e6


@pytest.mark.parametrize("case", MODELS)
def test_the_fourth_term_is_that_of_the_loss(case):
    model, p = MODELS[case]
    engine, at, x, there = symmetric_minimum(model, p)
    d = np.array([1.0, -np.sign(x[0] * x[1]), 0.0, 0.0]) / np.sqrt(2)
    if model.bias:  # the softest of the directions in which the two features begin to differ
        hessian = engine.derivatives(x, at)[2]
        odd = np.array([d, [0.0, 0.0, np.sqrt(0.5), -np.sqrt(0.5)]])
        d = np.linalg.eigh(odd @ hessian @ odd.T)[1][:, 0] @ odd
    nearest = np.abs(engine.space.preactivations(x))[:, 0 if model.bias else 1 :].min()
    Q = quartic(engine, at, x, d, min(5e-5, nearest / 5))
    curvature = d @ engine.derivatives(x, at)[2] @ d
    own = loss_along(there, p, x, d, 0.0)
    ratios = []
    for t in nearest * np.array([0.2, 0.4]):
        gain = loss_along(there, p, x, d, t) - own - curvature * t**2 / 2
        ratios.append(gain / t**4)
    limit = ratios[0] + (ratios[0] - ratios[1]) / 3  # the next term is of sixth order
    assert pytest.approx(limit, rel=0.02) == Q


def test_only_symmetry_makes_the_fourth_term_count():
    model, p = MODELS["a correlated pair"]
    engine, at, x, _ = symmetric_minimum(model, p)
    odd, even = np.array([[1.0, -1.0, 0, 0], [1.0, 1.0, 0, 0]]) / np.sqrt(2)
    for direction, counts in ((odd, True), (even, False)):
        leading = leading_coefficient(engine, at, Softest(x, direction, 0.0, 12345.0))
        assert (leading != 12345.0) == counts
