"""Rules: the partial derivatives of elementwise functions, one table entry for each."""
