"""All minima over a grid of two parameters, and how they continue from node to node."""
