"""PETSc as a back end, on one rank or on many."""
