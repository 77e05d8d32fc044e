"""The systems of a problem along a parameter or a path of parameters."""
