"""Every boundary of a diagram, by name."""
