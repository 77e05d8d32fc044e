"""Functions of AD arrays: those of NumPy, and further ones for residuals.

Importing this package makes NumPy's functions work on AD arrays.
"""

from . import numpy_functions

__all__ = ["numpy_functions"]
