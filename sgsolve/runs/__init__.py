"""Runs along a parameter: sweeps, curves and all solutions; the bases of `Problem`."""
