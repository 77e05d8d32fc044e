"""Functions along axes: they make, join, reorder or sum arrays."""
