"""Phase boundaries as curves, and the points where they end."""
