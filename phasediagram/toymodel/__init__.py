"""What a user may assume: models, the numbers that they are held at, and axes of diagrams."""
