"""Derivatives: the chain rule on coefficient arrays, with their index structures kept apart.

Every operation on a coefficient is a function of `array_operations` and can be traced.
"""
