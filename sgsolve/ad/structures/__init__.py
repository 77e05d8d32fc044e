"""Structures: which elements depend on which unknowns, and the constant operands behind that.

Structures hold no number that changes with x. They are cached at a `Root`, which outlives
evaluations: the first evaluation computes a structure, and later ones look it up.
"""
