"""Elementwise operations: NumPy's ufuncs applied to values with derivatives."""
