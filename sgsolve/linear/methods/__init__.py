"""Factorizations and iterative methods, each in a file, and the choice between them."""
