"""Limits of metastability: where minima end."""
