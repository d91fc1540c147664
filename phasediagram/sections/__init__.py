"""The losses of all minima along a line, and where the lowest changes."""
