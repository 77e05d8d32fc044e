"""Evaluate a function of the user with its derivatives: Jacobians, products, checks, traces."""
