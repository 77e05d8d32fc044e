"""sgsolve: large sparse nonlinear systems, solved with exact sparse Jacobians of NumPy code."""

__version__ = "0.1.0"
