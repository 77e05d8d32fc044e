"""Functions of AD arrays: those of NumPy, and further ones for residuals.

Importing this package makes NumPy's functions work on AD arrays. ``numpy_functions`` is the table
of all of them.

* ``element_functions`` act on single elements, and ``linear_algebra`` holds products and solutions
* ``along_axes`` makes, joins, reorders and sums arrays
* ``sparse_vectors`` and ``vectors`` are for residuals
"""

from . import numpy_functions

__all__ = ["numpy_functions"]
