"""Sweeps: solutions at the values of parameters that the user names."""
