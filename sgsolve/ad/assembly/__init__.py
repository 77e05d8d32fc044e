"""Assembly: from the coefficients of a derivative to the values of a matrix on a fixed pattern."""
