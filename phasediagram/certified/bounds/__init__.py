"""Lower bounds of the loss over a box of weights, with all rounding errors; compiled."""
