"""Structures: which elements depend on which unknowns, and the operands that this depends on.

No number that changes from one x to the next is known here. Everything is interned at a `Root`,
which outlives evaluations: what the first one found out, the second one looks up.
"""
