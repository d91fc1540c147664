"""The regions between traced boundaries, as polygons."""
