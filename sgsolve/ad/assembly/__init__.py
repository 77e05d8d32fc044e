"""Assembly: write the coefficients of a derivative as the values of a matrix on a fixed pattern."""
