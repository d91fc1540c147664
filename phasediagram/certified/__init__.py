"""Proofs that a minimum is global: lower bounds that hold, and certificates to check them."""
