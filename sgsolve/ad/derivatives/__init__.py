"""Derivatives: the chain rule, on coefficient arrays that stand on structures.

Whatever is done to a coefficient is one of `array_operations`, so that it can be traced as well.
"""
