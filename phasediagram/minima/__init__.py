"""Minima of the loss: how they are found, and what they are called."""
