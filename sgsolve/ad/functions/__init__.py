"""Functions of AD arrays: NumPy's, and those that residuals need besides.

Importing this package makes NumPy's own functions work on AD arrays.
"""

from . import numpy_functions

__all__ = ["numpy_functions"]
