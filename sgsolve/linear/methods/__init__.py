"""Factorizations and iterative methods, each in a file, and the choice between them.

* ``backend`` is their protocol
* ``direct`` methods factorize, ``iterative`` ones precondition, and PETSc is ``parallel_petsc``
* ``choose`` takes one for a pattern
"""
