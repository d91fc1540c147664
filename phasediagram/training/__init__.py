"""Gradient descent on many models at once, by batches or on the exact loss."""
