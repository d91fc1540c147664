"""Straight-line code for small numbers of features, written by derivations/kernels.py."""
