"""Local minima of the loss with W and b unrestricted."""
