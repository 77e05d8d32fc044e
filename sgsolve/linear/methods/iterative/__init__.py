"""Iterative methods, and their preconditioners: GMRES, conjugate gradients, multigrid."""
