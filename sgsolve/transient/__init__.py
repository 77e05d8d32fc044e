"""Time integration of F(x, t) + d/dt Q(x, t) = 0, differential-algebraic systems of index 1.

`Problem.transient` is what most users call. This package holds the methods and their settings.
"""
