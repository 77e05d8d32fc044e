"""Checks of matrices and of answers: input, backward error, distance from a singular matrix."""
