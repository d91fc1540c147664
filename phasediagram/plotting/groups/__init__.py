"""Figures of groups of features over density."""
