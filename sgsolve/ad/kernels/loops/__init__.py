"""Loops of the library itself, written in Python and compiled, one or several structs at once."""
