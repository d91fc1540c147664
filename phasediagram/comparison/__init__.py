"""Trained networks, ours or a user's, against the theoretical minima."""
