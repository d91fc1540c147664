"""The loss of many features, deterministic and with a bound on its error.

For one output, with three or more of the other features active the density of its
pre-activation is smooth, and a trapezoidal sum along a vertical line gives the expectation
(`contour`); sets of at most two others are integrated exactly (`few`).  `bounds` says how
long the sum must be and what it leaves out; `docs/exact_loss.md` has the proof.
"""
