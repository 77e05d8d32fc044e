"""Derivatives of solutions by parameters, and responses to small oscillations."""
