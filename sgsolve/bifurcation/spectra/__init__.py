"""Eigenvalues of the pencil of a steady state: which are unstable, and bounds of their number."""
